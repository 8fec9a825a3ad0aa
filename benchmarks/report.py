# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What every benchmark says in the same way: ours beside the raw client and beside its peers.

A script calls `row` for each thing it measured. It prints a line, and where `run.py` started the script, the line also becomes a
row of the table in RESULTS.md.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

QUICK = '--quick' in sys.argv[1:]
"""Whether a script should only show that it works: few rows, few runs, and numbers that mean nothing."""

ROWS_FILE = 'GENKITX_BENCHMARK_ROWS'
"""The environment variable with the file that rows are appended to, one JSON object a line."""

Unit = Literal['rows/s', 's', 'ms', 'µs']
_SECONDS = {'s': 1.0, 'ms': 1e-3, 'µs': 1e-6}


@dataclass(frozen=True)
class Row:
    """One measured thing.

    Attributes:
        area: What it belongs to, such as 'Chroma'.
        case: What was done.
        ours: What ours took, or how fast it was, in `unit`.
        raw: The same of the raw client; None where there is none.
        unit: 'rows/s' (more is better) or a time (less is better).
        peers: The same of other libraries, by name.
        goal: The goal in words.
    """

    area: str
    case: str
    ours: float
    raw: float | None
    unit: Unit
    peers: Mapping[str, float] = field(default_factory=dict)
    goal: str = ''

    def speed(self, other: float) -> float:
        """How many times as fast as `other` ours is."""
        if not self.ours or not other:
            return float('nan')
        return self.ours / other if self.unit == 'rows/s' else other / self.ours

    @property
    def over_raw(self) -> str:
        """By how much a time is over the raw client's; empty for throughputs."""
        if self.raw is None or self.unit == 'rows/s':
            return ''
        return f'{(self.ours - self.raw) * _SECONDS[self.unit] * 1e6:+.0f} µs'

    @property
    def cells(self) -> list[str]:
        """The row of the table."""
        return [
            self.case,
            _text(self.ours, self.unit),
            '' if self.raw is None else _text(self.raw, self.unit),
            '' if self.raw is None else f'{self.speed(self.raw):.2f}',
            self.over_raw,
            '; '.join(
                f'{name} {_text(value, self.unit)} ({self.speed(value):.1f})' for name, value in self.peers.items()
            ),
            self.goal,
        ]


def row(
    area: str,
    case: str,
    *,
    ours: float,
    unit: Unit,
    raw: float | None = None,
    peers: Mapping[str, float] | None = None,
    goal: str = '',
) -> None:
    """Prints one measured thing, see `Row`, and keeps it for the table."""
    made = Row(area, case, ours, raw, unit, peers or {}, goal)
    _, our_text, raw_text, speed, over, peer_text, _ = made.cells
    parts = [f'{area}: {case:44}', f'ours {our_text:>12}']
    if raw is not None:
        parts.append(f'raw {raw_text:>12}  ours at {speed}x {over}')
    print('  '.join([*parts, peer_text, f'goal: {goal}' if goal else '']).rstrip(), flush=True)
    if ROWS_FILE in os.environ:
        with Path(os.environ[ROWS_FILE]).open('a', encoding='utf-8') as file:
            file.write(json.dumps(asdict(made)) + '\n')


def note(area: str, text: str) -> None:
    """Prints something that is no comparison, and keeps it to stand below the area's table."""
    print(f'{area}: {text}', flush=True)
    if ROWS_FILE in os.environ:
        with Path(os.environ[ROWS_FILE]).open('a', encoding='utf-8') as file:
            file.write(json.dumps({'area': area, 'note': text}) + '\n')


def _text(value: float, unit: Unit) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f'{value:,.{digits}f} {unit}'
