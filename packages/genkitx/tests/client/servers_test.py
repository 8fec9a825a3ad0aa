# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""`run_flow` and `stream_flow` against upstream's FastAPI and Flask servers."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from flask import Flask
from genkit import ActionRunContext, Genkit, GenkitError
from genkit_fastapi import genkit_fastapi_handler
from genkit_flask import genkit_flask_handler
from genkitx import api_key, run_flow, stream_flow
from genkitx.testing.serving import serve_asgi
from pydantic import BaseModel
from werkzeug.serving import make_server


class Question(BaseModel):
    text: str
    times: int = 2


class Answer(BaseModel):
    text: str


class Piece(BaseModel):
    number: int
    text: str


def define(ai: Genkit) -> Any:
    @ai.flow(chunk_type=Piece)
    async def repeat(question: Question, ctx: ActionRunContext) -> Answer:
        for number in range(question.times):
            ctx.send_chunk(Piece(number=number, text=question.text))
        if question.text == 'boom':
            raise ValueError('the flow broke')
        return Answer(text=question.text * question.times)

    return repeat


@contextlib.asynccontextmanager
async def fastapi_server() -> AsyncIterator[str]:
    ai = Genkit()
    app = FastAPI()
    flow = define(ai)

    @app.post('/repeat', response_model=None)
    @genkit_fastapi_handler(ai)
    async def repeat() -> Any:
        return flow

    @app.post('/locked', response_model=None)
    @genkit_fastapi_handler(ai, context_provider=api_key('sesame'))
    async def locked() -> Any:
        return flow

    async with serve_asgi(app) as address:
        yield address


@contextlib.contextmanager
def flask_server() -> Iterator[str]:
    # Upstream drives streams on one event loop, made when the handler is: this thread must not have a running one.
    ready: list[Any] = []
    started = threading.Event()

    def serve() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        ai = Genkit()
        app = Flask('flows')
        app.post('/repeat')(genkit_flask_handler(ai)(define(ai)))
        ready.append(make_server('127.0.0.1', 0, app, threaded=False))
        started.set()
        ready[0].serve_forever()
        ready[0].server_close()
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    started.wait()
    try:
        yield f'http://127.0.0.1:{ready[0].server_port}'
    finally:
        ready[0].shutdown()
        thread.join()


@contextlib.asynccontextmanager
async def serving(kind: str) -> AsyncIterator[str]:
    if kind == 'fastapi':
        async with fastapi_server() as base:
            yield base
    else:
        with flask_server() as base:
            yield base


@pytest.mark.parametrize('kind', ['fastapi', 'flask'])
async def test_run_and_stream(kind: str) -> None:
    async with serving(kind) as base, httpx.AsyncClient() as client:
        url = f'{base}/repeat'
        assert await run_flow(url, Question(text='Grüße ')) == {'text': 'Grüße Grüße '}
        assert await run_flow(url, {'text': 'a', 'times': 3}, output_type=Answer, client=client) == Answer(text='aaa')
        running = stream_flow(url, Question(text='é\u2028'), output_type=Answer, chunk_type=Piece, client=client)
        pieces = [piece async for piece in running.stream]
        assert pieces == [Piece(number=0, text='é\u2028'), Piece(number=1, text='é\u2028')]
        assert await running.output == Answer(text='é\u2028é\u2028')
        assert await running.stream_id is None
        assert not client.is_closed


@pytest.mark.parametrize('kind', ['fastapi', 'flask'])
async def test_errors(kind: str) -> None:
    async with serving(kind) as base:
        url = f'{base}/repeat'
        with pytest.raises(GenkitError) as caught:
            await run_flow(url, Question(text='boom'))
        assert caught.value.status == 'INTERNAL'
        assert caught.value.original_message.startswith('Server returned: 500: {')
        assert 'the flow broke' in str(caught.value)
        running = stream_flow(url, Question(text='boom'))
        chunks = running.stream
        assert [(await chunks.__anext__())['number'] for _ in range(2)] == [0, 1]
        with pytest.raises(GenkitError, match='the flow broke'):
            await chunks.__anext__()
        with pytest.raises(GenkitError, match='the flow broke'):
            await running.output
        with pytest.raises(GenkitError) as caught:
            await run_flow(f'{base}/nowhere', 1)
        assert caught.value.status == 'NOT_FOUND'


async def test_api_key_and_headers() -> None:
    async with fastapi_server() as base:
        url = f'{base}/locked'
        question = Question(text='a')
        assert await run_flow(url, question, headers={'Authorization': 'sesame'}) == {'text': 'aa'}
        for headers in ({}, {'Authorization': 'wrong'}):
            with pytest.raises(GenkitError):
                await run_flow(url, question, headers=headers)
