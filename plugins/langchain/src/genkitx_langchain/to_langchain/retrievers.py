# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""`GenkitRetriever` and `GenkitReranker`: Genkit's retrievers and rerankers for LangChain chains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import genkitx
from genkit import Document
from genkit.plugin_api import ActionKind
from genkitx.retrieval import RankedDocument
from langchain_core.documents import BaseDocumentCompressor
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from genkitx_langchain.background import background
from genkitx_langchain.convert.documents import to_genkit_document, to_langchain_document
from genkitx_langchain.to_langchain.actions import find_action
from genkitx_langchain.tracing.handler import inside

_SCORE: Final = 'score'
_OWN_SCORE: Final = '_langchain_score'


class GenkitRetriever(BaseRetriever):
    """A Genkit retriever as LangChain's.

    Attributes:
        ai: The Genkit in which the retriever is found; not needed for an action.
        retriever: A name, `<plugin>/<collection>`, or a retriever action.
        k: Number of documents; a call's own wins.
        options: Further options of the retriever.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    ai: Any = Field(default=None, exclude=True, repr=False)
    retriever: Any
    k: int | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    def _get_relevant_documents(self, query: str, *, run_manager: Any, **kwargs: Any) -> list[LangChainDocument]:
        return background.run(lambda: self._aget_relevant_documents(query, run_manager=run_manager, **kwargs))

    async def _aget_relevant_documents(self, query: str, *, run_manager: Any, **kwargs: Any) -> list[LangChainDocument]:
        action = await find_action(self.ai, ActionKind.RETRIEVER, self.retriever)
        options = {**({} if self.k is None else {'k': self.k}), **self.options, **kwargs}
        with inside(run_manager.run_id):
            found = await genkitx.retrieve(self.ai, retriever=action, query=query, options=options or None)
        return [to_langchain_document(document) for document in found]


class GenkitReranker(BaseDocumentCompressor):
    """A Genkit reranker as LangChain's document compressor; the score is in the metadata under `relevance_score`.

    Attributes:
        ai: The Genkit in which the reranker is found; not needed for an action.
        reranker: A name or a reranker action.
        k: Number of documents to give back.
        options: Further options of the reranker.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    ai: Any = Field(default=None, exclude=True, repr=False)
    reranker: Any
    k: int | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    def compress_documents(
        self, documents: Sequence[LangChainDocument], query: str, callbacks: Any = None
    ) -> Sequence[LangChainDocument]:
        """Ranks documents."""
        return background.run(lambda: self.acompress_documents(documents, query, callbacks))

    async def acompress_documents(
        self, documents: Sequence[LangChainDocument], query: str, callbacks: Any = None
    ) -> Sequence[LangChainDocument]:
        """Ranks documents."""
        action = await find_action(self.ai, ActionKind.RERANKER, self.reranker)
        options = {**({} if self.k is None else {'k': self.k}), **self.options}
        with inside(getattr(callbacks, 'parent_run_id', None)):
            ranked = await genkitx.rerank(
                self.ai,
                reranker=action,
                query=query,
                documents=[_stashed(document) for document in documents],
                options=options or None,
            )
        return [_ranked(document) for document in ranked]


def _stashed(document: LangChainDocument) -> Document:
    """Genkit puts its score where a document may have one of its own."""
    converted = to_genkit_document(document)
    if converted.metadata and _SCORE in converted.metadata:
        converted.metadata[_OWN_SCORE] = converted.metadata.pop(_SCORE)
    return converted


def _ranked(document: RankedDocument) -> LangChainDocument:
    converted = to_langchain_document(document)
    converted.metadata['relevance_score'] = converted.metadata.pop(_SCORE)
    if _OWN_SCORE in converted.metadata:
        converted.metadata[_SCORE] = converted.metadata.pop(_OWN_SCORE)
    return converted
