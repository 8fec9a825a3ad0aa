# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The event loop behind the bridge's synchronous entry points.

Genkit is asynchronous, half of LangChain is not. A synchronous call hands its work to a loop in a thread of its own and
waits, so that it works without a loop, in a running one, in threads, in notebooks and in web servers, and so that the
clients opened by such calls live in one loop.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import contextvars
import os
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Final, TypeVar

T = TypeVar('T')

_ROOM: Final = 16
"""Items that a stream may be ahead of its consumer."""

_blocked: contextvars.ContextVar[BackgroundLoop | None] = contextvars.ContextVar('genkitx_langchain_loop', default=None)
# The loop that a synchronous call runs in. What it calls synchronously itself blocks that loop, worker threads included.


class BackgroundLoop:
    """An event loop in a daemon thread, started at first use.

    A synchronous call from inside the loop (from a tool that calls a chain's `invoke`) would wait for itself, so it goes
    to a further loop.
    """

    def __init__(self, name: str = 'genkitx-langchain') -> None:
        self._name = name
        # Reentrant: the garbage collector may end a stream, and with it its call, while the lock is held.
        self._lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._inner: BackgroundLoop | None = None
        self._calls = 0

    def run(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Runs a coroutine and waits for it.

        Args:
            make: Makes the coroutine; it is called in the loop, in a copy of the caller's context (trace, auth).

        Raises:
            Exception: Whatever the coroutine raises. A waiter that is interrupted cancels it.
        """
        future = self._submit(make)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def stream(self, make: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
        """Iterates an asynchronous iterator, which is at most a few items ahead and stops when the consumer leaves."""
        items: queue.SimpleQueue[tuple[T, asyncio.AbstractEventLoop] | None] = queue.SimpleQueue()
        room = asyncio.Semaphore(_ROOM)

        async def produce() -> None:
            loop = asyncio.get_running_loop()
            source = make()
            try:
                async for item in source:
                    await room.acquire()
                    items.put((item, loop))
            finally:
                close = getattr(source, 'aclose', None)
                if close is not None:
                    with contextlib.suppress(RuntimeError):
                        await close()

        future = self._submit(produce)
        # Not at the end of `produce`, which a loop that is closed may never start.
        future.add_done_callback(lambda _: items.put(None))
        try:
            while (entry := items.get()) is not None:
                with contextlib.suppress(RuntimeError):  # The loop was closed; the end is in the queue already.
                    entry[1].call_soon_threadsafe(room.release)
                yield entry[0]
            future.result()
        finally:
            future.cancel()

    def close(self) -> None:
        """Cancels what runs, closes what belongs to the loop, and ends the thread. A later call starts a new one."""
        with self._lock:
            stopped = self._stop()
        self._join(stopped)

    def close_if_idle(self) -> bool:
        """Does as `close`, unless a call is running.

        Returns:
            Whether the loop is closed.
        """
        with self._lock:
            if self._calls:
                return False
            stopped = self._stop()
        self._join(stopped)
        return True

    def _stop(self) -> tuple[threading.Thread | None, BackgroundLoop | None]:
        loop, thread, inner = self._loop, self._thread, self._inner
        self._loop = self._thread = self._inner = None
        if loop is not None and thread is not None and thread.is_alive():
            # After whatever was submitted, under the same lock.
            loop.call_soon_threadsafe(loop.stop)
        return thread, inner

    def _join(self, stopped: tuple[threading.Thread | None, BackgroundLoop | None]) -> None:
        thread, inner = stopped
        if inner is not None:
            inner.close()
        if thread is not None and _blocked.get() is None:  # A call of the bridge itself cannot wait for its own end.
            thread.join(timeout=10)

    def _submit(self, make: Callable[[], Coroutine[Any, Any, T]]) -> concurrent.futures.Future[T]:
        result: concurrent.futures.Future[T] = concurrent.futures.Future()
        level = self._level()
        context = contextvars.copy_context()
        context.run(_blocked.set, level)

        def start() -> None:
            # Runs in the copied context, which the task then copies.
            if result.cancelled():
                return
            loop = asyncio.get_running_loop()
            try:
                task = asyncio.ensure_future(make())
            except Exception as error:  # noqa: BLE001 - the waiter must hear of it
                result.set_exception(error)
                return
            result.add_done_callback(lambda _: result.cancelled() and loop.call_soon_threadsafe(task.cancel))
            task.add_done_callback(lambda done: _copy(done, result))

        level.post(start, context, result)
        return result

    def post(
        self, start: Callable[[], None], context: contextvars.Context, result: concurrent.futures.Future[Any]
    ) -> None:
        """Has the loop start a call; the loop itself is started when it does not run."""
        with self._lock:
            loop = self._loop
            if loop is None or loop.is_closed() or self._thread is None or not self._thread.is_alive():
                loop = self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_serve, args=(loop,), name=self._name, daemon=True)
                self._thread.start()
            self._calls += 1
            loop.call_soon_threadsafe(start, context=context)
        result.add_done_callback(self._done)

    def _done(self, _: concurrent.futures.Future[Any]) -> None:
        with self._lock:
            self._calls -= 1

    def _level(self) -> BackgroundLoop:
        """The first loop that is not blocked by a caller of the current one."""
        level = _blocked.get() or self
        return level.inner() if level.owns_current_thread() else level

    def inner(self) -> BackgroundLoop:
        """Returns the loop for synchronous calls made inside this one."""
        with self._lock:
            if self._inner is None:
                self._inner = BackgroundLoop(f'{self._name}+')
            return self._inner

    def owns_current_thread(self) -> bool:
        """Whether the caller runs in this loop's thread."""
        return self._thread is threading.current_thread()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        while tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        loop.close()


def _copy(task: asyncio.Task[T] | asyncio.Future[T], result: concurrent.futures.Future[T]) -> None:
    if task.cancelled():
        if not result.done():
            result.cancel()
            result.set_running_or_notify_cancel()
        return
    error = task.exception()
    if result.done():  # The waiter is gone.
        return
    if error is not None:
        result.set_exception(error)
    else:
        result.set_result(task.result())


def retrieve(task: asyncio.Task[Any]) -> None:
    """Looks at a task's failure, for who may have left before it: else the loop reports it as lost."""
    if not task.cancelled():
        task.exception()


background: Final = BackgroundLoop()
"""The bridge's loop."""


def close() -> None:
    """Ends the thread behind the bridge's synchronous calls, and closes the clients that such calls opened.

    Calls that still run there are cancelled. A later synchronous call starts a new thread, so it is safe to call this at
    any time; without it, the thread ends with the process.
    """
    background.close()


def _after_fork() -> None:
    # A forked child has no threads; it starts a loop of its own.
    background.__init__()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(background.close)
