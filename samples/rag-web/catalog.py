# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The list of the files that are indexed, in SQLite. It decides what counts: passages of any other upload are invisible."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import astuple, dataclass
from pathlib import Path

from genkit import GenkitError

_TABLE = """CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY, version TEXT NOT NULL, size INTEGER NOT NULL, passages INTEGER NOT NULL, indexed_at TEXT NOT NULL
)"""


@dataclass(frozen=True)
class Entry:
    """A file that is indexed.

    Attributes:
        name: What it is called.
        version: Marks the upload whose passages count.
        size: Its length in bytes.
        passages: How many passages it was cut into.
        indexed_at: When, in ISO 8601.
    """

    name: str
    version: str
    size: int
    passages: int
    indexed_at: str


class Catalog:
    """The list of files. Its calls block for a moment, so they belong into a worker thread.

    Args:
        path: The database; one process at a time has it open.

    Raises:
        GenkitError: FAILED_PRECONDITION if another process has it open, or it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=0.5, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise _unusable(path, str(error), error) from error
        try:
            # The first write takes the lock for as long as the database is open.
            self._database.execute('PRAGMA locking_mode = EXCLUSIVE')
            self._database.execute('BEGIN EXCLUSIVE')
            self._database.execute(_TABLE)
            self._database.execute('COMMIT')
        except sqlite3.Error as error:
            self._database.close()
            reason = 'another process has it open' if 'locked' in str(error) else str(error)
            raise _unusable(path, reason, error) from error

    def entries(self) -> list[Entry]:
        """Returns all files by name."""
        with self._lock:
            rows = self._database.execute('SELECT * FROM files ORDER BY name COLLATE NOCASE, name').fetchall()
        return [Entry(*row) for row in rows]

    def put(self, entry: Entry) -> Entry | None:
        """Lists a file, and returns the entry that it replaces."""
        with self._lock, self._database:
            self._database.execute('BEGIN IMMEDIATE')
            replaced = self._find(entry.name)
            self._database.execute('INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)', astuple(entry))
        return replaced

    def remove(self, name: str) -> Entry | None:
        """Takes a file off the list, and returns its entry, if there was one."""
        with self._lock, self._database:
            self._database.execute('BEGIN IMMEDIATE')
            removed = self._find(name)
            self._database.execute('DELETE FROM files WHERE name = ?', (name,))
        return removed

    def close(self) -> None:
        """Closes the database, and lets another process have it."""
        with self._lock:
            self._database.close()

    def _find(self, name: str) -> Entry | None:
        row = self._database.execute('SELECT * FROM files WHERE name = ?', (name,)).fetchone()
        return None if row is None else Entry(*row)


def _unusable(path: Path, reason: str, cause: Exception) -> GenkitError:
    return GenkitError(
        status='FAILED_PRECONDITION', message=f'The index in {path.parent} cannot be opened: {reason}.', cause=cause
    )
