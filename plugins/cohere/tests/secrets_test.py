# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A key that comes with a call is in no span, log, message or chunk, however it comes and however the call ends."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from cohere_rules import OTHER_KEY
from cohere_server import CohereServer
from cohere_wire import body_of, events_of
from genkitx import Genkit
from genkitx_cohere import CohereConfig
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

WAYS: dict[str, dict[str, Any]] = {
    'dict': {'config': {'apiKey': OTHER_KEY}},
    'typed': {'config': CohereConfig(api_key=SecretStr(OTHER_KEY))},
    'text in typed': {'config': CohereConfig.model_validate({'apiKey': OTHER_KEY})},
    'secret': {'config': {'apiKey': SecretStr(OTHER_KEY)}},
    'context': {'context': {'secrets': {'cohere_api_key': OTHER_KEY}}},
}


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('end', ['works', 'refused', 'breaks off'])
@pytest.mark.parametrize('streamed', [False, True])
async def test_a_calls_own_key_shows_nowhere(
    ai: Genkit,
    server: CohereServer,
    spans: InMemorySpanExporter,
    caplog: pytest.LogCaptureFixture,
    way: str,
    end: str,
    streamed: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    if end == 'refused':
        server.reply({'message': f'invalid api token {OTHER_KEY}'}, status=401)
    elif end == 'breaks off' and streamed:
        server.stream(events_of(body_of('Hello you.'))[:4])
    elif end == 'breaks off':
        server.drop()
    seen: list[str] = []
    if streamed:
        answer = ai.generate_stream(prompt='x', **WAYS[way])
        seen += [chunk.model_dump_json() async for chunk in answer.stream]
        response = await answer.response
    else:
        response = await ai.generate(prompt='x', **WAYS[way])
    assert server.seen[-1].headers['authorization'] == f'Bearer {OTHER_KEY}'
    assert (response.error is None) == (end == 'works')
    traced = [span.to_json() for span in spans.get_finished_spans()]
    assert len(traced) >= 2
    seen += [*traced, response.model_dump_json(), repr(response), caplog.text]
    assert not [text for text in seen if OTHER_KEY in text]
