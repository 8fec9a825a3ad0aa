# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The connections of one event loop.

A pool for one purpose: nothing here changes a session outside a transaction, so that a connection that served without trouble needs no
cleaning, and one that did not is replaced. asyncpg's own pool cleans after every use, in a task of its own and with a round trip, which
would double the cost of a small search.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final

from genkit import GenkitError

from genkitx_cloud_sql_pg.errors import driver, is_lost, is_spent, is_timeout

MAX_IDLE: Final = 300.0
"""Seconds after which an idle connection is not used again: whatever lies between may have forgotten it."""
COMMAND_TIMEOUT: Final = 60.0
"""Seconds that a query waits for its answer by default: a server that has gone silent would be waited for without end."""
UNLIMITED: Final = 1e9
"""A timeout for what takes its time, such as building an index. To asyncpg, None is the connection's own timeout."""
_CLOSING: Final = 5.0


def check_size(max_size: Any) -> None:
    """Refuses a size of which no connection could ever be lent.

    Raises:
        GenkitError: INVALID_ARGUMENT for what is no whole number above 0.
    """
    if isinstance(max_size, bool) or not isinstance(max_size, int) or max_size < 1:
        raise GenkitError(status='INVALID_ARGUMENT', message=f'max_size is a number from 1 up, got {max_size!r:.100}.')


class ConnectionPool:
    """Lends connections, the one used last first; belongs to the event loop in which it is made.

    Args:
        connect: Opens a connection.
        max_size: Most connections at a time; whoever wants one more waits.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]], max_size: int) -> None:
        self._connect = connect
        self._slots = asyncio.Semaphore(max_size)
        self._idle: list[tuple[Any, float]] = []
        self._lent: set[Any] = set()
        self._closed = False

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncGenerator[Any, None]:
        """Lends a connection. After a cancellation, a timeout or a failure of the connection itself it is closed."""
        async with self._slots:
            connection = self._take() or await self._connect()
            self._lent.add(connection)
            try:
                yield connection
            except BaseException as error:
                if isinstance(error, asyncio.CancelledError) or is_timeout(error):
                    # Before anyone goes on: a query that nobody waits for would go on by itself, for hours perhaps.
                    await asyncio.shield(_end(connection))
                elif is_lost(error) or is_spent(error):
                    # What cut this connection off, a restart for example, has most likely cut off the others too. The server may have
                    # said so in an answer, before the connection itself shows it.
                    connection.terminate()
                    self._drop_idle()
                elif isinstance(error, GenkitError | driver().PostgresError):
                    self._give_back(connection)
                else:
                    connection.terminate()
                if self._closed and isinstance(error, Exception):
                    raise GenkitError(
                        status='CANCELLED',
                        message='The engine of PostgreSQL was closed while a query of it was running.',
                    ) from error
                raise
            else:
                self._give_back(connection)
            finally:
                self._lent.discard(connection)

    async def close(self) -> None:
        """Closes the connections; queries under way are cancelled."""
        self._closed = True
        idle, self._idle = self._idle, []
        await asyncio.gather(*map(_end, [*self._lent, *(connection for connection, _ in idle)]))

    def _take(self) -> Any:
        while self._idle:
            connection, since = self._idle.pop()
            if connection.is_closed():
                continue
            if time.monotonic() - since < MAX_IDLE:
                return connection
            connection.terminate()
        return None

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop()[0].terminate()

    def _give_back(self, connection: Any) -> None:
        if connection.is_closed():
            return
        if self._closed or connection.is_in_transaction():
            connection.terminate()
        else:
            self._idle.append((connection, time.monotonic()))


async def _end(connection: Any) -> None:
    """Closes a connection. A query of it is cancelled on the server too, which takes a connection of its own."""
    try:
        await connection.close(timeout=_CLOSING)
    except Exception:  # noqa: BLE001 - it is being given up
        connection.terminate()
