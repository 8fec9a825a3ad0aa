# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""A key that comes with a request is in no span, log, message or chunk, however it comes and however the request ends."""

import logging

import pytest
from genkit import GenkitError
from genkit.plugin_api import ActionKind
from genkitx import Genkit
from genkitx_groq import Groq, GroqConfig
from groq_server import KEY, Reply, error, events
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

OSS = 'groq/openai/gpt-oss-20b'
CANARY = 'gsk_canary_51b7e'

WAYS = {
    'dict': {'config': {'api_key': CANARY}},
    'camel case': {'config': {'apiKey': CANARY}},
    'typed': {'config': GroqConfig(api_key=CANARY)},
    'secret': {'config': {'apiKey': SecretStr(CANARY)}},
    'context': {'context': {'secrets': {'groq_api_key': CANARY}}},
}
ENDS = {
    'works': None,
    'refused': error(f'Invalid API Key: {CANARY}', status=401),
    'fails': error(f'Your key {CANARY} is fine', status=500),
    'breaks off': Reply(sse=events({'content': 'a'})[:-1], end='cut'),
}


@pytest.fixture
def spans(monkeypatch):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr('genkit._core._tracing.tracer', provider.get_tracer('test'))
    return exporter


@pytest.fixture
async def own(server):
    server.keys.add(CANARY)
    async with Groq(api_key=KEY, base_url=server.url, max_retries=0) as groq:
        yield Genkit(plugins=[groq])


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('end', ENDS)
@pytest.mark.parametrize('streamed', [False, True])
async def test_a_requests_own_key_shows_nowhere(own, server, spans, caplog, way, end, streamed):
    caplog.set_level(logging.DEBUG)
    if ENDS[end] is not None:
        server.script.append(ENDS[end])
    seen = []
    if streamed:
        answer = own.generate_stream(model=OSS, prompt='x', **WAYS[way])
        seen += [chunk.model_dump_json() async for chunk in answer.stream]
        response = await answer.response
    else:
        response = await own.generate(model=OSS, prompt='x', **WAYS[way])
    assert server.seen[-1].headers['authorization'] == f'Bearer {CANARY}'
    assert (response.error is None) == (end == 'works')
    traced = [span.to_json() for span in spans.get_finished_spans()]
    assert len(traced) >= 2
    seen += [*traced, response.model_dump_json(), repr(response), caplog.text]
    assert not [text for text in seen if CANARY in text]


@pytest.mark.parametrize(
    'config', [{'apikey': CANARY}, {'api_key': [CANARY]}, {'api_key': CANARY, 'seed': 'x'}], ids=str
)
async def test_a_message_about_options_shows_no_value(own, server, config):
    response = await own.generate(model=OSS, prompt='x', config=config)
    assert response.error.status == 'INVALID_ARGUMENT'
    assert CANARY not in response.error.message
    assert next(iter(set(config) - {'api_key'}), 'api_key') in response.error.message
    assert server.seen == []


async def test_an_embedders_key_shows_nowhere(own, server, spans):
    embedder = await own.registry.resolve_action(ActionKind.EMBEDDER, 'groq/nomic-embed-text-v1_5')
    with pytest.raises(GenkitError) as refused:
        await embedder.run({'input': [{'content': [{'text': 'x'}]}], 'options': {'apikey': CANARY}})
    assert CANARY not in str(refused.value)
    server.script.append(error(f'Your key {CANARY} is fine', status=500))
    with pytest.raises(GenkitError) as failed:
        await embedder.run({'input': [{'content': [{'text': 'x'}]}], 'options': {'apiKey': CANARY}})
    assert CANARY not in str(failed.value)
    assert [seen.headers['authorization'] for seen in server.seen] == [f'Bearer {CANARY}']
    assert CANARY not in ''.join(span.to_json() for span in spans.get_finished_spans())


@pytest.mark.parametrize(
    'secrets', [None, 'text', {}, {'groq_api_key': None}, {'groq_api_key': 7}, {'groq_api_key': ''}, {'api_key': 'x'}]
)
async def test_other_secrets_are_not_taken_for_the_key(own, server, secrets):
    await own.generate(model=OSS, prompt='x', context={'secrets': secrets})
    assert server.seen[0].headers['authorization'] == f'Bearer {KEY}'
