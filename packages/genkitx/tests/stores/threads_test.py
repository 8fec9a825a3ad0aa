# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The way to a worker thread and back: results, errors, contexts, cancellation, loops that end, forks."""

import asyncio
import contextvars
import subprocess
import sys
import threading
from typing import Any

import pytest
from genkitx.threads import in_thread

NAME: contextvars.ContextVar[str] = contextvars.ContextVar('name', default='nobody')

FORKED = """
import asyncio, os
from genkitx.threads import in_thread

call = lambda: asyncio.run(in_thread(os.getpid))
assert call() == os.getpid()
child = os.fork()
assert call() == os.getpid()
if child == 0:
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
print('both called')
"""


def fail() -> None:
    raise KeyError('wanted')


async def test_results_errors_and_contexts() -> None:
    assert await in_thread(threading.get_ident) != threading.get_ident()
    with pytest.raises(KeyError, match='wanted'):
        await in_thread(fail)
    NAME.set('ann')
    assert await in_thread(NAME.get) == 'ann'
    assert await asyncio.gather(*(in_thread(lambda i=i: i * i) for i in range(200))) == [i * i for i in range(200)]


async def test_a_cancelled_call_is_not_heard() -> None:
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    for work in (lambda: None, fail):
        begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

        def slow(begun: Any = begun, go_on: Any = go_on, ended: Any = ended, work: Any = work) -> None:
            begun.set()
            go_on.wait(10)
            ended.set()
            work()

        task = asyncio.ensure_future(in_thread(slow))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        while not ended.is_set():
            await asyncio.sleep(0.001)
    assert await in_thread(lambda: 5) == 5
    await asyncio.sleep(0.02)
    assert problems == []


def test_loops_may_end_before_their_calls() -> None:
    for _ in range(3):
        go_on, ended = threading.Event(), threading.Event()

        def slow(go_on: Any = go_on, ended: Any = ended) -> None:
            go_on.wait(10)
            ended.set()

        async def leave(slow: Any = slow) -> int:
            left = asyncio.ensure_future(in_thread(slow))
            await asyncio.sleep(0)
            assert not left.done()
            return await in_thread(lambda: 5)

        assert asyncio.run(leave()) == 5
        go_on.set()
        assert ended.wait(10)


@pytest.mark.skipif(sys.platform == 'win32', reason='Windows has no fork')
def test_a_forked_process_has_threads_of_its_own() -> None:
    command = [sys.executable, '-W', 'ignore', '-c', FORKED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == 'both called\n', done.stderr
