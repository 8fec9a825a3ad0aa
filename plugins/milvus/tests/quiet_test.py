# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What succeeds logs no warning and no error: pymilvus and Milvus Lite log each call that fails, with its traceback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from genkit import Document
from genkitx.testing import HashEmbedder
from genkitx_milvus import Milvus, MilvusCollection, delete_milvus_collection
from genkitx_milvus.connection import Connection, Target


class Heard(logging.Handler):
    """Keeps what is logged at WARNING or above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a record."""
        self.messages.append(f'{record.name}: {record.getMessage()}')


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Listens to both. pymilvus configures its loggers when it is imported, so that comes first."""
    import milvus_lite  # noqa: F401
    import pymilvus  # noqa: F401

    heard = Heard()
    loggers = [logging.getLogger(name) for name in (None, 'pymilvus', 'pymilvus.milvus_client', 'milvus_lite')]
    for logger in loggers:
        logger.addHandler(heard)
    yield heard
    for logger in loggers:
        logger.removeHandler(heard)


def opened(uri: Any, *, auto_id: bool) -> tuple[Milvus, Any]:
    settings = MilvusCollection(name='quiet', auto_id=auto_id)
    plugin = Milvus([settings], uri=uri, embedder=HashEmbedder(8))
    return plugin, plugin.collection('quiet')


@pytest.mark.parametrize('place', ['embedded', 'server'])
@pytest.mark.parametrize('auto_id', [True, False])
async def test_what_succeeds_is_quiet(
    place: str, auto_id: bool, tmp_path: Path, request: pytest.FixtureRequest, heard: Heard
) -> None:
    uri = request.getfixturevalue('server') if place == 'server' else tmp_path / 'x.db'
    documents = [Document.from_text(f'river {i}', {'n': i}) for i in range(5)]
    plugin, collection = opened(uri, auto_id=auto_id)
    assert await collection.search('river') == []
    await collection.delete(filter={'n': 0})
    await collection.add(documents)
    assert await collection.search('river', namespace='new') == []
    await collection.delete(filter={'n': 0}, namespace='new')
    await collection.add(documents, namespace='new')
    assert await collection.count(namespace='new') == 5
    await plugin.aclose()

    # Each begins with a collection that was only just opened.
    for use in ('search', 'count', 'get', 'delete', 'add'):
        plugin, collection = opened(uri, auto_id=auto_id)
        if use == 'search':
            assert len(await collection.search('river', k=3, namespace='new')) == 3
            assert len(await collection.search('river', k=9, partitions=['new', 'never'])) == 5
        elif use == 'count':
            assert await collection.count() == 5
        elif use == 'get':
            assert await collection.get(['999999']) == [None]
        elif use == 'delete':
            await collection.delete(filter={'n': 4}, namespace='new')
            assert await collection.count(namespace='new') == 4
        else:
            await collection.add(documents, namespace='newer')
            assert await collection.count(namespace='newer') == 5
        await plugin.aclose()
    await delete_milvus_collection('quiet', uri=uri)
    assert heard.messages == []


async def test_a_failure_is_heard(tmp_path: Path, heard: Heard) -> None:
    def search(client: Any) -> None:
        client.search('nothing', [[1.0]])

    connection = Connection('test', Target(uri=tmp_path / 'x.db'))
    with pytest.raises(Exception, match='nothing'):
        await connection.admin(search)
    await connection.aclose()
    assert any('nothing' in one for one in heard.messages)
