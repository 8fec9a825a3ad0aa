# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Filters where PostgreSQL differs from Python: typed columns, numbers beyond 64 bits, order of characters, what SQL cannot hold."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from genkit import Document, GenkitError
from genkitx.filters import And, Comparison, Filter, Not, Or, evaluate
from genkitx.stores import Record
from genkitx.testing import HashEmbedder
from genkitx_cloud_sql_pg import Column, HNSWIndex, PostgresEngine

VECTOR = HashEmbedder(64).embed('x')

COLUMNS = [
    Column('text', 'TEXT'),
    Column('short', 'VARCHAR(20)'),
    Column('small', 'SMALLINT'),
    Column('int', 'INTEGER'),
    Column('big', 'BIGINT'),
    Column('double', 'DOUBLE PRECISION'),
    Column('real', 'REAL'),
    Column('numeric', 'NUMERIC'),
    Column('flag', 'BOOLEAN'),
    Column('tags', 'TEXT[]'),
    Column('json', 'JSONB'),
    Column('day', 'DATE'),
    Column('moment', 'TIMESTAMP WITH TIME ZONE'),
    Column('key', 'UUID'),
]
STRINGS = ['', 'a', 'b', 'A', 'é', 'zz', '1', 'true', "o'clock", '\\', 'a\U0001f600', 'a\uffee', '10', '9']
DAYS = ['2024-01-31', '2024-02-01', '1999-12-31']
MOMENTS = ['2024-01-31T10:00:00Z', '2024-01-31 10:00:00+00', '2025-01-01T00:00:00+02:00']
KEYS = ['10000000-0000-4000-8000-000000000001', 'A0000000-0000-4000-8000-000000000001', 'a' * 32]
VALUES: dict[str, list[Any]] = {
    'text': STRINGS,
    'short': STRINGS,
    'small': [0, 1, -1, 2.0, 32767],
    'int': [0, 1, -1, 2, 2.0, 2**31 - 1],
    'big': [0, 1, 2**53, 2**53 + 1, 2**53 - 1, -(2**63), 2**63 - 1],
    'double': [0, 0.1, 0.5, -1.5, 1e300, 5e-324, 2, 2**53 + 1],
    'real': [0, 0.5, -1.5, 2, 0.1],
    'numeric': [0, 0.1, 1.5, 10**30, -2, 2**53 + 1, 1e-7],
    'flag': [True, False],
    'tags': [[], ['a'], ['a', 'b'], ['1', 'é']],
    'json': [1, 1.5, 'a', True, [1, 'a'], {'inner': 1}, {'inner': {'deep': 'x'}}, []],
    'day': DAYS,
    'moment': MOMENTS,
    'key': KEYS,
}
ANY: list[Any] = [
    *STRINGS, *DAYS, *MOMENTS, *KEYS, 0, 1, -1, 0.1, 0.5, 1.5, 2, 2**53, 2**53 + 1, 1e300, 5e-324, 2**63, -(2**63), 10**30, 1e-7,
    32767.5, True, False,
]  # fmt: skip


def draw_filter(rng: random.Random, depth: int = 0) -> Filter:
    kind = rng.random()
    if depth < 3 and kind < 0.3:
        clauses = tuple(draw_filter(rng, depth + 1) for _ in range(rng.randint(1, 3)))
        return rng.choice([And, Or])(clauses)
    if depth < 3 and kind < 0.4:
        return Not(draw_filter(rng, depth + 1))
    key = rng.choice(list(VALUES))
    path = (key, 'inner') if rng.random() < 0.1 else (key,)
    # Mostly values of the column's own type, so that something matches.
    own = [one for one in VALUES[key] if not isinstance(one, list | dict)] or ['a', '1', 1]
    pool = own if rng.random() < 0.6 else ANY
    op = rng.choice(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin', '$exists', '$contains'])
    if op in ('$in', '$nin'):
        return Comparison(path, op, tuple(rng.choice([*pool, None]) for _ in range(rng.randint(0, 4))))
    if op == '$exists':
        return Comparison(path, op, rng.random() < 0.5)
    if op in ('$gt', '$gte', '$lt', '$lte'):
        return Comparison(path, op, rng.choice([one for one in [*pool, 1] if not isinstance(one, bool)]))
    return Comparison(path, op, rng.choice(pool) if op == '$contains' else rng.choice([*pool, None]))


@pytest.mark.parametrize('with_json', [True, False])
async def test_typed_columns_agree_with_the_reference(open_table: Callable[..., Any], with_json: bool) -> None:
    collection = await open_table(metadata_columns=COLUMNS, store_metadata=with_json)
    rng = random.Random(7)
    rows: list[dict[str, Any]] = []
    for _ in range(80):
        keys = rng.sample(list(VALUES), rng.randint(0, len(VALUES)))
        rows.append({key: rng.choice(VALUES[key]) if rng.random() < 0.9 else None for key in keys})
    await collection.store.upsert(
        [Record(f'id{i:03}', VECTOR, Document.from_text('x', row)) for i, row in enumerate(rows)]
    )
    # What a search gives back is what the filter is about: without JSON, dates and the like come in PostgreSQL's own spelling.
    stored = {
        record.id: record.document.metadata or {}
        for record in await collection.store.fetch([f'id{i:03}' for i in range(80)])
    }
    if with_json:
        assert [stored[f'id{i:03}'] for i in range(80)] == rows
    # Single comparisons first: a failure is then easy to read.
    for turn in range(900):
        case = draw_filter(rng, depth=3 if turn < 500 else 0)
        expected = {one for one, metadata in stored.items() if evaluate(case, metadata)}
        assert {match.id for match in await collection.search(VECTOR, k=80, filter=case)} == expected, case.to_dict()


@pytest.mark.parametrize('json_type', ['json', 'jsonb'])
async def test_columns_that_were_added_later_agree_with_the_reference(
    open_table: Callable[..., Any], sql: Any, json_type: str
) -> None:
    collection = await open_table(json_type=json_type)
    name = collection.name.removeprefix('postgres/')
    rng = random.Random(11)
    rows: list[dict[str, Any]] = []
    for _ in range(120):
        keys = rng.sample(list(VALUES), rng.randint(0, len(VALUES)))
        # Also values of types that the column, which is not there yet, could not hold.
        rows.append({key: rng.choice(VALUES[rng.choice([key, key, 'json', 'text'])]) for key in keys})
    ids = [f'id{i:03}' for i in range(120)]
    await collection.store.upsert(
        [Record(one, VECTOR, Document.from_text('x', row)) for one, row in zip(ids, rows, strict=True)]
    )
    added = ', '.join(f'ADD COLUMN "{column.name}" {column.data_type}' for column in COLUMNS)
    await sql.execute(f'ALTER TABLE {name} {added}')
    # In some rows a column has another value than the JSON: then the column's is shown.
    await sql.execute(
        f"UPDATE {name} SET text = 'b', int = 2, flag = true, numeric = 1.5, json = 'null' WHERE id < 'id040'"
    )
    collection.store._known = None
    stored = {record.id: record.document.metadata or {} for record in await collection.store.fetch(ids)}
    assert [stored[one].keys() for one in ids[40:]] == [row.keys() for row in rows[40:]]
    for turn in range(900):
        case = draw_filter(rng, depth=3 if turn < 600 else 0)
        expected = {one for one, metadata in stored.items() if evaluate(case, metadata)}
        assert {match.id for match in await collection.search(VECTOR, k=120, filter=case)} == expected, case.to_dict()


@pytest.mark.parametrize('json_type', ['json', 'jsonb'])
async def test_numbers_compare_as_doubles(open_table: Callable[..., Any], sql: Any, json_type: str) -> None:
    collection = await open_table(json_type=json_type)
    name = collection.name.removeprefix('postgres/')
    numbers = [
        '0', '-0', '0.0', '1', '1.0', '1e0', '0.1', '0.1000000000000000055511151231257827', '0.30000000000000004', '0.3',
        '9007199254740991', '9007199254740992', '9007199254740993', '9007199254740994', '1e400', '-1e400', '1e-400', '5e-324',
        '1.7976931348623157e308', '100000000000000000000000000000001',
    ]  # fmt: skip
    rows = [{'x': None, 'text': number} for number in numbers]
    for i, number in enumerate(numbers):
        document = f'{{"x": {number}, "list": [{number}, "{number}"]}}'
        await sql.execute(f'INSERT INTO {name} VALUES ($1, $1, $2::text::vector, $3)', str(i), str(VECTOR), document)
        rows[i] = json.loads(document)
    values = [
        0,
        1,
        0.1,
        0.3,
        0.1 + 0.2,
        2**53,
        2**53 - 1,
        2**53 + 2,
        5e-324,
        1.7976931348623157e308,
        -1.7976931348623157e308,
        1e32,
    ]
    cases: list[Filter] = [
        Comparison(('x',), op, v) for v in values for op in ('$eq', '$gt', '$gte', '$lt', '$lte', '$ne')
    ]  # type: ignore[arg-type]
    cases += [Comparison(('list',), '$contains', v) for v in values]
    cases += [Comparison(('x',), '$in', tuple(values[:n])) for n in range(len(values))]
    for case in cases:
        expected = {str(i) for i, row in enumerate(rows) if evaluate(case, row)}
        assert {match.id for match in await collection.search(VECTOR, k=50, filter=case)} == expected, case.to_dict()


async def test_text_orders_by_code_point(open_table: Callable[..., Any]) -> None:
    collection = await open_table(metadata_columns=[Column('c', 'TEXT')])
    stored = [
        '',
        'a',
        'ab',
        'a\x01',
        'B',
        'é',
        'z',
        '\ud7ff',
        '\ue000',
        '\uffff',
        '\U00010000',
        'a\ue000b',
        'ä',
        'Z',
        'a b',
        'a-b',
    ]
    bounds = [*stored, 'a\0', '\0', 'a\0b', '\ud800', 'a\ud800', '\udfffx', 'x\udc00\0']
    await collection.store.upsert(
        [Record(str(i), VECTOR, Document.from_text('x', {'c': one, 'j': one})) for i, one in enumerate(stored)]
    )
    for key in ('c', 'j'):
        for bound in bounds:
            for op in ('$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$contains'):
                case = Comparison((key,), op, bound)  # type: ignore[arg-type]
                expected = {str(i) for i, one in enumerate(stored) if evaluate(case, {key: one})}
                assert {m.id for m in await collection.search(VECTOR, k=50, filter=case)} == expected, (key, op, bound)


async def test_paths_walk_objects_only(open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    rows = [
        {'a': ['x']},
        {'a': {'0': 'x'}},
        {'a': [{'b': 1}]},
        {'a': {'b': 1}},
        {'a\0': 1} and {'a': 'x'},
        {'a.0': 'x'},
    ]
    await collection.store.upsert([Record(str(i), VECTOR, Document.from_text('x', row)) for i, row in enumerate(rows)])
    for path, value in (
        (('a', '0'), 'x'),
        (('a', 'b'), 1),
        (('a.0',), 'x'),
        (('a', '-1'), 'x'),
        (('nul\0',), 1),
        (('\ud800',), 1),
    ):
        for op in ('$eq', '$ne'):
            case = Comparison(path, op, value)  # type: ignore[arg-type]
            expected = {str(i) for i, row in enumerate(rows) if evaluate(case, row)}
            assert {match.id for match in await collection.search(VECTOR, k=9, filter=case)} == expected


async def test_huge_filters(open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    await collection.store.upsert(
        [Record(str(i), VECTOR, Document.from_text('x', {'n': i, 's': str(i)})) for i in range(20)]
    )
    many = {'$and': [{'n': {'$in': list(range(5, 10_000))}}, {'s': {'$in': [str(i) for i in range(10_000)]}}]}
    assert len(await collection.search(VECTOR, k=50, filter=many)) == 15
    wide = {'$or': [{f'k{i}': i} for i in range(998)] + [{'n': 3}]}
    assert [match.id for match in await collection.search(VECTOR, k=50, filter=wide)] == ['3']
    for deep in ('.'.join('x' * 101), '.'.join('x' * 50_000)):
        with pytest.raises(GenkitError) as error:
            await collection.search(VECTOR, k=1, filter={deep: 1})
        assert error.value.status == 'INVALID_ARGUMENT'
    too_many = {'$or': [{'.'.join(f'{i}{j}' for j in range(99)): 1} for i in range(400)]}
    with pytest.raises(GenkitError, match='too large') as error:
        await collection.search(VECTOR, k=1, filter=too_many)
    assert error.value.status == 'INVALID_ARGUMENT'


async def test_an_index_on_a_column_serves_its_filter(
    engine: PostgresEngine, open_table: Callable[..., Any], sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genkitx_cloud_sql_pg.filters import compile_filter
    from genkitx_cloud_sql_pg.sql import Parameters

    collection = await open_table(metadata_columns=[Column('tenant', 'TEXT'), Column('n', 'BIGINT')], json_type='jsonb')
    name = collection.name.removeprefix('postgres/')
    await collection.store.upsert(
        [Record(str(i), VECTOR, Document.from_text('x', {'tenant': f't{i}', 'n': i, 'j': str(i)})) for i in range(2000)]
    )
    await sql.execute(f'CREATE INDEX ON {name} (tenant); CREATE INDEX ON {name} (n)')
    await sql.execute(f"CREATE INDEX ON {name} ((json_metadata -> 'j')); ANALYZE {name}")
    layout = await collection.store.layout()
    await sql.execute('SET plan_cache_mode = force_custom_plan')
    for case in (
        Comparison(('tenant',), '$eq', 't7'),
        Comparison(('n',), '$lt', 5),
        Comparison(('n',), '$in', (5, 6.0)),
        Comparison(('j',), '$eq', '7'),
    ):
        parameters = Parameters()
        condition = compile_filter(case, layout, parameters, 'test')
        rows = await sql.fetch(f'EXPLAIN SELECT id FROM {name} AS t WHERE {condition}', *parameters.values)
        assert 'Index' in '\n'.join(row[0] for row in rows), case.to_dict()


@pytest.mark.parametrize(
    'partial', [{'kind': "o'clock\\"}, {'n': {'$gte': 0.5}, 'kind': {'$ne': None}}, {'kind': {'$in': ['a', 'b']}}]
)
async def test_a_partial_index_holds_the_rows_of_its_filter(
    engine: PostgresEngine, open_table: Callable[..., Any], sql: Any, partial: dict[str, Any]
) -> None:
    collection = await open_table(json_type='jsonb')
    name = collection.name.removeprefix('postgres/')
    rows: list[dict[str, Any]] = [
        {'kind': kind, 'n': n} for kind in ("o'clock\\", 'a', 'b', 'c', None) for n in range(3)
    ]
    await collection.store.upsert([Record(str(i), VECTOR, Document.from_text('x', row)) for i, row in enumerate(rows)])
    await engine.apply_vector_index(name, HNSWIndex(name=f'{name}_part', partial=partial))
    predicate = await sql.fetchval(
        'SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = $1::text::regclass', f'{name}_part'
    )
    count = await sql.fetchval(f'SELECT count(*) FROM {name} WHERE {predicate}')
    assert count == await collection.count(filter=partial) > 0
    (index,) = (await engine.describe_vectorstore_table(name)).indexes
    assert (index.name, index.partial) == (f'{name}_part', True)
    collection.store._known = None
    assert len(await collection.search(VECTOR, k=20, filter=partial)) == count
