# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The wire format of JS servers, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from genkit import GenkitError, RuntimeErrorReason
from genkitx import run_flow, stream_flow
from pydantic import BaseModel


class Head(BaseModel):
    head: str
    headers: dict[str, str]
    body: Any


class Pair(BaseModel):
    left_side: int


@contextlib.asynccontextmanager
async def server(
    status: str, *pieces: bytes, headers: str = '', hold: bool = False
) -> AsyncIterator[tuple[str, list[Head]]]:
    """Answers every request with `pieces`, sent one by one; the URL and the requests."""
    seen: list[Head] = []
    running: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            head = (await reader.readuntil(b'\r\n\r\n')).decode()
            first, *lines = head.strip().split('\r\n')
            fields = {key.lower(): value for key, value in (line.split(': ', 1) for line in lines)}
            body = await reader.readexactly(int(fields.get('content-length', 0)))
            seen.append(Head(head=first, headers=fields, body=json.loads(body)))
            writer.write(f'HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n'.encode())
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.002)
            if hold:
                await asyncio.sleep(30)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    listening = await asyncio.start_server(handle, '127.0.0.1', 0)
    try:
        yield f'http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/flow?key=secret', seen
    finally:
        listening.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await listening.wait_closed()


def event(value: Any) -> bytes:
    return f'data: {json.dumps(value, ensure_ascii=False, separators=(",", ":"))}\n\n'.encode()


async def failed(awaitable: Any) -> GenkitError:
    with pytest.raises(GenkitError) as caught:
        await awaitable
    return caught.value


async def test_what_is_sent() -> None:
    async with server('200 OK', b'{"result":1}') as (url, seen):
        await run_flow(url)
        await run_flow(url, None)
        await run_flow(url, Pair(left_side=1), init={'s': 1}, headers={'X-A': 'b'})
        await run_flow(url, {'pairs': [Pair(left_side=2)]})
    assert [request.body for request in seen] == [
        {},
        {'data': None},
        {'data': {'left_side': 1}, 'init': {'s': 1}},
        {'data': {'pairs': [{'left_side': 2}]}},
    ]
    assert seen[2].headers['x-a'] == 'b'
    assert {request.headers['content-type'] for request in seen} == {'application/json'}
    assert 'text/event-stream' not in seen[0].headers['accept']
    error = await failed(run_flow('http://127.0.0.1:1/', object()))
    assert error.status == 'INVALID_ARGUMENT'


async def test_streams_ask_for_events_and_reattach() -> None:
    async with server('200 OK', event({'result': 1}), headers='x-genkit-stream-id: s-1\r\n') as (url, seen):
        running = stream_flow(url, 1, stream_id='s-0')
        assert await running.output == 1
        assert await running.stream_id == 's-1'
        assert [chunk async for chunk in running.stream] == []
        assert await running.output == 1
    assert seen[0].headers['accept'] == 'text/event-stream'
    assert seen[0].headers['x-genkit-stream-id'] == 's-0'


async def test_any_split_of_the_bytes_gives_the_same_chunks() -> None:
    chunks = ['é', '\u2028\u0085', {'a': '\n\n'}, None, '🦊']
    whole = b''.join([*(event({'message': chunk}) for chunk in chunks), event({'result': 'ü'})])
    for size in (1, 2, 3, 7, 1000):
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        async with server('200 OK', *pieces) as (url, _):
            running = stream_flow(url, 1)
            assert [chunk async for chunk in running.stream] == chunks
            assert await running.output == 'ü'


async def test_other_event_stream_spellings() -> None:
    raw = b': ping\r\n\r\nevent: x\r\ndata:{"message":\r\ndata: 1}\r\n\r\n\r\n\r\ndata: {"result":2}\r\n\r\n'
    async with server('200 OK', raw) as (url, _):
        running = stream_flow(url, 1)
        assert [chunk async for chunk in running.stream] == [1]
        assert await running.output == 2


@pytest.mark.parametrize(
    ('status', 'body', 'code', 'text'),
    [
        ('500 Oops', b'plain', 'INTERNAL', 'Server returned: 500: plain'),
        ('403 No', b'{"status":"PERMISSION_DENIED"}', 'PERMISSION_DENIED', 'Server returned: 403: {"status":"PERMISSION_DENIED"}'),
        ('400 No', b'{"status":"FAILED_PRECONDITION"}', 'FAILED_PRECONDITION', 'Server returned: 400: {"status":"FAILED_PRECONDITION"}'),
        ('400 No', b'{"status":"NEW"}', 'INVALID_ARGUMENT', 'Server returned: 400: {"status":"NEW"}'),
        ('400 No', b'[]', 'INVALID_ARGUMENT', 'Server returned: 400: []'),
        ('201 Made', b'{"result":1}', 'UNKNOWN', 'Server returned: 201: {"result":1}'),
        ('200 OK', b'{"error":"text"}', 'INTERNAL', 'text'),
        ('200 OK', b'{"error":{"status":"ABORTED","message":"m"}}', 'ABORTED', '{"status":"ABORTED","message":"m"}'),
        ('200 OK', b'<html>', 'INTERNAL', "The server did not answer with JSON: '<html>'"),
        ('200 OK', b'[1]', 'INTERNAL', 'The server did not answer with a JSON object.'),
    ],
)  # fmt: skip
async def test_run_errors(status: str, body: bytes, code: str, text: str) -> None:
    async with server(status, body) as (url, _):
        error = await failed(run_flow(url, 1))
    assert (error.status, error.original_message) == (code, text)


@pytest.mark.parametrize(
    ('status', 'body', 'code', 'text'),
    [
        ('204 No', b'', 'NOT_FOUND', 'NOT_FOUND: Stream not found.'),
        ('500 Oops', b'plain', 'INTERNAL', 'INTERNAL: Server returned: 500: plain'),
        ('200 OK', b'', 'INTERNAL', 'INTERNAL: stream did not terminate correctly'),
        ('200 OK', b'data: {"result":1}', 'INTERNAL', 'INTERNAL: stream did not terminate correctly'),
        ('200 OK', event({'other': 1}), 'INTERNAL', 'INTERNAL: unknown chunk format: {"other":1}'),
        ('200 OK', event([1]), 'INTERNAL', 'INTERNAL: unknown chunk format: [1]'),
        ('200 OK', b'data: nonsense\n\n', 'INTERNAL', "INTERNAL: The server did not answer with JSON: 'nonsense'"),
        ('200 OK', event({'error': {'status': 'ABORTED', 'message': 'm', 'details': 'd'}}), 'ABORTED', 'ABORTED: m\nd'),
        (
            '200 OK',
            event({'error': {'status': 'ABORTED', 'message': 'm', 'details': {'x': 1}}}),
            'ABORTED',
            'ABORTED: m',
        ),
        ('200 OK', event({'error': {'message': 'm'}}), 'INTERNAL', 'INTERNAL: m'),
        # How JS's express server writes it.
        ('200 OK', b'error: {"error":{"status":"ABORTED","message":"m"}}\n\n', 'ABORTED', 'ABORTED: m'),
        ('200 OK', event({'error': 'text'}), 'INTERNAL', 'INTERNAL: text'),
        ('200 OK', event({'error': {'code': 7}}), 'INTERNAL', 'INTERNAL: {"code":7}'),
    ],
)
async def test_stream_errors(status: str, body: bytes, code: str, text: str) -> None:
    async with server(status, event({'message': 0}) if b'error' in body else b'', body) as (url, _):
        running = stream_flow(url, 1)
        error = await failed(running.output)
        assert (error.status, str(error)) == (code, text)
        with pytest.raises(GenkitError):
            [chunk async for chunk in running.stream]
        if status.startswith('200'):
            assert await running.stream_id is None
        else:
            assert await failed(running.stream_id) is error


async def test_an_error_carries_its_details() -> None:
    async with server('200 OK', event({'error': {'message': 'm', 'details': {'x': 1}}})) as (url, _):
        assert (await failed(stream_flow(url, 1).output)).details['x'] == 1


async def test_types_that_do_not_fit() -> None:
    async with server('200 OK', b'{"result":{"left_side":"no"}}') as (url, _):
        error = await failed(run_flow(url, 1, output_type=Pair))
        assert (error.status, error.reason) == ('INTERNAL', RuntimeErrorReason.INVALID_OUTPUT)
    async with server('200 OK', event({'message': 'no'}), event({'result': 1})) as (url, _):
        assert (await failed(stream_flow(url, 1, chunk_type=int).output)).reason == RuntimeErrorReason.INVALID_OUTPUT


async def test_no_server_and_no_answer() -> None:
    error = await failed(run_flow('http://127.0.0.1:1/flow?key=secret', 1))
    assert error.status == 'UNAVAILABLE'
    assert 'secret' not in str(error)
    async with server('200 OK', hold=True) as (url, _), httpx.AsyncClient() as client:
        assert (await failed(run_flow(url, 1, timeout=0.1))).status == 'DEADLINE_EXCEEDED'
        assert (await failed(stream_flow(url, 1, timeout=0.1, client=client).output)).status == 'DEADLINE_EXCEEDED'


async def test_closing_early() -> None:
    async with server('200 OK', event({'message': 0}), hold=True) as (url, _):
        async with stream_flow(url, 1) as running:
            assert await running.stream.__anext__() == 0
        assert (await failed(running.output)).status == 'CANCELLED'
        with pytest.raises(GenkitError, match='closed'):
            await running.stream.__anext__()


async def test_giving_up_on_the_output_leaves_the_stream() -> None:
    async with server('200 OK', event({'message': 0}), hold=True) as (url, _), stream_flow(url, 1) as running:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(running.output, 0.05)
        assert await running.stream.__anext__() == 0
