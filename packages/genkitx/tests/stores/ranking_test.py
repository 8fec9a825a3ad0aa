# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Cosine, maximal marginal relevance, reciprocal rank fusion."""

import math

import pytest
from genkit import Document
from genkitx.stores import Match, cosine, mmr, reciprocal_rank_fusion
from genkitx.stores.ranking import Direction
from hypothesis import given
from hypothesis import strategies as st


def match(name, *vector):
    return Match(name, 0.0, Document.from_text(name), vector or None)


def test_cosine():
    assert cosine([1, 0], [2, 0]) == 1
    assert cosine([1, 0], [0, 1]) == 0
    assert cosine([1, 1], [-1, -1]) == pytest.approx(-1)
    assert cosine([0, 0], [1, 1]) == 0
    assert cosine([], []) == 0


@pytest.mark.parametrize('scale', [5e-324, 1e-300, 1e-3, 1, 1e300, 1.7e308])
def test_cosine_of_vectors_of_any_length(scale):
    assert cosine([scale, scale], [1, 1]) == pytest.approx(1)
    assert cosine([scale, -scale], [1, 1]) == pytest.approx(0)
    assert cosine([-scale, 0], [1, 0]) == -1
    near = Direction.of([1, 1]).cosines([Direction.of([scale, scale]), Direction.of([scale, -scale])])
    assert near == pytest.approx([1, 0], abs=1e-12)


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=1, max_size=20))
def test_cosines_are_those_of_products(pairs):
    a, b = zip(*pairs, strict=True)
    exact = cosine(a, b)
    assert -1 <= exact <= 1
    assert Direction.of(a).cosines([Direction.of(b)])[0] == pytest.approx(exact, abs=1e-14)
    length = math.hypot(*a) * math.hypot(*b)
    if length > 1e-100:
        assert exact == pytest.approx(math.fsum(x * y for x, y in pairs) / length, abs=1e-14)
    # No vector is closer to itself than by rounding.
    assert cosine(a, a) == (1 if any(a) else 0)


def test_mmr_weighs_relevance_against_sameness():
    query = [1.0, 0.0]
    candidates = [match('a', 1.0, 0.01), match('b', 1.0, 0.02), match('c', 0.7, -0.7)]
    assert [one.id for one in mmr(query, candidates, k=2, weight=1)] == ['a', 'b']
    assert [one.id for one in mmr(query, candidates, k=2, weight=0.3)] == ['a', 'c']
    assert [one.id for one in mmr(query, candidates, k=9)] == ['a', 'c', 'b']
    assert mmr(query, [], k=3) == []
    with pytest.raises(ValueError, match="'d' carries no vector"):
        mmr(query, [match('d')], k=1)


def test_reciprocal_rank_fusion():
    fused = reciprocal_rank_fusion([['a', 'b', 'c'], ['b', 'd']])
    assert [key for key, _ in fused] == ['b', 'a', 'd', 'c']
    assert dict(fused)['b'] == pytest.approx(1 / 62 + 1 / 61)
    weighted = reciprocal_rank_fusion([['a'], ['b']], weights=[1, 2], constant=1)
    assert weighted == [('b', 1.0), ('a', 0.5)]
    assert reciprocal_rank_fusion([]) == []
