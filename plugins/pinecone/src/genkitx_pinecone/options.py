# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The settings of an index and the options of a search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from genkit import Document
from genkitx.stores import CollectionSettings, RetrieverOptions
from genkitx.stores.options import StoreOptions
from pydantic import Field, model_validator

from genkitx_pinecone.client import ClientParams

Metric: TypeAlias = Literal['cosine', 'dotproduct', 'euclidean']
"""How Pinecone measures closeness."""


class SparseVector(StoreOptions):
    """A sparse vector: weights of terms, by the terms' numbers (JS `SparseVector`).

    Attributes:
        indices: Numbers of the terms, each once, 0 to 2**32 - 1.
        values: Their weights.
    """

    indices: list[int]
    values: list[float]

    @model_validator(mode='after')
    def _sound(self) -> SparseVector:
        if len(self.indices) != len(self.values):
            raise ValueError('Indices and values must be of the same length')
        if len(set(self.indices)) != len(self.indices) or any(not 0 <= one < 2**32 for one in self.indices):
            raise ValueError('indices are different numbers from 0 to 2**32 - 1')
        if not all(math.isfinite(one) for one in self.values):
            raise ValueError('values are finite')
        return self


class SparseEncoder(Protocol):
    """Gives documents and queries the sparse vectors of a hybrid search, for example by BM25 or SPLADE."""

    async def encode_documents(self, documents: Sequence[Document]) -> Sequence[SparseVector | None]:
        """Returns one sparse vector a document; None for a document without any term."""
        ...

    async def encode_query(self, text: str) -> SparseVector | None:
        """Returns the sparse vector of a query; None for one without any term."""
        ...


@dataclass(frozen=True, kw_only=True)
class PineconeIndex(CollectionSettings):
    """An index of Pinecone, or one namespace of it.

    Attributes:
        name: The name of the actions, `<plugin>/<name>`, and of the index unless `index_id` says otherwise.
        index_id: The index's name in Pinecone (JS `indexId`), where several entries use one index.
        namespace: Where documents are, unless an option says otherwise; by default the index's default namespace.
        content_key: The metadata key that holds the text or media URL (JS `contentKey`); by default `text_key`, or else
            `_content`. LangChain writes `text`.
        text_key: The older name of `content_key` (JS `textKey`).
        client_params: How to reach its project; by default as the plugin says (JS `clientParams`).
        host: The address of the index itself, which saves looking it up: `name-abc123.svc.pinecone.io`, or
            `http://localhost:5081` for an emulator.
        metric: How the index measures closeness; by default the index is asked. It decides what a score means.
        sparse_encoder: Gives documents and queries sparse vectors, for hybrid search.
        wait_until_visible: Seconds to wait until a write can be found. By default a write is done when Pinecone took it, and is
            found soon after.
        js_layout: Write records exactly as the JS plugin does: parts joined, and nothing to filter by.
    """

    index_id: str | None = None
    namespace: str | None = None
    content_key: str | None = None
    text_key: str | None = None
    client_params: ClientParams | None = None
    host: str | None = None
    metric: Metric | None = None
    sparse_encoder: SparseEncoder | None = None
    wait_until_visible: float | None = None
    js_layout: bool = False


class PineconeRetrieverOptions(RetrieverOptions):
    """Options of a Pinecone retriever."""

    sparse_vector: SparseVector | None = Field(
        default=None, description='Sparse vector of the query, searched together with the dense one'
    )
    alpha: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description='Weight of the dense vector in a hybrid search; the sparse one gets the rest. By default neither is weighted',
    )
    native_filter: dict[str, Any] | None = Field(
        default=None, description="Condition in Pinecone's own language on the stored keys, besides filter"
    )
