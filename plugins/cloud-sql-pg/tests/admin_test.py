# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Tables and indexes: what is created is what was asked for."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any

import pytest
from genkit import Document, GenkitError
from genkitx.stores import Record
from genkitx.testing import HashEmbedder
from genkitx.testing.stores import texts
from genkitx_cloud_sql_pg import (
    Column,
    DistanceStrategy,
    ExactNearestNeighbor,
    HNSWIndex,
    HNSWQueryOptions,
    IVFFlatIndex,
    IVFFlatQueryOptions,
    Postgres,
    PostgresEngine,
    PostgresTable,
)


async def definition(sql: Any, index: str) -> str:
    return await sql.fetchval('SELECT indexdef FROM pg_indexes WHERE indexname = $1', index)


async def columns(sql: Any, table: str) -> list[tuple[str, str, bool]]:
    rows = await sql.fetch(
        'SELECT attname, format_type(atttypid, atttypmod) AS type, attnotnull FROM pg_attribute '
        'WHERE attrelid = $1::text::regclass AND attnum > 0 ORDER BY attnum',
        f'"{table}"',
    )
    return [tuple(row) for row in rows]


async def test_every_parameter_of_a_table(engine: PostgresEngine, sql: Any, table: str) -> None:
    await sql.execute('CREATE SCHEMA IF NOT EXISTS "Odd schema"')
    await engine.init_vectorstore_table(
        table,
        16,
        schema_name='Odd schema',
        content_column='My content',
        embedding_column='vec',
        metadata_columns=[
            Column('a', 'varchar(20)', nullable=False),
            Column('b', 'double precision[]'),
            Column('c', 'TIMESTAMPTZ'),
            Column('d', 'numeric(10, 2)'),
        ],
        metadata_json_column='meta',
        id_column=Column('key', 'TEXT'),
        vector_type='halfvec',
        json_type='jsonb',
        text_search='english',
    )
    rows = await sql.fetch(
        'SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute '
        'WHERE attrelid = $1::text::regclass AND attnum > 0 ORDER BY attnum',
        f'"Odd schema"."{table}"',
    )
    assert [tuple(row) for row in rows] == [
        ('key', 'text', True),
        ('My content', 'text', True),
        ('vec', 'halfvec(16)', True),
        ('a', 'character varying(20)', True),
        ('b', 'double precision[]', False),
        ('c', 'timestamp with time zone', False),
        ('d', 'numeric(10,2)', False),
        ('meta', 'jsonb', False),
        ('My content_tsv', 'tsvector', False),
    ]
    layout = await engine.describe_vectorstore_table(
        table, schema_name='Odd schema', content_column='My content', embedding_column='vec'
    )
    assert (layout.dimension, layout.vector_type, layout.text_config, layout.id.name) == (
        16,
        'halfvec',
        'english',
        'key',
    )
    assert layout.metadata_json is None or layout.metadata_json.name == 'meta'
    await engine.drop_vectorstore_table(table, schema_name='Odd schema')
    await engine.drop_vectorstore_table(table, schema_name='Odd schema')
    await sql.execute('DROP SCHEMA "Odd schema"')


async def test_an_existing_table_stays_unless_overwritten(
    engine: PostgresEngine, embedder: HashEmbedder, table: str
) -> None:
    await engine.init_vectorstore_table(table, 64)
    collection = Postgres([table], engine=engine, embedder=embedder).collection(table)
    await collection.add(texts(2))
    with pytest.raises(GenkitError) as error:
        await engine.init_vectorstore_table(table, 64)
    assert error.value.status == 'ALREADY_EXISTS'
    assert await collection.count() == 2
    await engine.init_vectorstore_table(table, 64, overwrite_existing=True)
    assert await collection.count() == 0


WANTED: dict[str, Any] = {
    'id_column': Column('id', 'TEXT'),
    'metadata_columns': [
        Column('price', 'numeric(10, 2)', nullable=False),
        Column('tags', 'VARCHAR(20)[]'),
        Column('c', 'char'),
    ],
    'text_search': 'english',
    'exist_ok': True,
}


async def test_a_table_that_exists_as_wanted_stays(engine: PostgresEngine, sql: Any, table: str) -> None:
    await engine.init_vectorstore_table(table, 8, **WANTED)
    await sql.execute(f'ALTER TABLE "{table}" ADD COLUMN made TIMESTAMPTZ NOT NULL DEFAULT now(), ADD COLUMN note TEXT')
    before = await columns(sql, table)
    for _ in range(2):
        await engine.init_vectorstore_table(table, 8, **WANTED)
    assert await columns(sql, table) == before
    await engine.init_vectorstore_table(table, 8, **WANTED, overwrite_existing=True)
    assert await columns(sql, table) == [one for one in before if one[0] not in ('made', 'note')]


@pytest.mark.parametrize(
    ('size', 'change', 'problem'),
    [
        (9, {}, r'embedding is vector\(8\) NOT NULL, wanted vector\(9\) NOT NULL'),
        (8, {'vector_type': 'halfvec'}, r'wanted halfvec\(8\)'),
        (8, {'id_column': 'id'}, 'id is text NOT NULL, wanted uuid NOT NULL'),
        (8, {'json_type': 'jsonb'}, 'json_metadata is json, wanted jsonb'),
        (8, {'metadata_json_column': 'meta'}, 'columns: meta is missing'),
        (8, {'text_search': 'german'}, 'content_tsv is .*english.*, wanted .*german'),
        (8, {'metadata_columns': [Column('price', 'numeric(10, 2)')]}, 'price is .* NOT NULL, wanted numeric'),
        (8, {'metadata_columns': [Column('new', 'INT')]}, 'new is missing; price is NOT NULL and not wanted'),
    ],
)
async def test_a_table_that_exists_otherwise(
    engine: PostgresEngine, sql: Any, table: str, size: int, change: dict[str, Any], problem: str
) -> None:
    await engine.init_vectorstore_table(table, 8, **WANTED)
    before = await columns(sql, table)
    with pytest.raises(GenkitError, match=problem) as error:
        await engine.init_vectorstore_table(table, size, **{**WANTED, **change})
    assert error.value.status == 'FAILED_PRECONDITION'
    assert await columns(sql, table) == before


async def test_a_table_without_a_key_is_another(engine: PostgresEngine, sql: Any, table: str) -> None:
    await engine.init_vectorstore_table(table, 8, **WANTED)
    await sql.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_pkey", ALTER COLUMN id SET NOT NULL')
    with pytest.raises(GenkitError, match='id is not unique'):
        await engine.init_vectorstore_table(table, 8, **WANTED)


async def test_one_table_wanted_by_many_at_once(engine: PostgresEngine, sql: Any, table: str) -> None:
    await sql.execute('CREATE EXTENSION IF NOT EXISTS vector')  # Creating it would put them in a row.
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(30) if hasattr(asyncio, 'timeout') else contextlib.nullcontext():
        async with sql.transaction():
            await sql.execute('LOCK TABLE pg_class IN SHARE MODE')  # Nobody can create one until all have looked.
            calls = [asyncio.create_task(engine.init_vectorstore_table(table, 8, **WANTED)) for _ in range(3)]
            while await sql.fetchval(waiting) < len(calls):
                await sql.execute('SELECT pg_stat_clear_snapshot()')
                await asyncio.sleep(0.01)
        await asyncio.gather(*calls)
    assert len(await columns(sql, table)) == 8


async def test_a_table_that_cannot_be_made_replaces_nothing(engine: PostgresEngine, sql: Any, table: str) -> None:
    await engine.init_vectorstore_table(table, 64)
    before = await columns(sql, table)
    for wrong in (
        {'metadata_columns': [Column('a', 'no such type')]},
        {'metadata_columns': [Column('content', 'TEXT')]},
        {'metadata_json_column': 'id'},
        {'text_search': 'klingon'},
        {'vector_type': 'bit'},
    ):
        with pytest.raises(GenkitError) as error:
            await engine.init_vectorstore_table(table, 64, overwrite_existing=True, **wrong)
        assert error.value.status == 'INVALID_ARGUMENT'
    for size in (0, 16_001, True, '64'):
        with pytest.raises(GenkitError, match='vector_size'):
            await engine.init_vectorstore_table(table, size, overwrite_existing=True)  # type: ignore[arg-type]
    assert await columns(sql, table) == before


async def test_tables_at_the_same_time(engine: PostgresEngine, names: Callable[[], str]) -> None:
    await asyncio.gather(*(engine.init_vectorstore_table(names(), 8) for _ in range(6)))


@pytest.mark.parametrize('vector_type', ['vector', 'halfvec'])
@pytest.mark.parametrize('strategy', list(DistanceStrategy))
async def test_the_operator_class_follows_distance_and_type(
    engine: PostgresEngine, sql: Any, table: str, vector_type: Any, strategy: DistanceStrategy
) -> None:
    await engine.init_vectorstore_table(table, 8, vector_type=vector_type)
    await engine.apply_vector_index(table, HNSWIndex(m=8, ef_construction=32, distance_strategy=strategy))
    found = await definition(sql, f'{table}genkitvectorindex')
    assert f'USING hnsw (embedding {vector_type}_{strategy.value}_ops)' in found
    assert "m='8'" in found
    assert "ef_construction='32'" in found
    assert (await engine.describe_vectorstore_table(table, distance_strategy=strategy)).indexes
    other = next(one for one in DistanceStrategy if one is not strategy)
    assert not (await engine.describe_vectorstore_table(table, distance_strategy=other)).indexes


async def test_the_life_of_an_index(engine: PostgresEngine, sql: Any, table: str, embedder: HashEmbedder) -> None:
    await engine.init_vectorstore_table(table, 64)
    collection = Postgres([table], engine=engine, embedder=embedder).collection(table)
    await collection.add(texts(50))
    name = f'{table}genkitvectorindex'
    assert not await engine.is_valid_index(name)
    await engine.apply_vector_index(
        table, IVFFlatIndex(lists=5), maintenance_work_mem='32MB', max_parallel_maintenance_workers=0
    )
    assert "ivfflat (embedding vector_cosine_ops) WITH (lists='5')" in await definition(sql, name)
    with pytest.raises(GenkitError) as error:
        await engine.apply_vector_index(table, HNSWIndex())
    assert error.value.status == 'ALREADY_EXISTS'
    await engine.reindex(table_name=table)
    await engine.apply_vector_index(table, ExactNearestNeighbor())
    assert not await engine.is_valid_index(name)
    await engine.apply_vector_index(table, HNSWIndex(), concurrently=True, maintenance_work_mem='32MB')
    assert await engine.is_valid_index(name)
    await engine.reindex(name, concurrently=True)
    await engine.drop_vector_index(name, concurrently=True)
    await engine.drop_vector_index(table_name=table)
    assert not await engine.is_valid_index(name)
    for call in (engine.drop_vector_index(), engine.reindex()):
        with pytest.raises(GenkitError, match='Index name or Table name are not provided'):
            await call
    async with engine.connection() as connection:
        own = await connection.fetchval(
            "SELECT setting = reset_val FROM pg_settings WHERE name = 'maintenance_work_mem'"
        )
        assert own


async def test_a_failed_concurrent_build_leaves_nothing(engine: PostgresEngine, sql: Any, table: str) -> None:
    await engine.init_vectorstore_table(table, 2500)
    with pytest.raises(GenkitError) as error:
        await engine.apply_vector_index(table, HNSWIndex(), concurrently=True)
    assert error.value.status == 'INVALID_ARGUMENT'
    assert 'halfvec' in str(error.value)
    assert await definition(sql, f'{table}genkitvectorindex') is None
    with pytest.raises(GenkitError):
        await engine.apply_vector_index(table, HNSWIndex(m=1000))
    assert await definition(sql, f'{table}genkitvectorindex') is None


async def test_names_that_would_be_cut_off(engine: PostgresEngine, sql: Any) -> None:
    long, twin = 'gx' + 'x' * 60, 'gx' + 'x' * 59 + 'y'
    for name in (long, twin):
        await engine.init_vectorstore_table(name, 8, overwrite_existing=True)
        await engine.apply_vector_index(name, HNSWIndex())
    found = await sql.fetch("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'gxx%genkitvectorindex'")
    assert len({row['indexname'] for row in found}) == 2
    for name in (long, twin):
        await engine.drop_vector_index(table_name=name)
        await engine.drop_vectorstore_table(name)


async def test_a_binary_quantised_index(
    engine: PostgresEngine, embedder: HashEmbedder, sql: Any, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncpg

    await engine.init_vectorstore_table(table, 64, id_column=Column('id', 'TEXT'))
    options = HNSWQueryOptions(ef_search=100, rescore=20)
    settings = PostgresTable(name=table, index_query_options=options)
    collection = Postgres([settings], engine=engine, embedder=embedder).collection(table)
    rng = random.Random(1)
    vectors = [[rng.gauss(0, 1) for _ in range(64)] for _ in range(400)]
    await collection.store.upsert(
        [Record(f'{i}', vector, Document.from_text(f'{i}', {'even': i % 2 == 0})) for i, vector in enumerate(vectors)]
    )
    await engine.apply_vector_index(table, HNSWIndex(binary_quantized=True))
    collection.store._known = None
    seen: list[str] = []
    fetch = asyncpg.Connection.fetch

    async def record(self: Any, query: str, *arguments: Any, **more: Any) -> Any:
        seen.append(query)
        if 'binary_quantize' in query:
            plan = await fetch(self, f'EXPLAIN {query}', *arguments)
            seen.extend(row[0] for row in plan)
        return await fetch(self, query, *arguments, **more)

    monkeypatch.setattr(asyncpg.Connection, 'fetch', record)
    await sql.execute(f'ANALYZE "{table}"')
    for near in (17, 250):
        query = [x + rng.gauss(0, 0.3) for x in vectors[near]]
        exact = await collection.search(query, k=10, exact=True)
        found = await collection.search(query, k=10)
        assert (found[0].id, len(found)) == (str(near), 10)
        # Ranked again by the vectors: scores are exact, whatever the bits say.
        scores = {match.id: match.score for match in exact}
        assert all(scores.get(match.id, match.score) == pytest.approx(match.score) for match in found)
        assert len(scores.keys() & {match.id for match in found}) >= 7
        filtered = await collection.search(query, k=10, filter={'even': True})
        assert len(filtered) == 10
        assert all(match.document.metadata['even'] for match in filtered)
    assert any('genkitvectorindex' in one for one in seen)


async def test_ivfflat_query_options(engine: PostgresEngine, embedder: HashEmbedder, table: str) -> None:
    await engine.init_vectorstore_table(table, 64, id_column=Column('id', 'TEXT'))
    settings = PostgresTable(name=table, index_query_options=IVFFlatQueryOptions(probes=20))
    collection = Postgres([settings], engine=engine, embedder=embedder).collection(table)
    await collection.add(texts(500))
    await engine.apply_vector_index(table, IVFFlatIndex(lists=20))
    collection.store._known = None
    exact = [match.id for match in await collection.search('river number 17', k=10, exact=True)]
    assert [match.id for match in await collection.search('river number 17', k=10)] == exact
    # One list of twenty cannot hold what is asked for: the scan goes on to the next.
    assert len(await collection.search('river number 17', k=300, probes=1)) == 300
    assert len(await collection.search('river', k=100, probes=1, filter={'even': False})) == 100
