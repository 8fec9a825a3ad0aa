# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The Milvus plugin, and references to its actions."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import genkit
from genkit import GenkitError
from genkit.plugin_api import Action
from genkitx.embedding import EmbedderArgument
from genkitx.retrieval import IndexerRef, RetrieverRef, indexer_ref, retriever_ref
from genkitx.stores import RetryPolicy, VectorStorePlugin

from genkitx_milvus.connection import Connection, Target
from genkitx_milvus.options import MilvusCollection, MilvusRetrieverOptions
from genkitx_milvus.schema import DEFAULT_CONSISTENCY, DEFAULT_METRIC, NewCollection
from genkitx_milvus.store import MilvusStore

PLUGIN: Final = 'milvus'
"""The plugin's name, as in JS."""

_NAME: Final = re.compile('[A-Za-z_][A-Za-z0-9_]{0,254}')


class Milvus(VectorStorePlugin[MilvusCollection]):
    """Collections of Milvus as retrievers and indexers `milvus/<collection>` (JS `milvus`).

    Nothing is opened before it is used.

    Args:
        collections: Collection names, or `MilvusCollection` objects.
        embedder: The embedder of collections without their own: a name, a reference, an embedder action or an async function.
        embedder_options: Options for embedding documents.
        query_embedder_options: Options for embedding queries; by default the same.
        uri: Where Milvus is: `http(s)://host:port` of a server, cluster or cloud, or a path ending in `.db` for an engine in this
            process (Milvus Lite, the extra `lite`). By default the environment variable `MILVUS_URI`, or else `./milvus.db`.
        token: API key, or `user:password`; by default the environment variable `MILVUS_TOKEN`. The embedded engine has none.
        db_name: The database of collections that name none.
        timeout: Seconds that a call may take, the client's own retries included.
        client_params: More arguments of pymilvus's client, such as `server_pem_path` or `grpc_options` (JS `clientParams`).
        name: The plugin's name; another one allows a second registration.
        retry: How failures that may pass are tried again while documents are indexed.

    Raises:
        GenkitError: INVALID_ARGUMENT for a malformed name or address.
    """

    settings_class: ClassVar[type[Any]] = MilvusCollection
    retriever_options = MilvusRetrieverOptions
    _keep_engine: ClassVar[bool] = True

    def __init__(
        self,
        collections: Sequence[str | MilvusCollection] = (),
        *,
        embedder: EmbedderArgument | None = None,
        embedder_options: Mapping[str, Any] | None = None,
        query_embedder_options: Mapping[str, Any] | None = None,
        uri: str | os.PathLike[str] | None = None,
        token: str | None = None,
        db_name: str = '',
        timeout: float = 30.0,
        client_params: Mapping[str, Any] | None = None,
        name: str = PLUGIN,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._target = Target(uri=uri, token=token, db_name=db_name, timeout=timeout, client_params=client_params or {})
        self._connections: dict[str, Connection] = {}
        super().__init__(
            collections,
            name=name,
            embedder=embedder,
            embedder_options=embedder_options,
            query_embedder_options=query_embedder_options,
            retry=retry,
        )

    def open_store(self, settings: MilvusCollection) -> MilvusStore:
        """Makes the store of a collection; it connects at first use."""
        check_name(settings.name)
        return MilvusStore(
            f'{self.name}/{settings.name}',
            settings.name,
            self._connection(self._target.db_name if settings.db_name is None else settings.db_name),
            new=NewCollection(
                fields=settings.fields,
                auto_id=settings.auto_id,
                id_max_length=settings.id_max_length,
                metric=settings.metric or DEFAULT_METRIC,
                index_type=settings.index_type,
                index_params=settings.index_params,
                text_search=settings.text_search,
                analyzer_params=settings.analyzer_params,
                consistency_level=settings.consistency_level or DEFAULT_CONSISTENCY,
                num_shards=settings.num_shards,
                load=settings.load,
            ),
            create_if_missing=settings.create_collection_if_missing,
            metric=settings.metric,
            consistency_level=settings.consistency_level,
            partition=settings.partition,
            js_layout=settings.js_layout,
        )

    def info(self, settings: MilvusCollection) -> dict[str, Any]:
        """Returns the label that JS shows."""
        return _info(settings.name, None)

    def _connection(self, db_name: str) -> Connection:
        found = self._connections.get(db_name)
        if found is None:
            target = self._target
            found = self._connections[db_name] = Connection(
                self.name,
                Target(
                    uri=target.uri,
                    token=target.token,
                    db_name=db_name,
                    timeout=target.timeout,
                    client_params=target.client_params,
                ),
                keep_engine=self._keep_engine,
            )
        return found


class _Alone(Milvus):
    """The plugin behind one action. No Genkit closes it, so all it opens ends with the event loop."""

    _keep_engine = False


def milvus_retriever_ref(collection_name: str, *, display_name: str | None = None) -> RetrieverRef:
    """Refers to the retriever of a collection (JS `milvusRetrieverRef`).

    Args:
        collection_name: The collection.
        display_name: The label; by default `Milvus - <collection>`.
    """
    return retriever_ref(
        f'{PLUGIN}/{collection_name}',
        info=_info(collection_name, display_name),
        config_schema=MilvusRetrieverOptions,
    )


def milvus_indexer_ref(collection_name: str, *, display_name: str | None = None) -> IndexerRef:
    """Refers to the indexer of a collection (JS `milvusIndexerRef`).

    Args:
        collection_name: The collection.
        display_name: The label; by default `Milvus - <collection>`.
    """
    return indexer_ref(f'{PLUGIN}/{collection_name}', info=_info(collection_name, display_name))


def milvus_retriever(ai: genkit.Genkit, collection: MilvusCollection, **connection: Any) -> Action[Any, Any, Any]:
    """Registers the retriever of one collection without the plugin (JS `milvusRetriever`).

    What it opens is closed when the event loop shuts down, as `asyncio.run` does, not by `ai.aclose()`: give the plugin for that.

    Args:
        ai: The Genkit to register with, which also finds the embedder.
        collection: The collection.
        **connection: `uri`, `token`, `db_name`, `timeout`, `client_params`, as of `Milvus`.
    """
    return _Alone([collection], **connection).register_retriever(ai, collection.name)


def milvus_indexer(ai: genkit.Genkit, collection: MilvusCollection, **connection: Any) -> Action[Any, Any, Any]:
    """Registers the indexer of one collection without the plugin (JS `milvusIndexer`).

    What it opens is closed when the event loop shuts down, as `asyncio.run` does, not by `ai.aclose()`: give the plugin for that.

    Args:
        ai: The Genkit to register with, which also finds the embedder.
        collection: The collection.
        **connection: `uri`, `token`, `db_name`, `timeout`, `client_params`, as of `Milvus`.
    """
    return _Alone([collection], **connection).register_indexer(ai, collection.name)


def check_name(name: str) -> None:
    """Checks a collection name by Milvus's own rule.

    Raises:
        GenkitError: INVALID_ARGUMENT, saying the rule.
    """
    if _NAME.fullmatch(name) is None:
        raise GenkitError(
            status='INVALID_ARGUMENT',
            message=f'A Milvus collection name has up to 255 letters, digits and _, and begins with no digit, not {name[:100]!r}.',
        )


def _info(collection_name: str, display_name: str | None) -> dict[str, Any]:
    return {'label': display_name or f'Milvus - {collection_name}'}
