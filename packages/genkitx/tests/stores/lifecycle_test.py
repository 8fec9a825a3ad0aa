# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Clients live per event loop and are closed in it."""

import asyncio
import gc
import threading

import pytest
from genkitx.lifecycle import PerLoop, Shared


class Client:
    """Knows its loop, as network clients do."""

    def __init__(self, log):
        self.loop = asyncio.get_running_loop()
        self.log = log
        log.append('open')

    async def close(self):
        assert asyncio.get_running_loop() is self.loop
        await asyncio.sleep(0)
        self.log.append('close')


def clients(log, opening=None):
    async def open_client():
        await asyncio.sleep(0)
        if opening is not None:
            await opening()
        return Client(log)

    return PerLoop(open_client, Client.close)


async def test_one_client_for_concurrent_callers():
    log = []
    holder = clients(log)
    first, *others = await asyncio.gather(*(holder.get() for _ in range(10)))
    assert all(other is first for other in others)
    await holder.aclose()
    assert log == ['open', 'close']
    assert await holder.get() is not first
    await holder.aclose()
    await holder.aclose()
    assert log == ['open', 'close'] * 2


def test_fifty_loops_close_their_own():
    log = []
    holder = clients(log)
    for _ in range(50):
        asyncio.run(holder.get())
    gc.collect()
    assert log == ['open', 'close'] * 50


def test_threads_have_their_own():
    log, seen = [], []
    holder = clients(log)
    barrier = threading.Barrier(8)

    async def use():
        client = await holder.get()
        barrier.wait(5)
        assert await holder.get() is client
        seen.append(client)

    threads = [threading.Thread(target=lambda: asyncio.run(use())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in seen}) == 8
    assert log.count('close') == 8


async def test_a_failed_opening_is_tried_again():
    log, failures = [], [RuntimeError('down')]

    async def opening():
        if failures:
            raise failures.pop()

    holder = clients(log, opening)
    results = await asyncio.gather(holder.get(), holder.get(), return_exceptions=True)
    assert [str(result) for result in results] == ['down', 'down']
    assert isinstance(await holder.get(), Client)
    await holder.aclose()


async def test_a_cancelled_opening_is_taken_over_by_who_waits():
    gate = asyncio.Event()
    log = []
    holder = clients(log, gate.wait)
    opener = asyncio.ensure_future(holder.get())
    await asyncio.sleep(0)
    waiters = [asyncio.ensure_future(holder.get()) for _ in range(3)]
    await asyncio.sleep(0)
    opener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opener
    for _ in range(3):
        await asyncio.sleep(0)
    waiters[0].cancel()  # It opens now.
    with pytest.raises(asyncio.CancelledError):
        await waiters[0]
    gate.set()
    second, third = await asyncio.gather(*waiters[1:])
    assert second is third
    assert log == ['open']
    await holder.aclose()


async def test_a_cancelled_waiter_cancels_nobody():
    gate = asyncio.Event()
    holder = clients([], gate.wait)
    opener = asyncio.ensure_future(holder.get())
    await asyncio.sleep(0)
    waiter = asyncio.ensure_future(holder.get())
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.sleep(0)
    gate.set()
    assert isinstance(await opener, Client)
    await holder.aclose()


async def test_another_running_loop_is_closed_in_that_loop():
    log = []
    holder = clients(log)
    ready, stop = threading.Event(), threading.Event()

    def other():
        async def live():
            await holder.get()
            ready.set()
            while not stop.is_set():
                await asyncio.sleep(0.001)

        asyncio.run(live())

    thread = threading.Thread(target=other)
    thread.start()
    await asyncio.to_thread(ready.wait, 5)
    await holder.aclose()
    assert log == ['open', 'close']
    stop.set()
    await asyncio.to_thread(thread.join)
    assert log == ['open', 'close']


def test_a_loop_that_died_without_a_word_is_forgotten():
    log = []
    holder = clients(log)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(holder.get())
    loop.close()
    asyncio.run(holder.aclose())
    asyncio.run(holder.get())
    assert log.count('open') == 2


async def test_shared_is_opened_once_and_closed_once():
    log = []

    def open_engine():
        log.append('open')
        return object()

    shared = Shared(open_engine, lambda engine: log.append('close'))
    engines = await asyncio.gather(*(shared.get() for _ in range(8)))
    assert len(set(map(id, engines))) == 1
    assert shared.get_sync() is engines[0]
    await shared.aclose()
    await shared.aclose()
    assert log == ['open', 'close']
    assert await shared.get() is not engines[0]
    await shared.aclose()
