# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""@genkit-ai/dev-local-vectorstore and `genkitx.local` on one file."""

import pytest
from genkitx import Genkit
from genkitx.local import DevLocalVectorStore
from genkitx.retrieval import document_to_dict

from interop.tests.documents import ALL, EMPTY, FOX, QUERIES, documents, in_any_order

NAME = 'devLocalVectorstore/docs'


@pytest.fixture
def js(start):
    return start('dev_local')


@pytest.fixture
def ai(tmp_path, embedder):
    return Genkit(plugins=[DevLocalVectorStore(['docs'], embedder=embedder, directory=tmp_path)])


def file(folder):
    return (folder / '__db_docs.json').read_bytes()


async def test_js_writes_and_python_reads(js, ai, tmp_path):
    await js('index', directory=str(tmp_path), documents=ALL)
    for query in QUERIES:
        for options in (None, {'k': 1}, {'k': 100}):
            theirs = await js('retrieve', directory=str(tmp_path), query=query, options=options)
            ours = await ai.retrieve(retriever=NAME, query=query, options=options)
            assert [document_to_dict(one) for one in ours] == theirs
    collection = ai.collection(NAME)
    stored = [document_to_dict(match.document) for match in await collection.search('x', k=100)]
    assert in_any_order(stored) == in_any_order(ALL)
    (fox,) = await collection.search(QUERIES[0], k=5, filter={'source.page': {'$gte': 3}})
    assert document_to_dict(fox.document) == FOX


async def test_python_writes_and_js_reads(js, ai, tmp_path):
    await ai.index(indexer=NAME, documents=documents(ALL))
    for query in QUERIES:
        theirs = await js('retrieve', directory=str(tmp_path), query=query, options={'k': 100})
        ours = await ai.retrieve(retriever=NAME, query=query, options={'k': 100})
        assert theirs == [document_to_dict(one) for one in ours]
        assert len(theirs) == len(ALL)
        assert all(one in ALL for one in theirs)


async def test_the_files_are_equal_and_a_second_writer_adds_nothing(js, ai, tmp_path, embedder):
    await ai.index(indexer=NAME, documents=documents(ALL))
    ours = file(tmp_path)
    await js('index', directory=str(tmp_path), documents=ALL)
    assert file(tmp_path) == ours
    other = tmp_path / 'other'
    other.mkdir()
    await js('index', directory=str(other), documents=ALL)
    assert file(other) == ours
    report = (
        await DevLocalVectorStore(['docs'], embedder=embedder, directory=other)
        .collection('docs')
        .add(documents(ALL), on_conflict='skip')
    )
    assert (report.written, report.skipped) == (0, len(ALL))
    assert file(other) == ours


async def test_both_write_one_after_the_other(js, ai, tmp_path):
    await js('index', directory=str(tmp_path), documents=ALL[:3])
    await ai.index(indexer=NAME, documents=documents(ALL[2:5]))
    await js('index', directory=str(tmp_path), documents=ALL[4:])
    report = await ai.collection(NAME).add(documents(ALL), on_conflict='skip')
    assert (report.written, report.skipped) == (0, len(ALL))
    await ai.collection(NAME).delete(report.ids[:1])
    found = await js('retrieve', directory=str(tmp_path), query='x', options={'k': 100})
    assert FOX not in found
    assert EMPTY in found
    assert len(found) == len(ALL) - 1
