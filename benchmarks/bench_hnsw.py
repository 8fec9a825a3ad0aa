# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What genkitx-hnsw costs over its bare engine.

    python benchmarks/bench_hnsw.py [--vectors 20000] [--large 100000] [--dimensions 128] [--engine voyager] [--cpu] [--quick]

Runs of ours and of the engine alternate, and medians are compared. Vectors come in clusters, as embeddings do.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from genkit import Document
from genkitx.stores import Record, SearchRequest
from genkitx.threads import in_thread
from genkitx_hnsw import HnswStore
from genkitx_hnsw.engines import Engine, GraphSettings, create_engine
from report import note, row

AREA = 'HNSW'
K = 10
EF = 64
RUN = 25
"""Searches of a run."""


def clock() -> float:
    return time.process_time() if options.cpu else time.perf_counter()


def clocked(case: str) -> str:
    return f'{case}: CPU' if options.cpu else case


def fastest_tenth(times: list[float]) -> float:
    return statistics.quantiles(times, n=10)[0]


def clustered(count: int, dimensions: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(10, count // 100), dimensions))
    chosen = centres[random.integers(0, len(centres), count)]
    return (chosen + 0.3 * random.normal(size=chosen.shape)).astype(np.float32)


def records(vectors: np.ndarray) -> list[Record]:
    return [
        Record(f'id-{i}', vector, Document.from_text(f'Document number {i} of the benchmark', {'n': i, 'group': i % 7}))
        for i, vector in enumerate(vectors.tolist())
    ]


def timed(run: Callable[[], Any]) -> float:
    start = clock()
    run()
    return clock() - start


def bare(engine: Any, vectors: np.ndarray, threads: int | None) -> Engine:
    return create_engine(engine, GraphSettings(threads=threads), vectors, list(range(len(vectors))))


def insert(options: argparse.Namespace, folder: Path, vectors: np.ndarray, threads: int | None) -> None:
    ours: list[float] = []
    saved: list[float] = []
    theirs: list[float] = []
    given = records(vectors)
    lists = [record.vector for record in given]
    for run in range(options.runs):
        # Both sides begin with lists, as embedders give them.
        gc.collect()
        theirs.append(timed(lambda: bare(options.engine, np.array(lists, np.float32), threads)))

        async def ingest(store: HnswStore, begin: float) -> None:
            async with store.session():
                for start in range(0, len(given), 500):
                    await store.upsert(given[start : start + 500])
                ours.append(clock() - begin)

        store = HnswStore(
            'bench', folder / f'insert-{threads}-{run}', engine=options.engine, settings=GraphSettings(threads=threads)
        )
        gc.collect()  # So that nobody pays for what another left.
        begin = clock()
        asyncio.run(ingest(store, begin))
        saved.append(clock() - begin)
    what = f'insert {len(vectors)} x {vectors.shape[1]}, {threads or "all"} threads'
    speeds = [len(vectors) / statistics.median(times) for times in (ours, theirs, saved)]
    row(AREA, clocked(what), ours=speeds[0], raw=speeds[1], unit='rows/s', goal='0.90 of raw')
    row(AREA, clocked(f'{what}, and saved; raw not saved'), ours=speeds[2], raw=speeds[1], unit='rows/s')


def replace(options: argparse.Namespace, folder: Path, vectors: np.ndarray) -> None:
    """Replacing beside inserting as many others into an index of the same size, and replacing again and again."""
    count = len(vectors)
    given = records(vectors)
    rounds = [records(clustered(count, vectors.shape[1], seed=seed)) for seed in range(5, 10)]
    others = [Record(f'other-{one.id}', one.vector, one.document) for one in rounds[0]]

    async def timed_write(store: HnswStore, batch: list[Record]) -> tuple[float, int]:
        most = 0
        gc.collect()
        start = clock()
        for at in range(0, count, 500):
            await store.upsert(batch[at : at + 500])
            most = max(most, (await store.describe())['deleted'])
        return clock() - start, most

    async def run(name: str, *batches: list[Record]) -> tuple[list[float], int]:
        store = HnswStore('bench', folder / name, engine=options.engine)
        async with store.session():
            await timed_write(store, given)
            written = [await timed_write(store, batch) for batch in batches]
        return [seconds for seconds, _ in written], max(most for _, most in written)

    inserted: list[float] = []
    replaced: list[float] = []
    for turn in range(options.runs):
        inserted += asyncio.run(run(f'insert-others-{turn}', others))[0]
        replaced += asyncio.run(run(f'replace-{turn}', rounds[0]))[0]
    again, most = asyncio.run(run('replace-again', *rounds))
    insert = statistics.median(inserted)
    note(
        AREA,
        f'Replacing each of {count} documents takes {statistics.median(replaced) / insert:.2f} times as long as inserting as many '
        f'others into the same index; {len(rounds)} times over, with building anew, {statistics.mean(again) / insert:.2f} times each; '
        f'at most {most / count:.2f} dead for each live one.',
    )


def query(store: HnswStore, engine: Engine, queries: np.ndarray, k: int) -> None:
    requests = [(vector, SearchRequest(vector=vector.tolist(), k=k)) for vector in queries]

    async def ours(_: np.ndarray, request: SearchRequest) -> None:
        await store.search(request)

    async def raw(vector: np.ndarray, _: SearchRequest) -> None:
        engine.query(vector, k, EF)

    async def raw_in_thread(vector: np.ndarray, _: SearchRequest) -> None:
        await in_thread(lambda: engine.query(vector, k, EF))

    runs = {'ours': ours, 'raw': raw, 'raw in a thread': raw_in_thread}

    async def times(length: int) -> dict[str, list[float]]:
        """Runs of this many searches; each comes after each other as often: what ran before decides what is in the caches."""
        taken: dict[str, list[float]] = {name: [] for name in runs}
        for turn, start in enumerate(range(0, len(requests), length)):
            for name in list(runs)[turn % 3 :] + list(runs)[: turn % 3]:
                for vector, request in requests[start : start + length]:
                    begin = clock()
                    await runs[name](vector, request)
                    taken[name].append(clock() - begin)
        return taken

    case = f'query k={k}, ef={EF}, of {options.large}'
    taken = asyncio.run(times(RUN))
    for how, middle in (('', statistics.median), (', fastest tenth of each', fastest_tenth)):
        mine, engines = (middle(taken[name]) * 1e6 for name in ('ours', 'raw'))
        row(AREA, clocked(f'{case}{how}'), ours=mine, raw=engines, unit='µs', goal='raw + 100 µs')
    thread, alone = (statistics.median(taken[name]) * 1e6 for name in ('raw in a thread', 'raw'))
    row(AREA, clocked(f'{case}: raw in a worker thread'), ours=thread, raw=alone, unit='µs')
    taken = asyncio.run(times(1))
    mine, engines = (statistics.median(taken[name]) * 1e6 for name in ('ours', 'raw'))
    row(AREA, clocked(f'{case}, single ones between the others'), ours=mine, raw=engines, unit='µs')
    together(store, [request for _, request in requests], case)


def together(store: HnswStore, requests: list[SearchRequest], case: str) -> None:
    """Searches a second of one caller, and of many at once."""

    async def run(callers: int) -> float:
        left = iter(requests)

        async def call() -> None:
            for request in left:
                await store.search(request)

        start = time.perf_counter()
        await asyncio.gather(*(call() for _ in range(callers)))
        return len(requests) / (time.perf_counter() - start)

    rates = [statistics.median(asyncio.run(run(callers)) for _ in range(5)) for callers in (1, 16)]
    note(AREA, f'{case}: {rates[0]:,.0f} searches a second by one caller, {rates[1]:,.0f} by 16 at once.')


def load(options: argparse.Namespace, path: Path, vector: np.ndarray) -> None:
    times: list[float] = []
    for _ in range(3):
        store = HnswStore('bench', path, engine=options.engine)
        times.append(timed(lambda store=store: asyncio.run(store.dimension())))
    store = HnswStore('bench', path, engine=options.engine)

    async def warm() -> float:
        request = SearchRequest(vector=vector.tolist(), k=1)
        await store.search(request)
        start = clock()
        for _ in range(50):
            await store.search(request)
        return (clock() - start) / 50

    once = asyncio.run(warm())
    loaded = statistics.median(times)
    row(AREA, clocked(f'load {options.large} x {vector.shape[0]}'), ours=loaded * 1e3, unit='ms')
    row(
        AREA,
        clocked('query k=1; raw loading on every query, as the JS plugin does'),
        ours=once * 1e3,
        raw=(loaded + once) * 1e3,
        unit='ms',
    )


def filtered(store: HnswStore, queries: np.ndarray) -> None:
    from genkitx import parse_filter

    async def run() -> None:
        for name, condition in (
            ('14 %', {'group': 3}),
            ('1 %', {'n': {'$lt': options.large // 100}}),
            ('0.01 %', {'n': {'$lt': options.large // 10_000}}),
        ):
            request = SearchRequest(vector=queries[0].tolist(), k=K, filter=parse_filter(condition))
            await store.search(request)
            times = []
            for vector in queries[:50]:
                request = SearchRequest(vector=vector.tolist(), k=K, filter=parse_filter(condition))
                start = clock()
                found = await store.search(request)
                times.append(clock() - start)
                assert len(found) == min(K, options.large // 10_000 if name == '0.01 %' else K)
            case = clocked(f'query k={K} with a filter that {name} match')
            row(AREA, case, ours=statistics.median(times) * 1e3, unit='ms')

    asyncio.run(run())


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        vectors = clustered(options.vectors, options.dimensions)
        for threads in (1, None):
            insert(options, folder, vectors, threads)
        replace(options, folder, vectors[: options.vectors // 4])
        large = clustered(options.large, options.dimensions, seed=1)
        store = HnswStore('bench', folder / 'large', engine=options.engine)
        asyncio.run(store.upsert(records(large)))
        queries = clustered(options.large, options.dimensions, seed=1)[:1200] + np.float32(0.01)
        engine = bare(options.engine, large, None)
        for k in (1, K):
            query(store, engine, queries, k)
        filtered(store, queries)
        load(options, folder / 'large', queries[0])


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--vectors', type=int, default=20_000)
    parser.add_argument('--large', type=int, default=100_000)
    parser.add_argument('--dimensions', type=int, default=128)
    parser.add_argument('--engine', choices=['voyager', 'hnswlib'], default='voyager')
    parser.add_argument('--cpu', action='store_true', help='processor time instead of wall time, for a busy machine')
    parser.add_argument('--runs', type=int, default=3)
    parser.add_argument('--quick', action='store_true', help='few vectors: whether it works, not how fast')
    options = parser.parse_args()
    if options.quick:
        options.vectors, options.large = 2000, 10_000
    main()
