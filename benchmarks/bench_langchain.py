# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What each direction of the LangChain bridge adds to a call, in CPU time.

Every kind of call runs in interleaved rounds; the best round counts, since a busy machine can only make one slower.
*Raw* is both calls alone, LangChain's and Genkit's, without a bridge between them.
`python benchmarks/bench_langchain.py [--rounds 20] [--calls 50] [--quick]`
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from genkit import Message, ModelResponse, Part, Role
from genkit.model import ModelRequest, model
from genkit.plugin_api import Action, ActionKind, add_custom_exporter
from genkitx import Genkit
from genkitx.testing import HashEmbedder
from genkitx_langchain import ChatGenkit, GenkitEmbeddings, GenkitTracer, LangChain
from genkitx_langchain.background import background
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from report import row

AREA = 'LangChain'

Call = Callable[[], Awaitable[Any]]
REQUEST: Any = {'messages': [{'role': 'user', 'content': [{'text': 'hi'}]}]}
TEXTS: Any = {'input': [{'content': [{'text': 'hi'}]}]}


class Raw(FakeListChatModel):
    """Asynchronous by itself, as providers' models are: LangChain's fake goes through a thread, which is no constant cost."""

    async def _agenerate(self, *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage('hello'))])


class RawEmbeddings(Embeddings):
    """Asynchronous by itself, for the same reason."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[0.5] * 8 for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        return [0.5] * 8

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.embed_documents(texts)

    async def aembed_query(self, text: str) -> list[float]:
        return self.embed_query(text)


class Idle(BaseCallbackHandler):
    """Does nothing: what LangChain itself pays for a handler."""

    run_inline = True

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        pass


class Nowhere(SpanExporter):
    """Takes spans and drops them, so that their making is measured and no network."""

    def export(self, spans: Any) -> SpanExportResult:
        return SpanExportResult.SUCCESS


async def answer(_: ModelRequest[Any]) -> ModelResponse[Any]:
    return ModelResponse(message=Message(role=Role.MODEL, content=[Part.from_text('hello')]))


async def best(rounds: int, calls: int, kinds: dict[str, Call]) -> dict[str, float]:
    """Microseconds of CPU time a call, by kind."""
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, call in kinds.items():
            start = time.process_time()
            for _ in range(calls):
                await call()
            times[name].append((time.process_time() - start) / calls * 1e6)
    return {name: min(values) for name, values in times.items()}


async def kinds(traced: bool) -> dict[str, Call]:
    """The calls: each side alone, and each side through the bridge."""
    tracing: Any = {'callbacks': [GenkitTracer()]}
    raw, vectors = Raw(responses=['hello']), RawEmbeddings()
    ai = Genkit(plugins=[LangChain(models={'fake': raw}, embedders={'fake': vectors})])
    ai.define_model(name='m', fn=answer)
    ai.define_embedder('e', HashEmbedder(8).__call__)
    chat, embeddings = ChatGenkit(ai=ai, model='m'), GenkitEmbeddings('e', ai)
    upstream = model('upstream', answer)

    async def action(kind: ActionKind, name: str) -> Action[Any, Any, Any]:
        found = await ai.registry.resolve_action(kind, name)
        assert found
        return found

    own, bridged = await action(ActionKind.MODEL, 'm'), await action(ActionKind.MODEL, 'langchain/fake')
    embedder = await action(ActionKind.EMBEDDER, 'e')
    bridged_embedder = await action(ActionKind.EMBEDDER, 'langchain/fake')
    config = tracing if traced else None

    idle: Any = {'callbacks': [Idle()]}

    async def blocking() -> None:
        chat.invoke('hi', config)

    return {
        'LangChain model': lambda: raw.ainvoke('hi'),
        'LangChain model with an idle handler': lambda: raw.ainvoke('hi', idle),
        'LangChain model with GenkitTracer': lambda: raw.ainvoke('hi', tracing),
        'Genkit model (upstream action: the floor)': lambda: upstream.run(REQUEST),
        'Genkit model (genkitx)': lambda: own.run(REQUEST),
        'LangChain model in Genkit': lambda: bridged.run(REQUEST),
        'Genkit model in LangChain': lambda: chat.ainvoke('hi', config),
        'Genkit model in LangChain, sync': blocking,
        'LangChain embeddings': lambda: vectors.aembed_query('hi'),
        'Genkit embedder': lambda: embedder.run(TEXTS),
        'LangChain embeddings in Genkit': lambda: bridged_embedder.run(TEXTS),
        'Genkit embedder in LangChain': lambda: embeddings.aembed_query('hi'),
    }


async def report(rounds: int, calls: int, *, traced: bool) -> None:
    cost = await best(rounds, calls, await kinds(traced))
    how = 'traced: CPU' if traced else 'CPU'
    models = cost['LangChain model'] + cost['Genkit model (genkitx)']
    embedders = cost['LangChain embeddings'] + cost['Genkit embedder']
    for name, alone in (
        ('LangChain model in Genkit', models),
        ('Genkit model in LangChain', models),
        ('Genkit model in LangChain, sync', models),
        ('LangChain embeddings in Genkit', embedders),
        ('Genkit embedder in LangChain', embedders),
    ):
        row(AREA, f'{name}, {how}', ours=cost[name], raw=alone, unit='µs', goal='raw + 300 µs')
    idle, tracer = 'LangChain model with an idle handler', 'LangChain model with GenkitTracer'
    row(AREA, f'{tracer}; raw with an idle handler, {how}', ours=cost[tracer], raw=cost[idle], unit='µs')
    floor = cost['Genkit model (upstream action: the floor)']
    case = f'Genkit model of genkitx; raw an action of genkit, {how}'
    row(AREA, case, ours=cost['Genkit model (genkitx)'], raw=floor, unit='µs')


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=20)
    parser.add_argument('--calls', type=int, default=50, help='calls in a round')
    parser.add_argument('--quick', action='store_true', help='few calls: whether it works, not how fast')
    options = parser.parse_args()
    rounds, calls = (2, 5) if options.quick else (options.rounds, options.calls)
    await report(rounds, calls, traced=False)
    add_custom_exporter(Nowhere(), 'nowhere')
    await report(rounds, calls, traced=True)
    background.close()


if __name__ == '__main__':
    asyncio.run(main())
