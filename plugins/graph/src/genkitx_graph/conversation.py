# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Models in nodes: a tool that asks a human pauses the graph, and the model goes on with the answer.

Each turn is kept like a `step`, so a resumed node goes on from the tool's answer instead of asking the model again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Annotated, Any, Literal

from genkit import (
    ActionRunContext,
    ExecutablePrompt,
    Genkit,
    GenkitError,
    Message,
    ModelResponse,
    Part,
    respond_to_interrupt,
    restart_tool,
)
from genkit.plugin_api import Action
from genkitx import raise_if_failed
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, TypeAdapter, WithJsonSchema

from genkitx_graph.interrupts import interrupt, step
from genkitx_graph.scope import current_node

Turn = Callable[[dict[str, Any]], Awaitable[ModelResponse[Any]]]


class ToolAnswer(BaseModel):
    """A human's answer to one interrupted tool request.

    Attributes:
        name: The tool, where several requests are open.
        ref: The request's reference, where one tool was asked more than once.
        action: `respond`: `output` is the tool's output. `restart`: run the tool (again) with `resumed` metadata.
        output: The tool's output.
        input: New input of a restarted tool.
        resumed: What a restarted tool sees as `ToolRunContext.resumed_metadata`.
    """

    model_config = ConfigDict(extra='forbid', defer_build=True)

    name: str | None = None
    ref: str | None = None
    action: Literal['respond', 'restart'] = 'respond'
    output: Any = None
    input: Any = None
    resumed: dict[str, Any] = Field(default_factory=dict)


async def generate(ai: Genkit, *, on_chunk: Callable[[Any], None] | None = None, **options: Any) -> ModelResponse[Any]:
    """`ai.generate` for a node: raises where it failed, and pauses the graph where a tool asks a human.

    The question is `{'toolRequests': [{'name', 'ref', 'input', 'metadata'}]}`; the answer is one `ToolAnswer` or a list
    of them, one for each request. A resumed node does not ask the model again.

    Args:
        ai: The Genkit instance.
        on_chunk: Gets the model's chunks; pass the node's `ctx.send_chunk` to stream them.
        options: Options of `ai.generate`.

    Returns:
        The response, without open tool requests. Its `output` is plain data: validate it with your own type.

    Raises:
        GenkitError: The model's failure; INVALID_ARGUMENT: answers that do not match the open requests.
    """
    host: Any = ai  # Options are checked by Genkit, at run time.

    async def turn(changes: dict[str, Any]) -> ModelResponse[Any]:
        call = {key: value for key, value in options.items() if not changes or key not in _OPENING} | changes
        if on_chunk is None:
            return await host.generate(**call)
        stream = host.generate_stream(**call)
        async for chunk in stream.stream:
            on_chunk(chunk)
        return await stream.response

    return await _converse(turn)


# What opened the conversation is in its messages when it goes on.
_OPENING = frozenset({'prompt', 'system', 'messages', 'docs', 'resume_respond', 'resume_restart', 'resume_metadata'})


async def ask_prompt(
    ai: Genkit, prompt: ExecutablePrompt[Any, Any], value: Any, ctx: ActionRunContext[Any]
) -> ModelResponse[Any]:
    """Runs a prompt as a node; its response goes to the node's `output` mapping.

    A prompt adds its own text to whatever messages it gets, so it goes on by the action that the Dev UI uses. That one
    finds registered tools only, not tools made for this prompt alone.
    """
    on_chunk = ctx.streaming_callback

    async def turn(changes: dict[str, Any]) -> ModelResponse[Any]:
        if not changes:
            return await prompt(value, **({} if on_chunk is None else {'on_chunk': on_chunk}))
        action = await ai.registry.resolve_action_by_key('/util/generate')
        if action is None:
            raise GenkitError(status='INTERNAL', message='Genkit has no action /util/generate.')
        options = _wire(await prompt.render(value))
        options['messages'] = [_wire(message) for message in changes['messages']]
        answers = {'respond': changes.get('resume_respond'), 'restart': changes.get('resume_restart')}
        options['resume'] = {kind: [_wire(part) for part in parts] for kind, parts in answers.items() if parts}
        return (await action.run(options, on_chunk=on_chunk, abort_signal=ctx.abort_signal)).response

    return await _converse(turn)


def _wire(value: BaseModel) -> dict[str, Any]:
    return value.model_dump(mode='json', by_alias=True, exclude_none=True)


async def _converse(turn: Turn) -> ModelResponse[Any]:
    if current_node.get() is None:  # A node that is run alone has nothing to pause.
        return raise_if_failed(await turn({}))
    response = await _kept(turn, {})
    while response.interrupts:
        response = await _kept(turn, {'messages': response.messages, **_answered(response.interrupts)})
    return response


async def _kept(turn: Turn, changes: dict[str, Any]) -> ModelResponse[Any]:
    async def model_turn() -> dict[str, Any]:
        response = raise_if_failed(await turn(changes))
        return response.model_dump(mode='json', by_alias=True, exclude_none=True)

    return ModelResponse[Any].model_validate(await step(model_turn, name='generate'))


def _answered(pending: list[Part]) -> dict[str, Any]:
    """Pauses until the open tool requests are answered; returns the options that go on with the answers."""
    answers = interrupt(
        {'toolRequests': [_request_json(part) for part in pending]},
        response_schema=Annotated[
            Any, PlainValidator(lambda value: _match(pending, value)), WithJsonSchema(_answers_schema())
        ],
    )
    responded: list[Part] = []
    restarted: list[Part] = []
    for part, answer in answers:
        if answer.action == 'respond':
            responded.append(respond_to_interrupt(answer.output, interrupt=part))
        else:
            restarted.append(restart_tool(interrupt=part, replace_input=answer.input, resumed_metadata=answer.resumed))
    options: dict[str, Any] = {}
    if responded:
        options['resume_respond'] = responded
    if restarted:
        options['resume_restart'] = restarted
    return options


def _request_json(part: Part) -> dict[str, Any]:
    request = part.tool_request
    assert request is not None  # noqa: S101 - `interrupts` holds tool requests only
    metadata = (part.metadata or {}).get('interrupt')
    return {'name': request.name, 'ref': request.ref, 'input': request.input, 'metadata': metadata}


@cache
def _answers_adapter() -> TypeAdapter[ToolAnswer | list[ToolAnswer]]:
    return TypeAdapter(ToolAnswer | list[ToolAnswer])


def _answers_schema() -> dict[str, Any]:
    one = ToolAnswer.model_json_schema()
    return {'anyOf': [one, {'type': 'array', 'items': one}]}


def _match(pending: list[Part], value: Any) -> list[tuple[Part, ToolAnswer]]:
    """The answer to each request. Raises ValueError, so that a wrong answer can be given again."""
    parsed = _answers_adapter().validate_python(value)
    answers = parsed if isinstance(parsed, list) else [parsed]
    if len(pending) == 1 and len(answers) == 1 and answers[0].name is None:
        return [(pending[0], answers[0])]
    found: list[tuple[Part, ToolAnswer]] = []
    for part in pending:
        request = part.tool_request
        fitting = [a for a in answers if request and a.name == request.name and a.ref in (None, request.ref)]
        if len(fitting) != 1:
            name = request.name if request else ''
            raise ValueError(
                f"expected one answer for the tool request '{name}', got {len(fitting)}; "
                'give each answer the name (and ref) of its request'
            )
        found.append((part, fitting[0]))
    return found


async def ask_agent(
    agent: Action[Any, Any, Any],
    value: Any,
    on_chunk: Callable[[Any], None] | None,
    abort_signal: asyncio.Event | None,
) -> Any:
    """Runs one turn of an agent as a node; a text becomes the user's message. Goes on where a tool asks a human.

    Raises:
        GenkitError: The agent's failure.
    """
    from genkit.exp import AgentOutput

    async def turn(data: Any, init: Any) -> dict[str, Any]:
        result = (await agent.run(data, init=init, on_chunk=on_chunk, abort_signal=abort_signal)).response
        if result.error is not None:
            raise_if_failed(ModelResponse[Any](error=result.error))
        return _wire(result)

    if isinstance(value, str):
        value = {'message': {'role': 'user', 'content': [{'text': value}]}}
    data, init = value, None
    while True:
        kept = await step(turn, data, init, name=agent.name)
        message = Message.model_validate(kept.get('message') or {'role': 'model', 'content': []})
        if not message.interrupts:
            return AgentOutput.model_validate(kept)
        answers = _answered(message.interrupts)
        kinds = {'respond': answers.get('resume_respond', []), 'restart': answers.get('resume_restart', [])}
        data = {'resume': {kind: [_wire(part) for part in parts] for kind, parts in kinds.items() if parts}}
        # An agent that keeps no sessions itself hands its state to the caller.
        init = {'state': kept['state']} if 'state' in kept else {'sessionId': kept.get('sessionId')}
