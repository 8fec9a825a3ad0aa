# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Flows over HTTP: each client with each server. JS with JS shows what the others have to equal."""

import json

import pytest
import pytest_asyncio
from genkit import GenkitError
from genkitx import run_flow, stream_flow

from interop.tests import flow_server
from interop.tests.documents import ALL
from interop.tests.node import JsError

PAIRS = [('js', 'js'), ('js', 'python'), ('python', 'js'), ('python', 'python')]
VALUES = [ALL, 'text 東京 🚀 \u2028', 7, -0.5, True, [], {}, {'a': {'b': [None, 1e-7, 1e21]}}, 'x' * 90_000]
MISSING = object()
# What a flow throws, and what its server tells: JS keeps unknown errors to itself. That genkit-fastapi 0.12 tells nothing of errors
# with a status of their own (`PublicError`) is why there is none of these for Python.
ERRORS = {
    'js': [(True, 404, 'NOT_FOUND', 'no fox “here”'), (False, 500, 'INTERNAL', 'Internal Error')],
    'python': [(False, 500, 'INTERNAL', 'the flow broke')],
}


class PythonClient:
    """`genkitx.run_flow` and `genkitx.stream_flow`, with the results of js/flow_client.mjs."""

    async def run(self, url, value=MISSING, headers=None):
        return await run_flow(url, *([] if value is MISSING else [value]), headers=headers)

    async def stream(self, url, value=MISSING, after_first=None, stream_id=None):
        chunks = []
        async with stream_flow(url, *([] if value is MISSING else [value]), stream_id=stream_id) as running:
            try:
                async for chunk in running.stream:
                    chunks.append(chunk)
                    if len(chunks) == 1 and after_first:
                        await run_flow(after_first)
                return {'chunks': chunks, 'output': await running.output, 'streamId': await running.stream_id}
            except GenkitError as error:
                return {'chunks': chunks, 'error': str(error)}


class JsClient:
    """The client of JS."""

    def __init__(self, script):
        self._script = script

    async def run(self, url, value=MISSING, headers=None):
        return await self._script('run', url=url, headers=headers, **({} if value is MISSING else {'input': value}))

    async def stream(self, url, value=MISSING, after_first=None, stream_id=None):
        args = {'url': url, 'afterFirst': after_first, 'streamId': stream_id}
        return await self._script('stream', **args, **({} if value is MISSING else {'input': value}))


@pytest.fixture(scope='session')
def js_port(start):
    return start('flow_server').call('start', {})


@pytest_asyncio.fixture
async def base(request, js_port):
    if request.param == 'js':
        yield f'http://127.0.0.1:{js_port}'
    else:
        async with flow_server.serving() as url:
            yield url


@pytest.fixture
def client(request, start):
    return PythonClient() if request.param == 'python' else JsClient(start('flow_client'))


pairs = pytest.mark.parametrize(('client', 'base'), PAIRS, indirect=True)


def errors():
    """Each client with each server and each error."""
    cases = [pytest.param(client, server, *error) for client, server in PAIRS for error in ERRORS[server]]
    return pytest.mark.parametrize(
        ('client', 'base', 'known', 'code', 'status', 'message'), cases, indirect=['client', 'base']
    )


@pairs
async def test_unary(client, base):
    for value in VALUES:
        assert await client.run(f'{base}/echo', value) == {'got': value}
    for nothing in ([], [None]):
        assert await client.run(f'{base}/echo', *nothing) == {'got': 'nothing'}


@pairs
async def test_stream(client, base):
    text = 'é東🚀\u2028"\n'
    got = await client.stream(f'{base}/count', {'to': 200, 'text': text})
    assert got == {
        'chunks': [{'number': number, 'text': text} for number in range(200)],
        'output': {'text': text * 200},
        'streamId': None,
    }
    assert await client.stream(f'{base}/count', {'to': 0, 'text': text}) == {
        'chunks': [],
        'output': {'text': ''},
        'streamId': None,
    }


@pairs
async def test_a_chunk_arrives_before_the_flow_goes_on(client, base):
    got = await client.stream(f'{base}/hold', after_first=f'{base}/release')
    assert got == {'chunks': ['first', 'second'], 'output': 'end', 'streamId': None}


@errors()
async def test_an_error(client, base, known, code, status, message):
    with pytest.raises((GenkitError, JsError)) as caught:
        await client.run(f'{base}/fail', known)
    _, _, body = str(caught.value).partition(f'Server returned: {code}: ')
    assert (json.loads(body)['status'], json.loads(body)['message']) == (status, message)
    if isinstance(caught.value, GenkitError):
        assert caught.value.status == status


@errors()
async def test_an_error_in_a_stream(client, base, known, code, status, message):
    got = await client.stream(f'{base}/fail', known)
    assert (got['chunks'], got['error'].split('\n')[0]) == ([1], f'{status}: {message}')


@pairs
async def test_a_key(client, base, request):
    assert await client.run(f'{base}/locked', 1, headers={'Authorization': 'sesame'}) == {'got': 1}
    # genkit-fastapi 0.12 refuses with 500, whatever the provider of the context says.
    python = request.node.callspec.params['base'] == 'python'
    for headers, code in [({}, 500 if python else 401), ({'Authorization': 'other'}, 500 if python else 403)]:
        with pytest.raises((GenkitError, JsError), match=f'Server returned: {code}: '):
            await client.run(f'{base}/locked', 1, headers=headers)
    with pytest.raises((GenkitError, JsError), match='Server returned: 404: '):
        await client.run(f'{base}/nowhere', 1)


@pytest.mark.parametrize('client', ['js', 'python'], indirect=True)
@pytest.mark.parametrize('base', ['js'], indirect=True)
async def test_a_kept_stream_is_read_again(client, base):
    first = await client.stream(f'{base}/kept', {'to': 3, 'text': 'é'})
    again = await client.stream(f'{base}/kept', stream_id=first['streamId'])
    assert len(first['chunks']) == 3
    assert (again['chunks'], again['output']) == (first['chunks'], first['output'])
    lost = await client.stream(f'{base}/kept', stream_id='nobody')
    assert lost == {'chunks': [], 'error': 'NOT_FOUND: Stream not found.'}
