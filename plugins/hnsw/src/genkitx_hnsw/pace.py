# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""How long searches take, and so which of them are short enough for the event loop.

A search of a graph often takes less than the way to a thread and back, of which most is Python's, so that threads hardly help
many searches at once either. Short ones run on the event loop therefore: in line, and with turns for everybody else in between.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

SHORT: Final = 0.0005
"""Seconds that a search may keep the event loop, as foreseen; a thread costs about half of that."""
TOGETHER: Final = 0.001
"""Seconds after which searches that follow each other let the loop's others have a turn."""
_LOST: Final = 0.05
"""The share of the loop's time that searches may take that are much longer than foreseen, as on a disk that is slow to answer."""

# A thread's own time: what it waits for among other threads, a search on the loop does not. Windows measures it too roughly.
_FINE: Final = time.get_clock_info('thread_time').resolution < SHORT / 100
_thread_time: Final = time.thread_time if _FINE else time.perf_counter


class _Line(asyncio.Lock):
    """Where the searches of one event loop wait, one after the other."""

    length = 0


class Pace:
    """Foresees searches by the last one; the look at the files and the making of documents are included."""

    def __init__(self) -> None:
        self._candidates = self._k = 0.0
        self._kept = self._not_before = 0.0
        self._lines: dict[asyncio.AbstractEventLoop, _Line] = {}

    def begin(self, *, on_loop: bool) -> float:
        """Returns when a search begins, for `note`."""
        return time.perf_counter() if on_loop else _thread_time()

    def note(self, begin: float, candidates: int, found: int, *, on_loop: bool) -> None:
        """Learns from a search, when it ends: how many candidates it kept, and how many matches it made."""
        took = self.begin(on_loop=on_loop) - begin
        # Others take in proportion, but none takes less.
        room = SHORT / took if 0 < took <= SHORT else 0.0
        self._candidates, self._k = candidates * room, max(found, 1) * room
        if on_loop:
            self._kept += took
            if took > 2 * SHORT:
                self._not_before = time.monotonic() + took / _LOST

    def is_short(self, candidates: int, k: int) -> bool:
        """Tells whether a search will be short."""
        return candidates <= self._candidates and k <= self._k and time.monotonic() >= self._not_before

    @property
    def others_turn(self) -> bool:
        """Whether a search has to wait for its turn."""
        return self._kept > TOGETHER or bool(self._lines)

    async def turn(self) -> None:
        """Waits until all who are already waiting on this loop have run, and everybody else on it had a turn."""
        loop = asyncio.get_running_loop()
        line = self._lines.setdefault(loop, _Line())
        line.length += 1
        try:
            async with line:
                await asyncio.sleep(0)
                self._kept = 0.0
        finally:
            line.length -= 1
            if not line.length:
                # A line that is kept would keep its loop.
                del self._lines[loop]
