# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Milvus Lite, in this process and as a gRPC server on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from genkitx.testing import HashEmbedder


@pytest.fixture(scope='session')
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The path of an embedded engine that stays open for the session, so that tests only open collections."""
    import asyncio

    from genkitx_milvus.connection import Connection, Target

    path = str(tmp_path_factory.mktemp('milvus') / 'embedded.db')
    keeper = Connection('keeper', Target(uri=path))
    asyncio.run(keeper.admin(lambda client: None))
    yield path
    asyncio.run(keeper.aclose())


@pytest.fixture(scope='session')
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a `milvus-lite server`, stopped at the end of the session."""
    folder = tmp_path_factory.mktemp('milvus-server')
    port = _free_port()
    command = [sys.executable, '-m', 'milvus_lite.cmdline', 'server', '--host', '127.0.0.1']
    command = [str(Path(sys.executable).with_name('milvus-lite')), *command[3:]]
    environment = {**os.environ, 'GRPC_ENABLE_FORK_SUPPORT': '0'}
    with (folder / 'log').open('wb') as log:
        process = subprocess.Popen(
            [*command, '--port', str(port), '--data-dir', str(folder / 'data')],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        _wait(port, process, folder / 'log')
        yield f'http://127.0.0.1:{port}'
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def embedder() -> HashEmbedder:
    """The deterministic embedder."""
    return HashEmbedder(64)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def _wait(port: int, process: subprocess.Popen[Any], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(('127.0.0.1', port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f'milvus-lite server did not start: {log.read_text()[-2000:]}')
