# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""LangChain's HNSWLib in JS, which the JS plugin for HNSW is built on, and genkitx-hnsw on one directory."""

import json

import pytest
from genkitx.retrieval import document_id, document_to_dict
from genkitx_hnsw import Hnsw

from interop.tests.documents import ALL, EMPTY, FOX, IMAGE, PARTS, QUERIES, UNICODE, documents, flat, in_any_order, row
from interop.tests.node import build

# LangChain's documents have one text each, and always metadata.
TEXTS = [FOX, UNICODE, EMPTY, {**FOX, 'content': [{'text': 'Bananas are berries.'}], 'metadata': {'kind': 'fruit'}}]
spaces = pytest.mark.parametrize('space', ['cosine', 'ip'])


@pytest.fixture
def js(toolchain, start, tmp_path):
    """Calls LangChain on the directory."""
    build(toolchain, 'hnswlib-node')

    async def call(method, **args):
        return await start('hnsw')(method, directory=str(tmp_path / 'docs'), **args)

    return call


@pytest.fixture
def collection(tmp_path, embedder):
    return lambda: Hnsw(['docs'], directory=tmp_path, embedder=embedder).collection('docs')


def page(document):
    """A document in LangChain's form."""
    return {'pageContent': row(document)['text'], 'metadata': row(document)['metadata']}


def pages(source):
    return [page(one) for one in source]


def found_pages(answer):
    """What LangChain found; newer versions have more keys."""
    return [{key: found[key] for key in ('pageContent', 'metadata')} for found, _ in answer]


async def compare(js, collection, k):
    """Both find the same, equally far away."""
    for query in QUERIES:
        theirs = await js('search', query=query, k=k)
        ours = await collection.search(query, k=k)
        assert pages(document_to_dict(match.document) for match in ours) == found_pages(theirs)
        assert [1 - match.score for match in ours] == pytest.approx([distance for _, distance in theirs], abs=2e-5)


@spaces
async def test_js_writes_and_python_reads(js, collection, space):
    await js('write', documents=pages(TEXTS), space=space)
    mine = collection()
    await compare(js, mine, len(TEXTS))
    found = await mine.get([document_id(one) for one in documents(TEXTS)])
    assert [document_to_dict(one) for one in found] == TEXTS
    (fox,) = await mine.search('x', filter={'source.page': {'$gte': 3}})
    assert document_to_dict(fox.document) == FOX
    report = await mine.add(documents(TEXTS), on_conflict='skip')
    assert (report.written, report.skipped) == (0, len(TEXTS))


async def test_python_writes_and_js_reads(js, collection):
    mine = collection()
    await mine.add(documents(ALL))
    await compare(js, mine, len(ALL))
    found = await js('search', query='x', k=len(ALL))
    assert in_any_order(found_pages(found)) == in_any_order(pages(ALL))
    ((only, _),) = await js('search', query='x', k=1, kind='multi')
    assert only['pageContent'] == flat(PARTS)['content'][0]['text']


@spaces
async def test_both_write_one_after_the_other(js, collection, space, tmp_path):
    await js('write', documents=pages(TEXTS[:2]), space=space)
    mine = collection()
    await mine.add(documents([PARTS, IMAGE]))
    await js('append', documents=pages(TEXTS[2:]))
    assert json.loads((tmp_path / 'docs' / 'args.json').read_text())['space'] == space
    everything = [*TEXTS, PARTS, IMAGE]
    found = await mine.search('x', k=100)
    assert in_any_order(document_to_dict(match.document) for match in found) == in_any_order(everything)
    await compare(js, mine, len(everything))


async def test_js_goes_on_where_python_deleted(js, collection):
    await js('write', documents=pages(TEXTS), space='cosine')
    mine = collection()
    await mine.delete([document_id(one) for one in documents([FOX])])
    assert page(FOX) not in found_pages(await js('search', query=QUERIES[0], k=3))
    await js('append', documents=pages([PARTS]))
    found = await mine.search('x', k=100)
    assert in_any_order(pages(document_to_dict(match.document) for match in found)) == in_any_order(
        pages([*TEXTS[1:], PARTS])
    )
    await compare(js, mine, len(TEXTS))
