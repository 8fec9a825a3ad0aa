# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""LangChain objects as Genkit actions."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from genkit import Document, GenkitError, Part
from genkit.plugin_api import ActionKind
from genkitx import Genkit
from genkitx_langchain import ChatModelSettings, LangChain
from langchain_core.documents import BaseDocumentCompressor
from langchain_core.documents import Document as LangChainDocument
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models import BaseChatModel, FakeListLLM
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import StructuredTool, tool
from langchain_core.vectorstores import InMemoryVectorStore
from pydantic import BaseModel


class Scripted(BaseChatModel):
    """Calls the first tool it has until it sees a result, else echoes; keeps what it was called with."""

    calls: list[dict[str, Any]] = []
    seen: list[list[BaseMessage]] = []

    @property
    def _llm_type(self) -> str:
        return 'scripted'

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=tools, **kwargs)

    def _answer(self, messages: list[BaseMessage], stop: Any, kwargs: dict[str, Any]) -> AIMessage:
        self.calls.append({'stop': stop, **kwargs})
        self.seen.append(messages)
        tools = kwargs.get('tools') or []
        about = {'model_name': 'scripted-1', 'finish_reason': 'stop', 'odd': object()}
        usage: Any = {
            'input_tokens': 3,
            'output_tokens': 2,
            'total_tokens': 5,
            'input_token_details': {'cache_read': 1},
            'output_token_details': {'reasoning': 1},
        }
        if tools and not isinstance(messages[-1], ToolMessage):
            function = tools[0]['function']
            args = {'input': 'ü'} if 'input' in function['parameters'].get('properties', {}) else {'city': 'Zürich'}
            call = {'name': function['name'], 'args': args, 'id': 'c1'}
            return AIMessage(content='', tool_calls=[call], response_metadata=about, usage_metadata=usage)
        text = f'You said: {messages[-1].text}'
        return AIMessage(content=text, response_metadata=about, usage_metadata=usage)

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._answer(messages, stop, kwargs))])

    async def _astream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        answer = self._answer(messages, stop, kwargs)
        for i in range(0, len(answer.text), 4):
            yield ChatGenerationChunk(message=AIMessageChunk(content=answer.text[i : i + 4]))
        for call in answer.tool_calls:
            for name, args in ((call['name'], '{"city": '), (None, '"Zürich"}')):
                piece = tool_call_chunk(name=name, args=args, id=call['id'] if name else None, index=0)
                yield ChatGenerationChunk(message=AIMessageChunk(content='', tool_call_chunks=[piece]))
        last = AIMessageChunk(
            content='', usage_metadata=answer.usage_metadata, response_metadata={'finish_reason': 'length'}
        )
        yield ChatGenerationChunk(message=last)


@pytest.fixture
def chat() -> Scripted:
    return Scripted(calls=[], seen=[])


async def test_model(chat: Scripted):
    ai = Genkit(plugins=[LangChain(models={'m': chat})], model='langchain/m')
    response = await ai.generate(
        prompt='hello',
        config={'temperature': 0, 'maxOutputTokens': 9, 'stopSequences': ['x'], 'seed': 7, 'version': 'v2'},
    )
    assert response.error is None
    assert response.text == 'You said: hello'
    assert response.finish_reason == 'stop'
    usage = response.usage
    assert usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (3, 2, 5)
    assert (usage.cached_content_tokens, usage.thoughts_tokens) == (1, 1)
    assert chat.calls == [{'stop': ['x'], 'max_tokens': 9, 'temperature': 0, 'model': 'v2', 'seed': 7}]
    assert response.custom
    assert response.custom['response_metadata']['model_name'] == 'scripted-1'


async def test_model_refuses_a_key_of_the_request(chat: Scripted):
    ai = Genkit(plugins=[LangChain(models={'m': chat})], model='langchain/m')
    response = await ai.generate(prompt='hello', config={'apiKey': 'secret'})
    assert response.error
    assert response.error.status == 'UNIMPLEMENTED'
    assert chat.calls == []


@pytest.mark.parametrize('streaming', [False, True])
async def test_model_tools(chat: Scripted, streaming: bool):
    ai = Genkit(plugins=[LangChain(models={'m': chat})], model='langchain/m')
    cities: list[str] = []

    @ai.tool()
    async def weather(input: dict[str, str]) -> str:
        """Tells the weather."""
        cities.append(input['city'])
        return 'sunny'

    if streaming:
        stream = ai.generate_stream(prompt='weather?', tools=['weather'])
        chunks = [chunk async for chunk in stream.stream]
        response = await stream.response
        assert ''.join(chunk.text for chunk in chunks) == response.text
        assert response.finish_reason == 'length'
    else:
        response = await ai.generate(prompt='weather?', tools=['weather'])
    assert response.error is None
    assert response.text == 'You said: sunny'
    assert cities == ['Zürich']
    last = chat.seen[-1]
    assert isinstance(last[-1], ToolMessage)
    assert (last[-1].tool_call_id, last[-1].name, last[-1].content) == ('c1', 'weather', 'sunny')


async def test_model_tool_choice_and_plain_inputs(chat: Scripted):
    ai = Genkit(plugins=[LangChain(models={'m': chat})], model='langchain/m')
    got: list[str] = []

    @ai.tool()
    async def shout(text: str) -> str:
        """Shouts."""
        got.append(text)
        return text.upper()

    await ai.generate(prompt='x', tools=['shout'], tool_choice='required', max_turns=1)
    assert chat.calls[0]['tool_choice'] == 'any'
    assert got == ['ü']
    await ai.generate(prompt='x', tools=['shout'], tool_choice='none')
    assert 'tools' not in chat.calls[-1]


class _Failing(Scripted):
    def _answer(self, messages: Any, stop: Any, kwargs: Any) -> AIMessage:
        error = RuntimeError('slow down')
        error.status_code = 429  # type: ignore[attr-defined]
        raise error


async def test_model_failures_have_their_status():
    ai = Genkit(plugins=[LangChain(models={'m': _Failing()})], model='langchain/m')
    response = await ai.generate(prompt='x')
    assert response.error
    assert response.error.status == 'RESOURCE_EXHAUSTED'


class _Limited(Scripted):
    def _answer(self, messages: Any, stop: Any, kwargs: Any) -> AIMessage:
        error = RuntimeError('slow down')
        error.response = SimpleNamespace(status_code=429, headers={'retry-after': '7'})  # type: ignore[attr-defined]
        raise error


async def test_model_failures_keep_the_wait_that_the_provider_asks_for():
    ai = Genkit(plugins=[LangChain(models={'m': _Limited()})])
    action = await ai.registry.resolve_action(ActionKind.MODEL, 'langchain/m')
    assert action
    with pytest.raises(GenkitError) as raised:
        await action.run({'messages': [{'role': 'user', 'content': [{'text': 'x'}]}]})
    assert raised.value.status == 'RESOURCE_EXHAUSTED'
    assert raised.value.response_metadata
    assert raised.value.response_metadata['retry_after_ms'] == 7000


async def test_a_chunk_callback_that_fails_ends_the_stream(chat: Scripted):
    closed: list[bool] = []

    class Watched(Scripted):
        async def _astream(self, *args: Any, **kwargs: Any) -> Any:
            try:
                async for chunk in super()._astream(*args, **kwargs):
                    yield chunk
            finally:
                closed.append(True)

    ai = Genkit(plugins=[LangChain(models={'m': Watched(calls=[], seen=[])})])
    action = await ai.registry.resolve_action(ActionKind.MODEL, 'langchain/m')
    assert action

    def fail(_: Any) -> None:
        raise ValueError('full')

    with pytest.raises(GenkitError, match='full'):
        await action.run({'messages': [{'role': 'user', 'content': [{'text': 'x'}]}]}, on_chunk=fail)
    for _ in range(5):  # LangChain leaves its inner generator to the loop.
        await asyncio.sleep(0)
    assert closed == [True]


async def test_a_config_in_the_context_must_be_one(chat: Scripted):
    ai = Genkit(plugins=[LangChain(models={'m': chat})], model='langchain/m')
    response = await ai.generate(prompt='x', context={'langchain': 'thread-1'})
    assert response.error
    assert response.error.status == 'INVALID_ARGUMENT'
    response = await ai.generate(prompt='x', context={'langchain': {'tags': ['mine']}})
    assert response.error is None


async def test_what_is_no_chat_model_is_refused():
    wrong: Any = FakeListLLM(responses=['x'])
    with pytest.raises(GenkitError, match='got a FakeListLLM'):
        await LangChain(models={'m': wrong}).init()


class _Person(BaseModel):
    name: str


class _Structured(Scripted):
    def with_structured_output(self, schema: Any, *, include_raw: bool = False, **kwargs: Any) -> Any:
        assert include_raw
        return RunnableLambda(lambda _: {'raw': AIMessage('raw'), 'parsed': {'name': schema['title']}})


async def test_model_structured_output(chat: Scripted):
    plugin = LangChain(models={'native': ChatModelSettings(model=_Structured(), native_output=True), 'm': chat})
    ai = Genkit(plugins=[plugin])
    response = await ai.generate(model='langchain/native', prompt='who?', output_schema=_Person)
    assert response.output == _Person(name='_Person')
    await ai.generate(model='langchain/m', prompt='who?', output_schema=_Person)
    assert '"name"' in str(chat.seen[-1])


async def test_embedder():
    source = DeterministicFakeEmbedding(size=4)
    ai = Genkit(plugins=[LangChain(embedders={'e': source})])
    [one] = await ai.embed(embedder='langchain/e', content='a')
    assert one.embedding == pytest.approx(source.embed_query('a'))
    many = await ai.embed_many(embedder='langchain/e', content=['a', 'b'], options={'type': 'query'})
    assert [list(e.embedding) for e in many] == [source.embed_query('a'), source.embed_query('b')]
    with pytest.raises(GenkitError, match='text only'):
        await ai.embed(
            embedder='langchain/e', content=Document(content=[Part.from_media('https://x.test/a', 'image/png')])
        )
    with pytest.raises(GenkitError, match='nonsense'):
        await ai.embed(embedder='langchain/e', content='a', options={'nonsense': 1})


class _Fixed(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any, k: int = 2) -> list[LangChainDocument]:
        return [LangChainDocument(page_content=f'{query} {i}', metadata={'i': i}, id=str(i)) for i in range(k)]


async def test_retriever():
    ai = Genkit(plugins=[LangChain(retrievers={'r': _Fixed()})])
    found = await ai.retrieve(retriever='langchain/r', query='q', options={'k': 3})
    assert [one.text for one in found] == ['q 0', 'q 1', 'q 2']
    assert found[1].metadata == {'i': 1, '_langchain_id': '1'}
    with pytest.raises(GenkitError, match='no option nonsense'):
        await ai.retrieve(retriever='langchain/r', query='q', options={'nonsense': 3})


async def test_vector_store():
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    ai = Genkit(plugins=[LangChain(vector_stores={'s': store})])
    documents = [Document.from_text(f'text {i}', {'i': i}) for i in range(6)]
    report = await ai.index(indexer='langchain/s', documents=documents, options={'ids': [f'd{i}' for i in range(6)]})
    assert (report.ids, report.written) == ([f'd{i}' for i in range(6)], 6)
    options = {'k': 2, 'includeScore': True}
    found = await ai.retrieve(retriever='langchain/s', query='text 4', options=options)
    assert found[0].text == 'text 4'
    assert found[0].metadata
    assert found[0].metadata['_score'] == pytest.approx(1)
    assert found[0].metadata['_langchain_id'] == 'd4'
    spread = await ai.retrieve(
        retriever='langchain/s',
        query='text 1',
        options={'k': 3, 'search_type': 'mmr', 'fetch_k': 5, 'lambda_mult': 0.2},
    )
    assert spread[0].text == 'text 1'
    assert len(spread) == 3
    for wrong in ({'fetch_k': 3}, {'search_type': 'mmr', 'include_score': True}, {'score_threshold': 0.1}):
        with pytest.raises(GenkitError, match='do not fit'):
            await ai.retrieve(retriever='langchain/s', query='x', options=wrong)
    with pytest.raises(GenkitError, match='6 documents and 1 ids'):
        await ai.index(indexer='langchain/s', documents=documents, options={'ids': ['a']})


class _ByLength(BaseDocumentCompressor):
    scores: bool = True

    def compress_documents(self, documents: Sequence[Any], query: str, callbacks: Any = None) -> Sequence[Any]:
        ordered = sorted(documents, key=lambda one: -len(one.page_content))
        if not self.scores:
            return ordered
        return [
            one.model_copy(update={'metadata': {**one.metadata, 'relevance_score': len(one.page_content)}})
            for one in ordered
        ]


async def test_reranker():
    ai = Genkit(plugins=[LangChain(rerankers={'r': _ByLength(), 'filter': _ByLength(scores=False)})])
    documents = [Document.from_text('a', {'own': 1}), Document.from_text('aaa', {'own': 2})]
    ranked = await ai.rerank(reranker='langchain/r', query='q', documents=documents)
    assert [(one.text, one.score, (one.metadata or {})['own']) for one in ranked] == [('aaa', 3, 2), ('a', 1, 1)]
    assert len(await ai.rerank(reranker='langchain/r', query='q', documents=documents, options={'k': 1})) == 1
    with pytest.raises(GenkitError, match='relevance_score'):
        await ai.rerank(reranker='langchain/filter', query='q', documents=documents)


async def test_tools():
    @tool
    def add(a: int, b: int = 1) -> int:
        """Adds."""
        return a + b

    @tool(response_format='content_and_artifact')
    def draw(what: str) -> tuple[str, dict[str, str]]:
        """Draws."""
        return f'drawn: {what}', {'raw': what}

    def fail() -> str:
        """Fails."""
        raise ValueError('broken')

    tools = [add, draw, StructuredTool.from_function(fail)]
    ai = Genkit(plugins=[LangChain(tools=tools)])

    async def run(name: str, value: Any) -> Any:
        action = await ai.registry.resolve_action(ActionKind.TOOL, f'langchain/{name}')
        assert action
        return (await action.run(value)).response

    assert (await run('add', {'a': 2})).output == 3
    drawn = await run('draw', {'what': 'x'})
    assert (drawn.output, drawn.metadata) == ('drawn: x', {'artifact': {'raw': 'x'}})
    with pytest.raises(GenkitError, match='broken'):
        await run('fail', {})
    action = await ai.registry.resolve_action(ActionKind.TOOL, 'langchain/add')
    assert action
    assert action.description == 'Adds.'
    assert set(action.input_schema['properties']) == {'a', 'b'}  # type: ignore[arg-type]


async def test_runnables():
    async def letters(text: str) -> Any:
        return text.upper()

    async def parts(values: Any) -> Any:
        async for value in values:
            for letter in value:
                yield letter

    from langchain_core.runnables import RunnableGenerator

    ai = Genkit(plugins=[LangChain(runnables={'up': RunnableLambda(letters) | RunnableGenerator(parts)})])
    flow = await ai.registry.resolve_action(ActionKind.FLOW, 'langchain/up')
    assert flow
    assert (await flow.run('abc')).response == 'ABC'
    chunks: list[Any] = []
    assert (await flow.run('abc', on_chunk=chunks.append)).response == 'ABC'
    assert chunks == ['A', 'B', 'C']


async def test_graphs():
    from typing_extensions import TypedDict

    class State(TypedDict):
        n: int

    from langgraph.graph import StateGraph

    graph: Any = StateGraph(State)
    graph.add_node('one', lambda state: {'n': state['n'] + 1})
    graph.add_node('two', lambda state, config: {'n': state['n'] * config['configurable'].get('by', 2)})
    graph.set_entry_point('one')
    graph.add_edge('one', 'two')
    ai = Genkit(plugins=[LangChain(runnables={'g': graph.compile()})])
    flow = await ai.registry.resolve_action(ActionKind.FLOW, 'langchain/g')
    assert flow
    context = {'langchain': {'configurable': {'by': 10}}}
    assert (await flow.run({'n': 1}, context=context)).response == {'n': 20}
    chunks: list[Any] = []
    assert (await flow.run({'n': 1}, on_chunk=chunks.append)).response == {'n': 4}
    assert chunks == [{'one': {'n': 2}}, {'two': {'n': 4}}]
