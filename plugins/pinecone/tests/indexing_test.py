# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What is sent and stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from genkit import Document, Embedding, EmbedRequest, EmbedResponse, GenkitError, Part
from genkitx.stores import RetryPolicy, VectorCollection
from genkitx.testing import HashEmbedder
from genkitx_pinecone import SparseVector
from pinecone_server import FakePinecone, Fault

Open = Callable[..., VectorCollection]


def numbered(count: int, **more: Any) -> list[Document]:
    return [Document.from_text(f'text number {i}', {'n': i, **more}) for i in range(count)]


def index_of(service: FakePinecone, collection: VectorCollection) -> Any:
    return service.indexes[collection.name.split('/')[1]]


async def test_layout(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    metadata = {
        'lang': 'en', 'year': 2024, 'ok': True, 'none': None, 'tags': ['a', 1, False], 'empty': [], 'src': {'page': 3},
        'a.b': 'x', '$cost': 1.5, '_content': 'mine', 'docMetadata': 'mine too', '': 'nameless',
    }  # fmt: skip
    await collection.add([Document.from_text('hello', metadata)], ids=['one'])
    (body,) = service.bodies('/vectors/upsert')
    (vector,) = body['vectors']
    assert set(vector) == {'id', 'values', 'metadata'}
    row = vector['metadata']
    assert list(row)[:3] == ['docMetadata', '_content', '_contentType']
    assert (row['_content'], row['_contentType']) == ('hello', 'text')
    assert {key: value for key, value in row.items() if key not in ('docMetadata', '_content', '_contentType')} == {
        'lang': 'en', 'year': 2024, 'ok': True, '\\[]tags': ['s:a', 'n:1.0', 'b:false'], '\\[]empty': [''],
        '\\{}src': True, 'src.page': 3, 'a\\.b': 'x', '\\$cost': 1.5, '\\_content': 'mine', '\\docMetadata': 'mine too',
        '\\': 'nameless', 'docNumbers': ['year', 'src.page', '\\$cost'],
    }  # fmt: skip
    (found,) = await collection.get(['one'])
    assert found is not None
    assert found.metadata == metadata


async def test_js_layout_is_js_to_the_byte(service: FakePinecone, open_index: Open) -> None:
    collection = open_index(js_layout=True)
    await collection.add([Document.from_text('hello', {'a': 1})])
    (body,) = service.bodies('/vectors/upsert')
    assert body['vectors'][0]['metadata'] == {'docMetadata': '{"a":1}', '_content': 'hello', '_contentType': 'text'}
    with pytest.raises(GenkitError, match='filter') as error:
        await collection.search('hello', filter={'a': 1})
    assert error.value.status == 'UNIMPLEMENTED'


async def test_round_trips_at_the_server(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    report = await collection.add(numbered(2300))
    assert report.written == 2300
    assert service.paths().count('POST /vectors/upsert') == math.ceil(2300 / 1000)
    assert len(service.requests) <= math.ceil(2300 / 1000) + 2
    assert await collection.count() == 2300


async def test_writes_stay_below_two_megabytes(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    documents = [Document.from_text(f'{i} ' + 'x' * 30_000) for i in range(150)]
    report = await collection.add(documents)
    assert (report.written, report.failed) == (150, [])
    sizes = [len(one.body) for one in service.requests if one.path == '/vectors/upsert']
    assert max(sizes) <= 2_000_000
    assert len(sizes) <= math.ceil(150 * 30_700 / 2_000_000)


async def test_sizes_are_estimated_closely(service: FakePinecone, open_index: Open, params: Any, fresh: Any) -> None:
    from genkitx_pinecone import Pinecone

    name = fresh()
    service.create(name, 1536)
    collection = Pinecone([name], embedder=HashEmbedder(1536), client_params=params).collection(name)
    report = await collection.add(numbered(130))
    assert report.written == 130
    sizes = [len(one.body) for one in service.requests if one.path == '/vectors/upsert']
    assert len(sizes) == 3
    assert 1_850_000 < max(sizes) <= 2_050_000


class Float64(float):
    """As numpy has it: a float that the SDK's JSON does not know."""


async def test_numbers_of_numpy_and_broken_types(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    odd = Document(content=[Part.from_media('data:x,y', 'a\ud800')], metadata={'x': Float64(1.5)})
    report = await collection.add([odd], ids=['a'])
    assert (report.written, report.failed) == (1, [])
    assert await collection.count(filter={'x': 1.5}) == 1


async def test_several_writes_at_once(service: FakePinecone, open_index: Open) -> None:
    service.faults.append(Fault('slow', seconds=0.2, times=6))
    await open_index().add(numbered(60), batch_size=10)
    assert service.paths().count('POST /vectors/upsert') == 6
    assert service.most_at_once == 4


async def test_metadata_over_40_kb_is_refused_before_anything_is_sent(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    large = Document.from_text('large', {'blob': 'ä' * 11_000})  # Twice: as JSON and as a key to filter by.
    report = await collection.add([large], ids=['big-one'])
    (failure,) = report.failed
    assert (failure.position, failure.id, failure.status) == (0, 'big-one', 'INVALID_ARGUMENT')
    assert "'big-one'" in failure.error
    assert '40960' in failure.error
    assert 'POST /vectors/upsert' not in service.paths()
    report = await collection.add([*numbered(3), large])
    assert (report.written, [one.position for one in report.failed]) == (3, [3])
    report = await open_index(js_layout=True).add([large])
    assert report.written == 1


async def test_what_pinecone_refuses_is_refused_here(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    ids = ['fine', 'ä', 'x' * 513, 'nul\0', 'x' * 512]
    report = await collection.add(numbered(5), ids=ids)
    assert [one.position for one in report.failed] == [1, 2, 3]
    assert await collection.get(ids[1:4]) == [None] * 3
    await collection.delete(ids[1:4])

    async def zeros(request: EmbedRequest) -> EmbedResponse:
        return EmbedResponse(embeddings=[Embedding(embedding=[0.0] * 64) for _ in request.input])

    report = await open_index(plugin={'embedder': zeros}).add(numbered(1))
    assert 'zeros' in report.failed[0].error
    for namespace in ('ä', 'x' * 513, 'a\0'):
        with pytest.raises(GenkitError, match='namespace') as error:
            await collection.search('x', namespace=namespace)
        assert error.value.status == 'INVALID_ARGUMENT'
        report = await collection.add(numbered(1), namespace=namespace)
        assert 'namespace' in report.failed[0].error


async def test_a_namespace_of_its_own(service: FakePinecone, open_index: Open) -> None:
    collection = open_index(namespace='mine')
    await collection.add(numbered(2))
    await collection.add(numbered(3), namespace='')
    assert [body.get('namespace') for body in service.bodies('/vectors/upsert')] == ['mine', None]
    assert (await collection.count(), await collection.count(namespace=''), await collection.count(namespace='no')) == (
        2,
        3,
        0,
    )
    await collection.delete(['x'], namespace='no')
    await collection.delete(filter={'n': 1}, namespace='no')
    assert await collection.count(filter={'n': 1}, namespace='no') == 0


async def test_many_ids(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    await collection.add(numbered(1200), ids=[f'id {i} %?&' for i in range(1200)])
    service.requests.clear()
    ids = [f'id {i} %?&' for i in range(1200)]
    assert all(await collection.get([*ids[:250], *ids[:10]]))
    assert service.paths() == ['GET /vectors/fetch'] * 3
    service.requests.clear()
    await collection.delete([*ids, *ids])
    assert service.paths() == ['POST /vectors/delete'] * 2
    assert await collection.count() == 0


async def test_counting_by_filter_reads_every_page(service: FakePinecone, open_index: Open) -> None:
    collection = open_index()
    await collection.add(numbered(1500, even='yes'))
    service.requests.clear()
    assert await collection.count(filter={'even': 'yes'}) == 1500
    assert service.paths() == ['POST /vectors/fetch_by_metadata'] * 2


@pytest.mark.parametrize('tells_lsn', [True, False])
async def test_waiting_until_visible(service: FakePinecone, open_index: Open, tells_lsn: bool) -> None:
    collection = open_index(wait_until_visible=5)
    index = index_of(service, collection)
    index.delay, index.tells_lsn = 0.15, tells_lsn
    await collection.add(numbered(3), ids=['a', 'b', 'c'])
    assert len(index.records()) == 3
    await collection.add([Document.from_text('new')], ids=['a'])
    assert index.records()['a']['metadata']['_content'] == 'new'
    await collection.delete(['a'])
    assert set(index.records()) == {'b', 'c'}
    await collection.delete(filter={'n': 1})
    assert set(index.records()) == {'c'}
    asked = 'POST /query' if tells_lsn else 'GET /vectors/fetch'
    assert asked in service.paths()


async def test_waiting_ends(service: FakePinecone, open_index: Open) -> None:
    collection = open_index(wait_until_visible=0.1)
    index_of(service, collection).held = True
    report = await collection.add(numbered(2))
    assert {(one.status, 'wait_until_visible' in one.error) for one in report.failed} == {('INTERNAL', True)}
    assert service.paths().count('POST /vectors/upsert') == 1


class Terms:
    """A sparse encoder: one index a word."""

    async def encode_documents(self, documents: Sequence[Document]) -> list[SparseVector | None]:
        return [await self.encode_query(one.text) for one in documents]

    async def encode_query(self, text: str) -> SparseVector | None:
        words = sorted({sum(word.encode()) for word in text.split() if word != 'void'})
        return SparseVector(indices=words, values=[1.0] * len(words)) if words else None


async def test_sparse_vectors_are_written(service: FakePinecone, open_index: Open) -> None:
    collection = open_index(metric='dotproduct', sparse_encoder=Terms())
    await collection.add([Document.from_text('red apple'), Document.from_text('void')], ids=['a', 'b'])
    (body,) = service.bodies('/vectors/upsert')
    assert body['vectors'][0]['sparseValues'] == {'indices': [sum(b'red'), sum(b'apple')], 'values': [1.0, 1.0]}
    assert 'sparseValues' not in body['vectors'][1]
    service.requests.clear()
    found = await collection.search('red apple', mode='hybrid', alpha=0.25)
    (query,) = service.bodies('/query')
    assert query['sparseVector']['values'] == [0.75, 0.75]
    assert [match.id for match in found] == ['a', 'b']
    assert found[0].score == pytest.approx(0.25 + 2 * 0.75, abs=1e-5)


class Wide(Terms):
    """A sparse encoder whose vectors are larger than everything else of a record."""

    async def encode_documents(self, documents: Sequence[Document]) -> list[SparseVector | None]:
        values = [1 / (3 + i) for i in range(900)]
        return [SparseVector(indices=list(range(10**9, 10**9 + 900)), values=values) for _ in documents]


async def test_sparse_vectors_count_to_the_two_megabytes(service: FakePinecone, open_index: Open) -> None:
    collection = open_index(metric='dotproduct', sparse_encoder=Wide())
    report = await collection.add(numbered(200))
    assert (report.written, report.failed) == (200, [])
    sizes = [len(one.body) for one in service.requests if one.path == '/vectors/upsert']
    assert max(sizes) <= 2_000_000
    assert len(sizes) == math.ceil(sum(sizes) / 2_000_000)


async def test_what_fails_of_a_write_in_two_requests_is_named(
    service: FakePinecone, open_index: Open, no_pauses: list[float]
) -> None:
    collection = open_index(metric='dotproduct', sparse_encoder=Wide(), plugin={'retry': RetryPolicy(attempts=1)})
    service.faults.append(Fault('status', status=500, skip=1, times=-1))
    report = await collection.add(numbered(100))
    (first,) = [body['vectors'] for body in service.bodies('/vectors/upsert')][:1]
    assert report.written == len(first) < 100
    assert [one.position for one in report.failed] == list(range(len(first), 100))
    service.faults.clear()
    assert (await collection.add(numbered(100))).written == 100
    assert await collection.count() == 100


async def test_an_index_without_sparse_vectors_says_so(service: FakePinecone, open_index: Open) -> None:
    report = await open_index(sparse_encoder=Terms()).add([Document.from_text('red')])
    assert 'does not support sparse' in report.failed[0].error
