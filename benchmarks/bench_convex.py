# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""genkitx-convex against bare HTTP calls of the same functions, on convex-test in Node, as the tests start it.

    python benchmarks/bench_convex.py [--rows 1000] [--dimensions 384] [--repeats 5] [--queries 30] [--quick]

Needs Node 20 or newer and npm. The bare side has its rows made beforehand, writes them in the same batches, and reads each hit's text
and metadata out of the answer. Runs are interleaved; medians are compared, and the CPU time of this process, in which the server has no part.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from genkit import Document
from genkitx.stores import Record, SearchRequest
from genkitx_convex import Convex, ConvexTable
from genkitx_convex.codec import encode
from genkitx_convex.errors import MODULE
from report import note, row

AREA = 'Convex'
BATCH = 100
K = 10
TESTS = Path(__file__).parents[1] / 'plugins' / 'convex' / 'tests' / 'conftest.py'


@contextlib.contextmanager
def deployments() -> Iterator[Any]:
    """Gives the `deploy` of the plugin's tests, whose server ends with the block."""
    spec = importlib.util.spec_from_file_location('convex_deployments', TESTS)
    assert spec
    assert spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.contextmanager(module.deploy.__wrapped__)(
            module.toolchain.__wrapped__(), SimpleNamespace(mktemp=lambda _: Path(folder))
        ) as deploy,
    ):
        yield deploy


def records(count: int, dimensions: int) -> list[Record]:
    source = random.Random(0)
    return [
        Record(
            f'id-{i}',
            [source.gauss(0, 1) for _ in range(dimensions)],
            Document.from_text(f'Document number {i} of the benchmark', {'n': i, 'group': i % 7}),
        )
        for i in range(count)
    ]


async def timed(times: dict[str, list[tuple[float, float]]], name: str, call: Callable[[], Awaitable[Any]]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    await call()
    times.setdefault(name, []).append((time.perf_counter() - wall, time.process_time() - cpu))


def middle(times: list[tuple[float, float]], which: int) -> float:
    return statistics.median(one[which] for one in times)


class Bare:
    """The calls that ours makes, made by hand."""

    def __init__(self, deployment: Any) -> None:
        self.client = httpx.AsyncClient(timeout=60, headers={'Authorization': f'Convex {deployment.key}'})
        self.url = deployment.url

    async def call(self, kind: str, function: str, **args: Any) -> Any:
        body = {'path': f'{MODULE}:{function}', 'args': {'table': 'documents', **args}, 'format': 'json'}
        answer = await self.client.post(
            f'{self.url}/api/{kind}', content=json.dumps(body), headers={'Content-Type': 'application/json'}
        )
        answer.raise_for_status()
        return answer.json()['value']

    async def index(self, batches: list[list[dict[str, Any]]]) -> None:
        for batch in batches:
            assert (await self.call('mutation', 'upsert', rows=batch))['handled'] == len(batch)

    async def search(self, vector: Any) -> None:
        found = await self.call('action', 'search', vector=vector, limit=K, part='document')
        assert len([(one['row']['text'], json.loads(one['row']['metadataJson'])) for one in found]) == K


async def measure(deploy: Any) -> None:
    data = records(options.rows, options.dimensions)
    batches = [data[i : i + BATCH] for i in range(0, len(data), BATCH)]
    ready = [[encode(one) for one in batch] for batch in batches]
    times: dict[str, list[tuple[float, float]]] = {}
    for turn in range(options.repeats):
        # New ones, since a row that is replaced is read first.
        mine, theirs = (deploy(dimensions=options.dimensions, filter_fields=()) for _ in range(2))
        plugin = Convex([ConvexTable(name='documents')], url=mine.url, deploy_key=mine.key)
        collection, bare = plugin.collection('documents'), Bare(theirs)

        async def index(store: Any = collection.store) -> None:
            for batch in batches:
                await store.upsert(batch)

        # Both are connected before the clock starts.
        await collection.store.dimension()
        await bare.call('query', 'describe')
        sides: dict[str, Callable[[], Awaitable[Any]]] = {'index': index, 'bare index': partial(bare.index, ready)}
        for name in sides if turn % 2 else reversed(sides):
            await timed(times, name, sides[name])
        for one in data[: options.queries]:
            await timed(times, 'store', partial(collection.store.search, SearchRequest(vector=one.vector, k=K)))
            await timed(times, 'search', partial(collection.search, one.vector, k=K))
            await timed(times, 'bare search', partial(bare.search, one.vector))
        await plugin.aclose()
        await bare.client.aclose()
    what = f'index {options.rows} x {options.dimensions}, batches of {BATCH}'
    ours, raw = (options.rows / middle(times[side], 0) for side in ('index', 'bare index'))
    row(AREA, what, ours=ours, raw=raw, unit='rows/s')
    ours, raw = (middle(times[side], 1) / options.rows * 1e6 for side in ('index', 'bare index'))
    row(AREA, f'{what}: CPU a row', ours=ours, raw=raw, unit='µs')
    for name, case in (('store', f'search k={K}, the store alone'), ('search', f'search k={K} by vector')):
        for which, how in enumerate(('', ': CPU')):
            ours, raw = (middle(times[side], which) * 1e6 for side in (name, 'bare search'))
            row(AREA, case + how, ours=ours, raw=raw, unit='µs', goal=f'raw + {150 + 35 * K} µs')
    note(
        AREA,
        'The server is convex-test in Node, which is slow: only what our side adds means anything, best seen in CPU.',
    )


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument('--rows', type=int, default=1000)
parser.add_argument('--dimensions', type=int, default=384)
parser.add_argument('--repeats', type=int, default=5)
parser.add_argument('--queries', type=int, default=30)
parser.add_argument('--quick', action='store_true', help='few rows and runs: whether it works, not how fast')
options = parser.parse_args()
if options.quick:
    options.rows, options.repeats, options.queries = 100, 1, 5


def main() -> None:
    try:
        with deployments() as deploy:
            asyncio.run(measure(deploy))
    except pytest.skip.Exception as skipped:  # What the tests do without Node.
        note(AREA, f'Not measured: {skipped}')


if __name__ == '__main__':
    main()
