# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Threads in every kind of store: pauses, history, forks, changes, many at once, two event loops, other processes."""

import asyncio
import json
import operator
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import pytest
from blockbuster import blockbuster_ctx
from genkit import Genkit, GenkitError
from genkitx_graph import (
    END,
    START,
    Finish,
    Interrupted,
    MemoryCheckpoints,
    Next,
    PostgresCheckpoints,
    SqliteCheckpoints,
    define_graph,
    define_state_graph,
    interrupt,
)
from pydantic import BaseModel


def asking(ai: Genkit, checkpoints: Any, **options: Any):
    """a -> ask -> output; `runs` counts."""
    runs = {'a': 0, 'ask': 0}
    graph = define_graph(
        ai, name='asking', entrypoint=lambda i: Next({'in': i}, 'a'), checkpoints=checkpoints, **options
    )

    async def a(state: dict[str, Any]):
        runs['a'] += 1
        return Next({**state, 'a': True}, 'ask')

    async def ask(state: dict[str, Any]):
        runs['ask'] += 1
        return Finish({**state, 'answer': interrupt({'question': state['in']})})

    graph.add_node(a)
    graph.add_node(ask)
    return graph, runs


async def test_pause_and_resume(ai: Genkit, checkpoints: Any):
    graph, runs = asking(ai, checkpoints)
    paused = await graph.run('ä\u0000?')
    assert isinstance(paused, Interrupted)
    assert (paused.status, paused.next) == ('interrupted', ['ask'])
    assert [(i.value, i.node) for i in paused.interrupts] == [({'question': 'ä\u0000?'}, 'ask')]
    snapshot = await graph.threads.get(paused.thread_id)
    assert (snapshot.status, snapshot.next, snapshot.checkpoint_id) == ('interrupted', ['ask'], paused.checkpoint_id)
    assert snapshot.state == {'in': 'ä\u0000?', 'a': True}
    assert await graph.resume(paused.thread_id, 'yes') == {'in': 'ä\u0000?', 'a': True, 'answer': 'yes'}
    assert runs == {'a': 1, 'ask': 2}
    assert (await graph.threads.get(paused.thread_id)).status == 'completed'


async def test_a_thread_id_can_be_written_anywhere(ai: Genkit, memory: Any):
    graph, _ = asking(ai, memory)
    threads = [(await graph.run(1)).thread_id for _ in range(5)]
    assert len(set(threads)) == 5
    # In a path, a URL, and after an option: nothing that begins with a hyphen.
    assert all(re.fullmatch('[0-9a-f]{48}', thread) for thread in threads)


@pytest.mark.parametrize('answer', [0, False, '', [], {}, {'deep': [None]}])
async def test_any_answer(ai: Genkit, memory: Any, answer: Any):
    graph, _ = asking(ai, memory)
    paused = await graph.run(1)
    assert (await graph.resume(paused.thread_id, answer))['answer'] == answer


async def test_answer_none_by_id(ai: Genkit, memory: Any):
    graph, _ = asking(ai, memory)
    paused = await graph.run(1)
    assert (await graph.resume(paused.thread_id, answers={paused.interrupts[0].id: None}))['answer'] is None


async def test_wire_format(ai: Genkit, memory: Any):
    graph, _ = asking(ai, memory)
    paused = await graph.executor(1)
    wire = json.loads(paused.model_dump_json(by_alias=True))
    assert set(wire) == {'status', 'threadId', 'checkpointId', 'interrupts', 'next'}
    resume = await ai.registry.resolve_action_by_key('/flow/asking/resume')
    assert resume is not None
    result = (await resume.run({'threadId': wire['threadId'], 'answer': None})).response
    assert result['answer'] is None


async def test_refused_resumes(ai: Genkit, checkpoints: Any):
    graph, runs = asking(ai, checkpoints)
    paused = await graph.run(1)
    thread = paused.thread_id
    cases: list[tuple[Any, str, str]] = [
        (graph.resume('unknown', 1), 'NOT_FOUND', 'does not exist'),
        (graph.resume(thread), 'FAILED_PRECONDITION', 'waits for an answer'),
        (graph.resume(thread, answers={'0' * 32: 1}), 'INVALID_ARGUMENT', 'No such open question'),
        (graph.resume(thread, 1, answers={'x': 1}), 'INVALID_ARGUMENT', 'not both'),
        (graph.resume(thread, 1, checkpoint_id='1ef00000-0000-6000-8000-000000000000'), 'NOT_FOUND', 'Checkpoint'),
        (graph.resume('', 1), 'INVALID_ARGUMENT', 'thread id'),
        (graph.resume('a\x00b', 1), 'INVALID_ARGUMENT', 'thread id'),
        (graph.run(1, thread_id=thread), 'FAILED_PRECONDITION', 'unfinished run'),
        (graph.resume(thread, {1}), 'INVALID_ARGUMENT', 'JSON'),
    ]
    for call, status, text in cases:
        with pytest.raises(GenkitError, match=text) as error:
            await call
        assert error.value.status == status
    assert runs['ask'] == 1
    await graph.resume(thread, 'yes')
    for call in (graph.resume(thread), graph.resume(thread, 'again')):
        with pytest.raises(GenkitError) as error:
            await call
        assert error.value.status == 'FAILED_PRECONDITION'


async def test_answer_is_kept_when_the_node_fails_after_it(ai: Genkit, checkpoints: Any):
    graph = define_graph(ai, name='g', entrypoint=lambda i: Next(i, 'ask'), checkpoints=checkpoints)
    failures = [GenkitError(status='UNAVAILABLE', message='mail server down')]

    async def ask(state: Any):
        answer = interrupt('send?')
        if failures:
            raise failures.pop()
        return Finish({'sent': answer, 'again': interrupt('and again?')})

    graph.add_node(ask)
    paused = await graph.run(1)
    with pytest.raises(GenkitError, match='mail server down'):
        await graph.resume(paused.thread_id, 'yes')
    snapshot = await graph.threads.get(paused.thread_id)
    assert (snapshot.status, snapshot.interrupts, list(snapshot.errors)) == ('failed', [], ['ask'])
    # Another answer would be ignored, so it is refused.
    with pytest.raises(GenkitError, match='waits for no answer'):
        await graph.resume(paused.thread_id, 'no')
    second = await graph.resume(paused.thread_id)
    assert [i.value for i in second.interrupts] == ['and again?']
    assert await graph.resume(paused.thread_id, 'fine') == {'sent': 'yes', 'again': 'fine'}


async def test_second_question_of_a_failed_node_stays_open(ai: Genkit, memory: Any):
    graph = define_graph(ai, name='g', entrypoint=lambda i: Next(i, 'ask'), checkpoints=memory)

    async def ask(state: Any):
        return Finish([interrupt('one'), interrupt('two', response_schema=int)])

    graph.add_node(ask)
    paused = await graph.run(1)
    paused = await graph.resume(paused.thread_id, 'first')
    with pytest.raises(GenkitError, match='does not satisfy its schema'):
        await graph.resume(paused.thread_id, 'not a number')
    snapshot = await graph.threads.get(paused.thread_id)
    assert [i.value for i in snapshot.interrupts] == ['two']
    assert await graph.resume(paused.thread_id, 2) == ['first', 2]


@pytest.mark.parametrize('schema', [int, {'type': 'integer'}])
async def test_wrong_answer_can_be_given_again(ai: Genkit, checkpoints: Any, schema: Any):
    graph = define_graph(ai, name='g', entrypoint=lambda i: Next(i, 'ask'), checkpoints=checkpoints)

    async def ask(state: Any):
        return Finish(interrupt('how many?', response_schema=schema))

    graph.add_node(ask)
    paused = await graph.run(1)
    assert paused.interrupts[0].response_schema == {'type': 'integer'}
    for wrong in ('many', 1.5):
        with pytest.raises(GenkitError, match="answer to node 'ask' does not satisfy its schema") as error:
            await graph.resume(paused.thread_id, wrong)
        assert error.value.status == 'INVALID_ARGUMENT'
    assert await graph.resume(paused.thread_id, 3) == 3


async def test_history_and_fork(ai: Genkit, checkpoints: Any):
    graph, runs = asking(ai, checkpoints)
    paused = await graph.run('q')
    await graph.resume(paused.thread_id, 'first')
    history = [snapshot async for snapshot in graph.threads.history(paused.thread_id)]
    assert [s.status for s in history] == ['completed', 'interrupted', 'pending', 'pending', 'pending']
    assert [s.step for s in history] == [3, 2, 1, 0, -1]
    assert history[0].parent_id == history[1].checkpoint_id
    assert [s.checkpoint_id async for s in graph.threads.history(paused.thread_id, limit=2)] == [
        s.checkpoint_id for s in history[:2]
    ]
    assert [s.step async for s in graph.threads.history(paused.thread_id, before=history[2].checkpoint_id)] == [0, -1]
    # Another answer to the same question, on a branch of its own.
    before = dict(runs)
    assert (await graph.resume(paused.thread_id, 'second', checkpoint_id=paused.checkpoint_id))['answer'] == 'second'
    assert runs['a'] == before['a']
    # From before node a: it runs again, and the question comes up again.
    again = await graph.resume(paused.thread_id, checkpoint_id=history[2].checkpoint_id)
    assert again.interrupts[0].value == {'question': 'q'}
    assert runs['a'] == before['a'] + 1
    assert (await graph.resume(paused.thread_id, 'third'))['answer'] == 'third'
    # The old branch is still there.
    old = await graph.threads.get(paused.thread_id, checkpoint_id=history[0].checkpoint_id)
    assert old.status == 'completed'
    with pytest.raises(GenkitError, match='end of a run'):
        await graph.resume(paused.thread_id, checkpoint_id=history[0].checkpoint_id)
    with pytest.raises(GenkitError, match='new ids after a fork'):
        await graph.resume(paused.thread_id, answers={'x': 1}, checkpoint_id=paused.checkpoint_id)


async def test_update(ai: Genkit, checkpoints: Any):
    graph, runs = asking(ai, checkpoints)
    paused = await graph.run('q')
    snapshot = await graph.threads.update(paused.thread_id, Next({'in': 'changed'}, 'ask'))
    assert (snapshot.status, snapshot.next, snapshot.state) == ('pending', ['ask'], {'in': 'changed'})
    again = await graph.resume(paused.thread_id)
    assert again.interrupts[0].value == {'question': 'changed'}
    assert await graph.resume(paused.thread_id, 'ok') == {'in': 'changed', 'answer': 'ok'}
    assert runs['a'] == 1
    for values, node, text in [(Next(1, 'zzz'), None, 'Node zzz does not exist'), ({'x': 1}, None, 'takes Next'),
                               (Next(1, 'a'), 'a', 'no node')]:  # fmt: skip
        with pytest.raises(GenkitError, match=text):
            await graph.threads.update(paused.thread_id, values, node=node)


async def test_delete(ai: Genkit, checkpoints: Any):
    graph, _ = asking(ai, checkpoints)
    paused, other = await graph.run('q'), await graph.run('q')
    await graph.threads.delete(paused.thread_id)
    await graph.threads.delete(paused.thread_id)
    with pytest.raises(GenkitError, match='does not exist'):
        await graph.threads.get(paused.thread_id)
    with pytest.raises(GenkitError, match='does not exist'):
        _ = [s async for s in graph.threads.history(paused.thread_id)]
    assert (await graph.threads.get(other.thread_id)).status == 'interrupted'


async def test_removed_node_is_not_taken_for_an_end(ai: Genkit, checkpoints: Any):
    graph, _ = asking(ai, checkpoints)
    paused = await graph.run('q')
    graph.remove_node('ask')
    for call in (
        graph.resume(paused.thread_id, 'yes'),
        graph.resume(paused.thread_id, checkpoint_id=paused.checkpoint_id),
    ):
        with pytest.raises(GenkitError, match='Node ask does not exist') as error:
            await call
        assert error.value.status == 'NOT_FOUND'


async def test_breakpoints(ai: Genkit, memory: Any):
    graph = define_graph(
        ai, name='g', entrypoint=lambda i: Next(i, 'a'), checkpoints=memory, stop_before=['b'], stop_after=['a']
    )

    async def a(state: int):
        return Next(state + 1, 'b')

    async def b(state: int):
        return Finish(state)

    graph.add_node(a)
    graph.add_node(b)
    paused = await graph.run(1)
    assert isinstance(paused, Interrupted)
    assert (paused.interrupts, paused.next) == ([], ['b'])
    with pytest.raises(GenkitError, match='waits for no answer'):
        await graph.resume(paused.thread_id, 'answer')
    assert await graph.resume(paused.thread_id) == 2


async def test_failed_node_runs_again_alone(ai: Genkit, checkpoints: Any):
    class State(BaseModel):
        done: Annotated[list[str], operator.add] = []

    runs: list[str] = []
    broken = [True]

    async def good(state: State):
        runs.append('good')
        return {'done': ['good']}

    async def bad(state: State):
        runs.append('bad')
        await asyncio.sleep(0.05)  # The other one finishes first.
        if broken:
            raise RuntimeError('broken')
        return {'done': ['bad']}

    graph = define_state_graph(ai, name='g', state_schema=State, checkpoints=checkpoints)
    for node in (good, bad):
        graph.add_node(node)
        graph.add_edge(START, node.__name__)
        graph.add_edge(node.__name__, END)
    with pytest.raises(GenkitError, match='broken'):
        await graph.run({}, thread_id='t')
    snapshot = await graph.threads.get('t')
    assert (snapshot.status, list(snapshot.errors)) == ('failed', ['bad'])
    broken.clear()
    assert (await graph.resume('t')).done == ['bad', 'good']  # In the order of their names.
    assert sorted(runs) == ['bad', 'bad', 'good']


async def test_a_hundred_threads_on_one_saver(ai: Genkit, checkpoints: Any):
    graph, runs = asking(ai, checkpoints)
    threads = [f'thread {n}' for n in range(100)]
    paused = await asyncio.gather(*(graph.run(n, thread_id=t) for n, t in enumerate(threads)))
    assert [p.interrupts[0].value['question'] for p in paused] == list(range(100))
    results = await asyncio.gather(*(graph.resume(t, f'answer {n}') for n, t in enumerate(threads)))
    assert [(r['in'], r['answer']) for r in results] == [(n, f'answer {n}') for n in range(100)]
    assert runs == {'a': 100, 'ask': 200}


async def test_one_thread_runs_once_at_a_time(ai: Genkit, memory: Any):
    graph, _ = asking(ai, memory)
    paused = await graph.run(1)
    results = await asyncio.gather(*(graph.resume(paused.thread_id, n) for n in range(5)), return_exceptions=True)
    answered = [r for r in results if isinstance(r, dict)]
    refused = [r for r in results if isinstance(r, GenkitError)]
    assert len(answered) == 1
    assert len(refused) == 4
    assert {r.status for r in refused} <= {'ABORTED', 'FAILED_PRECONDITION'}


async def test_finished_thread_goes_on(ai: Genkit, checkpoints: Any):
    class State(BaseModel):
        question: str
        turns: Annotated[list[str], operator.add] = []
        kept: str = 'default'

    async def answer(state: State):
        return {'turns': [state.question.upper()], 'kept': state.kept + '!'}

    graph = define_state_graph(ai, name='chat', state_schema=State, checkpoints=checkpoints)
    graph.add_node(answer)
    graph.add_edge(START, 'answer')
    graph.add_edge('answer', END)
    assert (await graph.run({'question': 'a'}, thread_id='t')).turns == ['A']
    second = await graph.run({'question': 'b'}, thread_id='t')
    # The list goes on, what the input does not set is kept, defaults do not come back.
    assert (second.turns, second.kept) == (['A', 'B'], 'default!!')


async def test_owners_and_graphs_do_not_share_threads(ai: Genkit, memory: Any):
    graph, _ = asking(ai, memory, thread_owner=lambda context: context.get('auth', {}).get('uid'))
    ann, bob = {'auth': {'uid': 'ann'}}, {'auth': {'uid': 'bob'}}
    paused = await graph.run('q', context=ann)
    with pytest.raises(GenkitError, match='does not exist'):
        await graph.resume(paused.thread_id, 'x', context=bob)
    with pytest.raises(GenkitError, match='does not exist'):
        await graph.threads.get(paused.thread_id, context=bob)
    with pytest.raises(GenkitError) as error:
        await graph.run('q')
    assert error.value.status == 'UNAUTHENTICATED'
    other = define_graph(ai, name='other', entrypoint=lambda i: Next(i, 'a'), checkpoints=memory)
    with pytest.raises(GenkitError, match='does not exist'):
        await other.resume(paused.thread_id, 'x')
    assert (await graph.resume(paused.thread_id, 'x', context=ann))['answer'] == 'x'


async def test_context_reaches_nodes_and_no_checkpoint(ai: Genkit, tmp_path: Path):
    path = tmp_path / 'threads.db'
    checkpoints = SqliteCheckpoints(path)
    graph = define_graph(ai, name='g', entrypoint=lambda i: Next(i, 'a'), checkpoints=checkpoints)

    async def a(state: Any, ctx: Any):
        assert ctx.context == {'auth': {'token': 'TOP-SECRET-TOKEN'}}
        assert ai.current_context() == ctx.context
        return Finish(interrupt('?'))

    graph.add_node(a)
    context = {'auth': {'token': 'TOP-SECRET-TOKEN'}}
    paused = await graph.run(1, context=context)
    assert await graph.resume(paused.thread_id, 'fine', context=context) == 'fine'
    await graph.aclose()
    stored = b''.join(file.read_bytes() for file in tmp_path.iterdir())
    assert b'asking' not in stored
    assert b'fine' in stored
    assert b'TOP-SECRET-TOKEN' not in stored


SECOND_PROCESS = """
import asyncio, json, sys
sys.path.insert(0, {folder!r})
from genkit import Genkit
from genkitx_graph import PostgresCheckpoints, SqliteCheckpoints
from durable_test import asking

async def main():
    store = {store}
    graph, runs = asking(Genkit(), store)
    print(json.dumps([await graph.resume({thread!r}, 'from afar'), runs]))
    await graph.aclose()

asyncio.run(main())
"""


@pytest.mark.parametrize('kind', ['sqlite', 'postgres'])
async def test_resume_in_another_process(ai: Genkit, kind: str, tmp_path: Path, request: pytest.FixtureRequest):
    if kind == 'sqlite':
        store: Any = SqliteCheckpoints(tmp_path / 'threads.db')
        text = f'SqliteCheckpoints({str(tmp_path / "threads.db")!r})'
    else:
        url = request.getfixturevalue('postgres_url')
        store, text = PostgresCheckpoints(url), f'PostgresCheckpoints({url!r})'
    graph, _ = asking(ai, store)
    paused = await graph.run('q')
    code = SECOND_PROCESS.format(folder=str(Path(__file__).parent), store=text, thread=paused.thread_id)
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, '-c', code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    result, runs = json.loads(done.stdout)
    assert result == {'in': 'q', 'a': True, 'answer': 'from afar'}
    assert runs == {'a': 0, 'ask': 1}
    assert (await graph.threads.get(paused.thread_id)).status == 'completed'
    await graph.aclose()


def test_many_event_loops(ai: Genkit, tmp_path: Path, postgres_url: str):
    stores = [MemoryCheckpoints(), SqliteCheckpoints(tmp_path / 'threads.db'), PostgresCheckpoints(postgres_url)]
    for number, store in enumerate(stores):
        graph, _ = asking(Genkit(), store)

        async def start(n: int, graph: Any = graph) -> None:
            assert isinstance(await graph.run(n, thread_id=f'loops {n}'), Interrupted)

        async def finish(n: int, graph: Any = graph) -> None:
            assert (await graph.resume(f'loops {n}', 'x'))['in'] == n

        for n in range(5):
            asyncio.run(start(n))
        failures: list[BaseException] = []

        def other(n: int, finish: Any = finish, failures: Any = failures) -> None:
            try:
                asyncio.run(finish(n))
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=other, args=(n,)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures, (number, failures)


async def test_store_that_cannot_be_opened(ai: Genkit, tmp_path: Path):
    for store, status in [
        (SqliteCheckpoints(tmp_path / 'missing' / 'threads.db'), 'FAILED_PRECONDITION'),
        (PostgresCheckpoints(f'postgresql://user:PASSWORD@/db?host={tmp_path}&connect_timeout=1'), 'UNAVAILABLE'),
    ]:
        graph, runs = asking(ai, store)
        if isinstance(store, PostgresCheckpoints):
            store._open_timeout = 1.0
        with pytest.raises(GenkitError) as error:
            await graph.run(1)
        assert error.value.status == status
        assert 'PASSWORD' not in str(error.value)
        assert runs == {'a': 0, 'ask': 0}


async def test_text_that_postgres_cannot_hold(ai: Genkit, checkpoints: Any):
    class State(BaseModel):
        text: str = ''

    async def a(state: State):
        return {'text': 'bad \x00 character'}

    graph = define_state_graph(ai, name='g', state_schema=State, checkpoints=checkpoints)
    graph.add_node(a)
    graph.add_edge(START, 'a')
    graph.add_edge('a', END)
    if not isinstance(checkpoints, PostgresCheckpoints):
        assert (await graph.run({})).text == 'bad \x00 character'
        return
    with pytest.raises(GenkitError, match="checkpoint store cannot hold the state of graph 'g'") as error:
        await graph.run({})
    assert error.value.status == 'INVALID_ARGUMENT'


async def test_store_that_goes_away(ai: Genkit, tmp_path: Path):
    store = SqliteCheckpoints(tmp_path / 'threads.db')
    graph, _ = asking(ai, store)
    paused = await graph.run(1)
    saver: Any = await store.saver()
    await saver.conn.execute('DROP TABLE writes')
    with pytest.raises(GenkitError, match='checkpoint store') as error:
        await graph.resume(paused.thread_id, 'x')
    assert error.value.status == 'UNAVAILABLE'
    await graph.aclose()


async def test_nothing_blocks_the_event_loop(ai: Genkit, checkpoints: Any):
    graph, _ = asking(ai, checkpoints)
    with blockbuster_ctx():
        paused = await graph.run(1)
        assert (await graph.resume(paused.thread_id, 'x'))['answer'] == 'x'
        assert [s.status async for s in graph.threads.history(paused.thread_id, limit=1)] == ['completed']
