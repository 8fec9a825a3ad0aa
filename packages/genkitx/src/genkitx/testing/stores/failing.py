# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The suite's part on failures: exact reports, retries, cancellation, and what an ingest costs."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest
from genkit import Document, Embedding, EmbedRequest, EmbedResponse, GenkitError

from genkitx.stores import RetryPolicy, VectorCollection
from genkitx.testing.embedder import HashEmbedder
from genkitx.testing.stores.base import (
    PluginFactory,
    StoreSuite,
    capabilities,
    needs,
    only_collection,
    status_of,
    texts,
)

_SOON = RetryPolicy(attempts=3, initial_delay=0.001, max_delay=0.01)


class FlakyEmbedder(HashEmbedder):
    """Fails as told: `fail(request)` returns an error to raise, or None."""

    def __init__(self, dimensions: int, fail: Callable[[EmbedRequest], Exception | None]) -> None:
        super().__init__(dimensions)
        self.fail = fail

    async def __call__(self, request: EmbedRequest) -> EmbedResponse:
        error = self.fail(request)
        response = await super().__call__(request)
        if error is not None:
            raise error
        return response


def _never(request: EmbedRequest) -> None:
    return None


class FailingTests(StoreSuite):
    """What goes wrong, and what must be true afterwards."""

    async def test_one_bad_document_spoils_only_itself(self, open_plugin: PluginFactory) -> None:
        def fail(request: EmbedRequest) -> Exception | None:
            bad = any('number 42 ' in one.text for one in request.input)
            return GenkitError(status='INVALID_ARGUMENT', message='too long') if bad else None

        embedder = FlakyEmbedder(self.dimensions, fail)
        plugin = await open_plugin(embedder=embedder, retry=_SOON)
        collection = only_collection(plugin)
        report = await collection.add(texts(130))
        await self.settle(collection)
        assert [(one.position, one.status, one.error) for one in report.failed] == [
            (42, 'INVALID_ARGUMENT', 'too long')
        ]
        assert (report.written, await collection.count()) == (129, 129)
        embedder.fail = _never
        report = await collection.add(texts(130))
        await self.settle(collection)
        assert (report.failed, await collection.count()) == (
            [],
            130 if capabilities(collection).custom_ids else 259,
        )
        await plugin.aclose()

    async def test_passing_failures_are_retried(self, open_plugin: PluginFactory) -> None:
        failures = iter(
            [GenkitError(status='UNAVAILABLE', message='busy'), GenkitError(status='ABORTED', message='again')]
        )
        embedder = FlakyEmbedder(self.dimensions, lambda request: next(failures, None))
        plugin = await open_plugin(embedder=embedder, retry=_SOON)
        report = await only_collection(plugin).add(texts(5))
        assert (report.written, report.failed) == (5, [])
        await plugin.aclose()

    async def test_a_failing_write_is_reported_exactly(
        self, open_plugin: PluginFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plugin = await open_plugin(embedder=HashEmbedder(self.dimensions), retry=_SOON)
        collection = only_collection(plugin)
        upsert = collection.store.upsert

        async def flaky(records: Any, **arguments: Any) -> None:
            if any(record.document.metadata['n'] == 57 for record in records):
                raise GenkitError(status='UNAVAILABLE', message='the engine is gone')
            await upsert(records, **arguments)

        monkeypatch.setattr(collection.store, 'upsert', flaky)
        report = await collection.add(texts(100), batch_size=20)
        await self.settle(collection)
        assert [one.position for one in report.failed] == list(range(40, 60))
        assert {(one.status, one.error) for one in report.failed} == {('UNAVAILABLE', 'the engine is gone')}
        assert (report.written, await collection.count()) == (80, 80)
        with pytest.raises(GenkitError, match='20 documents') as error:
            report.raise_for_failures()
        assert status_of(error) == 'UNAVAILABLE'
        monkeypatch.undo()
        if capabilities(collection).custom_ids:
            report = await collection.add(texts(100), on_conflict='skip')
            await self.settle(collection)
            assert (report.written, report.skipped, await collection.count()) == (20, 80, 100)
        await plugin.aclose()

    async def test_costs_of_an_ingest(self, collection: VectorCollection, embedder: HashEmbedder) -> None:
        calls = _count_calls(collection)
        size, batch = 230, 50
        report = await collection.add(texts(size), batch_size=batch)
        assert report.written == size
        assert embedder.calls == math.ceil(size / 100)
        assert len(calls) <= math.ceil(size / batch) + 2
        calls.clear()
        await self.settle(collection)
        calls.clear()
        await collection.search('river', k=10)
        assert calls == ['search']

    async def test_wrong_dimension_writes_nothing(self, open_plugin: PluginFactory) -> None:
        embedder = HashEmbedder(self.dimensions)
        plugin = await open_plugin(embedder=embedder)
        collection = only_collection(plugin)
        await collection.add(texts(3))
        await self.settle(collection)
        embedder.dimensions = self.dimensions * 2
        with pytest.raises(GenkitError, match=rf'{self.dimensions}\D+.*\b{self.dimensions * 2}\b') as error:
            await collection.add(texts(3, 'mountain'))
        assert status_of(error) == 'INVALID_ARGUMENT'
        assert await collection.count() == 3
        await plugin.aclose()

    async def test_useless_vectors_are_refused(self, open_plugin: PluginFactory) -> None:
        async def broken(request: EmbedRequest) -> EmbedResponse:
            return EmbedResponse(embeddings=[Embedding(embedding=[math.nan] * self.dimensions) for _ in request.input])

        plugin = await open_plugin(embedder=broken)
        collection = only_collection(plugin)
        report = await collection.add(texts(2))
        assert {one.status for one in report.failed} == {'INVALID_ARGUMENT'}
        with pytest.raises(GenkitError, match='finite'):
            await collection.search('river', k=1)
        await plugin.aclose()

    async def test_several_embeddings_for_a_document(self, open_plugin: PluginFactory) -> None:
        inner = HashEmbedder(self.dimensions)

        async def segments(request: EmbedRequest) -> EmbedResponse:
            return EmbedResponse(
                embeddings=[
                    Embedding(embedding=inner.embed(f'{one.text} {part}'), metadata={'segment': part})
                    for one in request.input
                    for part in range(3)
                ]
            )

        plugin = await open_plugin(embedder=segments)
        collection = only_collection(plugin)
        report = await collection.add([Document.from_text('first', {'a': 1}), Document.from_text('second')])
        await self.settle(collection)
        assert (report.written, await collection.count()) == (2, 6)
        found = await collection.search('first 2', k=6)
        assert {(match.document.text, match.document.metadata['embedMetadata']['segment']) for match in found} == {  # type: ignore[index]
            (text, part) for text in ('first', 'second') for part in range(3)
        }
        await plugin.aclose()

    async def test_cancellation_leaves_no_half_state(self, open_plugin: PluginFactory) -> None:
        gate = asyncio.Event()

        class Slow(HashEmbedder):
            async def __call__(self, request: EmbedRequest) -> EmbedResponse:
                if self.calls >= 2:
                    await gate.wait()
                return await super().__call__(request)

        plugin = await open_plugin(embedder=Slow(self.dimensions))
        collection = only_collection(plugin)
        before = asyncio.all_tasks()
        running = asyncio.ensure_future(collection.add(texts(500), batch_size=100))
        await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        for _ in range(200):
            if asyncio.all_tasks() <= before | {running}:
                break
            await asyncio.sleep(
                0.01
            )  # A vendor's transport may need a few turns of the loop to put its own tasks away.
        assert asyncio.all_tasks() <= before | {running}
        gate.set()
        await self.settle(collection)
        stored = await collection.count()
        assert stored % 100 == 0
        if capabilities(collection).custom_ids:
            report = await collection.add(texts(500))
            await self.settle(collection)
            assert (report.written, await collection.count()) == (500, 500)
        await plugin.aclose()

    async def test_concurrent_writers(self, collection: VectorCollection) -> None:
        needs(capabilities(collection).custom_ids, 'ids of its own')
        topics = ('river', 'mountain', 'garden')
        await asyncio.gather(*(collection.add(texts(20, topic)) for topic in topics), collection.add(texts(20)))
        await self.settle(collection)
        assert await collection.count() == 60

    async def test_without_an_embedder_says_so(self, open_plugin: PluginFactory) -> None:
        plugin = await open_plugin(embedder=None)
        for call in (only_collection(plugin).add(texts(1)), only_collection(plugin).search('x', k=1)):
            with pytest.raises(GenkitError, match='embedder') as error:
                await call
            assert status_of(error) == 'FAILED_PRECONDITION'
        await plugin.aclose()


def _count_calls(collection: VectorCollection) -> list[str]:
    """Counts calls of the adapter: everything that can cost a round trip."""
    calls: list[str] = []
    store = collection.store

    def counted(name: str, method: Any) -> Any:
        async def call(*arguments: Any, **options: Any) -> Any:
            calls.append(name)
            return await method(*arguments, **options)

        return call

    for name in ('upsert', 'search', 'fetch', 'existing', 'delete', 'count', 'dimension'):
        setattr(store, name, counted(name, getattr(store, name)))
    return calls
