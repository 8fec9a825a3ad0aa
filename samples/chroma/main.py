# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Searches incident reports in an embedded Chroma: by meaning, by metadata, and by what stands in the text.

uv run --package sample-chroma samples/chroma/main.py [QUESTION]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from genkit import Document, GenkitError
from genkitx import Genkit, VectorCollection
from genkitx.local import LocalEmbeddings
from genkitx_chroma import Chroma, ChromaCollection

INCIDENTS = (
    ('inc-1', 'Payments were refused with E1042 because a certificate had run out.', 'payments', 2023, ['tls']),
    ('inc-2', 'Customers were charged twice after the queue delivered a message again.', 'payments', 2025, ['queue']),
    ('inc-3', 'The search page was slow: an index did not fit into memory any more.', 'search', 2024, ['memory']),
    ('inc-4', 'Search found nothing for an hour, since a new index was empty.', 'search', 2025, ['deploy']),
    ('inc-5', 'Nobody could log in: the clock of a server was five minutes late.', 'login', 2024, ['time', 'tls']),
    ('inc-6', 'E-mails with login links came an hour late, stuck in the queue.', 'login', 2025, ['queue']),
)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='Search incident reports in an embedded Chroma.')
    parser.add_argument('question', nargs='?', default='people had to pay more than once', help='what to look for')
    parser.add_argument('--service', action='append', help='only of this service; repeatable')
    parser.add_argument('--since', type=int, metavar='YEAR', help='only of this year or later')
    parser.add_argument('--tag', help='only with this tag')
    parser.add_argument('--word', help='only reports whose text has this, letter by letter')
    parser.add_argument('--pattern', help='only reports whose text matches this regular expression')
    parser.add_argument('-k', type=int, default=3, help='reports to show (default: %(default)s)')
    parser.add_argument('--show', metavar='ID', action='append', help='print these reports instead; repeatable')
    parser.add_argument('--delete-before', type=int, metavar='YEAR', help='first delete the reports of earlier years')
    parser.add_argument('--data', type=Path, default=Path('.sample-chroma'), help='where Chroma keeps its files')
    return parser.parse_args()


def by_metadata(options: argparse.Namespace) -> dict[str, object] | None:
    """Returns the condition on the metadata, in the filter language of every store here."""
    clauses: dict[str, object] = {}
    if options.service:
        clauses['service'] = {'$in': options.service}
    if options.since is not None:
        clauses['year'] = {'$gte': options.since}
    if options.tag:
        clauses['tags'] = {'$contains': options.tag}
    return clauses or None


def by_text(options: argparse.Namespace) -> dict[str, object] | None:
    """Returns the condition on the text, in Chroma's own language: no vector finds an error code."""
    clauses: list[dict[str, object]] = []
    if options.word:
        clauses.append({'$contains': options.word})
    if options.pattern:
        clauses.append({'$regex': options.pattern})
    return clauses[0] if len(clauses) == 1 else {'$and': clauses} if clauses else None


def line(document: Document) -> str:
    """Returns a report as a line."""
    about = document.metadata or {}
    return f'{about["id"]}  [{about["service"]}, {about["year"]}]  {document.text}'


async def show(incidents: VectorCollection, ids: list[str]) -> int:
    """Prints reports by their ids."""
    found = await incidents.get(ids)
    for one, document in zip(ids, found, strict=True):
        print(line(document) if document else f'{one}  is not there')
    return 0 if all(found) else 1


async def run(options: argparse.Namespace) -> int:
    """Writes the reports that are missing, and searches."""
    settings = ChromaCollection(name='incidents', space='cosine', id_key='id')
    chroma = Chroma([settings], path=options.data, embedder='local/wordllama')
    async with Genkit(plugins=[LocalEmbeddings(), chroma]) as ai:
        incidents = ai.collection('chroma/incidents')
        documents = [
            Document.from_text(text, {'id': one, 'service': service, 'year': year, 'tags': tags})
            for one, text, service, year, tags in INCIDENTS
        ]
        report = await incidents.add(documents, on_conflict='skip')  # What is there is not embedded again.
        report.raise_for_failures()
        print(f'{report.written} reports written, {report.skipped} were there.')
        if options.delete_before is not None:
            old = {'year': {'$lt': options.delete_before}}
            print(f'{await incidents.count(filter=old)} deleted.')
            await incidents.delete(filter=old)
        if options.show:
            return await show(incidents, options.show)
        condition = by_metadata(options)
        print(f'{await incidents.count(filter=condition)} of {await incidents.count()} by their metadata.\n')
        print(options.question)
        matches = await incidents.search(
            options.question, k=options.k, filter=condition, where_document=by_text(options)
        )
        for match in matches:
            print(f'  {match.score:.3f}  {line(match.document)}')
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
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
