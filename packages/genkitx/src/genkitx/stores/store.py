# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The contract between genkitx and a vector store: what an adapter gets, returns and declares."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from genkit import Document, GenkitError

from genkitx.filters import Filter, FilterSupport

SearchMode: TypeAlias = Literal['dense', 'text', 'hybrid']
"""By vector, by the words of the query, or by both, fused."""

MODES: Final[tuple[SearchMode, ...]] = ('dense', 'text', 'hybrid')


@dataclass(frozen=True, slots=True)
class Record:
    """One stored embedding.

    Attributes:
        id: Its id, unique in a namespace.
        vector: The embedding: `d` finite floats. Empty where the vector was not asked for.
        document: The document of this embedding.
    """

    id: str
    vector: Sequence[float]
    document: Document


# Not frozen: that would take three times as long to make, and a search makes many.
@dataclass(slots=True)
class Match:
    """A record that a search found.

    Attributes:
        id: The record's id.
        score: How close it is: higher is always closer. Each store documents the map from its metric.
        document: The record's document.
        vector: Its embedding, if the request asked for vectors.
    """

    id: str
    score: float
    document: Document
    vector: Sequence[float] | None = None


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """What a search asks for. The collection has checked it against the store's capabilities.

    Attributes:
        vector: The query's embedding; None in text mode.
        text: The query's text, for text and hybrid search.
        k: Number of matches to return, at least 1.
        filter: Condition on the metadata.
        namespace: Part of the collection to search; None is the default one.
        min_score: Matches below it are dropped.
        mode: How to search.
        include_vectors: Whether matches carry their vectors.
        native: The options of the store's own `RetrieverOptions` subclass, by their Python names, unset ones left out.
    """

    vector: Sequence[float] | None
    text: str = ''
    k: int = 10
    filter: Filter | None = None
    namespace: str | None = None
    min_score: float | None = None
    mode: SearchMode = 'dense'
    include_vectors: bool = False
    native: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a store can do. What is missing is answered with UNIMPLEMENTED before the store is called.

    Attributes:
        filters: The supported part of the filter language.
        namespaces: Whether a collection has namespaces.
        modes: Search modes.
        custom_ids: Whether records keep the ids they are given; without, every write adds records.
        vectors: Whether a search can return vectors (needed for MMR).
        delete_by_filter: Whether `delete(filter=...)` works.
        max_records: Most records in one write; None for no limit.
        max_bytes: Most bytes in one write, as `VectorStore.record_bytes` counts them; None for no limit.
        max_k: Largest `k`; None for no limit.
        writers: Writes worth having in flight at once.
    """

    filters: FilterSupport = field(default_factory=FilterSupport)
    namespaces: bool = False
    modes: frozenset[SearchMode] = frozenset({'dense'})
    custom_ids: bool = True
    vectors: bool = True
    delete_by_filter: bool = True
    max_records: int | None = None
    max_bytes: int | None = None
    max_k: int | None = None
    writers: int = 2


class BatchError(GenkitError):
    """A write of which a part failed.

    Args:
        failed: The records that were not written, by id, with the reason. Every other record of the batch was written.
    """

    def __init__(self, failed: Mapping[str, Exception]) -> None:
        self.failed = dict(failed)
        first = next(iter(self.failed.items()), None)
        detail = f' First: {first[0]}: {first[1]}' if first else ''
        super().__init__(status='ABORTED', message=f'{len(self.failed)} records were not written.{detail}')


class VectorStore(abc.ABC):
    """The adapter of one collection of one store: the only code that talks to the vendor's client.

    All methods may be called concurrently and from several event loops. Errors are `GenkitError`: NOT_FOUND for a missing
    collection, UNAVAILABLE / DEADLINE_EXCEEDED / RESOURCE_EXHAUSTED / ABORTED for what a retry may cure (with
    `response_metadata` holding `retry_after_ms` where the service said so), INVALID_ARGUMENT for a bad record or query.

    Attributes:
        name: `<plugin>/<collection>`, for messages.
    """

    name: str

    @property
    @abc.abstractmethod
    def capabilities(self) -> Capabilities:
        """What the store can do."""

    @abc.abstractmethod
    async def upsert(self, records: Sequence[Record], *, namespace: str | None = None) -> None:
        """Writes records; a record whose id exists is replaced whole, its old metadata included.

        Args:
            records: At most `max_records` with at most `max_bytes`, ids unique.
            namespace: Where to write; None is the default namespace.

        Raises:
            BatchError: A part was written. Any other error says that nothing was, or that writing it again is safe.
        """

    @abc.abstractmethod
    async def search(self, request: SearchRequest) -> list[Match]:
        """Returns at most `request.k` matches, best first, with exactly one call of the engine."""

    @abc.abstractmethod
    async def fetch(
        self, ids: Sequence[str], *, namespace: str | None = None, include_vectors: bool = False
    ) -> list[Record]:
        """Returns the records with these ids, in any order; missing ones are left out."""

    @abc.abstractmethod
    async def delete(
        self,
        *,
        ids: Sequence[str] | None = None,
        filter: Filter | None = None,  # noqa: A002
        namespace: str | None = None,
    ) -> None:
        """Deletes by ids or by filter (exactly one is given). Missing ids are not an error."""

    @abc.abstractmethod
    async def count(self, *, filter: Filter | None = None, namespace: str | None = None) -> int:  # noqa: A002
        """Returns the exact number of records, all of them or those that match a filter."""

    @abc.abstractmethod
    async def aclose(self) -> None:
        """Closes what the store opened. A later call opens it again."""

    def session(self) -> AbstractAsyncContextManager[Any]:
        """Surrounds the writes of one ingest.

        Override it where a write costs more than its records, such as a file that is saved whole: leaving the session makes
        durable what was written, also after an error or a cancellation.
        """
        return contextlib.nullcontext()

    async def existing(self, ids: Sequence[str], *, namespace: str | None = None) -> set[str]:
        """Returns which of these ids exist. Override it where the engine can tell without sending documents."""
        return {record.id for record in await self.fetch(ids, namespace=namespace)}

    async def dimension(self) -> int | None:
        """Returns the length of the collection's vectors, or None when it is not fixed yet or not known."""
        return None

    def check(self, record: Record) -> None:  # noqa: B027 - most stores take every record
        """Checks a record before anything is written.

        Raises:
            GenkitError: INVALID_ARGUMENT when the store could not hold it without loss.
        """

    def record_bytes(self, record: Record) -> int:
        """Returns about how many bytes a record takes in a write. Only asked where `max_bytes` is set."""
        text = sum(len(part.text or '') for part in record.document.content)
        return 10 * len(record.vector) + 4 * text + len(str(record.document.metadata or '')) + 200


def dimension_error(store: str, expected: int, actual: int, *, what: str = 'a vector') -> GenkitError:
    """The error for a vector of the wrong length: INVALID_ARGUMENT, naming both sizes."""
    return GenkitError(
        status='INVALID_ARGUMENT',
        message=(
            f'{store} holds vectors of {expected} dimensions, but the embedder gave {what} of {actual}. '
            'Use the embedder that the collection was made with, or index into a new collection.'
        ),
    )


def unsupported(store: str, feature: str, hint: str = '') -> GenkitError:
    """The error for a feature that a store lacks: UNIMPLEMENTED, naming both."""
    return GenkitError(
        status='UNIMPLEMENTED', message=f'{store} does not support {feature}.{" " + hint if hint else ""}'
    )
