# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A local Cohere and a Genkit that talks to it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from genkitx import Genkit
from genkitx_cohere import Cohere
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

sys.path.insert(0, str(Path(__file__).parent))

from cohere_server import KEY, CohereServer


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see no settings of the machine they run on."""
    for name in ('COHERE_API_KEY', 'CO_API_KEY', 'CO_API_URL', 'GENKIT_ENV'):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def server() -> AsyncIterator[CohereServer]:
    async with CohereServer() as running:
        yield running


@pytest.fixture
async def plugin(server: CohereServer) -> AsyncIterator[Cohere]:
    async with Cohere(KEY, base_url=server.base_url, max_retries=0, timeout=10) as built:
        yield built


@pytest.fixture
async def ai(plugin: Cohere) -> Genkit:
    return Genkit(plugins=[plugin], model='cohere/command-a-03-2025')


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Everything that Genkit traces."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr('genkit._core._tracing.tracer', provider.get_tracer('test'))
    return exporter
