# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The plugin: which actions there are and how they are found."""

from __future__ import annotations

from functools import cache
from types import TracebackType
from typing import Any, Final, cast

from genkit.embedder import embedder, embedder_action_metadata
from genkit.model import ModelRequest, ModelResponse
from genkit.plugin_api import Action, ActionKind, ActionMetadata, Plugin, to_json_schema
from genkitx import model
from genkitx.retrieval.action import custom_options
from genkitx.retrieval.reranker import reranker
from pydantic import BaseModel
from typing_extensions import Self

from genkitx_cohere.catalog import ALIASES, Kind, chat_info, embedder_info, kind_of, near_names, reader_info
from genkitx_cohere.client import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, ClientSettings, CohereClient
from genkitx_cohere.config import (
    CohereConfig,
    CohereParseConfig,
    CohereRerankConfig,
    CohereTranscriptionConfig,
)
from genkitx_cohere.listing import ListedModel, Listing

_KIND_OF_ACTION: Final[dict[str, tuple[Kind, ...]]] = {
    'model': ('chat', 'parse', 'transcribe'),
    'embedder': ('embed',),
    'reranker': ('rerank',),
}
_CONFIG: Final[dict[Kind, type[BaseModel]]] = {
    'chat': CohereConfig,
    'parse': CohereParseConfig,
    'transcribe': CohereTranscriptionConfig,
}


class Cohere(Plugin):
    """Cohere's chat models, embedders, rerankers, document parsers and speech-to-text models (JS `cohere`).

    Any id works, as `cohere/<id>`: what the plugin knows about models only adds capabilities. Nothing is sent, and no
    key is needed, until an action runs.

    Args:
        api_key: Key of every call (JS `apiKey`). None reads `COHERE_API_KEY`, then `CO_API_KEY`, at each call; a call
            may bring its own in its config.
        base_url: The API's address without version. None reads `CO_API_URL`, else the public API.
        timeout: Seconds for connecting and between two pieces of a response.
        max_retries: Further tries after 408, 409, 429, 5xx and refused connections, with backoff; streams are not
            tried again.
        client_name: Name of your application, sent to Cohere.
        name: Namespace of the actions, for registering the plugin twice.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_MAX_RETRIES,
        client_name: str | None = None,
        name: str = 'cohere',
    ) -> None:
        self.name = name
        settings = ClientSettings(api_key, base_url, timeout, max_retries, client_name)
        self._client = CohereClient(settings, self._near_names)
        self._listing = Listing(self._client)

    async def init(self) -> list[Action]:
        """Registers nothing: every action is made when it is asked for."""
        return []

    async def resolve(self, action_type: ActionKind, name: str) -> Action | None:
        """Makes the action of any model id.

        Args:
            action_type: Model, embedder or reranker.
            name: `<plugin>/<id>`; the id itself may hold slashes.

        Returns:
            The action; None for another kind of action, and for an id whose name says that it is of another kind.
        """
        local = name.removeprefix(f'{self.name}/')
        kind = self._listing.kind(local) or kind_of(local)
        if not local or kind not in _KIND_OF_ACTION.get(str(action_type), ()):
            return None
        return self._action(kind, local)

    def config_class(self, model: str) -> type[BaseModel]:
        """The class of a model's config; `genkitx.Genkit` asks which keys of a plain dict are secrets."""
        return _CONFIG.get(self._listing.kind(model) or kind_of(model), CohereConfig)

    async def list_actions(self) -> list[ActionMetadata]:
        """Lists what the API serves, with the features it names; the built-in table when it cannot be asked."""
        listed = await self._listing.models()
        names = {item.name for item in listed}
        aliases = [ListedModel(alias, 'chat') for alias, wire in ALIASES.items() if wire in names]
        return [self._metadata(item) for item in [*listed, *aliases]]

    async def aclose(self) -> None:
        """Closes the connections. The next call opens new ones."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _action(self, kind: Kind, local: str) -> Action:
        """Makes an action; its runner's module is imported now, so that importing the plugin is cheap."""
        full = f'{self.name}/{local}'
        if kind == 'embed':
            from genkitx_cohere.embedder import Embedder

            # Upstream's type of a runner knows neither typed options nor the context; its action does.
            return embedder(full, cast('Any', Embedder(self._client, local).run), info=embedder_info(local))
        if kind == 'rerank':
            from genkitx_cohere.reranker import Reranker

            run = Reranker(self._client, local).run
            return reranker(full, run, config_schema=CohereRerankConfig, info={'label': f'Cohere - {local}'})
        if kind == 'chat':
            from genkitx_cohere.chat import ChatModel as Runner
        elif kind == 'parse':
            from genkitx_cohere.parse import Parser as Runner
        else:
            from genkitx_cohere.transcription import Transcriber as Runner
        return model(full, Runner(self._client, local).run, info=self._info(kind, local), config_schema=_CONFIG[kind])

    def _metadata(self, item: ListedModel) -> ActionMetadata:
        full = f'{self.name}/{item.name}'
        if item.kind == 'embed':
            return embedder_action_metadata(full, embedder_info(item.name))
        if item.kind == 'rerank':
            metadata: dict[str, Any] = {
                'type': 'reranker',
                'info': {'label': f'Cohere - {item.name}'},
                'reranker': {'customOptions': _rerank_options()},
            }
            return ActionMetadata(action_type=ActionKind.RERANKER, name=full, metadata=metadata)
        info = self._info(item.kind, item.name).model_dump(by_alias=True, exclude_none=True)
        return ActionMetadata(
            action_type=ActionKind.MODEL,
            name=full,
            input_json_schema=_schema(ModelRequest),
            output_json_schema=_schema(ModelResponse),
            metadata={'model': {**info, 'customOptions': _schema(_CONFIG[item.kind])}},
        )

    def _info(self, kind: Kind, name: str) -> Any:
        if kind != 'chat':
            return reader_info(name)
        listed = self._listing.get(name)
        return chat_info(name, features=listed and listed.features, deprecated=bool(listed and listed.deprecated))

    def _near_names(self, name: str) -> list[str]:
        return near_names(name, self._listing.names())


# A schema takes tens of milliseconds to make, and a list has dozens of rows.
@cache
def _schema(model_class: type[BaseModel]) -> dict[str, Any]:
    return to_json_schema(model_class)


@cache
def _rerank_options() -> dict[str, Any]:
    return custom_options(CohereRerankConfig)
