# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Milvus's SDK for JS, which the JS plugin is built on, and genkitx-milvus in one collection of a Milvus Lite server."""

import itertools
import logging

import pytest
from genkitx.retrieval import document_to_dict
from genkitx_milvus import Milvus, MilvusCollection, create_milvus_collection

from interop.tests.documents import ALL, EMPTY, FOX, PARTS, QUERIES, UNICODE, documents, flat, in_any_order, row
from interop.tests.engines import running

_numbers = itertools.count()
logging.getLogger('pymilvus').disabled = True
# The plugin's rows have one text each, and always metadata.
TEXTS = [FOX, UNICODE, EMPTY, {**PARTS, 'content': flat(PARTS)['content']}]


@pytest.fixture(scope='session')
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp('milvus')
    with running('milvus-lite', 'server', '--data-dir', str(folder / 'data'), folder=folder) as address:
        yield address


@pytest.fixture
def name():
    return f'docs_{next(_numbers)}'


@pytest.fixture
def js(start, address, name):
    """Calls the SDK on the collection."""

    async def call(method, **args):
        return await start('milvus')(method, address=address, name=name, **args)

    return call


@pytest.fixture
def plugin(address, name, embedder):
    return lambda **settings: Milvus(
        [MilvusCollection(name=name, **settings)], embedder=embedder, uri=f'http://{address}'
    )


def rows(source):
    return [row(one) for one in source]


def found_rows(answer):
    # A row of ours without metadata has none there.
    return [{'text': one['document'], 'metadata': one.get('metadata', {})} for one in answer]


async def test_js_writes_and_python_reads(js, plugin, name, address):
    await create_milvus_collection(name, 64, uri=f'http://{address}')
    await js('insert', documents=rows(TEXTS))
    milvus = plugin()
    mine = milvus.collection(name)
    for query in QUERIES:
        theirs = await js('search', query=query, limit=3)
        ours = await mine.search(query, k=3)
        assert rows(document_to_dict(match.document) for match in ours) == found_rows(theirs)
        assert [match.score for match in ours] == pytest.approx([one['score'] for one in theirs], abs=1e-5)
    found = await mine.search('x', k=100)
    assert in_any_order(document_to_dict(match.document) for match in found) == in_any_order(TEXTS)
    (fox,) = await mine.search('x', unsafe_expression='metadata["year"] == 2024')
    assert document_to_dict(fox.document) == FOX
    await milvus.aclose()


@pytest.mark.parametrize('js_layout', [False, True])
async def test_python_writes_and_js_reads(js, plugin, name, js_layout):
    milvus = plugin(js_layout=js_layout)
    mine = milvus.collection(name)
    await mine.add(documents(ALL))
    assert await js('describe') == [['id', 'Int64', True, True], ['vector', 'FloatVector', False, False]]
    for query in QUERIES:
        theirs = await js('search', query=query, limit=4)
        ours = [document_to_dict(match.document) for match in await mine.search(query, k=4)]
        assert found_rows(theirs) == rows(ours)
    found = await js('search', query='x', limit=100)
    assert in_any_order(found_rows(found)) == in_any_order(rows(ALL))
    (only,) = await js('search', query='x', limit=9, filter='metadata["kind"] == "multi"')
    assert only['document'] == flat(PARTS)['content'][0]['text']
    await milvus.aclose()


async def test_both_write_one_after_the_other(js, plugin, name):
    milvus = plugin()
    mine = milvus.collection(name)
    await mine.add(documents([FOX, PARTS]))
    await js('insert', documents=rows([UNICODE]))
    found = await mine.search('x', k=100)
    assert in_any_order(document_to_dict(match.document) for match in found) == in_any_order([FOX, PARTS, UNICODE])
    await milvus.aclose()
