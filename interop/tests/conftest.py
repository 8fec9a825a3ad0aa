# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The JS side: the npm packages, and one Node process for each script that a test file uses."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from genkitx.testing import HashEmbedder
from genkitx.testing.node import NodePackages, install_packages

from interop.tests.node import Script

HERE = Path(__file__).parents[1]


@pytest.fixture(scope='session')
def toolchain() -> NodePackages:
    """Node.js and the installed packages."""
    return install_packages(HERE, 'interop')


@pytest.fixture(scope='session')
def start(toolchain: NodePackages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Script]]:
    """Starts scripts of `js/`; each runs until the session ends."""
    logs = tmp_path_factory.mktemp('js')
    # Beside the packages, so that Node finds them, and apart from what other checkouts run at the same time.
    with tempfile.TemporaryDirectory(dir=toolchain.folder) as folder:
        for source in (HERE / 'js').glob('*.mjs'):
            shutil.copy(source, folder)
        running: dict[str, Script] = {}

        def start(name: str) -> Script:
            if name not in running:
                running[name] = Script(toolchain.node, Path(folder) / f'{name}.mjs', logs / f'{name}.log')
            return running[name]

        yield start
        for script in running.values():
            script.stop()


@pytest.fixture
def embedder() -> HashEmbedder:
    """The embedder that both sides have."""
    return HashEmbedder(64)
