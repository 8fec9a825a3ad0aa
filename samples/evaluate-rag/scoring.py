# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Rankings to numbers: every measure at every k, question by question and on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labelled import Labelled
from ranking_metrics import METRICS, interval, mean

Rankings = Mapping[str, Sequence[str]]
"""Question id to passage ids."""


@dataclass(frozen=True)
class Scores:
    """What a set-up is worth: `of['ndcg', 5]` has a number for each question."""

    rankings: Rankings
    of: Mapping[tuple[str, int], Mapping[str, float]]

    def mean(self, metric: str, k: int) -> float:
        """The average over the questions."""
        return mean(list(self.of[metric, k].values()))

    def interval(self, metric: str, k: int) -> tuple[float, float]:
        """Where the average may lie with other questions."""
        return interval(list(self.of[metric, k].values()))

    def gain(self, other: Scores, metric: str, k: int) -> tuple[float, float, float]:
        """How much better than another set-up, on the same questions, with the ends of its interval."""
        theirs = other.of[metric, k]
        differences = [value - theirs[question] for question, value in self.of[metric, k].items()]
        return mean(differences), *interval(differences)


def score(data: Labelled, rankings: Rankings, cuts: Sequence[int]) -> Scores:
    """Computes every measure at every k."""
    of = {
        (name, k): {each: metric(rankings[each], data.questions[each].relevant, k) for each in rankings}
        for name, metric in METRICS.items()
        for k in cuts
    }
    return Scores(rankings, of)


def as_json(data: Labelled, results: Mapping[str, Scores], what: Mapping[str, str], cuts: Sequence[int]) -> Any:
    """Everything, for a file: averages, intervals, and each question's ranking and numbers."""
    return {
        'passages': len(data.passages),
        'questions': len(data.questions),
        'k': list(cuts),
        'setups': {
            name: {
                'what': what[name],
                'mean': {f'{metric}@{k}': scores.mean(metric, k) for metric, k in scores.of},
                'interval95': {f'{metric}@{k}': scores.interval(metric, k) for metric, k in scores.of},
                'questions': {
                    each: {
                        'ranking': list(ranking),
                        **{f'{metric}@{k}': values[each] for (metric, k), values in scores.of.items()},
                    }
                    for each, ranking in scores.rankings.items()
                },
            }
            for name, scores in results.items()
        },
    }
