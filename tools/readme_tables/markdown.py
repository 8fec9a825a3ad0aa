# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Markdown tables, the same on PyPI, on a forge and in the documentation."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table; a pipe in a cell is escaped."""
    lines = [heads, ['---'] * len(heads), *rows]
    return '\n'.join(f'| {" | ".join(cell.replace("|", chr(92) + "|") for cell in line)} |' for line in lines)


def code(text: str) -> str:
    """Returns a text as a code span."""
    return f'`` {text} ``' if '`' in text else f'`{text}`'
