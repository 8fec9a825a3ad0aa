# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A filtered search over a vector index returns k rows, at any selectivity, with the nearest among them."""

import asyncio
import dataclasses
import random
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from genkit import Document, GenkitError
from genkitx.filters import parse_filter
from genkitx.stores import Record, SearchRequest, VectorCollection
from genkitx_cloud_sql_pg import (
    Column,
    DistanceStrategy,
    ExactNearestNeighbor,
    HNSWIndex,
    HNSWQueryOptions,
    IVFFlatIndex,
    Postgres,
    PostgresEngine,
    PostgresTable,
)

ROWS = 5000
SIZE = 32
K = 10


def clustered(count: int, seed: int) -> list[list[float]]:
    rng = random.Random(seed)
    centres = [[rng.gauss(0, 1) for _ in range(SIZE)] for _ in range(60)]
    rng = random.Random(seed + count)
    return [[x + rng.gauss(0, 0.5) for x in rng.choice(centres)] for _ in range(count)]


QUERIES = clustered(25, 11)


async def fill(engine: PostgresEngine, table: str) -> VectorCollection:
    await engine.init_vectorstore_table(
        table, SIZE, id_column=Column('id', 'TEXT'), json_type='jsonb', text_search='simple'
    )
    rng = random.Random(5)
    vectors = clustered(ROWS, 11)
    found = Postgres([table], engine=engine).collection(table)
    await found.store.upsert(
        [
            Record(f'id{i}', vectors[i], Document.from_text(f'row {i}', {'p': rng.randrange(10_000), 'half': i % 2}))
            for i in range(ROWS)
        ]
    )
    return found


@pytest.fixture(scope='module')
def filled(dsn: str, names: Callable[[], str]) -> str:
    """A table with an HNSW index, which no test changes."""
    name = names()

    async def create() -> None:
        engine = PostgresEngine.from_dsn(dsn)
        await fill(engine, name)
        await engine.apply_vector_index(name, HNSWIndex())
        await engine.aclose()

    asyncio.run(create())
    return name


@pytest.fixture
def collection(engine: PostgresEngine, filled: str) -> VectorCollection:
    """The collection of that table."""
    return Postgres([filled], engine=engine).collection(filled)


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that a connection of the pool runs."""
    seen: list[str] = []
    for name in ('fetch', 'execute', 'fetchrow'):
        original = getattr(asyncpg.Connection, name)

        def record(self: Any, query: str, *arguments: Any, call: Any = original, **options: Any) -> Any:
            seen.append(query)
            return call(self, query, *arguments, **options)

        monkeypatch.setattr(asyncpg.Connection, name, record)
    return seen


async def measure(collection: VectorCollection, condition: Any, **options: Any) -> tuple[float, int]:
    """Returns recall and the fewest rows of a search."""
    hits = total = 0
    fewest = K
    for query in QUERIES:
        exact = {match.id for match in await collection.search(query, k=K, filter=condition, exact=True)}
        found = await collection.search(query, k=K, filter=condition, **options)
        assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)
        hits += len(exact & {match.id for match in found})
        total += len(exact)
        fewest = min(fewest, len(found))
    return hits / total, fewest


@pytest.mark.parametrize('share', [5000, 1000, 300, 100, 30])
async def test_k_rows_at_any_selectivity(collection: VectorCollection, share: int) -> None:
    recall, fewest = await measure(collection, {'p': {'$lt': share}})
    assert fewest == K
    assert recall >= 0.95


async def test_all_rows_that_there_are(collection: VectorCollection) -> None:
    condition = {'p': {'$lt': 8}}
    there = await collection.count(filter=condition)
    assert 0 < there < K
    assert len(await collection.search(QUERIES[0], k=K, filter=condition)) == there
    assert await collection.search(QUERIES[0], k=K, filter={'p': -1}) == []
    assert len(await collection.search(QUERIES[0], k=ROWS + 5)) == ROWS
    assert len(await collection.search(QUERIES[0], k=300)) == 300


async def test_hybrid_too(collection: VectorCollection) -> None:
    found = await collection.search('row 17', k=K, filter={'p': {'$lt': 300}}, mode='text')
    assert len(found) == K
    for share in (5000, 300, 40):
        request = SearchRequest(
            vector=QUERIES[0], text='row', k=K, filter=parse_filter({'p': {'$lt': share}}), mode='hybrid'
        )
        assert len(await collection.store.search(request)) == K


async def test_what_it_costs(collection: VectorCollection, executed: list[str]) -> None:
    await collection.count()
    executed.clear()
    await collection.search(QUERIES[0], k=K)
    # Without a filter: one statement, no transaction.
    assert len(executed) == 1
    executed.clear()
    await collection.search(QUERIES[0], k=K, filter={'half': 1})
    assert [one.split(' ')[0] for one in executed] == ['SELECT', 'BEGIN', 'SELECT', 'COMMIT']
    assert 'TABLESAMPLE' in executed[0]
    assert "hnsw.iterative_scan = 'relaxed_order'" in executed[1]
    executed.clear()
    # What the filter leaves is known now.
    await collection.search(QUERIES[1], k=K, filter={'half': 1})
    assert [one.split(' ')[0] for one in executed] == ['BEGIN', 'SELECT', 'COMMIT']
    executed.clear()
    await collection.search(QUERIES[1], k=K, filter={'p': 3})
    await collection.search(QUERIES[2], k=K, filter={'p': 3})
    # So few rows that all of them are compared: no index, no transaction, one statement.
    assert [one.split(' ')[0] for one in executed] == ['SELECT', 'SELECT', 'SELECT']
    assert ') + 0 AS "closeness" ' in executed[1]


async def test_deleted_rows_do_not_take_places(engine: PostgresEngine, table: str) -> None:
    collection = await fill(engine, table)
    await engine.apply_vector_index(table, HNSWIndex())
    collection.store._known = None
    near = [match.id for match in await collection.search(QUERIES[3], k=120, exact=True)]
    await collection.delete(near[:80])
    found = await collection.search(QUERIES[3], k=K)
    assert [match.id for match in found][:3] == near[80:83]
    assert len(found) == K


async def test_before_iterative_scans(
    collection: VectorCollection, monkeypatch: pytest.MonkeyPatch, executed: list[str]
) -> None:
    # What a server with pgvector 0.7 gets: it has no such settings.
    known = await collection.store._table()
    known.layout = dataclasses.replace(known.layout, pgvector=(0, 7, 4))
    for share in (5000, 1000, 100):
        recall, fewest = await measure(collection, {'p': {'$lt': share}})
        assert fewest == K
        assert recall >= 0.95
    assert len(await collection.search(QUERIES[0], k=700)) == 700
    assert not any('iterative' in one for one in executed)
    assert any('hnsw.ef_search' in one for one in executed)


async def test_ivfflat(engine: PostgresEngine, table: str) -> None:
    collection = await fill(engine, table)
    await engine.apply_vector_index(table, IVFFlatIndex(lists=40))
    collection.store._known = None
    for share in (5000, 100):
        _, fewest = await measure(collection, {'p': {'$lt': share}}, probes=5)
        assert fewest == K
    assert len(await collection.search(QUERIES[0], k=1000, probes=1)) == 1000


async def test_an_index_for_another_distance_is_not_used(collection: VectorCollection, engine: PostgresEngine) -> None:
    name = collection.name.removeprefix('postgres/')
    settings = PostgresTable(name=name, distance_strategy=DistanceStrategy.EUCLIDEAN)
    other = Postgres([settings], engine=engine).collection(name)
    assert (await other.store.layout()).indexes == ()
    assert len(await other.search(QUERIES[0], k=K, filter={'p': {'$lt': 100}})) == K


async def test_a_partitioned_table(engine: PostgresEngine, table: str, sql: Any) -> None:
    await sql.execute(
        f'CREATE TABLE {table} (id TEXT PRIMARY KEY, content TEXT NOT NULL, embedding vector({SIZE}) NOT NULL, metadata JSONB) '
        f'PARTITION BY HASH (id)'
    )
    for i in range(2):
        await sql.execute(f'CREATE TABLE {table}_{i} PARTITION OF {table} FOR VALUES WITH (MODULUS 2, REMAINDER {i})')
    collection = Postgres([table], engine=engine).collection(table)
    vectors = clustered(2000, 11)
    await collection.store.upsert(
        [Record(f'id{i}', vector, Document.from_text(f'row {i}', {'n': i})) for i, vector in enumerate(vectors)]
    )
    await engine.apply_vector_index(table, HNSWIndex())
    collection.store._known = None
    layout = await collection.store.layout()
    assert [index.method for index in layout.indexes] == ['hnsw']
    # Its own size would be nothing, and every sample all of it.
    assert layout.pages > 50
    for condition in (None, {'n': {'$lt': 1000}}, {'n': {'$lt': 20}}):
        assert len(await collection.search(QUERIES[0], k=K, filter=condition)) == K


async def test_a_partial_index_does_not_serve_all_rows(engine: PostgresEngine, table: str) -> None:
    collection = await fill(engine, table)
    index = HNSWIndex(name=f'{table}_part', binary_quantized=True, partial={'half': 1})
    await engine.apply_vector_index(table, index)
    settings = PostgresTable(name=table, index_query_options=HNSWQueryOptions(rescore=1))
    again = Postgres([settings], engine=engine).collection(table)
    for query in QUERIES:
        exact = [match.id for match in await collection.search(query, k=K, exact=True)]
        assert [match.id for match in await again.search(query, k=K)] == exact


async def test_options_of_another_kind_of_index_are_refused(engine: PostgresEngine, table: str) -> None:
    collection = await fill(engine, table)
    query = QUERIES[0]
    # Without an index every row is compared: more than either asks for.
    for options in ({'ef_search': 10}, {'probes': 2}):
        assert len(await collection.search(query, k=5, **options)) == 5
    for index, good, bad in (
        (IVFFlatIndex(name=f'{table}_ivf', lists=10), 'probes', 'ef_search'),
        (HNSWIndex(name=f'{table}_hnsw'), 'ef_search', 'probes'),
    ):
        await engine.apply_vector_index(table, index)
        collection.store._known = None
        assert len(await collection.search(query, k=5, **{good: 10})) == 5
        with pytest.raises(GenkitError, match=bad) as error:
            await collection.search(query, k=5, **{bad: 10})
        assert error.value.status == 'INVALID_ARGUMENT'
        assert len(await collection.search(query, k=5, exact=True, **{bad: 10})) == 5
        await engine.drop_vector_index(index.name)


async def test_an_index_is_dropped_concurrently(engine: PostgresEngine, table: str, executed: list[str]) -> None:
    await engine.init_vectorstore_table(table, 64)
    await engine.apply_vector_index(table, HNSWIndex())
    await engine.apply_vector_index(table, ExactNearestNeighbor(), concurrently=True)
    assert [one.split(' "')[0] for one in executed if 'DROP INDEX' in one] == ['DROP INDEX CONCURRENTLY IF EXISTS']
