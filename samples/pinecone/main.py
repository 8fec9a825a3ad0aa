# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the notes of several customers apart in one Pinecone index, and searches one customer's.

PINECONE_API_KEY=... uv run --package sample-pinecone samples/pinecone/main.py [QUESTION]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from genkit import Document, GenkitError
from genkitx import Genkit, VectorCollection
from genkitx.local import LocalEmbeddings
from genkitx_pinecone import (
    ClientParams,
    Pinecone,
    PineconeIndex,
    create_pinecone_index,
    delete_pinecone_index,
    describe_pinecone_index,
)

INDEX = 'genkitx-sample'
DIMENSIONS = 256  # Of local/wordllama.
NOTES = {
    'acme': (
        ('The contract runs until the end of March and renews itself.', 'contract', 2025),
        ('They want invoices in euros, on the first of each month.', 'billing', 2024),
        ('Their office moves to the new tower in autumn.', 'office', 2025),
    ),
    'globex': (
        ('The contract was cancelled in December; they went to a competitor.', 'contract', 2024),
        ('An invoice was paid twice and must be given back.', 'billing', 2025),
    ),
}


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="Search one customer's notes in a Pinecone index.")
    parser.add_argument('question', nargs='?', default='How long is the contract?', help='what to look for')
    parser.add_argument('--customer', choices=NOTES, default='acme', help='whose notes (default: %(default)s)')
    parser.add_argument('--topic', action='append', help='contract, billing or office; repeatable')
    parser.add_argument('--since', type=int, metavar='YEAR', help='only notes of this year or later')
    parser.add_argument('-k', type=int, default=2, help='notes to show (default: %(default)s)')
    parser.add_argument('--forget', action='store_true', help="delete the customer's notes instead of searching them")
    parser.add_argument('--drop', action='store_true', help='delete the index at the end')
    parser.add_argument('--host', metavar='URL', help='an emulator, such as http://localhost:5080 (needs no key)')
    return parser.parse_args()


def condition(options: argparse.Namespace) -> dict[str, object] | None:
    """Returns the filter that the command line asks for."""
    clauses: dict[str, object] = {}
    if options.topic:
        clauses['topic'] = {'$in': options.topic}
    if options.since is not None:
        clauses['year'] = {'$gte': options.since}
    return clauses or None


async def write(notes: VectorCollection) -> None:
    """Writes each customer's notes into a namespace of its own."""
    for customer, texts in NOTES.items():
        documents = [Document.from_text(text, {'topic': topic, 'year': year}) for text, topic, year in texts]
        report = await notes.add(documents, namespace=customer, on_conflict='skip')
        report.raise_for_failures()
        # Exact at once, because `wait_until_visible` made the write wait until queries see it.
        count = await notes.count(namespace=customer)
        print(f'{customer}: {report.written} notes written, {report.skipped} were there. {count} in the namespace.')


async def run(options: argparse.Namespace, params: ClientParams) -> int:
    """Makes the index if it is not there, writes the notes, and does what the command line says."""
    await create_pinecone_index(INDEX, dimension=DIMENSIONS, metric='cosine', exist_ok=True, client_params=params)
    about = await describe_pinecone_index(INDEX, client_params=params)
    print(f'{about.name}: {about.dimension} dimensions, {about.metric}, {about.state}.')
    settings = PineconeIndex(name=INDEX, wait_until_visible=60)
    pinecone = Pinecone([settings], embedder='local/wordllama', client_params=params)
    async with Genkit(plugins=[LocalEmbeddings(), pinecone]) as ai:
        notes = ai.collection(f'pinecone/{INDEX}')
        await write(notes)
        if options.forget:
            await notes.delete(filter={'topic': {'$exists': True}}, namespace=options.customer)
            print(f'The notes of {options.customer} are deleted.')
        else:
            matches = await notes.search(
                options.question, k=options.k, filter=condition(options), namespace=options.customer
            )
            print(f'\n{options.question} ({options.customer})')
            for match in matches:
                metadata = match.document.metadata or {}
                print(f'  {match.score:.3f}  [{metadata["topic"]}, {metadata["year"]}]  {match.document.text}')
            if not matches:
                print('  nothing')
    if options.drop:
        await delete_pinecone_index(INDEX, client_params=params)
        print(f'The index {INDEX} is deleted.')
    return 0


def main() -> int:
    """Runs the sample; every failure ends in a message and an exit code, never in a traceback."""
    options = arguments()
    key = os.environ.get('PINECONE_API_KEY') or ('pclocal' if options.host else None)
    if not key:
        print('Set PINECONE_API_KEY, or give --host with the address of an emulator.', file=sys.stderr)
        return 2
    try:
        return asyncio.run(run(options, ClientParams(api_key=key, controller_host=options.host)))
    except GenkitError as error:
        print(f'{error.status}: {error.original_message}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
