# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Searches the alarms of machines in Milvus: words and meaning together, one partition for each site, a range of closeness.

uv run --package sample-milvus samples/milvus/main.py [QUESTION]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from genkit import Document, GenkitError
from genkitx import Genkit
from genkitx.local import LocalEmbeddings
from genkitx_milvus import Milvus, MilvusCollection

SITES = ('berlin', 'oslo', 'turin')
ALARMS = (
    ('berlin', 'AL-7731: the oil of the press is too hot.', 3),
    ('berlin', 'AL-2210: a belt has torn, the conveyor stands still.', 2),
    ('berlin', 'AL-1004: the door of the cabinet is open.', 1),
    ('oslo', 'AL-7731: oil temperature above eighty degrees.', 3),
    ('oslo', 'AL-5120: no air pressure at the gripper.', 2),
    ('turin', 'AL-2210: the conveyor does not move.', 2),
    ('turin', 'AL-9000: the robot left its cell.', 3),
    ('turin', 'AL-3305: the bearing of the fan gets warm.', 1),
)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='Search the alarms of machines in Milvus.')
    parser.add_argument('question', nargs='?', default='something overheats', help='what to look for')
    parser.add_argument('--site', action='append', choices=SITES, help='search these partitions only; repeatable')
    parser.add_argument('--mode', choices=('dense', 'text', 'hybrid'), default='dense', help='meaning, words, or both')
    parser.add_argument(
        '--weights', type=float, nargs=2, metavar=('MEANING', 'WORDS'), help='fuse scores, not ranks; each 0 to 1'
    )
    parser.add_argument('--above', type=float, metavar='COSINE', help='only what is closer than this (dense mode)')
    parser.add_argument('--level', type=int, help='only alarms of this level (1 to 3) or higher')
    parser.add_argument('-k', type=int, default=3, help='alarms to show (default: %(default)s)')
    parser.add_argument(
        '--data',
        type=Path,
        default=Path('.sample-milvus/milvus.db'),
        help='file of Milvus Lite; unused with MILVUS_URI (default: %(default)s)',
    )
    return parser.parse_args()


def search_options(options: argparse.Namespace) -> dict[str, Any]:
    """Returns what the command line asks of the search."""
    chosen: dict[str, Any] = {'k': options.k, 'mode': options.mode}
    if options.site:
        chosen['partitions'] = options.site
    if options.level is not None:
        chosen['filter'] = {'level': {'$gte': options.level}}
    if options.above is not None:
        chosen['radius'] = options.above
    if options.weights:
        chosen.update(ranker='weighted', weights=options.weights)
    return chosen


def plugin(data: Path) -> Milvus:
    """Returns the plugin: a server if MILVUS_URI names one (its token is MILVUS_TOKEN), else the engine in this process."""
    collection = MilvusCollection(
        name='alarms',
        auto_id=False,  # Ids are ours, so a second run adds nothing.
        text_search=True,  # Milvus indexes the words too, for the modes text and hybrid.
        partition=None,  # Without a site all partitions are searched.
    )
    uri = os.environ.get('MILVUS_URI')
    if not uri:
        data.parent.mkdir(parents=True, exist_ok=True)
    return Milvus([collection], uri=uri or data, embedder='local/wordllama')


async def run(options: argparse.Namespace) -> int:
    """Writes each site's alarms into a partition of its own, and searches."""
    async with Genkit(plugins=[LocalEmbeddings(), plugin(options.data)]) as ai:
        alarms = ai.collection('milvus/alarms')
        for site in SITES:
            documents = [
                Document.from_text(text, {'site': where, 'level': level})
                for where, text, level in ALARMS
                if where == site
            ]
            report = await alarms.add(documents, namespace=site, on_conflict='skip')
            report.raise_for_failures()
            count = await alarms.count(namespace=site)
            print(f'{site}: {report.written} alarms written, {report.skipped} were there. {count} in the partition.')
        print(f'\n{options.question} ({options.mode})')
        matches = await alarms.search(options.question, **search_options(options))
        for match in matches:
            about = match.document.metadata or {}
            print(f'  {match.score:.3f}  [{about["site"]}, {about["level"]}]  {match.document.text}')
        if not matches:
            print('  nothing')
    return 0


def main() -> int:
    """Runs the sample; every failure ends in a message and an exit code, never in a traceback."""
    try:
        return asyncio.run(run(arguments()))
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
