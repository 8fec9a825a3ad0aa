# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Documents out: options, ranges, words, both together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from genkit import Document, GenkitError
from genkitx.stores import VectorCollection
from genkitx.testing import HashEmbedder
from genkitx_milvus import Milvus, MilvusCollection

WORDS = ('red apples grow', 'green apples fall', 'a red bicycle', 'the river flows', 'rivers and apples')


@pytest_asyncio.fixture(scope='module', loop_scope='module')
async def words(engine: str) -> AsyncIterator[VectorCollection]:
    settings = MilvusCollection(name='words', auto_id=False, text_search=True)
    plugin = Milvus([settings], uri=engine, embedder=HashEmbedder(32))
    collection = plugin.collection('words')
    documents = [Document.from_text(text, {'n': i, 'fruit': 'apples' in text}) for i, text in enumerate(WORDS)]
    await collection.add(documents, ids=[f'w{i}' for i in range(len(WORDS))])
    yield collection
    await plugin.aclose()


pytestmark = pytest.mark.asyncio(loop_scope='module')


async def test_words(words: VectorCollection) -> None:
    found = await words.search('apples', mode='text')
    assert {match.id for match in found} == {'w0', 'w1', 'w4'}
    scores = [match.score for match in found]
    assert scores == sorted(scores, reverse=True)
    assert all(score > 0 for score in scores)
    found = await words.search('apples', mode='text', filter={'n': {'$gt': 0}}, k=1, offset=1)
    assert len(found) == 1
    assert found[0].document.metadata['fruit'] is True  # type: ignore[index]


@pytest.mark.parametrize(
    'options',
    [
        {},
        {'rrf_k': 10},
        {'ranker': 'weighted'},
        {'weights': (0.1, 0.9)},
        {'candidates': 5, 'search_params': {'ef': 10}},
    ],
)
async def test_hybrid(words: VectorCollection, options: dict[str, Any]) -> None:
    found = await words.search('red apples', mode='hybrid', k=3, **options)
    assert found[0].id == 'w0'
    assert len(found) == 3
    scores = [match.score for match in found]
    assert scores == sorted(scores, reverse=True)
    found = await words.search('red apples', mode='hybrid', filter={'fruit': False}, **options)
    assert {match.id for match in found} == {'w2', 'w3'}


async def test_hybrid_rank_fusion_is_the_engines(words: VectorCollection) -> None:
    best = (await words.search('red apples grow', mode='hybrid', k=1))[0]
    assert (best.id, best.score) == ('w0', pytest.approx(2 / 61, abs=1e-6))


async def test_weights_imply_the_weighted_ranker(words: VectorCollection) -> None:
    async def scores(**options: Any) -> list[tuple[str, Any]]:
        found = await words.search('red apples', mode='hybrid', **options)
        return [(match.id, pytest.approx(match.score, abs=1e-5)) for match in found]

    weighted = await scores(ranker='weighted', weights=(0.1, 0.9))
    assert await scores(ranker=None, weights=(0.1, 0.9)) == weighted
    assert await scores(weights=(0.1, 0.9)) == weighted
    assert await scores(ranker=None) == await scores(ranker='rrf') != weighted


async def test_limit_is_k(words: VectorCollection) -> None:
    assert len(await words.search('apples', limit=2)) == 2
    assert len(await words.search('apples', k=4, limit=1)) == 1
    with pytest.raises(GenkitError) as error:
        await words.search('apples', limit=0)
    assert error.value.status == 'INVALID_ARGUMENT'


async def test_range_and_offset(words: VectorCollection) -> None:
    everything = await words.search('red apples', k=5)
    middle = (everything[1].score + everything[2].score) / 2
    near = await words.search('red apples', k=5, radius=middle)
    assert [match.id for match in near] == [match.id for match in everything[:2]]
    top = (everything[0].score + everything[1].score) / 2
    ring = await words.search('red apples', k=5, radius=middle, range_filter=top)
    assert [match.id for match in ring] == [everything[1].id]
    assert [match.id for match in await words.search('red apples', k=2, offset=2)] == [
        one.id for one in everything[2:4]
    ]


@pytest.mark.parametrize(
    'options',
    [
        {'radius': 0.5, 'mode': 'text'},
        {'search_params': {'ef': 1}, 'mode': 'text'},
        {'radius': 0.5, 'mode': 'hybrid'},
        {'range_filter': 0.5},
        {'ranker': 'rrf'},
        {'weights': (0.5, 0.5)},
        {'weights': (0.5, 1.5), 'mode': 'hybrid'},
        {'weights': (0.5, 0.5), 'ranker': 'rrf', 'mode': 'hybrid'},
        {'weights': (0.5, 0.5), 'rrf_k': 3, 'mode': 'hybrid'},
        {'offset': 16384},
        {'offset': -1},
        {'partitions': ['a'], 'namespace': 'b'},
        {'partitions': ['a"; drop']},
        {'namespace': 'a b'},
        {'consistency_level': 'Whatever'},
        {'filter': {'a': {'$gt': 'x' * 200}}},
    ],
)
async def test_options_that_make_no_sense(words: VectorCollection, options: dict[str, Any]) -> None:
    with pytest.raises(GenkitError) as error:
        await words.search('red', **options)
    assert error.value.status == 'INVALID_ARGUMENT'


@pytest.mark.parametrize('level', ['Strong', 'Session', 'Bounded', 'Eventually'])
async def test_consistency(words: VectorCollection, level: str) -> None:
    assert len(await words.search('red', consistency_level=level)) == 5


async def test_an_expression_of_ones_own(words: VectorCollection) -> None:
    found = await words.search('red', unsafe_expression='document like "%river%"', filter={'n': {'$lt': 4}})
    assert [match.id for match in found] == ['w3']
    with pytest.raises(GenkitError) as error:
        await words.search('red', unsafe_expression='((')
    assert error.value.status == 'INVALID_ARGUMENT'


async def test_long_strings_keep_their_order(engine: str) -> None:
    plugin = Milvus(['ordered'], uri=engine, embedder=HashEmbedder(8))
    collection = plugin.collection('ordered')
    values = ['a' * 128, 'a' * 129, 'a' * 500 + 'b', 'b', 'é', '\U0001f600', '']
    await collection.add([Document.from_text(f't {i}', {'s': value}) for i, value in enumerate(values)])
    for bound in ('a' * 128, 'b', '\uffff', ''):
        for op, holds in (('$gt', str.__gt__), ('$lte', str.__le__)):
            assert await collection.count(filter={'s': {op: bound}}) == sum(holds(value, bound) for value in values), (
                op,
                bound,
            )
    assert await collection.count(filter={'s': values[2]}) == 1
    await plugin.aclose()


async def test_several_partitions_at_once(engine: str) -> None:
    settings = [
        MilvusCollection(name='parts', auto_id=False),
        MilvusCollection(name='all_parts', auto_id=False, partition=None),
    ]
    plugin = Milvus(settings, uri=engine, embedder=HashEmbedder(8))
    for name in ('parts', 'all_parts'):
        for namespace in (None, 'a', 'b'):
            await plugin.collection(name).add([Document.from_text(f'in {namespace}')], namespace=namespace)
    found = await plugin.collection('parts').search('in', partitions=['a', 'b'])
    assert {match.document.text for match in found} == {'in a', 'in b'}
    assert len(await plugin.collection('parts').search('in')) == 1
    assert len(await plugin.collection('all_parts').search('in')) == 3
    assert await plugin.collection('all_parts').count() == 3
    await plugin.aclose()
