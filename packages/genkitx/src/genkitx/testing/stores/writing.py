# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The suite's part on writing: ids, conflicts, replacement, and what must come back unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from genkit import Document, GenkitError

from genkitx.retrieval import document_id
from genkitx.stores import VectorCollection
from genkitx.testing.embedder import HashEmbedder
from genkitx.testing.payloads import PAYLOADS
from genkitx.testing.stores.base import StoreSuite, capabilities, needs, odd_documents, status_of, texts, wire


class WritingTests(StoreSuite):
    """Documents in."""

    async def test_add_reports_ids_in_order(self, collection: VectorCollection) -> None:
        documents = texts(7)
        report = await collection.add(documents)
        await self.settle(collection)
        assert (report.written, report.skipped, report.failed) == (7, 0, [])
        assert await collection.count() == 7
        if capabilities(collection).custom_ids:
            assert report.ids == [document_id(document) for document in documents]

    async def test_adding_again_changes_nothing(self, collection: VectorCollection) -> None:
        needs(capabilities(collection).custom_ids, 'ids of its own')
        await collection.add(texts(5))
        await collection.add(texts(5))
        await self.settle(collection)
        assert await collection.count() == 5

    async def test_nothing_is_lost(self, collection: VectorCollection) -> None:
        documents = odd_documents()
        report = await collection.add(documents)
        assert report.failed == []
        await self.settle(collection)
        matches = await collection.search('plain', k=len(documents))
        found = sorted((wire(match.document) for match in matches), key=str)
        assert found == sorted((wire(document) for document in documents), key=str)

    async def test_inputs_are_not_changed(self, collection: VectorCollection) -> None:
        documents = odd_documents()
        await collection.add(documents)
        assert [wire(one) for one in documents] == [wire(one) for one in odd_documents()]

    async def test_what_is_stored_belongs_to_the_store(self, collection: VectorCollection) -> None:
        given = Document.from_text('river', {'n': 1, 'tags': ['a']})
        stored = wire(given.model_copy(deep=True))
        await collection.add([given])
        await self.settle(collection)
        _spoil(given)
        (match,) = await collection.search('river', k=1)
        _spoil(match.document)
        if capabilities(collection).custom_ids:
            (got,) = await collection.get([match.id])
            assert got is not None
            assert wire(got) == stored
            _spoil(got)
        (match,) = await collection.search('river', k=1)
        assert wire(match.document) == stored

    async def test_own_ids(self, collection: VectorCollection) -> None:
        needs(capabilities(collection).custom_ids, 'ids of its own')
        report = await collection.add(texts(3), ids=['a', 'b', 'c'])
        await self.settle(collection)
        assert report.ids == ['a', 'b', 'c']
        assert [wire(one) for one in await collection.get(['c', 'nope', 'a'])] == [
            wire(texts(3)[2]),
            None,
            wire(texts(3)[0]),
        ]

    async def test_ids_from_metadata(self, collection: VectorCollection) -> None:
        needs(capabilities(collection).custom_ids, 'ids of its own')
        documents = [Document.from_text('x', {'sku': 'p-1'}), Document.from_text('y', {'sku': 7})]
        report = await collection.add(documents, id_key='sku')
        assert report.ids == ['p-1', '7']
        with pytest.raises(GenkitError, match='sku') as error:
            await collection.add([Document.from_text('z', {})], id_key='sku')
        assert status_of(error) == 'INVALID_ARGUMENT'

    async def test_hostile_ids_are_kept_or_refused(self, collection: VectorCollection) -> None:
        needs(capabilities(collection).custom_ids, 'ids of its own')
        await collection.add([Document.from_text('bystander')], ids=['bystander'])
        documents = [Document.from_text(f'payload {i}', {'i': i}) for i in range(len(PAYLOADS))]
        report = await collection.add(documents, ids=list(PAYLOADS))
        await self.settle(collection)
        assert {failure.status for failure in report.failed} <= {'INVALID_ARGUMENT'}
        refused = {failure.id for failure in report.failed}
        kept = [(one, document) for one, document in zip(PAYLOADS, documents, strict=True) if one not in refused]
        assert len(kept) > len(PAYLOADS) // 3
        found = await collection.get([one for one, _ in kept])
        assert [wire(one) for one in found] == [wire(document) for _, document in kept]
        await collection.delete([one for one, _ in kept[::2]])
        await self.settle(collection)
        assert await collection.count() == 1 + len(kept) - len(kept[::2])

    async def test_replacing_leaves_nothing_of_the_old(self, collection: VectorCollection) -> None:
        needs(capabilities(collection).custom_ids, 'ids of its own')
        old = Document.from_text('old text', {'color': 'red', 'only_old': 'x', 'nested': {'a': 'b'}})
        new = Document.from_text('new text', {'color': 'blue'})
        await collection.add([old], ids=['one'])
        await collection.add([new], ids=['one'])
        await self.settle(collection)
        assert await collection.count() == 1
        assert [wire(one) for one in await collection.get(['one'])] == [wire(new)]
        support = capabilities(collection).filters
        if '$eq' in support.operators:
            assert await collection.search('text', k=3, filter={'only_old': 'x'}) == []
            assert await collection.search('text', k=3, filter={'color': 'red'}) == []
            assert len(await collection.search('text', k=3, filter={'color': 'blue'})) == 1

    async def test_skip_pays_for_nothing_that_is_there(
        self, collection: VectorCollection, embedder: HashEmbedder
    ) -> None:
        needs(capabilities(collection).custom_ids, 'ids of its own')
        await collection.add(texts(4))
        await self.settle(collection)
        embedder.requests.clear()
        report = await collection.add(texts(6), on_conflict='skip')
        await self.settle(collection)
        assert (report.written, report.skipped) == (2, 4)
        assert sum(len(request.input) for request in embedder.requests) == 2
        assert report.ids == [document_id(one) for one in texts(6)]
        assert await collection.count() == 6

    async def test_fail_reports_what_is_there(self, collection: VectorCollection) -> None:
        needs(capabilities(collection).custom_ids, 'ids of its own')
        await collection.add(texts(2))
        await self.settle(collection)
        report = await collection.add(texts(3), on_conflict='fail')
        assert [(one.position, one.status) for one in report.failed] == [(0, 'ALREADY_EXISTS'), (1, 'ALREADY_EXISTS')]
        assert report.written == 1

    async def test_duplicates_are_written_once(self, collection: VectorCollection, embedder: HashEmbedder) -> None:
        document = Document.from_text('same')
        report = await collection.add([document, Document.from_text('same'), Document.from_text('other'), document])
        await self.settle(collection)
        assert (report.written, report.skipped) == (2, 2)
        assert sum(len(request.input) for request in embedder.requests) == 2
        assert await collection.count() == 2

    async def test_one_id_for_two_documents_is_reported(self, collection: VectorCollection) -> None:
        needs(capabilities(collection).custom_ids, 'ids of its own')
        report = await collection.add(texts(3), ids=['a', 'b', 'a'])
        assert [(one.position, one.id, one.status) for one in report.failed] == [(2, 'a', 'ALREADY_EXISTS')]
        assert report.written == 2

    async def test_iterators(self, collection: VectorCollection, embedder: HashEmbedder) -> None:
        async def source() -> AsyncIterator[Document]:
            for document in texts(230):
                yield document

        steps: list[int] = []
        report = await collection.add(source(), on_progress=lambda progress: steps.append(progress.done))
        await self.settle(collection)
        assert (report.written, report.ids) == (230, [])
        assert steps == sorted(steps)
        assert steps[-1] == 230
        assert embedder.calls == 3
        report = await collection.add(iter(texts(5, 'mountain')))
        await self.settle(collection)
        assert report.written == 5
        assert await collection.count() == 235

    async def test_nothing_to_do(self, collection: VectorCollection, embedder: HashEmbedder) -> None:
        report = await collection.add([])
        assert (report.written, report.ids, embedder.calls) == (0, [], 0)

    async def test_bad_documents_are_refused_before_anything_is_written(
        self, collection: VectorCollection, embedder: HashEmbedder
    ) -> None:
        good = texts(3)
        for bad in (
            Document(content=[]),
            Document.from_text('x', {'when': {1, 2}}),
            Document.from_text('x', {'f': object()}),
            Document.from_text('x', {'key': {1: 2}}),
            Document.from_text('x', {'deep': [[b'bytes']]}),
            Document.from_text('x', {'deeper': _nested(250)}),
        ):
            for ids in (None, ['a', 'b', 'c', 'd']) if capabilities(collection).custom_ids else (None,):
                with pytest.raises(GenkitError, match='position 3') as error:
                    await collection.add([*good, bad], ids=ids)
                assert status_of(error) == 'INVALID_ARGUMENT'
                assert collection.name in str(error.value)
        assert embedder.calls == 0
        with pytest.raises(GenkitError):
            await collection.add(good, ids=['only one'])
        assert await collection.count() == 0

    async def test_delete_by_ids(self, collection: VectorCollection) -> None:
        needs(capabilities(collection).custom_ids, 'ids of its own')
        await collection.add(texts(4), ids=['a', 'b', 'c', 'd'])
        await self.settle(collection)
        await collection.delete(['b', 'd', 'never there'])
        await collection.delete([])
        await self.settle(collection)
        assert await collection.count() == 2
        assert [one is None for one in await collection.get(['a', 'b', 'c', 'd'])] == [False, True, False, True]
        await collection.add(texts(4)[1:2], ids=['b'])
        await self.settle(collection)
        assert [wire(one) for one in await collection.get(['b'])] == [wire(texts(4)[1])]

    async def test_delete_by_filter(self, collection: VectorCollection) -> None:
        needs(capabilities(collection).delete_by_filter, 'deletion by filter')
        await collection.add(texts(6))
        await self.settle(collection)
        await collection.delete(filter={'even': True})
        await self.settle(collection)
        assert await collection.count() == 3
        assert {match.document.metadata['even'] for match in await collection.search('river', k=6)} == {False}  # type: ignore[index]

    async def test_nothing_is_deleted_by_default(self, collection: VectorCollection) -> None:
        await collection.add(texts(2))
        wrong: list[dict[str, Any]] = [{}, {'filter': {}}, {'filter': None}, {'ids': ['a'], 'filter': {'n': 1}}]
        for arguments in wrong:
            with pytest.raises(GenkitError) as error:
                await collection.delete(**arguments)
            assert status_of(error) == 'INVALID_ARGUMENT'
        await self.settle(collection)
        assert await collection.count() == 2


def _spoil(document: Document) -> None:
    metadata = document.metadata or {}
    metadata['n'] = -1
    metadata['tags'].append('spoiled')
    document.content[0].text = 'spoiled'


def _nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value
