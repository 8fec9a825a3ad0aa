# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What the core costs: the local store beside bare loops, imports, and the memory of a long ingest.

uv run python benchmarks/bench_core.py [--quick]

Times are medians of interleaved runs and are printed with their ratio; only ratios mean anything on a shared machine.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from genkit import Document, Embedding, EmbedRequest, EmbedResponse
from genkitx import Genkit
from genkitx.local import DevLocalVectorStore
from genkitx.stores import Capabilities, CollectionSettings, VectorStore, VectorStorePlugin
from report import QUICK, note, row

DIMENSIONS = 384
DOCUMENTS = 200 if QUICK else 2000
QUERIES = 5 if QUICK else 50
ROUNDS = 1 if QUICK else 7
PLUGINS = [
    f'genkitx_{name}'
    for name in (
        *('chroma', 'cloud_sql_pg', 'cohere', 'convex', 'graph'),
        *('groq', 'hnsw', 'langchain', 'milvus', 'pinecone'),
    )
]

random.seed(7)
VECTORS = [[random.uniform(-1, 1) for _ in range(DIMENSIONS)] for _ in range(DOCUMENTS)]
TEXTS = [f'document number {i} about something' for i in range(DOCUMENTS)]
BY_TEXT = dict(zip(TEXTS, VECTORS, strict=True))


async def precomputed(request: EmbedRequest) -> EmbedResponse:
    return EmbedResponse(embeddings=[Embedding(embedding=BY_TEXT[one.text]) for one in request.input])


async def interleave(**candidates: Callable[[], Awaitable[None]]) -> dict[str, float]:
    """Runs candidates in turn and returns their median seconds."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(ROUNDS):
        for name, candidate in candidates.items():
            gc.collect()
            start = time.perf_counter()
            await candidate()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


async def local_store() -> None:
    documents = [Document.from_text(text, {'n': i}) for i, text in enumerate(TEXTS)]
    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(1000))

        async def ours() -> None:
            plugin = DevLocalVectorStore([f'i{next(numbers)}'], embedder=precomputed, directory=folder)
            (collection,) = plugin.collections.values()
            report = await collection.add(documents, batch_size=DOCUMENTS)
            assert report.written == DOCUMENTS

        async def raw() -> None:
            rows = {
                str(i): {'doc': {'content': [{'text': text}], 'metadata': {'n': i}}, 'embedding': {'embedding': vector}}
                for i, (text, vector) in enumerate(zip(TEXTS, VECTORS, strict=True))
            }
            await asyncio.to_thread(Path(folder, 'raw.json').write_text, json.dumps(rows, indent=2))

        times = await interleave(ours=ours, raw=raw)
        ours_rate, raw_rate = (DOCUMENTS / times[name] for name in ('ours', 'raw'))
        row(
            'Local store',
            f'index {DOCUMENTS} x {DIMENSIONS}; raw: json.dump of the same file',
            ours=ours_rate,
            raw=raw_rate,
            unit='rows/s',
            goal='0.95 of raw',
        )

        plugin = DevLocalVectorStore(['q'], embedder=precomputed, directory=folder)
        ai = Genkit(plugins=[plugin])
        await plugin.collection('q').add(documents)
        rows = [(vector, sum(x * x for x in vector) ** 0.5) for vector in VECTORS]

        async def retrieve() -> None:
            for text in TEXTS[:QUERIES]:
                await ai.retrieve(retriever='devLocalVectorstore/q', query=text, options={'k': 10})

        async def loop() -> None:
            from heapq import nlargest
            from operator import mul

            for query in VECTORS[:QUERIES]:
                nlargest(10, (sum(map(mul, query, vector)) / length for vector, length in rows))

        times = await interleave(ours=retrieve, raw=loop)
        ours_ms, raw_ms = (times[name] / QUERIES * 1e3 for name in ('ours', 'raw'))
        case = f'retrieve k=10 of {DOCUMENTS}; raw: a bare loop'
        row('Local store', case, ours=ours_ms, raw=raw_ms, unit='ms', goal=f'raw + {150 + 35 * 10} µs')


class _Sink(VectorStore):
    """Takes everything and keeps nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def upsert(self, records: Any, *, namespace: Any = None) -> None:
        await asyncio.sleep(0)

    async def search(self, request: Any) -> Any:
        return []

    async def fetch(self, ids: Any, *, namespace: Any = None, include_vectors: Any = False) -> Any:
        return []

    async def delete(self, *, ids: Any = None, filter: Any = None, namespace: Any = None) -> None: ...

    async def count(self, *, filter: Any = None, namespace: Any = None) -> int:
        return 0

    async def aclose(self) -> None: ...


class _SinkPlugin(VectorStorePlugin[CollectionSettings]):
    def open_store(self, settings: CollectionSettings) -> VectorStore:
        return _Sink(f'sink/{settings.name}')


async def memory(count: int = 4000 if QUICK else 200_000) -> None:
    async def fake(request: EmbedRequest) -> EmbedResponse:
        return EmbedResponse(
            embeddings=[Embedding(embedding=[random.random() for _ in range(64)]) for _ in request.input]
        )

    def source(size: int) -> Iterator[Document]:
        for i in range(size):
            yield Document.from_text(f'small document {i}', {'n': i})

    collection = _SinkPlugin(['docs'], name='sink', embedder=fake).collection('docs')
    batch = list(source(500))
    await collection.add(batch)
    tracemalloc.start()
    one = [list((await fake(EmbedRequest(input=batch))).embeddings), list(source(500))]
    batch_bytes = tracemalloc.get_traced_memory()[0]
    del one
    gc.collect()
    base = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    report = await collection.add(source(count))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.written == count
    note(
        'Core',
        f'Memory of indexing {count} documents from a generator: {(peak - base) / batch_bytes:.1f} batches of 500 over base '
        f'(goal 4), {(peak - base) / 1e6:.1f} MB.',
    )


def imports() -> None:
    """What each package adds to the import of the one below it, with bytecode, as after an installation; the fastest of some."""
    below = {'genkitx': 'genkit', 'genkitx.local': 'genkit', **dict.fromkeys(PLUGINS, 'genkitx')}
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, 'PYTHONPYCACHEPREFIX': folder, 'PYTHONDONTWRITEBYTECODE': ''}
        for name, base in below.items():
            code = f'import {base}, time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)'
            command = [sys.executable, '-c', code]
            times = [
                float(subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout)
                for _ in range(ROUNDS)
            ]
            goal = 60 if base == 'genkit' else 30
            note('Core', f'`import {name}`: {min(times) * 1e3:.0f} ms over `import {base}` (goal {goal}).')


async def main() -> None:
    await local_store()
    await memory()
    imports()


if __name__ == '__main__':
    asyncio.run(main())
