# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Answers questions from a folder of documents; the store is a choice of one word.

uv run --package sample-rag-stores samples/rag-stores/main.py [FOLDER] [QUESTION] --store STORE
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from genkit import GenkitError
from genkitx import Genkit
from genkitx.local import LocalEmbeddings
from passages import NothingToReadError, read_passages, update
from rag import Answer, Question, choose_model, define_rag
from stores import STORES, NotSetUpError, open_store

DOCS = Path(__file__).resolve().parents[2] / 'docs'
QUESTION = 'What does a filter do with a field that is missing?'


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='Answer a question from a folder of documents.')
    parser.add_argument(
        'folder', nargs='?', type=Path, default=DOCS, help='folder to read (default: our documentation)'
    )
    parser.add_argument('question', nargs='?', default=QUESTION, help='what to ask')
    parser.add_argument(
        '--store', choices=STORES, default='local', help='where passages are kept (default: %(default)s)'
    )
    parser.add_argument('--where', type=json_object, metavar='JSON', help='filter, such as {"file": "filters.md"}')
    parser.add_argument('-k', type=int, default=4, help='passages (default: %(default)s)')
    parser.add_argument(
        '--data', type=Path, default=Path('.sample-rag-stores'), help='where embedded stores keep files'
    )
    parser.add_argument('--json', action='store_true', help="print the flow's output as JSON, and nothing else")
    return parser.parse_args()


def json_object(text: str) -> dict[str, Any]:
    """Reads an object from the command line."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'it is not JSON ({error})') from error
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError('it is not a JSON object')
    return value


def show(question: str, answer: Answer) -> None:
    """Prints what was found and said."""
    print(f'\n{question}\n')
    for number, passage in enumerate(answer.passages, start=1):
        print(f'[{number}] {passage.file}, part {passage.part} ({passage.score:.3f})\n{passage.text}\n')
    if not answer.passages:
        print('Nothing found.')
    elif answer.answer is None:
        print('For an answer in words set GROQ_API_KEY or COHERE_API_KEY.')
    else:
        print(answer.answer)


async def run(options: argparse.Namespace) -> int:
    """Indexes the folder and asks the flow."""
    passages = read_passages(options.folder)
    store = open_store(options.store, options.data)
    model = choose_model()
    async with Genkit(plugins=[LocalEmbeddings(), store.plugin, *([model[1]] if model else [])]) as ai:
        if store.prepare is not None:
            await store.prepare()
        rag = define_rag(ai, store.collection, model[0] if model else None)
        done = await update(ai.collection(store.collection), passages)
        answer = await rag(Question(question=options.question, k=options.k, where=options.where))
    if options.json:
        print(answer.model_dump_json(indent=2))
        return 0
    print(f'{store.collection}: {done.written} passages written, {done.kept} were there, {done.removed} removed.')
    show(options.question, answer)
    return 0


def main() -> int:
    """Runs the sample; every failure ends in a message and an exit code, never in a traceback."""
    try:
        return asyncio.run(run(arguments()))
    except (NothingToReadError, NotSetUpError) as error:
        print(error, file=sys.stderr)
        return 2
    except GenkitError as error:
        print(f'{error.status}: {error.original_message}', file=sys.stderr)
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
