# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, and how it is told: servers that are gone, tables that are not there, TLS, secrets."""

import asyncio
import socket
import traceback
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from genkit import Document, GenkitError
from genkitx.stores import Record, RetryPolicy
from genkitx.testing import HashEmbedder
from genkitx.testing.stores import texts
from genkitx_cloud_sql_pg import Column, Postgres, PostgresEngine, PostgresTable

TEXT_ID = Column('id', 'TEXT')


def free_port() -> int:
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


async def status(call: Any) -> tuple[str, str]:
    with pytest.raises(GenkitError) as error:
        await call
    return error.value.status, str(error.value)


async def test_nobody_answers(embedder: HashEmbedder) -> None:
    engine = PostgresEngine.from_dsn(f'postgresql://user:s3cret@127.0.0.1:{free_port()}/app')
    retry = RetryPolicy(attempts=2, initial_delay=0.001)
    collection = Postgres(['docs'], engine=engine, embedder=embedder, retry=retry).collection('docs')
    for call in (collection.search('x', k=1), collection.count(), engine.test_connection(), collection.add(texts(1))):
        found, message = await status(call)
        assert found == 'UNAVAILABLE'
        assert 's3cret' not in message
    await engine.aclose()


async def test_no_such_table(engine: PostgresEngine, embedder: HashEmbedder) -> None:
    collection = Postgres(['nowhere'], engine=engine, embedder=embedder).collection('nowhere')
    for call in (collection.search('x', k=1), collection.add(texts(1)), collection.count(), collection.delete(['a'])):
        found, message = await status(call)
        assert found == 'NOT_FOUND'
        assert 'postgres/nowhere' in message
        assert 'init_vectorstore_table' in message


async def test_a_table_that_goes_and_comes_back(engine: PostgresEngine, open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    name = collection.name.removeprefix('postgres/')
    await collection.add(texts(3))
    await engine.drop_vectorstore_table(name)
    assert (await status(collection.search('river', k=1)))[0] == 'NOT_FOUND'
    await engine.init_vectorstore_table(name, 64, id_column=TEXT_ID, metadata_json_column='metadata')
    await collection.add(texts(3))
    assert await collection.count() == 3


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'content_column': 'text'}, 'Content column: text, does not exist.'),
        ({'embedding_column': 'vec'}, 'Embedding column: vec, does not exist.'),
        ({'embedding_column': 'content'}, 'Embedding column: content is not of type Vector.'),
        ({'id_column': 'key'}, 'Id column: key, does not exist.'),
        ({'metadata_columns': ['a', 'id']}, 'Metadata column: a, does not exist.'),
        ({'metadata_json_column': 'meta'}, 'Metadata column: meta, does not exist.'),
    ],
)
async def test_columns_that_are_not_there(open_table: Callable[..., Any], settings: Any, message: str) -> None:
    collection = await open_table(settings)
    found, text = await status(collection.count())
    assert found == 'FAILED_PRECONDITION'
    assert message in text


async def test_an_id_column_without_a_key(engine: PostgresEngine, sql: Any, embedder: HashEmbedder, table: str) -> None:
    await engine.init_vectorstore_table(table, 64, id_column=TEXT_ID)
    await sql.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_pkey"')
    collection = Postgres([table], engine=engine, embedder=embedder).collection(table)
    found, message = await status(collection.add(texts(1)))
    assert found == 'FAILED_PRECONDITION'
    assert 'unique' in message


async def test_namespaces_are_refused(open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    for call in (
        collection.add(texts(1), namespace='n'),
        collection.search('x', namespace='n'),
        collection.store.upsert([], namespace='n'),
        collection.store.fetch(['a'], namespace='n'),
    ):
        found, message = await status(call)
        assert found == 'UNIMPLEMENTED'
        assert 'namespaces' in message


async def test_dead_connections_of_the_pool_are_replaced(open_table: Callable[..., Any], proxy: Any) -> None:
    collection = await open_table()
    await collection.add(texts(5))
    through = PostgresEngine.from_dsn(proxy.dsn)
    name = collection.name.removeprefix('postgres/')
    again = Postgres([name], engine=through, embedder=HashEmbedder(64)).collection(name)
    assert len(await again.search('river', k=3)) == 3
    proxy.sever()
    assert len(await again.search('river', k=3)) == 3
    proxy.sever()
    assert await again.count() == 5
    proxy.sever()
    assert (await again.add(texts(7))).failed == []
    assert proxy.connections == 4
    await through.aclose()


async def test_a_server_that_ends_all_connections(dsn: str, open_table: Callable[..., Any], sql: Any) -> None:
    collection = await open_table()
    await collection.add(texts(5))
    engine = PostgresEngine.from_dsn(dsn, server_settings={'application_name': 'genkitx_ended_test'})
    name = collection.name.removeprefix('postgres/')
    mine = Postgres([name], engine=engine, embedder=HashEmbedder(64)).collection(name)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'genkitx_ended_test'"
    for round_ in range(3):
        for call in (
            lambda: mine.search('river', k=3),
            mine.count,
            lambda: mine.get(['a']),
            lambda: mine.delete(['unknown']),
            lambda: mine.delete(filter={'n': -1}),
            lambda: mine.add(texts(5)),
            engine.test_connection,
        ):
            # Several connections lie in the pool when the server restarts; none of them is any good afterwards.
            found = await asyncio.gather(*(mine.search('river', k=2) for _ in range(4)))
            assert {len(one) for one in found} == {2}
            assert len(await sql.fetch(end)) >= 2
            await asyncio.sleep(0.02 * round_)
            await call()
    await engine.aclose()


async def test_a_slow_query_ends_in_time(dsn: str, open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    await collection.add(texts(5))
    engine = PostgresEngine.from_dsn(dsn, server_settings={'statement_timeout': '100'})
    name = collection.name.removeprefix('postgres/')
    slow = Postgres([name], engine=engine, embedder=HashEmbedder(64)).collection(name)
    found, _ = await status(slow.search('x', k=1, unsafe_sql_filter='pg_sleep(5) IS NOT NULL'))
    assert found == 'DEADLINE_EXCEEDED'
    await engine.aclose()


async def test_a_query_that_timed_out_is_not_tried_again(
    dsn: str, open_table: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = await open_table()
    await collection.add(texts(5))
    engine = PostgresEngine.from_dsn(dsn, command_timeout=0.5)
    name = collection.name.removeprefix('postgres/')
    slow = Postgres([name], engine=engine, embedder=HashEmbedder(64)).collection(name)
    await slow.count()
    ran: list[str] = []
    fetch = asyncpg.Connection.fetch

    async def record(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        ran.append(query)
        return await fetch(self, query, *arguments, **options)

    monkeypatch.setattr(asyncpg.Connection, 'fetch', record)
    found, _ = await status(slow.search('x', k=1, unsafe_sql_filter='pg_sleep(5) IS NOT NULL'))
    assert found == 'DEADLINE_EXCEEDED'
    assert len(ran) == 1
    assert len(await slow.search('river', k=2)) == 2
    await engine.aclose()


async def test_a_cancelled_search_leaves_the_pool_usable(dsn: str, open_table: Callable[..., Any], sql: Any) -> None:
    collection = await open_table()
    await collection.add(texts(5))
    engine = PostgresEngine.from_dsn(dsn, max_size=1, server_settings={'application_name': 'genkitx_cancel_test'})
    name = collection.name.removeprefix('postgres/')
    mine = Postgres([name], engine=engine, embedder=HashEmbedder(64)).collection(name)
    await mine.count()
    for _ in range(5):
        running = asyncio.ensure_future(mine.search('x', k=1, unsafe_sql_filter='pg_sleep(30) IS NOT NULL'))
        await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert len(await mine.search('river', k=2)) == 2
    active = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'genkitx_cancel_test' AND state = 'active'"
    assert await sql.fetchval(active) == 0
    await engine.aclose()
    for _ in range(100):
        left = await sql.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'genkitx_cancel_test'"
        )
        if left == 0:
            break
        await asyncio.sleep(0.05)
    assert left == 0


@pytest.mark.parametrize('how', ['timeout', 'close'])
async def test_the_server_does_not_go_on_with_what_nobody_waits_for(
    dsn: str, open_table: Callable[..., Any], sql: Any, how: str
) -> None:
    collection = await open_table()
    await collection.add(texts(5))
    name = collection.name.removeprefix('postgres/')
    settings = {'application_name': f'genkitx_{how}_test'}
    engine = PostgresEngine.from_dsn(dsn, command_timeout=0.3 if how == 'timeout' else 60, server_settings=settings)
    mine = Postgres([name], engine=engine, embedder=HashEmbedder(64)).collection(name)
    active = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'genkitx_{how}_test' AND state = 'active'"
    searching = asyncio.ensure_future(status(mine.search('x', k=1, unsafe_sql_filter='pg_sleep(30) IS NOT NULL')))
    while await sql.fetchval(active) == 0:
        await asyncio.sleep(0.01)
    if how == 'close':
        await engine.aclose()
    found, _ = await asyncio.wait_for(searching, 10)
    assert found == {'timeout': 'DEADLINE_EXCEEDED', 'close': 'CANCELLED'}[how]
    assert await sql.fetchval(active) == 0
    await engine.aclose()


async def test_cancelled_writes_leave_whole_batches(dsn: str, open_table: Callable[..., Any], sql: Any) -> None:
    collection = await open_table()
    name = collection.name.removeprefix('postgres/')
    embed = HashEmbedder(64).embed
    batch = [Record(f'{i:04}', embed(str(i)), Document.from_text(str(i))) for i in range(400)]
    await collection.store.upsert([Record('seed', batch[0].vector, batch[0].document)])
    for step in range(25):
        running = asyncio.ensure_future(collection.store.upsert(batch))
        await asyncio.sleep(step * 0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        count = await sql.fetchval(f'SELECT count(*) FROM {name}') - 1
        assert count in (0, 400)
        await collection.delete([one.id for one in batch])


async def test_other_machines_are_reached_by_tls(proxy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = asyncio.get_running_loop().getaddrinfo

    async def to_proxy(host: Any, port: Any, **options: Any) -> Any:
        return await resolve('127.0.0.1' if host == 'db.example.test' else host, port, **options)

    monkeypatch.setattr(asyncio.get_running_loop(), 'getaddrinfo', to_proxy)
    remote = f'postgresql://postgres@db.example.test:{proxy.port}/postgres'
    local = 'postgresql://postgres@127.0.0.1/postgres'
    # This server has no TLS: by default nothing is sent to it in the clear.
    for plain in (
        PostgresEngine.from_dsn(remote),
        PostgresEngine.from_dsn(local, host='db.example.test', port=proxy.port),
        PostgresEngine.from_dsn(local, host=['db.example.test'], port=proxy.port),
    ):
        assert 'db.example.test' in repr(plain)
        with pytest.raises(GenkitError) as error:
            await plain.test_connection()
        assert error.value.status == 'UNAVAILABLE'
        assert 'SSL' in str(error.value)
        await plain.aclose()
    for allowed in (
        PostgresEngine.from_dsn(f'{remote}?sslmode=disable'),
        PostgresEngine.from_dsn(remote, ssl=False),
        PostgresEngine.from_dsn(f'{local}?sslmode=disable', host='db.example.test', port=proxy.port),
    ):
        assert (await allowed.test_connection())['postgresql']
        await allowed.aclose()


async def test_versions(engine: PostgresEngine) -> None:
    await engine.init_vectorstore_table('genkitx_versions', 3, overwrite_existing=True)
    await engine.drop_vectorstore_table('genkitx_versions')
    found = await engine.test_connection()
    assert found['postgresql']
    assert found['pgvector']


async def test_settings_of_a_query_end_with_it(open_table: Callable[..., Any], engine: PostgresEngine) -> None:
    from genkitx_cloud_sql_pg import HNSWIndex, HNSWQueryOptions

    collection = await open_table({'index_query_options': HNSWQueryOptions(ef_search=77)})
    await collection.add(texts(300))
    await engine.apply_vector_index(collection.name.removeprefix('postgres/'), HNSWIndex())
    collection.store._known = None
    await collection.search('river', k=200)
    await collection.search('river', k=5, filter={'even': True})
    async with engine.connection() as connection:
        assert await connection.fetchval("SELECT current_setting('hnsw.ef_search')") == '40'
        assert await connection.fetchval("SELECT current_setting('enable_seqscan')") == 'on'
        assert not connection.is_in_transaction()


def test_settings_objects_hide_nothing_secret() -> None:
    table = PostgresTable(name='t', engine=PostgresEngine.from_dsn('postgresql://u:s3cret@h/d'))
    assert 's3cret' not in repr(table)


@pytest.mark.parametrize(
    'text',
    [
        'postgresql://bob:SECpa/SECss@127.0.0.1:5999/db',
        'postgresql://bob:SECpa?SECss@127.0.0.1:5999/db',
        'postgresql://bob:SECpa#SECss@127.0.0.1:5999/db',
        'postgresql://bob:SECpa@SECss@127.0.0.1:5999/db',
        'postgresql://bob:SECp@/SECss@127.0.0.1:5999/db',
        'postgresql://bob:SEC\u2100ss@127.0.0.1:5999/db',
        'postgresql://bob:SEC[ss@127.0.0.1:5999/db',
        'postgresql://bob:SECRET',
        'postgresql://bob:SEC@127.0.0.1:SECRET/db',
        'postgresql://bob:SEC@127.0.0.1:0/db',
        'postgresql://bob:SEC@127.0.0.1:70000/db',
        'postgresql://bob:SEC@127.0.0.1/db?port=SECRET',
        'postgresql://bob:SEC@127.0.0.1/db?sslmode=SECRET',
        'postgresql:///db?user=bob&password=SEC#SECRET',
        'postgresql:///db?user=bob&password=SEC&SECRET',
        'SECRET',
    ],
)
def test_a_dsn_that_cannot_be_read_is_not_repeated(text: str) -> None:
    with pytest.raises(GenkitError) as error:
        PostgresEngine.from_dsn(text)
    assert error.value.status == 'INVALID_ARGUMENT'
    assert 'SEC' not in ''.join(traceback.format_exception(error.value))


def test_an_ssl_mode_that_is_none() -> None:
    with pytest.raises(GenkitError, match='verify-full') as error:
        PostgresEngine.from_dsn('postgresql://127.0.0.1/db', ssl='on')
    assert error.value.status == 'INVALID_ARGUMENT'


@pytest.mark.parametrize(
    ('text', 'label'),
    [
        ('postgresql://bob:SEC%2Fa%40%23%5B@127.0.0.1:5999/db', '127.0.0.1/db'),
        ('postgresql://bob:a:b@[::1]:5999/db?sslmode=verify-full&application_name=a%40b', '::1/db'),
        ('postgresql+asyncpg://a:1,b:2/db', 'a,b/db'),
        ('postgresql:///db?host=/tmp&port=5433', '/tmp/db'),
        ('postgres://%2Ftmp/db', '/tmp/db'),
        ('postgresql:///', 'the local server/'),
    ],
)
def test_where_a_dsn_leads(text: str, label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('PGHOST', raising=False)
    assert repr(PostgresEngine.from_dsn(text)) == f'PostgresEngine({label!r})'


async def test_a_server_that_takes_no_writes(dsn: str, open_table: Callable[..., Any], sql: Any) -> None:
    collection = await open_table()
    name = collection.name.removeprefix('postgres/')
    engine = PostgresEngine.from_dsn(dsn, server_settings={'default_transaction_read_only': 'on'})
    replica = Postgres([name], engine=engine, embedder=HashEmbedder(64)).collection(name)
    found, message = await status(replica.delete(['a']))
    assert found == 'UNAVAILABLE'
    assert 'takes no writes' in message
    await engine.aclose()


async def test_after_a_failover_writes_go_by_new_connections(dsn: str, open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    name = collection.name.removeprefix('postgres/')
    engine = PostgresEngine.from_dsn(dsn)
    mine = Postgres([name], engine=engine, embedder=HashEmbedder(64)).collection(name)
    async with engine.connection() as one, engine.connection() as other:
        for connection in (one, other):
            await connection.execute('SET default_transaction_read_only = on')
    assert (await mine.add(texts(3))).failed == []
    assert await mine.count() == 3
    await engine.aclose()


async def test_columns_that_change_their_type_under_a_search(
    dsn: str, open_table: Callable[..., Any], engine: PostgresEngine, sql: Any
) -> None:
    from genkitx_cloud_sql_pg import HNSWIndex

    collection = await open_table(metadata_columns=[Column('n', 'INTEGER')])
    name = collection.name.removeprefix('postgres/')
    await collection.add(texts(200))
    await engine.apply_vector_index(name, HNSWIndex())
    collection.store._known = None
    for new in ('BIGINT', 'TEXT'):
        # Several connections remember the statement.
        found = await asyncio.gather(*(collection.search('river', k=150) for _ in range(4)))
        assert {len(one) for one in found} == {150}
        await sql.execute(f'ALTER TABLE {name} ALTER COLUMN n TYPE {new}')
        assert len(await collection.search('river', k=150)) == 150
        collection.store._known = None


async def test_an_index_that_is_not_there(engine: PostgresEngine, open_table: Callable[..., Any]) -> None:
    name = (await open_table()).name.removeprefix('postgres/')
    for call in (engine.reindex(table_name=name), engine.reindex('nowhere', concurrently=True)):
        found, message = await status(call)
        assert found == 'NOT_FOUND'
        assert 'apply_vector_index' in message
        assert 'init_vectorstore_table' not in message


async def test_options_that_the_driver_refuses() -> None:
    engine = PostgresEngine.from_dsn('postgresql:///app?host=a,b,c&port=1,2')
    assert (await status(engine.test_connection()))[0] == 'INVALID_ARGUMENT'


async def test_a_server_that_goes_silent(open_table: Callable[..., Any], proxy: Any) -> None:
    collection = await open_table()
    await collection.add(texts(3))
    name = collection.name.removeprefix('postgres/')
    engine = PostgresEngine.from_dsn(proxy.dsn, command_timeout=0.3)
    through = Postgres([name], engine=engine, embedder=HashEmbedder(64), retry=RetryPolicy(attempts=1)).collection(name)
    assert await through.count() == 3
    proxy.silent = True
    assert (await status(asyncio.wait_for(through.count(), 10)))[0] == 'DEADLINE_EXCEEDED'
    proxy.silent = False
    assert await through.count() == 3
    await engine.aclose()


@pytest.mark.parametrize(
    ('options', 'seconds'), [({}, 60), ({'command_timeout': 7}, 7), ({'command_timeout': None}, None)]
)
async def test_queries_have_a_timeout(dsn: str, options: dict[str, Any], seconds: float | None) -> None:
    engine = PostgresEngine.from_dsn(dsn, **options)
    async with engine.connection() as connection:
        assert connection._config.command_timeout == seconds
    await engine.aclose()


async def test_what_takes_its_time_has_no_timeout(
    dsn: str, open_table: Callable[..., Any], sql: Any, embedder: HashEmbedder
) -> None:
    from genkitx_cloud_sql_pg import ExactNearestNeighbor, HNSWIndex
    from genkitx_cloud_sql_pg.indexes import default_index_name

    collection = await open_table()
    name = collection.name.removeprefix('postgres/')
    engine = PostgresEngine.from_dsn(dsn, command_timeout=0.3)
    limited = Postgres([name], engine=engine, embedder=embedder).collection(name)
    assert await limited.count() == 0
    records = [Record(f'{i}', embedder.embed(str(i)), Document.from_text(str(i))) for i in range(1001)]

    def while_it_is_locked(call: Any, mode: str) -> Any:
        async def run() -> None:
            transaction = sql.transaction()
            await transaction.start()
            await sql.execute(f'LOCK TABLE {name} IN {mode} MODE')
            running = asyncio.ensure_future(call)
            await asyncio.sleep(0.8)
            assert not running.done()
            await transaction.rollback()
            await running

        return run()

    # The table is empty: rows are copied in. Then they are written.
    await while_it_is_locked(limited.store.upsert(records[:1]), 'EXCLUSIVE')
    await while_it_is_locked(limited.store.upsert(records), 'EXCLUSIVE')
    await sql.execute(f'TRUNCATE {name}')
    await while_it_is_locked(engine.apply_vector_index(name, HNSWIndex(), concurrently=True), 'ROW EXCLUSIVE')
    await while_it_is_locked(engine.reindex(default_index_name(name)), 'ROW EXCLUSIVE')
    await while_it_is_locked(engine.apply_vector_index(name, ExactNearestNeighbor()), 'ACCESS SHARE')
    await while_it_is_locked(engine.apply_vector_index(name, HNSWIndex()), 'ROW EXCLUSIVE')
    await engine.aclose()


@pytest.mark.parametrize('size', [0, -1, 1.5, True, 'ten'])
def test_a_pool_has_a_connection(size: Any) -> None:
    for make in (
        lambda: PostgresEngine.from_dsn('postgresql://127.0.0.1/app', max_size=size),
        lambda: PostgresEngine.from_instance('p', 'r', 'i', 'app', max_size=size),
        lambda: PostgresEngine.from_alloydb_instance('p', 'r', 'c', 'i', 'app', max_size=size),
    ):
        with pytest.raises(GenkitError, match='max_size') as error:
            make()
        assert error.value.status == 'INVALID_ARGUMENT'
