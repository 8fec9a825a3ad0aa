# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What a chain of model middleware costs: seven that do nothing, around a model that does nothing.

Run `python benchmarks/bench_middleware.py [--quick]`. Prints medians of interleaved runs in CPU time (nothing here waits); the goal is at
most 100 µs for the seven.
"""

import asyncio
import statistics
import time
from typing import Any

from genkit import Message, ModelRequest, ModelResponse, Part
from genkit.model import model as upstream_model
from genkitx import ModelMiddleware, model, wrap
from report import QUICK, row

ROUNDS, CALLS = (2, 20) if QUICK else (21, 400)


async def runner(_request: ModelRequest, _ctx: Any) -> ModelResponse[Any]:
    return ANSWER


async def two(request: ModelRequest[Any], call_next: Any) -> ModelResponse[Any]:
    return await call_next(request)


async def three(request: ModelRequest[Any], opts: Any, call_next: Any) -> ModelResponse[Any]:
    return await call_next(request, opts)


ANSWER = ModelResponse(message=Message(role='model', content=[Part(text='ok')]))
REQUEST = ModelRequest[Any](messages=[Message(role='user', content=[Part(text='q')])])
SEVEN: list[ModelMiddleware] = [two, three, two, three, two, three, two]


async def once(action: Any) -> float:
    start = time.process_time()
    for _ in range(CALLS):
        await action.run(REQUEST)
    return (time.process_time() - start) / CALLS * 1e6


async def main() -> None:
    bare = upstream_model('bare', runner)
    actions = {
        'bare': bare,
        'seven pass-through': wrap(bare, SEVEN),
        'built-in chain': model('built_in', runner),
        'built-in chain and seven': model('both', runner, use=SEVEN),
    }
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(ROUNDS):
        for name, action in actions.items():
            times[name].append(await once(action))
    base = statistics.median(times['bare'])
    for name, values in times.items():
        if name == 'bare':
            continue
        # Each call beside the bare one of its round: the machine is not equally fast all the time.
        extra = statistics.median(value - bare for value, bare in zip(values, times['bare'], strict=True))
        goal = 'raw + 100 µs' if name == 'seven pass-through' else ''
        row('Core', f'model call, {name} (CPU)', ours=base + extra, raw=base, unit='µs', goal=goal)


if __name__ == '__main__':
    asyncio.run(main())
