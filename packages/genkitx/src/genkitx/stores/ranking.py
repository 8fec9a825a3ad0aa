# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Ranking that no engine has to do: cosine similarity, maximal marginal relevance, reciprocal rank fusion."""

from __future__ import annotations

import math
import sys
from collections.abc import Hashable, Sequence
from operator import mul
from typing import TypeVar

from genkitx.stores.store import Match

KeyT = TypeVar('KeyT', bound=Hashable)


if sys.version_info >= (3, 12):
    dot = math.sumprod
else:

    def dot(a: Sequence[float], b: Sequence[float], /) -> float:
        """Returns the inner product of two vectors of the same length."""
        return sum(map(mul, a, b))


def dots(query: Sequence[float], vectors: Sequence[Sequence[float]]) -> list[float]:
    """Returns the inner product of a query with each of many vectors."""
    if sys.version_info >= (3, 12):
        return [math.sumprod(query, vector) for vector in vectors]
    # `dot`, without a call for each vector: a linear search spends its time here.
    return [sum(map(mul, query, vector)) for vector in vectors]


def norm(a: Sequence[float]) -> float:
    """Returns the Euclidean length of a vector."""
    return math.sqrt(dot(a, a))


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """Returns the cosine of the angle between two vectors, -1 to 1; 0 when one of them is zero."""
    length = norm(a) * norm(b)
    return dot(a, b) / length if length else 0.0


def mmr(query: Sequence[float], candidates: Sequence[Match], *, k: int, weight: float = 0.5) -> list[Match]:
    """Picks matches that are relevant and differ from each other.

    Maximal marginal relevance (Carbonell and Goldstein, 1998): each step takes the candidate with the largest
    `weight * cosine(query, c) - (1 - weight) * max(cosine(c, s) for s in selected)`.

    Args:
        query: The query's vector.
        candidates: Matches with vectors, best first.
        k: Number of matches to pick.
        weight: 1 looks at relevance only, 0 at diversity only.

    Returns:
        At most `k` matches in the order they were picked.
    """
    relevance = [cosine(query, _vector(match)) for match in candidates]
    closest = [0.0] * len(candidates)
    left = list(range(len(candidates)))
    picked: list[Match] = []
    while left and len(picked) < k:
        best = max(left, key=lambda i: (weight * relevance[i] - (1 - weight) * closest[i], -i))
        left.remove(best)
        picked.append(candidates[best])
        chosen = _vector(candidates[best])
        for i in left:
            similarity = cosine(_vector(candidates[i]), chosen)
            closest[i] = similarity if len(picked) == 1 else max(closest[i], similarity)
    return picked


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[KeyT]], *, constant: int = 60, weights: Sequence[float] | None = None
) -> list[tuple[KeyT, float]]:
    """Fuses rankings of the same things.

    Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): a thing scores the sum of `weight / (constant + rank)` over
    the rankings that have it, ranks from 1.

    Args:
        rankings: Each best first, without duplicates.
        constant: How fast a rank loses its worth.
        weights: One a ranking; all 1 by default.

    Returns:
        Every thing with its score, best first; ties keep the order of first appearance.
    """
    scores: dict[KeyT, float] = {}
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + weight / (constant + rank)
    return sorted(scores.items(), key=lambda item: -item[1])


def _vector(match: Match) -> Sequence[float]:
    if match.vector is None:
        raise ValueError(f'match {match.id!r} carries no vector')
    return match.vector
