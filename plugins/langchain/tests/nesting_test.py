# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Where spans stand: Genkit's below the LangChain run that calls, and the reverse, also while something streams."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest
from genkit import Embedding, EmbedRequest, EmbedResponse, Message, ModelResponse, Part, Role
from genkit.plugin_api import ActionKind, add_custom_exporter, tracer
from genkitx import Genkit, RankedDocument
from genkitx_langchain import (
    ChatGenkit,
    Evaluators,
    GenkitEmbeddings,
    GenkitFlow,
    GenkitReranker,
    GenkitTracer,
    LangChain,
)
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableGenerator, RunnableLambda
from langchain_core.tools import tool
from langchain_core.vectorstores import InMemoryVectorStore
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

CONFIG: Any = {'callbacks': [GenkitTracer()]}


@pytest.fixture(scope='module')
def exporter() -> InMemorySpanExporter:
    one = InMemorySpanExporter()
    add_custom_exporter(one, 'langchain-nesting-test')
    # `caller` below is no span of Genkit's, so its children's paths are right only after the bridge's first run.
    RunnableLambda(str).invoke(1, CONFIG)
    return one


class Tree:
    """The spans that have ended, by name."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        cast('Any', trace.get_tracer_provider()).force_flush()
        self.spans = exporter.get_finished_spans()
        ids = [span.context.span_id for span in self.spans if span.context]
        assert len(ids) == len(set(ids))

    def chain(self, name: str) -> str:
        """The names from the root to a span, which must be the only one of its name."""
        [span] = [one for one in self.spans if one.name == name]
        return ' > '.join(self._above(span))

    def chains(self) -> list[str]:
        """The chains of all spans, sorted."""
        return sorted(' > '.join(self._above(span)) for span in self.spans)

    def check_paths(self) -> None:
        """Every span's `genkit:path` is that of its parent and its own segment."""
        by_id = {span.context.span_id: span for span in self.spans if span.context}
        assert by_id
        for span in self.spans:
            attributes = dict(span.attributes or {})
            above = by_id[span.parent.span_id].attributes if span.parent else None
            path = str(attributes['genkit:path'])
            assert path.rpartition('/')[0] == (above or {}).get('genkit:path', '')
            assert path.rpartition('/')[2].startswith('{' + span.name.replace('/', '%2F').replace(' ', '%20') + ',t:')
            assert attributes['genkit:qualifiedPath'] == path

    def _above(self, span: Any) -> list[str]:
        if span.parent is None:
            return [span.name]
        parents = [one for one in self.spans if one.context and one.context.span_id == span.parent.span_id]
        return [*(self._above(parents[0]) if parents else ['not ended']), span.name]


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[Any]:
    cast('Any', trace.get_tracer_provider()).force_flush()
    exporter.clear()
    yield lambda: Tree(exporter)
    exporter.clear()


async def _embed(request: EmbedRequest) -> EmbedResponse:
    return EmbedResponse(embeddings=[Embedding(embedding=[1.0, 0.0]) for _ in request.input])


@pytest.fixture
def app(ai: Genkit) -> Genkit:
    for name in ('inner', 'consumer', 'late'):
        ai.define_embedder(name, _embed)
    return ai


@contextlib.asynccontextmanager
async def caller(app: Genkit) -> AsyncIterator[None]:
    """A Genkit span around, as a flow's."""
    with tracer.start_as_current_span('caller', attributes={'genkit:path': '/{caller,t:flow}'} | QUALIFIED):
        yield


QUALIFIED = {'genkit:qualifiedPath': '/{caller,t:flow}'}


def lambda_of(app: Genkit) -> RunnableLambda[Any, Any]:
    async def step(text: str) -> str:
        await app.embed(embedder='inner', content=text)
        return text

    return RunnableLambda(step, name='step')


def generator_of(app: Genkit) -> RunnableGenerator[Any, Any]:
    async def pieces(values: AsyncIterator[Any]) -> AsyncIterator[str]:
        async for value in values:
            for letter in str(value):
                await app.embed(embedder='inner', content=letter)
                yield letter

    return RunnableGenerator(pieces, name='pieces')


async def test_a_call_inside_a_step_is_below_it(app: Genkit, spans: Any):
    chain = (lambda_of(app) | RunnableLambda(lambda text: text)).with_config(run_name='chain')
    async with caller(app):
        await chain.ainvoke('x', CONFIG)
        await app.embed(embedder='late', content='x')
    tree = spans()
    assert tree.chain('inner') == 'caller > chain > step > inner'
    assert tree.chain('late') == 'caller > late'
    tree.check_paths()


async def test_a_call_inside_a_stream_is_below_its_step_and_one_between_chunks_is_not(app: Genkit, spans: Any):
    chain = (RunnableLambda(lambda text: text) | generator_of(app)).with_config(run_name='chain')
    async with caller(app):
        async for _ in chain.astream('ab', CONFIG):
            await app.embed(embedder='consumer', content='x')
    tree = spans()
    chains = tree.chains()
    assert chains.count('caller > chain > pieces > inner') == 2
    assert chains.count('caller > consumer') == 2
    tree.check_paths()


def test_the_same_without_a_loop(app: Genkit, spans: Any):
    chat = ChatGenkit(ai=app, model='test/chat')
    embeddings = GenkitEmbeddings('consumer', app)
    chain = (RunnableLambda(lambda text: text) | chat).with_config(run_name='chain')
    with tracer.start_as_current_span('caller', attributes={'genkit:path': '/{caller,t:flow}'} | QUALIFIED):
        for _ in chain.stream('a b', CONFIG):
            embeddings.embed_query('x')
        chain.invoke('a', CONFIG)
    tree = spans()
    chains = tree.chains()
    assert chains.count('caller > chain > ChatGenkit > test/chat') == 2
    assert chains.count('caller > consumer') >= 4
    assert not [one for one in chains if 'chain' in one and 'consumer' in one]
    tree.check_paths()


@pytest.mark.parametrize('streaming', [False, True])
async def test_chat_and_flow_in_a_chain(app: Genkit, spans: Any, streaming: bool):
    @app.flow()
    async def inside(text: str) -> str:
        await app.embed(embedder='inner', content=text)
        return text

    chat = ChatGenkit(ai=app, model='test/chat')
    chain = (GenkitFlow('inside', app) | chat).with_config(run_name='chain')
    async with caller(app):
        if streaming:
            assert len([chunk async for chunk in chain.astream('a b', CONFIG)]) > 3
        else:
            await chain.ainvoke('a b', CONFIG)
    tree = spans()
    chains = tree.chains()
    assert 'caller > chain > ChatGenkit > test/chat' in chains
    # The flow's runnable and its action have the same name.
    assert 'caller > chain > inside > inside > inner' in chains
    tree.check_paths()


class Calling(BaseChatModel):
    """A LangChain chat model that calls Genkit itself."""

    app: Any

    @property
    def _llm_type(self) -> str:
        return 'calling'

    def _generate(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    async def _agenerate(self, *_: Any, **__: Any) -> ChatResult:
        await self.app.embed(embedder='inner', content='x')
        return ChatResult(generations=[ChatGeneration(message=AIMessage('x'))])

    async def _astream(self, *_: Any, **__: Any) -> Any:
        for letter in 'ab':
            await self.app.embed(embedder='inner', content=letter)
            yield ChatGenerationChunk(message=AIMessageChunk(letter))


@pytest.mark.parametrize('streaming', [False, True])
async def test_a_model_in_genkit_that_calls_genkit(app: Genkit, spans: Any, streaming: bool):
    outer = Genkit(plugins=[LangChain(models={'m': Calling(app=app)})])
    action = await outer.registry.resolve_action(ActionKind.MODEL, 'langchain/m')
    assert action
    request = {'messages': [{'role': 'user', 'content': [{'text': 'hi'}]}]}
    async with caller(app):
        await action.run(request, on_chunk=(lambda _: None) if streaming else None)
        await app.embed(embedder='late', content='x')
    tree = spans()
    chains = tree.chains()
    calls = 2 if streaming else 1
    assert chains.count('caller > langchain/m > langchain/m > inner') == calls
    assert tree.chain('late') == 'caller > late'
    tree.check_paths()


async def test_a_retriever_that_embeds(app: Genkit, spans: Any):
    store = InMemoryVectorStore(GenkitEmbeddings('inner', app))
    await store.aadd_texts(['a'])
    outer = Genkit(plugins=[LangChain(retrievers={'r': store.as_retriever()})])
    async with caller(app):
        await outer.retrieve(retriever='langchain/r', query='q')
        store.as_retriever().invoke('q', CONFIG)
        await app.embed(embedder='late', content='x')
    tree = spans()
    chains = tree.chains()
    assert 'caller > langchain/r > langchain/r > inner' in chains
    assert 'caller > VectorStoreRetriever > inner' in chains
    assert tree.chain('late') == 'caller > late'


async def test_a_tool_that_calls(app: Genkit, spans: Any):
    @tool
    async def look(text: str) -> str:
        """Looks."""
        await app.embed(embedder='inner', content=text)
        return text

    async with caller(app):
        await look.ainvoke({'text': 'x'}, CONFIG)
    tree = spans()
    assert tree.chain('inner') == 'caller > look > inner'
    tree.check_paths()


async def test_a_graph_that_streams(app: Genkit, spans: Any):
    from langgraph.graph import StateGraph
    from typing_extensions import TypedDict

    class State(TypedDict):
        n: int

    async def node(state: State) -> State:
        await app.embed(embedder='inner', content='x')
        return {'n': state['n'] + 1}

    graph: Any = StateGraph(State)
    graph.add_node('node', node)
    graph.set_entry_point('node')
    outer = Genkit(plugins=[LangChain(runnables={'g': graph.compile()})])
    flow = await outer.registry.resolve_action(ActionKind.FLOW, 'langchain/g')
    assert flow
    async with caller(app):
        await flow.run({'n': 1}, on_chunk=lambda _: None)
        await app.embed(embedder='late', content='x')
    tree = spans()
    # Before Python 3.11 a graph's nodes do not know the run they are in.
    within = ' > langchain/g > node' if sys.version_info >= (3, 11) else ''
    assert tree.chain('inner') == f'caller > langchain/g{within} > inner'
    assert tree.chain('late') == 'caller > late'
    tree.check_paths()


async def test_cases_of_an_evaluation(app: Genkit, spans: Any):
    async def judge(request: Any) -> ModelResponse[Any]:
        return ModelResponse(message=Message(role=Role.MODEL, content=[Part.from_text('Y')]))

    app.define_model(name='judge', fn=judge)
    plugin = LangChain(evaluators=Evaluators(judge='judge', criteria=['depth']))
    plugin.attach(app)
    [action] = await plugin.init()
    point = {'input': 'a', 'output': 'b', 'testCaseId': 't'}
    await action.run({'dataset': [point], 'evalRunId': 'r'})
    tree = spans()
    assert tree.chain('judge') == 'langchain/depth > Test Case t > judge'
    tree.check_paths()


async def test_a_reranker_given_the_callbacks_of_a_run(app: Genkit, spans: Any):
    async def rank(query: Any, documents: Any, options: Any) -> Any:
        return [RankedDocument.of(one, 1.0) for one in documents]

    app.define_reranker('ranker', rank)
    reranker = GenkitReranker(ai=app, reranker='ranker')

    class Reranked(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:
            return reranker.compress_documents([Document(page_content='x')], query, run_manager.get_child())

    async with caller(app):
        await asyncio.to_thread(Reranked().invoke, 'q', CONFIG)
    assert spans().chain('ranker') == 'caller > Reranked > ranker'


async def test_runs_of_a_batch_are_siblings(app: Genkit, spans: Any):
    chain = (lambda_of(app) | RunnableLambda(lambda text: text)).with_config(run_name='chain')
    async with caller(app):
        await chain.abatch(['a', 'b'], CONFIG)
    chains = spans().chains()
    assert chains.count('caller > chain') == 2
    assert chains.count('caller > chain > step > inner') == 2


async def test_streams_left_early_and_interleaved(app: Genkit, spans: Any):
    chain = (RunnableLambda(lambda text: text) | generator_of(app)).with_config(run_name='chain')
    async with caller(app):
        for _ in range(3):
            left = chain.astream('abc', CONFIG)
            await anext(left)
            await app.embed(embedder='consumer', content='x')
            await left.aclose()
        one, two = chain.astream('abc', CONFIG), chain.astream('abc', CONFIG)
        for _ in range(2):
            await anext(one)
            await anext(two)
        await one.aclose()
        await anext(two)
        await two.aclose()
        await app.embed(embedder='late', content='x')
    del one, two, left
    for _ in range(20):  # The loop closes what a generator left open.
        await asyncio.sleep(0)
    tree = spans()
    chains = tree.chains()
    assert chains.count('caller > chain') == 5
    assert chains.count('caller > chain > pieces > inner') == 3 + 2 + 3
    assert chains.count('caller > consumer') == 3
    assert tree.chain('late') == 'caller > late'
    tree.check_paths()


async def test_what_was_current_is_current_again(app: Genkit):
    before = trace.get_current_span()
    chain = lambda_of(app)
    await chain.ainvoke('a', CONFIG)
    await InMemoryVectorStore(GenkitEmbeddings('inner', app)).as_retriever().ainvoke('q', CONFIG)
    assert trace.get_current_span().get_span_context() == before.get_span_context()
    assert not trace.get_current_span().is_recording()
    with tracer.start_as_current_span('caller') as span:
        await chain.ainvoke('a', CONFIG)
        assert trace.get_current_span().get_span_context() == span.get_span_context()
        trace.get_current_span().set_attribute('mine', 1)
        assert dict(cast('Any', span).attributes)['mine'] == 1


class Waiting(Calling):
    """A model that never answers."""

    async def _agenerate(self, *_: Any, **__: Any) -> ChatResult:
        await asyncio.sleep(60)
        raise AssertionError


async def test_a_cancelled_model_ends_its_span(app: Genkit, spans: Any):
    async def patient(text: str) -> str:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(Waiting(app=app).ainvoke(text), 0.01)
        return text

    outer = Genkit(plugins=[LangChain(models={'m': Waiting(app=app)})])
    action = await outer.registry.resolve_action(ActionKind.MODEL, 'langchain/m')
    assert action
    request = {'messages': [{'role': 'user', 'content': [{'text': 'hi'}]}]}
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(action.run(request), 0.01)
    app.define_model(name='waiting', fn=Waiting(app=app)._agenerate)  # type: ignore[arg-type]
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(ChatGenkit(ai=app, model='waiting').ainvoke('x', CONFIG), 0.01)
    assert await RunnableLambda(patient).ainvoke('x', CONFIG) == 'x'
    chains = spans().chains()
    assert chains == [
        'ChatGenkit',
        'ChatGenkit > waiting',
        'langchain/m',
        'langchain/m > langchain/m',
        'patient',
        'patient > Waiting',
    ]
