# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""genkitx-pinecone of JS and of Python on one index, at the strict local server of the Python plugin's tests."""

import itertools
import sys

import pytest
from genkit import GenkitError
from genkitx.retrieval import document_id, document_to_dict
from genkitx_pinecone import ClientParams, Pinecone, PineconeIndex

from interop.tests.conftest import HERE
from interop.tests.documents import ALL, QUERIES, documents, flat, in_any_order
from interop.tests.node import JsError

sys.path.insert(0, str(HERE.parent / 'plugins/pinecone/tests/server'))
from pinecone_server import KEY, FakePinecone

_numbers = itertools.count()


@pytest.fixture(scope='session')
def service():
    service = FakePinecone()
    yield service
    service.stop()


@pytest.fixture(autouse=True)
def _no_certificates(monkeypatch, tmp_path):
    # Loopback needs none, and reading the system's takes long.
    monkeypatch.setenv('SSL_CERT_DIR', str(tmp_path))
    for name in ('PINECONE_API_KEY', 'PINECONE_CONTROLLER_HOST', 'SSL_CERT_FILE'):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def name(service):
    name = f'index-{next(_numbers)}'
    service.create(name, 64)
    return name


@pytest.fixture
def js(start, service, name):
    """Calls the JS plugin on the index."""

    async def call(method, **args):
        where = {'service': {'url': service.url, 'key': KEY}, 'indexId': name}
        # JS reads its options without looking whether there are any.
        return await start('pinecone')(method, **where, **{'options': {}, **args})

    return call


@pytest.fixture
def collection(service, name, embedder):
    params = ClientParams(api_key=KEY, controller_host=service.url, timeout=10)
    return lambda **settings: Pinecone(
        [PineconeIndex(name=name, **settings)], embedder=embedder, client_params=params
    ).collection(name)


async def read(collection, query, **options):
    return [document_to_dict(match.document) for match in await collection.search(query, **options)]


@pytest.mark.parametrize(
    ('namespace', 'theirs', 'ours'),
    [('', {}, {}), ('tenant', {}, {}), ('', {'contentKey': 'my_text'}, {'content_key': 'my_text'})],
)
async def test_js_writes_and_python_reads(js, collection, service, name, namespace, theirs, ours):
    options = {'namespace': namespace} if namespace else {}
    await js('index', documents=ALL, options=options, settings=theirs)
    mine = collection(namespace=namespace or None, **ours)
    for query in QUERIES:
        expected = await js('retrieve', query=query, options={'k': 4, **options}, settings=theirs)
        assert await read(mine, query, k=4) == expected
    assert in_any_order(await read(mine, 'x', k=100)) == in_any_order([flat(one) for one in ALL])
    # Indexing the same again adds nothing: the ids are the same hashes.
    await mine.add(documents(ALL))
    assert set(service.indexes[name].records(namespace)) == {document_id(one) for one in documents(ALL)}
    # And since this side wrote them, nothing is left out.
    assert in_any_order(await read(mine, 'x', k=100)) == in_any_order(ALL)


@pytest.mark.parametrize('js_layout', [False, True])
async def test_python_writes_and_js_reads(js, collection, service, name, js_layout):
    mine = collection(js_layout=js_layout)
    await mine.add(documents(ALL))
    for query in QUERIES:
        found = await js('retrieve', query=query, options={'k': 4})
        assert found == [flat(one) for one in await read(mine, query, k=4)]
    assert in_any_order(await js('retrieve', query='x', options={'k': 100})) == in_any_order(map(flat, ALL))
    ours = dict(service.indexes[name].records())
    await js('index', documents=ALL)
    theirs = service.indexes[name].records()
    assert set(theirs) == set(ours)
    if js_layout:
        assert theirs == ours


async def test_filters_find_what_python_wrote(js, collection):
    mine = collection()
    await mine.add(documents(ALL))
    for condition, expected in [
        ({'source.page': {'$gte': 3}}, [0]),
        ({'kind': {'$in': ['multi', 'media']}}, [4, 5]),
        ({'10': 'ten', 'dotted\\.key': 1}, [1]),
    ]:
        assert in_any_order(await read(mine, 'x', filter=condition)) == in_any_order([ALL[i] for i in expected])
    # JS takes a filter and does not send it.
    assert len(await js('retrieve', query='x', options={'k': 100, 'filter': {'kind': 'multi'}})) == len(ALL)


async def test_indexes_are_created_and_deleted_by_either(start, service, embedder):
    js = start('pinecone')
    where = {'url': service.url, 'key': KEY}
    spec = {'serverless': {'cloud': 'aws', 'region': 'us-east-1'}}
    await js('create', service=where, options={'name': 'by-js', 'dimension': 64, 'metric': 'cosine', 'spec': spec})
    assert (await js('describe', service=where, name='by-js'))['host'] == service.indexes['by-js'].host
    params = ClientParams(api_key=KEY, controller_host=service.url, timeout=10)
    mine = Pinecone(['by-js'], embedder=embedder, client_params=params).collection('by-js')
    await mine.add(documents(ALL[:1]))
    assert await read(mine, 'fox') == ALL[:1]
    await js('delete', service=where, name='by-js')
    with pytest.raises(GenkitError):
        await Pinecone(['by-js'], embedder=embedder, client_params=params).collection('by-js').search('fox')
    with pytest.raises(JsError):
        await js('describe', service=where, name='by-js')
