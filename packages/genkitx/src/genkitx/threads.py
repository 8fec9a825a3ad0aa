# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Calls in worker threads, for less than `asyncio.to_thread` takes.

An engine in this process is not called on the event loop: it looks at files, which may be on a disk that does not answer, it may have
to wait for a writer, and engines work on many searches at once outside of Python's lock. (A store may make an exception of calls that
it knows to be shorter than the way to a thread.) That way is a large part of a small search: `asyncio.to_thread` goes through two
futures, each with locks and callbacks of its own; here the thread hands its result to the loop directly, which halves it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar, cast

T = TypeVar('T')


async def in_thread(call: Callable[[], T]) -> T:
    """Runs a call in a thread, with the context of its caller. When the caller is cancelled, the call goes on unheard.

    Args:
        call: What to run.

    Raises:
        Exception: What the call raises.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()
    run = cast('Callable[[], T]', functools.partial(copy_context().run, call))
    _pool(os.getpid()).submit(_work, loop, answer, run)
    return await answer


@functools.lru_cache(maxsize=1)
def _pool(_process: int) -> ThreadPoolExecutor:
    # One for a process: threads do not survive a fork. As many as asyncio has by default.
    return ThreadPoolExecutor(min(32, (os.cpu_count() or 1) + 4), thread_name_prefix='genkitx')


def _work(loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Any], run: Callable[[], Any]) -> None:
    # A loop that has been closed meanwhile has nobody who waits.
    with contextlib.suppress(RuntimeError):
        try:
            result = run()
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            loop.call_soon_threadsafe(_deliver, answer.set_exception, answer, error)
        else:
            loop.call_soon_threadsafe(_deliver, answer.set_result, answer, result)


def _deliver(deliver: Callable[[Any], None], answer: asyncio.Future[Any], value: Any) -> None:
    if not answer.done():  # Else it was cancelled.
        deliver(value)
