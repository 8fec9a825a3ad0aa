# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What the Genkit surface costs over bare LangGraph, per step.

uv run python benchmarks/bench_graph.py [--quick]

A loop of one node, and a fan-out of many; without checkpoints and with the memory saver. CPU time, medians of interleaved runs. The bare nodes
do the same work on the same state; ours are also spans, validated, and limited.
"""

from __future__ import annotations

import asyncio
import gc
import operator
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypedDict

from genkit import Genkit
from genkitx_graph import (
    END,
    START,
    Command,
    Finish,
    JsonSerializer,
    MemoryCheckpoints,
    Next,
    Send,
    define_graph,
    define_state_graph,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from pydantic import BaseModel
from report import QUICK, row

STEPS = 30 if QUICK else 300
ITEMS = 10 if QUICK else 100
ROUNDS = 1 if QUICK else 9


class State(BaseModel):
    n: int
    text: str = 'some text'


class BareState(TypedDict):
    state: Any


class Mapped(BaseModel):
    found: Annotated[list[int], operator.add] = []


class BareMapped(TypedDict):
    found: Annotated[list[int], operator.add]


def bare_loop(saver: Any) -> Any:
    async def node(data: BareState) -> Any:
        state = {**data['state'], 'n': data['state']['n'] + 1}
        return Command(update={'state': state}, goto='node' if state['n'] < STEPS else END)

    builder = StateGraph(BareState)
    builder.add_node('node', node)
    builder.add_edge(START, 'node')
    return builder.compile(checkpointer=saver)


def our_loop(checkpoints: Any) -> Any:
    graph = define_graph(
        Genkit(),
        name='loop',
        state_schema=State,
        entrypoint=lambda _: Next(State(n=0), 'node'),
        max_steps=STEPS + 1,
        checkpoints=checkpoints,
    )

    async def node(state: State) -> Any:
        state = State(n=state.n + 1, text=state.text)
        return Next(state, 'node') if state.n < STEPS else Finish(state.n)

    graph.add_node(node)
    return graph


def bare_map() -> Any:
    async def split(_: BareMapped) -> Any:
        return Command(goto=[Send('work', n) for n in range(ITEMS)])

    async def work(n: int) -> Any:
        return {'found': [n]}

    builder = StateGraph(BareMapped)
    builder.add_node('split', split)
    builder.add_node('work', work)
    builder.add_edge(START, 'split')
    return builder.compile()


def our_map() -> Any:
    async def split(_: Mapped) -> Any:
        return Command(goto=[Send('work', n) for n in range(ITEMS)])

    async def work(n: int) -> Any:
        return {'found': [n]}

    graph = define_state_graph(Genkit(), name='map', state_schema=Mapped)
    graph.add_node(split)
    graph.add_node(work)
    graph.add_edge(START, 'split')
    graph.add_edge('work', END)
    return graph


async def compare(
    title: str, bare: Callable[[], Awaitable[Any]], ours: Callable[[], Awaitable[Any]], steps: int
) -> None:
    times: dict[str, list[float]] = {'bare': [], 'ours': []}
    for number in range(ROUNDS + 1):
        for name, candidate in (('bare', bare), ('ours', ours)):
            gc.collect()
            start = time.process_time()
            await candidate()
            if number:  # The first run compiles.
                times[name].append((time.process_time() - start) / steps * 1e6)
    one, two = (statistics.median(values) for values in times.values())
    row('Graph', f'{title}, a step (CPU)', ours=two, raw=one, unit='µs', goal='raw + 300 µs')


async def main() -> None:
    for title, saver, checkpoints in [
        ('loop', None, None),
        ('loop, memory checkpoints', InMemorySaver(serde=JsonSerializer()), MemoryCheckpoints()),
    ]:
        bare, ours = bare_loop(saver), our_loop(checkpoints)
        count = iter(range(1000))

        async def run_bare(bare: Any = bare, count: Any = count, saver: Any = saver) -> None:
            config = {'recursion_limit': STEPS + 5, 'configurable': {'thread_id': str(next(count))}}
            await bare.ainvoke(
                {'state': {'n': 0, 'text': 'some text'}}, config, durability='sync' if saver is not None else None
            )

        await compare(title, run_bare, ours.run, STEPS)
    bare, ours = bare_map(), our_map()
    await compare('map over items', lambda: bare.ainvoke({'found': []}), lambda: ours.run({}), ITEMS)


if __name__ == '__main__':
    asyncio.run(main())
