# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A lock for many readers or one writer, between threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator


class ReadWriteLock:
    """Many readers or one writer. A waiting writer goes before new readers, so that searches cannot starve an ingest."""

    def __init__(self) -> None:
        # Entered by itself where nobody has to be woken: a condition is Python, a lock is not.
        self._mutex = threading.Lock()
        self._condition = threading.Condition(self._mutex)
        self._readers = 0
        self._waiting = 0
        self._writing = False

    @contextlib.contextmanager
    def reading(self) -> Generator[None]:
        """Holds the lock beside other readers. Not re-entrant."""
        self.begin_reading()
        try:
            yield
        finally:
            self.end_reading()

    def begin_reading(self, *, wait: bool = True) -> None:
        """Takes the lock beside other readers, for `end_reading` to release: a search has no time for a context manager.

        Raises:
            BlockingIOError: It would have to wait for a writer, and `wait` is False.
        """
        with self._mutex:
            while self._writing or self._waiting:
                if not wait:
                    raise BlockingIOError
                self._condition.wait()
            self._readers += 1

    def end_reading(self) -> None:
        """Releases what `begin_reading` took."""
        with self._mutex:
            self._readers -= 1
            if self._waiting and not self._readers:
                self._condition.notify_all()

    @contextlib.contextmanager
    def writing(self) -> Generator[None]:
        """Holds the lock alone."""
        with self._condition:
            self._waiting += 1
            try:
                while self._writing or self._readers:
                    self._condition.wait()
                self._writing = True
            finally:
                self._waiting -= 1
        try:
            yield
        finally:
            with self._condition:
                self._writing = False
                self._condition.notify_all()
