# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""genkitx-chroma against raw chromadb, interleaved in one run: `python benchmarks/bench_chroma.py`.

Both sides write the same rows in the same batches into collections of the same settings, with vectors that are computed
beforehand. Prints medians and ratios; asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

os.environ.setdefault('ORT_DISABLE_TELEMETRY', '1')

import chromadb
from genkit import Document, Embedding, EmbedRequest, EmbedResponse
from genkit.plugin_api import Action, ActionKind
from genkitx.retrieval.retriever import RetrieverRequest, RetrieverResponse
from genkitx_chroma import Chroma, PersistentParams
from genkitx_chroma.codec import encode
from report import note, row

try:
    import langchain_chroma
    import langchain_core.embeddings
except ImportError:
    langchain_chroma = None

AREA = 'Chroma'
BATCH = 500
HNSW: Any = {'hnsw': {'space': 'cosine', 'max_neighbors': 128, 'ef_construction': 200}}
K = 10


class Precomputed:
    """An embedder that only looks vectors up."""

    def __init__(self, vectors: dict[str, list[float]]) -> None:
        self.vectors = vectors

    async def __call__(self, request: EmbedRequest) -> EmbedResponse:
        return EmbedResponse.model_construct(
            embeddings=[
                Embedding.model_construct(embedding=self.vectors[one.content[0].text or '']) for one in request.input
            ]
        )


def make(count: int, dimensions: int) -> tuple[list[Document], dict[str, list[float]]]:
    generator = random.Random(7)
    centers = [[generator.gauss(0, 1) for _ in range(dimensions)] for _ in range(40)]
    documents, vectors = [], {}
    for i in range(count):
        text = f'Passage {i}: ' + ' '.join(generator.choices(['river', 'engine', 'poem', 'garden', 'winter'], k=60))
        metadata = {'source': f'docs/file-{i % 50}.md', 'heading': f'Section {i % 9}', 'page': i % 300}
        documents.append(Document.from_text(text, metadata))
        vectors[text] = [x + generator.gauss(0, 0.5) for x in centers[i % 40]]
    return documents, vectors


def raw_index(path: str, name: str, documents: Sequence[Document], vectors: dict[str, list[float]], rows: Any) -> float:
    client = chromadb.PersistentClient(path)
    # Everybody's time has the making of the collection in it.
    started = time.perf_counter()
    collection = client.create_collection(name, embedding_function=None, configuration=HNSW)
    for i in range(0, len(documents), BATCH):
        part = [rows(one) for one in documents[i : i + BATCH]]
        collection.upsert(
            ids=[f'id-{i + j}' for j in range(len(part))],
            embeddings=[vectors[one.content[0].text or ''] for one in documents[i : i + BATCH]],
            documents=[text for text, _ in part],
            metadatas=[metadata for _, metadata in part],
        )
    return time.perf_counter() - started


def peer_index(path: str, name: str, documents: Sequence[Document], vectors: dict[str, list[float]]) -> float:
    client = chromadb.PersistentClient(path)
    started = time.perf_counter()
    store = peer_store(client, name, vectors)
    for i in range(0, len(documents), BATCH):
        part = documents[i : i + BATCH]
        store.add_texts(
            [one.content[0].text for one in part],
            metadatas=[one.metadata for one in part],
            ids=[f'id-{i + j}' for j in range(len(part))],
        )
    return time.perf_counter() - started


def peer_store(client: Any, name: str, vectors: dict[str, list[float]]) -> Any:
    class Lookup(langchain_core.embeddings.Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [vectors[text] for text in texts]

        def embed_query(self, text: str) -> list[float]:
            return vectors[text]

    return langchain_chroma.Chroma(
        collection_name=name,
        embedding_function=Lookup(),
        client=client,
        collection_configuration=HNSW,
    )


async def our_index(plugin: Chroma, name: str, documents: list[Document]) -> float:
    started = time.perf_counter()
    report = await plugin.collection(name).add(documents, batch_size=BATCH)
    took = time.perf_counter() - started
    assert report.written == len(documents), report.failed[:1]
    return took


async def indexing(path: str, size: int, dimensions: int, repeats: int) -> tuple[str, str, str]:
    documents, vectors = make(size, dimensions)
    prepared = {one.content[0].text: encode(one) for one in documents}

    def same_rows(document: Document) -> Any:
        return prepared[document.content[0].text]

    def js_rows(document: Document) -> Any:
        return document.content[0].text, {'docMetadata': json.dumps(document.metadata), 'dataType': 'text'}

    plugin = Chroma([f'ours-{i}' for i in range(repeats)], embedder=Precomputed(vectors), path=path)
    await plugin.collection('ours-0').count()

    async def raw(i: int, name: str = 'raw', rows: Any = same_rows) -> float:
        return await asyncio.to_thread(raw_index, path, f'{name}-{i}', documents, vectors, rows)

    async def peer(i: int) -> float:
        return await asyncio.to_thread(peer_index, path, f'peer-{i}', documents, vectors)

    runs: dict[str, Callable[[int], Awaitable[float]]] = {
        'raw': raw,
        'ours': lambda i: our_index(plugin, f'ours-{i}', documents),
        'raw, JS keys only': lambda i: raw(i, 'bare', js_rows),
    }
    if langchain_chroma is not None:
        runs['peer'] = peer
    times: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(repeats):
        # The database grows with each, so each comes first as often.
        for name in list(runs)[i % len(runs) :] + list(runs)[: i % len(runs)]:
            gc.collect()  # So that nobody pays for what another left.
            times[name].append(await runs[name](i))
    rate = {label: size / statistics.median(seconds) for label, seconds in times.items()}
    peers = {'langchain-chroma': rate['peer']} if 'peer' in rate else {}
    row(
        AREA,
        f'index {size} x {dimensions}, batches of {BATCH}',
        ours=rate['ours'],
        raw=rate['raw'],
        unit='rows/s',
        peers=peers,
        goal='0.95 of raw',
    )
    case = 'the same; raw without the keys that filters need'
    row(AREA, case, ours=rate['ours'], raw=rate['raw, JS keys only'], unit='rows/s')
    await plugin.aclose()
    return f'raw-{repeats - 1}', f'ours-{repeats - 1}', f'peer-{repeats - 1}'


async def retrieving(path: str, names: tuple[str, str, str], size: int, dimensions: int, queries: int) -> None:
    _, vectors = make(size, dimensions)
    asked = list(vectors.items())[:queries]
    client = chromadb.PersistentClient(path)
    collection = client.get_collection(names[0], embedding_function=None)
    plugin = Chroma([names[1]], embedder=Precomputed(vectors), client_params=PersistentParams(path=path))
    retriever = (await plugin.init())[0]
    ours = plugin.collection(names[1])
    peer = peer_store(client, names[2], vectors) if langchain_chroma is not None else None
    times: dict[str, list[float]] = {
        name: [] for name in ('raw', 'raw in a thread', 'search', 'retriever action', 'barest action')
    }

    def raw(vector: list[float]) -> Any:
        return collection.query(query_embeddings=[vector], n_results=K)

    response = RetrieverResponse(documents=[one.document for one in await ours.search(asked[0][1], k=K)])

    async def barest(request: RetrieverRequest) -> RetrieverResponse:
        """What an action cannot do without: the raw query, and documents that are there already."""
        await asyncio.to_thread(raw, vectors[request.query.content[0].text or ''])
        return response

    floor = Action(kind=ActionKind.RETRIEVER, name='raw', fn=barest)
    for text, vector in asked:
        started = time.perf_counter()
        raw(vector)
        times['raw'].append(time.perf_counter() - started)
        started = time.perf_counter()
        await asyncio.to_thread(raw, vector)
        times['raw in a thread'].append(time.perf_counter() - started)
        started = time.perf_counter()
        found = await ours.search(vector, k=K)
        times['search'].append(time.perf_counter() - started)
        assert len(found) == K
        if peer is not None:
            started = time.perf_counter()
            await asyncio.to_thread(peer.similarity_search_by_vector, vector, k=K)
            times.setdefault('peer', []).append(time.perf_counter() - started)
        query = Document.from_text(text)
        started = time.perf_counter()
        await retriever.run({'query': query, 'options': {'k': K}})
        times['retriever action'].append(time.perf_counter() - started)
        started = time.perf_counter()
        await floor.run({'query': query})
        times['barest action'].append(time.perf_counter() - started)
    median = {label: statistics.median(seconds) * 1e3 for label, seconds in times.items()}
    peers = {'langchain-chroma': median['peer']} if 'peer' in median else {}
    goal = f'raw + {150 + 35 * K} µs'
    row(AREA, f'search k={K} by vector', ours=median['search'], raw=median['raw'], unit='ms', peers=peers, goal=goal)
    row(AREA, f'retriever action k={K}', ours=median['retriever action'], raw=median['raw'], unit='ms', goal=goal)
    for case, theirs in (
        ('raw in a worker thread', 'raw in a thread'),
        ("raw: Genkit's barest action around that thread", 'barest action'),
    ):
        what = f'retriever action k={K}; {case}'
        row(AREA, what, ours=median['retriever action'], raw=median[theirs], unit='ms', goal=goal)
    # The fastest tenth shows what the code costs; on a busy machine the median shows what waiting for a thread costs.
    fast = {label: _quantile(seconds, 0.1) * 1e3 for label, seconds in times.items()}
    case = f'retriever action k={K}, fastest tenth of each'
    row(AREA, case, ours=fast['retriever action'], raw=fast['raw'], unit='ms')
    note(
        AREA, 'The embedded engine is synchronous, so ours calls it in a worker thread and leaves the event loop free.'
    )
    await plugin.aclose()


def _quantile(values: list[float], at: float) -> float:
    return sorted(values)[int(len(values) * at)]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--size', type=int, default=2000)
    parser.add_argument('--dimensions', type=int, default=384)
    parser.add_argument('--queries', type=int, default=500)
    parser.add_argument('--repeats', type=int, default=8)
    parser.add_argument('--quick', action='store_true', help='few rows and runs: whether it works, not how fast')
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.size, arguments.queries, arguments.repeats = 200, 20, 1
    with tempfile.TemporaryDirectory() as path:
        names = await indexing(path, arguments.size, arguments.dimensions, arguments.repeats)
        await retrieving(path, names, arguments.size, arguments.dimensions, arguments.queries)


if __name__ == '__main__':
    asyncio.run(main())
