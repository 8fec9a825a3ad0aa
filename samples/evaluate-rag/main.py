# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Measures retrieval on labelled questions.

uv run --package sample-evaluate-rag samples/evaluate-rag/main.py [SETUP ...]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

# What Chroma brings along reports home on import unless told otherwise.
os.environ.setdefault('ORT_DISABLE_TELEMETRY', '1')

from evaluators import data_points, define_evaluators, write_dataset
from genkit import GenkitError
from genkitx import Genkit
from labelled import LabelError, Labelled, load
from pydantic import BaseModel
from ranking_metrics import mean
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from scoring import Scores, as_json, score
from setups import EMBEDDER, SETUPS, fill, plugins, rank

HERE = Path(__file__).resolve().parent
WHAT = {name: setup.what for name, setup in SETUPS.items()}

console = Console(soft_wrap=True, highlight=False)


class Query(BaseModel):
    """Input of the flow that the Dev UI and the CLI can judge."""

    question: str
    topic: str = ''


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='Measure retrieval on labelled questions.')
    parser.add_argument('setups', nargs='*', metavar='SETUP', help=f'what to compare: {", ".join(SETUPS)}')
    parser.add_argument('--data', type=Path, default=HERE / 'data', help='folder of passages.jsonl and questions.jsonl')
    parser.add_argument('-k', type=int, nargs='+', default=[1, 3, 5, 10], help='cut-offs (default: 1 3 5 10)')
    parser.add_argument('--main-k', type=int, default=5, help='the cut-off of table and picture (default: 5)')
    parser.add_argument('--worst', type=int, default=3, help='questions to show that went worst (default: 3)')
    parser.add_argument(
        '--out', type=Path, default=Path('.evaluate-rag'), help='folder of results.json and results.png'
    )
    parser.add_argument('--serve', action='store_true', help='offer flow and evaluators to genkit start, until Ctrl+C')
    options = parser.parse_args()
    options.setups = options.setups or list(SETUPS)
    for name in options.setups:
        if name not in SETUPS:
            parser.error(f'there is no set-up {name!r}; there are {", ".join(SETUPS)}')
    if min(options.k) < 1 or options.main_k < 1:
        parser.error('k must be at least 1')
    options.k = sorted({*options.k, options.main_k})
    return options


async def run(options: argparse.Namespace, data: Labelled) -> int:
    """Fills the stores, asks all questions of every set-up, and reports."""
    # Made first: where it cannot be written, nothing has to be computed.
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with Genkit(plugins=plugins(options.setups, Path(folder))) as ai:
            await fill(ai, options.setups, data)
            if options.serve:
                return await serve(ai, options, data)
            results: dict[str, Scores] = {}
            for name in options.setups:
                rankings = {
                    each.id: await rank(ai, name, each.question, each.topic, options.k[-1])
                    for each in data.questions.values()
                }
                results[name] = score(data, rankings, options.k)
            report(options, data, results)
            await evaluate(ai, options, data, results)
    write(options, data, results)
    return 0


def report(options: argparse.Namespace, data: Labelled, results: Mapping[str, Scores]) -> None:
    """Prints the tables."""
    k = options.main_k
    console.print(
        f'{len(data.questions)} questions, {len(data.passages)} passages, embedded by {EMBEDDER}. Averages over the '
        'questions; in brackets where 95 % of them lie when the questions are drawn anew.\n'
    )
    first = next(iter(results))
    table = Table('Set-up', title=f'The first {k}', title_justify='left', box=box.SIMPLE_HEAD)
    for title in (f'P@{k}', f'R@{k}', f'MRR@{k}', f'nDCG@{k}', f'nDCG against {first}'):
        table.add_column(title, justify='right', no_wrap=True)
    for name, scores in results.items():
        row = [f'{scores.mean(metric, k):.3f}' for metric in ('precision', 'recall', 'mrr')]
        whole = f'{scores.mean("ndcg", k):.3f} {brackets(*scores.interval("ndcg", k), ".2f")}'
        gain, least, most = scores.gain(results[first], 'ndcg', k)
        against = '' if name == first else f'{gain:+.3f} {brackets(least, most, "+.2f")}'
        table.add_row(name, *row, whole, against)
    console.print(table)

    table = Table('Set-up', title='Recall', title_justify='left', box=box.SIMPLE_HEAD)
    for cut in options.k:
        table.add_column(f'k = {cut}', justify='right')
    table.add_column('searches')
    for name, scores in results.items():
        table.add_row(name, *(f'{scores.mean("recall", cut):.3f}' for cut in options.k), f'[dim]{WHAT[name]}[/]')
    console.print(table)

    if options.worst > 0:
        show_worst(options, data, first, results[first])


def show_worst(options: argparse.Namespace, data: Labelled, name: str, scores: Scores) -> None:
    """Prints the questions that a set-up answers worst: what to look at next."""
    values = scores.of['ndcg', options.main_k]
    console.print(f'[bold]Where {name} does worst[/]')
    for each in sorted(values, key=values.__getitem__)[: options.worst]:
        question = data.questions[each]
        found = [f'{escape(hit)} ({question.relevant.get(hit, 0)})' for hit in scores.rankings[each][:3]]
        console.print(f'  {values[each]:.3f}  {escape(question.question)}\n         [dim]found {", ".join(found)}[/]')


def brackets(low: float, high: float, form: str) -> str:
    """An interval in a cell of a table."""
    return rf'[dim]\[{low:{form}}, {high:{form}}][/]'


async def evaluate(ai: Genkit, options: argparse.Namespace, data: Labelled, results: Mapping[str, Scores]) -> None:
    """Lets Genkit's own evaluation compute the same averages from the same rankings."""
    name, scores = next(iter(results.items()))
    k = options.main_k
    console.print(f'\n[bold]ai.evaluate[/] of {name}, with k = {k}')
    for evaluator in define_evaluators(ai):
        judged = await ai.evaluate(evaluator, data_points(data, scores.rankings), options={'k': k})
        values = [each.evaluation.score for each in judged.root]
        expected = scores.mean(evaluator.split('/')[1], k)
        same = len(values) == len(data.questions) and math.isclose(mean(values), expected)
        console.print(f'  {evaluator:<20} {mean(values):.3f}  {"as above" if same else f"NOT {expected:.3f} as above"}')


def write(options: argparse.Namespace, data: Labelled, results: Mapping[str, Scores]) -> None:
    """Writes the files."""
    from plot import draw

    details, picture = options.out / 'results.json', options.out / 'results.png'
    details.write_text(json.dumps(as_json(data, results, WHAT, options.k), indent=1) + '\n', encoding='utf-8')
    draw(results, WHAT, options.k, options.main_k, picture)
    console.print(f'\nWritten: {details} and {picture}')


async def serve(ai: Genkit, options: argparse.Namespace, data: Labelled) -> int:
    """Defines the flow `search` and the evaluators, for the Dev UI and the CLI."""
    name = options.setups[0]

    @ai.flow()
    async def search(query: Query) -> list[str]:
        return await rank(ai, name, query.question, query.topic, options.k[-1])

    dataset = options.out / 'dataset.json'
    write_dataset(dataset, data)
    evaluators = ','.join(define_evaluators(ai))
    console.print(f'The flow search asks {name}. In another terminal, with the address that genkit start prints:')
    console.print('  export GENKIT_TELEMETRY_SERVER=http://127.0.0.1:4033')
    console.print(f'  genkit eval:flow search --input {dataset} --evaluators={evaluators}')
    await asyncio.Event().wait()
    return 0


def main() -> int:
    """Entry point; a failure ends in a message and an exit code, never in a traceback."""
    options = arguments()
    try:
        return asyncio.run(run(options, load(options.data)))
    except LabelError as error:
        print(error, file=sys.stderr)
        return 2
    except (GenkitError, OSError) as error:
        message = f'{error.status}: {error.original_message}' if isinstance(error, GenkitError) else str(error)
        print(message, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
