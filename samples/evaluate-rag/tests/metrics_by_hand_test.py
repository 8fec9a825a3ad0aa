# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The measures against values worked out by hand."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ranking_metrics import METRICS, interval, mean, ndcg, precision, recall, reciprocal_rank

GRADES = {'a': 3, 'b': 2, 'c': 1}
# The best order gains 7 + 3 / log2(3) + 1 / log2(4) = 7 + 1.892789 + 0.5.
IDEAL = 9.392789


@pytest.mark.parametrize(
    ('ranking', 'k', 'expected'),
    [
        (['b', 'x', 'a', 'y'], 3, (2 / 3, 2 / 3, 1.0, (3 + 7 / 2) / IDEAL)),
        (['b', 'x', 'a', 'y'], 1, (1.0, 1 / 3, 1.0, 3 / 7)),
        # log2(5) = 2.321928; a place that stays empty is not relevant.
        (['x', 'y', 'z', 'c'], 4, (1 / 4, 1 / 3, 1 / 4, (1 / 2.321928) / IDEAL)),
        (['x', 'c'], 5, (1 / 5, 1 / 3, 1 / 2, (1 / 1.584963) / IDEAL)),
        (['a', 'b', 'c'], 3, (1.0, 1.0, 1.0, 1.0)),
        (['a', 'b', 'c', 'x'], 2, (1.0, 2 / 3, 1.0, 1.0)),
        (['x', 'y', 'a'], 2, (0.0, 0.0, 0.0, 0.0)),
        ([], 3, (0.0, 0.0, 0.0, 0.0)),
    ],
)
def test_values(ranking, k, expected):
    found = (precision(ranking, GRADES, k), recall(ranking, GRADES, k), reciprocal_rank(ranking, GRADES, k))
    assert (*found, ndcg(ranking, GRADES, k)) == pytest.approx(expected, abs=1e-6)


def test_the_order_of_equal_grades_does_not_matter():
    assert ndcg(['b', 'a'], {'a': 2, 'b': 2}, 2) == 1.0
    assert ndcg(['b', 'a'], {'a': 3, 'b': 2}, 2) < 1.0


@pytest.mark.parametrize('metric', METRICS.values())
def test_nonsense_is_refused(metric):
    for ranking, grades, k in ((['a'], GRADES, 0), (['a'], {}, 1), (['a'], {'a': 0}, 1), (['a', 'a'], GRADES, 2)):
        with pytest.raises(ValueError):
            metric(ranking, grades, k)


def test_interval():
    assert mean([0.25, 0.75]) == 0.5
    assert interval([0.5] * 8) == (0.5, 0.5)
    low, high = interval([0.0, 1.0] * 50)
    # The standard error of this mean is 0.05, so the interval is about 0.4 to 0.6.
    assert low == pytest.approx(0.4, abs=0.03)
    assert high == pytest.approx(0.6, abs=0.03)
    assert interval([0.0, 1.0] * 50) == (low, high)
