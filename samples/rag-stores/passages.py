# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Files in, passages out, and an index that holds the passages of one folder and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from genkit import Document
from genkitx import VectorCollection
from semantic_text_splitter import MarkdownSplitter

SUFFIXES = frozenset({'.md', '.markdown', '.rst', '.txt'})
PASSAGE = 500
"""Characters in a passage, at most."""


class NothingToReadError(Exception):
    """There is no text in a folder; the message says why."""


@dataclass(frozen=True)
class Update:
    """What an update did: passages that were written, were there already, and were removed."""

    written: int
    kept: int
    removed: int


def read_passages(folder: Path) -> list[Document]:
    """Cuts every text file below a folder into passages.

    Returns:
        Documents whose metadata says where they are from: `file`, `part`, and `digest`, a hash of the file's name and content.

    Raises:
        NothingToReadError: There is no such folder, no text in it, or a file that is not UTF-8.
    """
    if not folder.is_dir():
        raise NothingToReadError(f'{folder} is not a folder.')
    splitter = MarkdownSplitter(PASSAGE)
    passages: list[Document] = []
    for path in sorted(one for one in folder.rglob('*') if one.suffix.lower() in SUFFIXES and one.is_file()):
        name = path.relative_to(folder).as_posix()
        if any(part.startswith('.') for part in name.split('/')):
            continue
        try:
            text = path.read_bytes().decode('utf-8-sig')
        except (OSError, UnicodeDecodeError) as error:
            raise NothingToReadError(f'{name} cannot be read: {error}') from error
        digest = hashlib.sha256(f'{name}\n{text}'.encode()).hexdigest()[:16]
        for part, chunk in enumerate(splitter.chunks(text)):
            passages.append(Document.from_text(chunk, {'file': name, 'part': part, 'digest': digest}))
    if not passages:
        raise NothingToReadError(f'{folder} has no text: looked for files ending in {", ".join(sorted(SUFFIXES))}.')
    return passages


async def update(collection: VectorCollection, passages: list[Document]) -> Update:
    """Brings an index up to date; it is the same three calls for every store.

    Ids are hashes of passages with their metadata, so what did not change is there and is not embedded again. New passages are
    written before old ones are deleted: a failure in between leaves no file without any.

    Raises:
        GenkitError: The store or the embedder failed.
    """
    report = await collection.add(passages, on_conflict='skip')
    report.raise_for_failures()
    current = sorted({(one.metadata or {})['digest'] for one in passages})
    stale = {'digest': {'$nin': current}}
    removed = await collection.count(filter=stale)
    if removed:
        await collection.delete(filter=stale)
    return Update(report.written, report.skipped, removed)
