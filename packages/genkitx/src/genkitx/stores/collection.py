# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A collection: documents in and out of a store, embedding included."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from genkit import Document, GenkitError
from genkit.plugin_api import Action
from pydantic import ValidationError

from genkitx.embedding import Embedder
from genkitx.filters import Filter, parse_filter
from genkitx.retrieval.documents import document_data, text_document
from genkitx.retrieval.indexer import Documents, indexer
from genkitx.retrieval.report import IndexProgress, IndexReport
from genkitx.retrieval.retriever import retriever
from genkitx.stores.ingest import Ingest
from genkitx.stores.options import IndexerOptions, OnConflict, RetrieverOptions
from genkitx.stores.ranking import mmr
from genkitx.stores.retry import RetryPolicy
from genkitx.stores.store import MODES, Match, SearchRequest, VectorStore, dimension_error, unsupported
from genkitx.validation import refused

MMR_FACTOR: Final = 5
"""Candidates that MMR picks from, as a multiple of k."""


class VectorCollection:
    """A collection of a vector store, as users hold it.

    It is what the actions `<plugin>/<collection>` run on, and has what actions cannot offer: search results with scores and
    ids, and get, delete and count.

    Args:
        store: The adapter.
        embedder: What embeds documents and queries; None leaves only what needs no embedding.
        retriever_options: The options model of searches.
        default_k: `k` where a search does not say.
        id_key: The metadata key that holds ids, where an ingest does not say.
        batch_size: Records in one write, where an ingest does not say.
        retry: How failures that may pass are tried again while documents are added.
    """

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder | None,
        *,
        retriever_options: type[RetrieverOptions] = RetrieverOptions,
        default_k: int = 10,
        id_key: str | None = None,
        batch_size: int | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        self.store = store
        self.name = store.name
        self._embedder = embedder
        self._options = retriever_options
        self._default_k = default_k
        self._id_key = id_key
        self._batch_size = batch_size
        self._retry = retry or RetryPolicy()
        self._dimension: int | None = None

    async def add(
        self,
        documents: Documents,
        *,
        ids: Sequence[str] | None = None,
        id_key: str | None = None,
        namespace: str | None = None,
        on_conflict: OnConflict = 'overwrite',
        batch_size: int | None = None,
        on_progress: Callable[[IndexProgress], None] | None = None,
    ) -> IndexReport:
        """Embeds documents and writes them; documents with the same id are replaced.

        Args:
            documents: A list, or an (async) iterator, which is read with bounded memory.
            ids: An id for each document. By default a document's id is the hash of its content and metadata that the JS
                plugins use, so that indexing it again changes nothing.
            id_key: The metadata key that holds the id of a document, instead of `ids`.
            namespace: Part of the collection to write to.
            on_conflict: `overwrite` replaces what is stored; `skip` leaves it, and does not pay for an embedding; `fail`
                reports it as failed.
            batch_size: Records in one write.
            on_progress: Called after every step.

        Returns:
            What became of each document. Failures of single documents or batches are in `failed`, not raised.

        Raises:
            GenkitError: INVALID_ARGUMENT for a bad list (nothing is written), or a failure that every further document
                would meet too: no such collection, no access, wrong dimension.
        """
        self._check_namespace(namespace)
        if ids is None and id_key is None:
            id_key = self._id_key
        ingest = Ingest(
            store=self.store,
            embedder=self._need_embedder(),
            namespace=namespace,
            on_conflict=on_conflict,
            ids=ids,
            id_key=id_key,
            batch_size=batch_size or self._batch_size,
            retry=self._retry,
            on_progress=on_progress,
        )
        report = await ingest.run(documents)
        self._dimension = ingest.dimension or self._dimension
        return report

    async def search(
        self, query: str | Document | Sequence[float], options: RetrieverOptions | None = None, **fields: Any
    ) -> list[Match]:
        """Finds the records closest to a query, with one call of the store and at most one of the embedder.

        Args:
            query: Text, a document, or a vector that is already embedded.
            options: Options as an object of the store's options model.
            **fields: The same options one by one: `k`, `filter`, `namespace`, `min_score`, `mode`, `mmr`, and the store's
                own.

        Returns:
            Matches, best first.

        Raises:
            GenkitError: INVALID_ARGUMENT for wrong options, UNIMPLEMENTED for what the store cannot do.
        """
        chosen = options if options is not None else self._parse(fields)
        request = await self._request(query, chosen)
        matches = await self.store.search(request)
        if chosen.min_score is not None:
            floor = chosen.min_score
            matches = [match for match in matches if match.score >= floor]
        if chosen.mmr is not None and request.vector is not None:
            return mmr(request.vector, matches, k=chosen.k or self._default_k, weight=chosen.mmr.weight)
        return matches

    async def get(self, ids: Sequence[str], *, namespace: str | None = None) -> list[Document | None]:
        """Returns the documents with these ids, in this order; None where there is none."""
        self._check_namespace(namespace)
        if not ids:
            return []
        found = {record.id: record.document for record in await self.store.fetch(ids, namespace=namespace)}
        return [found.get(one) for one in ids]

    async def delete(
        self,
        ids: Sequence[str] | None = None,
        *,
        filter: Filter | Mapping[str, Any] | None = None,  # noqa: A002
        namespace: str | None = None,
    ) -> None:
        """Deletes records by ids or by filter.

        Raises:
            GenkitError: INVALID_ARGUMENT unless exactly one of the two is given: nothing is ever deleted by default.
        """
        condition = parse_filter(filter)
        if (ids is None) == (condition is None):
            raise GenkitError(
                status='INVALID_ARGUMENT', message=f'Deleting from {self.name} takes either ids or a non-empty filter.'
            )
        self._check_namespace(namespace)
        self._check_filter(condition)
        if condition is not None and not self.store.capabilities.delete_by_filter:
            raise unsupported(self.name, 'deleting by filter', 'Delete by ids.')
        if ids is None or ids:
            await self.store.delete(ids=ids, filter=condition, namespace=namespace)

    async def count(
        self,
        *,
        filter: Filter | Mapping[str, Any] | None = None,  # noqa: A002
        namespace: str | None = None,
    ) -> int:
        """Returns the exact number of records, all or those that match a filter."""
        condition = parse_filter(filter)
        self._check_namespace(namespace)
        self._check_filter(condition)
        return await self.store.count(filter=condition, namespace=namespace)

    async def aclose(self) -> None:
        """Closes the store's client; a later call opens it again."""
        await self.store.aclose()

    def retriever_action(self, name: str, info: Mapping[str, Any] | None = None) -> Action[Any, Any, Any]:
        """Builds the retriever action of this collection."""

        async def retrieve(query: Document, options: RetrieverOptions | None) -> list[Document]:
            chosen = options or self._options()
            matches = await self.search(query, chosen)
            return [_scored(match) for match in matches] if chosen.include_score else [m.document for m in matches]

        return retriever(name, retrieve, config_schema=self._options, info=info)

    def indexer_action(
        self, name: str, options_class: type[IndexerOptions], embedder_info: Mapping[str, Any] | None = None
    ) -> Action[Any, Any, Any]:
        """Builds the indexer action of this collection; it streams `IndexProgress` and returns an `IndexReport`."""

        async def index(documents: list[Document], options: IndexerOptions | None, ctx: Any) -> IndexReport:
            chosen = options or options_class()
            fields = {key: getattr(chosen, key) for key in IndexerOptions.model_fields}
            return await self.add(documents, **fields, on_progress=ctx.send_chunk if ctx.is_streaming else None)

        return indexer(name, index, config_schema=options_class, embedder_info=embedder_info)

    def _parse(self, fields: Mapping[str, Any]) -> RetrieverOptions:
        try:
            return self._options.model_validate(dict(fields))
        except ValidationError as error:
            raise refused(f'Invalid options for {self.name}', error) from error

    async def _request(self, query: str | Document | Sequence[float], options: RetrieverOptions) -> SearchRequest:
        mode = options.mode or 'dense'
        k = self._checked_k(options)
        self._check_search(options, mode)
        text = query if isinstance(query, str) else document_data(query) if isinstance(query, Document) else ''
        return SearchRequest(
            vector=None if mode == 'text' else await self._vector(query),
            text=text,
            k=k,
            filter=options.filter,
            namespace=options.namespace,
            min_score=options.min_score,
            mode=mode,
            include_vectors=options.mmr is not None,
            native=options.native(),
        )

    def _checked_k(self, options: RetrieverOptions) -> int:
        k = options.k or self._default_k
        if options.mmr is not None:
            k = max(k, options.mmr.fetch_k or MMR_FACTOR * k)
        limit = self.store.capabilities.max_k
        if limit is not None and k > limit:
            what = 'fetch_k' if options.mmr is not None else 'k'
            raise GenkitError(status='INVALID_ARGUMENT', message=f'{self.name} takes {what} up to {limit}, got {k}.')
        return k

    def _check_search(self, options: RetrieverOptions, mode: str) -> None:
        self._check_namespace(options.namespace)
        self._check_filter(options.filter)
        capabilities = self.store.capabilities
        if mode not in capabilities.modes:
            known = ', '.join(one for one in MODES if one in capabilities.modes)
            raise unsupported(self.name, f'{mode} search', f'It has: {known}.')
        if options.mmr is not None and (mode == 'text' or not capabilities.vectors):
            raise unsupported(self.name, 'mmr' if mode != 'text' else 'mmr in text mode')

    async def _vector(self, query: str | Document | Sequence[float]) -> Sequence[float]:
        if isinstance(query, str):
            vector: Sequence[float] = await self._need_embedder().embed_query(text_document(query))
        elif isinstance(query, Document):
            vector = await self._need_embedder().embed_query(query)
        else:
            vector = query
        if self._dimension is not None and len(vector) != self._dimension:
            # The collection may have been made anew since.
            self._dimension = await self.store.dimension()
            if self._dimension is not None and len(vector) != self._dimension:
                raise dimension_error(self.name, self._dimension, len(vector), what='a query vector')
        return vector

    def _check_namespace(self, namespace: str | None) -> None:
        if namespace is not None and not self.store.capabilities.namespaces:
            raise unsupported(self.name, 'namespaces')

    def _check_filter(self, condition: Filter | None) -> None:
        if condition is None:
            return
        feature = self.store.capabilities.filters.missing(condition)
        if feature is not None:
            raise unsupported(self.name, f'filtering by {feature}')

    def _need_embedder(self) -> Embedder:
        if self._embedder is None:
            raise GenkitError(
                status='FAILED_PRECONDITION',
                message=f'{self.name} has no embedder. Give one to the plugin or to the collection: embedder=...',
            )
        return self._embedder


def _scored(match: Match) -> Document:
    metadata = {**(match.document.metadata or {}), '_id': match.id, '_score': match.score}
    return Document(match.document.content, metadata)
