# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Embedders. Groq serves none at present and its API still takes them, so they resolve by name and are not listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from genkit import Action, ActionRunContext, GenkitError
from genkit.embedder import Embedding, EmbedRequest, EmbedResponse, embedder

from genkitx_groq.client import Connection, key_of
from genkitx_groq.config import GroqEmbedConfig

if TYPE_CHECKING:
    from groq import AsyncGroq


class GroqEmbedRequest(EmbedRequest):
    """A request with typed options: they are checked before the action runs, and traced without the key."""

    options: GroqEmbedConfig | None = None


def embed_model(connection: Connection, name: str) -> Action[Any, Any, Any, Any]:
    """The embedder of a name without the plugin's prefix."""

    async def run(request: GroqEmbedRequest, ctx: ActionRunContext[Any]) -> EmbedResponse:
        config = request.options or GroqEmbedConfig()
        if any(part.text is None for document in request.input for part in document.content):
            raise GenkitError(status='INVALID_ARGUMENT', message=f"'{name}' embeds text; a document has other content.")
        if not request.input:
            return EmbedResponse(embeddings=[])
        wire = config.version or name
        body: dict[str, Any] = {'model': wire, 'input': [document.text for document in request.input]}
        if config.user is not None:
            body['user'] = config.user

        async def work(client: AsyncGroq) -> EmbedResponse:
            answer = await client.embeddings.create(**body, encoding_format='float')
            rows = sorted(answer.data, key=lambda row: row.index)
            if len(rows) != len(request.input):
                raise GenkitError(
                    status='INTERNAL',
                    message=f'Groq returned {len(rows)} embeddings for {len(request.input)} documents.',
                )
            return EmbedResponse(embeddings=[Embedding(embedding=[float(x) for x in row.embedding]) for row in rows])

        return await connection.run(work, model=wire, api_key=key_of(config, ctx), abort_signal=ctx.abort_signal)

    return embedder(f'{connection.name}/{name}', cast('Any', run))
