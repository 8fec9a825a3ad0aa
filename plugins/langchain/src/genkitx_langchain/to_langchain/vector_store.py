# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""`GenkitVectorStore`: any genkitx collection as a LangChain vector store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from genkit import GenkitError
from genkitx import VectorCollection, document_id
from genkitx.stores import Match
from langchain_core.documents import Document as LangChainDocument
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from typing_extensions import Self

from genkitx_langchain.background import background
from genkitx_langchain.convert.documents import to_genkit_document, to_langchain_document

StoreT = TypeVar('StoreT', bound='GenkitVectorStore')


class GenkitVectorStore(VectorStore):
    """A genkitx collection as a LangChain vector store; the collection embeds.

    Documents without an id get the hash of their content, so that adding them again changes nothing. Searches take the
    collection's own options (`filter`, `namespace`, `min_score`, `mode`) as keywords; scores are the collection's, where
    higher is closer.

    Args:
        collection: The collection: `plugin.collection('docs')`.
        namespace: The part of the collection to work in.
    """

    def __init__(self, collection: VectorCollection, *, namespace: str | None = None) -> None:
        self.collection = collection
        self.namespace = namespace

    @property
    def embeddings(self) -> Embeddings | None:
        """None: the collection embeds by itself."""
        return None

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings | None = None,
        metadatas: list[dict[Any, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        collection: VectorCollection | None = None,
        **kwargs: Any,
    ) -> Self:
        """Adds texts to a collection, which must be given and embeds by itself (`embedding` stays None)."""
        store = cls(_given(collection, embedding), **kwargs)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @classmethod
    async def afrom_texts(
        cls,
        texts: list[str],
        embedding: Embeddings | None = None,
        metadatas: list[dict[Any, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        collection: VectorCollection | None = None,
        **kwargs: Any,
    ) -> Self:
        """Adds texts to a collection, which must be given and embeds by itself (`embedding` stays None)."""
        store = cls(_given(collection, embedding), **kwargs)
        await store.aadd_texts(texts, metadatas, ids=ids)
        return store

    async def aadd_documents(self, documents: list[LangChainDocument], **kwargs: Any) -> list[str]:
        """Adds documents, or replaces those with the same ids.

        Args:
            documents: The documents; they are not changed.
            **kwargs: `ids`, and the options of the collection's `add` (`on_conflict`, `batch_size`, `on_progress`).

        Returns:
            The ids, one a document, in order.

        Raises:
            GenkitError: The failure of a document that could not be written.
        """
        given: Sequence[str | None] | None = kwargs.pop('ids', None)
        ids = [document.id for document in documents] if given is None else given
        converted = [
            to_genkit_document(LangChainDocument(page_content=one.page_content, metadata=one.metadata))
            for one in documents
        ]
        if len(ids) != len(converted):
            raise GenkitError(
                status='INVALID_ARGUMENT', message=f'There are {len(converted)} documents and {len(ids)} ids.'
            )
        # Equal documents are one, unless they have ids of their own.
        final = [one or document_id(document) for one, document in zip(ids, converted, strict=True)]
        entries = dict(zip(final, converted, strict=True))
        kwargs.setdefault('namespace', self.namespace)
        report = await self.collection.add(list(entries.values()), ids=list(entries), **kwargs)
        if report.failed:
            first = report.failed[0]
            raise GenkitError(
                status='INTERNAL',
                message=f'{len(report.failed)} of {len(entries)} documents were not written; {first.id}: {first.error}',
            )
        return final

    def add_documents(self, documents: list[LangChainDocument], **kwargs: Any) -> list[str]:
        """Adds documents; see `aadd_documents`."""
        return background.run(lambda: self.aadd_documents(documents, **kwargs))

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[Any, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Adds texts; see `aadd_documents`."""
        held = list(texts)
        if metadatas is not None and len(metadatas) != len(held):
            raise GenkitError(
                status='INVALID_ARGUMENT', message=f'There are {len(held)} texts and {len(metadatas)} metadatas.'
            )
        documents = [
            LangChainDocument(page_content=text, metadata=metadata)
            for text, metadata in zip(held, metadatas or [{} for _ in held], strict=True)
        ]
        return await self.aadd_documents(documents, ids=ids, **kwargs)

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[Any, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Adds texts; see `aadd_documents`."""
        return background.run(lambda: self.aadd_texts(texts, metadatas, ids=ids, **kwargs))

    async def adelete(self, ids: list[str] | None = None, **kwargs: Any) -> bool | None:
        """Deletes by ids, or by `filter=`; nothing is ever deleted by default."""
        kwargs.setdefault('namespace', self.namespace)
        await self.collection.delete(ids, **kwargs)
        return True

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool | None:
        """Deletes by ids, or by `filter=`; nothing is ever deleted by default."""
        return background.run(lambda: self.adelete(ids, **kwargs))

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[LangChainDocument]:
        """Returns the documents with these ids, those that are there, in order."""
        found = await self.collection.get(ids, namespace=self.namespace)
        return [_document(one, document) for one, document in zip(ids, found, strict=True) if document is not None]

    def get_by_ids(self, ids: Sequence[str], /) -> list[LangChainDocument]:
        """Returns the documents with these ids, those that are there, in order."""
        return background.run(lambda: self.aget_by_ids(ids))

    async def asimilarity_search_with_score(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[LangChainDocument, float]]:
        """Finds the closest documents with their scores; higher is closer."""
        return [(_document(match.id, match.document), match.score) for match in await self._search(query, k, kwargs)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[LangChainDocument, float]]:
        """Finds the closest documents with their scores; higher is closer."""
        return background.run(lambda: self.asimilarity_search_with_score(query, k, **kwargs))

    async def asimilarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[LangChainDocument]:
        """Finds the closest documents."""
        return [document for document, _ in await self.asimilarity_search_with_score(query, k, **kwargs)]

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[LangChainDocument]:
        """Finds the closest documents."""
        return background.run(lambda: self.asimilarity_search(query, k, **kwargs))

    async def asimilarity_search_by_vector(
        self, embedding: list[float], k: int = 4, **kwargs: Any
    ) -> list[LangChainDocument]:
        """Finds the documents closest to a vector."""
        return [_document(match.id, match.document) for match in await self._search(embedding, k, kwargs)]

    def similarity_search_by_vector(self, embedding: list[float], k: int = 4, **kwargs: Any) -> list[LangChainDocument]:
        """Finds the documents closest to a vector."""
        return background.run(lambda: self.asimilarity_search_by_vector(embedding, k, **kwargs))

    async def amax_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[LangChainDocument]:
        """Finds documents that are close and differ from each other."""
        kwargs['mmr'] = {'fetch_k': fetch_k, 'weight': lambda_mult}
        return await self.asimilarity_search(query, k, **kwargs)

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[LangChainDocument]:
        """Finds documents that are close and differ from each other."""
        return background.run(lambda: self.amax_marginal_relevance_search(query, k, fetch_k, lambda_mult, **kwargs))

    async def amax_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[LangChainDocument]:
        """Finds documents that are close to a vector and differ from each other."""
        kwargs['mmr'] = {'fetch_k': fetch_k, 'weight': lambda_mult}
        return await self.asimilarity_search_by_vector(embedding, k, **kwargs)

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[LangChainDocument]:
        """Finds documents that are close to a vector and differ from each other."""
        return background.run(
            lambda: self.amax_marginal_relevance_search_by_vector(embedding, k, fetch_k, lambda_mult, **kwargs)
        )

    async def asimilarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[LangChainDocument, float]]:
        """Finds the closest documents with the collection's scores, at least `score_threshold`."""
        threshold = kwargs.pop('score_threshold', None)
        least = {} if threshold is None else {'min_score': threshold}
        return await self.asimilarity_search_with_score(query, k, **kwargs, **least)

    def similarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[LangChainDocument, float]]:
        """Finds the closest documents with the collection's scores, at least `score_threshold`."""
        return background.run(lambda: self.asimilarity_search_with_relevance_scores(query, k, **kwargs))

    async def _search(self, query: str | list[float], k: int, options: Mapping[str, Any]) -> list[Match]:
        fields: dict[str, Any] = {'k': k, **options}
        if self.namespace is not None:
            fields.setdefault('namespace', self.namespace)
        return await self.collection.search(query, **fields)


def _document(identity: str, document: Any) -> LangChainDocument:
    converted = to_langchain_document(document)
    converted.id = identity
    return converted


def _given(collection: VectorCollection | None, embedding: Any) -> VectorCollection:
    if collection is None or embedding is not None:
        raise GenkitError(
            status='INVALID_ARGUMENT',
            message='Give collection=plugin.collection(...) and embedding=None: the collection embeds by itself.',
        )
    return collection
