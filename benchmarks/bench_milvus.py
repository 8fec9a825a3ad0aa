# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What genkitx-milvus costs over pymilvus's own asynchronous client.

    python benchmarks/bench_milvus.py [--rows 2000] [--dimensions 384] [--repeats 7] [--cpu] [--uri ADDRESS] [--quick]

Without an address it runs on Milvus Lite, as a server in another process, so that only the client's side is in this one. Runs of ours
and of the bare client alternate, with the same batches; medians are printed, or with `--cpu` the best of each, since others on the
machine only ever add to CPU time.

The bare client's rows are made beforehand, or in the runs called `making rows` by the way, as whoever has documents must. Its hits are
lazy: `not read` leaves them as they came, `read` takes the text and the metadata out of each.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from genkit import Document
from genkitx.stores import Record, SearchRequest
from genkitx_milvus import Fields, Milvus, MilvusCollection, create_milvus_collection
from genkitx_milvus.codec import encode
from genkitx_milvus.schema import NewCollection
from report import row

try:
    from langchain_core.documents import Document as LangChainDocument
    from langchain_core.embeddings import Embeddings
    from langchain_milvus import Milvus as LangChainMilvus
except ImportError:
    LangChainMilvus = None

AREA = 'Milvus'
BATCH = 500
K = 10


@contextlib.contextmanager
def server() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name('milvus-lite')), 'server', '--host', '127.0.0.1']
        process = subprocess.Popen(
            [*command, '--port', str(port), '--data-dir', folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while process.poll() is None:
                with socket.socket() as probe:
                    if probe.connect_ex(('127.0.0.1', port)) == 0:
                        break
                time.sleep(0.1)
            yield f'http://127.0.0.1:{port}'
        finally:
            process.terminate()
            process.wait()


def clock() -> float:
    return time.process_time() if options.cpu else time.perf_counter()


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


def rows(batch: list[Record], *, js_layout: bool) -> list[dict[str, Any]]:
    return [
        {'id': one.id, 'vector': one.vector, **encode(one.document, Fields(), js_layout=js_layout)} for one in batch
    ]


def middle(times: list[float]) -> float:
    return min(times) if options.cpu else statistics.median(times)


def clocked(case: str) -> str:
    return f'{case}: CPU' if options.cpu else case


class Peer:
    """langchain-milvus with the same ids, texts, metadata and vectors. Its writes are synchronous, so they run in a thread."""

    def __init__(self, uri: str, data: list[Record]) -> None:
        assert LangChainMilvus is not None
        vectors = {one.document.text: list(one.vector) for one in data}

        class Lookup(Embeddings):
            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return [vectors[text] for text in texts]

            def embed_query(self, text: str) -> list[float]:
                return vectors[text]

        self.store = LangChainMilvus(
            Lookup(),
            'bench_peer',
            connection_args={'uri': uri},
            enable_dynamic_field=True,
            index_params={'index_type': 'AUTOINDEX', 'metric_type': 'COSINE'},
        )
        self.batches = [
            (
                [one.id for one in part],
                [LangChainDocument(one.document.text, metadata=one.document.metadata or {}) for one in part],
            )
            for part in (data[i : i + BATCH] for i in range(0, len(data), BATCH))
        ]
        # Its collection is made by the first text, and only then can rows be replaced.
        self.store.add_documents([self.batches[0][1][0]], ids=[self.batches[0][0][0]])

    async def index(self) -> None:
        for ids, documents in self.batches:
            await asyncio.to_thread(self.store.upsert, ids, documents, batch_size=BATCH)

    async def search(self, vector: Sequence[float]) -> None:
        found = await self.store.asimilarity_search_with_score_by_vector(list(vector), k=K)
        assert len(found) == K


async def measure(uri: str) -> None:
    import pymilvus

    data = records(options.rows, options.dimensions)
    batches = [data[i : i + BATCH] for i in range(0, len(data), BATCH)]
    names = ('ours', 'ours_js', 'bare', 'bare_js')
    for name in names:
        await create_milvus_collection(f'bench_{name}', options.dimensions, new=NewCollection(auto_id=False), uri=uri)
    plugin = Milvus(
        [
            MilvusCollection(name='bench_ours', auto_id=False),
            MilvusCollection(name='bench_ours_js', auto_id=False, js_layout=True),
        ],
        uri=uri,
    )
    stores = [plugin.collection(f'bench_{name}').store for name in names[:2]]
    client: Any = pymilvus.AsyncMilvusClient(uri)
    times: dict[str, list[float]] = {name: [] for name in names}
    for store in stores:
        await store.dimension()
    # The client's rows are made before: what is compared is the same rows on their way.
    made = {name: [rows(batch, js_layout=name == 'bare_js') for batch in batches] for name in names[2:]}
    times |= {'making': [], 'making_js': []}
    order = ['ours', 'bare', 'making', 'ours_js', 'bare_js', 'making_js']
    peer = await asyncio.to_thread(Peer, uri, data) if LangChainMilvus else None
    if peer:
        times['peer'] = []
        order.append('peer')
    for _ in range(options.repeats):
        order.reverse()
        for name in order:
            start = clock()
            if name in made:
                for ready in made[name]:
                    await client.upsert(f'bench_{name}', ready, partition_name='_default')
            elif name == 'peer' and peer:
                await peer.index()
            elif name.startswith('making'):
                js_layout = name == 'making_js'
                target = 'bench_bare_js' if js_layout else 'bench_bare'
                for batch in batches:
                    await client.upsert(target, rows(batch, js_layout=js_layout), partition_name='_default')
            else:
                store = stores[names.index(name)]
                for batch in batches:
                    await store.upsert(batch)
            times[name].append(clock() - start)
    peers = {'langchain-milvus': options.rows / middle(times['peer'])} if peer else {}
    for case, ours, theirs in (
        ('index, with keys for filters', 'ours', 'bare'),
        ('index, with keys for filters; raw making rows', 'ours', 'making'),
        ('index, rows as JS writes them', 'ours_js', 'bare_js'),
        ('index, rows as JS writes them; raw making rows', 'ours_js', 'making_js'),
    ):
        speeds = [options.rows / middle(times[one]) for one in (ours, theirs)]
        row(AREA, clocked(case), ours=speeds[0], raw=speeds[1], unit='rows/s', peers=peers, goal='0.95 of raw')

    await searching(stores[1], client, data, peer)
    await client.close()
    await plugin.aclose()


async def searching(store: Any, client: Any, data: list[Record], peer: Peer | None) -> None:
    async def ours(vector: Sequence[float]) -> None:
        await store.search(SearchRequest(vector=vector, k=K))

    async def not_read(vector: Sequence[float]) -> Any:
        return await client.search(
            'bench_ours_js',
            [vector],
            limit=K,
            anns_field='vector',
            output_fields=['document', 'metadata'],
            partition_names=['_default'],
        )

    async def read(vector: Sequence[float]) -> None:
        hits = await not_read(vector)
        assert all(hit['entity']['document'] and hit['entity']['metadata'] for hit in hits[0])

    sides: dict[str, Callable[..., Any]] = {'ours': ours, 'not read': not_read, 'read': read}
    if peer:
        sides['peer'] = peer.search
    found: dict[str, list[float]] = {side: [] for side in sides}
    for one in data[: options.queries]:
        for side, search in sides.items():
            start = clock()
            await search(one.vector)
            found[side].append(clock() - start)
    peers = {'langchain-milvus': middle(found['peer']) * 1e6} if peer else {}
    for side in ('not read', 'read'):
        mine, theirs = (middle(found[one]) * 1e6 for one in ('ours', side))
        row(
            AREA,
            clocked(f'search k={K}; hits of raw {side}'),
            ours=mine,
            raw=theirs,
            unit='µs',
            peers=peers,
            goal=f'raw + {150 + 35 * K} µs',
        )


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument('--rows', type=int, default=2000)
parser.add_argument('--dimensions', type=int, default=384)
parser.add_argument('--repeats', type=int, default=7)
parser.add_argument('--queries', type=int, default=50)
parser.add_argument('--cpu', action='store_true', help='count the CPU time of this process instead of the clock')
parser.add_argument('--uri')
parser.add_argument('--quick', action='store_true', help='few rows and runs: whether it works, not how fast')
options = parser.parse_args()
if options.quick:
    options.rows, options.repeats, options.queries = 200, 1, 10


if __name__ == '__main__':
    with contextlib.nullcontext(options.uri) if options.uri else server() as uri:
        asyncio.run(measure(uri))
