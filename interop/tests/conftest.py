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

from interop.tests.node import HERE, Script, Toolchain, install


@pytest.fixture(scope='session')
def toolchain() -> Toolchain:
    """Node.js and the installed packages."""
    return install()


@pytest.fixture(scope='session')
def start(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Script]]:
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
