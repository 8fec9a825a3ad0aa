# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""An index that is a folder: made of text files, searched, changed, and read where JavaScript wrote it.

uv run --package sample-hnsw samples/hnsw/main.py index | ask QUESTION | look | put ID TEXT | delete ID...
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from genkit import Document, GenkitError, Plugin
from genkitx import Genkit, VectorCollection
from genkitx.local import LocalEmbeddings
from genkitx_hnsw import Hnsw, HnswIndex, HnswStore, describe_hnsw_index, hnsw_indexer_flow, hnsw_retriever_flow

EMBEDDER = 'local/wordllama'  # Runs in this process and needs no key.
MODEL = 'groq/openai/gpt-oss-20b'
REPOSITORY = Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='Work with an index that is a folder.')
    parser.add_argument('--root', type=Path, default=REPOSITORY, help='folder that paths are relative to')
    parser.add_argument('--index', default='.sample-hnsw/docs', help='folder of the index (default: %(default)s)')
    commands = parser.add_subparsers(dest='command', required=True)
    index = commands.add_parser('index', help='make the index of text files, or bring it up to date')
    index.add_argument('files', nargs='?', default='docs/*.md', help='glob of the files (default: docs/*.md)')
    ask = commands.add_parser('ask', help='find the passages that answer a question')
    ask.add_argument('question')
    ask.add_argument('-k', type=int, default=2, help='passages (default: %(default)s)')
    look = commands.add_parser('look', help='say what is in the index; also in one that JavaScript wrote')
    look.add_argument('--like', metavar='ID', help='find what is closest to this document, by its stored vector')
    put = commands.add_parser('put', help='write a document, or replace the one with its id')
    put.add_argument('id')
    put.add_argument('text')
    delete = commands.add_parser('delete', help='delete documents')
    delete.add_argument('ids', nargs='+', metavar='ID')
    return parser.parse_args()


def say(one: str, document: Document, score: float | None = None) -> None:
    """Prints a document in a line."""
    start = ' '.join(document.text.split())[:80]
    print(f'  {"" if score is None else f"{score:.3f}  "}{one[:12]}  {start}')


def full_id(ids: Iterable[str], start: str) -> str:
    """Returns the id that starts like this; ids are printed short."""
    found = [one for one in ids if one.startswith(start)]
    if start not in found and len(found) != 1:
        raise GenkitError(status='NOT_FOUND', message=f'{len(found)} documents have an id that starts with {start!r}.')
    return start if start in found else found[0]


async def index(ai: Genkit, options: argparse.Namespace) -> None:
    """Runs the flow `HNSW Indexer`. What is there already is not embedded again, and what is gone leaves the index."""
    flow = hnsw_indexer_flow(ai, embedder=EMBEDDER, root=options.root)
    given = {'dataPath': options.files, 'indexOutputPath': options.index, 'chunkSize': 1000, 'chunkOverlap': 100}
    print((await flow.run(given)).response)


async def ask(ai: Genkit, documents: VectorCollection, options: argparse.Namespace) -> None:
    """Prints the closest passages, and with a key for a model the answer of the flow `HNSW Retriever`."""
    matches = await documents.search(options.question, k=options.k)
    for match in matches:
        say(match.id, match.document, match.score)
    if not matches:
        print('The index is empty. Fill it: index')
        return
    if not os.environ.get('GROQ_API_KEY'):
        print('\nFor an answer in words set GROQ_API_KEY.')
        return
    flow = hnsw_retriever_flow(ai, embedder=EMBEDDER, model=MODEL, root=options.root)
    # Groq has no topK, and a reasoning model needs room to think.
    given = {'prompt': options.question, 'indexPath': options.index, 'k': options.k, 'topK': None, 'topP': None}
    answer = (await flow.run({**given, 'maxOutputTokens': 2000})).response
    print(f'\n{answer}')


async def look(documents: VectorCollection, like: str | None) -> None:
    """Prints what is in the index. It needs no embedder: an index of any model can be looked at."""
    store = cast('HnswStore', documents.store)
    about = await describe_hnsw_index(store.path)
    print(f'{about.count} documents, {about.deleted} deleted, {about.dimensions} dimensions, {about.space}.')
    ids = sorted(await store.ids())
    if like is None:
        for one, document in zip(ids[:20], await documents.get(ids[:20]), strict=True):
            say(one, document or Document.from_text(''))
        return
    record = (await store.fetch([full_id(ids, like)], include_vectors=True))[0]
    for match in await documents.search(record.vector, k=3):
        say(match.id, match.document, match.score)


async def run(options: argparse.Namespace) -> int:
    """Does what the command line says."""
    hnsw = Hnsw([HnswIndex(name='docs', path=options.root / options.index)], embedder=EMBEDDER)
    plugins: list[Plugin] = [LocalEmbeddings(), hnsw]
    if os.environ.get('GROQ_API_KEY'):
        from genkitx_groq import Groq

        plugins.append(Groq())
    async with Genkit(plugins=plugins) as ai:
        documents = ai.collection('hnsw/docs')
        if options.command == 'index':
            await index(ai, options)
        elif options.command == 'ask':
            await ask(ai, documents, options)
        elif options.command == 'look':
            await look(documents, options.like)
        elif options.command == 'put':
            report = await documents.add([Document.from_text(options.text)], ids=[options.id])
            report.raise_for_failures()
            print(f'{options.id} is written. {await documents.count()} documents.')
        else:
            ids = await cast('HnswStore', documents.store).ids()
            await documents.delete(ids=[full_id(ids, one) for one in options.ids])
            print(f'{await documents.count()} documents are left.')
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
