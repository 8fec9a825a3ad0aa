# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""genkitx-pinecone against the SDK alone, on the local server of its tests.

    python benchmarks/bench_pinecone.py [index] [retrieve] [--repeats 9] [--quick]

Runs are interleaved: wall time is the median, CPU time of this process the best run of each, since others on the machine
only ever add to it. The server runs in a process of its own, on loopback; `index` is also measured with answers that take 50 ms,
which is quick for the service.

There are two raw sides. `raw` has vectors and texts at hand, which is harsh: it neither embeds nor has anything to check.
`raw, embedding` asks the same embedder for the same batches first, as anybody who indexes documents must.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from genkit import Document, Embedding, EmbedRequest, EmbedResponse
from genkitx.stores import Record, SearchRequest
from genkitx_pinecone import ClientParams, Pinecone
from report import note, row

AREA = 'Pinecone'
SERVER = Path(__file__).parents[1] / 'plugins' / 'pinecone' / 'tests' / 'server'
K = 10
WRITERS = 4


def serve(pipe: Any) -> None:
    sys.path.insert(0, str(SERVER))
    from pinecone_server import KEY, FakePinecone, Fault

    service = FakePinecone()
    for dimensions in (64, 384, 1536):
        service.create(f'bench-{dimensions}', dimensions)
    pipe.send((service.url, KEY))
    while (seconds := pipe.recv()) is not None:
        service.faults = [Fault('slow', seconds=seconds, times=-1)] if seconds else []
        pipe.send('done')
    service.stop()


def vectors(count: int, dimensions: int) -> list[list[float]]:
    rng = random.Random(dimensions)
    return [[rng.gauss(0, 0.05) for _ in range(dimensions)] for _ in range(count)]


async def paired(runs: dict[str, Callable[[], Awaitable[Any]]], repeats: int) -> dict[str, list[tuple[float, float]]]:
    """Wall and CPU time of each run, after one round that does not count."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name in list(runs) if turn % 2 else list(reversed(runs)):
            wall, cpu = time.perf_counter(), time.process_time()
            await runs[name]()
            if turn:
                times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return times


def best(times: list[tuple[float, float]]) -> float:
    return min(cpu for _, cpu in times)


def rows_of(records: list[Record]) -> list[dict[str, Any]]:
    """What a careful user of the SDK would write: the same metadata, flat."""
    return [
        {
            'id': one.id,
            'values': one.vector,
            'metadata': {
                'docMetadata': json.dumps(one.document.metadata),
                '_content': one.document.text,
                '_contentType': 'text',
                **(one.document.metadata or {}),
                'docNumbers': ['n'],
            },
        }
        for one in records
    ]


async def bench_index(params: ClientParams, repeats: int, away: Callable[[float], None]) -> None:
    from pinecone import AsyncPinecone

    for dimensions, count, batch in ((384, 2400, 200), (1536, 600, 50)):
        name = f'bench-{dimensions}'
        data = vectors(count, dimensions)
        documents = [Document.from_text(f'content {i} ' * 20, {'n': i, 'source': f'file{i}'}) for i in range(count)]
        by_text = {one.text: vector for one, vector in zip(documents, data, strict=True)}
        records = [Record(f'id{i:06}', data[i], documents[i]) for i in range(count)]

        async def embed(request: EmbedRequest, known: dict[str, Any] = by_text) -> EmbedResponse:
            return EmbedResponse.model_construct(
                embeddings=[
                    Embedding.model_construct(embedding=known[one.text], metadata=None) for one in request.input
                ]
            )

        collection = Pinecone([name], embedder=embed, client_params=params).collection(name)
        control = AsyncPinecone(api_key=params.api_key, host=params.controller_host)
        host = (await control.indexes.describe(name)).host or ''
        index = await control.index(host=host.replace('https://', 'http://'))
        parts = [records[i : i + batch] for i in range(0, count, batch)]

        async def raw(parts: Any = parts, index: Any = index) -> None:
            rows = [row for part in parts for row in rows_of(part)]
            # The SDK's own way of writing much, with as many requests at once as an ingest has.
            answer = await index.upsert(
                vectors=rows, batch_size=len(parts[0]), max_concurrency=WRITERS, show_progress=False
            )
            assert not answer.has_errors

        async def raw_embedding(
            documents: Any = documents, index: Any = index, batch: int = batch, embed: Any = embed
        ) -> None:
            rows: list[dict[str, Any]] = []
            for start in range(0, len(documents), 100):
                some = documents[start : start + 100]
                found = (await embed(EmbedRequest.model_construct(input=some, options=None))).embeddings
                rows += rows_of(
                    [
                        Record(f'id{start + i:06}', vector.embedding, one)
                        for i, (one, vector) in enumerate(zip(some, found, strict=True))
                    ]
                )
            answer = await index.upsert(vectors=rows, batch_size=batch, max_concurrency=WRITERS, show_progress=False)
            assert not answer.has_errors

        async def store(parts: Any = parts, collection: Any = collection) -> None:
            for part in parts:
                for one in part:
                    collection.store.check(one)
                    collection.store.record_bytes(one)
            gate = asyncio.Semaphore(WRITERS)

            async def write(part: Any) -> None:
                async with gate:
                    await collection.store.upsert(part)

            await asyncio.gather(*(write(part) for part in parts))

        async def add(documents: Any = documents, collection: Any = collection, batch: int = batch) -> None:
            ids = [f'id{i:06}' for i in range(len(documents))]
            report = await collection.add(documents, ids=ids, batch_size=batch)
            assert report.failed == []

        for seconds in (0.0, 0.05):
            away(seconds)
            runs = {'raw': raw, 'raw, embedding': raw_embedding, 'store': store, 'add': add}
            times = await paired(runs, repeats)
            where = '50 ms away' if seconds else 'on loopback'
            for ours, theirs in (('store', 'raw'), ('add', 'raw'), ('add', 'raw, embedding')):
                case = f'{ours}, {dimensions} d, batches of {batch}, {where}; {theirs}'
                speeds = [count / statistics.median(wall for wall, _ in times[one]) for one in (ours, theirs)]
                row(AREA, case, ours=speeds[0], raw=speeds[1], unit='rows/s', goal='0.95 of raw')
                cpu = [best(times[one]) / count * 1e6 for one in (ours, theirs)]
                row(AREA, f'{case}: CPU a document', ours=cpu[0], raw=cpu[1], unit='µs')
        away(0)
        await collection.aclose()
        await index.close()
        await control.close()


async def bench_retrieve(params: ClientParams, repeats: int) -> None:
    from pinecone import AsyncPinecone

    name, calls = 'bench-64', 40
    data = vectors(100, 64)
    documents = [Document.from_text(f'content {i} ' * 20, {'n': i, 'source': f'file{i}'}) for i in range(100)]
    plugin = Pinecone([name], client_params=params)
    collection = plugin.collection(name)
    await collection.store.upsert([Record(f'id{i}', data[i], documents[i]) for i in range(100)])
    control = AsyncPinecone(api_key=params.api_key, host=params.controller_host)
    host = (await control.indexes.describe(name)).host or ''
    index = await control.index(host=host.replace('https://', 'http://'))

    async def raw() -> None:
        for _ in range(calls):
            await index.query(top_k=K, vector=data[0], include_metadata=True)

    async def store() -> None:
        for _ in range(calls):
            await collection.store.search(SearchRequest(vector=data[0], k=K))

    async def search() -> None:
        for _ in range(calls):
            await collection.search(data[0], k=K)

    times = await paired({'raw': raw, 'store': store, 'search': search}, repeats)
    goal = f'raw + {150 + 35 * K} µs'
    for name_ in ('store', 'search'):
        wall = [statistics.median(one for one, _ in times[side]) / calls * 1e6 for side in (name_, 'raw')]
        cpu = [best(times[side]) / calls * 1e6 for side in (name_, 'raw')]
        row(AREA, f'{name_}, k = {K}', ours=wall[0], raw=wall[1], unit='µs', goal=goal)
        row(AREA, f'{name_}, k = {K}: CPU', ours=cpu[0], raw=cpu[1], unit='µs', goal=goal)
    await plugin.aclose()
    await index.close()
    await control.close()


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('what', nargs='*', default=['index', 'retrieve'])
    parser.add_argument('--repeats', type=int, default=9)
    parser.add_argument('--quick', action='store_true', help='few runs: whether it works, not how fast')
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.repeats = 1
    ours, theirs = multiprocessing.get_context('spawn').Pipe()
    process = multiprocessing.get_context('spawn').Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    url, key = ours.recv()
    params = ClientParams(api_key=key, controller_host=url)

    def away(seconds: float) -> None:
        ours.send(seconds)
        ours.recv()

    try:
        if 'index' in arguments.what:
            await bench_index(params, arguments.repeats, away)
        if 'retrieve' in arguments.what:
            await bench_retrieve(params, arguments.repeats)
        note(AREA, 'No peer: langchain-pinecone needs a pinecone below 8, which cannot be installed beside this one.')
    finally:
        ours.send(None)
        process.join(timeout=10)


if __name__ == '__main__':
    asyncio.run(main())
