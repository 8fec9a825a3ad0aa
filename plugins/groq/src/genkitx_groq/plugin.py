# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""The plugin: names in, actions out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from genkit import Action, ActionKind, GenkitError, Plugin
from genkit.plugin_api import ActionMetadata, model_action_metadata
from typing_extensions import Self

from genkitx_groq.audio import speech_model, transcription_model
from genkitx_groq.catalog import LABELS, capabilities, model_info, short_name, wire_id
from genkitx_groq.chat import chat_model
from genkitx_groq.client import Connection
from genkitx_groq.config import GroqConfig, GroqSpeechConfig, GroqTranscriptionConfig
from genkitx_groq.embedder import embed_model

if TYPE_CHECKING:
    import httpx
    from pydantic import BaseModel

_LISTING_SECONDS: Final = 300.0
"""How long a list of models counts as fresh; the Dev UI asks every few seconds."""
_PAUSE_SECONDS: Final = 30.0
"""How long the API is left alone after it failed to give one."""
_LISTING_TIMEOUT: Final = 5.0


class Groq(Plugin):
    """Groq's models: `groq/<id>` for every id Groq knows, listed from its API.

    Chat models take `GroqConfig`, text to speech models `GroqSpeechConfig`, speech to text models
    `GroqTranscriptionConfig`. Nothing is contacted and nothing can fail before the first request; a missing key is an
    error of the request.

    Args:
        api_key: API key; default: the environment's `GROQ_API_KEY`. A request may bring its own in its config.
        base_url: Root of the API; default: the environment's `GROQ_BASE_URL`, else `https://api.groq.com` (JS `baseURL`).
        timeout: Seconds per request; default 60 (JS: milliseconds).
        max_retries: How often the SDK repeats a request that failed for a passing reason; default 2 (JS `maxRetries`).
        default_headers: Headers to send with every request.
        http_client: An `httpx.AsyncClient` to use instead of one per event loop. It stays yours: it is not closed here,
            and belongs to one event loop.
        name: The plugin's name, the first part of its models' names; another one registers the plugin twice.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        default_headers: Mapping[str, str] | None = None,
        http_client: httpx.AsyncClient | None = None,
        name: str = 'groq',
    ) -> None:
        if not name or '/' in name or ':' in name:
            raise GenkitError(
                status='INVALID_ARGUMENT',
                message=f"A plugin's name must not be empty or have '/' or ':'; got {name!r}.",
            )
        self.name = name
        self._connection = Connection(
            name=name,
            api_key=api_key,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            default_headers=default_headers,
            http_client=http_client,
        )
        self._ask_again_at = 0.0

    async def init(self) -> list[Action[Any, Any, Any, Any]]:
        """Nothing to register ahead: models resolve by name."""
        return []

    async def resolve(self, action_type: ActionKind, name: str) -> Action[Any, Any, Any, Any] | None:
        """The model or embedder of a full name, whatever id it has."""
        local = name.removeprefix(f'{self.name}/')
        if not local:
            return None
        kind = capabilities(wire_id(local)).kind
        if action_type == ActionKind.EMBEDDER and kind == 'embedding':
            return embed_model(self._connection, local)
        if action_type != ActionKind.MODEL or kind == 'embedding':
            return None
        if kind == 'speech':
            return speech_model(self._connection, local)
        if kind == 'transcription':
            return transcription_model(self._connection, local)
        return chat_model(self._connection, local)

    def config_class(self, model: str) -> type[BaseModel]:
        """The class of a model's config; `genkitx.Genkit` asks which keys of a plain dict are secrets."""
        kind = capabilities(wire_id(model)).kind
        return {'speech': GroqSpeechConfig, 'transcription': GroqTranscriptionConfig}.get(kind, GroqConfig)

    async def list_actions(self) -> list[ActionMetadata]:
        """The models Groq serves, as its API lists them; the built-in list when it cannot be asked."""
        listed = await self._ask_for_models()
        return [self._describe(wire) for wire in listed or LABELS if capabilities(wire).kind != 'embedding']

    async def aclose(self) -> None:
        """Close the connections. The plugin stays usable: the next request opens new ones."""
        await self._connection.aclose()

    async def __aenter__(self) -> Self:
        """The plugin itself; leaving closes its connections."""
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _describe(self, wire: str) -> ActionMetadata:
        name = short_name(wire)
        info = model_info(name).model_dump(by_alias=True, exclude_none=True, mode='json')
        return model_action_metadata(f'{self.name}/{name}', info=info, config_schema=self.config_class(name))

    async def _ask_for_models(self) -> list[str]:
        """Ids from the API, remembered for a while; what was known last when it cannot be asked."""
        connection = self._connection
        if time.monotonic() < self._ask_again_at:
            return connection.listed

        async def work(client: Any) -> list[str]:
            patient_once = client.with_options(max_retries=0, timeout=_LISTING_TIMEOUT)
            page = await patient_once.models.list()
            return sorted(entry.id for entry in page.data if getattr(entry, 'active', True) is not False)

        try:
            connection.listed = await connection.run(work, model='', api_key=None, abort_signal=asyncio.Event())
        except GenkitError as error:
            if error.status != 'FAILED_PRECONDITION':  # Without a key nothing was asked.
                self._ask_again_at = time.monotonic() + _PAUSE_SECONDS
        else:
            self._ask_again_at = time.monotonic() + _LISTING_SECONDS
        return connection.listed
