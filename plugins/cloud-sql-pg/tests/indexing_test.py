# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Writing rows: ids by column type, batches that are whole or not at all, copying, columns, foreign pools."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from genkit import Document, GenkitError
from genkitx.retrieval import document_id, document_to_dict
from genkitx.stores import Record
from genkitx.testing import HashEmbedder
from genkitx.testing.stores import texts
from genkitx_cloud_sql_pg import Column, Postgres, PostgresEngine, PostgresTable


def records(count: int, *, start: int = 0, size: int = 64) -> list[Record]:
    embed = HashEmbedder(size).embed
    return [
        Record(f'id{i:05}', embed(f'text {i}'), Document.from_text(f'text {i}', {'n': i}))
        for i in range(start, start + count)
    ]


async def test_content_hashes_are_uuids(open_table: Callable[..., Any]) -> None:
    collection = await open_table(id_column='id')
    documents = texts(3)
    report = await collection.add(documents)
    assert report.ids == [document_id(one) for one in documents]
    assert [one and one.text for one in await collection.get(report.ids)] == [one.text for one in documents]
    found = await collection.search('river number 1', k=1)
    assert found[0].id.replace('-', '') == report.ids[1]
    assert [one and one.text for one in await collection.get([found[0].id])] == [documents[1].text]
    again = await collection.add(texts(4), on_conflict='skip')
    assert (again.written, again.skipped) == (1, 3)
    await collection.delete([report.ids[0], found[0].id, 'no uuid'])
    assert await collection.count() == 2


async def test_other_ids_are_refused_by_a_uuid_column(open_table: Callable[..., Any]) -> None:
    collection = await open_table(id_column='id')
    report = await collection.add(texts(2), ids=['doc-1', '00000000-0000-0000-0000-000000000001'])
    assert [(one.id, one.status) for one in report.failed] == [('doc-1', 'INVALID_ARGUMENT')]
    assert "Column('id', 'TEXT')" in report.failed[0].error
    assert report.written == 1


async def test_integer_ids(open_table: Callable[..., Any]) -> None:
    collection = await open_table(id_column=Column('id', 'INTEGER'))
    report = await collection.add(texts(4), ids=['7', '-3', '007', str(2**31)])
    assert [one.id for one in report.failed] == ['007', str(2**31)]
    assert [one is None for one in await collection.get(['7', '-3', '007', 'x'])] == [False, False, True, True]


async def test_a_batch_is_written_whole_or_not_at_all(open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    for position in (0, 250, 499):
        batch = records(500)
        batch[position] = Record('bad', batch[position].vector, Document.from_text('nul \0'))
        with pytest.raises(GenkitError, match='bad') as error:
            await collection.store.upsert(batch)
        assert error.value.status == 'INVALID_ARGUMENT'
        assert await collection.count() == 0
    # Now with rows, so that nothing is copied: the error shows up while rows are on their way.
    await collection.store.upsert(records(1, start=9000))
    batch = [*records(500), Record('zzz', [1.0] * 63, Document.from_text('short'))]
    with pytest.raises(GenkitError, match='64') as error:
        await collection.store.upsert(batch)
    assert error.value.status == 'INVALID_ARGUMENT'
    assert await collection.count() == 1


async def test_one_bad_document_fails_alone(open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    documents = texts(60)
    documents[17] = Document.from_text('nul \0 in text')
    documents[33] = Document.from_text('nul in metadata', {'deep': [{'key\0': 1}]})
    documents[44] = Document.from_text('lone surrogate', {'s': '\ud800'})
    report = await collection.add(documents)
    assert [(one.position, one.status) for one in report.failed] == [(i, 'INVALID_ARGUMENT') for i in (17, 33, 44)]
    assert await collection.count() == report.written == 57


async def test_a_backslash_is_no_nul(open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    document = Document.from_text('\\u0000', {'a': '\\u0000', 'b': '\\\\u0000 \\'})
    await collection.add([document], ids=['x'])
    assert [document_to_dict(one) for one in await collection.get(['x']) if one] == [document_to_dict(document)]


async def test_loads_into_an_empty_table_are_copied(
    open_table: Callable[..., Any], sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = await open_table(metadata_columns=[Column('n', 'BIGINT'), Column('even', 'BOOLEAN')])
    copied: list[str] = []
    upserted: list[str] = []
    copy, many = asyncpg.Connection.copy_records_to_table, asyncpg.Connection.executemany

    async def count_copy(self: Any, name: str, **options: Any) -> Any:
        copied.append(name)
        return await copy(self, name, **options)

    async def count_many(self: Any, query: str, args: Any, **options: Any) -> Any:
        upserted.append(query)
        return await many(self, query, args, **options)

    monkeypatch.setattr(asyncpg.Connection, 'copy_records_to_table', count_copy)
    monkeypatch.setattr(asyncpg.Connection, 'executemany', count_many)
    report = await collection.add(texts(250), batch_size=100)
    assert (report.written, len(copied), upserted) == (250, 3, [])
    # The first id that is there already ends the copying; its batch is written by upsert.
    report = await collection.add([*texts(250, 'mountain'), *texts(1)], batch_size=100)
    assert (report.failed, report.written) == ([], 251)
    assert upserted
    copied.clear()
    await collection.add(texts(10, 'garden'))
    assert copied == []
    name = collection.name.removeprefix('postgres/')
    rows = await sql.fetch(f'SELECT n, even, json_metadata FROM {name}')
    assert len(rows) == 510
    assert all(json.loads(row['json_metadata']) == {'n': row['n'], 'even': row['even']} for row in rows)


async def test_writers_of_the_same_ids_do_not_lock_each_other_out(open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    await collection.store.upsert(records(1))
    batch = records(300)
    await asyncio.gather(*(collection.store.upsert(batch[::step]) for step in (1, -1, 1, -1, 1, -1)))
    assert await collection.count() == 300


async def test_metadata_that_does_not_fit_its_column(open_table: Callable[..., Any]) -> None:
    columns = [Column('n', 'SMALLINT'), Column('t', 'VARCHAR(5)'), Column('b', 'BOOLEAN'), Column('d', 'DATE')]
    collection = await open_table(metadata_columns=columns)
    fits = [{'n': 1, 't': 'abcde', 'b': True, 'd': '2026-01-31'}, {'n': 2.0, 't': None}, {}]
    wrong = [
        {'n': 1.5},
        {'n': 40000},
        {'n': '1'},
        {'n': True},
        {'t': 'abcdef'},
        {'t': 5},
        {'b': 1},
        {'d': 'soon'},
        {'d': [1]},
    ]
    documents = [Document.from_text(f'{i}', one) for i, one in enumerate([*fits, *wrong])]
    report = await collection.add(documents)
    assert [one.position for one in report.failed] == list(range(len(fits), len(documents)))
    assert {one.status for one in report.failed} == {'INVALID_ARGUMENT'}
    assert report.written == len(fits)
    found = [one and one.metadata for one in await collection.get(report.ids)]
    assert found == [fits[0], fits[1], {}]


async def test_a_required_column(open_table: Callable[..., Any]) -> None:
    collection = await open_table(metadata_columns=[Column('tenant', 'TEXT', nullable=False)])
    report = await collection.add([Document.from_text('a', {'tenant': 't'}), Document.from_text('b')])
    assert [(one.position, one.status) for one in report.failed] == [(1, 'INVALID_ARGUMENT')]


async def test_without_a_json_column_nothing_is_lost_silently(open_table: Callable[..., Any]) -> None:
    collection = await open_table(store_metadata=False, metadata_columns=[Column('kind', 'TEXT')])
    documents = [
        Document.from_text('a', {'kind': 'x'}),
        Document.from_text('b', {'kind': 'x', 'other': 1}),
        Document.from_media('https://example.com/a.png'),
    ]
    report = await collection.add(documents, ids=['a', 'b', 'c'])
    assert [(one.id, one.status) for one in report.failed] == [('b', 'INVALID_ARGUMENT'), ('c', 'INVALID_ARGUMENT')]
    assert "'other'" in report.failed[0].error
    assert [one and one.metadata for one in await collection.get(['a'])] == [{'kind': 'x'}]
    assert await collection.count(filter={'other': {'$exists': False}}) == 1


@pytest.mark.parametrize('vector_type', ['vector', 'halfvec'])
async def test_an_asyncpg_pool(
    dsn: str, engine: PostgresEngine, table: str, embedder: HashEmbedder, vector_type: Any
) -> None:
    await engine.init_vectorstore_table(table, 64, id_column=Column('id', 'TEXT'), vector_type=vector_type)

    async def as_dicts(connection: Any) -> None:
        # A pool's owner may decode JSON on its connections; ours must not mind.
        await connection.set_type_codec('json', schema='pg_catalog', encoder=json.dumps, decoder=json.loads)

    async with asyncpg.create_pool(dsn, min_size=0, init=as_dicts) as pool:
        plugin = Postgres([table], engine=PostgresEngine.from_pool(pool), embedder=embedder)
        collection = plugin.collection(table)
        await collection.add(texts(30))
        await collection.add(texts(30), on_conflict='skip')
        found = await collection.search('river number 7', k=3, filter={'even': False}, mmr={'fetch_k': 10})
        assert found[0].document.metadata == {'n': 7, 'even': False}
        await plugin.aclose()
        assert await pool.fetchval('SELECT 1') == 1

    def elsewhere() -> None:
        with pytest.raises(GenkitError, match='from_dsn') as error:
            asyncio.run(collection.count())
        assert error.value.status == 'FAILED_PRECONDITION'

    await asyncio.to_thread(elsewhere)


async def test_an_extension_outside_the_search_path(dsn: str, sql: Any, embedder: HashEmbedder) -> None:
    name = 'genkitx_test_extension_elsewhere'
    await sql.execute(f'DROP DATABASE IF EXISTS {name}')
    await sql.execute(f'CREATE DATABASE {name}')
    target = await asyncpg.connect(dsn, database=name)
    await target.execute('CREATE SCHEMA "Odd ext"')
    await target.execute('CREATE EXTENSION vector SCHEMA "Odd ext"')
    await target.close()
    engine = PostgresEngine.from_dsn(dsn, database=name)
    try:
        await engine.init_vectorstore_table('docs', 64, id_column=Column('id', 'TEXT'))
        from genkitx_cloud_sql_pg import HNSWIndex

        await engine.apply_vector_index('docs', HNSWIndex())
        collection = Postgres([PostgresTable(name='docs')], engine=engine, embedder=embedder).collection('docs')
        await collection.add(texts(20))
        await collection.add(texts(20))
        assert len(await collection.search('river', k=5, filter={'even': True}, mode='hybrid')) == 5
        assert len(await collection.search('river', k=5)) == 5
    finally:
        await engine.aclose()
        await sql.execute(f'DROP DATABASE {name}')


async def test_characters_of_fixed_length_come_back_without_padding(open_table: Callable[..., Any]) -> None:
    from genkitx.filters import Comparison, evaluate

    for with_json in (True, False):
        collection = await open_table(metadata_columns=[Column('c', 'CHAR(4)')], store_metadata=with_json)
        rows = [{'c': one} for one in ('', 'ab', 'abcd', 'b', ' a')]
        ids = [str(i) for i in range(len(rows))]
        assert (await collection.add([Document.from_text('x', row) for row in rows], ids=ids)).failed == []
        found = {record.id: record.document.metadata or {} for record in await collection.store.fetch(ids)}
        assert [found[one] for one in ids] == rows
        for value in ('', 'ab', 'abcd', 'b', ' a', 'ab  ', 'a'):
            for op in ('$eq', '$ne', '$gt', '$gte', '$lt', '$lte'):
                case = Comparison(('c',), op, value)  # type: ignore[arg-type]
                matches = await collection.search('x', k=9, filter=case)
                assert {one.id for one in matches} == {one for one in ids if evaluate(case, found[one])}, case
        # Its end would be lost.
        report = await collection.add([Document.from_text('x', {'c': 'ab '})], ids=['spaces'])
        assert {one.status for one in report.failed} == {'INVALID_ARGUMENT'}


@pytest.mark.parametrize('data_type', ['DOUBLE PRECISION', 'REAL', 'NUMERIC', 'BIGINT'])
async def test_not_a_number_is_refused(open_table: Callable[..., Any], data_type: str) -> None:
    collection = await open_table(metadata_columns=[Column('n', data_type)], store_metadata=False)
    for _ in range(2):
        report = await collection.add(
            [Document.from_text('a', {'n': 1}), Document.from_text('b', {'n': float('nan')})], ids=['a', 'b']
        )
        assert {one.status for one in report.failed} == {'INVALID_ARGUMENT'}
        assert await collection.get(['b']) == [None]
