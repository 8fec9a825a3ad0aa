# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""LangChain runnables and compiled graphs as Genkit flows."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from genkit import ActionKind, ActionRunContext
from genkit.plugin_api import Action

from genkitx_langchain.convert.json_value import json_value
from genkitx_langchain.to_genkit.calls import genkit_errors, run_config

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable


def flow_action(name: str, runnable: Runnable[Any, Any]) -> Action[Any, Any, Any]:
    """Builds the flow of a runnable. What it takes and gives is JSON; a caller that streams gets its chunks.

    A `RunnableConfig` comes in the Genkit context: `context={'langchain': {'configurable': {'thread_id': '1'}}}`.
    """

    async def run(input: Any, ctx: ActionRunContext[Any]) -> Any:  # noqa: A002 - the name is part of the schema
        config = run_config(name, ctx.context)
        with genkit_errors(name):
            if not ctx.is_streaming:
                output: Any = await runnable.ainvoke(input, config)
            elif hasattr(runnable, 'stream_mode'):
                output = await _stream_graph(name, runnable, input, config, ctx)
            else:
                output = await _stream(name, runnable, input, config, ctx)
        return json_value(output, f'the output of {name}')

    action: Action[Any, Any, Any] = Action(
        ActionKind.FLOW, name, run, description=f'LangChain {runnable.get_name()}', span_metadata={'flow:name': name}
    )
    action.input_schema = _schema(runnable.get_input_jsonschema)
    action.output_schema = _schema(runnable.get_output_jsonschema)
    return action


async def _stream(name: str, runnable: Any, value: Any, config: Any, ctx: ActionRunContext[Any]) -> Any:
    total: Any = None
    first = True
    async with aclosing(runnable.astream(value, config)) as chunks:
        async for chunk in chunks:
            ctx.send_chunk(json_value(chunk, f'a chunk of {name}'))
            # As LangChain itself puts chunks together: what cannot be added replaces what was.
            try:
                total = chunk if first else total + chunk
            except TypeError:
                total = chunk
            first = False
    return total


async def _stream_graph(name: str, graph: Any, value: Any, config: Any, ctx: ActionRunContext[Any]) -> Any:
    """A graph streams updates of its state; its output is the state after the last one."""
    mode = graph.stream_mode if isinstance(graph.stream_mode, str) else 'updates'
    state: Any = None
    modes = list({mode, 'values'})
    async with aclosing(graph.astream(value, config, stream_mode=modes, output_keys=graph.output_channels)) as chunks:
        async for kind, chunk in chunks:
            if kind == 'values':
                state = chunk
            if kind == mode:
                ctx.send_chunk(json_value(chunk, f'a chunk of {name}'))
    return state


def _schema(of: Any) -> dict[str, object]:
    try:
        return of()
    except Exception:  # noqa: BLE001 - any type may be annotated; a flow without a schema takes anything
        return {}
