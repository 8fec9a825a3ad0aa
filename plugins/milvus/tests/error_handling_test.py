# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, with its status and what to do next."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from genkit import Document, GenkitError
from genkitx.stores import Record
from genkitx.testing import HashEmbedder
from genkitx_milvus import (
    Fields,
    Milvus,
    MilvusCollection,
    NewCollection,
    create_milvus_collection,
    delete_milvus_collection,
    describe_milvus_collection,
    has_milvus_collection,
    insert_milvus_data,
    search_milvus_data,
)
from genkitx_milvus.connection import Connection, Target
from genkitx_milvus.errors import translate


async def status_of(awaitable: Any) -> tuple[str, str]:
    with pytest.raises(GenkitError) as error:
        await awaitable
    return error.value.status, str(error.value)


def opened(engine: str, name: str, **settings: Any) -> Any:
    return Milvus([MilvusCollection(name=name, **settings)], uri=engine, embedder=HashEmbedder(8)).collection(name)


async def test_a_missing_collection(engine: str) -> None:
    strict = opened(engine, 'missing', create_collection_if_missing=False)
    for call in (
        strict.search('x'),
        strict.add([Document.from_text('x')]),
        strict.count(),
        strict.get(['1']),
        strict.delete(['1']),
    ):
        status, message = await status_of(call)
        assert status == 'NOT_FOUND'
        assert 'milvus/missing' in message
        assert 'create_milvus_collection' in message
    lenient = opened(engine, 'missing')
    assert (await lenient.search('x'), await lenient.count(), await lenient.get(['1'])) == ([], 0, [None])
    await lenient.delete(['1'])
    assert not await has_milvus_collection('missing', uri=engine)


async def test_settings_that_contradict_the_collection(engine: str) -> None:
    await opened(engine, 'automatic').add([Document.from_text('x')])
    wrong = (
        ({'auto_id': False}, 'auto_id=True'),
        ({'text_search': True}, 'text_search=False'),
        ({'metric': 'L2'}, "'COSINE'"),
        ({'fields': Fields(vector='other')}, 'vector'),
    )
    for settings, hint in wrong:
        status, message = await status_of(opened(engine, 'automatic', **settings).search('x'))
        assert status == 'FAILED_PRECONDITION'
        assert hint in message


async def test_a_metric_that_contradicts_the_collection_refuses_writes(engine: str) -> None:
    await create_milvus_collection('far', 8, new=NewCollection(metric='L2'), uri=engine)
    wrong = opened(engine, 'far', metric='COSINE')
    for call in (
        wrong.add([Document.from_text('x')]),
        wrong.store.upsert([Record('', [1.0] * 8, Document.from_text('x'))]),
    ):
        status, message = await status_of(call)
        assert status == 'FAILED_PRECONDITION'
        assert "'L2'" in message
    assert await opened(engine, 'far', metric='L2').count() == 0


@pytest.mark.parametrize('auto_id', [True, False])
@pytest.mark.parametrize('place', ['engine', 'server'])
async def test_a_collection_made_anew(engine: str, server: str, place: str, auto_id: bool) -> None:
    uri, name = {'engine': engine, 'server': server}[place], f'anew_{auto_id}'
    settings = MilvusCollection(name=name, auto_id=auto_id, create_collection_if_missing=False)
    sizes = {'now': 8}

    async def embed(request: Any) -> Any:
        return await HashEmbedder(sizes['now'])(request)

    plugin = Milvus([settings], uri=uri, embedder=embed)
    collection = plugin.collection(name)
    for size in (8, 16, 4):
        if await has_milvus_collection(name, uri=uri):
            await delete_milvus_collection(name, uri=uri)
        await create_milvus_collection(name, size, new=NewCollection(auto_id=auto_id), uri=uri)
        sizes['now'] = size
        report = await collection.add([Document.from_text('x')])
        assert (report.written, report.failed) == (1, [])
        assert len(await collection.search('x')) == await collection.count() == 1
    sizes['now'] = 5
    assert (await status_of(collection.add([Document.from_text('y')])))[0] == 'INVALID_ARGUMENT'
    await delete_milvus_collection(name, uri=uri)
    await create_milvus_collection(name, 5, new=NewCollection(auto_id=not auto_id), uri=uri)
    status, message = await status_of(collection.add([Document.from_text('y')]))
    assert status == 'FAILED_PRECONDITION'
    assert f'auto_id={not auto_id}' in message
    await plugin.aclose()


async def test_ids_that_cannot_be(engine: str) -> None:
    own = opened(engine, 'own_ids', auto_id=False)
    report = await own.add([Document.from_text(str(i)) for i in range(4)], ids=['fine', '\ud800', 'a\x1eb', 'x' * 600])
    assert [(one.position, one.status) for one in report.failed] == [(i, 'INVALID_ARGUMENT') for i in (1, 2, 3)]
    assert await own.get(['\ud800', '', 'fine'])
    automatic = opened(engine, 'automatic_ids')
    assert (await status_of(automatic.add([Document.from_text('x')], ids=['mine'])))[0] == 'UNIMPLEMENTED'
    await automatic.add([Document.from_text('x')])
    found = (await automatic.search('x'))[0]
    assert [one and one.text for one in await automatic.get([found.id, f' {found.id}', '9' * 30, '١', 'x'])] == [
        'x',
        *[None] * 4,
    ]
    await automatic.delete([found.id, '1 or id > 0'])
    assert await automatic.count() == 0


async def test_numeric_keys_of_others(engine: str) -> None:
    def make(client: Any) -> None:
        client.create_collection('numeric', dimension=8)
        client.insert('numeric', [{'id': 7, 'vector': [1.0] * 8, 'document': 'theirs'}])

    connection = Connection('test', Target(uri=engine))
    await connection.admin(make)
    await connection.aclose()
    collection = opened(engine, 'numeric', auto_id=False)
    assert [one and one.text for one in await collection.get(['7'])] == ['theirs']
    status, message = await status_of(collection.add([Document.from_text('x')]))
    assert status == 'FAILED_PRECONDITION'
    assert 'keys' in message


async def test_a_released_collection_is_loaded(engine: str) -> None:
    collection = opened(engine, 'released')
    await collection.add([Document.from_text('x')])
    connection = Connection('test', Target(uri=engine))
    await connection.admin(lambda client: client.release_collection('released'))
    status, message = await status_of(opened(engine, 'released', load=False).search('x'))
    assert status == 'FAILED_PRECONDITION'
    assert 'load=True' in message
    assert len(await collection.search('x')) == 1
    await connection.aclose()


async def test_texts_too_long_to_index(engine: str) -> None:
    collection = opened(engine, 'long_texts', text_search=True)
    report = await collection.add([Document.from_text('x' * 65_536), Document.from_text('fine')])
    assert [(one.position, one.status) for one in report.failed] == [(0, 'INVALID_ARGUMENT')]
    assert 'text_search' in report.failed[0].error


async def test_a_missing_database(engine: str) -> None:
    status, message = await status_of(opened(engine, 'docs', db_name='nowhere').add([Document.from_text('x')]))
    assert status in ('NOT_FOUND', 'INVALID_ARGUMENT')
    assert 'nowhere' in message


async def test_databases_are_apart(engine: str) -> None:
    connection = Connection('test', Target(uri=engine))
    await connection.admin(lambda client: client.create_database('apart'))
    await connection.aclose()
    there, here = opened(engine, 'shared_name', db_name='apart'), opened(engine, 'shared_name')
    await there.add([Document.from_text('x')])
    assert (await there.count(), await here.count()) == (1, 0)
    assert await has_milvus_collection('shared_name', uri=engine, db_name='apart')
    assert not await has_milvus_collection('shared_name', uri=engine)


async def test_no_server() -> None:
    secret = 'canary-0c3e'
    plugin = Milvus(['docs'], uri='http://127.0.0.1:9', token=secret, timeout=3, embedder=HashEmbedder(8))
    status, message = await status_of(plugin.collection('docs').search('x'))
    assert status in ('UNAVAILABLE', 'DEADLINE_EXCEEDED')
    assert 'http://127.0.0.1:9' in message
    assert secret not in message
    await plugin.aclose()


async def test_a_directory_that_another_process_has_open(tmp_path: Path) -> None:
    path = str(tmp_path / 'taken.db')
    code = 'import sys; from milvus_lite import MilvusLite; db = MilvusLite(sys.argv[1]); print("open", flush=True); sys.stdin.read()'
    process = subprocess.Popen(
        [sys.executable, '-c', code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b'open\n'
        status, message = await status_of(opened(path, 'docs').count())
        assert status == 'FAILED_PRECONDITION'
        assert 'Another process' in message
    finally:
        process.communicate(timeout=20)


async def test_helpers(engine: str) -> None:
    place: dict[str, Any] = {'uri': engine}
    await create_milvus_collection('helped', 4, **place)
    assert (await status_of(create_milvus_collection('helped', 4, **place)))[0] == 'ALREADY_EXISTS'
    await create_milvus_collection('helped', 4, exist_ok=True, **place)
    assert (await describe_milvus_collection('helped', **place))['collection_name'] == 'helped'
    assert await insert_milvus_data('helped', [], **place) == []
    keys = await insert_milvus_data(
        'helped', [{'vector': [1.0, 0, 0, 0], 'document': 'x', 'metadata': {'a': 1}}], **place
    )
    found = await search_milvus_data('helped', [1.0, 0, 0, 0], expression='metadata["a"] == 1', **place)
    assert [(one['id'], one['entity']) for one in found] == [(keys[0], {'document': 'x', 'metadata': {'a': 1}})]
    assert (await status_of(insert_milvus_data('helped', [{'vector': [1.0]}], **place)))[0] == 'INVALID_ARGUMENT'
    assert (await status_of(create_milvus_collection('bad name', 4, **place)))[0] == 'INVALID_ARGUMENT'
    assert (await status_of(create_milvus_collection('helped', 0, **place)))[0] == 'INVALID_ARGUMENT'
    await delete_milvus_collection('helped', **place)
    assert not await has_milvus_collection('helped', **place)
    for call in (delete_milvus_collection, describe_milvus_collection):
        assert (await status_of(call('helped', **place)))[0] == 'NOT_FOUND'


async def test_a_helper_leaves_only_what_fits(engine: str) -> None:
    await create_milvus_collection('fits', 8, uri=engine)
    for dimension, new, hint in ((99, None, '99'), (8, NewCollection(auto_id=False), 'auto_id=True')):
        call = create_milvus_collection('fits', dimension, new=new, exist_ok=True, uri=engine)
        status, message = await status_of(call)
        assert (status, hint in message) == ('FAILED_PRECONDITION', True)


async def test_helpers_take_other_fields_and_client_params(engine: str) -> None:
    connection = Connection('test', Target(uri=engine))
    await connection.admin(lambda client: client.create_database('by_params'))
    await connection.aclose()
    place: dict[str, Any] = {'uri': engine, 'timeout': 20, 'client_params': {'db_name': 'by_params'}}
    await create_milvus_collection('emb', 4, new=NewCollection(fields=Fields(vector='emb')), **place)
    assert await has_milvus_collection('emb', uri=engine, db_name='by_params')
    assert not await has_milvus_collection('emb', uri=engine)
    await insert_milvus_data('emb', [{'emb': [1.0, 0, 0, 0], 'document': 'x', 'metadata': {}}], **place)
    found = await search_milvus_data('emb', [1.0, 0, 0, 0], vector_field='emb', **place)
    assert [one['entity']['document'] for one in found] == ['x']
    assert (await describe_milvus_collection('emb', **place))['collection_name'] == 'emb'
    await delete_milvus_collection('emb', **place)
    assert not await has_milvus_collection('emb', **place)


@pytest.mark.parametrize(
    ('code', 'status'),
    [
        (2, 'UNAVAILABLE'),
        (3, 'RESOURCE_EXHAUSTED'),
        (8, 'RESOURCE_EXHAUSTED'),
        (100, 'NOT_FOUND'),
        (800, 'NOT_FOUND'),
        (1100, 'INVALID_ARGUMENT'),
        (1400, 'UNAUTHENTICATED'),
        (1401, 'PERMISSION_DENIED'),
        (65535, 'INTERNAL'),
    ],
)
def test_codes_of_a_server(code: int, status: str) -> None:
    from pymilvus import MilvusException

    error = translate('milvus/docs', MilvusException(code, 'what it says'))
    assert (error.status, str(error).count('milvus/docs: what it says')) == (status, 1)
