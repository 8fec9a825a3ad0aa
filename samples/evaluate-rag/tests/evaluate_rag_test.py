# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it: every number it reports follows from the rankings it reports."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))

from evaluators import data_points, define_evaluators  # noqa: E402
from genkitx import Genkit  # noqa: E402
from labelled import LabelError, load  # noqa: E402
from ranking_metrics import METRICS  # noqa: E402

SETUPS = ('local', 'chroma', 'mmr', 'topic', 'hybrid')


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(HERE / 'main.py'), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={'PATH': '', 'COLUMNS': '100', 'GRPC_ENABLE_FORK_SUPPORT': '0'},
    )


@pytest.fixture(scope='module')
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any], bytes]:
    out = tmp_path_factory.mktemp('evaluate') / 'out'
    done = command(*SETUPS, '--out', out, '-k', 1, 3, 5)
    assert done.returncode == 0, done.stderr
    assert 'Traceback' not in done.stderr
    return done.stdout, json.loads((out / 'results.json').read_text()), (out / 'results.png').read_bytes()


def test_numbers_follow_from_the_rankings(run):
    printed, results, _ = run
    data = load(HERE / 'data')
    assert list(results['setups']) == list(SETUPS)
    for name, result in results['setups'].items():
        assert list(result['questions']) == list(data.questions)
        for each, found in result['questions'].items():
            assert set(found['ranking']) <= set(data.passages)
            for metric, function in METRICS.items():
                for k in (1, 3, 5):
                    value = function(found['ranking'], data.questions[each].relevant, k)
                    assert found[f'{metric}@{k}'] == pytest.approx(value)
        mean = sum(found['ndcg@5'] for found in result['questions'].values()) / len(data.questions)
        assert result['mean']['ndcg@5'] == pytest.approx(mean)
        low, high = result['interval95']['ndcg@5']
        assert low <= mean <= high
        assert re.search(rf'^ *{name} .* {mean:.3f} \[', printed, re.MULTILINE), printed


def test_the_setups_do_what_they_say(run):
    _, results, picture = run
    data = load(HERE / 'data')
    rankings = {
        name: {each: q['ranking'] for each, q in r['questions'].items()} for name, r in results['setups'].items()
    }
    for each, question in data.questions.items():
        assert {data.passages[hit].topic for hit in rankings['topic'][each]} == {question.topic}
        # MMR's first choice is the most relevant one.
        assert rankings['mmr'][each][0] == rankings['local'][each][0]
    assert rankings['mmr'] != rankings['local'] != rankings['hybrid']
    # An embedder that works finds most answers; a filter by the right topic cannot hurt.
    means = {name: result['mean']['recall@5'] for name, result in results['setups'].items()}
    assert means['local'] > 0.8
    assert means['topic'] >= means['local']
    # So small a graph leaves nothing out.
    assert means['chroma'] == pytest.approx(means['local'], abs=0.02)
    assert picture.startswith(b'\x89PNG')
    assert len(picture) > 10_000


def test_genkit_computes_the_same(run):
    printed, _, _ = run
    assert len(re.findall(r'^  retrieval/\w+ +\d\.\d{3}  as above$', printed, re.MULTILINE)) == len(METRICS)
    assert 'NOT' not in printed


async def test_evaluators():
    data = load(HERE / 'data')
    ai = Genkit()
    names = define_evaluators(ai)
    points = data_points(data, {each: [next(iter(q.relevant))] for each, q in data.questions.items()})
    points[1].reference = None
    judged = (await ai.evaluate('retrieval/mrr', points[:2], options={'k': 3})).root
    assert (judged[0].evaluation.score, judged[0].evaluation.id) == (1.0, 'mrr@3')
    assert judged[0].evaluation.details.reasoning == 'Relevant among the first 3: 1: jaguar-hunting (3).'
    assert judged[1].evaluation.error is not None
    assert names == ['retrieval/precision', 'retrieval/recall', 'retrieval/mrr', 'retrieval/ndcg']


def test_bad_data_is_named(tmp_path: Path):
    passages, questions = tmp_path / 'passages.jsonl', tmp_path / 'questions.jsonl'
    passages.write_text('{"id": "a", "topic": "t", "text": "A."}\n\n')
    good = '{"id": "q", "topic": "t", "question": "A?", "relevant": {"a": 3}}\n'
    for content, message in (
        (good.replace('"a": 3', '"b": 3'), "Question q names the passage 'b'"),
        (good + good, "line 2: the id 'q' occurs twice"),
        (good.replace('3', '4'), 'line 1: relevant.a: '),
        ('{\n', 'line 1: the line: '),
        ('\n', 'is empty'),
    ):
        questions.write_text(content)
        with pytest.raises(LabelError, match=re.escape(message)):
            load(tmp_path)
    questions.unlink()
    done = command('local', '--data', tmp_path)
    assert (done.returncode, done.stdout) == (2, '')
    assert 'cannot be read' in done.stderr
    assert 'Traceback' not in done.stderr
