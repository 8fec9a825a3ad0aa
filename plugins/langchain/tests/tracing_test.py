# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""One tree of spans: LangChain's runs and Genkit's calls below each other."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from genkit import Message, ModelResponse, Part, Role
from genkit.plugin_api import add_custom_exporter
from genkitx import Genkit
from genkitx_langchain import ChatGenkit, GenkitTracer, LangChain
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@pytest.fixture(scope='module')
def exporter() -> InMemorySpanExporter:
    one = InMemorySpanExporter()
    add_custom_exporter(one, 'langchain-test')
    return one


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[Any]:
    exporter.clear()

    def tree() -> dict[str, tuple[str | None, dict[str, Any]]]:
        trace.get_tracer_provider().force_flush()  # type: ignore[attr-defined]
        found = exporter.get_finished_spans()
        names = {span.context.span_id: span.name for span in found if span.context}
        return {s.name: (names.get(s.parent.span_id) if s.parent else None, dict(s.attributes or {})) for s in found}

    yield tree
    exporter.clear()


class _Docs(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document(page_content='fact', metadata={'n': 1})]


@pytest.mark.parametrize('sync', [False, True])
async def test_one_tree(ai: Genkit, spans: Any, sync: bool):
    chat = ChatGenkit(ai=ai, model='test/chat')
    chain = (_Docs() | RunnableLambda(lambda docs: docs[0].page_content) | chat).with_config(run_name='my chain')

    @ai.flow()
    async def outer(text: str) -> str:
        config: Any = {'callbacks': [GenkitTracer()]}
        answer = await asyncio.to_thread(chain.invoke, text, config) if sync else await chain.ainvoke(text, config)
        return answer.text

    assert await outer('q') == 'You said: fact (of 1)'
    tree = spans()
    assert tree['my chain'][0] == 'outer'
    assert tree['_Docs'][0] == 'my chain'
    assert tree['ChatGenkit'][0] == 'my chain'
    assert tree['test/chat'][0] == 'ChatGenkit'
    retriever = tree['_Docs'][1]
    assert retriever['genkit:metadata:subtype'] == 'retriever'
    assert retriever['genkit:output'] == '{"documents": [{"content": [{"text": "fact"}], "metadata": {"n": 1}}]}'
    assert retriever['genkit:state'] == 'success'
    assert retriever['langchain:path'] == 'my chain/_Docs'
    assert tree['ChatGenkit'][1]['genkit:metadata:input_tokens'] == 7
    path = '/{outer,t:action,s:flow}/{my%20chain,t:util,s:chain}'
    assert tree['my chain'][1]['genkit:path'] == path
    path += '/{ChatGenkit,t:util,s:model}/{test%2Fchat,t:action,s:model}'
    assert tree['test/chat'][1]['genkit:path'] == path
    assert tree['test/chat'][1]['genkit:qualifiedPath'] == path


async def test_actions_have_their_runs_below_them(spans: Any):
    ai = Genkit(plugins=[LangChain(retrievers={'r': _Docs()})])
    await ai.retrieve(retriever='langchain/r', query='q')
    tree = spans()
    names = list(tree)
    assert tree['langchain/r'][0] is None
    assert names.count('langchain/r') == 1


async def test_errors_and_cancellation_end_their_spans(spans: Any):
    async def fail(_: Any) -> None:
        raise ValueError('broken')

    async def wait(_: Any) -> None:
        await asyncio.sleep(60)

    config: Any = {'callbacks': [GenkitTracer()]}
    with pytest.raises(ValueError, match='broken'):
        await RunnableLambda(fail).ainvoke(1, config)
    task = asyncio.create_task(RunnableLambda(wait).ainvoke(1, config))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    tree = spans()
    assert tree['fail'][1]['genkit:state'] == 'error'
    assert tree['fail'][1]['genkit:error'] == 'broken'
    assert 'genkit:state' not in tree['wait'][1]


async def test_binary_content_and_keys_stay_out(spans: Any):
    config: Any = {'callbacks': [GenkitTracer()]}
    await RunnableLambda(lambda _: 'x').ainvoke({'image': 'data:image/png;base64,' + 'A' * 5000}, config)
    [(_, attributes)] = spans().values()
    assert len(attributes['genkit:input']) < 200
    ai = Genkit()

    async def answer(request: Any) -> ModelResponse[Any]:
        return ModelResponse(message=Message(role=Role.MODEL, content=[Part.from_text('x')]))

    ai.define_model(name='m', fn=answer)
    chat = ChatGenkit(ai=ai, model='m', config={'apiKey': 'secret-key'})
    assert 'secret-key' not in repr(chat)
    await chat.ainvoke('x', config)
    assert 'secret-key' not in spans()['ChatGenkit'][1]['genkit:input']
