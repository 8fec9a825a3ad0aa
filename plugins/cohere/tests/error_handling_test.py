# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Every failure has a status that says what to do, Cohere's words, Retry-After, and no key."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from cohere_rules import KEY, OTHER_KEY
from cohere_server import CohereServer
from cohere_wire import body_of
from genkit import Document, GenkitError
from genkitx import Genkit
from genkitx_cohere import Cohere
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

STATUSES = {
    400: 'INVALID_ARGUMENT',
    401: 'UNAUTHENTICATED',
    402: 'FAILED_PRECONDITION',
    403: 'PERMISSION_DENIED',
    404: 'NOT_FOUND',
    408: 'DEADLINE_EXCEEDED',
    409: 'ABORTED',
    413: 'INVALID_ARGUMENT',
    418: 'UNKNOWN',
    422: 'INVALID_ARGUMENT',
    429: 'RESOURCE_EXHAUSTED',
    498: 'UNAUTHENTICATED',
    499: 'CANCELLED',
    500: 'INTERNAL',
    501: 'UNIMPLEMENTED',
    502: 'UNAVAILABLE',
    503: 'UNAVAILABLE',
    504: 'DEADLINE_EXCEEDED',
    529: 'INTERNAL',
}


REQUEST: Any = {'messages': [{'role': 'user', 'content': [{'text': 'x'}]}]}


async def failure(plugin: Cohere, *, stream: bool = False, model: str = 'command-a', **config: Any) -> GenkitError:
    """The error of a call."""
    action = await plugin.model(model)
    assert action is not None
    request: Any = {**REQUEST, 'config': config}
    with pytest.raises(GenkitError) as caught:
        await action.run(request, on_chunk=(lambda _: None) if stream else None)
    return caught.value


@pytest.mark.parametrize('stream', [False, True])
async def test_statuses(plugin: Cohere, server: CohereServer, stream: bool) -> None:
    action = await plugin.model('command-a')
    assert action is not None
    found: dict[int, str] = {}
    for code in STATUSES:
        server.reply({'id': 'e1', 'message': 'the words of Cohere'}, status=code)
        with pytest.raises(GenkitError, match=f'{code}.*the words of Cohere') as caught:
            await action.run(REQUEST, on_chunk=(lambda _: None) if stream else None)
        found[code] = caught.value.status
    assert found == STATUSES


@pytest.mark.parametrize('name', ['error_401', 'error_404', 'error_429'])
async def test_errors_recorded_from_the_js_plugin(plugin: Cohere, server: CohereServer, name: str) -> None:
    recorded = json.loads((Path(__file__).parent / 'golden' / f'{name}.json').read_text())['http_responses'][0]
    server.reply(recorded['body'], status=recorded['status'])
    error = await failure(plugin)
    assert error.status == STATUSES[recorded['status']]
    assert recorded['body']['message'] in error.original_message


async def test_generate_reports_the_status(ai: Genkit, server: CohereServer) -> None:
    server.reply({'message': 'slow down'}, status=429)
    response = await ai.generate(prompt='x')
    assert response.finish_reason == 'failed'
    assert response.error is not None
    assert response.error.status == 'RESOURCE_EXHAUSTED'


@pytest.mark.parametrize(
    ('headers', 'expected'),
    [
        ({'retry-after': '7'}, 7000),
        ({'Retry-After': '0.5'}, 500),
        ({'retry-after-ms': '250', 'retry-after': '7'}, 250),
        ({'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT'}, 0),
        ({'retry-after': 'soon'}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize('stream', [False, True])
async def test_retry_after_is_kept(
    plugin: Cohere, server: CohereServer, headers: dict[str, str], expected: float | None, stream: bool
) -> None:
    server.reply({'message': 'slow'}, status=429, headers=headers)
    metadata = (await failure(plugin, stream=stream)).response_metadata
    assert (metadata or {}).get('retry_after_ms') == expected


async def test_an_unknown_model_is_answered_with_near_names(plugin: Cohere) -> None:
    error = await failure(plugin, model='command-a-03-2026')
    assert error.status == 'NOT_FOUND'
    assert 'Did you mean command-a-03-2025' in error.original_message


@pytest.mark.parametrize('body', [b'<html>Bad gateway</html>', b'', b'[1]', b'"text"', b'{"error": "other form"}'])
async def test_error_bodies_in_other_forms(plugin: Cohere, server: CohereServer, body: bytes) -> None:
    server.reply(body, status=502)
    assert (await failure(plugin)).status == 'UNAVAILABLE'


async def test_a_success_that_is_no_json_object(plugin: Cohere, server: CohereServer) -> None:
    for body in (b'not json', b'[1]', b''):
        server.reply(body)
        assert (await failure(plugin)).status == 'INTERNAL'


async def test_a_redirect_is_not_followed(plugin: Cohere, server: CohereServer) -> None:
    for stream in (False, True):
        server.reply({}, status=308, headers={'location': f'{server.base_url}/elsewhere'})
        error = await failure(plugin, stream=stream)
        assert error.status == 'FAILED_PRECONDITION'
        assert 'base_url' in error.original_message
    assert len(server.seen) == 2


@pytest.mark.parametrize('stream', [False, True])
async def test_no_server(stream: bool) -> None:
    async with Cohere(KEY, base_url='http://127.0.0.1:9', max_retries=0) as plugin:
        error = await failure(plugin, stream=stream)
    assert error.status == 'UNAVAILABLE'


async def test_a_dropped_connection(plugin: Cohere, server: CohereServer) -> None:
    server.drop()
    assert (await failure(plugin)).status == 'UNAVAILABLE'


@pytest.mark.parametrize('stream', [False, True])
async def test_a_timeout(server: CohereServer, stream: bool) -> None:
    server.hang()
    async with Cohere(KEY, base_url=server.base_url, timeout=0.2, max_retries=0) as plugin:
        error = await failure(plugin, stream=stream)
    assert error.status == 'DEADLINE_EXCEEDED'


async def test_a_base_url_that_is_none() -> None:
    async with Cohere(KEY, base_url='cohere.example', max_retries=0) as plugin:
        assert (await failure(plugin)).status == 'FAILED_PRECONDITION'


async def test_the_sdk_retries_what_may_pass(server: CohereServer) -> None:
    for code in (429, 503):
        server.reply({'message': 'busy'}, status=code, headers={'retry-after': '0', 'retry-after-ms': '1'})
    server.reply(body_of('at last'))
    async with Cohere(KEY, base_url=server.base_url) as plugin:
        response = await Genkit(plugins=[plugin]).generate(model='cohere/command-a', prompt='x')
    assert response.text == 'at last'
    assert len(server.seen) == 3


async def test_a_wrong_request_is_not_retried(server: CohereServer) -> None:
    async with Cohere(KEY, base_url=server.base_url) as plugin:
        assert (await failure(plugin, topP=0)).status == 'INVALID_ARGUMENT'
    assert len(server.seen) == 1


@pytest.mark.parametrize('stream', [False, True])
async def test_an_echoed_key_is_not_repeated(
    plugin: Cohere, server: CohereServer, caplog: pytest.LogCaptureFixture, stream: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    server.reply({'message': f'the key {OTHER_KEY} is unknown'}, status=401)
    error = await failure(plugin, stream=stream, apiKey=OTHER_KEY)
    shown = ''.join(traceback.format_exception(error)) + repr(error) + repr(error.details) + caplog.text
    assert OTHER_KEY not in shown
    assert KEY not in shown
    assert 'the key *** is unknown' in error.original_message


async def test_no_key_in_the_spans_and_logs_of_actions(
    ai: Genkit,
    plugin: Cohere,
    server: CohereServer,
    caplog: pytest.LogCaptureFixture,
    spans: InMemorySpanExporter,
) -> None:
    caplog.set_level(logging.DEBUG)
    request: Any = {**REQUEST, 'config': {'apiKey': OTHER_KEY}}
    action = await plugin.model('command-a')
    assert action is not None
    await action.run(request)
    await ai.generate(prompt='x')
    await ai.embed(embedder='cohere/embed-v4.0', content='x', options={'apiKey': OTHER_KEY})
    options = {'api_key': OTHER_KEY}
    await ai.rerank(reranker='cohere/rerank-v3.5', query='q', documents=[Document.from_text('d')], options=options)
    traced = [span.to_json() for span in spans.get_finished_spans()]
    assert len(traced) >= 4
    for key in (KEY, OTHER_KEY):
        assert key not in ''.join(traced)
        assert key not in caplog.text
    sent = [seen.headers['authorization'].removeprefix('Bearer ') for seen in server.seen]
    assert sent == [OTHER_KEY, KEY, OTHER_KEY, OTHER_KEY]


async def test_a_key_of_the_context_is_in_no_span_of_generate_either(
    ai: Genkit, server: CohereServer, spans: InMemorySpanExporter
) -> None:
    response = await ai.generate(prompt='x', context={'secrets': {'cohere_api_key': OTHER_KEY}})
    assert response.error is None
    assert server.seen[0].headers['authorization'] == f'Bearer {OTHER_KEY}'
    traced = [span.to_json() for span in spans.get_finished_spans()]
    assert len(traced) >= 2
    assert OTHER_KEY not in ''.join(traced)


@pytest.mark.parametrize(
    'secrets', [None, 'text', {}, {'cohere_api_key': None}, {'cohere_api_key': 7}, {'api_key': 'x'}]
)
async def test_other_secrets_are_not_taken_for_the_key(ai: Genkit, server: CohereServer, secrets: Any) -> None:
    await ai.generate(prompt='x', context={'secrets': secrets})
    assert server.seen[0].headers['authorization'] == f'Bearer {KEY}'
