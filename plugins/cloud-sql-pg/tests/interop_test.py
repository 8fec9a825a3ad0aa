# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of the JS plugin read here, and tables written here as the JS plugin has them; tables of Go and LangChain read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from genkit import Document
from genkitx.retrieval import document_from_dict, document_to_dict
from genkitx.testing import HashEmbedder
from genkitx_cloud_sql_pg import Column, Postgres, PostgresEngine, PostgresTable

GOLDEN = Path(__file__).parent / 'golden'
JS = json.loads((GOLDEN / 'js_tables.json').read_text(encoding='utf-8'))
DOCUMENTS = json.loads((GOLDEN / 'documents.json').read_text(encoding='utf-8'))
META_COLUMNS = [Column('kind', 'TEXT'), Column('page', 'INTEGER')]


async def create_as_js(sql: Any, step: str, table: str, name: str) -> None:
    """Runs the statements that the JS plugin ran, and fills in the rows that it wrote."""
    for one in JS['steps'][step]['sql']:
        await sql.execute(one['sql'].replace(f'"{table}"', f'"{name}"'))
    columns = [one['column_name'] for one in JS['tables'][table]['columns']]
    types = {one['column_name']: one['udt_name'] for one in JS['tables'][table]['columns']}
    values = ', '.join(f'${i}::text::{types[column]}' for i, column in enumerate(columns, 1))
    for row in JS['tables'][table]['rows']:
        cells = [json.dumps(row[c]) if types[c] == 'json' else None if row[c] is None else str(row[c]) for c in columns]
        await sql.execute(f'INSERT INTO "{name}" ({", ".join(columns)}) VALUES ({values})', *cells)


async def read_columns(sql: Any, name: str) -> list[dict[str, Any]]:
    rows = await sql.fetch(
        'SELECT column_name, data_type, udt_name, is_nullable FROM information_schema.columns WHERE table_name = $1 '
        'ORDER BY ordinal_position',
        name,
    )
    return [dict(row) for row in rows]


async def read_rows(sql: Any, name: str, columns: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    names = [one['column_name'] for one in columns]
    rows = await sql.fetch(f'SELECT {", ".join(f"{one}::text" for one in names)} FROM "{name}"')
    found = [dict(zip(names, row, strict=True)) for row in rows]
    for row in found:
        for one in columns:
            value = row[one['column_name']]
            if value is not None and one['udt_name'] in ('json', 'int4', 'vector'):
                row[one['column_name']] = json.loads(value)
    return {row[key]: row for row in found}


def expected_rows(table: str, key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: {**row, 'embedding': json.loads(row['embedding'])} for row in JS['tables'][table]['rows']}


async def test_a_js_table_is_read(engine: PostgresEngine, sql: Any, embedder: HashEmbedder, table: str) -> None:
    await create_as_js(sql, 'init_meta_table', 'g_meta', table)
    settings = PostgresTable(name=table, id_column='doc_id', metadata_columns=['kind', 'page'])
    collection = Postgres([settings], engine=engine, embedder=embedder).collection(table)
    assert JS['retrieved']
    for step, expected in JS['retrieved'].items():
        query = step.removeprefix('retrieve_meta_k3 ')
        found = await collection.search(query, k=3)
        # JS adds a null for every empty metadata column; a document without the key stays without it here.
        wanted = [
            {**one, 'metadata': {k: v for k, v in one['metadata'].items() if v is not None or k == 'none'}}
            for one in expected
        ]
        assert [document_to_dict(match.document) for match in found] == wanted
    filtered = await collection.search('fox', k=9, filter={'kind': 'batch'})
    assert {match.id for match in filtered} == {f'bt-{i}' for i in range(5)}
    assert [m.id for m in await collection.search('fox', k=9, filter={'source.page': 3})] == ['m-1']


async def test_a_js_table_with_all_defaults_is_read(
    engine: PostgresEngine, sql: Any, embedder: HashEmbedder, table: str
) -> None:
    await create_as_js(sql, 'init_default_table', 'g_default', table)
    collection = Postgres([table], engine=engine, embedder=embedder).collection(table)
    found = await collection.search('quick fox and dog', k=1)
    assert found[0].document.text == 'The quick brown fox jumps over the lazy dog.'
    assert found[0].document.metadata == JS['tables']['g_default']['rows'][0]['json_metadata']
    assert await collection.count() == 8
    rows = {row['id']: row for row in JS['tables']['g_default']['rows']}
    documents = await collection.get(list(rows))
    assert [one and one.text for one in documents] == [row['content'] for row in rows.values()]
    # A medium's URL was never stored by the JS plugin: what is left is a document without text.
    assert await collection.count(filter={'kind': 'media'}) == 1


async def test_a_table_of_ours_is_the_js_table(
    engine: PostgresEngine, sql: Any, embedder: HashEmbedder, table: str
) -> None:
    await engine.init_vectorstore_table(table, 64)
    assert await read_columns(sql, table) == JS['tables']['g_default']['columns']
    ids = [f'00000000-0000-0000-0000-00000000000{i}' for i in range(1, 6)]
    documents = [
        document_from_dict({**one, 'metadata': {**one['metadata'], 'id': ids[i]}})
        for i, one in enumerate(DOCUMENTS['golden_docs'])
    ]
    extra = [document_from_dict(DOCUMENTS['extra_docs'][0]), document_from_dict(DOCUMENTS['golden_docs'][2])]
    generated = ['5183e8d9-ccad-47f5-8782-c75b8af5378c', 'b8e853e6-b42e-425e-9418-be42ffc3e590']
    settings = PostgresTable(name=table, lossless=False)
    collection = Postgres([settings], engine=engine, embedder=embedder).collection(table)
    report = await collection.add([*documents, *extra], ids=[*ids, *generated])
    assert report.failed == []
    expected = expected_rows('g_default', 'id')
    media = next(one for one, row in expected.items() if row['content'] == '')
    del expected[media]
    written = await read_rows(sql, table, JS['tables']['g_default']['columns'], 'id')
    # JS embeds the joined text of a document of several parts; here the embedder gets the parts.
    parts = '00000000-0000-0000-0000-000000000004'
    assert expected[parts].pop('embedding') == pytest.approx(embedder.embed(expected[parts]['content']), abs=1e-7)
    del written[parts]['embedding']
    assert written == expected
    # Key order is kept too: ids of JS are hashes over it. Here the id was given last, there first.
    raw = await sql.fetchval(f'SELECT json_metadata::text FROM "{table}" WHERE id = $1', ids[0])
    assert [key for key in json.loads(raw) if key != 'id'] == [
        key for key in DOCUMENTS['golden_docs'][0]['metadata'] if key != 'id'
    ]


async def test_metadata_columns_are_filled_as_js_does(
    engine: PostgresEngine, sql: Any, embedder: HashEmbedder, table: str
) -> None:
    await engine.init_vectorstore_table(
        table,
        64,
        id_column=Column('doc_id', 'TEXT'),
        metadata_columns=META_COLUMNS,
        metadata_json_column='metadata',
    )
    assert await read_columns(sql, table) == JS['tables']['g_meta']['columns']
    rows = [row for row in JS['tables']['g_meta']['rows'] if row['doc_id'].startswith(('bt-', 'm-1', 'm-3', 'm-5'))]
    documents = [Document.from_text(row['content'], row['metadata']) for row in rows]
    settings = PostgresTable(name=table, id_key='doc_id')
    collection = Postgres([settings], engine=engine, embedder=embedder).collection(table)
    assert (await collection.add(documents)).failed == []
    expected = expected_rows('g_meta', 'doc_id')
    written = await read_rows(sql, table, JS['tables']['g_meta']['columns'], 'doc_id')
    assert written == {row['doc_id']: expected[row['doc_id']] for row in rows}
    assert [document_to_dict(one) for one in await collection.get([row['doc_id'] for row in rows]) if one] == [
        document_to_dict(one) for one in documents
    ]


@pytest.mark.parametrize('lossless', [True, False])
async def test_several_parts_and_media(open_table: Callable[..., Any], sql: Any, lossless: bool) -> None:
    collection = await open_table({'lossless': lossless})
    documents = [document_from_dict(DOCUMENTS['golden_docs'][3]), document_from_dict(DOCUMENTS['extra_docs'][1])]
    await collection.add(documents, ids=['parts', 'media'])
    name = collection.name.removeprefix('postgres/')
    rows = {row['id']: dict(row) for row in await sql.fetch(f'SELECT id, content, json_metadata FROM {name}')}
    # The text columns are those of JS either way: parts joined by a space, nothing for a medium.
    assert {one: row['content'] for one, row in rows.items()} == {
        'parts': 'Part one: red apples.  Part two: sweet oranges.',
        'media': '',
    }
    assert ('docContent' in rows['media']['json_metadata']) is lossless
    found = [document_to_dict(one) for one in await collection.get(['parts', 'media'])]
    if lossless:
        assert found == [document_to_dict(one) for one in documents]
    else:
        assert found[0]['content'] == [{'text': 'Part one: red apples.  Part two: sweet oranges.'}]


async def test_a_key_named_like_ours_stays_the_users(open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    documents = [
        Document.from_text('a', {'docContent': 'mine'}),
        Document.from_text('b', {'docContent': {'content': [{'text': 'fake'}]}}),
        Document.from_media('https://example.com/x.png', 'image/png', {'docContent': 7}),
        Document.from_text('d', {}),
        Document.from_text('e'),
    ]
    await collection.add(documents, ids=list('abcde'))
    found = await collection.get(list('abcde'))
    assert [document_to_dict(one) for one in found] == [document_to_dict(one) for one in documents]
    assert [m.id for m in await collection.search('x', k=5, filter={'docContent': 7})] == ['c']
    assert [m.id for m in await collection.search('x', k=5, filter={'docContent': 'mine'})] == ['a']


async def test_a_langchain_table_is_read_and_written(
    engine: PostgresEngine, sql: Any, embedder: HashEmbedder, table: str
) -> None:
    await engine.init_vectorstore_table(f'{table}', 64)  # For the extension.
    await sql.execute(f'DROP TABLE "{table}"')
    await sql.execute(
        f'CREATE TABLE "{table}" ("langchain_id" UUID PRIMARY KEY, "content" TEXT NOT NULL, "embedding" vector(64) NOT NULL, '
        '"author" TEXT, "year" INTEGER, "langchain_metadata" JSON)'
    )
    vector = str(embedder.embed('a page of langchain'))
    await sql.execute(
        f'INSERT INTO "{table}" VALUES ($1::text::uuid, $2, $3::text::vector, $4, $5, $6)',
        '10000000-0000-4000-8000-000000000001',
        'a page of langchain',
        vector,
        'ada',
        1843,
        '{"source": "notes"}',
    )
    collection = Postgres([table], engine=engine, embedder=embedder).collection(table)
    found = await collection.search(
        'langchain', k=1, filter={'author': 'ada', 'year': {'$lt': 1900}, 'source': 'notes'}
    )
    assert found[0].document.metadata == {'source': 'notes', 'author': 'ada', 'year': 1843}
    report = await collection.add([Document.from_text('another', {'author': 'bob', 'x': 1})])
    row = await sql.fetchrow(f'SELECT * FROM "{table}" WHERE author = $1', 'bob')
    assert json.loads(row['langchain_metadata']) == {'author': 'bob', 'x': 1}
    assert str(row['langchain_id']).replace('-', '') == report.ids[0]


async def test_a_go_table_is_read(engine: PostgresEngine, sql: Any, embedder: HashEmbedder, table: str) -> None:
    await engine.init_vectorstore_table(
        table,
        64,
        id_column=Column('custom_id', 'TEXT'),
        content_column='custom_content',
        embedding_column='custom_embedding',
        metadata_columns=[Column('source', 'TEXT')],
        metadata_json_column='metadata',
    )
    await sql.execute(
        f'INSERT INTO "{table}" VALUES ($1, $2, $3::text::vector, $4, $5)',
        'go-1',
        'first part',
        str(embedder.embed('first part')),
        'web',
        '{"page": 2, "custom_id": "go-1"}',
    )
    settings = PostgresTable(name=table, content_column='custom_content', embedding_column='custom_embedding')
    collection = Postgres([settings], engine=engine, embedder=embedder).collection(table)
    found = await collection.search('first', k=1, filter={'source': 'web'})
    assert (found[0].id, found[0].document.text) == ('go-1', 'first part')
    assert found[0].document.metadata == {'page': 2, 'custom_id': 'go-1', 'source': 'web'}


async def test_odd_json_is_kept(open_table: Callable[..., Any], sql: Any, embedder: HashEmbedder) -> None:
    collection = await open_table()
    name = collection.name.removeprefix('postgres/')
    vector = str(embedder.embed('x'))
    for i, metadata in enumerate(['[1, 2]', '"text"', 'null', None]):
        await sql.execute(f'INSERT INTO {name} VALUES ($1, $1, $2::text::vector, $3)', f'id{i}', vector, metadata)
    found = await collection.get([f'id{i}' for i in range(4)])
    assert [one.metadata for one in found] == [{'rawMetadata': [1, 2]}, {'rawMetadata': 'text'}, None, None]
    assert await collection.count(filter={'a': None}) == 4


@pytest.mark.parametrize('json_type', ['json', 'jsonb'])
async def test_json_that_python_cannot_read(
    engine: PostgresEngine,
    sql: Any,
    embedder: HashEmbedder,
    table: str,
    json_type: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await engine.init_vectorstore_table(table, 64, id_column=Column('id', 'TEXT'), json_type=json_type)
    deep = '[' * 3000 + ']' * 3000
    odd = {
        'deep': f'{{"x": {deep}}}',
        'long': f'{{"x": 1{"0" * 5000}}}',
        'parts': '{"docContent": {"content": [{"text": 5}]}, "a": 1}',
        'nested': f'{{"docContent": {{"content": [{{"data": {"[" * 900}{"]" * 900}}}]}}}}',
        'none': '{"docContent": {"content": [{"future": 1}]}}',
        'list': '[1, 2]',
        'plain': '{"a": 1}',
        'empty': '{}',
    }
    vector = str(embedder.embed('river'))
    for name, text in odd.items():
        await sql.execute(
            f'INSERT INTO "{table}" VALUES ($1, $1, $2::text::vector, $3::text::{json_type})', name, vector, text
        )
    collection = Postgres([table], engine=engine, embedder=embedder).collection(table)
    found = {match.id: match.document for match in await collection.search('river', k=20)}
    assert {name: document.text for name, document in found.items()} == {name: name for name in odd}
    assert {name: found[name].metadata for name in ('parts', 'list', 'plain', 'empty')} == {
        'parts': {'a': 1},
        'list': {'rawMetadata': [1, 2]},
        'plain': {'a': 1},
        'empty': None,
    }
    for name in ('deep', 'long'):
        assert found[name].metadata['rawMetadata'].startswith('{"x": ')
    assert 'cannot be parsed' in caplog.text
    assert 'docContent' in caplog.text
    assert len(await collection.get(list(odd))) == len(odd)
