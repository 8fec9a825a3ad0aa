# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Searching: recall, scores, filters that are hard on a graph, and answers that belong to the caller."""

import asyncio
import contextlib
import threading
import time

import numpy as np
import pytest
from genkit import Document, Part
from genkitx import evaluate, parse_filter
from genkitx.stores import Record, SearchRequest
from genkitx.testing import strategies
from genkitx_hnsw.filters import Columns
from genkitx_hnsw.pace import SHORT, TOGETHER, Pace


async def search(store, vector, k=10, **options):
    condition = parse_filter(options.pop('filter', None))
    native = {'ef': options.pop('ef')} if 'ef' in options else {}
    return await store.search(
        SearchRequest(vector=np.asarray(vector).tolist(), k=k, filter=condition, native=native, **options)
    )


async def test_recall_on_clustered_vectors(open_index, clustered, records, engine):
    vectors = clustered(20_000, 128)
    queries = clustered(20_000, 128)[::200] + np.float32(0.05)
    store = open_index(engine).store
    await store.upsert(records(vectors))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    exact = np.argsort(-(queries @ unit.T), axis=1)[:, :10]
    hits = 0
    for query, nearest in zip(queries, exact, strict=True):
        found = {match.id for match in await search(store, query)}
        hits += len(found & {f'r{i}' for i in nearest})
    assert hits / exact.size >= 0.95
    # A filter that few records satisfy takes nothing from that.
    for query in queries[:10]:
        found = await search(store, query, filter={'n': {'$lt': 200}})
        best = np.argsort(-(unit[:200] @ query))[:10]
        assert [match.id for match in found] == [f'r{i}' for i in best]


@pytest.mark.parametrize('space', ['cosine', 'ip', 'l2'])
async def test_scores(open_index, engine, space):
    store = open_index(engine, space=space).store
    vectors = {'a': [3.0, 0.0], 'b': [1.0, 1.0], 'c': [-2.0, 0.0]}
    await store.upsert([Record(name, vector, Document.from_text(name)) for name, vector in vectors.items()])
    found = {match.id: match.score for match in await search(store, [2.0, 0.0])}
    expected = {
        'cosine': {'a': 1, 'b': 0.5**0.5, 'c': -1},
        'ip': {'a': 6, 'b': 2, 'c': -4},
        'l2': {'a': 1 / 2, 'b': 1 / 3, 'c': 1 / 17},
    }[space]
    assert found == pytest.approx(expected, abs=1e-5)
    assert list(found) == ['a', 'b', 'c']
    above = await search(store, [2.0, 0.0], min_score=expected['b'] - 1e-4)
    assert [match.id for match in above] == ['a', 'b']
    filtered = await search(store, [2.0, 0.0], filter={'$not': {'x': 1}}, include_vectors=True)
    assert {match.id: match.score for match in filtered} == pytest.approx(expected, abs=1e-5)
    assert filtered[2].vector == pytest.approx([-1, 0] if space == 'cosine' else [-2, 0])


async def test_vectors_of_length_zero(open_index, engine):
    store = open_index(engine).store
    await store.upsert(
        [Record('zero', [0.0, 0.0], Document.from_text('z')), Record('x', [1.0, 0.0], Document.from_text('x'))]
    )
    assert {match.id: match.score for match in await search(store, [1.0, 0.0])} == pytest.approx({'x': 1, 'zero': 0})
    assert [match.score for match in await search(store, [0.0, 0.0])] == pytest.approx([0, 0])


async def test_a_filter_never_costs_matches(open_index, clustered, engine):
    """Also where all that match are far from the query, and after most of the graph died."""
    vectors = clustered(3000, 16)
    query = vectors[0]
    far_first = np.argsort(vectors @ query / np.linalg.norm(vectors, axis=1))
    place = {int(row): rank for rank, row in enumerate(far_first)}
    store = open_index(engine).store
    await store.upsert(
        [Record(f'r{i}', v, Document.from_text(str(i), {'rank': place[i]})) for i, v in enumerate(vectors.tolist())]
    )
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    async def check(alive, recall):
        for share in (3, 40, 600, 1500, 2900):
            matching = [i for i in alive if place[i] < share]
            for k in (1, 10, 50):
                found = await search(store, query, k=k, filter={'rank': {'$lt': share}})
                best = sorted(matching, key=lambda i: -float(unit[i] @ query))[:k]
                assert len(found) == len(best), (share, k)
                kept = {int(match.id[1:]) for match in found}
                assert len(kept & set(best)) >= recall * len(best), (share, k)

    await check(range(3000), 0.9)
    await store.delete(filter=parse_filter({'rank': {'$gte': 1600}}))
    await store.delete(ids=[f'r{i}' for i in range(0, 3000, 3)])
    await check(
        [i for i in range(3000) if i % 3 and place[i] < 1600], 0.5
    )  # A graph's worst case: all around the query is dead.


async def test_k_of_everything(open_index, clustered, records, engine):
    """An engine raises where it reaches fewer than k; the graph of few links over clusters falls apart."""
    store = open_index(engine, m=2, ef_construction=1).store
    vectors = np.concatenate([clustered(400, 8), 100 + clustered(400, 8, seed=1)])
    await store.upsert(records(vectors))
    await store.delete(ids=[f'r{i}' for i in range(0, 800, 2)])
    assert len(await search(store, vectors[0], k=10_000, ef=10)) == 400
    assert len(await search(store, vectors[0], k=400)) == 400


def test_columns_agree_with_the_reference():
    rows = strategies.draw(strategies.metadata(), 80, start=11)
    rows += [{'a': float('nan')}, {'a': 10**400}, {'a': [True, 1, '1', None, ['x']]}, {'a': [1.0]}, {'a': {'b': 1}}]
    rows = [row for row in rows if row.get('a') != 10**400]
    columns = Columns(rows)
    cases = strategies.draw(strategies.filters(), 800, start=12)
    cases += [parse_filter({'a': {'$contains': value}}) for value in (1, True, '1', 1.0, 0)]
    for case in cases:
        assert columns.mask(case, 'x').tolist() == [evaluate(case, row) for row in rows], case.to_dict()


async def test_filters_see_what_was_written_since(open_index, clustered, records):
    store = open_index().store
    vectors = clustered(20, 8)
    await store.upsert(records(vectors, color='red'))
    assert await store.count(filter=parse_filter({'color': 'red'})) == 20
    await store.upsert(records(vectors[:5], color='blue'))
    assert await store.count(filter=parse_filter({'color': 'red'})) == 15
    await store.delete(ids=['r19'])
    assert await store.count(filter=parse_filter({'color': 'red'})) == 14


async def test_answers_belong_to_the_caller(open_index):
    store = open_index().store
    document = Document(
        content=[Part.from_text('a'), Part.from_media('http://x/y.png', 'image/png')], metadata={'list': [1], 'flat': 1}
    )
    await store.upsert([Record('x', [1.0, 2.0], document), Record('y', [1.0, 1.0], Document.from_text('y', {'n': 1}))])
    for _ in range(2):
        for match in await search(store, [1.0, 2.0]):
            assert match.document.metadata in ({'list': [1], 'flat': 1}, {'n': 1})
            assert match.document.content[0].text in ('a', 'y')
            match.document.metadata.get('list', []).append(2)
            match.document.metadata['new'] = 1
            match.document.content[0].text = 'spoiled'
            match.document.content.clear()
    document.metadata['list'].append(3)
    assert (await store.fetch(['x']))[0].document.metadata == {'list': [1], 'flat': 1}


async def test_searches_and_writes_at_the_same_time(open_index, clustered, records, engine):
    store = open_index(engine).store
    vectors = clustered(3000, 16)
    await store.upsert(records(vectors[:500]))
    stop = False

    async def keep_searching():
        number = 0
        while not stop:
            found = await search(store, vectors[number % 500], filter={'n': {'$gte': 0}} if number % 3 == 0 else None)
            assert len(found) == 10
            number += 1
        return number

    searches = [asyncio.create_task(keep_searching()) for _ in range(4)]
    async with store.session():
        for start in range(500, 3000, 250):
            await store.upsert(records(vectors[start : start + 250], start))
            await store.delete(ids=[f'r{i}' for i in range(start, start + 250, 2)])
    stop = True
    assert all(count > 3 for count in await asyncio.gather(*searches))
    assert await store.count() == 500 + 1250


async def test_what_was_replaced_or_deleted_is_not_found_at_once(open_index, clustered, records, engine):
    store = open_index(engine).store
    vectors = clustered(600, 16)
    await store.upsert(records(vectors))
    async with store.session():
        await store.upsert(records(vectors[:300] + 5))  # Replaced, not saved.
        await store.delete(ids=['r599'])
        for number in (7, 299):
            assert (await search(store, vectors[number] + 5, k=1))[0].score == pytest.approx(1, abs=1e-5)
        found = [match.id for match in await search(store, vectors[7], k=700)]
        assert sorted(found) == sorted(f'r{number}' for number in range(599))
    assert await open_index(engine, store.path).store.count() == 599
    assert (await store.describe())['deleted'] == 301


@pytest.fixture
async def searched(open_index, clustered, records, engine, monkeypatch):
    """A store of 200 records and their vectors; its searches are short, however slow the machine is, and let others run."""
    monkeypatch.setattr('genkitx_hnsw.pace.SHORT', 1e9)
    monkeypatch.setattr('genkitx_hnsw.pace.TOGETHER', 0)
    store = open_index(engine).store
    vectors = clustered(200, 16)
    await store.upsert(records(vectors))
    await search(store, vectors[0])
    return store, vectors


async def test_short_searches_that_follow_each_other_let_others_run(searched, monkeypatch):
    store, vectors = searched
    threads = _noting_threads(monkeypatch, type(store), '_search')
    async with _counting_turns() as turns:
        for vector in vectors:
            await search(store, vector)
    assert set(threads) == {threading.main_thread()}
    assert len(turns) >= len(vectors) - 1


async def test_short_searches_that_come_together_wait_in_line_and_let_others_run(searched, monkeypatch):
    store, vectors = searched
    threads = _noting_threads(monkeypatch, type(store), '_search')
    order = []

    async def search_in_order(number):
        found = await search(store, vectors[number], k=1)
        order.append(number)
        return found

    async with _counting_turns() as turns:
        found = await asyncio.gather(*(search_in_order(number) for number in range(200)))
    assert [match.id for (match,) in found] == [f'r{i}' for i in range(200)]
    assert set(threads) == {threading.main_thread()}
    assert order == list(range(200))
    assert len(turns) >= 199
    assert not store._pace._lines


async def test_a_search_that_is_cancelled_in_line_leaves_it(searched):
    store, vectors = searched
    tasks = [asyncio.create_task(search(store, vector, k=1)) for vector in vectors[:20]]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [one[0].id for one in found[1::2]] == [f'r{i}' for i in range(1, 20, 2)]
    assert sum(isinstance(one, asyncio.CancelledError) for one in found) >= 9
    assert not store._pace._lines


async def test_searches_that_became_long_leave_the_line_for_threads(searched, monkeypatch):
    store, vectors = searched
    threads = _noting_threads(monkeypatch, type(store), '_search')
    tasks = [asyncio.create_task(search(store, vector, k=1)) for vector in vectors[:20]]
    await asyncio.sleep(0)
    monkeypatch.setattr('genkitx_hnsw.pace.SHORT', 0)
    assert [match.id for (match,) in await asyncio.gather(*tasks)] == [f'r{i}' for i in range(20)]
    # The one that ran at once, and the one that showed how long they take now.
    assert threads.count(threading.main_thread()) == 2


def _note(pace, seconds, *, on_loop=True):
    pace.note(pace.begin(on_loop=on_loop) - seconds, 64, 10, on_loop=on_loop)


@pytest.mark.parametrize('on_loop', [True, False])
def test_only_short_searches_are_foreseen_as_short(on_loop):
    pace = Pace()
    assert not pace.is_short(64, 1)  # Nobody knows yet.
    _note(pace, SHORT / 2.2, on_loop=on_loop)
    assert pace.is_short(64, 10)
    assert pace.is_short(128, 20)
    assert not pace.is_short(200, 10)
    assert not pace.is_short(64, 24)
    _note(pace, SHORT * 1.5, on_loop=on_loop)
    assert not pace.is_short(64, 1)


def test_searches_that_take_much_longer_than_foreseen_hold_the_loop_for_a_twentieth_of_the_time():
    pace = Pace()
    _note(pace, SHORT / 10)
    _note(pace, 0.01)  # As on a disk that is slow to answer.
    _note(pace, SHORT / 10, on_loop=False)
    assert not pace.is_short(64, 1)
    time.sleep(0.21)
    assert pace.is_short(64, 1)
    _note(pace, 0.01, on_loop=False)
    _note(pace, SHORT / 10, on_loop=False)
    assert pace.is_short(64, 1)


def test_short_searches_keep_the_loop_for_a_time_together():
    pace = Pace()
    _note(pace, TOGETHER / 2)
    _note(pace, TOGETHER, on_loop=False)
    assert not pace.others_turn
    _note(pace, TOGETHER / 2)
    assert pace.others_turn
    asyncio.run(pace.turn())
    assert not pace.others_turn


async def test_a_search_waits_for_a_writer_beside_the_event_loop(searched, records, monkeypatch):
    store, vectors = searched
    writing, written = threading.Event(), threading.Event()
    graph = type(store._state[0]._engine)
    add = graph.add

    def add_slowly(self, *arguments):
        writing.set()
        assert written.wait(30)
        add(self, *arguments)

    monkeypatch.setattr(graph, 'add', add_slowly)
    async with store.session():
        write = asyncio.create_task(store.upsert(records(vectors[:1] + 1, 1000)))
        await asyncio.to_thread(writing.wait, 30)
        waiting = asyncio.create_task(search(store, vectors[0] + 1, k=1))
        await asyncio.sleep(0.05)  # The event loop goes on, else nobody lets the writer go on.
        assert not waiting.done()
        written.set()
        await write
        assert [match.id for match in await waiting] == ['r1000']


async def test_a_short_search_does_not_wait_for_a_long_one_on_the_event_loop(searched, engine, monkeypatch):
    store, vectors = searched
    # The engine takes its time for a filtered search, which a thread runs.
    graph = store._state[0]._engine._index
    name = 'query' if engine == 'voyager' else 'knn_query'
    method = getattr(graph, name)
    searching, end = threading.Event(), threading.Event()

    class Slow:
        def __getattr__(self, attribute):
            return getattr(graph, attribute)

    def slowly(*arguments, **options):
        if threading.current_thread() is not threading.main_thread() and not searching.is_set():
            searching.set()
            assert end.wait(30)
        return method(*arguments, **options)

    slow = Slow()
    setattr(slow, name, slowly)
    monkeypatch.setattr(store._state[0]._engine, '_index', slow)
    long = asyncio.create_task(search(store, vectors[0], k=1, filter={'n': {'$lt': 150}}))
    await asyncio.to_thread(searching.wait, 30)
    short = asyncio.create_task(search(store, vectors[7], k=1))
    await asyncio.sleep(0.05)  # The event loop goes on, else nobody lets the long one end.
    end.set()
    assert [match.id for match in await short] == ['r7']
    assert [match.id for match in await long] == ['r0']


async def test_what_cannot_be_reached_is_found_beside_the_event_loop(searched, monkeypatch):
    store, vectors = searched
    monkeypatch.setattr(type(store._state[0]._engine), 'query', lambda *_, **__: None)
    threads = _noting_threads(monkeypatch, type(store._state[0]), '_exact')
    assert [match.id for match in await search(store, vectors[7], k=1)] == ['r7']
    assert threads
    assert threading.main_thread() not in threads


def _noting_threads(monkeypatch, owner, name):
    """Returns a list that gets the thread of each call of a method."""
    threads = []
    method = getattr(owner, name)

    def noting(*arguments, **options):
        threads.append(threading.current_thread())
        return method(*arguments, **options)

    monkeypatch.setattr(owner, name, noting)
    return threads


@contextlib.asynccontextmanager
async def _counting_turns():
    """Gives a list that grows by one with each turn of the event loop."""
    turns = []

    async def count():
        while True:
            turns.append(None)
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    yield turns
    counting.cancel()
