# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Clients that live exactly as long as they may: one per event loop, closed for certain.

A network client belongs to the event loop that opened it, and a plugin object sees many: the dev server runs a second
one, Flask one per request, tests one per case. `PerLoop` keeps one client for each.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar('T')


@dataclass
class _Entry(Generic[T]):
    opening: asyncio.Future[T]
    keeper: AsyncGenerator[None, None] | None = None


class _GivenUp(Exception):  # noqa: N818 - no error: whoever opened was cancelled, and another one has to
    pass


class PerLoop(Generic[T]):
    """One client per event loop, opened at first use.

    The client of a loop is closed by `aclose`, or else when the loop shuts down its asynchronous generators, as
    `asyncio.run` and every web server do before they close a loop. After a close the next `get` opens a new client.

    Args:
        open: Opens a client for the running loop.
        close: Closes a client; runs in the loop that opened it.
    """

    def __init__(self, open: Callable[[], Awaitable[T]], close: Callable[[T], Awaitable[Any]]) -> None:  # noqa: A002
        self._open = open
        self._close = close
        self._entries: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Entry[T]] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    async def get(self) -> T:
        """Returns the running loop's client. Concurrent callers share one opening; a failed one is tried again."""
        loop = asyncio.get_running_loop()
        while True:
            with self._lock:
                entry = self._entries.get(loop)
                mine = entry is None
                if entry is None:
                    entry = self._entries[loop] = _Entry(loop.create_future())
            if mine:
                return await self._open_for(loop, entry)
            # A waiter that is cancelled must not cancel the opening that the others wait for; nor the reverse.
            with contextlib.suppress(_GivenUp):
                return await asyncio.shield(entry.opening)

    async def _open_for(self, loop: asyncio.AbstractEventLoop, entry: _Entry[T]) -> T:
        try:
            client = await self._open()
        except BaseException as error:
            self._forget(loop, entry)
            entry.opening.set_exception(error if isinstance(error, Exception) else _GivenUp())
            entry.opening.exception()  # Mark as retrieved: nobody may be waiting.
            raise
        entry.keeper = self._keep(loop, entry, client)
        await anext(entry.keeper)
        entry.opening.set_result(client)
        return client

    async def aclose(self) -> None:
        """Closes every client: the running loop's here, another running loop's there, a dead loop's not at all."""
        here = asyncio.get_running_loop()
        with self._lock:
            entries = list(self._entries.items())
        for loop, entry in entries:
            if entry.keeper is None or loop.is_closed():
                self._forget(loop, entry)
            elif loop is here:
                await entry.keeper.aclose()
            elif loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(_aclose(entry.keeper), loop)
                await asyncio.wrap_future(closing)

    async def _keep(self, loop: asyncio.AbstractEventLoop, entry: _Entry[T], client: T) -> AsyncGenerator[None, None]:
        # Suspended here for the life of the client. The loop tracks asynchronous generators and closes them when it shuts
        # down, which is the one hook a library has to close what belongs to a loop in that loop.
        try:
            yield
        finally:
            self._forget(loop, entry)
            await self._close(client)

    def _forget(self, loop: asyncio.AbstractEventLoop, entry: _Entry[T]) -> None:
        with self._lock:
            if self._entries.get(loop) is entry:
                del self._entries[loop]


class Shared(Generic[T]):
    """One client for the whole process, for embedded engines that belong to no loop.

    Args:
        open: Opens the client; runs in a worker thread.
        close: Closes the client; runs in a worker thread.
    """

    def __init__(self, open: Callable[[], T], close: Callable[[T], Any]) -> None:  # noqa: A002
        self._open = open
        self._close = close
        self._lock = threading.Lock()
        self._client: T | None = None

    async def get(self) -> T:
        """Returns the client; the first caller opens it while others wait."""
        return self._client if self._client is not None else await asyncio.to_thread(self.get_sync)

    def get_sync(self) -> T:
        """Returns the client, for code that already runs in a worker thread."""
        with self._lock:
            if self._client is None:
                self._client = self._open()
            return self._client

    async def aclose(self) -> None:
        """Closes the client. The next `get` opens a new one."""
        await asyncio.to_thread(self._close_sync)

    def _close_sync(self) -> None:
        with self._lock:
            client, self._client = self._client, None
            if client is not None:
                self._close(client)


async def _aclose(keeper: AsyncGenerator[None, None]) -> None:
    await keeper.aclose()
