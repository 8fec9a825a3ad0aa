# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, and what it is called."""

from __future__ import annotations

import asyncio
import datetime
import email.utils
import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from genkit import Document, GenkitError
from genkitx.stores import RetryPolicy, VectorCollection
from genkitx.testing import HashEmbedder
from genkitx_pinecone import ClientParams, Pinecone, PineconeIndex, create_pinecone_index, delete_pinecone_index
from pinecone_server import KEY, FakePinecone, Fault

Open = Callable[..., VectorCollection]
ONCE = {'retry': RetryPolicy(attempts=1)}


def numbered(count: int) -> list[Document]:
    return [Document.from_text(f'text number {i}', {'n': i}) for i in range(count)]


@pytest.mark.parametrize('status', [429, 503])
@pytest.mark.parametrize('dated', [False, True])
async def test_retry_after_is_honoured(service: FakePinecone, open_index: Open, status: int, dated: bool) -> None:
    collection = open_index(plugin=ONCE)
    await collection.search('x')
    # A date has whole seconds: this one is one to two seconds ahead.
    until = math.ceil(time.time()) + 1
    asked = email.utils.formatdate(until, usegmt=True) if dated else '1'
    service.requests.clear()
    service.faults.append(Fault('status', path='/query', status=status, retry_after=asked))
    assert await collection.search('x') == []
    first, second = (one.at for one in service.requests)
    assert second - first == pytest.approx(until - first if dated else 1, rel=0.1)


async def test_short_pauses_are_not_drawn_out(service: FakePinecone, open_index: Open, no_pauses: list[float]) -> None:
    service.faults.append(Fault('status', path='/query', status=429, retry_after='0.3', times=3))
    assert await open_index().search('x') == []
    assert no_pauses == [0.3, 0.3, 0.3]


async def test_a_pause_beyond_the_deadline_is_not_begun(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    await collection.search('x')
    service.requests.clear()
    service.faults.append(Fault('status', path='/query', status=429, retry_after='120', times=99))
    with pytest.raises(GenkitError) as error:
        await asyncio.wait_for(collection.search('x'), 1)
    assert error.value.status == 'RESOURCE_EXHAUSTED'
    assert error.value.response_metadata == {'retry_after_ms': 120_000}
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    'fault', [Fault('slow', seconds=0.4), Fault('slow', seconds=5), Fault('status', status=503), Fault('cut')]
)
async def test_the_deadline_holds_for_all_attempts(service: FakePinecone, fresh: Any, fault: Fault) -> None:
    name = fresh()
    service.create(name, 8)
    params = ClientParams(api_key=KEY, controller_host=service.url, timeout=0.5)
    plugin = Pinecone([name], embedder=HashEmbedder(8), client_params=params)
    collection = plugin.collection(name)
    await collection.search('x')
    service.faults += [Fault('status', path='/query', status=503), replace(fault, path='/query', times=99)]
    with pytest.raises(GenkitError) as error:
        await asyncio.wait_for(collection.search('x'), 1)
    assert error.value.status in ('DEADLINE_EXCEEDED', 'UNAVAILABLE')
    await plugin.aclose()


async def test_attempts_are_bounded(service: FakePinecone, open_index: Open, no_pauses: list[float]) -> None:
    collection = open_index()
    service.faults.append(Fault('status', path='/query', status=500, times=99))
    with pytest.raises(GenkitError):
        await collection.search('x')
    assert service.paths().count('POST /query') == 4
    assert no_pauses == sorted(no_pauses)
    assert [pytest.approx(one, rel=0.34) for one in (0.19, 0.38, 0.75)] == no_pauses


async def test_retry_after_reaches_the_ingest(
    service: FakePinecone, open_index: Open, no_pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The four attempts are used up; the pipe tries once more, no sooner than it was asked to.
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr('genkitx.stores.retry.asyncio', SimpleNamespace(sleep=sleep))
    collection = open_index(plugin={'retry': RetryPolicy(attempts=2, initial_delay=0.001)})
    service.faults.append(Fault('status', status=429, retry_after='7', times=4))
    report = await collection.add(numbered(5))
    assert (report.written, slept) == (5, [7.0])
    assert service.paths().count('POST /vectors/upsert') == 5


@pytest.mark.parametrize('status', [429, 503])
@pytest.mark.parametrize('dated', [False, True])
async def test_retry_after_is_in_the_error(
    service: FakePinecone, open_index: Open, no_pauses: list[float], status: int, dated: bool
) -> None:
    collection = open_index(plugin=ONCE)
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=90)
    asked = email.utils.format_datetime(later, usegmt=True) if dated else '90'
    service.faults.append(Fault('status', path='/query', status=status, retry_after=asked, times=-1))
    with pytest.raises(GenkitError) as error:
        await collection.search('x')
    assert error.value.response_metadata is not None
    assert 60_000 < error.value.response_metadata['retry_after_ms'] <= 90_000


@pytest.mark.parametrize('asked', ['soon', '-1', '', 'nan'])
async def test_a_retry_after_that_says_nothing(
    service: FakePinecone, open_index: Open, no_pauses: list[float], asked: str
) -> None:
    service.faults.append(Fault('status', path='/query', status=429, retry_after=asked, times=-1))
    with pytest.raises(GenkitError) as error:
        await open_index(plugin=ONCE).search('x')
    assert error.value.status == 'RESOURCE_EXHAUSTED'
    assert not (error.value.response_metadata or {}).get('retry_after_ms')


@pytest.mark.parametrize('kind', ['status', 'cut', 'cut-late'])
async def test_passing_faults_are_survived(
    service: FakePinecone, open_index: Open, no_pauses: list[float], kind: Any
) -> None:
    collection = open_index(plugin=ONCE)
    for path in ('/indexes', '/vectors/upsert', '/query', '/vectors/fetch', '/vectors/delete', '/describe_index_stats'):
        service.faults.append(Fault(kind, path=path, status=503))
    report = await collection.add(numbered(5), ids=list('abcde'))
    assert report.written == 5
    assert len(await collection.search('text', k=9)) == 5
    assert all(await collection.get(['a', 'b']))
    await collection.delete(['a'])
    assert await collection.count() == 4
    assert all(fault.times == 0 for fault in service.faults)


@pytest.mark.parametrize(
    ('fault', 'status'),
    [
        (Fault('status', status=500, times=99), 'UNAVAILABLE'),
        (Fault('status', status=429, times=99), 'RESOURCE_EXHAUSTED'),
        (Fault('status', status=403, times=99), 'PERMISSION_DENIED'),
        (Fault('status', status=402, times=99), 'FAILED_PRECONDITION'),
        (Fault('status', status=400, message='bad', times=99), 'INVALID_ARGUMENT'),
        (Fault('cut', times=99), 'UNAVAILABLE'),
    ],
)
async def test_lasting_faults(
    service: FakePinecone, open_index: Open, no_pauses: list[float], fault: Fault, status: str
) -> None:
    collection = open_index(plugin=ONCE)
    fault.path = '/query'
    service.faults.append(fault)
    with pytest.raises(GenkitError, match=collection.name) as error:
        await collection.search('x')
    assert error.value.status == status
    fault.times = 0
    assert await collection.search('x') == []


async def test_slow_answers_time_out(service: FakePinecone, fresh: Any, no_pauses: list[float]) -> None:
    name = fresh()
    service.create(name, 8)
    params = ClientParams(api_key=KEY, controller_host=service.url, timeout=0.2)
    plugin = Pinecone([name], embedder=HashEmbedder(8), client_params=params)
    await plugin.collection(name).search('x')
    service.faults.append(Fault('slow', path='/query', seconds=0.5, times=4))
    with pytest.raises(GenkitError) as error:
        await plugin.collection(name).search('x')
    assert error.value.status == 'DEADLINE_EXCEEDED'
    await plugin.aclose()


@pytest.mark.parametrize('position', range(5))
async def test_every_batch_fails_once(service: FakePinecone, open_index: Open, position: int) -> None:
    collection = open_index(plugin=ONCE)
    documents = numbered(50)
    await collection.store.dimension()
    # Not one to try again: a conflict. One writer at a time would be predictable; here any batch may be the one.
    service.faults.append(Fault('status', status=409, message='conflict', skip=position))
    report = await collection.add(documents, batch_size=10)
    failed = sorted(one.position for one in report.failed)
    assert len(failed) == 10
    assert failed == list(range(failed[0], failed[0] + 10))
    assert failed[0] % 10 == 0
    index = service.indexes[collection.name.split('/')[1]]
    stored = {row['metadata']['n'] for row in index.records().values()}
    assert stored == set(range(50)) - set(failed)
    assert report.written == 40
    service.requests.clear()
    report = await collection.add(documents, batch_size=10, on_conflict='skip')
    assert (report.written, report.skipped, report.failed) == (10, 40, [])
    assert len(index.records()) == 50


async def test_a_refused_record_spoils_only_itself(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    index = service.indexes[collection.name.split('/')[1]]
    record = index._record

    def picky(source: Any) -> Any:
        from pinecone_rules import need

        need(source['id'] != 'd13', 'this one is not liked')
        return record(source)

    index._record = picky
    report = await collection.add(numbered(40), ids=[f'd{i}' for i in range(40)])
    assert [(one.id, 'not liked' in one.error) for one in report.failed] == [('d13', True)]
    assert len(index.records()) == 39


async def test_too_large_writes_are_halved(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    service.faults.append(Fault('status', status=413, message='Request body is too large', times=1))
    report = await collection.add(numbered(40))
    assert report.written == 40
    assert [len(body['vectors']) for body in service.bodies('/vectors/upsert')] == [40, 20, 20]


async def test_no_such_index(service: FakePinecone, params: ClientParams) -> None:
    plugin = Pinecone(['nowhere'], embedder=HashEmbedder(8), client_params=params)
    for call in (plugin.collection('nowhere').search('x'), plugin.collection('nowhere').add(numbered(1))):
        with pytest.raises(GenkitError, match="create_pinecone_index\\('nowhere'") as error:
            await call
        assert error.value.status == 'NOT_FOUND'


async def test_an_index_that_is_not_ready(service: FakePinecone, params: ClientParams, fresh: Any) -> None:
    name = fresh()
    index = service.create(name, 8)
    index.host, index.looks_until_ready = '', 9
    plugin = Pinecone([name], embedder=HashEmbedder(8), client_params=params)
    with pytest.raises(GenkitError, match='Initializing') as error:
        await plugin.collection(name).search('x')
    assert error.value.status == 'FAILED_PRECONDITION'


async def test_dimensions_that_differ(service: FakePinecone, open_index: Open) -> None:
    collection = open_index(plugin={'embedder': HashEmbedder(32)})
    with pytest.raises(GenkitError, match=r'64 dimensions.*32') as error:
        await collection.add(numbered(2))
    assert error.value.status == 'INVALID_ARGUMENT'
    assert 'POST /vectors/upsert' not in service.paths()
    with pytest.raises(GenkitError, match=r'64 dimensions.*32'):
        await collection.search('x')


async def test_secrets_stay_secret(
    service: FakePinecone, fresh: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    name, secret = fresh(), 'canary-7d31'
    service.create(name, 8)
    params = ClientParams(api_key=secret, controller_host=service.url, additional_headers={'x-token': f'{secret}-2'})
    plugin = Pinecone([name], embedder=HashEmbedder(8), client_params=params)
    # Even where the service repeats what it was sent.
    service.faults.append(Fault('status', path='/indexes', status=401, message=f'Invalid API Key {secret}', times=9))
    with pytest.raises(GenkitError, match='PINECONE_API_KEY') as error:
        await plugin.collection(name).search('x')
    assert error.value.status == 'UNAUTHENTICATED'
    seen: BaseException | None = error.value
    while seen is not None:
        assert secret not in str(seen) + repr(seen)
        seen = seen.__cause__
    assert secret not in caplog.text + repr(plugin) + repr(params)


async def test_cancelling_a_write(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    await collection.store.dimension()
    service.faults.append(Fault('slow', seconds=1, times=9))
    before = asyncio.all_tasks()
    running = asyncio.ensure_future(collection.add(numbered(40), batch_size=10))
    while service.paths().count('POST /vectors/upsert') < 4:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.all_tasks() <= before | {running}
    service.faults.clear()
    report = await collection.add(numbered(40))
    assert report.written == 40
    await collection.aclose()


async def test_connections_are_closed(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    await asyncio.gather(*(collection.search('x') for _ in range(5)))
    assert service.open_connections() > 0
    await collection.aclose()
    await service.all_closed()


async def test_an_emulator_of_another_version(service: FakePinecone, params: ClientParams, fresh: Any) -> None:
    # Descriptions of older API versions are not understood by the SDK; the index's own host is enough.
    name = fresh()
    index = service.create(name, 8)
    described = service._described
    service._described = lambda index: {'name': index.name, 'host': index.host}  # type: ignore[method-assign]
    try:
        plugin = Pinecone([name], embedder=HashEmbedder(8), client_params=params)
        with pytest.raises(GenkitError, match='host=') as error:
            await plugin.collection(name).search('x')
        assert error.value.status == 'FAILED_PRECONDITION'
        settings = PineconeIndex(name=name, host=f'http://{index.host}')
        plugin = Pinecone([settings], embedder=HashEmbedder(8), client_params=params)
        assert (await plugin.collection(name).add(numbered(2))).written == 2
        await plugin.aclose()
    finally:
        service._described = described  # type: ignore[method-assign]


async def recreate(params: ClientParams, name: str, dimension: int) -> None:
    await delete_pinecone_index(name, client_params=params)
    await create_pinecone_index(name, dimension=dimension, client_params=params)


async def test_an_index_created_anew_elsewhere(service: FakePinecone, params: ClientParams, open_index: Open) -> None:
    collection = open_index(wait_until_visible=5)
    name = collection.name.split('/')[1]
    uses: list[Callable[[], Any]] = [
        lambda: collection.search('x'),
        lambda: collection.add(numbered(3), ids=list('abc')),
        lambda: collection.get(['a']),
        lambda: collection.delete(['a']),
        lambda: collection.count(),
        lambda: collection.count(filter={'n': 1}),
    ]
    report = await collection.add(numbered(3), ids=list('abc'))
    assert report.written == 3
    for use in uses:
        await recreate(params, name, 64)
        await use()
    # Those that are under way together find it together.
    await recreate(params, name, 64)
    service.requests.clear()
    assert await asyncio.gather(*(collection.search('x') for _ in range(5))) == [[]] * 5
    assert service.paths().count(f'GET /indexes/{name}') == 1
    await collection.aclose()
    await service.all_closed()


async def test_an_index_created_anew_with_another_dimension(
    params: ClientParams, open_index: Open, service: FakePinecone
) -> None:
    embedder = HashEmbedder(64)
    collection = open_index(plugin={'embedder': embedder})
    name = collection.name.split('/')[1]
    assert (await collection.add(numbered(2))).written == 2
    embedder.dimensions = 32
    with pytest.raises(GenkitError, match='64 dimensions'):
        await collection.add(numbered(2))
    # At the address where it was.
    index = service.indexes[name]
    index.dimension, index.metric = 32, 'euclidean'
    index._visible.clear()
    await asyncio.sleep(1.1)
    assert (await collection.add(numbered(2))).written == 2
    assert (await collection.search('text number 1', k=1))[0].score == pytest.approx(1)
    # And elsewhere.
    await recreate(params, name, 16)
    embedder.dimensions = 16
    await asyncio.sleep(1.1)
    assert (await collection.add(numbered(2))).written == 2
    await collection.aclose()


async def test_an_index_that_was_deleted(params: ClientParams, open_index: Open, no_pauses: list[float]) -> None:
    collection = open_index()
    await collection.add(numbered(2))
    await delete_pinecone_index(collection.name.split('/')[1], client_params=params)
    with pytest.raises(GenkitError, match='create_pinecone_index') as error:
        await collection.search('x')
    assert error.value.status == 'NOT_FOUND'
