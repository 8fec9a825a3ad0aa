# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The server in a process of its own, for as long as it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = Path(__file__).with_name('server.py')


class ServerError(Exception):
    """The server did not start."""


@contextmanager
def running_server(key: str) -> Iterator[str]:
    """Starts the server on a free port, yields its address, and stops it."""
    process = subprocess.Popen(
        [sys.executable, str(SERVER), '--with-parent'],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, 'FLOW_KEY': key},
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise ServerError(f'The server ended at once, with code {process.wait()}.')
        yield url
    finally:
        # The end of its standard input asks the server to stop, and it finishes what it is doing.
        process.communicate()
