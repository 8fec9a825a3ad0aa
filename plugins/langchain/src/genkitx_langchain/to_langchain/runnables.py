# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""`GenkitTool`, `GenkitFlow` and `GenkitPrompt`: what Genkit runs, in LangChain chains and agents."""

from __future__ import annotations

import abc
import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import genkit
from genkit import GenkitError, Interrupt, Tool
from genkit.plugin_api import Action, ActionKind
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool
from pydantic import ConfigDict, Field

from genkitx_langchain.background import background, retrieve
from genkitx_langchain.convert.blocks import part_block
from genkitx_langchain.convert.messages import to_ai_message
from genkitx_langchain.convert.options import to_langchain_usage
from genkitx_langchain.to_langchain.actions import find_action
from genkitx_langchain.tracing.handler import inside


class GenkitTool(BaseTool):
    """A Genkit tool as LangChain's; made by `genkit_tool`.

    A tool that interrupts raises Genkit's `Interrupt`, which LangChain does not take for an error of the tool.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    action: Any = Field(exclude=True, repr=False)
    wrapped: bool = False

    def _run(self, /, *args: Any, run_manager: Any = None, **kwargs: Any) -> Any:
        return background.run(lambda: self._arun(run_manager=run_manager, **kwargs))

    async def _arun(self, /, *args: Any, run_manager: Any = None, **kwargs: Any) -> Any:
        value: Any = kwargs.get('input') if self.wrapped else kwargs
        try:
            with inside(getattr(run_manager, 'run_id', None)):
                result = (await self.action.run(value)).response
        except GenkitError as error:
            if isinstance(error.cause, Interrupt):
                raise error.cause from None
            raise
        if not getattr(result, 'content', None):
            return getattr(result, 'output', result)
        output = [] if result.output is None else [{'type': 'text', 'text': _text(result.output)}]
        return [*output, *(part_block(part) for part in result.content)]


async def genkit_tool(tool: str | Tool | Action[Any, Any, Any], ai: genkit.Genkit | None = None) -> GenkitTool:
    """Makes a LangChain tool of a Genkit tool.

    Args:
        tool: A tool, its action, or its name.
        ai: The Genkit in which a name is found.

    Raises:
        GenkitError: UNIMPLEMENTED for a tool with an argument `run_manager`, a name that LangChain keeps for itself.
    """
    action = tool.action() if isinstance(tool, Tool) else await find_action(ai, ActionKind.TOOL, tool)
    schema = cast('dict[str, Any]', action.input_schema or {})
    wrapped = bool(schema) and schema.get('type') != 'object' and 'properties' not in schema
    if wrapped:
        # LangChain's arguments are an object.
        schema = {'type': 'object', 'properties': {'input': schema}, 'required': ['input']}
    if 'run_manager' in schema.get('properties', {}):
        raise GenkitError(
            status='UNIMPLEMENTED',
            message=f"LangChain keeps 'run_manager' for itself; rename that argument of {action.name}.",
        )
    name = action.name.rpartition('/')[2]
    arguments = {'title': name, 'properties': {}, **schema, 'type': 'object'}
    return GenkitTool(
        name=name, description=action.description or name, args_schema=arguments, action=action, wrapped=wrapped
    )


class _GenkitRunnable(Runnable[Any, Any], abc.ABC):
    """What flows and prompts share: synchronous calls, and streams that end with an answer or an error."""

    name: str | None = None

    @abc.abstractmethod
    async def _start(self, value: Any, on_chunk: Callable[[Any], None] | None) -> Any:
        """Runs it; chunks go to `on_chunk`, where the caller streams."""

    def _chunk(self, chunk: Any) -> Any:
        return chunk

    def _whole(self, output: Any) -> Any:
        return output

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Runs it."""

        async def run(value: Any, run_manager: Any) -> Any:
            with inside(run_manager.run_id):
                return await self._start(value, None)

        return await self._acall_with_config(run, input, config, **kwargs)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Runs it."""
        return background.run(lambda: self.ainvoke(input, config, **kwargs))

    async def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:  # noqa: A002
        """Yields its chunks; what streams nothing yields its output."""

        async def once() -> AsyncIterator[Any]:
            yield input

        async for chunk in self._atransform_stream_with_config(once(), self._chunks, config, **kwargs):
            yield chunk

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:  # noqa: A002
        """Yields its chunks; what streams nothing yields its output."""
        return background.stream(lambda: self.astream(input, config, **kwargs))

    async def _chunks(self, values: AsyncIterator[Any], run_manager: Any) -> AsyncIterator[Any]:
        chunks: asyncio.Queue[tuple[Any] | None] = asyncio.Queue()

        async def run(value: Any) -> Any:
            with inside(run_manager.run_id):
                return await self._start(value, lambda chunk: chunks.put_nowait((chunk,)))

        async for value in values:
            task = asyncio.create_task(run(value))
            task.add_done_callback(lambda _: chunks.put_nowait(None))
            task.add_done_callback(retrieve)
            streamed = False
            try:
                while (entry := await chunks.get()) is not None:
                    streamed = True
                    yield self._chunk(entry[0])
                output = await task
                if not streamed:
                    yield self._whole(output)
            finally:
                task.cancel()


class GenkitFlow(_GenkitRunnable):
    """A Genkit flow as a runnable; its stream is the flow's chunks.

    Args:
        flow: The flow, or its name.
        ai: The Genkit in which a name is found.
    """

    def __init__(self, flow: str | Action[Any, Any, Any], ai: genkit.Genkit | None = None) -> None:
        self.name = flow if isinstance(flow, str) else flow.name
        self._flow = flow
        self._ai = ai

    async def _start(self, value: Any, on_chunk: Callable[[Any], None] | None) -> Any:
        action = await find_action(self._ai, ActionKind.FLOW, self._flow)
        return (await action.run(value, on_chunk=on_chunk)).response


class GenkitPrompt(_GenkitRunnable):
    """A Genkit prompt as a runnable: variables in, the model's `AIMessage` out.

    Args:
        prompt: An executable prompt: `ai.prompt('name')`, or what `ai.define_prompt` returned.
        name: The name of its runs.
    """

    def __init__(self, prompt: Any, *, name: str = 'prompt') -> None:
        self.name = name
        self._prompt = prompt

    async def _start(self, value: Any, on_chunk: Callable[[Any], None] | None) -> Any:
        response = await (self._prompt(value, on_chunk=on_chunk) if on_chunk else self._prompt(value))
        if response.error is not None or response.message is None:
            # Genkit's generate does not raise; a chain must not take a failure for an empty answer.
            reason = response.error.message if response.error else response.finish_message or response.finish_reason
            status: Any = response.error.status if response.error else 'INTERNAL'
            raise GenkitError(status=status, message=f'{self.name} gave no answer: {reason}')
        message = to_ai_message(response.message)
        message.usage_metadata = to_langchain_usage(response.usage)
        return message

    def _chunk(self, chunk: Any) -> Any:
        parts = [part for part in chunk.content if part.tool_request is None and part.tool_response is None]
        if all(part.text is not None for part in parts):
            return AIMessageChunk(content=''.join(part.text for part in parts))
        return AIMessageChunk(content=cast('Any', [part_block(part) for part in parts]))

    def _whole(self, output: AIMessage) -> Any:
        return AIMessageChunk(content=cast('Any', output.content), usage_metadata=output.usage_metadata)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
