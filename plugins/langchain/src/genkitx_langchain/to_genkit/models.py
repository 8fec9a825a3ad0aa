# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""LangChain chat models as Genkit models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import genkitx
from genkit import GenkitError, Message, Part, Role
from genkit.model import (
    Constrained,
    ModelInfo,
    ModelRequest,
    ModelResponse,
    ModelResponseChunk,
    Supports,
    ToolDefinition,
)
from genkit.plugin_api import Action, ModelConfig
from pydantic import BaseModel, TypeAdapter

from genkitx_langchain.convert.blocks import content_parts
from genkitx_langchain.convert.messages import CALL_BLOCKS, to_genkit_messages, to_langchain_messages
from genkitx_langchain.convert.options import OPTIONS, to_genkit_finish_reason, to_genkit_usage
from genkitx_langchain.to_genkit.calls import genkit_errors, model_run, run_config

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage


@dataclass(frozen=True, kw_only=True)
class ChatModelSettings:
    """A chat model with what Genkit cannot find out by itself.

    Attributes:
        model: The LangChain chat model.
        label: Shown in the Dev UI.
        native_output: Use the model's `with_structured_output` for a schema, instead of instructions in the prompt. Such
            an answer comes in one piece.
        media: Whether the model takes images and other media.
    """

    model: BaseChatModel
    label: str | None = None
    native_output: bool = False
    media: bool = True


def model_action(name: str, settings: ChatModelSettings) -> Action[Any, Any, Any]:
    """Builds the model action of a chat model.

    Raises:
        GenkitError: INVALID_ARGUMENT for what is no chat model, a text model for example.
    """
    from langchain_core.language_models import BaseChatModel

    if not isinstance(cast('Any', settings.model), BaseChatModel):
        kind = type(settings.model).__name__
        raise GenkitError(status='INVALID_ARGUMENT', message=f'{name} needs a LangChain chat model, got a {kind}.')
    runner = _Runner(name, settings)
    supports = Supports(
        multiturn=True,
        media=settings.media,
        tools=_has_tools(settings.model),
        tool_choice=True,
        system_role=True,
        output=['text', 'json'],
        constrained=Constrained.NO_TOOLS if settings.native_output else Constrained.NONE,
    )
    info = ModelInfo(label=settings.label or f'LangChain - {name.partition("/")[2]}', supports=supports)
    return genkitx.model(name, runner.run, info=info, config_schema=ModelConfig)


@dataclass(frozen=True)
class _Runner:
    name: str
    settings: ChatModelSettings

    async def run(self, request: ModelRequest[ModelConfig], ctx: genkitx.ActionFnArg) -> ModelResponse[Any]:
        messages = to_langchain_messages(request.messages)
        kwargs = _options(request.config)
        config = run_config(self.name, ctx.context)
        with genkit_errors(self.name), model_run():
            schema = request.output.json_schema if request.output.constrained else None
            if schema is not None and self.settings.native_output and not request.tools:
                return await self._structured(messages, schema, kwargs, config)
            tools, wrapped = _tools(request)
            runnable: Any = self.settings.model
            if tools:
                choice = {'tool_choice': 'any'} if request.tool_choice == 'required' else {}
                runnable = self.settings.model.bind_tools(tools, **choice)
            if not ctx.streaming_requested:
                return _response(await runnable.ainvoke(messages, config, **kwargs), wrapped)
            return await self._stream(runnable, messages, kwargs, config, wrapped, ctx)

    async def _stream(
        self, runnable: Any, messages: Any, kwargs: Any, config: Any, wrapped: frozenset[str], ctx: genkitx.ActionFnArg
    ) -> ModelResponse[Any]:
        from langchain_core.messages import message_chunk_to_message

        total: Any = None
        async with aclosing(runnable.astream(messages, config, **kwargs)) as chunks:
            async for chunk in chunks:
                total = chunk if total is None else total + chunk
                if parts := _chunk_parts(chunk):
                    ctx.send_chunk(ModelResponseChunk(role=Role.MODEL, content=parts))
        if total is None:
            raise GenkitError(status='INTERNAL', message=f'{self.name} ended its stream without an answer.')
        response = _response(cast('Any', message_chunk_to_message(total)), wrapped)
        calls = [part for part in cast('Message', response.message).content if part.tool_request is not None]
        if calls:
            # Fragments of arguments make no sense alone; the calls come whole.
            ctx.send_chunk(ModelResponseChunk(role=Role.MODEL, content=calls))
        return response

    async def _structured(
        self, messages: list[BaseMessage], schema: dict[str, Any], kwargs: dict[str, Any], config: Any
    ) -> ModelResponse[Any]:
        named: dict[str, Any] = {'title': 'Output', **schema}
        runnable = self.settings.model.with_structured_output(named, include_raw=True)
        answer = cast('dict[str, Any]', await runnable.ainvoke(cast('Any', messages), config, **kwargs))
        raw = cast('AIMessage', answer['raw'])
        if answer.get('parsed') is None:
            return _response(raw, frozenset())
        parsed = TypeAdapter(Any).dump_python(answer['parsed'], mode='json')
        text = json.dumps(parsed, ensure_ascii=False)
        return _response(raw.model_copy(update={'content': text, 'tool_calls': []}), frozenset())


def _has_tools(model: BaseChatModel) -> bool:
    from langchain_core.language_models import BaseChatModel

    return type(model).bind_tools is not BaseChatModel.bind_tools


def _options(config: ModelConfig | None) -> dict[str, Any]:
    """LangChain's call arguments: the common options under its names, the model's own as they are."""
    if config is None:
        return {}
    given: dict[str, Any] = config.model_dump(exclude_none=True, by_alias=False)
    if given.pop('api_key', None) is not None:
        raise GenkitError(
            status='UNIMPLEMENTED',
            message='A LangChain chat model has its key from its constructor; the option api_key is not supported.',
        )
    version = given.pop('version', None)
    options = {theirs: given.pop(ours) for theirs, ours in OPTIONS.items() if ours in given}
    if isinstance(options.get('max_tokens'), float):
        options['max_tokens'] = int(options['max_tokens'])
    if isinstance(options.get('top_k'), float):
        options['top_k'] = int(options['top_k'])
    return {**options, **({'model': version} if version else {}), **given}


def _tools(request: ModelRequest[Any]) -> tuple[list[dict[str, Any]], frozenset[str]]:
    """The tools in the form every chat model takes, and the names of those whose input is no object."""
    if not request.tools or request.tool_choice == 'none':
        return [], frozenset()
    wrapped = frozenset(tool.name for tool in request.tools if not _takes_object(tool))
    return [_definition(tool, tool.name in wrapped) for tool in request.tools], wrapped


def _takes_object(tool: ToolDefinition) -> bool:
    schema: Any = tool.input_schema or {}
    return not schema or schema.get('type') == 'object' or 'properties' in schema


def _definition(tool: ToolDefinition, wrap: bool) -> dict[str, Any]:
    schema: Any = tool.input_schema or {'type': 'object', 'properties': {}}
    if wrap:
        schema = {'type': 'object', 'properties': {'input': schema}, 'required': ['input']}
    function = {'name': tool.name, 'description': tool.description, 'parameters': schema}
    return {'type': 'function', 'function': function}


def _chunk_parts(chunk: Any) -> list[Part]:
    content: Any = chunk.content
    if isinstance(content, str):
        return [Part.from_text(content)] if content else []
    blocks = [block for block in content if isinstance(block, str) or block.get('type') not in CALL_BLOCKS]
    return content_parts(blocks, for_model=True)


def _response(message: AIMessage, wrapped: frozenset[str]) -> ModelResponse[Any]:
    about = cast('dict[str, Any]', message.response_metadata)
    kept = {key: value for key, value in about.items() if key in ('model_provider', 'output_version')}
    bare = message.model_copy(update={'response_metadata': kept, 'usage_metadata': None})
    [converted] = to_genkit_messages([bare])
    for part in converted.content:
        request = part.tool_request
        if request is not None and request.name in wrapped:
            arguments: Any = request.input
            request.input = cast('dict[str, Any]', arguments).get('input') if isinstance(arguments, dict) else arguments
    return ModelResponse(
        message=converted,
        finish_reason=to_genkit_finish_reason(about),
        usage=to_genkit_usage(message.usage_metadata),
        custom={'response_metadata': _plain(about)} if about else None,
    )


def _plain(value: Any) -> Any:
    """Response metadata for the record: what is no JSON is shown as text, since no caller depends on it."""
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in cast('Mapping[Any, Any]', value).items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(entry) for entry in cast('Sequence[Any]', value)]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)
