# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Chat models: the request goes out, the answer comes back, whole or in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
from genkit import ActionRunContext, GenkitError, Role
from genkit.model import ModelRequest, ModelResponse, ModelResponseChunk
from genkitx import MiddlewareAction, model, simulate_constrained_generation
from genkitx.middleware.chain import RunOpts

from genkitx_groq.catalog import capabilities, model_info, wire_id
from genkitx_groq.client import Connection, key_of
from genkitx_groq.config import GroqConfig
from genkitx_groq.errors import TOOL_USE_FAILED, error_body
from genkitx_groq.output import native_schema, wants_schema
from genkitx_groq.recovery import recover
from genkitx_groq.request import chat_body
from genkitx_groq.response import Draft, header_facts, recovered_response, to_response
from genkitx_groq.tools import Toolbox

if TYPE_CHECKING:
    from groq import APIError, AsyncGroq

# Not `client.chat.completions.create`: it walks every request through its type definitions, which takes longer than the
# rest of the call, and refuses what it does not know yet.
_PATH: Final = '/openai/v1/chat/completions'
_simulate = simulate_constrained_generation()


def chat_model(connection: Connection, name: str) -> MiddlewareAction:
    """The chat model of a name without the plugin's prefix."""

    async def run(request: ModelRequest[GroqConfig], ctx: ActionRunContext[Any]) -> ModelResponse[Any]:
        return await _generate(connection, wire_id(name), request, ctx)

    return model(f'{connection.name}/{name}', run, info=model_info(name), config_schema=GroqConfig)


async def _generate(
    connection: Connection, named: str, request: ModelRequest[GroqConfig], ctx: ActionRunContext[Any]
) -> ModelResponse[Any]:
    config = request.config or GroqConfig()
    wire = config.version or named
    can = capabilities(wire)
    streaming = ctx.is_streaming if config.stream is None else config.stream
    toolbox = Toolbox(request.tools or [])

    async def send(changed: ModelRequest[Any] | None = None, _opts: RunOpts | None = None, /) -> ModelResponse[Any]:
        body = chat_body(changed or request, wire, can, toolbox, streaming=streaming)
        work = _Chat(body, toolbox, ctx).stream if streaming else _Chat(body, toolbox, ctx).whole
        return await connection.run(work, model=wire, api_key=key_of(config, ctx), abort_signal=ctx.abort_signal)

    any_tools = bool(request.tools) or bool(config.server_tools)
    if wants_schema(request) and not native_schema(request, can, tools=any_tools, streaming=streaming):
        # Groq takes no schema here; ask in words, as for models that never take one.
        return await _simulate(request, send)
    return await send()


class _Chat:
    """One chat request on its way."""

    def __init__(self, body: dict[str, Any], toolbox: Toolbox, ctx: ActionRunContext[Any]) -> None:
        self._body = body
        self._toolbox = toolbox
        self._ctx = ctx

    async def whole(self, client: AsyncGroq) -> ModelResponse[Any]:
        """The answer at once; a caller that streams gets it as one chunk."""
        from groq import APIError

        try:
            raw = await client.post(_PATH, cast_to=httpx.Response, body=self._body)
            response = to_response(raw.json(), raw.headers, self._toolbox)
        except APIError as error:
            response = self._recovered(error, None)
        message = response.message
        if self._ctx.is_streaming and message is not None:
            self._ctx.send_chunk(ModelResponseChunk(role=Role.MODEL, content=message.content))
        return response

    async def stream(self, client: AsyncGroq) -> ModelResponse[Any]:
        """The answer in chunks."""
        from groq import APIError

        draft = Draft(self._toolbox)
        try:
            await self._receive(client, draft)
            response = draft.response()
        except APIError as error:
            response = self._recovered(error, draft)
        said = len(draft.spoken())
        message = response.message
        # What no event has told yet: tool requests, and what was recovered.
        news = [part for part in message.content[said:] if part.text != ''] if message is not None else []
        if news:
            self._ctx.send_chunk(ModelResponseChunk(role=Role.MODEL, content=news))
        return response

    async def _receive(self, client: AsyncGroq, draft: Draft) -> None:
        from groq import AsyncStream

        body = {**self._body, 'stream': True}
        stream = await client.post(_PATH, cast_to=object, body=body, stream=True, stream_cls=AsyncStream[object])
        draft.custom.update(header_facts(stream.response.headers))
        try:
            async for event in stream:
                heard = draft.add(event)
                if heard is not None:
                    self._ctx.send_chunk(heard)
        finally:
            # Also on the way out of an abort: the connection must not go on receiving.
            await stream.close()
        if draft.reason is None and not draft.cut:
            raise GenkitError(
                status='UNAVAILABLE', message='The stream ended before the answer did; try again.', source='groq'
            )

    def _recovered(self, error: APIError, draft: Draft | None) -> ModelResponse[Any]:
        """The answer in a `tool_use_failed` error; any other error goes on."""
        body = error_body(error)
        if body.get('code') == TOOL_USE_FAILED:
            parts = recover(body.get('failed_generation'), self._toolbox)
            if parts is not None:
                return recovered_response(parts, draft)
        raise error
