# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Servers on loopback that come from wheels."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running(program: str, *arguments: str, folder: Path) -> Iterator[str]:
    """Runs a program of this environment with `--host` and `--port`; gives `host:port` once that answers, stops it at the end."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name(program)), *arguments, '--host', '127.0.0.1', '--port', str(port)]
    with (folder / 'log').open('wb') as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, 'GRPC_ENABLE_FORK_SUPPORT': '0'}
        )
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(('127.0.0.1', port)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise RuntimeError(f'{program} did not start: {(folder / "log").read_text()[-2000:]}')
        yield f'127.0.0.1:{port}'
    finally:
        process.terminate()
        process.wait(timeout=20)
