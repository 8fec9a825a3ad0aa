# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The ingest pipe: documents in, records out, memory bounded, every document accounted for.

    documents -> ids -> duplicates out -> [skip what is stored] -> embed -> records -> write -> report

Batches are embedded several at a time and written while the next are embedded; results are consumed in order. At any time at
most `concurrency` batches are being embedded, one write is being filled and `writers` writes are in flight.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from genkit import Document, Embedding, GenkitError
from genkit.plugin_api import StatusName

from genkitx.embedding import Embedder
from genkitx.retrieval.documents import document_id, embedding_documents
from genkitx.retrieval.indexer import Documents, slices
from genkitx.retrieval.json import check as check_json
from genkitx.retrieval.report import IndexFailure, IndexProgress, IndexReport
from genkitx.stores.options import OnConflict
from genkitx.stores.retry import FATAL, RetryPolicy
from genkitx.stores.store import BatchError, Record, VectorStore, dimension_error, unsupported

DEFAULT_WRITE: Final = 500
"""Records in one write, where neither the caller nor the store says otherwise."""


@dataclass(eq=False)
class _Item:
    """A document on its way."""

    position: int
    document: Document
    id: str
    explicit: bool
    waiting: int = 0
    ids: list[str] = field(default_factory=list[str])
    repeats: list[int] = field(default_factory=list[int])
    done: bool = False
    error: Exception | None = None


@dataclass(kw_only=True)
class Ingest:
    """One run of the pipe.

    Attributes:
        store: Where records go.
        embedder: What embeds.
        namespace: Part of the collection to write to.
        on_conflict: `overwrite` replaces, `skip` leaves what is stored and does not embed it, `fail` reports it.
        ids: An id for each document; by default the id that JS gives it.
        id_key: The metadata key that holds a document's id, instead of `ids`.
        batch_size: Records in one write; the store's limits apply anyway.
        concurrency: Batches embedded at once.
        retry: How failures that may pass are tried again.
        on_progress: Called after every step.
    """

    store: VectorStore
    embedder: Embedder
    namespace: str | None = None
    on_conflict: OnConflict = 'overwrite'
    ids: Sequence[str] | None = None
    id_key: str | None = None
    batch_size: int | None = None
    concurrency: int = 4
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    on_progress: Callable[[IndexProgress], None] | None = None

    def __post_init__(self) -> None:
        self._report = IndexReport()
        self._ids: list[tuple[int, list[str]]] = []
        self._seen: dict[str, _Item] = {}
        self._buffer: deque[tuple[_Item, Record]] = deque()
        self._writes: set[asyncio.Task[None]] = set()
        self.dimension: int | None = None
        self._total: int | None = None
        limits = [size for size in (self.batch_size, self.store.capabilities.max_records) if size is not None]
        self._write_size = min(limits) if limits else DEFAULT_WRITE

    async def run(self, documents: Documents) -> IndexReport:
        """Ingests documents.

        Returns:
            What became of each.

        Raises:
            GenkitError: INVALID_ARGUMENT for a bad list, before anything is written; or a failure that every further
                document would meet too (no such collection, no access, wrong dimension).
        """
        self._check_support()
        async with self.store.session():
            await self._pump(documents)
        self._report.failed.sort(key=lambda failure: failure.position)
        self._report.ids = [one for _, ids in sorted(self._ids) for one in ids]
        return self._report

    async def _pump(self, documents: Documents) -> None:
        embedding: deque[asyncio.Task[list[tuple[_Item, list[Embedding]]]]] = deque()
        try:
            async for batch in self._batches(documents):
                if len(embedding) >= self.concurrency:
                    await self._consume(await embedding.popleft())
                embedding.append(asyncio.ensure_future(self._embed(batch)))
            while embedding:
                await self._consume(await embedding.popleft())
            await self._drain()
        finally:
            tasks: list[asyncio.Task[Any]] = [*embedding, *self._writes]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # Documents and ids.

    def _check_support(self) -> None:
        custom = self.ids is not None or self.id_key is not None or self.on_conflict != 'overwrite'
        if custom and not self.store.capabilities.custom_ids:
            raise unsupported(self.store.name, 'ids of your own, nor on_conflict other than overwrite')
        if self.ids is not None and self.id_key is not None:
            raise GenkitError(status='INVALID_ARGUMENT', message='Give either ids or id_key, not both.')

    async def _batches(self, documents: Documents) -> AsyncIterator[list[_Item]]:
        if isinstance(documents, Sequence):
            for batch in self._list_batches(list(documents)):
                yield batch
            return
        if self.ids is not None:
            raise GenkitError(
                status='INVALID_ARGUMENT', message='ids go with a list of documents; with an iterator use id_key.'
            )
        position = 0
        async for part in slices(documents, self.embedder.batch_size):
            batch = [self._item(position + i, document) for i, document in enumerate(part)]
            position += len(part)
            yield self._fresh([item for item in batch if self._is_sound(item)])

    def _list_batches(self, documents: list[Document]) -> list[list[_Item]]:
        # A list is checked whole before anything is embedded or written.
        self._total = len(documents)
        if self.ids is not None and len(self.ids) != len(documents):
            raise GenkitError(
                status='INVALID_ARGUMENT', message=f'Got {len(self.ids)} ids for {len(documents)} documents.'
            )
        items = [self._item(position, document) for position, document in enumerate(documents)]
        for item in items:
            if item.error is not None:
                raise item.error
        fresh = self._fresh(items)
        size = self.embedder.batch_size
        return [fresh[i : i + size] for i in range(0, len(fresh), size)]

    def _item(self, position: int, document: Document) -> _Item:
        item = _Item(position, document, '', explicit=self.ids is not None or self.id_key is not None)
        try:
            if not document.content:
                raise self._bad_document(position, 'it has no content')
            check_json(document.metadata)
            item.id = self._id(position, document)
        except GenkitError as error:
            item.error = error
        except (TypeError, ValueError, RecursionError) as error:
            item.error = self._bad_document(position, f'its metadata is not JSON: {error}')
        return item

    def _id(self, position: int, document: Document) -> str:
        if self.ids is not None:
            given: object = self.ids[position]
        elif self.id_key is not None:
            given = (document.metadata or {}).get(self.id_key)
            given = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
        else:
            return document_id(document)
        if not isinstance(given, str) or not given:
            source = f'metadata[{self.id_key!r}]' if self.id_key is not None else 'ids'
            raise self._bad_document(position, f'{source} gives it no id: a non-empty string is needed')
        return given

    def _bad_document(self, position: int, problem: str) -> GenkitError:
        return GenkitError(
            status='INVALID_ARGUMENT',
            message=f'{self.store.name} cannot index the document at position {position}: {problem}.',
        )

    def _is_sound(self, item: _Item) -> bool:
        if item.error is not None:
            self._finish(item)
        return item.error is None

    def _fresh(self, items: list[_Item]) -> list[_Item]:
        """Leaves out documents that occurred before; an id that two documents of the input claim is an error."""
        fresh: list[_Item] = []
        for item in items:
            first = self._seen.setdefault(item.id, item)
            if first is item:
                fresh.append(item)
            elif item.explicit:
                self._fail(
                    item, 'ALREADY_EXISTS', f'The id {item.id!r} was given to an earlier document of this input.'
                )
            elif first.done:
                self._repeat(first, item.position)
            else:
                first.repeats.append(item.position)
        return fresh

    # Embedding.

    async def _embed(self, batch: list[_Item]) -> list[tuple[_Item, list[Embedding]]]:
        batch = await self._without_stored(batch)
        if not batch:
            return []
        try:
            found = await self.retry.run(lambda: self.embedder.embed_batch([item.document for item in batch]))
            return list(zip(batch, found, strict=True))
        except GenkitError as error:
            if error.status in FATAL:
                raise
            if error.status == 'INVALID_ARGUMENT' and len(batch) > 1:
                return await self._embed_each(batch)
            return self._failed(batch, error)

    async def _embed_each(self, batch: list[_Item]) -> list[tuple[_Item, list[Embedding]]]:
        # One bad document spoils a batch: asked one by one, only it fails.
        found: list[tuple[_Item, list[Embedding]]] = []
        for item in batch:
            try:
                one = await self.retry.run(lambda item=item: self.embedder.embed_document(item.document))
                found.append((item, one))
            except GenkitError as error:
                found += self._failed([item], error)
        return found

    async def _without_stored(self, batch: list[_Item]) -> list[_Item]:
        if self.on_conflict == 'overwrite' or not batch:
            return batch
        ids = [item.id for item in batch]
        stored = await self.retry.run(lambda: self.store.existing(ids, namespace=self.namespace))
        for item in batch:
            if item.id not in stored:
                continue
            if self.on_conflict == 'skip':
                item.ids = [item.id]
                self._finish(item, skipped=True)
            else:
                self._fail(item, 'ALREADY_EXISTS', f'{self.store.name} holds a record with the id {item.id!r} already.')
        if stored:
            self._tell([])
        return [item for item in batch if item.id not in stored]

    def _failed(self, batch: list[_Item], error: Exception) -> list[tuple[_Item, list[Embedding]]]:
        for item in batch:
            item.error = error
            self._finish(item)
        self._tell([])
        return []

    # Records and writes.

    async def _consume(self, embedded: list[tuple[_Item, list[Embedding]]]) -> None:
        for item, embeddings in embedded:
            await self._add(item, embeddings)
        while len(self._buffer) >= self._write_size:
            await self._start_write()

    async def _add(self, item: _Item, embeddings: list[Embedding]) -> None:
        records = self._records(item, embeddings)
        if self.dimension is None:
            await self._learn_dimension(len(records[0].vector))
        try:
            for record in records:
                if len(record.vector) != self.dimension:
                    raise dimension_error(self.store.name, self.dimension or 0, len(record.vector))
                self.store.check(record)
        except GenkitError as error:
            item.error = error
            self._finish(item)
            return
        item.waiting = len(records)
        item.ids = [record.id for record in records]
        self._buffer.extend((item, record) for record in records)

    def _records(self, item: _Item, embeddings: list[Embedding]) -> list[Record]:
        documents = embedding_documents(item.document, embeddings)
        vectors = [embedding.embedding for embedding in embeddings]
        if item.explicit:
            ids = [item.id if i == 0 else f'{item.id}#{i}' for i in range(len(documents))]
        else:
            plain = [item.id if one is item.document else document_id(one) for one in documents]
            # Embeddings without metadata of their own would share an id and overwrite each other.
            ids = [one if one not in plain[:i] else f'{one}#{i}' for i, one in enumerate(plain)]
        vectors = [embedding.embedding for embedding in embeddings]
        return [Record(*one) for one in zip(ids, vectors, documents, strict=True)]

    async def _learn_dimension(self, size: int) -> None:
        # Before the first write: a wrong embedder must not leave a single record.
        expected = await self.retry.run(self.store.dimension)
        if expected is not None and expected != size:
            raise dimension_error(self.store.name, expected, size)
        self.dimension = size

    async def _drain(self) -> None:
        while self._buffer:
            await self._start_write()
        if self._writes:
            await self._raise_first(asyncio.ALL_COMPLETED)

    async def _start_write(self) -> None:
        while len(self._writes) >= self.store.capabilities.writers:
            await self._raise_first(asyncio.FIRST_COMPLETED)
        self._writes.add(asyncio.ensure_future(self._write(self._take())))

    async def _raise_first(self, until: str) -> None:
        done, self._writes = await asyncio.wait(self._writes, return_when=until)
        for task in done:
            task.result()

    def _take(self) -> list[tuple[_Item, Record]]:
        limit = self.store.capabilities.max_bytes
        batch: list[tuple[_Item, Record]] = []
        size = 0
        while self._buffer and len(batch) < self._write_size:
            if limit is not None:
                size += self.store.record_bytes(self._buffer[0][1])
                if batch and size > limit:
                    break
            batch.append(self._buffer.popleft())
        return batch

    async def _write(self, batch: list[tuple[_Item, Record]]) -> None:
        failed = await self._upsert([record for _, record in batch])
        for item, record in batch:
            item.waiting -= 1
            item.error = item.error or failed.get(record.id)
            if item.waiting == 0:
                self._finish(item)
        self._tell([record.id for _, record in batch if record.id not in failed])

    async def _upsert(self, records: list[Record]) -> dict[str, Exception]:
        """Writes records; returns those that were not written, with the reason."""
        try:
            await self.retry.run(lambda: self.store.upsert(records, namespace=self.namespace))
        except BatchError as error:
            return error.failed
        except GenkitError as error:
            if error.status in FATAL:
                raise
            if error.status == 'INVALID_ARGUMENT' and len(records) > 1:
                # One bad record spoils a write: halves find it, and the others are written.
                half = len(records) // 2
                return {**await self._upsert(records[:half]), **await self._upsert(records[half:])}
            return dict.fromkeys((record.id for record in records), error)
        return {}

    # Accounting.

    def _fail(self, item: _Item, status: StatusName, message: str) -> None:
        item.error = GenkitError(status=status, message=message)
        self._finish(item)

    def _finish(self, item: _Item, *, skipped: bool = False) -> None:
        item.done = True
        if item.error is not None:
            self._add_failure(item, item.position)
        else:
            self._add_success(item, item.position, skipped=skipped)
        for position in item.repeats:
            self._repeat(item, position)
        if self._total is None and self._seen.get(item.id) is item:
            # An iterator may be endless: only documents on their way are remembered.
            del self._seen[item.id]

    def _repeat(self, item: _Item, position: int) -> None:
        """A document that occurred before shares the fate of its first occurrence."""
        if item.error is not None:
            self._add_failure(item, position)
        else:
            self._add_success(item, position, skipped=True)

    def _add_success(self, item: _Item, position: int, *, skipped: bool) -> None:
        if skipped:
            self._report.skipped += 1
        else:
            self._report.written += 1
        if self._total is not None and self.store.capabilities.custom_ids:
            self._ids.append((position, item.ids))

    def _add_failure(self, item: _Item, position: int) -> None:
        error = item.error
        status = error.status if isinstance(error, GenkitError) else 'UNKNOWN'
        text = error.original_message if isinstance(error, GenkitError) else str(error)
        self._report.failed.append(IndexFailure(position=position, id=item.id or None, error=text, status=status))

    def _tell(self, ids: list[str]) -> None:
        if self.on_progress is None:
            return
        report = self._report
        self.on_progress(
            IndexProgress(
                done=report.written + report.skipped + len(report.failed),
                total=self._total,
                written=report.written,
                skipped=report.skipped,
                failed=len(report.failed),
                ids=ids,
            )
        )
