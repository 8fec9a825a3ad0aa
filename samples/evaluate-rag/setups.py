# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The set-ups that are compared: a store, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genkit import Plugin
from genkitx import Genkit
from genkitx.local import DevLocalVectorStore, LocalEmbeddings
from genkitx_chroma import Chroma, ChromaCollection
from genkitx_milvus import Milvus, MilvusCollection
from labelled import Labelled

EMBEDDER = 'local/wordllama'
# MMR chooses among so many; fixed, so that its first places do not depend on how many are asked for.
CANDIDATES = 20
# Words that stand in any question would otherwise decide a search by words.
STOP_WORDS = (
    'a an and are as at be by can did do does for from go goes had has have how i in is it its me my near no not of on'
    ' or our should so than that the their there they this to was we what when where which who why with you your'
)
ANALYZER = {'tokenizer': 'standard', 'filter': ['lowercase', {'type': 'stop', 'stop_words': STOP_WORDS.split()}]}


@dataclass(frozen=True)
class Setup:
    """A way to retrieve; its options may depend on the question's topic."""

    what: str
    collection: str
    options: Callable[[str], dict[str, Any]] = lambda _: {}


SETUPS: dict[str, Setup] = {
    'local': Setup('by vector, all compared', 'devLocalVectorstore/passages'),
    'chroma': Setup('by vector, HNSW graph', 'chroma/passages'),
    'mmr': Setup(
        'by vector, diverse (MMR)',
        'devLocalVectorstore/passages',
        lambda _: {'mmr': {'weight': 0.7, 'fetch_k': CANDIDATES}},
    ),
    'words': Setup('by words (BM25)', 'milvus/passages', lambda _: {'mode': 'text'}),
    'hybrid': Setup('by vector and words, fused', 'milvus/passages', lambda _: {'mode': 'hybrid'}),
    'topic': Setup(
        'by vector, filter: topic known',
        'devLocalVectorstore/passages',
        lambda topic: {'filter': {'topic': topic}},
    ),
}


def plugins(names: Iterable[str], folder: Path) -> list[Plugin]:
    """The plugins that the set-ups need, with their data in a folder."""
    stores: dict[str, Callable[[], Plugin]] = {
        'devLocalVectorstore': lambda: DevLocalVectorStore(['passages'], embedder=EMBEDDER, directory=folder),
        'chroma': lambda: Chroma(
            [ChromaCollection(name='passages', space='cosine')], path=folder / 'chroma', embedder=EMBEDDER
        ),
        'milvus': lambda: Milvus(
            [MilvusCollection(name='passages', auto_id=False, text_search=True, analyzer_params=ANALYZER)],
            uri=str(folder / 'milvus.db'),
            embedder=EMBEDDER,
        ),
    }
    used = dict.fromkeys(SETUPS[name].collection.split('/')[0] for name in names)
    return [LocalEmbeddings(), *(stores[store]() for store in used)]


async def fill(ai: Genkit, names: Iterable[str], data: Labelled) -> None:
    """Writes the passages into every store that is used."""
    for collection in dict.fromkeys(SETUPS[name].collection for name in names):
        report = await ai.collection(collection).add(data.documents(), ids=list(data.passages))
        report.raise_for_failures()


async def rank(ai: Genkit, name: str, question: str, topic: str, depth: int) -> list[str]:
    """The ids of the passages found, best first."""
    setup = SETUPS[name]
    matches = await ai.collection(setup.collection).search(question, k=depth, **setup.options(topic))
    return [match.id for match in matches]
