# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Genkit's objects in LangChain, beyond LangChain's own suites."""

import asyncio
import threading
from typing import Any

import pytest
from genkit import GenkitError, Interrupt, Message, Part, Role, tool
from genkit.model import ModelResponse
from genkit.plugin_api import ModelRef
from genkitx import Genkit, RankedDocument
from genkitx.embedding import using
from genkitx.local import DevLocalVectorStore
from genkitx.testing import HashEmbedder
from genkitx_langchain import (
    ChatGenkit,
    GenkitEmbeddings,
    GenkitFlow,
    GenkitPrompt,
    GenkitReranker,
    GenkitVectorStore,
    genkit_tool,
)
from langchain_core.caches import InMemoryCache
from langchain_core.documents import Document
from langchain_core.messages import AIMessageChunk
from pydantic import BaseModel, Field


def test_without_a_loop_and_in_many_threads(ai: Genkit):
    chat = ChatGenkit(ai=ai, model='test/chat')
    assert chat.invoke('hi').text == 'You said: hi (of 1)'
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(chat.invoke('hi').text)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ['You said: hi (of 1)'] * 8


def test_many_loops(ai: Genkit):
    chat = ChatGenkit(ai=ai, model='test/chat')
    for _ in range(50):
        assert asyncio.run(chat.ainvoke('hi')).text == 'You said: hi (of 1)'


async def test_within_a_loop(ai: Genkit):
    chat = ChatGenkit(ai=ai, model='test/chat')
    assert chat.invoke('hi').text == 'You said: hi (of 1)'
    assert ''.join(chunk.text for chunk in chat.stream('a b')) == 'You said: a b (of 1)'


async def test_options_reach_the_model(ai: Genkit):
    seen: list[Any] = []

    async def model(request: Any) -> ModelResponse[Any]:
        seen.append(request.config)
        return ModelResponse(finish_reason='blocked', finish_message='not this')

    ai.define_model(name='strict', fn=model)
    chat = ChatGenkit(ai=ai, model='strict', max_tokens=5, stop=['x'], config={'seed': 1})
    with pytest.raises(GenkitError, match='not this'):
        await chat.ainvoke('hi', temperature=0.5)
    assert dict(seen[0]) == {'seed': 1, 'stop_sequences': ['x'], 'max_output_tokens': 5, 'temperature': 0.5}
    with pytest.raises(GenkitError, match='NOT_FOUND'):
        await ChatGenkit(ai=ai, model='none/such').ainvoke('hi')


class Settings(BaseModel):
    seed: int | None = None
    temperature: float | None = None
    api_key: str | None = Field(default=None, exclude=True)


def test_the_default_model():
    seen: list[Any] = []

    async def model(request: Any) -> ModelResponse[Any]:
        seen.append(dict(request.config or {}))
        return ModelResponse(message=Message(role=Role.MODEL, content=[Part.from_text('hello')]))

    ref = ModelRef(
        name='usual',
        config_schema=Settings,
        version='v1',
        config=Settings(seed=1, temperature=0.1, api_key='canary-5b1d'),
    )
    for default in ('usual', ref):
        ai = Genkit(model=default)
        ai.define_model(name='usual', fn=model)
        for omitted in ({}, {'model': None}, {'model': ''}):
            chat = ChatGenkit(ai=ai, temperature=0.5, **omitted)
            answer = chat.invoke('hi')
            assert (answer.text, answer.response_metadata['model_name']) == ('hello', 'usual')
            assert (chat.model, chat._get_ls_params()['ls_model_name']) == ('usual', 'usual')
            assert 'canary' not in f'{chat!r} {chat._identifying_params}'
    from_ref = {'version': 'v1', 'seed': 1, 'api_key': 'canary-5b1d', 'temperature': 0.5}
    assert seen == [{'temperature': 0.5}] * 3 + [from_ref] * 3
    assert ChatGenkit(ai=ai, model=ref, config={'seed': 2}).config['seed'] == 2


def test_no_model():
    for ai in (None, Genkit(), Genkit(model='')):
        with pytest.raises(GenkitError, match='give ChatGenkit') as error:
            ChatGenkit(ai=ai)
        assert error.value.status == 'INVALID_ARGUMENT'


async def test_retries_and_timeouts(ai: Genkit):
    calls: list[int] = []

    async def flaky(request: Any) -> ModelResponse[Any]:
        calls.append(1)
        if len(calls) == 1:
            raise GenkitError(status='UNAVAILABLE', message='later')
        await asyncio.sleep(60)
        raise AssertionError

    ai.define_model(name='flaky', fn=flaky)
    with pytest.raises(GenkitError, match='DEADLINE_EXCEEDED'):
        await ChatGenkit(ai=ai, model='flaky', max_retries=1, timeout=0.05).ainvoke('hi')
    assert len(calls) == 2


async def test_a_tool_is_chosen_by_name(ai: Genkit):
    def one(a: int) -> int:
        """One."""
        return a

    def two(b: int) -> int:
        """Two."""
        return b

    chat = ChatGenkit(ai=ai, model='test/chat')
    answer = await chat.bind_tools([one, two], tool_choice='two').ainvoke('x')
    assert [(call['name'], call['args']) for call in answer.tool_calls] == [('two', {'b': 3})]
    with pytest.raises(GenkitError, match='none of the tools'):
        await chat.bind_tools([one], tool_choice='three').ainvoke('x')


async def test_calls_without_a_ref_get_an_id_of_their_own(ai: Genkit):
    async def model(request: Any) -> ModelResponse[Any]:
        parts = [Part.from_tool_request('w', {}, None) for _ in range(2)]
        return ModelResponse(message=Message(role=Role.MODEL, content=parts))

    ai.define_model(name='refless', fn=model)
    chat = ChatGenkit(ai=ai, model='refless')
    answers = [await chat.ainvoke('x'), await chat.ainvoke('x')]
    ids = [call['id'] for answer in answers for call in answer.tool_calls]
    assert len({one for one in ids if one}) == 4


async def test_langchain_caches_apart_what_differs_in_its_config(ai: Genkit):
    cache = InMemoryCache()
    calls: list[Any] = []

    async def model(request: Any) -> ModelResponse[Any]:
        calls.append(request.config)
        return ModelResponse(message=Message(role=Role.MODEL, content=[Part.from_text(f'{len(calls)}')]))

    ai.define_model(name='counting', fn=model)
    first = ChatGenkit(ai=ai, model='counting', cache=cache, config={'seed': 1, 'apiKey': 'secret-key'})
    second = ChatGenkit(ai=ai, model='counting', cache=cache, config={'seed': 2, 'apiKey': 'secret-key'})
    texts = [(await chat.ainvoke('x')).text for chat in (first, first, second, second)]
    assert texts == ['1', '1', '2', '2']
    assert 'secret-key' not in str(first._identifying_params)


async def test_an_embedder_is_found_where_it_was_asked_for(ai: Genkit):
    other = Genkit()
    embeddings = GenkitEmbeddings('test/embed', ai)

    @other.flow()
    async def outer(text: str) -> int:
        return len(await embeddings.aembed_query(text))

    with using(other):
        assert await outer('x') == 6


async def test_structured_output_by_schema(ai: Genkit):
    class Answer(BaseModel):
        n: int

    chat = ChatGenkit(ai=ai, model='test/chat')
    assert await chat.with_structured_output(Answer, method='json_schema').ainvoke('x') == Answer(n=3)
    both = await chat.with_structured_output(Answer, method='json_schema', include_raw=True).ainvoke('x')
    assert both['parsed'] == Answer(n=3)
    with pytest.raises(ValueError, match='Unsupported'):
        chat.with_structured_output(Answer, method='magic')


async def test_embeddings_keep_queries_apart():
    embedder = HashEmbedder(6)
    embeddings = GenkitEmbeddings(embedder, options={'t': 'd'}, query_options={'t': 'q'}, batch_size=2)
    vectors = await embeddings.aembed_documents(['a', 'b', 'c'])
    assert vectors == [embedder.embed(text) for text in 'abc']
    await embeddings.aembed_query('a')
    assert [request.options for request in embedder.requests] == [{'t': 'd'}, {'t': 'd'}, {'t': 'q'}]


async def test_vector_store_searches(tmp_path: Any):
    plugin = DevLocalVectorStore(['c'], embedder=HashEmbedder(32), directory=tmp_path)
    store = await GenkitVectorStore.afrom_texts(
        ['ripe plum', 'green apple', 'blue car'],
        metadatas=[{'n': 1}, {'n': 2}, {'n': 3}],
        collection=plugin.collection('c'),
    )
    [(document, score)] = await store.asimilarity_search_with_score('green apple', k=1)
    assert (document.page_content, document.metadata) == ('green apple', {'n': 2})
    assert score == pytest.approx(1)
    assert document.id
    assert (await store.aget_by_ids([document.id]))[0] == document
    assert [one.metadata['n'] for one in store.similarity_search('apple', k=3, filter={'n': {'$gte': 3}})] == [3]
    assert len(await store.amax_marginal_relevance_search('apple', k=2)) == 2
    retriever = store.as_retriever(search_type='similarity_score_threshold', search_kwargs={'score_threshold': 0.9})
    assert [one.metadata['n'] for one in await retriever.ainvoke('green apple')] == [2]
    vector = HashEmbedder(32).embed('green apple')
    assert (await store.amax_marginal_relevance_search_by_vector(vector, k=1))[0].metadata == {'n': 2}
    assert store.max_marginal_relevance_search_by_vector(vector, k=1)[0].metadata == {'n': 2}
    with pytest.raises(GenkitError, match='1 documents and 0 ids'):
        await store.aadd_texts(['x'], ids=[])
    with pytest.raises(GenkitError, match='either ids or a non-empty filter'):
        await store.adelete()
    with pytest.raises(GenkitError, match='nonsense'):
        await store.asimilarity_search('x', nonsense=1)


async def test_reranker_keeps_a_score_of_its_own(ai: Genkit):
    async def rank(query: Any, documents: Any, options: Any) -> Any:
        return [RankedDocument.of(one, 0.5 + i) for i, one in enumerate(documents)]

    ai.define_reranker('r', rank)
    documents = [Document(page_content='a', metadata={'score': 'mine'}, id='1')]
    reranker = GenkitReranker(ai=ai, reranker='r')
    found = await reranker.acompress_documents(documents, 'q')
    assert found == reranker.compress_documents(documents, 'q')
    assert found == [Document(page_content='a', metadata={'score': 'mine', 'relevance_score': 0.5}, id='1')]


async def test_tools_and_interrupts(ai: Genkit):
    async def shout(text: str) -> dict[str, str]:
        """Shouts."""
        return {'said': text.upper()}

    async def show(what: dict[str, Any]) -> dict[str, Any]:
        """Shows."""
        return what

    async def ask(what: dict[str, Any]) -> str:
        """Asks."""
        raise Interrupt({'question': what})

    loud = await genkit_tool(tool(shout))
    assert await loud.ainvoke({'input': 'ü'}) == {'said': 'Ü'}
    assert loud.invoke({'input': 'ü'}) == {'said': 'Ü'}
    message = await loud.ainvoke({'type': 'tool_call', 'name': 'shout', 'args': {'input': 'x'}, 'id': '1'})
    assert (message.content, message.tool_call_id) == ('{"said": "X"}', '1')
    assert await (await genkit_tool(tool(show))).ainvoke({'self': 1, 'args': 2, 'config': 3}) == {
        'self': 1,
        'args': 2,
        'config': 3,
    }
    schema: Any = {'type': 'object', 'properties': {'run_manager': {'type': 'string'}}}
    with pytest.raises(GenkitError, match='run_manager'):
        await genkit_tool(tool(show, name='taken', input_schema=schema))
    with pytest.raises(Interrupt) as raised:
        await (await genkit_tool(tool(ask))).ainvoke({'a': 1})
    assert raised.value.metadata == {'question': {'a': 1}}


async def test_flows(ai: Genkit):
    @ai.flow()
    async def count(n: int, ctx: Any) -> str:
        for i in range(n):
            ctx.send_chunk(i)
        return f'{n} done'

    flow = GenkitFlow('count', ai)
    assert await flow.ainvoke(2) == '2 done'
    assert flow.invoke(2) == '2 done'
    assert [chunk async for chunk in flow.astream(3)] == [0, 1, 2]
    assert list(flow.stream(3)) == [0, 1, 2]
    assert [chunk async for chunk in flow.astream(0)] == ['0 done']


async def test_prompts(ai: Genkit):
    prompt = ai.define_prompt(name='greet', model='test/chat', prompt='Hi {{name}}')
    runnable = GenkitPrompt(prompt)
    assert (await runnable.ainvoke({'name': 'Bo'})).text == 'You said: Hi Bo (of 1)'
    chunks = [chunk async for chunk in runnable.astream({'name': 'Bo'})]
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    assert ''.join(chunk.text for chunk in chunks) == 'You said: Hi Bo (of 1)'
    assert runnable.invoke({'name': 'Bo'}).text == 'You said: Hi Bo (of 1)'
    assert ''.join(chunk.text for chunk in runnable.stream({'name': 'Bo'})) == 'You said: Hi Bo (of 1)'
    assert (await asyncio.to_thread(runnable.invoke, {'name': 'Bo'})).text == 'You said: Hi Bo (of 1)'
    failing = GenkitPrompt(ai.define_prompt(name='bad', model='none/such', prompt='x'))
    with pytest.raises(GenkitError):
        await failing.ainvoke({})
