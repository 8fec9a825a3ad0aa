# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

import importlib
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

# Test files are imported by path; their helper is a module beside them.
sys.path.insert(0, str(Path(__file__).parent))

from rag_web_server import HERE, serving

MODULES = ('answering', 'catalog', 'chunking', 'flows', 'guard', 'jobs', 'library', 'main', 'reading', 'web')


@pytest.fixture(scope='session')
def plain(tmp_path_factory):
    """The sample without a model, stopped by Ctrl+C."""
    with serving(tmp_path_factory.mktemp('plain'), '--max-kb', '400', stop=signal.SIGINT) as server:
        yield server


@pytest.fixture(scope='session')
def scripted(tmp_path_factory):
    """The sample with a model that follows a script."""
    with serving(tmp_path_factory.mktemp('scripted'), script='tests/scripted.py') as server:
        yield server


@pytest.fixture(scope='module')
def sample():
    """The modules of the sample; names as short as theirs may be those of another sample, which gets them back."""
    others = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
    sys.path.insert(0, str(HERE))
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    finally:
        sys.path.remove(str(HERE))
        for name in MODULES:
            sys.modules.pop(name, None)
        sys.modules.update(others)
