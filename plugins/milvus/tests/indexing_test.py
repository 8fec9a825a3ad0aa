# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Documents in: what it costs at the engine, what is created, what becomes of failures."""

from __future__ import annotations

import math
import threading
from collections import Counter
from typing import Any

import pytest
from genkit import Document, GenkitError
from genkitx.stores import Record, RetryPolicy, VectorCollection
from genkitx.testing import HashEmbedder
from genkitx_milvus import (
    Milvus,
    MilvusCollection,
    create_milvus_collection,
    describe_milvus_collection,
    insert_milvus_data,
)

ONCE = RetryPolicy(attempts=1)


def texts(count: int) -> list[Document]:
    return [Document.from_text(f'river {i}', {'n': i}) for i in range(count)]


class Calls:
    """Every call that reaches the engine, and those that it is to fail."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.fail: dict[tuple[str, int], tuple[int, str]] = {}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Watches the engine's side of gRPC."""
    from milvus_lite.adapter.grpc.servicer import MilvusServicer
    from pymilvus.grpc_gen import common_pb2, milvus_pb2

    calls = Calls()
    lock = threading.Lock()

    def watched(name: str, method: Any) -> Any:
        def call(self: Any, request: Any, context: Any) -> Any:
            with lock:
                calls.seen[name] += 1
                failure = calls.fail.get((name, calls.seen[name]))
            if failure is not None:
                status = common_pb2.Status(code=failure[0], error_code=1, reason=failure[1])
                return milvus_pb2.MutationResult(status=status)
            return method(self, request, context)

        return call

    names = (
        'Connect',
        'DescribeCollection',
        'DescribeIndex',
        'HasCollection',
        'Insert',
        'Upsert',
        'Delete',
        'Query',
        'Search',
    )
    for name in (
        *names,
        'HybridSearch',
        'GetLoadState',
        'CreateCollection',
        'CreateIndex',
        'LoadCollection',
        'CreatePartition',
        'HasPartition',
    ):
        monkeypatch.setattr(MilvusServicer, name, watched(name, getattr(MilvusServicer, name)))
    return calls


@pytest.mark.parametrize('auto_id', [True, False])
async def test_round_trips(calls: Calls, tmp_path: Any, auto_id: bool) -> None:
    # An engine of its own: gRPC looks methods up when a server starts.
    collection = MilvusCollection(name='trips', auto_id=auto_id)
    plugin = Milvus([collection], uri=tmp_path / 'x.db', embedder=HashEmbedder(8))
    trips = plugin.collection('trips')
    await trips.add(texts(3))
    await trips.search('river', k=2)
    calls.seen.clear()
    size, batch = 230, 50
    await trips.add(texts(size), batch_size=batch)
    assert calls.seen.pop('Insert' if auto_id else 'Upsert') == math.ceil(size / batch)
    assert calls.seen.total() <= 2
    calls.seen.clear()
    await trips.search('river', k=10, filter={'n': {'$gte': 100}})
    assert calls.seen == {'Search': 1}
    await plugin.aclose()


async def test_what_is_ready_is_asked_about_once(calls: Calls, tmp_path: Any) -> None:
    settings = MilvusCollection(name='asked', auto_id=False)
    for expected in (0, 1):
        plugin = Milvus([settings], uri=tmp_path / 'x.db', embedder=HashEmbedder(8))
        asked = plugin.collection('asked')
        calls.seen.clear()
        for _ in range(3):
            await asked.add(texts(3), namespace='part')
            assert len(await asked.search('river', k=2, namespace='part')) == 2
        # A partition is looked at once more, under a lock, before it is created.
        assert (calls.seen['GetLoadState'], calls.seen['HasPartition']) == (1, 2 - expected)
        assert (calls.seen['LoadCollection'], calls.seen['CreatePartition']) == (1, 1 - expected)
        calls.seen.clear()
        await asked.search('river', k=2, namespace='part')
        assert calls.seen == {'Search': 1}
        await plugin.aclose()


async def test_every_batch_fails_once(calls: Calls, tmp_path: Any) -> None:
    settings = MilvusCollection(name='batches', auto_id=False)
    plugin = Milvus([settings], uri=tmp_path / 'x.db', embedder=HashEmbedder(8), retry=ONCE)
    collection = plugin.collection('batches')
    await collection.add(texts(1))
    for bad in range(4):
        await collection.delete(filter={'n': {'$gte': 0}})
        calls.seen.clear()
        calls.fail = {('Upsert', bad + 1): (5, 'service internal error')}
        report = await collection.add(texts(40), batch_size=10)
        lost = {failure.position for failure in report.failed}
        assert len(lost) == 10
        assert {failure.status for failure in report.failed} == {'UNAVAILABLE'}
        assert (report.written, await collection.count()) == (30, 30)
        assert all((one is None) == (i in lost) for i, one in enumerate(await collection.get(report_ids(texts(40)))))
        calls.fail = {}
        assert (await collection.add(texts(40), batch_size=10)).failed == []
        assert await collection.count() == 40
    await plugin.aclose()


def report_ids(documents: list[Document]) -> list[str]:
    from genkitx.retrieval import document_id

    return [document_id(one) for one in documents]


@pytest.mark.parametrize(
    ('settings', 'hint'),
    [
        ({'text_search': True, 'analyzer_params': {'type': 'english'}}, "'english'"),
        ({'consistency_level': 'Sometimes'}, 'Sometimes'),
    ],
    ids=['analyzer', 'consistency'],
)
async def test_settings_that_the_engine_refuses_fail_at_once(
    calls: Calls, tmp_path: Any, settings: dict[str, Any], hint: str
) -> None:
    refused = MilvusCollection(name='refused', auto_id=False, **settings)
    plugin = Milvus([refused], uri=tmp_path / 'x.db', embedder=HashEmbedder(8))
    with pytest.raises(GenkitError) as error:
        await plugin.collection('refused').add(texts(38))
    assert error.value.status == 'FAILED_PRECONDITION'
    assert 'milvus/refused' in str(error.value)
    assert hint in str(error.value)
    assert calls.seen['CreateCollection'] <= 1
    await plugin.aclose()


async def test_what_passes_is_tried_again(calls: Calls, tmp_path: Any) -> None:
    soon = RetryPolicy(attempts=3, initial_delay=0.001)
    settings = MilvusCollection(name='again', auto_id=False)
    plugin = Milvus([settings], uri=tmp_path / 'x.db', embedder=HashEmbedder(8), retry=soon)
    calls.fail = {('Upsert', 1): (2, 'service unavailable'), ('Upsert', 2): (3, 'memory limit exceeded')}
    report = await plugin.collection('again').add(texts(5))
    assert (report.written, report.failed, calls.seen['Upsert']) == (5, [], 3)
    await plugin.aclose()


async def test_settings_of_a_new_collection(engine: str) -> None:
    settings = MilvusCollection(
        name='settings',
        auto_id=False,
        id_max_length=20,
        metric='L2',
        index_type='HNSW',
        index_params={'M': 8, 'efConstruction': 50},
        consistency_level='Eventually',
        text_search=True,
    )
    plugin = Milvus([settings], uri=engine, embedder=HashEmbedder(8))
    collection = plugin.collection('settings')
    report = await collection.add(texts(3), ids=['a', 'b', 'c' * 21])
    assert [(one.id, one.status) for one in report.failed] == [('c' * 21, 'INVALID_ARGUMENT')]
    assert 'id_max_length' in report.failed[0].error
    described = await describe_milvus_collection('settings', uri=engine)
    assert [one['name'] for one in described['fields']] == ['id', 'vector', 'document', 'sparse']
    match = (await collection.search('river 1', k=1, search_params={'ef': 32}))[0]
    assert match.score == pytest.approx(1, abs=1e-5)
    index: Any = await plugin.collection('settings').store._call('describe_index', index_name='vector')  # type: ignore[attr-defined]
    assert (index['index_type'], index['metric_type']) == ('HNSW', 'L2')
    await plugin.aclose()


async def test_a_dropped_collection_is_made_again(engine: str) -> None:
    from genkitx_milvus import delete_milvus_collection

    plugin = Milvus(['dropped'], uri=engine, embedder=HashEmbedder(8))
    collection = plugin.collection('dropped')
    await collection.add(texts(2))
    await delete_milvus_collection('dropped', uri=engine)
    assert await collection.count() == 0
    await collection.add(texts(1))
    await delete_milvus_collection('dropped', uri=engine)
    assert (await collection.add(texts(3))).written == 3
    assert await collection.count() == 3
    await plugin.aclose()


async def test_namespaces_hold_the_same_ids(engine: str) -> None:
    settings = MilvusCollection(name='tenants', auto_id=False)
    plugin = Milvus([settings], uri=engine, embedder=HashEmbedder(8))
    collection = plugin.collection('tenants')
    for namespace in (None, 'one', 'two'):
        await collection.add([Document.from_text('same', {'of': namespace or 'all'})], ids=['x'], namespace=namespace)
    for namespace in (None, 'one', 'two'):
        found = await collection.search('same', namespace=namespace)
        assert [(match.id, match.document.metadata) for match in found] == [('x', {'of': namespace or 'all'})]
        assert (await collection.get(['x'], namespace=namespace))[0] == found[0].document
    await collection.delete(['x'], namespace='one')
    assert [await collection.count(namespace=one) for one in (None, 'one', 'two')] == [1, 0, 1]
    await collection.delete(filter={'of': {'$exists': True}}, namespace='two')
    assert [await collection.count(namespace=one) for one in (None, 'one', 'two')] == [1, 0, 0]
    assert await collection.count(namespace='never') == 0
    await collection.delete(filter={'of': 'all'}, namespace='never')
    assert (await collection.add(texts(2), namespace='one', on_conflict='skip')).written == 2
    await plugin.aclose()


async def test_deleting_in_a_namespace_spares_the_others_with_automatic_keys(engine: str) -> None:
    plugin = Milvus(['spared'], uri=engine, embedder=HashEmbedder(8))
    collection = plugin.collection('spared')
    await collection.add(texts(3))
    await collection.add(texts(3), namespace='p')
    await collection.delete(filter={'n': {'$lt': 2}}, namespace='p')
    assert [await collection.count(namespace=one) for one in (None, 'p')] == [3, 1]
    own = (await collection.search('river', k=1))[0].id
    await collection.delete([own], namespace='p')
    assert [await collection.count(namespace=one) for one in (None, 'p')] == [3, 1]
    await collection.delete([own])
    assert await collection.count() == 2
    await plugin.aclose()


async def test_hostile_surrogates_and_numbers(engine: str) -> None:
    settings = MilvusCollection(name='surrogates', auto_id=False)
    plugin = Milvus([settings], uri=engine, embedder=HashEmbedder(8))
    collection = plugin.collection('surrogates')
    metadata = {'lone': '\ud800', 'big': 2**70, 'key\udc00': 1, 'fine': '\\ud800', 'tiny': 5e-324, 'neg': -0.0}
    report = await collection.add([Document.from_text('text \udfff', metadata)], ids=['one'])
    assert report.failed == []
    found = (await collection.get(['one']))[0]
    assert found is not None
    assert (found.text, found.metadata) == ('text \udfff', {**metadata, 'neg': 0})
    for condition in ({'lone': '\ud800'}, {'big': 2**70}, {'key\udc00': 1}, {'tiny': {'$lte': 5e-324}}, {'neg': 0}):
        assert len(await collection.search('text', filter=condition)) == 1, condition
    assert await collection.count() == 1
    await plugin.aclose()


async def test_a_partition_of_the_settings_is_a_namespace_of_that_name(engine: str) -> None:
    plugins = {
        name: Milvus(
            [MilvusCollection(name='partition_or_namespace', auto_id=False, partition=name)],
            uri=engine,
            embedder=HashEmbedder(8),
        )
        for name in ('ta', 'tb', '_default', None)
    }
    ta, tb, default, everywhere = (plugin.collection('partition_or_namespace') for plugin in plugins.values())
    for owner, text in ((ta, 'of ta'), (tb, 'of tb'), (default, 'of nobody')):
        assert (await owner.add([Document.from_text(text)], ids=['x'])).written == 1

    async def text_of(collection: VectorCollection, namespace: str | None = None) -> str | None:
        found = (await collection.get(['x'], namespace=namespace))[0]
        return found and found.text

    assert [await text_of(one) for one in (ta, tb, default)] == ['of ta', 'of tb', 'of nobody']
    for anyone in (ta, tb, default, everywhere):
        assert [await text_of(anyone, one) for one in ('ta', 'tb', '_default')] == ['of ta', 'of tb', 'of nobody']
    await default.add([Document.from_text('of ta again')], ids=['x'], namespace='ta')
    assert await text_of(ta) == 'of ta again'
    assert (await ta.count(), await tb.count(), await default.count(), await everywhere.count()) == (1, 1, 1, 3)
    await default.delete(['x'], namespace='tb')
    assert [await text_of(one) for one in (ta, tb, default)] == ['of ta again', None, 'of nobody']
    for plugin in plugins.values():
        await plugin.aclose()


@pytest.mark.parametrize('auto_id', [True, False])
async def test_a_lost_answer_adds_nothing_twice(proxy: Any, server: str, auto_id: bool) -> None:
    settings = MilvusCollection(name=f'lost_{auto_id}', auto_id=auto_id)
    direct, cut = (Milvus([settings], uri=uri, embedder=HashEmbedder(8), timeout=10) for uri in (server, proxy.uri))
    rows = direct.collection(settings.name)
    await rows.add([Document.from_text('there before')])
    await cut.collection(settings.name).search('x')
    proxy.cut = b'river 4'
    report = await cut.collection(settings.name).add(texts(5))
    assert proxy.cut == b''
    assert await rows.count() == 6
    if auto_id:
        assert (report.written, {one.status for one in report.failed}) == (0, {'UNKNOWN'})
        assert 'auto_id=False' in report.failed[0].error
    else:
        assert (report.written, report.failed) == (5, [])
    await direct.aclose()
    await cut.aclose()


async def test_a_lost_answer_of_the_helper_adds_nothing_twice(proxy: Any, server: str) -> None:
    await create_milvus_collection('lost_helper', 4, uri=server)
    proxy.cut = b'river 1'
    with pytest.raises(GenkitError) as error:
        await insert_milvus_data('lost_helper', [{'vector': [1.0] * 4, 'document': 'river 1'}], uri=proxy.uri)
    assert error.value.status == 'UNKNOWN'
    plugin = Milvus(['lost_helper'], uri=server, embedder=HashEmbedder(4))
    assert await plugin.collection('lost_helper').count() == 1
    await plugin.aclose()


async def test_an_insert_that_was_never_sent_may_be_repeated(proxy: Any, server: str) -> None:
    settings = MilvusCollection(name='never_sent')
    plugin = Milvus([settings], uri=proxy.uri, embedder=HashEmbedder(8), timeout=3)
    collection = plugin.collection('never_sent')
    await collection.add(texts(1))
    record = Record('', [1.0] * 8, Document.from_text('the last'))
    proxy.cut, proxy.vanish = b'the last', True
    with pytest.raises(GenkitError) as lost:
        await collection.store.upsert([record])
    assert lost.value.status == 'UNKNOWN'
    with pytest.raises(GenkitError) as unsent:
        await collection.store.upsert([record])
    assert unsent.value.status == 'UNAVAILABLE'
    await proxy.start()
    await RetryPolicy(attempts=8).run(lambda: collection.store.upsert([record]))
    assert await collection.count() == 3
    await plugin.aclose()
