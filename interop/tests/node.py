# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Scripts that run in Node.js, and the native packages that they need."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from genkitx.files import exclusive_lock
from genkitx.testing.node import NodePackages


def build(packages: NodePackages, package: str) -> None:
    """Compiles a package's native part once; skips the test where that is not possible."""
    headers = Path(packages.node).resolve().parent.parent
    if shutil.which('make') is None or (shutil.which('c++') or shutil.which('g++')) is None:
        pytest.skip(f'{package} has no binaries, and there is no C++ compiler to build it')
    if not (headers / 'include/node/node_api.h').exists():
        pytest.skip(f'{package} has no binaries, and this Node.js has no headers to build it with')
    folder = packages.folder
    with exclusive_lock(folder / '.lock', timeout=300, what=str(folder)):
        if not (folder / f'built-{package}').exists():
            where = {'npm_config_nodedir': str(headers), 'npm_config_python': sys.executable}
            packages.run_npm('rebuild', package, settings=where)
            (folder / f'built-{package}').touch()


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
