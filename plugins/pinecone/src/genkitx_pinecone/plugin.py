# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The Pinecone plugin, and references to its actions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import genkit
from genkit import GenkitError
from genkit.plugin_api import Action
from genkitx import IndexerRef, RetrieverRef, indexer_ref, retriever_ref
from genkitx.embedding import EmbedderArgument
from genkitx.stores import RetryPolicy, VectorStorePlugin

from genkitx_pinecone.client import ClientParams, choose_params
from genkitx_pinecone.codec import Layout
from genkitx_pinecone.options import PineconeIndex, PineconeRetrieverOptions
from genkitx_pinecone.store import PineconeStore

PLUGIN: Final = 'pinecone'
"""The plugin's name, as in JS."""

RETRY: Final = RetryPolicy(attempts=2)
"""How an ingest tries again. Every request is tried four times already; this round is for pauses longer than the timeout."""

_NAME: Final = re.compile(r'[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?')


class Pinecone(VectorStorePlugin[PineconeIndex]):
    """Indexes of Pinecone as retrievers and indexers `pinecone/<index>` (JS `pinecone`).

    Nothing is opened before it is used.

    Args:
        indexes: Index names, or `PineconeIndex` objects.
        embedder: The embedder of indexes without their own: a name, a reference, an embedder action or an async function.
        embedder_options: Options for embedding documents.
        query_embedder_options: Options for embedding queries; by default the same.
        api_key: The API key; by default the environment variable `PINECONE_API_KEY`, read at first use.
        client_params: Everything about the client, the key included (JS `clientParams`).
        name: The plugin's name; another one allows a second registration.
        retry: How failures that may pass are tried again while documents are indexed, on top of the four attempts of each
            request; by default once.

    Raises:
        GenkitError: INVALID_ARGUMENT for a malformed name, key or address.
    """

    settings_class: ClassVar[type[Any]] = PineconeIndex
    retriever_options = PineconeRetrieverOptions

    def __init__(
        self,
        indexes: Sequence[str | PineconeIndex],
        *,
        embedder: EmbedderArgument | None = None,
        embedder_options: Mapping[str, Any] | None = None,
        query_embedder_options: Mapping[str, Any] | None = None,
        api_key: str | None = None,
        client_params: ClientParams | None = None,
        name: str = PLUGIN,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._params = choose_params(api_key, client_params)
        super().__init__(
            indexes,
            name=name,
            embedder=embedder,
            embedder_options=embedder_options,
            query_embedder_options=query_embedder_options,
            retry=retry or RETRY,
        )

    def open_store(self, settings: PineconeIndex) -> PineconeStore:
        """Makes the store of an index; it connects at first use."""
        index = settings.index_id or settings.name
        check_name(index)
        return PineconeStore(
            f'{self.name}/{settings.name}',
            index,
            settings.client_params or self._params,
            host=settings.host,
            namespace=settings.namespace,
            layout=Layout(settings.content_key or settings.text_key, js=settings.js_layout),
            metric=settings.metric,
            sparse_encoder=settings.sparse_encoder,
            wait_until_visible=settings.wait_until_visible,
        )

    def info(self, settings: PineconeIndex) -> dict[str, Any]:
        """Returns the label that JS shows."""
        return _info(settings.name, None)


def pinecone_retriever_ref(index_id: str, *, display_name: str | None = None) -> RetrieverRef:
    """Refers to the retriever of an index (JS `pineconeRetrieverRef`).

    Args:
        index_id: The index.
        display_name: The label; by default `Pinecone - <index>`.
    """
    return retriever_ref(
        f'{PLUGIN}/{index_id}', info=_info(index_id, display_name), config_schema=PineconeRetrieverOptions
    )


def pinecone_indexer_ref(index_id: str, *, display_name: str | None = None) -> IndexerRef:
    """Refers to the indexer of an index (JS `pineconeIndexerRef`).

    Args:
        index_id: The index.
        display_name: The label; by default `Pinecone - <index>`.
    """
    return indexer_ref(f'{PLUGIN}/{index_id}', info=_info(index_id, display_name))


def configure_pinecone_retriever(ai: genkit.Genkit, index: PineconeIndex) -> Action[Any, Any, Any]:
    """Registers the retriever of one index without a plugin (JS `configurePineconeRetriever`).

    Args:
        ai: The Genkit to register with, which also finds the embedder.
        index: The index, with `client_params` unless the environment says how to reach it. Its connections are closed with the
            event loop.
    """
    return Pinecone([index]).register_retriever(ai, index.name)


def configure_pinecone_indexer(ai: genkit.Genkit, index: PineconeIndex) -> Action[Any, Any, Any]:
    """Registers the indexer of one index without a plugin (JS `configurePineconeIndexer`).

    Args:
        ai: The Genkit to register with, which also finds the embedder.
        index: The index, with `client_params` unless the environment says how to reach it. Its connections are closed with the
            event loop.
    """
    return Pinecone([index]).register_indexer(ai, index.name)


def check_name(name: str) -> None:
    """Checks an index name by Pinecone's own rule.

    Raises:
        GenkitError: INVALID_ARGUMENT, saying the rule.
    """
    if _NAME.fullmatch(name) is None:
        raise GenkitError(
            status='INVALID_ARGUMENT',
            message=(
                'A Pinecone index name has 1 to 45 of the characters a-z, 0-9 and -, and starts and ends with a letter or digit, '
                f'not {name[:60]!r}.'
            ),
        )


def _info(index_id: str, display_name: str | None) -> dict[str, Any]:
    return {'label': display_name or f'Pinecone - {index_id}'}
