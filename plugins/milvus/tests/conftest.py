# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Milvus Lite, in this process and as a gRPC server on loopback."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from genkitx.testing import HashEmbedder


@pytest.fixture(scope='session')
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The path of an embedded engine that stays open for the session, so that tests only open collections."""
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


class Proxy:
    """A TCP proxy in front of a server. The answer to a request that has `cut` in it is lost, once, with the connection.

    Attributes:
        uri: Its address.
        cut: Bytes of the request; empty loses nothing.
        vanish: Whether it stops with that.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._port = _free_port()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.uri = f'http://127.0.0.1:{self._port}'
        self.cut = b''
        self.vanish = False

    async def start(self) -> None:
        """Listens."""
        self._server = await asyncio.start_server(self._serve, '127.0.0.1', self._port)

    async def stop(self) -> None:
        """Listens no more and drops all connections."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection('127.0.0.1', self._target)
        self._open |= {writer, back}
        lost = asyncio.Event()

        async def forth() -> None:
            while data := await reader.read(65536):
                if self.cut and self.cut in data:
                    self.cut = b''
                    lost.set()
                    if self.vanish and self._server is not None:
                        self._server.close()
                    asyncio.get_running_loop().call_later(1, writer.transport.abort)
                back.write(data)

        async def answer() -> None:
            while data := await there.read(65536):
                if not lost.is_set():
                    writer.write(data)

        await asyncio.gather(forth(), answer(), return_exceptions=True)
        for one in (writer, back):
            one.transport.abort()
            self._open.discard(one)


@pytest_asyncio.fixture
async def proxy(server: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the server."""
    proxy = Proxy(int(server.rsplit(':', 1)[1]))
    await proxy.start()
    yield proxy
    await proxy.stop()


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
