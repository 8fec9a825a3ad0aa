# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Pinecone on loopback, strict about what it accepts."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

# Test files are imported by path; the server's modules are in a folder beside them.
sys.path.insert(0, str(Path(__file__).parent / 'server'))

from genkitx.stores import VectorCollection
from genkitx.testing import HashEmbedder
from genkitx_pinecone import ClientParams, Pinecone, PineconeIndex
from pinecone_server import KEY, FakePinecone

DIMENSIONS = 64
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ('PINECONE_API_KEY', 'PINECONE_CONTROLLER_HOST', 'PINECONE_ADDITIONAL_HEADERS', 'PINECONE_DEBUG_CURL'):
        monkeypatch.delenv(name, raising=False)
    # No certificates: reading the system's takes longer than most tests, and loopback needs none.
    monkeypatch.delenv('SSL_CERT_FILE', raising=False)
    monkeypatch.setenv('SSL_CERT_DIR', str(tmp_path))


@pytest.fixture(scope='session')
def running() -> Iterator[FakePinecone]:
    service = FakePinecone()
    yield service
    service.stop()


@pytest.fixture
def service(running: FakePinecone) -> FakePinecone:
    """The service, with nothing asked and nothing wrong yet."""
    running.reset()
    return running


@pytest.fixture
def params(service: FakePinecone) -> ClientParams:
    return ClientParams(api_key=KEY, controller_host=service.url, timeout=10)


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder(DIMENSIONS)


@pytest.fixture
def fresh() -> Callable[[], str]:
    """Gives names of indexes that no other test has."""
    return lambda: f'index-{next(_numbers)}'


@pytest.fixture
def open_index(
    service: FakePinecone, params: ClientParams, embedder: HashEmbedder, fresh: Callable[[], str]
) -> Callable[..., VectorCollection]:
    """Creates an index and gives its collection: `open_index(metric='dotproduct', namespace='a')`."""

    def open_index(
        *, metric: str = 'cosine', sparse: bool = False, plugin: dict[str, Any] | None = None, **settings: Any
    ) -> VectorCollection:
        name = fresh()
        service.create(name, DIMENSIONS, metric, sparse=sparse)
        arguments: dict[str, Any] = {'embedder': embedder, 'client_params': params, **(plugin or {})}
        return Pinecone([PineconeIndex(name=name, **settings)], **arguments).collection(name)

    return open_index


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Lets requests be tried again at once; gives the pauses that would have been made."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr('genkitx_pinecone.retry.asyncio', SimpleNamespace(**{**vars(asyncio), 'sleep': pause}))
    return pauses
