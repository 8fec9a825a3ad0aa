# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""How long searches take, and so which of them are short enough for the event loop.

A search of a graph often takes less than the way to a thread and back. It may run on the event loop then, if the last one says that
it will be short, and if no other is about to: searches that come together would hold the loop together, and threads run them beside
each other.
"""

from __future__ import annotations

import math
from typing import Final

SHORT: Final = 0.0005
"""Seconds that a search may keep the event loop, as foreseen; a thread costs about half of that."""


class Pace:
    """What the last search of a graph took, the look at the files and the making of documents included."""

    def __init__(self) -> None:
        self._took = math.inf
        self._candidates = self._found = 1

    def note(self, seconds: float, candidates: int, found: int) -> None:
        """Remembers a search: how many candidates it kept, and how many matches it made."""
        self._took, self._candidates, self._found = seconds, candidates, max(found, 1)

    def is_short(self, candidates: int, k: int) -> bool:
        """Tells whether a search is short if it takes in proportion to the last one."""
        return self._took * max(1.0, candidates / self._candidates, k / self._found) <= SHORT
