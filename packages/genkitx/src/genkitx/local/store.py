# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The local store: one JSON file an index, searched exactly. It is the reference for every other store."""

from __future__ import annotations

import heapq
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from genkit import GenkitError

from genkitx.files import exclusive_lock, replace_file
from genkitx.filters import Filter, evaluate
from genkitx.local.codec import Row, dump, load, make_row
from genkitx.retrieval.documents import copy_document
from genkitx.stores.ranking import Direction
from genkitx.stores.store import Capabilities, Match, Record, SearchRequest, VectorStore, dimension_error
from genkitx.threads import in_thread

_CAPABILITIES: Final = Capabilities(writers=1)
_LOCK_TIMEOUT: Final = 30.0


class DevLocalStore(VectorStore):
    """An index in a JSON file, `__db_<index>.json`, in the format of JS's dev-local-vectorstore.

    Writes are atomic and hold a lock file, so several processes may write; reads see the file before a write or after it. Scores
    are cosine similarities, -1 to 1.

    Args:
        name: The store's name, for messages.
        path: The file. It is created by the first write.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path
        self._rows: dict[str, Row] = {}
        self._signature: tuple[int, ...] | None = None
        self._loading = threading.Lock()

    @property
    def capabilities(self) -> Capabilities:
        """Everything but namespaces."""
        return _CAPABILITIES

    async def upsert(self, records: Sequence[Record], *, namespace: str | None = None) -> None:
        """Writes records; the file is replaced once."""
        await in_thread(lambda: self._upsert(records))

    async def search(self, request: SearchRequest) -> list[Match]:
        """Compares the query with every record that satisfies the filter."""
        return await in_thread(lambda: self._search(request))

    async def fetch(
        self, ids: Sequence[str], *, namespace: str | None = None, include_vectors: bool = False
    ) -> list[Record]:
        """Returns the records with these ids."""
        rows = await in_thread(self._load)
        return [_own(rows[one].record) for one in dict.fromkeys(ids) if one in rows]

    async def delete(
        self,
        *,
        ids: Sequence[str] | None = None,
        filter: Filter | None = None,  # noqa: A002
        namespace: str | None = None,
    ) -> None:
        """Deletes by ids or by filter."""
        doomed = set(ids or ())

        def left(rows: dict[str, Row]) -> dict[str, Row]:
            return {
                key: row
                for key, row in rows.items()
                if key not in doomed and (filter is None or not evaluate(filter, row.record.document.metadata))
            }

        await in_thread(lambda: self._change(left))

    async def count(self, *, filter: Filter | None = None, namespace: str | None = None) -> int:  # noqa: A002
        """Returns the number of records."""
        rows = await in_thread(self._load)
        return sum(evaluate(filter, row.record.document.metadata) for row in rows.values())

    async def dimension(self) -> int | None:
        """Returns the length of the stored vectors; None for an empty index."""
        return _dimension(await in_thread(self._load))

    async def aclose(self) -> None:
        """Forgets what was read; there is nothing to close."""
        with self._loading:
            self._rows, self._signature = {}, None

    def _upsert(self, records: Sequence[Record]) -> None:
        added = {record.id: make_row(_own(record)) for record in records}

        def apply(rows: dict[str, Row]) -> dict[str, Row]:
            expected = _dimension(rows) or _dimension(added)
            for row in added.values():
                if len(row.record.vector) != expected:
                    raise dimension_error(self.name, expected or 0, len(row.record.vector))
            return {**rows, **added}

        self._change(apply)

    def _change(self, change: Callable[[dict[str, Row]], dict[str, Row]]) -> None:
        lock = self._path.with_name(f'{self._path.name}.lock')
        with exclusive_lock(lock, timeout=_LOCK_TIMEOUT, what=self.name):
            before = self._load()
            rows = change(before)
            if rows != before:
                replace_file(self._path, dump(rows))
                with self._loading:
                    self._rows, self._signature = rows, self._stat()

    def _search(self, request: SearchRequest) -> list[Match]:
        query = request.vector or ()
        rows = self._load()
        expected = _dimension(rows)
        if expected is not None and len(query) != expected:
            raise dimension_error(self.name, expected, len(query), what='a query vector')
        kept = list(rows.values())
        if request.filter is not None:
            kept = [row for row in kept if evaluate(request.filter, row.record.document.metadata)]
        direction = Direction.of(query)
        near = direction.cosines(row.direction for row in kept)
        best = [kept[i] for i in heapq.nlargest(request.k, range(len(kept)), key=near.__getitem__)]
        found = [(direction.cosine(row.direction), _own(row.record)) for row in best]
        matches = [Match(record.id, score, record.document, record.vector) for score, record in found]
        return sorted(matches, key=lambda match: -match.score)

    def _load(self) -> dict[str, Row]:
        """Returns the rows; the file is read again only after it changed. The dict is never changed in place."""
        with self._loading:
            signature = self._stat()
            if signature != self._signature:
                self._rows = load(self._path.read_bytes(), str(self._path)) if signature else {}
                self._signature = signature
            return self._rows

    def _stat(self) -> tuple[int, ...] | None:
        try:
            stat = os.stat(self._path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise GenkitError(
                status='FAILED_PRECONDITION', message=f'{self.name}: cannot read {self._path}: {error}', cause=error
            ) from error
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _own(record: Record) -> Record:
    """Copies a record: nobody can change what is stored by changing what was given or got."""
    return Record(record.id, list(record.vector), copy_document(record.document))


def _dimension(rows: dict[str, Row]) -> int | None:
    first = next(iter(rows.values()), None)
    return None if first is None else len(first.record.vector)
