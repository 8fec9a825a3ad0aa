# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Searching: distances and scores, words and both, options, what is selected and what is not."""

import math
import re
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from genkit import Document, GenkitError
from genkitx.testing import HashEmbedder
from genkitx.testing.stores import texts
from genkitx_cloud_sql_pg import Column, DistanceStrategy, HNSWIndex, PostgresEngine, PostgresRetrieverOptions
from genkitx_cloud_sql_pg.sql import vector_text

ANIMALS = [
    Document.from_text('The quick brown fox jumps over the lazy dog', {'kind': 'animal', 'n': 1}),
    Document.from_text('Foxes are hunting at night', {'kind': 'animal', 'n': 2}),
    Document.from_text('Databases store rows in pages', {'kind': 'tech', 'n': 3}),
    Document.from_text("It's 100% sure: a\\b & c | d ! (e) <-> 'quoted'", {'kind': 'odd', 'n': 4}),
]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every query that fetches rows."""
    seen: list[str] = []
    fetch = asyncpg.Connection.fetch

    async def record(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        seen.append(query)
        return await fetch(self, query, *arguments, **options)

    monkeypatch.setattr(asyncpg.Connection, 'fetch', record)
    return seen


@pytest.mark.parametrize('strategy', list(DistanceStrategy))
@pytest.mark.parametrize('vector_type', ['vector', 'halfvec'])
@pytest.mark.parametrize('indexed', [False, True])
async def test_scores(
    open_table: Callable[..., Any],
    engine: PostgresEngine,
    embedder: HashEmbedder,
    strategy: DistanceStrategy,
    vector_type: Any,
    indexed: bool,
) -> None:
    collection = await open_table({'distance_strategy': strategy}, vector_type=vector_type)
    await collection.add(texts(40))
    if indexed:
        name = collection.name.removeprefix('postgres/')
        await engine.apply_vector_index(name, HNSWIndex(distance_strategy=strategy))
    query = [x * 2 for x in embedder.embed('river number 3')]
    found = await collection.search(query, k=40)

    def exact(text: str) -> float:
        vector = embedder.embed(text)
        dot = sum(a * b for a, b in zip(query, vector, strict=True))
        if strategy is DistanceStrategy.INNER_PRODUCT:
            return dot
        if strategy is DistanceStrategy.EUCLIDEAN:
            return 1 / (1 + math.dist(query, vector))
        return dot / 2

    assert len(found) == 40
    scores = [match.score for match in found]
    assert scores == sorted(scores, reverse=True)
    tolerance = 2e-2 if vector_type == 'halfvec' else 1e-5
    assert scores == pytest.approx([exact(match.document.text) for match in found], abs=tolerance)


async def test_a_zero_vector_has_a_score(open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    await collection.add(texts(3))
    assert [match.score for match in await collection.search([0.0] * 64, k=2)] == [0.0, 0.0]


@pytest.mark.parametrize('text_search', [None, 'english'])
async def test_words(open_table: Callable[..., Any], text_search: str | None) -> None:
    collection = await open_table(text_search=text_search)
    await collection.add(ANIMALS)
    found = await collection.search('fox', k=5, mode='text')
    # English stems 'foxes'; without a column the words are taken as they are.
    assert {match.document.metadata['n'] for match in found} == ({1, 2} if text_search else {1})
    assert all(match.score > 0 for match in found)
    assert [m.document.metadata['n'] for m in await collection.search('pages rows', k=5, mode='text')] == [3]
    filtered = await collection.search('fox pages', k=5, mode='text', filter={'kind': 'tech'})
    assert [match.document.metadata['n'] for match in filtered] == [3]
    assert await collection.search('', k=5, mode='text') == []
    for odd in ("' & | ! ( <-> :*", "100% a\\b 'quoted'", '\\', "''", ':', 'a:b & !c'):
        await collection.search(odd, k=5, mode='text')
        assert len(await collection.search(odd, k=4, mode='hybrid')) == 4
    assert [m.document.metadata['n'] for m in await collection.search("'quoted' sure", k=5, mode='text')] == [4]


async def test_text_search_needs_no_embedder(open_table: Callable[..., Any], embedder: HashEmbedder) -> None:
    collection = await open_table(text_search='english')
    await collection.add(ANIMALS)
    embedder.requests.clear()
    assert await collection.search('fox', k=1, mode='text')
    assert embedder.calls == 0


async def test_hybrid_fuses_by_reciprocal_rank(open_table: Callable[..., Any], embedder: HashEmbedder) -> None:
    collection = await open_table(text_search='simple')
    documents = texts(30)
    await collection.add(documents)
    query = 'river number 17'
    dense = [match.id for match in await collection.search(query, k=40)]
    words = [match.id for match in await collection.search(query, k=40, mode='text')]
    found = await collection.search(query, k=10, mode='hybrid')
    assert found[0].document.metadata == {'n': 17, 'even': False}
    for match in found:
        ranks = [ranking.index(match.id) + 1 for ranking in (dense, words) if match.id in ranking]
        assert match.score == pytest.approx(sum(1 / (60 + rank) for rank in ranks))
    assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)
    filtered = await collection.search(query, k=30, mode='hybrid', filter={'even': True})
    assert {match.document.metadata['n'] for match in filtered} == set(range(0, 30, 2))


async def test_vectors_are_never_selected_unasked(open_table: Callable[..., Any], statements: list[str]) -> None:
    collection = await open_table()
    await collection.add(texts(5))
    statements.clear()
    await collection.search('river', k=3)
    await collection.search('river', k=3, filter={'even': True})
    assert len(statements) == 2
    for one in statements:
        assert re.findall(r'"embedding"(?! OPERATOR)', one) == []
    statements.clear()
    found = await collection.search('river', k=3, mmr={'fetch_k': 5})
    assert len(statements) == 1
    assert len(found[0].vector) == 64


@pytest.mark.parametrize('options', [{}, {'exact': True}, {'mode': 'text'}, {'filter': {'even': True}}])
async def test_only_what_is_found_is_converted(
    open_table: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, sql: Any, options: Any
) -> None:
    ran: list[tuple[str, tuple[Any, ...]]] = []
    fetch = asyncpg.Connection.fetch

    async def record(self: Any, query: str, *arguments: Any, **settings: Any) -> Any:
        ran.append((query, arguments))
        return await fetch(self, query, *arguments, **settings)

    collection = await open_table(json_type='jsonb', id_column='id')
    await collection.add(texts(30))
    await collection.count()
    monkeypatch.setattr(asyncpg.Connection, 'fetch', record)
    assert len(await collection.search('river', k=3, **options)) == 3
    ((query, arguments),) = ran
    vectors = [vector_text(one) if isinstance(one, list) else one for one in arguments]
    query = query.replace('"public".vector', 'text::vector') if options.get('mode') != 'text' else query
    lines = [row[0] for row in await sql.fetch(f'EXPLAIN (VERBOSE, COSTS OFF) {query}', *vectors)]
    # PostgreSQL computes what is selected for every row that it sorts: casts of ids and JSON belong above the limit.
    limit = next(i for i, line in enumerate(lines) if line.lstrip(' ->').startswith('Limit'))
    outputs = [line for line in lines[limit:] if line.lstrip().startswith('Output:')]
    assert any('json_metadata' in line for line in outputs)
    assert not any('(json_metadata)::text' in line or '(id)::text' in line for line in outputs)
    # And a distance is computed once for each row.
    assert not any(line.count('<=>') > 1 for line in outputs)


async def test_a_column_may_have_any_name(open_table: Callable[..., Any]) -> None:
    columns = [Column('closeness', 'INTEGER'), Column('closeness_', 'TEXT'), Column('score', 'TEXT')]
    collection = await open_table(text_search='simple', metadata_columns=columns)
    await collection.add([Document.from_text(f'river {i}', {'closeness': i, 'closeness_': 'x'}) for i in range(5)])
    for mode in ('dense', 'text', 'hybrid'):
        found = await collection.search('river', k=5, mode=mode, mmr=None)
        assert {match.document.metadata['closeness'] for match in found} == set(range(5))
        assert all(-1 <= match.score <= 1 for match in found)


async def test_raw_sql_only_under_its_own_name(open_table: Callable[..., Any]) -> None:
    collection = await open_table()
    await collection.add(texts(6))
    with pytest.raises(GenkitError, match='filter') as error:
        await collection.search('river', k=6, filter="(json_metadata->>'n')::int > 3")
    assert error.value.status == 'INVALID_ARGUMENT'
    condition = "(t.json_metadata->>'n')::int > 3"
    found = await collection.search('river', k=6, unsafe_sql_filter=condition, filter={'even': True})
    assert [match.document.metadata['n'] for match in found] == [4]
    with pytest.raises(GenkitError) as error:
        await collection.search('river', k=6, unsafe_sql_filter='no such column')
    assert error.value.status in ('INVALID_ARGUMENT', 'FAILED_PRECONDITION')
    assert await collection.count() == 6


async def test_options_on_the_wire() -> None:
    options = PostgresRetrieverOptions.model_validate(
        {'k': 3, 'efSearch': 80, 'unsafeSqlFilter': 'true', 'exact': True}
    )
    assert (options.ef_search, options.unsafe_sql_filter, options.exact) == (80, 'true', True)
    for wrong in ({'efSearch': 0}, {'efSearch': 2000}, {'probes': 0}, {'sort': 'x'}):
        with pytest.raises(ValueError):
            PostgresRetrieverOptions.model_validate(wrong)
