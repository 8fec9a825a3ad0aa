# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A deployment to run the sample against: that of the plugin's tests."""

import importlib.util
import sys
from pathlib import Path

_NAME = 'convex_deployments'
_FILE = Path(__file__).parents[3] / 'plugins' / 'convex' / 'tests' / 'conftest.py'

_spec = importlib.util.spec_from_file_location(_NAME, _FILE)
_module = sys.modules[_NAME] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

toolchain = _module.toolchain
deploy = _module.deploy
