# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The base of vector-store plugins: collections in, retriever and indexer actions out."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import genkit
from genkit import GenkitError, Plugin
from genkit.plugin_api import Action, ActionKind, ActionMetadata

from genkitx.embedding import DEFAULT_BATCH, Embedder, EmbedderArgument, Host
from genkitx.retrieval.indexer import INDEXER
from genkitx.retrieval.retriever import RETRIEVER
from genkitx.stores.collection import VectorCollection
from genkitx.stores.options import IndexerOptions, RetrieverOptions
from genkitx.stores.retry import RetryPolicy
from genkitx.stores.store import VectorStore


@dataclass(frozen=True, kw_only=True)
class CollectionSettings:
    """What every store's typed collection settings have.

    Attributes:
        name: The collection's name in the store; the actions are `<plugin>/<name>`.
        embedder: Its embedder; by default the plugin's.
        embedder_options: Options for embedding documents.
        query_embedder_options: Options for embedding queries; by default the same as for documents.
        embed_batch_size: Documents in one call of the embedder.
        id_key: The metadata key that holds a document's id; by default ids are content hashes, as in JS.
        batch_size: Records in one write; the store's own limits apply anyway.
    """

    name: str
    embedder: EmbedderArgument | None = None
    embedder_options: Mapping[str, Any] | None = None
    query_embedder_options: Mapping[str, Any] | None = None
    embed_batch_size: int = DEFAULT_BATCH
    id_key: str | None = None
    batch_size: int | None = None


SettingsT = TypeVar('SettingsT', bound=CollectionSettings)


class VectorStorePlugin(Plugin, abc.ABC, Generic[SettingsT]):
    """A Genkit plugin over collections of one vector store.

    A subclass says what its settings and options are and opens stores; it neither connects nor imports its vendor's SDK
    before a store is used.

    Args:
        collections: The collections: names, or settings objects where a name is not enough.
        name: The plugin's name, the first part of every action's name.
        embedder: The embedder of collections that have none of their own: a name, a reference, an embedder action or an
            async function.
        embedder_options: Options for embedding documents, where a collection has none.
        query_embedder_options: Options for embedding queries, where a collection has none.
        retry: How failures that may pass are tried again while documents are indexed.

    Raises:
        GenkitError: INVALID_ARGUMENT for an empty, repeated or malformed name.
    """

    settings_class: ClassVar[type[Any]] = CollectionSettings
    retriever_options: ClassVar[type[RetrieverOptions]] = RetrieverOptions
    indexer_options: ClassVar[type[IndexerOptions]] = IndexerOptions
    default_k: ClassVar[int] = 10

    def __init__(
        self,
        collections: Sequence[str | SettingsT],
        *,
        name: str,
        embedder: EmbedderArgument | None = None,
        embedder_options: Mapping[str, Any] | None = None,
        query_embedder_options: Mapping[str, Any] | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        if not name or '/' in name or ':' in name:
            raise GenkitError(
                status='INVALID_ARGUMENT', message=f"A plugin name is not empty and has no '/' or ':', got {name!r}."
            )
        if isinstance(collections, str):
            raise GenkitError(status='INVALID_ARGUMENT', message=f'Give collections as a list: [{collections!r}].')
        self.name = name
        self.host = Host()
        self._embedder = embedder
        self._embedder_options = embedder_options
        self._query_embedder_options = query_embedder_options
        self._retry = retry
        self._collections: dict[str, VectorCollection] = {}
        self._infos: dict[str, dict[str, Any]] = {}
        for one in collections:
            settings: Any = self.settings_class(name=one) if isinstance(one, str) else one
            self._add(settings)

    @abc.abstractmethod
    def open_store(self, settings: SettingsT) -> VectorStore:
        """Makes the adapter of a collection, without any I/O."""

    def info(self, settings: SettingsT) -> dict[str, Any]:
        """Returns what the Dev UI shows about a collection; a subclass gives the JS label."""
        return {'label': f'{self.name} - {settings.name}'}

    def attach(self, ai: genkit.Genkit) -> None:
        """Tells the plugin in which Genkit its embedders are found. `genkitx.Genkit` does it by itself."""
        self.host.attach(ai)

    def collection(self, name: str) -> VectorCollection:
        """Returns a collection by its name, with or without the plugin's in front.

        Raises:
            GenkitError: NOT_FOUND, naming the collections there are.
        """
        found = self._collections.get(name) or self._collections.get(name.removeprefix(f'{self.name}/'))
        if found is None:
            known = ', '.join(self._collections) or 'none'
            raise GenkitError(
                status='NOT_FOUND', message=f"Plugin '{self.name}' has no collection '{name}'. It has: {known}."
            )
        return found

    @property
    def collections(self) -> Mapping[str, VectorCollection]:
        """The collections by name."""
        return dict(self._collections)

    async def init(self) -> list[Action]:
        """Returns a retriever and an indexer for each collection."""
        return [self._action(kind, name) for name in self._collections for kind in (RETRIEVER, INDEXER)]

    async def resolve(self, action_type: ActionKind, name: str) -> Action | None:
        """Returns the retriever or indexer of a collection."""
        local = name.removeprefix(f'{self.name}/')
        if action_type not in (RETRIEVER, INDEXER) or local not in self._collections:
            return None
        return self._action(action_type, local)

    async def list_actions(self) -> list[ActionMetadata]:
        """Returns the metadata of all actions."""
        return [
            ActionMetadata(
                action_type=action.kind,
                name=action.name,
                input_json_schema=action.input_schema,
                output_json_schema=action.output_schema,
                metadata=action.metadata,
            )
            for action in await self.init()
        ]

    async def aclose(self) -> None:
        """Closes every collection's client. May be called more than once; a later use opens new ones."""
        for collection in self._collections.values():
            await collection.aclose()

    def register_retriever(self, ai: genkit.Genkit, name: str) -> Action[Any, Any, Any]:
        """Registers a collection's retriever alone with a Genkit, which does not get the plugin and does not close it.

        Args:
            ai: The Genkit, which also finds the embedder.
            name: The collection.
        """
        return self._register(ai, RETRIEVER, name)

    def register_indexer(self, ai: genkit.Genkit, name: str) -> Action[Any, Any, Any]:
        """Registers a collection's indexer alone, see `register_retriever`."""
        return self._register(ai, INDEXER, name)

    def _register(self, ai: genkit.Genkit, kind: ActionKind, name: str) -> Action[Any, Any, Any]:
        self.attach(ai)
        action = self._action(kind, name)
        ai.registry.register_action_from_instance(action)
        return action

    def _add(self, settings: SettingsT) -> None:
        name = settings.name
        if not name or name in self._collections:
            problem = 'is empty' if not name else f'{name!r} is given twice'
            raise GenkitError(
                status='INVALID_ARGUMENT', message=f"A collection name of plugin '{self.name}' {problem}."
            )
        self._collections[name] = VectorCollection(
            self.open_store(settings),
            self._embedder_of(settings),
            retriever_options=self.retriever_options,
            default_k=self.default_k,
            id_key=settings.id_key,
            batch_size=settings.batch_size,
            retry=self._retry,
        )
        self._infos[name] = self.info(settings)

    def _embedder_of(self, settings: SettingsT) -> Embedder | None:
        source = settings.embedder if settings.embedder is not None else self._embedder
        if source is None:
            return None
        options = settings.embedder_options
        query_options = settings.query_embedder_options
        if options is None and query_options is None:
            options, query_options = self._embedder_options, self._query_embedder_options
        return Embedder(source, self.host, options, query_options, settings.embed_batch_size)

    def _action(self, kind: ActionKind, name: str) -> Action[Any, Any, Any]:
        collection = self._collections[name]
        full = f'{self.name}/{name}'
        if kind == RETRIEVER:
            return collection.retriever_action(full, self._infos[name])
        return collection.indexer_action(full, self.indexer_options)
