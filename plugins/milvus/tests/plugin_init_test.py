# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What a plugin object is before it is used."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import genkit
import genkitx
import pytest
from genkit import Document, GenkitError
from genkit.plugin_api import ActionKind
from genkitx.testing import HashEmbedder
from genkitx_milvus import (
    Milvus,
    MilvusCollection,
    milvus_indexer,
    milvus_indexer_ref,
    milvus_retriever,
    milvus_retriever_ref,
)

SECRET = 'canary-71d0'


def test_import_loads_no_vendor() -> None:
    code = 'import sys, genkitx_milvus; print([m for m in ("pymilvus", "milvus_lite", "numpy", "grpc") if m in sys.modules])'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'


async def test_init_does_nothing(tmp_path: Path) -> None:
    path = tmp_path / 'data' / 'x.db'
    plugin = Milvus(['docs', MilvusCollection(name='more')], embedder=HashEmbedder(8), uri=path)
    assert {(action.kind, action.name) for action in await plugin.init()} == {
        (kind, f'milvus/{name}') for kind in (ActionKind.RETRIEVER, ActionKind.INDEXER) for name in ('docs', 'more')
    }
    await plugin.aclose()
    assert not path.parent.exists()
    await Milvus(['docs'], uri='http://127.0.0.1:9').init()


async def test_options_in_the_schema() -> None:
    action = await Milvus(['docs']).resolve(ActionKind.RETRIEVER, 'milvus/docs')
    assert action is not None
    schema = str(action.metadata)
    names = (
        'searchParams',
        'radius',
        'rangeFilter',
        'offset',
        'partitions',
        'consistencyLevel',
        'ranker',
        'filter',
        'k',
    )
    assert all(f"'{name}'" in schema for name in names)
    assert 'Milvus - docs' in schema


def test_refs() -> None:
    assert milvus_retriever_ref('docs').name == milvus_indexer_ref('docs').name == 'milvus/docs'
    assert milvus_retriever_ref('docs').info == {'label': 'Milvus - docs'}
    assert milvus_indexer_ref('docs', display_name='Mine').info == {'label': 'Mine'}


@pytest.mark.parametrize('uri', ['milvus', 'ftp://host', 'http://', './data', '', 'http://host:99999', 'x.db.txt'])
def test_addresses_that_are_none(uri: str) -> None:
    with pytest.raises(GenkitError, match=r'\.db') as error:
        Milvus(['docs'], uri=uri)
    assert error.value.status == 'INVALID_ARGUMENT'


@pytest.mark.parametrize(
    'uri',
    [
        'http://root:{}@localhost:19530',
        'root:{}@localhost:19530',
        'root:{}@localhost.db.example',
        'http://localhost:19530?token={}',
        'http://localhost:19530/db?token={}',
        'http://localhost:19530#{}',
        'http://root:{}@/x.db',
        'http://[root:{}@',
    ],
)
async def test_addresses_with_secrets(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('MILVUS_URI', uri.format(SECRET))
    with pytest.raises(GenkitError, match='token=') as error:
        Milvus(['docs'], uri=uri.format(SECRET))
    with pytest.raises(GenkitError, match='token=') as later:
        await Milvus(['docs']).collection('docs').count()
    for one in (error.value, later.value):
        assert one.status == 'INVALID_ARGUMENT'
        assert SECRET not in ''.join(traceback.format_exception(one))


def test_secrets_are_not_shown() -> None:
    plugin = Milvus(['docs'], uri='http://localhost:19530', token=SECRET, client_params={'password': SECRET})
    shown = ' '.join(
        repr(one) for one in (plugin, vars(plugin), plugin.collection('docs'), vars(plugin.collection('docs').store))
    )
    assert SECRET not in shown


@pytest.mark.parametrize('name', ['', 'a-b', '1st', 'a b', 'ü', "x'; --", 'x' * 256])
def test_names_that_milvus_cannot_have(name: str) -> None:
    with pytest.raises(GenkitError) as error:
        Milvus([name])
    assert error.value.status == 'INVALID_ARGUMENT'


def test_a_partition_that_milvus_cannot_have() -> None:
    with pytest.raises(GenkitError, match='partition') as error:
        Milvus([MilvusCollection(name='docs', partition='a-b')])
    assert error.value.status == 'INVALID_ARGUMENT'


async def test_the_environment_says_where(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('MILVUS_URI', engine)
    plugin = Milvus(['by_environment'], embedder=HashEmbedder(8))
    assert (await plugin.collection('by_environment').add([Document.from_text('x')])).written == 1
    await plugin.aclose()
    monkeypatch.setenv('MILVUS_URI', 'nowhere')
    with pytest.raises(GenkitError, match='nowhere'):
        await plugin.collection('by_environment').count()


async def test_the_default_is_embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('MILVUS_URI', raising=False)
    async with genkitx.Genkit(plugins=[Milvus(['docs'], embedder=HashEmbedder(8))]) as ai:
        await ai.index(indexer='milvus/docs', documents=[Document.from_text('kept', {'a': 1})])
    assert (tmp_path / 'milvus.db').exists()
    # The engine was let go: another process can open it.
    code = 'import sys; from milvus_lite import MilvusLite; print(MilvusLite(sys.argv[1]).list_collections())'
    command = [sys.executable, '-c', code, str(tmp_path / 'milvus.db')]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['docs']"
    async with genkitx.Genkit(plugins=[Milvus(['docs'], embedder=HashEmbedder(8))]) as ai:
        found = await ai.retrieve(retriever='milvus/docs', query='kept', options={'filter': {'a': 1}})
        assert [one.text for one in found] == ['kept']


async def test_a_retriever_and_an_indexer_without_the_plugin(engine: str) -> None:
    ai = genkit.Genkit()

    async def embed(request: Any) -> Any:
        return await HashEmbedder(8)(request)

    ai.define_embedder('hash', embed)
    collection = MilvusCollection(name='alone', embedder='hash')
    milvus_indexer(ai, collection, uri=engine)
    milvus_retriever(ai, collection, uri=engine)
    await genkitx.index(ai, indexer='milvus/alone', documents=[Document.from_text('x')])
    assert len(await genkitx.retrieve(ai, retriever='milvus/alone', query='x')) == 1


def test_an_action_without_the_plugin_lets_the_directory_go(tmp_path: Path) -> None:
    path = tmp_path / 'alone.db'
    ai = genkit.Genkit()

    async def embed(request: Any) -> Any:
        return await HashEmbedder(8)(request)

    ai.define_embedder('hash', embed)
    collection = MilvusCollection(name='alone', embedder='hash')
    milvus_indexer(ai, collection, uri=path)
    milvus_retriever(ai, collection, uri=path)

    async def use(text: str) -> list[str]:
        await genkitx.index(ai, indexer='milvus/alone', documents=[Document.from_text(text)])
        return sorted(one.text for one in await genkitx.retrieve(ai, retriever='milvus/alone', query='x'))

    code = 'import sys; from milvus_lite import MilvusLite; print(MilvusLite(sys.argv[1]).list_collections())'
    for texts in (['a'], ['a', 'b']):
        assert asyncio.run(use(texts[-1])) == texts
        done = subprocess.run([sys.executable, '-c', code, str(path)], capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "['alone']", done.stderr


async def test_without_the_embedded_engine_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from genkitx_milvus import connection

    connection._import_manager.cache_clear()
    monkeypatch.setitem(sys.modules, 'milvus_lite', None)
    with pytest.raises(GenkitError, match=r'genkitx-milvus\[lite\]') as error:
        await Milvus(['docs'], uri=tmp_path / 'x.db').collection('docs').count()
    assert error.value.status == 'FAILED_PRECONDITION'
