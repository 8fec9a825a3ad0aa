# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""How good a ranking is: the usual measures, for one question at a time.

A ranking is a list of ids, best first, each at most once. Grades say how relevant each passage is to the question, from 1;
whatever has no grade is not relevant. Measures that know no grades count every graded passage as relevant.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence

Metric = Callable[[Sequence[str], Mapping[str, int], int], float]


def precision(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """The share of the first k places that are relevant.

    P@k = |relevant in the first k| / k. Places that stay empty because less was found count as not relevant (Manning,
    Raghavan and Schütze, Introduction to Information Retrieval, 2008, section 8.4).
    """
    return _found(ranking, grades, k) / k


def recall(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """The share of all relevant passages that are among the first k.

    R@k = |relevant in the first k| / |relevant| (Manning, Raghavan and Schütze, 2008, section 8.3, on the first k).
    """
    return _found(ranking, grades, k) / len(grades)


def reciprocal_rank(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """One divided by the rank of the first relevant passage; 0 if there is none among the first k.

    Its mean over all questions is the MRR (Voorhees, The TREC-8 Question Answering Track Report, 1999).
    """
    _check(ranking, grades, k)
    return next((1 / rank for rank, each in enumerate(ranking[:k], start=1) if each in grades), 0.0)


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Normalized discounted cumulative gain of the first k: 1 when no order could be better.

    DCG@k = sum over ranks i of (2^grade - 1) / log2(i + 1), divided by the DCG@k of the best possible order. The idea is
    of Järvelin and Kekäläinen (Cumulated gain-based evaluation of IR techniques, 2002), this gain of Burges et al.
    (Learning to rank using gradient descent, 2005).
    """
    _check(ranking, grades, k)
    ideal = sorted(grades.values(), reverse=True)
    return _dcg([grades.get(each, 0) for each in ranking[:k]]) / _dcg(ideal[:k])


METRICS: dict[str, Metric] = {'precision': precision, 'recall': recall, 'mrr': reciprocal_rank, 'ndcg': ndcg}


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return math.fsum(values) / len(values)


def interval(values: Sequence[float], *, resamples: int = 2000, seed: int = 0) -> tuple[float, float]:
    """The range that holds 95 % of the means of resampled values: how much the mean depends on the questions chosen.

    Percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). Over the differences of
    two set-ups on the same questions it tells whether one is better: when it does not hold 0.
    """
    chance = random.Random(seed)
    means = sorted(mean(chance.choices(values, k=len(values))) for _ in range(resamples))
    return means[int(0.025 * resamples)], means[int(0.975 * resamples) - 1]


def _found(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> int:
    _check(ranking, grades, k)
    return sum(each in grades for each in ranking[:k])


def _dcg(grades: Sequence[int]) -> float:
    return math.fsum((2**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))


def _check(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> None:
    if k < 1:
        raise ValueError(f'k must be at least 1, not {k}')
    if not grades or min(grades.values()) < 1:
        raise ValueError('a question needs at least one relevant passage, and grades from 1')
    if len(set(ranking)) != len(ranking):
        raise ValueError('the ranking has a passage twice')
