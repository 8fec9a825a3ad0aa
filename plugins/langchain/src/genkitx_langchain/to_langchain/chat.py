# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""`ChatGenkit`: a Genkit model as a LangChain chat model."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast
from uuid import UUID, uuid4

from genkit import ActionKind, GenkitError, Message, Part, ToolChoice, ToolDefinition
from genkit.model import ModelRequest, ModelResponse, ModelResponseChunk
from genkit.plugin_api import Action, ModelRef
from genkitx import MiddlewareAction
from genkitx.middleware.simulate_constrained_generation import render_instructions, simulate_constrained
from genkitx.models import supports_of
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import Self

from genkitx_langchain.background import background, retrieve
from genkitx_langchain.convert.blocks import part_block
from genkitx_langchain.convert.messages import to_ai_message, to_genkit_messages
from genkitx_langchain.convert.options import OPTIONS, to_langchain_usage
from genkitx_langchain.to_langchain.actions import default_model, find_action
from genkitx_langchain.tracing.handler import inside
from genkitx_langchain.tracing.scope import abandon, announced

_RETRIED: Final = frozenset({'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'ABORTED', 'INTERNAL'})
_NOT_SENT: Final = frozenset({'ls_structured_output_format', 'output_version', 'stream_usage'})


class ChatGenkit(BaseChatModel):
    """A Genkit model as a LangChain chat model.

    It calls the model itself, not `ai.generate`: LangChain owns the tool loop. Synchronous calls work with and without a
    running event loop.

    Attributes:
        ai: The Genkit in which the model is found; not needed for a model action.
        model: The model's name, `<plugin>/<id>`, a model action, or a `ModelRef`; by default the Genkit's default model.
        temperature: Sampling temperature.
        max_tokens: Most tokens to generate (Genkit's `max_output_tokens`).
        top_k: Sample from the k likeliest tokens.
        top_p: Sample from the likeliest tokens that make up this share.
        stop: Sequences that end the answer.
        timeout: Seconds a call may take.
        max_retries: How often a failure that may pass is tried again, before anything was streamed.
        streaming: Stream inside `invoke` as well.
        config: Further options of the model, under Genkit's names.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True)

    ai: Any = Field(default=None, exclude=True, repr=False)
    model: Any = None
    temperature: float | None = None
    max_tokens: int | None = None
    top_k: int | None = None
    top_p: float | None = None
    stop: list[str] | None = Field(default=None, alias='stop_sequences')
    timeout: float | None = None
    max_retries: int = Field(default=0, ge=0)
    streaming: bool = False
    config: dict[str, Any] = Field(default_factory=dict, exclude=True, repr=False)

    @model_validator(mode='after')
    def _settle_model(self) -> Self:
        # Now rather than at a call: LangChain's traces and cache ask for the name before that.
        model = default_model(self.ai) if self.model in (None, '') else self.model
        if isinstance(model, ModelRef):
            self.config = _config_of(cast('ModelRef[Any]', model)) | self.config
            model = model.name
        self.model = model
        return self

    @property
    def _llm_type(self) -> str:
        return 'genkit'

    @property
    def _identifying_params(self) -> dict[str, Any]:
        # LangChain's cache tells models apart by these. The config may hold keys, so it is not shown.
        config = {'config_hash': _hash(self.config)} if self.config else {}
        return {'model': _model_name(self.model), **{key: getattr(self, key) for key in OPTIONS}, **config}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        params = dict(super()._get_ls_params(stop=stop, **kwargs))
        name = _model_name(kwargs.get('model') or self.model)
        return {**params, 'ls_provider': name.partition('/')[0], 'ls_model_name': name}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | Any],
        *,
        tool_choice: str | bool | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Runnable[Any, AIMessage]:
        """Binds tools.

        Args:
            tools: Functions, classes, LangChain tools or OpenAI definitions.
            tool_choice: `auto`, `any` or `required`, `none`, or the name of the one tool to call.
            **kwargs: Further options.
        """
        chosen = {} if tool_choice is None else {'tool_choice': tool_choice}
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **chosen, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        method: str = 'function_calling',
        **kwargs: Any,
    ) -> Runnable[Any, Any]:
        """Makes the model answer in a schema.

        Args:
            schema: A pydantic class, a TypedDict or JSON schema.
            include_raw: Give `{'raw', 'parsed', 'parsing_error'}`.
            method: `function_calling` asks with a tool; `json_schema` with Genkit's constrained output, which falls back to
                instructions in the prompt; `json_mode` asks for JSON only.
            **kwargs: `strict` is taken and has no meaning here.
        """
        if method == 'function_calling':
            return super().with_structured_output(schema, include_raw=include_raw, **kwargs)
        kwargs.pop('strict', None)
        if method not in ('json_schema', 'json_mode') or kwargs:
            raise ValueError(f'Unsupported structured output: method={method!r}, {kwargs}')
        described = convert_to_openai_tool(schema)['function']['parameters']
        output: dict[str, Any] = {'format': 'json', 'contentType': 'application/json'}
        if method == 'json_schema':
            output |= {'schema': described, 'constrained': True}
        is_model = isinstance(schema, type) and issubclass(schema, BaseModel)
        parser: Any = PydanticOutputParser(pydantic_object=cast('Any', schema)) if is_model else JsonOutputParser()
        described_format: dict[str, Any] = {'kwargs': {'method': method}, 'schema': schema}
        llm = self.bind(output=output, ls_structured_output_format=described_format)
        if not include_raw:
            return llm | parser
        parsed = RunnablePassthrough.assign(
            parsed=lambda both: parser.invoke(both['raw']), parsing_error=lambda _: None
        )
        failed = RunnablePassthrough.assign(parsed=lambda _: None)
        return RunnableMap(raw=llm) | parsed.with_fallbacks([failed], exception_key='parsing_error')

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return background.run(lambda: self._agenerate(messages, stop, run_manager, **kwargs))

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        action, request = await self._prepare(messages, stop, kwargs)
        response = await self._run(action, request, _run_id(run_manager), None)
        return ChatResult(generations=[ChatGeneration(message=_ai_message(response, action.name))])

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        run_id = _run_id(run_manager) or announced()
        return background.stream(lambda: self._chunks(messages, stop, run_id, kwargs))

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        stream = self._chunks(messages, stop, _run_id(run_manager) or announced(), kwargs)
        try:
            async for chunk in stream:
                if run_manager is not None:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
        finally:
            await cast('Any', stream).aclose()

    async def _chunks(
        self, messages: list[BaseMessage], stop: list[str] | None, run_id: UUID | None, kwargs: dict[str, Any]
    ) -> AsyncIterator[ChatGenerationChunk]:
        action, request = await self._prepare(messages, stop, kwargs)
        chunks: asyncio.Queue[ModelResponseChunk[Any] | None] = asyncio.Queue()
        task = asyncio.create_task(self._run(action, request, run_id, chunks.put_nowait))
        task.add_done_callback(lambda _: chunks.put_nowait(None))
        task.add_done_callback(retrieve)
        writer = _ChunkWriter()
        try:
            while (chunk := await chunks.get()) is not None:
                content = writer.content(chunk.content)
                if content:
                    yield ChatGenerationChunk(message=AIMessageChunk(content=cast('Any', content)))
            yield ChatGenerationChunk(message=writer.last(_ai_message(await task, action.name)))
        finally:
            task.cancel()

    async def _prepare(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> tuple[Action[Any, Any, Any], ModelRequest[Any]]:
        given = {key: value for key, value in kwargs.items() if key not in _NOT_SENT}
        action = await find_action(self.ai, ActionKind.MODEL, given.pop('model', None) or self.model)
        tools, choice = _tools(given.pop('tools', None), given.pop('tool_choice', None))
        output = given.pop('output', None)
        options = {name: getattr(self, name) for name in OPTIONS} | given | ({} if stop is None else {'stop': stop})
        config = self.config | {OPTIONS.get(key, key): value for key, value in options.items() if value is not None}
        request: ModelRequest[Any] = ModelRequest(
            messages=to_genkit_messages(messages, for_model=True),
            config=config or None,
            tools=tools or None,
            tool_choice=choice,
            **({'output': output} if output else {}),
        )
        can = supports_of(action).get('constrained')
        if request.output.constrained and not isinstance(action, MiddlewareAction) and can in (None, 'none'):
            request = simulate_constrained(request, render_instructions)
        return action, request

    async def _run(
        self,
        action: Action[Any, Any, Any],
        request: ModelRequest[Any],
        run_id: UUID | None,
        on_chunk: Callable[[ModelResponseChunk[Any]], None] | None,
    ) -> ModelResponse[Any]:
        sent = False

        def send(chunk: ModelResponseChunk[Any]) -> None:
            nonlocal sent
            sent = True
            cast('Any', on_chunk)(chunk)

        for attempt in range(self.max_retries + 1):
            try:
                with inside(run_id):
                    call = action.run(request, on_chunk=send if on_chunk else None)
                    return (await asyncio.wait_for(call, self.timeout)).response
            except asyncio.CancelledError:
                if run_id is not None:
                    abandon(run_id)
                raise
            except asyncio.TimeoutError as error:
                failure = GenkitError(
                    status='DEADLINE_EXCEEDED', message=f'{action.name} took more than {self.timeout} s.', cause=error
                )
            except GenkitError as error:
                failure = error
            if sent or attempt == self.max_retries or failure.status not in _RETRIED:
                raise failure
            await asyncio.sleep(min(0.5 * 2**attempt, 8))
        raise AssertionError('unreachable')


class _ChunkWriter:
    """Writes parts as the content of message chunks, and knows what was written."""

    def __init__(self) -> None:
        self._index = -1
        self._kind = ''
        self._wrote = False
        self._blocks = False

    def content(self, parts: Sequence[Part]) -> str | list[Any]:
        """The content of a chunk; tool requests wait for the end, where they are whole."""
        parts = [part for part in parts if part.tool_request is None]
        if not parts:
            return ''
        self._wrote = True
        blocks = [part_block(part) for part in parts]
        if not self._blocks and all(set(block) == {'type', 'text'} for block in blocks):
            return ''.join(block['text'] for block in blocks)
        self._blocks = True
        for block in blocks:
            if block['type'] != self._kind or block['type'] not in ('text', 'reasoning'):
                self._index += 1
                self._kind = block['type']
            block['index'] = self._index
        return list(blocks)

    def last(self, message: AIMessage) -> AIMessageChunk:
        """The chunk that ends the stream: calls, token counts, and the content if nothing was streamed."""
        calls = [
            tool_call_chunk(name=call['name'], args=_dumped(call['args']), id=call['id'], index=i)
            for i, call in enumerate(message.tool_calls)
        ]
        return AIMessageChunk(
            content='' if self._wrote else cast('Any', message.content),
            tool_call_chunks=calls,
            additional_kwargs=cast('Any', message.additional_kwargs),
            response_metadata=cast('Any', message.response_metadata),
            usage_metadata=message.usage_metadata,
            chunk_position='last',
        )


def _run_id(run_manager: Any) -> UUID | None:
    return getattr(run_manager, 'run_id', None)


def _dumped(args: Any) -> str:
    return json.dumps(args, ensure_ascii=False)


def _hash(config: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(config, sort_keys=True, default=repr).encode()).hexdigest()


def _config_of(model: ModelRef[Any]) -> dict[str, Any]:
    version = {} if model.version is None else {'version': model.version}
    # Field by field: a dump leaves out what a config keeps to itself, such as a key.
    fields = () if model.config is None else model.config.model_fields_set
    return version | {name: getattr(model.config, name) for name in fields}


def _model_name(model: Any) -> str:
    return model if isinstance(model, str) else str(getattr(model, 'name', model))


def _ai_message(response: ModelResponse[Any], name: str) -> AIMessage:
    """The answer as a message; an answer that is none is an error, not an empty success."""
    if response.error is not None or response.message is None:
        reason = response.error.message if response.error else response.finish_message or response.finish_reason
        status: Any = response.error.status if response.error else 'INTERNAL'
        raise GenkitError(status=status, message=f'{name} gave no answer: {reason}')
    message = to_ai_message(_with_refs(response.message))
    about: dict[str, Any] = {'model_name': name}
    if response.finish_reason is not None:
        about['finish_reason'] = str(response.finish_reason.value)
    if response.finish_message:
        about['finish_message'] = response.finish_message
    if response.custom:
        about['custom'] = response.custom
    message.response_metadata = {**cast('dict[str, Any]', message.response_metadata), **about}
    message.usage_metadata = to_langchain_usage(response.usage)
    return message


def _with_refs(message: Message) -> Message:
    """Gives an id to tool requests without one, since an agent answers by id."""
    if all(part.tool_request is None or part.tool_request.ref is not None for part in message.content):
        return message
    message = message.model_copy(deep=True)
    for part in message.content:
        if part.tool_request is not None and part.tool_request.ref is None:
            part.tool_request.ref = f'call_{uuid4().hex}'
    return message


def _tools(tools: Sequence[Any] | None, choice: Any) -> tuple[list[ToolDefinition], ToolChoice | None]:
    definitions = [_definition(tool) for tool in tools or ()]
    if choice is None or not definitions:
        return definitions, None
    if isinstance(choice, Mapping):
        chosen = cast('Mapping[str, Any]', choice)
        choice = chosen.get('function', chosen).get('name')
    if choice in ('auto', 'none'):
        return definitions, ToolChoice(choice)
    if choice in ('any', 'required', True):
        return definitions, ToolChoice.REQUIRED
    named = [definition for definition in definitions if definition.name == choice]
    if not named:
        known = ', '.join(definition.name for definition in definitions)
        raise GenkitError(status='INVALID_ARGUMENT', message=f'tool_choice {choice!r} is none of the tools: {known}.')
    # Genkit has no choice by name; with one tool, requiring a call is the same.
    return named, ToolChoice.REQUIRED


def _definition(tool: Any) -> ToolDefinition:
    function = convert_to_openai_tool(tool)['function']
    return ToolDefinition(
        name=function['name'],
        description=function.get('description') or '',
        input_schema=function.get('parameters') or {'type': 'object', 'properties': {}},
    )
