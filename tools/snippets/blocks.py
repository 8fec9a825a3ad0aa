# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Finds the code blocks of a Markdown page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_FENCE: Final = re.compile(r'^(?P<indent> *)(?P<fence>```+|~~~+)(?P<language>[\w+-]*)[^`]*$')


@dataclass(frozen=True)
class Block:
    """One code block.

    Attributes:
        language: What stands after the fence; empty for nothing.
        line: The number of its first line of code in the page, from 1.
        text: The code, without the indentation of the fence.
    """

    language: str
    line: int
    text: str


def blocks_of(page: str) -> list[Block]:
    """Returns the code blocks of a page, in order.

    Raises:
        ValueError: If a block is not closed.
    """
    return list(_blocks(page.split('\n')))


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    number = 0
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        number += 1
        if opening is None:
            continue
        start = number
        while number < len(lines) and lines[number].strip() != opening['fence']:
            number += 1
        if number == len(lines):
            raise ValueError(f'the block in line {start} is not closed')
        indent = len(opening['indent'])
        text = '\n'.join(line[indent:] for line in lines[start:number])
        yield Block(opening['language'], start + 1, text + '\n')
        number += 1


def python_of(blocks: Sequence[Block]) -> list[Block]:
    """Returns the Python blocks."""
    return [block for block in blocks if block.language in {'python', 'py'}]
