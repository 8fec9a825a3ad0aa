# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The engine: a database, as a pool of connections for each event loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from genkit import GenkitError
from genkitx.lifecycle import PerLoop

from genkitx_cloud_sql_pg.admin import TableAdmin
from genkitx_cloud_sql_pg.cloud import AlloyDbInstance, CloudSqlInstance, IpType, Login
from genkitx_cloud_sql_pg.connections import check_ssl_mode, connection_class, read_dsn
from genkitx_cloud_sql_pg.errors import driver, is_lost, is_stale, translated
from genkitx_cloud_sql_pg.pool import COMMAND_TIMEOUT, ConnectionPool, check_size

T = TypeVar('T')


@dataclass(frozen=True)
class _Pool:
    pool: Any
    close: Callable[[], Awaitable[Any]]


async def _nothing() -> None:
    return None


class PostgresEngine(TableAdmin):
    """A PostgreSQL database with pgvector (JS `PostgresEngine`).

    Made by one of `from_dsn`, `from_pool`, `from_instance` and `from_alloydb_instance`; nothing connects before the first use. Each
    event loop gets a pool of its own, which is closed by `aclose` or when its loop shuts down.

        engine = PostgresEngine.from_dsn('postgresql://user:password@host/database')
        await engine.init_vectorstore_table('docs', 768)

    Args:
        open_pool: Opens a pool for the running event loop.
        label: The database, for messages; without user and password.
    """

    def __init__(self, open_pool: Callable[[], Awaitable[_Pool]], label: str) -> None:
        self.label = label
        self._pools: PerLoop[_Pool] = PerLoop(open_pool, _close)

    def __repr__(self) -> str:
        return f'PostgresEngine({self.label!r})'

    @classmethod
    def from_dsn(
        cls,
        dsn: str,
        *,
        max_size: int = 10,
        ssl: Any = None,
        command_timeout: float | None = COMMAND_TIMEOUT,
        **options: Any,
    ) -> PostgresEngine:
        """Connects by a DSN (JS `fromEngineArgs`).

        Args:
            dsn: `postgresql://user:password@host:port/database`, with `?sslmode=...` and the like; SQLAlchemy's
                `postgresql+asyncpg://` is taken too.
            max_size: Most connections of one event loop.
            ssl: An `ssl.SSLContext` or an SSL mode. By default the DSN's `sslmode`, else `require` where a host is not this machine.
            command_timeout: Seconds that a query waits for its answer, then it ends as DEADLINE_EXCEEDED; None waits without end.
                Building and dropping indexes, copying rows in, and writes of more than 1000 records are not limited.
            **options: Further arguments of `asyncpg.connect`, such as `timeout` (of connecting; 60 seconds) or `server_settings`.

        Raises:
            GenkitError: INVALID_ARGUMENT for a DSN that cannot be read, without repeating it, or options that cannot be.
        """
        check_size(max_size)
        options['command_timeout'] = command_timeout
        check_ssl_mode(ssl, 'ssl')
        target = read_dsn(dsn, host=options.get('host'), database=options.get('database'))
        if ssl is None and target.ssl is not None:
            ssl = target.ssl
        if ssl is not None:
            options['ssl'] = ssl

        async def open_pool() -> _Pool:
            await asyncio.to_thread(driver)  # A large import.

            async def connect() -> Any:
                return await driver().connect(target.dsn, connection_class=connection_class(), **options)

            pool = ConnectionPool(connect, max_size)
            return _Pool(pool, pool.close)

        return cls(open_pool, target.label)

    @classmethod
    def from_pool(cls, pool: Any) -> PostgresEngine:
        """Uses an `asyncpg.Pool` (JS `fromEngine`). It works in its own event loop only and stays open when the engine is closed.

        Vectors travel as text on it, since its connections' codecs are not ours to change; `from_dsn` writes several times faster.
        """
        owner: list[asyncio.AbstractEventLoop] = []

        async def open_pool() -> _Pool:
            loop = asyncio.get_running_loop()
            if owner and owner[0] is not loop:
                raise GenkitError(
                    status='FAILED_PRECONDITION',
                    message='An asyncpg.Pool works in one event loop only. Use PostgresEngine.from_dsn, which opens one for each.',
                )
            owner.append(loop)
            await pool
            return _Pool(pool, _nothing)

        return cls(open_pool, 'the given pool')

    @classmethod
    def from_instance(
        cls,
        project: str,
        region: str,
        instance: str,
        database: str,
        *,
        ip_type: IpType = 'PUBLIC',
        user: str | None = None,
        password: str | None = None,
        iam_email: str | None = None,
        max_size: int = 10,
        command_timeout: float | None = COMMAND_TIMEOUT,
    ) -> PostgresEngine:
        """Connects to a Cloud SQL instance (JS `fromInstance`); needs `pip install 'genkitx-cloud-sql-pg[cloud-sql]'`.

        Args:
            project: Project id (JS `projectId`).
            region: Region of the instance.
            instance: Name of the instance.
            database: Name of the database.
            ip_type: How the instance is reached.
            user: Database user, together with `password`.
            password: Its password.
            iam_email: Without user and password, the IAM principal that logs in (JS `iamAccountEmail`); by default that of the
                environment's credentials.
            max_size: Most connections of one event loop.
            command_timeout: Seconds that a query waits for its answer, as in `from_dsn`.
        """
        login = Login(user, password, iam_email)
        found = CloudSqlInstance(project, region, instance, database, ip_type, login)
        return cls._from_cloud(found, max_size, command_timeout)

    @classmethod
    def from_alloydb_instance(
        cls,
        project: str,
        region: str,
        cluster: str,
        instance: str,
        database: str,
        *,
        ip_type: IpType = 'PUBLIC',
        user: str | None = None,
        password: str | None = None,
        iam_email: str | None = None,
        max_size: int = 10,
        command_timeout: float | None = COMMAND_TIMEOUT,
    ) -> PostgresEngine:
        """Connects to an AlloyDB instance; needs `pip install 'genkitx-cloud-sql-pg[alloydb]'`. Arguments as in `from_instance`."""
        login = Login(user, password, iam_email)
        found = AlloyDbInstance(project, region, cluster, instance, database, ip_type, login)
        return cls._from_cloud(found, max_size, command_timeout)

    @classmethod
    def _from_cloud(
        cls, instance: CloudSqlInstance | AlloyDbInstance, max_size: int, command_timeout: float | None
    ) -> PostgresEngine:
        check_size(max_size)

        async def open_pool() -> _Pool:
            connect, close_connector = await instance.connector()
            await asyncio.to_thread(driver)  # A large import.
            options = {'connection_class': connection_class(), 'command_timeout': command_timeout}
            pool = ConnectionPool(functools.partial(connect, **options), max_size)

            async def close() -> None:
                await pool.close()
                await close_connector()

            return _Pool(pool, close)

        return cls(open_pool, instance.label)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncGenerator[Any, None]:
        """Lends a connection (`asyncpg.Connection`). Errors inside become `GenkitError`s."""
        with translated(self.label):
            opened = await self._pools.get()
            async with opened.pool.acquire() as connection:
                yield connection

    async def run(self, work: Callable[[Any], Awaitable[T]], *, again_if_lost: bool = True) -> T:
        """Runs a query that may run twice, such as a search or a deletion: once more when the connection turns out to be dead.

        A pooled connection may have been cut while it was idle, by a restart or a load balancer, which only its next use shows. It may
        also remember a statement whose columns have other types by now, which the server refuses before it does anything.

        Args:
            work: What to do with a connection; an error of it leaves nothing done.
            again_if_lost: Whether to run it again on a lost connection too, not knowing whether it was done.
        """
        with translated(self.label):
            opened = await self._pools.get()
            connected = False
            try:
                async with opened.pool.acquire() as connection:
                    connected = True
                    return await work(connection)
            except Exception as error:
                if not connected or not (is_stale(error) or (again_if_lost and is_lost(error))):
                    raise
            async with opened.pool.acquire() as connection:
                return await work(connection)

    async def test_connection(self) -> dict[str, str | None]:
        """Connects and asks for versions (JS `testConnection`).

        Returns:
            `{'postgresql': '18.4', 'pgvector': '0.8.5'}`; pgvector is None when the extension is not installed in the database.
        """
        query = (
            "SELECT current_setting('server_version'), (SELECT extversion FROM pg_extension WHERE extname = 'vector')"
        )
        row = await self.run(lambda connection: connection.fetchrow(query))
        return {'postgresql': row[0].split(' ')[0], 'pgvector': row[1]}

    async def aclose(self) -> None:
        """Closes all connections (JS `closeConnection`); a later use opens new ones."""
        await self._pools.aclose()


async def _close(pool: _Pool) -> None:
    await pool.close()
