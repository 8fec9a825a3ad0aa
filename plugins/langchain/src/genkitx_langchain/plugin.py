# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The plugin: LangChain objects in, Genkit actions out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import genkit
from genkit import GenkitError, Plugin
from genkit.plugin_api import Action, ActionKind, ActionMetadata
from genkitx.embedding import Host

from genkitx_langchain.background import background
from genkitx_langchain.evaluators import Evaluators, evaluator_action

if TYPE_CHECKING:
    from langchain_core.documents import BaseDocumentCompressor
    from langchain_core.embeddings import Embeddings
    from langchain_core.language_models import BaseChatModel
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool
    from langchain_core.vectorstores import VectorStore

    from genkitx_langchain.to_genkit.models import ChatModelSettings

Builder = Callable[[], 'Action[Any, Any, Any]']


class LangChain(Plugin):
    """LangChain objects as the actions `<name>/<key>`.

    Args:
        models: Chat models, as models; a `ChatModelSettings` says more about one.
        embedders: Embeddings, as embedders.
        retrievers: Retrievers, as retrievers.
        vector_stores: Vector stores, each as a retriever and an indexer.
        rerankers: Document compressors that score, as rerankers.
        tools: Tools, under their own names.
        runnables: Runnables and compiled graphs, as flows.
        evaluators: Criteria evaluators with a Genkit model as their judge.
        name: The plugin's name, the first part of every action's name.

    Raises:
        GenkitError: INVALID_ARGUMENT for an empty or repeated name.
    """

    def __init__(
        self,
        *,
        models: Mapping[str, BaseChatModel | ChatModelSettings] | None = None,
        embedders: Mapping[str, Embeddings] | None = None,
        retrievers: Mapping[str, BaseRetriever] | None = None,
        vector_stores: Mapping[str, VectorStore] | None = None,
        rerankers: Mapping[str, BaseDocumentCompressor] | None = None,
        tools: Sequence[BaseTool] = (),
        runnables: Mapping[str, Runnable[Any, Any]] | None = None,
        evaluators: Evaluators | None = None,
        name: str = 'langchain',
    ) -> None:
        if not name or '/' in name or ':' in name:
            raise _invalid(f"A plugin name is not empty and has no '/' or ':', got {name!r}.")
        self.name = name
        self.host = Host()
        self._builders: dict[tuple[ActionKind, str], Builder] = {}
        for key, model in (models or {}).items():
            self._add(ActionKind.MODEL, key, _model, model)
        for key, embeddings in (embedders or {}).items():
            self._add(ActionKind.EMBEDDER, key, _embedder, embeddings)
        for key, source in (retrievers or {}).items():
            self._add(ActionKind.RETRIEVER, key, _retriever, source)
        for key, store in (vector_stores or {}).items():
            self._add(ActionKind.RETRIEVER, key, _store_retriever, store)
            self._add(ActionKind.INDEXER, key, _store_indexer, store)
        for key, compressor in (rerankers or {}).items():
            self._add(ActionKind.RERANKER, key, _reranker, compressor)
        for tool in tools:
            self._add(ActionKind.TOOL, tool.name, _tool, tool)
        for key, runnable in (runnables or {}).items():
            self._add(ActionKind.FLOW, key, _flow, runnable)
        for key in evaluators.questions() if evaluators else ():
            self._add(ActionKind.EVALUATOR, key, self._evaluator, evaluators)

    def attach(self, ai: genkit.Genkit) -> None:
        """Tells the plugin in which Genkit its judges are found. `genkitx.Genkit` does it by itself."""
        self.host.attach(ai)

    async def aclose(self) -> None:
        """Ends the thread behind synchronous calls of `ChatGenkit` and its kin, unless one of them is running."""
        await asyncio.to_thread(background.close_if_idle)

    async def init(self) -> list[Action]:
        """Returns every action."""
        return [build() for build in self._builders.values()]

    async def resolve(self, action_type: ActionKind, name: str) -> Action | None:
        """Returns one action."""
        build = self._builders.get((action_type, name.removeprefix(f'{self.name}/')))
        return None if build is None else build()

    async def list_actions(self) -> list[ActionMetadata]:
        """Returns the metadata of all actions."""
        return [
            ActionMetadata(
                action_type=action.kind,
                name=action.name,
                description=action.description or None,
                input_json_schema=action.input_schema,
                output_json_schema=action.output_schema,
                metadata=action.metadata,
            )
            for action in await self.init()
        ]

    def _evaluator(self, name: str, settings: Any) -> Action[Any, Any, Any]:
        return evaluator_action(name, name.removeprefix(f'{self.name}/'), settings, self.host)

    def _add(self, kind: ActionKind, key: str, build: Callable[[str, Any], Action[Any, Any, Any]], value: Any) -> None:
        if not key:
            raise _invalid(f"A {kind} of plugin '{self.name}' has an empty name.")
        if (kind, key) in self._builders:
            raise _invalid(f"Plugin '{self.name}' has two {kind}s named {key!r}.")
        self._builders[kind, key] = lambda: build(f'{self.name}/{key}', value)


def _invalid(message: str) -> GenkitError:
    return GenkitError(status='INVALID_ARGUMENT', message=message)


# The modules below are imported at first use, to keep the import of the package small.


def _model(name: str, value: Any) -> Action[Any, Any, Any]:
    from genkitx_langchain.to_genkit.models import ChatModelSettings, model_action

    return model_action(name, value if isinstance(value, ChatModelSettings) else ChatModelSettings(model=value))


def _embedder(name: str, value: Any) -> Action[Any, Any, Any]:
    from genkitx_langchain.to_genkit.embedders import embedder_action

    return embedder_action(name, value)


def _retriever(name: str, value: Any) -> Action[Any, Any, Any]:
    from genkitx_langchain.to_genkit.retrievers import retriever_action

    return retriever_action(name, value)


def _store_retriever(name: str, value: Any) -> Action[Any, Any, Any]:
    from genkitx_langchain.to_genkit.retrievers import store_retriever_action

    return store_retriever_action(name, value)


def _store_indexer(name: str, value: Any) -> Action[Any, Any, Any]:
    from genkitx_langchain.to_genkit.retrievers import store_indexer_action

    return store_indexer_action(name, value)


def _reranker(name: str, value: Any) -> Action[Any, Any, Any]:
    from genkitx_langchain.to_genkit.rerankers import reranker_action

    return reranker_action(name, value)


def _tool(name: str, value: Any) -> Action[Any, Any, Any]:
    from genkitx_langchain.to_genkit.tools import tool_action

    return tool_action(name, value)


def _flow(name: str, value: Any) -> Action[Any, Any, Any]:
    from genkitx_langchain.to_genkit.runnables import flow_action

    return flow_action(name, value)
