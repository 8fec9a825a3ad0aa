# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""genkitx-chromadb of JS, as npm has it (0.5.8), and of Python on one Chroma server.

That version has a layout of its own: the metadata as they are, so flat ones only, and the joined texts.
"""

import itertools
import json

import pytest
from genkitx.retrieval import document_id, document_to_dict
from genkitx_chroma import Chroma

from interop.tests.documents import (
    ALL,
    BARE,
    EMPTY,
    FOX,
    MIXED,
    PARTS,
    QUERIES,
    UNICODE,
    documents,
    flat,
    in_any_order,
    without_empty_metadata,
)
from interop.tests.engines import running
from interop.tests.node import JsError

_numbers = itertools.count()
FLAT = {'content': FOX['content'], 'metadata': {'year': 2024, 'half': -0.5, 'ok': True, 'file': 'fox.txt'}}
FOR_JS = [FLAT, UNICODE, EMPTY, BARE, PARTS, MIXED]


@pytest.fixture(scope='session')
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp('chroma')
    with running('chroma', 'run', '--path', str(folder), folder=folder) as address:
        yield f'http://{address}'


@pytest.fixture
def name():
    return f'docs-{next(_numbers)}'


@pytest.fixture
def js(start, url, name):
    """Calls the JS plugin on the collection."""

    async def call(method, **args):
        return await start('chroma')(method, url=url, name=name, **args)

    return call


@pytest.fixture
def collection(url, name, embedder):
    return Chroma([name], embedder=embedder, url=url).collection(name)


def as_js_keeps(document):
    """Chroma has no empty metadata, and this version of the plugin has no media."""
    return without_empty_metadata(flat(document))


async def test_js_writes_and_python_reads(js, collection):
    await js('create', metadata={'hnsw:space': 'cosine'})
    await js('index', documents=FOR_JS)
    expected = [as_js_keeps(one) for one in FOR_JS]
    for query in QUERIES:
        theirs = await js('retrieve', query=query, options={'k': 4})
        assert [document_to_dict(match.document) for match in await collection.search(query, k=4)] == theirs
    found = await collection.search('x', k=100)
    assert in_any_order(document_to_dict(match.document) for match in found) == in_any_order(expected)
    assert {match.id for match in found} == {document_id(one) for one in documents(FOR_JS)}
    for condition, wanted in [({'year': {'$gte': 2024}}, FLAT), ({'kind': 'multi', 'parts': {'$lt': 3}}, PARTS)]:
        (match,) = await collection.search('x', filter=condition)
        assert document_to_dict(match.document) == as_js_keeps(wanted)


async def test_indexing_again_adds_nothing_and_restores_what_was_lost(js, collection):
    await js('index', documents=FOR_JS, create=True)
    report = await collection.add(documents(FOR_JS), on_conflict='skip')
    assert (report.written, report.skipped) == (0, len(FOR_JS))
    await collection.add(documents(FOR_JS))
    found = await collection.search('x', k=100)
    assert in_any_order(document_to_dict(match.document) for match in found) == in_any_order(FOR_JS)
    await js('index', documents=FOR_JS)
    assert await collection.count() == len(FOR_JS)


async def test_python_writes_and_js_reads(js, collection):
    await collection.add(documents(ALL))
    for query in QUERIES:
        found = await js('retrieve', query=query, options={'k': 4})
        ours = [document_to_dict(match.document) for match in await collection.search(query, k=4)]
        assert [json.loads(one['metadata'].get('docMetadata', 'null')) for one in found] == [
            one.get('metadata') for one in ours
        ]
        texts = [flat(one)['content'][0] for one in ours]
        # A medium is its URL there.
        assert [one['content'] for one in found] == [
            [{'text': one.get('text') or one['media']['url']}] for one in texts
        ]
    # The keys for filters are keys for JS too.
    for where, expected in [({'source.page': 3}, FOX), ({'$and': [{'kind': 'multi'}, {'parts': {'$gt': 1}}]}, PARTS)]:
        (found,) = await js('retrieve', query='x', options={'where': where})
        assert found['content'] == flat(expected)['content']
        assert json.loads(found['metadata']['docMetadata']) == expected['metadata']
    options = {'whereDocument': {'$contains': '東京'}, 'include': ['documents', 'metadatas', 'distances']}
    (found,) = await js('retrieve', query='x', options=options)
    assert found['content'] == UNICODE['content']
    # Ids are equal, so JS leaves what is there as it is.
    await js('index', documents=[UNICODE, EMPTY, BARE, PARTS, MIXED])
    found = await collection.search('x', k=100)
    assert in_any_order(document_to_dict(match.document) for match in found) == in_any_order(ALL)


async def test_collections_of_js_are_found_and_dropped(js, collection):
    await js('create')
    assert await collection.count() == 0
    await collection.add(documents([BARE]))
    assert await js('retrieve', query='x', options={'k': 1}) != []
    await js('delete')
    assert await collection.search('x') == []
    with pytest.raises(JsError):
        await js('retrieve', query='x')
