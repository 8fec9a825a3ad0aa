# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that can be a node: flows, tools, prompts, retrievers, agents, other graphs, keys; and models that ask."""

from typing import Any

import pytest
from genkit import (
    ActionKind,
    ActionRunContext,
    Genkit,
    GenkitError,
    Interrupt,
    Message,
    ModelRequest,
    ModelResponse,
    Part,
    ToolRunContext,
)
from genkit.plugin_api import Action
from genkitx import raise_if_failed
from genkitx_graph import (
    END,
    START,
    Finish,
    Interrupted,
    Next,
    ToolAnswer,
    define_graph,
    define_state_graph,
    generate,
    interrupt,
    step,
)
from pydantic import BaseModel


def script(ai: Genkit, *answers: Any) -> list[ModelRequest]:
    """A model that gives these answers in turn: texts, tool requests as (tool, input), or errors."""
    requests: list[ModelRequest] = []

    async def run(request: ModelRequest, ctx: ActionRunContext) -> ModelResponse:
        requests.append(request)
        answer = answers[len(requests) - 1]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            if ctx.is_streaming:
                from genkit import ModelResponseChunk

                ctx.send_chunk(ModelResponseChunk(role='model', content=[Part(text=answer)]))
            return ModelResponse(message=Message(role='model', content=[Part(text=answer)]))
        parts = [Part.from_tool_request(name=name, input=value, ref=str(n)) for n, (name, value) in enumerate(answer)]
        return ModelResponse(message=Message(role='model', content=parts))

    ai.define_model('script/model', run)
    return requests


def single(ai: Genkit, node: Any, checkpoints: Any = None, **options: Any):
    graph = define_graph(ai, name='g', entrypoint=lambda i: Next(i, 'node'), checkpoints=checkpoints)
    graph.add_node(node, name='node', **options)
    return graph


async def test_flow(ai: Genkit):
    @ai.flow()
    async def shout(text: str) -> str:
        return text.upper()

    assert await single(ai, shout).run('a') == 'A'
    assert await single(ai, '/flow/shout').run('a') == 'A'
    graph = define_graph(ai, name='g', entrypoint=lambda i: Next(i, 'shout'))
    graph.add_node(shout, input=lambda s: s['text'], output=lambda s, result: Finish({**s, 'loud': result}))
    assert await graph.run({'text': 'a'}) == {'text': 'a', 'loud': 'A'}


async def test_unknown_key(ai: Genkit):
    with pytest.raises(GenkitError, match="Action '/flow/nope' does not exist") as error:
        await single(ai, '/flow/nope').run('a')
    assert error.value.status == 'NOT_FOUND'


async def test_flow_schema_is_checked(ai: Genkit):
    @ai.flow()
    async def double(n: int) -> int:
        return n * 2

    with pytest.raises(GenkitError) as error:
        await single(ai, double).run('x')
    assert error.value.status == 'INVALID_ARGUMENT'


async def test_tool(ai: Genkit):
    @ai.tool()
    async def add(value: dict[str, int]) -> int:
        return value['a'] + value['b']

    assert await single(ai, add).run({'a': 1, 'b': 2}) == 3


async def test_prompt(ai: Genkit):
    requests = script(ai, 'a poem about trees', 'x', GenkitError(status='RESOURCE_EXHAUSTED', message='quota'))
    poem = ai.define_prompt(name='poem', model='script/model', prompt='Write about {{topic}}')
    options: dict[str, Any] = {
        'input': lambda s: {'topic': s},
        'output': lambda s, response: Finish({'topic': s, 'poem': response.text}),
    }
    graph = single(ai, poem, **options)
    assert await graph.run('trees') == {'topic': 'trees', 'poem': 'a poem about trees'}
    assert 'Write about trees' in str(requests[0])
    streamed = graph.stream('x')
    assert [chunk.text async for chunk in streamed.stream] == ['x']
    with pytest.raises(GenkitError, match='quota') as error:
        await graph.run('fails')
    assert error.value.status == 'RESOURCE_EXHAUSTED'


async def test_retriever(ai: Genkit):
    class Query(BaseModel):
        query: dict[str, Any]
        options: Any = None

    async def retrieve(request: Query) -> dict[str, Any]:
        return {'documents': [{'content': request.query['content']}]}

    ai.registry.register_action_from_instance(Action(kind=ActionKind.RETRIEVER, name='docs/all', fn=retrieve))
    graph = single(
        ai, '/retriever/docs/all', output=lambda s, found: Finish(found['documents'][0]['content'][0]['text'])
    )
    assert await graph.run('hello') == 'hello'


async def test_agent():
    from genkit.exp import Genkit as ExperimentalGenkit

    ai = ExperimentalGenkit()
    requests = script(ai, 'sunny', GenkitError(status='UNAVAILABLE', message='agent down'))
    agent = ai.define_agent(name='weather', model='script/model', system='Weather.')
    graph = single(ai, agent, output=lambda s, out: Finish(out.message.content[0].text))
    assert await graph.run('Paris?') == 'sunny'
    assert 'Paris?' in str(requests[0])
    with pytest.raises(GenkitError, match='agent down'):
        await graph.run('Rome?')


async def test_subgraph_with_pause(ai: Genkit, checkpoints: Any):
    runs: list[str] = []

    class Inner(BaseModel):
        text: str
        answer: str = ''

    async def ask(state: Inner):
        runs.append('ask')
        return {'answer': interrupt(f'really {state.text}?')}

    async def before(state: Inner):
        runs.append('before')
        return {'text': state.text + '!'}

    inner = define_state_graph(ai, name='inner', state_schema=Inner)
    for node in (before, ask):
        inner.add_node(node)
    for edge in [(START, 'before'), ('before', 'ask'), ('ask', END)]:
        inner.add_edge(*edge)

    outer = define_graph(ai, name='outer', entrypoint=lambda i: Next({'text': i}, 'inner'), checkpoints=checkpoints)
    outer.add_node(inner, output=lambda s, result: Next({**s, 'answer': result.answer, 'text': result.text}, 'end'))

    async def end(state: Any):
        runs.append('end')
        return Finish(state)

    outer.add_node(end)
    # Alone, the inner graph keeps nothing and cannot pause.
    with pytest.raises(GenkitError, match='cannot pause'):
        await inner.run({'text': 'x'})
    runs.clear()
    paused = await outer.run('hello')
    assert isinstance(paused, Interrupted)
    assert [(i.value, i.node) for i in paused.interrupts] == [('really hello!?', 'inner')]
    result = await outer.resume(paused.thread_id, 'yes')
    assert result == {'text': 'hello!', 'answer': 'yes'}
    # Finished nodes of the inner graph do not run again either.
    assert runs == ['before', 'ask', 'ask', 'end']


async def test_executor_called_by_hand(ai: Genkit, memory: Any):
    inner = define_graph(ai, name='inner', entrypoint=lambda i: Next(i, 'ask'), checkpoints=memory)

    async def ask(state: Any):
        return Finish(interrupt(state))

    inner.add_node(ask)

    async def inside(state: Any):
        return Finish(await inner.run('inside?'))

    async def apart(state: Any):
        paused = await inner.run('apart?', thread_id='its own')
        return Finish(paused.thread_id)

    # Inside a node it is a part of the run around it; with a thread of its own it is a run of its own.
    outer = single(ai, inside, memory)
    paused = await outer.run(1)
    assert [i.value for i in paused.interrupts] == ['inside?']
    assert await outer.resume(paused.thread_id, 'answer') == 'answer'
    assert await single(ai, apart, memory).run(1) == 'its own'
    assert await inner.resume('its own', 'later') == 'later'


async def test_events_of_a_subgraph(ai: Genkit):
    inner = define_graph(ai, name='inner', entrypoint=lambda i: Next(i, 'talk'))

    async def talk(state: Any, ctx: Any):
        ctx.send_chunk('hi')
        return Finish(state)

    inner.add_node(talk)
    outer = single(ai, inner)
    raw = outer.stream(1)
    assert [chunk async for chunk in raw.stream] == ['hi']
    streamed = outer.stream(1, events=True)
    events = [event async for event in streamed.stream]
    assert [(e.graph, e.node, e.type) for e in events] == [
        ('g', 'entrypoint', 'start'), ('g', 'entrypoint', 'end'), ('g', 'node', 'start'),
        ('inner', 'entrypoint', 'start'), ('inner', 'entrypoint', 'end'),
        ('inner', 'talk', 'start'), ('inner', 'talk', 'chunk'), ('inner', 'talk', 'end'),
        ('g', 'node', 'end'),
    ]  # fmt: skip


async def test_chunks_of_a_resumed_run(ai: Genkit, memory: Any):
    async def node(state: Any, ctx: Any):
        answer = interrupt('?')
        ctx.send_chunk(f'got {answer}')
        return Finish(answer)

    graph = single(ai, node, memory)
    paused = await graph.run(1)
    chunks: list[Any] = []
    assert await graph.resume(paused.thread_id, 'x', on_chunk=chunks.append) == 'x'
    assert chunks == ['got x']
    paused = await graph.run(1)
    streamed = graph.resumer.stream({'threadId': paused.thread_id, 'answer': 'y', 'events': True})
    assert [(e.node, e.type) async for e in streamed.stream] == [('node', 'start'), ('node', 'chunk'), ('node', 'end')]


@pytest.mark.parametrize('kind', ['client', 'server'])
@pytest.mark.parametrize('answer', ['respond', 'restart'])
async def test_tool_questions_of_an_agent(checkpoints: Any, kind: str, answer: str):
    from genkit.exp import Genkit as ExperimentalGenkit
    from genkit.exp import InMemorySessionStore

    ai = ExperimentalGenkit()
    runs: list[Any] = []
    transfer_tool(ai, runs)
    requests = script(ai, [('transfer', {'amount': 5})], 'all done')
    store = InMemorySessionStore() if kind == 'server' else None
    agent = ai.define_agent(name='bank', model='script/model', tools=['transfer'], store=store)
    graph = single(ai, agent, checkpoints, output=lambda s, out: Finish(out.message.content[0].text))
    paused = await graph.run('pay 5')
    assert paused.interrupts[0].value['toolRequests'][0]['metadata'] == {'confirm': 5}
    reply = {'output': 'refused'} if answer == 'respond' else {'action': 'restart', 'resumed': {'ok': True}}
    assert await graph.resume(paused.thread_id, reply) == 'all done'
    assert len(runs) == (answer == 'restart')
    assert len(requests) == 2


async def test_parallel_questions_are_answered_by_id(ai: Genkit, checkpoints: Any):
    import operator
    from typing import Annotated

    class State(BaseModel):
        answers: Annotated[list[str], operator.add] = []

    graph = define_state_graph(ai, name='g', state_schema=State, checkpoints=checkpoints)
    for name in ('a', 'b', 'c'):

        async def ask(state: State, ctx: Any, name: str = name):
            return {'answers': [f'{name}={interrupt(name)}']}

        graph.add_node(ask, name=name)
        graph.add_edge(START, name)
        graph.add_edge(name, END)
    paused = await graph.run({})
    ids = {i.value: i.id for i in paused.interrupts}
    assert set(ids) == {'a', 'b', 'c'}
    with pytest.raises(GenkitError, match='3 questions are open') as error:
        await graph.resume(paused.thread_id, 'x')
    assert error.value.status == 'INVALID_ARGUMENT'
    again = await graph.resume(paused.thread_id, answers={ids['b']: '2'})
    assert {i.value for i in again.interrupts} == {'a', 'c'}
    result = await graph.resume(paused.thread_id, answers={i.id: i.value * 2 for i in again.interrupts})
    assert result.answers == ['a=aa', 'b=2', 'c=cc']


async def test_steps_run_once(ai: Genkit, checkpoints: Any):
    runs: list[str] = []

    class Receipt(BaseModel):
        number: int

    async def charge(amount: int) -> Receipt:
        runs.append(f'charge {amount}')
        return Receipt(number=amount + 1)

    async def node(state: int):
        receipt = await step(charge, state)
        assert isinstance(receipt, Receipt)
        first = interrupt('send?')
        second = await step(charge, receipt.number, name='again')
        return Finish([first, receipt.number, second.number, interrupt('sure?')])

    graph = single(ai, node, checkpoints)
    paused = await graph.run(1)
    paused = await graph.resume(paused.thread_id, 'send')
    assert await graph.resume(paused.thread_id, 'sure') == ['send', 2, 3, 'sure']
    assert runs == ['charge 1', 'charge 2']


async def test_step_errors(ai: Genkit, memory: Any):
    async def bad() -> Any:
        return {1, 2}

    async def broken() -> Any:
        raise GenkitError(status='NOT_FOUND', message='no such thing')

    async def node(state: Any):
        return Finish(await step(bad if state == 'bad' else broken))

    graph = single(ai, node, memory)
    with pytest.raises(GenkitError, match="step 'bad' of node 'node' cannot be kept as JSON"):
        await graph.run('bad')
    with pytest.raises(GenkitError, match='no such thing') as error:
        await graph.run('broken')
    assert error.value.status == 'NOT_FOUND'
    with pytest.raises(GenkitError, match='only inside a node'):
        await step(bad)


def transfer_tool(ai: Genkit, runs: list[Any]):
    @ai.tool()
    async def transfer(value: dict[str, Any], ctx: ToolRunContext) -> str:
        if not ctx.is_resumed():
            raise Interrupt({'confirm': value['amount']})
        runs.append((value, ctx.resumed_metadata))
        return 'sent'

    return transfer


@pytest.mark.parametrize('kind', ['generate', 'prompt'])
@pytest.mark.parametrize('answer', ['respond', 'restart'])
async def test_tool_questions_pause_the_graph(ai: Genkit, checkpoints: Any, kind: str, answer: str):
    runs: list[Any] = []
    transfer_tool(ai, runs)
    requests = script(ai, [('transfer', {'amount': 5})], 'all done')

    async def node(state: str):
        response = await generate(ai, model='script/model', prompt=state, tools=['transfer'])
        return Finish(response.text)

    if kind == 'generate':
        graph = single(ai, node, checkpoints)
    else:
        prompt = ai.define_prompt(name='pay', model='script/model', prompt='{{text}}', tools=['transfer'])
        graph = single(
            ai, prompt, checkpoints, input=lambda s: {'text': s}, output=lambda s, response: Finish(response.text)
        )
    paused = await graph.run('pay 5')
    assert isinstance(paused, Interrupted)
    value = paused.interrupts[0].value
    assert value == {
        'toolRequests': [{'name': 'transfer', 'ref': '0', 'input': {'amount': 5}, 'metadata': {'confirm': 5}}]
    }
    with pytest.raises(GenkitError, match='does not satisfy its schema'):
        await graph.resume(paused.thread_id, 'yes please')
    reply = (
        {'output': 'refused'}
        if answer == 'respond'
        else {'action': 'restart', 'resumed': {'ok': True}, 'input': {'amount': 4}}
    )
    assert await graph.resume(paused.thread_id, reply) == 'all done'
    assert runs == ([] if answer == 'respond' else [({'amount': 4}, {'ok': True})])
    # The model was asked once before the pause and once after it, with the tool's answer.
    assert len(requests) == 2
    assert ('refused' if answer == 'respond' else 'sent') in str(requests[1].messages[-1])
    assert len([m for m in requests[1].messages if m.role == 'user']) == 1


async def test_several_tool_questions(ai: Genkit, memory: Any):
    runs: list[Any] = []
    transfer_tool(ai, runs)
    script(ai, [('transfer', {'amount': 1}), ('transfer', {'amount': 2})], 'done')

    async def node(state: str):
        return Finish((await generate(ai, model='script/model', prompt=state, tools=['transfer'])).text)

    graph = single(ai, node, memory)
    paused = await graph.run('x')
    for wrong in ({'output': 'both'}, [{'name': 'transfer', 'output': 'x'}, {'name': 'transfer', 'output': 'y'}], []):
        with pytest.raises(GenkitError, match='expected one answer'):
            await graph.resume(paused.thread_id, wrong)
    answers = [ToolAnswer(name='transfer', ref=ref, output=f'no {ref}').model_dump() for ref in ('1', '0')]
    assert await graph.resume(paused.thread_id, answers) == 'done'


async def test_generate_raises_where_it_failed(ai: Genkit):
    script(ai, GenkitError(status='UNAVAILABLE', message='down'), GenkitError(status='UNAVAILABLE', message='down'))

    async def node(state: str):
        return Finish((await generate(ai, model='script/model', prompt=state)).text)

    with pytest.raises(GenkitError, match='down') as error:
        await single(ai, node).run('x')
    assert error.value.status == 'UNAVAILABLE'
    response = await ai.generate(model='script/model', prompt='x')
    with pytest.raises(GenkitError, match='down'):
        raise_if_failed(response)


async def test_nodes_run_alone(ai: Genkit):
    graph = define_graph(ai, name='g', entrypoint=lambda i: Next(i, 'a'))

    async def a(state: int):
        """Adds one."""
        return Next(state + 1, 'a')

    graph.add_node(a)
    action = await ai.registry.resolve_action_by_key('/flow/g/a')
    assert action is not None
    assert action.description == 'Adds one.'
    assert (await action.run(1)).response == Next(2, 'a')
