# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What a plugin object is before it is used."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import genkit
import genkitx
import pytest
from genkit import Document, GenkitError
from genkit.plugin_api import ActionKind
from genkitx.testing import HashEmbedder
from genkitx_pinecone import (
    ClientParams,
    Pinecone,
    PineconeIndex,
    configure_pinecone_indexer,
    configure_pinecone_retriever,
    create_pinecone_index,
    pinecone_indexer_ref,
    pinecone_retriever_ref,
)
from pinecone_server import KEY, FakePinecone

SECRET = 'canary-5f2c'


def test_import_loads_no_vendor() -> None:
    code = 'import sys, genkitx_pinecone; print([m for m in ("pinecone", "orjson", "msgspec") if m in sys.modules])'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'


async def test_init_does_nothing(service: FakePinecone) -> None:
    params = ClientParams(controller_host=service.url)
    plugin = Pinecone(['docs', PineconeIndex(name='more')], embedder=HashEmbedder(8), client_params=params)
    actions = await plugin.init()
    assert {(action.kind, action.name) for action in actions} == {
        (kind, f'pinecone/{name}') for kind in (ActionKind.RETRIEVER, ActionKind.INDEXER) for name in ('docs', 'more')
    }
    await plugin.aclose()
    assert service.requests == []


async def test_without_a_key_the_first_use_says_so() -> None:
    plugin = Pinecone(['docs'], embedder=HashEmbedder(8))
    with pytest.raises(GenkitError, match='PINECONE_API_KEY environment variable') as error:
        await plugin.collection('docs').search('x')
    assert error.value.status == 'FAILED_PRECONDITION'
    with pytest.raises(GenkitError, match='PINECONE_API_KEY'):
        await create_pinecone_index('docs', dimension=8)


async def test_key_and_controller_from_the_environment(
    service: FakePinecone, monkeypatch: pytest.MonkeyPatch, fresh
) -> None:
    name = fresh()
    service.create(name, 8)
    plugin = Pinecone([name], embedder=HashEmbedder(8))
    monkeypatch.setenv('PINECONE_API_KEY', KEY)
    monkeypatch.setenv('PINECONE_CONTROLLER_HOST', service.url)
    assert await plugin.collection(name).search('x') == []
    await plugin.aclose()


async def test_options_in_the_schema() -> None:
    plugin = Pinecone(['docs'])
    action = await plugin.resolve(ActionKind.RETRIEVER, 'pinecone/docs')
    assert action is not None
    schema = json.dumps(action.metadata)
    assert all(f'"{one}"' in schema for one in ('k', 'namespace', 'filter', 'sparseVector', 'alpha', 'nativeFilter'))
    assert 'Pinecone - docs' in schema


async def test_registered_twice(service: FakePinecone, params: ClientParams, fresh) -> None:
    name = fresh()
    service.create(name, 8)
    one = Pinecone(
        [PineconeIndex(name='a', index_id=name, namespace='a')], embedder=HashEmbedder(8), client_params=params
    )
    two = Pinecone(
        [PineconeIndex(name='a', index_id=name, namespace='b')],
        embedder=HashEmbedder(8),
        client_params=params,
        name='archive',
    )
    async with genkitx.Genkit(plugins=[one, two]) as ai:
        await ai.index(indexer='archive/a', documents=[Document.from_text('kept')])
        assert [d.text for d in await ai.retrieve(retriever='archive/a', query='kept')] == ['kept']
        assert await ai.retrieve(retriever='pinecone/a', query='kept') == []
    await service.all_closed()


@pytest.mark.parametrize('name', ['', 'A', 'a_b', '../etc', '-abc', 'abc-', 'x' * 46, 'a/b', 'äöü', 'abc\n'])
def test_malformed_index_names(name: str) -> None:
    with pytest.raises(GenkitError) as error:
        Pinecone([name])
    assert error.value.status == 'INVALID_ARGUMENT'


@pytest.mark.parametrize('host', ['', 'ftp://x', 'http://', 'http://x:99999', 'http://[::1', ' x.io', 'https://x:0'])
def test_malformed_addresses(host: str) -> None:
    for make in (lambda: ClientParams(controller_host=host), lambda: Pinecone([PineconeIndex(name='a', host=host)])):
        with pytest.raises(GenkitError, match='host') as error:
            make()
        assert error.value.status == 'INVALID_ARGUMENT'


@pytest.mark.parametrize('key', ['$a', '\\a', '[]a', 'docMetadata', '_contentType', 'docContent', 'docNumbers'])
def test_content_keys_that_would_collide(key: str) -> None:
    with pytest.raises(GenkitError, match='content_key') as error:
        Pinecone([PineconeIndex(name='docs', content_key=key)])
    assert error.value.status == 'INVALID_ARGUMENT'


def test_contradictions_are_refused() -> None:
    for make in (
        lambda: Pinecone(['a'], api_key='x', client_params=ClientParams()),
        lambda: Pinecone('a'),
        lambda: ClientParams(api_key=' x\n'),
        lambda: ClientParams(timeout=0),
        lambda: Pinecone([PineconeIndex(name='a', namespace='ä')]),
    ):
        with pytest.raises(GenkitError) as error:
            make()
        assert error.value.status == 'INVALID_ARGUMENT'


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    shown = repr(ClientParams(api_key=SECRET, additional_headers={'x': SECRET}))
    assert SECRET not in shown
    for make in (
        lambda: ClientParams(controller_host=f'http://user:{SECRET}@localhost:8000'),
        lambda: ClientParams(api_key=f'{SECRET}\n'),
    ):
        with pytest.raises(GenkitError) as error:
            make()
        assert SECRET not in str(error.value)


async def test_direct_registration(service: FakePinecone, params: ClientParams, fresh) -> None:
    name = fresh()
    service.create(name, 8)
    ai = genkit.Genkit()
    index = PineconeIndex(name=name, embedder=HashEmbedder(8), client_params=params)
    configure_pinecone_indexer(ai, index)
    configure_pinecone_retriever(ai, index)
    action = await ai.registry.resolve_action(ActionKind.INDEXER, f'pinecone/{name}')
    await action.run({'documents': [{'content': [{'text': 'hello'}]}], 'options': None})
    retriever = await ai.registry.resolve_action(ActionKind.RETRIEVER, f'pinecone/{name}')
    found = await retriever.run({'query': {'content': [{'text': 'hello'}]}, 'options': {'k': 1}})
    assert found.response.documents[0].text == 'hello'


async def test_an_index_of_another_project(service: FakePinecone, params: ClientParams, fresh) -> None:
    theirs, ours = fresh(), fresh()
    service.create(theirs, 8)
    service.create(ours, 8)
    index = PineconeIndex(name=theirs, client_params=replace(params, api_key='fake-key'))
    plugin = Pinecone([index, ours], embedder=HashEmbedder(8), client_params=params)
    for name, key in ((theirs, 'fake-key'), (ours, KEY)):
        service.requests.clear()
        await plugin.collection(name).search('x')
        assert {one.headers['api-key'] for one in service.requests} == {key}
    await plugin.aclose()


@pytest.mark.parametrize(
    'settings', [{'metric': 'bogus'}, {'wait_until_visible': -1}, {'wait_until_visible': float('nan')}]
)
def test_settings_that_mean_nothing(settings: dict[str, Any]) -> None:
    with pytest.raises(GenkitError, match=next(iter(settings))) as error:
        Pinecone([PineconeIndex(name='docs', **settings)])
    assert error.value.status == 'INVALID_ARGUMENT'


def test_references() -> None:
    retriever = pinecone_retriever_ref('docs')
    indexer = pinecone_indexer_ref('docs', display_name='Mine')
    assert (retriever.name, indexer.name) == ('pinecone/docs', 'pinecone/docs')
    assert retriever.info == {'label': 'Pinecone - docs'}
    assert indexer.info == {'label': 'Mine'}
