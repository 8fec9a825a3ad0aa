# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The measures as evaluators of Genkit, and a flow for them to judge: for `ai.evaluate`, the Dev UI and the CLI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genkit import Genkit
from genkit.evaluator import BaseDataPoint, Details, EvalFnResponse, Score
from labelled import Labelled
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from ranking_metrics import METRICS, Metric

DEFINITIONS = {
    'precision': 'Share of the first k places that are relevant.',
    'recall': 'Share of the relevant passages that are among the first k.',
    'mrr': 'One divided by the rank of the first relevant passage.',
    'ndcg': 'Gain of the order of the first k, by graded relevance; 1 is the best possible order.',
}
RANKING = TypeAdapter(list[str])
GRADES = TypeAdapter(dict[str, int])


class Options(BaseModel):
    """Options of every evaluator."""

    model_config = ConfigDict(extra='forbid')

    k: int = Field(default=5, ge=1, description='How many places count')


def define_evaluators(ai: Genkit) -> list[str]:
    """Defines `retrieval/precision`, `retrieval/recall`, `retrieval/mrr` and `retrieval/ndcg`. Returns the names.

    A data point's `output` is the ranking, a list of ids; its `reference` the grades by id.
    """
    return [_define(ai, f'retrieval/{name}', name, metric) for name, metric in METRICS.items()]


def _define(ai: Genkit, name: str, short: str, metric: Metric) -> str:
    async def judge(point: BaseDataPoint, options: Any) -> EvalFnResponse:
        k = Options.model_validate(options or {}).k
        ranking = RANKING.validate_python(point.output)
        grades = GRADES.validate_python(point.reference)
        found = [f'{rank}: {each} ({grades[each]})' for rank, each in enumerate(ranking[:k], start=1) if each in grades]
        details = Details(reasoning=f'Relevant among the first {k}: {", ".join(found) or "nothing"}.')
        value = Score(id=f'{short}@{k}', score=metric(ranking, grades, k), details=details)
        return EvalFnResponse(test_case_id=point.test_case_id or '', evaluation=value)

    ai.define_evaluator(name=name, display_name=short, definition=DEFINITIONS[short], fn=judge, config_schema=Options)
    return name


def data_points(data: Labelled, rankings: Mapping[str, Any]) -> list[BaseDataPoint]:
    """Questions and what was found for them, as a data set for `ai.evaluate`."""
    return [
        BaseDataPoint(
            test_case_id=each.id,
            input=each.question,
            output=list(rankings[each.id]),
            context=[data.passages[name].text for name in rankings[each.id]],
            reference=each.relevant,
        )
        for each in data.questions.values()
    ]


def write_dataset(path: Path, data: Labelled) -> None:
    """Writes the questions for `genkit eval:flow search --input FILE`."""
    points = [
        {
            'testCaseId': each.id,
            'input': {'question': each.question, 'topic': each.topic},
            'reference': each.relevant,
        }
        for each in data.questions.values()
    ]
    path.write_text(json.dumps(points, indent=2, ensure_ascii=False) + '\n', encoding='utf-8')
