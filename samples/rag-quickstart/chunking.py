# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Cuts files into passages that know their heading."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from genkit import Document
from markdown_it import MarkdownIt
from reading import TextFile
from semantic_text_splitter import MarkdownSplitter

PASSAGE = 500
"""Characters in a passage, at most."""

# The splitter takes quadratic time over one long paragraph, so it gets the text in slices.
_SLICE = 20_000

# Only the blocks are looked at; links and emphasis are left alone, whose parsing takes quadratic time where they are malformed.
_blocks = MarkdownIt('commonmark').disable('inline')
_splitter = MarkdownSplitter(PASSAGE)


def passages(file: TextFile, root: str) -> list[Document]:
    """Cuts a file at its headings, and long sections at paragraphs.

    Args:
        file: The file.
        root: The folder it comes from.

    Returns:
        One document a passage. Its metadata says where it is from: `root`, `file`, `heading`, `part`, and the `digest` of the
        file, so that a passage of an older version is told apart.
    """
    where = {'root': root, 'file': file.name, 'digest': file.digest}
    cut = (
        (heading, text)
        for heading, section in _sections(file.text)
        for part in _slices(section)
        for text in _splitter.chunks(part)
        if text.strip()
    )
    return [
        Document.from_text(text, {**where, 'heading': heading, 'part': part})
        for part, (heading, text) in enumerate(cut)
    ]


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Cuts a Markdown text before each heading; yields headings with their text, the heading's own line included.

    A heading with nothing below it but the next heading goes along with that one.
    """
    lines = text.split('\n')
    tokens = _blocks.parse(text)
    heading, start, below = '', 0, 0
    for token, following in itertools.pairwise(tokens):
        # Headings inside of quotes and lists are part of these.
        if token.type != 'heading_open' or not token.map or token.level != 0:
            continue
        first, after = token.map
        if any(line.strip() for line in lines[below:first]):
            yield heading, '\n'.join(lines[start:first])
            start = first
        heading, below = following.content, after
    yield heading, '\n'.join(lines[start:])


def _slices(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = min(start + _SLICE, len(text))
        if end < len(text):
            # At the last paragraph, line or word that fits.
            cuts = (text.rfind(separator, start + _SLICE // 2, end) for separator in ('\n\n', '\n', ' '))
            end = next((cut for cut in cuts if cut > 0), end)
        yield text[start:end]
        start = end
