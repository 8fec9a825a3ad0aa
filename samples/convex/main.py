# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Searches notes by meaning in a Convex deployment.

uv run --package sample-convex samples/convex/main.py --init
CONVEX_URL=... CONVEX_DEPLOY_KEY=... uv run --package sample-convex samples/convex/main.py [QUESTION]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from genkit import Document, GenkitError
from genkitx import Genkit
from genkitx.local import LocalEmbeddings
from genkitx_convex import Convex, ConvexTable, write_convex_functions

EMBEDDER = 'local/wordllama'  # Runs in this process and needs no key.
DIMENSIONS = 256
FILTER_FIELDS = ('topic', 'year')

NOTES = (
    ('The night train to Vienna leaves at eleven in the evening from platform four.', 'travel', 2024),
    ('Ferries to the island stop running when the wind is stronger than eight.', 'travel', 2025),
    ('Bread rises faster in a warm kitchen, but tastes better after a night in the cold.', 'kitchen', 2023),
    ('A cast-iron pan is dried on the stove and rubbed with a drop of oil.', 'kitchen', 2025),
    ('Tomatoes are planted out after the last frost and tied to a stick.', 'garden', 2024),
    ('Hedgehogs sleep under the leaves from November on: leave the heap alone.', 'garden', 2025),
)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='Search notes by meaning in a Convex deployment.')
    parser.add_argument('question', nargs='?', default='How do I get to Austria?', help='what to look for')
    parser.add_argument(
        '--topic', action='append', help='only notes on this topic (travel, kitchen, garden); repeatable'
    )
    parser.add_argument('--since', type=int, help='only notes of this year or later')
    parser.add_argument('-k', type=int, default=3, help='notes to show (default: %(default)s)')
    parser.add_argument(
        '--init', action='store_true', help='write the Convex functions to --functions, and nothing else'
    )
    parser.add_argument(
        '--functions',
        type=Path,
        default=Path(__file__).with_name('convex'),
        help='folder of the Convex functions (default: next to this file)',
    )
    return parser.parse_args()


def condition(options: argparse.Namespace) -> dict[str, object] | None:
    """Returns the filter that the command line asks for."""
    clauses: dict[str, object] = {}
    if options.topic:
        clauses['topic'] = {'$in': options.topic}  # Convex answers it by itself: topic is a filter field.
    if options.since is not None:
        clauses['year'] = {'$gte': options.since}  # Convex has no order in filters: over_fetch looks at candidates.
    return clauses or None


async def run(options: argparse.Namespace) -> int:
    """Indexes the notes, which changes nothing from the second time on, and searches them."""
    table = ConvexTable(name='documents', filter_fields=FILTER_FIELDS, over_fetch=256)
    async with Genkit(plugins=[LocalEmbeddings(), Convex([table], embedder=EMBEDDER)]) as ai:
        notes = ai.collection('convex/documents')
        documents = [Document.from_text(text, {'topic': topic, 'year': year}) for text, topic, year in NOTES]
        report = await notes.add(documents, on_conflict='skip')
        report.raise_for_failures()
        print(f'{report.written} notes written, {report.skipped} were there. {await notes.count()} in the table.\n')
        print(options.question)
        for match in await notes.search(options.question, k=options.k, filter=condition(options)):
            metadata = match.document.metadata or {}
            print(f'  {match.score:.3f}  [{metadata.get("topic")}, {metadata.get("year")}]  {match.document.text}')
    return 0


def main() -> int:
    """Runs the sample; every failure ends in a message and an exit code, never in a traceback."""
    options = arguments()
    try:
        if options.init:
            for path in write_convex_functions(options.functions, dimensions=DIMENSIONS, filter_fields=FILTER_FIELDS):
                print(f'wrote {path}')
            print('Now deploy them: npm install, then npx convex dev --once (or npx convex deploy).')
            return 0
        if not (os.environ.get('CONVEX_URL') and os.environ.get('CONVEX_DEPLOY_KEY')):
            print('Set CONVEX_URL and CONVEX_DEPLOY_KEY: see the README. For the first time: --init.', file=sys.stderr)
            return 2
        return asyncio.run(run(options))
    except (GenkitError, OSError) as error:
        message = f'{error.status}: {error.original_message}' if isinstance(error, GenkitError) else str(error)
        print(message, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
