# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The loop behind synchronous calls: contexts, errors, streams, cancellation, nesting."""

import asyncio
import concurrent.futures
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Iterator

import genkitx_langchain
import pytest
from genkitx import Genkit
from genkitx.lifecycle import PerLoop
from genkitx_langchain import LangChain
from genkitx_langchain.background import BackgroundLoop, background

_VALUE = contextvars.ContextVar('value', default='unset')


@pytest.fixture
def loop() -> Iterator[BackgroundLoop]:
    one = BackgroundLoop('test')
    yield one
    one.close()


async def _value() -> str:
    await asyncio.sleep(0)
    return _VALUE.get()


def test_context_is_copied(loop: BackgroundLoop):
    token = _VALUE.set('mine')
    assert loop.run(_value) == 'mine'

    async def change() -> None:
        _VALUE.set('theirs')

    loop.run(change)
    assert _VALUE.get() == 'mine'
    _VALUE.reset(token)


def test_errors_arrive(loop: BackgroundLoop):
    async def fail() -> None:
        raise ValueError('no')

    with pytest.raises(ValueError, match='no'):
        loop.run(fail)

    def broken():
        raise TypeError('not even a coroutine')

    with pytest.raises(TypeError, match='not even'):
        loop.run(broken)


async def test_within_a_running_loop(loop: BackgroundLoop):
    assert loop.run(_value) == 'unset'


def test_from_inside_itself(loop: BackgroundLoop):
    async def outer() -> str:
        return loop.run(inner)

    async def inner() -> str:
        return 'deep ' + loop.run(_value)

    assert loop.run(outer) == 'deep unset'


def test_many_threads_share_one_loop(loop: BackgroundLoop):
    seen: list[int] = []

    async def where() -> int:
        await asyncio.sleep(0.001)
        return id(asyncio.get_running_loop())

    def call() -> None:
        seen.extend(loop.run(where) for _ in range(20))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 160
    assert len(set(seen)) == 1


def test_stream_is_bounded_and_stops_with_its_consumer(loop: BackgroundLoop):
    made: list[int] = []
    closed = threading.Event()

    async def count() -> AsyncIterator[int]:
        try:
            for i in range(1000):
                made.append(i)
                yield i
        finally:
            closed.set()

    stream = loop.stream(count)
    assert [next(stream) for _ in range(3)] == [0, 1, 2]
    time.sleep(0.05)
    assert len(made) < 30
    stream.close()
    assert closed.wait(5)


def test_stream_gives_everything_then_its_error(loop: BackgroundLoop):
    async def some() -> AsyncIterator[int]:
        for i in range(100):
            yield i
        raise ValueError('end')

    got: list[int] = []
    with pytest.raises(ValueError, match='end'):
        got.extend(loop.stream(some))
    assert got == list(range(100))


def test_close_cancels_and_a_later_call_starts_again(loop: BackgroundLoop):
    started, cancelled = threading.Event(), threading.Event()

    async def wait() -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def call() -> None:
        with pytest.raises(concurrent.futures.CancelledError):
            loop.run(wait)

    thread = threading.Thread(target=call)
    thread.start()
    assert started.wait(5)
    loop.close()
    assert cancelled.wait(5)
    thread.join(5)
    assert not thread.is_alive()
    assert loop.run(_value) == 'unset'


def test_a_stream_ends_when_the_loop_is_closed(loop: BackgroundLoop):
    async def endless() -> AsyncIterator[int]:
        i = 0
        while True:
            yield (i := i + 1)
            await asyncio.sleep(0)

    stream = loop.stream(endless)
    assert next(stream) == 1
    loop.close()
    with pytest.raises(concurrent.futures.CancelledError):
        for _ in stream:
            pass


def test_fifty_times_opened_and_closed_leaves_no_thread(loop: BackgroundLoop):
    before = threading.active_count()
    for _ in range(50):
        assert loop.run(_value) == 'unset'
        loop.close()
        loop.close()
    assert threading.active_count() == before


def test_calls_and_closes_at_the_same_time_never_hang(loop: BackgroundLoop):
    outcomes: list[str] = []

    def call() -> None:
        for _ in range(100):
            try:
                outcomes.append(loop.run(_value))
            except concurrent.futures.CancelledError:
                outcomes.append('cancelled')

    threads = [threading.Thread(target=call, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        loop.close()
    assert len(outcomes) == 400
    assert set(outcomes) <= {'unset', 'cancelled'}


def test_close_if_idle_waits_for_nobody(loop: BackgroundLoop):
    async def closing() -> bool:
        return loop.close_if_idle()

    assert loop.run(closing) is False
    assert loop.run(_value) == 'unset'
    assert loop.close_if_idle() is True


def test_close_from_inside_a_call(loop: BackgroundLoop):
    async def closing() -> None:
        loop.close()
        await asyncio.sleep(60)

    with pytest.raises(concurrent.futures.CancelledError):
        loop.run(closing)
    assert loop.run(_value) == 'unset'


def test_the_package_closes_its_loop_and_the_plugin_too():
    def names() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name.startswith('genkitx-langchain')]

    for _ in range(50):
        assert background.run(_value) == 'unset'
        assert names()
        genkitx_langchain.close()
        assert not names()
    background.run(_value)

    async def app() -> None:
        async with Genkit(plugins=[LangChain()]):
            assert names()

    asyncio.run(app())
    assert not names()


def test_the_clients_of_a_closed_loop_are_closed_in_it(loop: BackgroundLoop):
    seen: list[str] = []

    async def opened() -> str:
        seen.append(threading.current_thread().name)
        return 'client'

    async def closed(_: str) -> None:
        seen.append(threading.current_thread().name)

    clients = PerLoop(opened, closed)
    loop.run(clients.get)
    loop.close()
    assert seen == ['test', 'test']
