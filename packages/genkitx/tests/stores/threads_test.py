# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Calls in worker threads."""

import asyncio
import contextvars
import threading

import pytest
from genkitx.threads import in_thread

who = contextvars.ContextVar('who', default='nobody')


async def test_a_call_runs_elsewhere_with_the_context_of_its_caller():
    who.set('me')
    here = threading.get_ident()
    assert await in_thread(lambda: (who.get(), threading.get_ident() != here)) == ('me', True)
    await in_thread(lambda: who.set('the thread'))
    assert who.get() == 'me'


async def test_errors_come_back():
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)
    with pytest.raises(RuntimeError, match='mine'):
        await in_thread(lambda: (_ for _ in ()).throw(RuntimeError('mine')))


async def test_many_at_once_keep_their_results_apart():
    assert await asyncio.gather(*(in_thread(lambda i=i: i * i) for i in range(200))) == [i * i for i in range(200)]


async def test_a_cancelled_caller_does_not_wait():
    started, go = threading.Event(), threading.Event()

    def call():
        started.set()
        go.wait(10)
        return 'late'

    task = asyncio.create_task(in_thread(call))
    await in_thread(lambda: started.wait(10))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    assert await in_thread(lambda: 'next') == 'next'


def test_a_loop_that_is_gone_is_left_alone():
    go, done = threading.Event(), threading.Event()

    def call():
        go.wait(10)
        done.set()

    async def leave():
        asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)
        await in_thread(call)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(leave())
    go.set()
    assert done.wait(10)
    assert asyncio.run(in_thread(lambda: 1)) == 1
