# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A whole search on Cohere: embed, find, rerank, and answer with citations.

COHERE_API_KEY=... uv run --package sample-cohere samples/cohere/main.py [QUESTION]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from genkit import Document, GenkitError
from genkitx import Genkit, raise_if_failed
from genkitx.local import DevLocalVectorStore
from genkitx_cohere import SEARCH_QUERY, Cohere

MODEL = 'cohere/command-a-03-2025'
EMBEDDER = 'cohere/embed-v4.0'
RERANKER = 'cohere/rerank-v3.5'
INDEX = 'devLocalVectorstore/penguins'

# Documents go to Cohere as they are: it sees `id` and `title`, and names the id in its citations.
PASSAGES = (
    ('emperor', 'Emperor penguins', 'The emperor penguin is the tallest of all, up to 120 centimetres.'),
    ('little', 'Little penguins', 'The little penguin is the smallest, about 33 centimetres tall.'),
    ('breeding', 'Winter', 'Emperor penguins breed in the Antarctic winter; the males keep the eggs warm.'),
    ('galapagos', 'Galapagos penguins', 'The Galapagos penguin lives north of the equator, alone of all penguins.'),
    ('gentoo', 'Gentoo penguins', 'Gentoo penguins swim faster than the others, up to 36 kilometres an hour.'),
    ('food', 'Food', 'Penguins eat fish, squid and krill.'),
)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description='A whole search on Cohere: embed, find, rerank, answer with citations.'
    )
    parser.add_argument('question', nargs='?', default='Which penguin is the tallest, and how tall?')
    parser.add_argument('--candidates', type=int, default=5, help='passages to find by vectors (default: %(default)s)')
    parser.add_argument('-k', type=int, default=3, help='passages to answer from (default: %(default)s)')
    parser.add_argument('--model', default=MODEL, help='chat model (default: %(default)s)')
    parser.add_argument('--data', type=Path, default=Path('.sample-cohere'), help='folder of the index')
    return parser.parse_args()


async def find(ai: Genkit, options: argparse.Namespace) -> list[Document]:
    """Finds passages by vectors, and lets a reranker read and sort them."""
    documents = [Document.from_text(text, {'id': one, 'title': title}) for one, title, text in PASSAGES]
    report = await ai.index(indexer=INDEX, documents=documents, options={'on_conflict': 'skip'})
    report.raise_for_failures()
    print(f'{report.written} passages embedded, {report.skipped} were there.\n')
    found = await ai.retrieve(retriever=INDEX, query=options.question, options={'k': options.candidates})
    ranked = await ai.rerank(reranker=RERANKER, query=options.question, documents=found, options={'k': options.k})
    for number, document in enumerate(ranked, start=1):
        about: dict[str, Any] = document.metadata or {}
        print(f'{number}. {about["score"]:.3f}  {about["id"]}: {document.text}')
    return list(ranked)


def with_marks(text: str, citations: list[dict[str, Any]]) -> str:
    """Puts the ids of its sources behind every cited part of a text."""
    for citation in sorted(citations, key=lambda one: -one['end']):
        ids = ', '.join(source['id'] for source in citation['sources'])
        text = f'{text[: citation["end"]]} [{ids}]{text[citation["end"] :]}'
    return text


async def run(options: argparse.Namespace) -> int:
    """Answers the question."""
    options.data.mkdir(parents=True, exist_ok=True)
    # Cohere embeds queries and documents differently.
    store = DevLocalVectorStore(
        ['penguins'], embedder=EMBEDDER, query_embedder_options=SEARCH_QUERY, directory=options.data
    )
    async with Genkit(plugins=[Cohere(), store], model=options.model) as ai:
        documents = await find(ai, options)
        response = raise_if_failed(await ai.generate(prompt=options.question, docs=documents))
        citations: list[dict[str, Any]] = (response.custom or {}).get('citations', [])
        print(f'\n{with_marks(response.text, citations)}\n')
        titles = {one: title for one, title, _ in PASSAGES}
        for citation in citations:
            sources = ', '.join(titles[source['id']] for source in citation['sources'])
            print(f'"{citation["text"]}" is from: {sources}')
    return 0


def main() -> int:
    """Runs the sample; every failure ends in a message and an exit code, never in a traceback."""
    options = arguments()
    if not (os.environ.get('COHERE_API_KEY') or os.environ.get('CO_API_KEY')):
        print('Set COHERE_API_KEY to a key of Cohere; a trial key will do.', file=sys.stderr)
        return 2
    try:
        return asyncio.run(run(options))
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
