# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""An index in memory: a graph of vectors, and the entry of each label.

Labels are never used twice: a replaced or deleted record leaves a dead label behind, which the graph skips. Writing into a used
place would cost ten inserts (the engine repairs all links around it). A mark costs nothing itself, but an insert among what is marked
takes up to twice as long, since it looks for so many that are not: so the engine is told of the dead as late as possible, before a
search or a save. When more labels are dead than alive, the graph is built anew from what is alive: that is one more insert for each
record replaced, and bounds how much slower and larger the dead make an index.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from genkit import GenkitError
from genkitx.filters import Filter, evaluate
from genkitx.stores import Match, Record, SearchRequest, dimension_error

from genkitx_hnsw import codec, layout
from genkitx_hnsw.directory import ARGS, DOCSTORE, INDEX, Snapshot
from genkitx_hnsw.engines import Engine, EngineName, GraphSettings, Space, check_settings, create_engine, load_engine
from genkitx_hnsw.filters import Columns
from genkitx_hnsw.locks import ReadWriteLock

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_log: Final = logging.getLogger(__name__)

_Found: TypeAlias = tuple[list[int], list[float]]
"""Labels and their distances, closest first."""

_MIN_DEAD: Final = 1000
"""Fewer dead labels than this are not worth building anew."""
_INSERTS_AT_ONCE: Final = 256
"""Records inserted between two moments in which searches run."""
_MAX_FETCH: Final = 1000
"""Candidates of a filtered search on the graph; where more would be needed, comparing all that match is cheaper."""
_VECTORS_AT_ONCE: Final = 8192
_SAME: Final = 1e-6
"""Vectors this close are the same: an engine's own scaling rounds."""


class Index:
    """The records of an index. Reads may run beside each other and beside one writer; the caller sees that there is only one.

    Args:
        name: The store's name, for messages.
        engine_choice: Which engine.
        settings: How the graph is built; for a loaded index its file decides.
        dimensions: Length of the vectors; None until the first is added.
    """

    def __init__(
        self, name: str, engine_choice: EngineName, settings: GraphSettings, dimensions: int | None = None
    ) -> None:
        self.name = name
        self.dimensions = dimensions
        self.settings = settings
        self.changed = False
        self._choice: EngineName = engine_choice
        self._args: dict[str, Any] = {}
        self._engine: Engine | None = None
        self._rows: dict[int, codec.Row] = {}
        self._dead: set[int] = set()
        # Those among them that the engine does not know of yet.
        self._unmarked: list[int] = []
        self._labels: dict[str, int] = {}
        self._next = 0
        self._columns: tuple[Columns, list[int]] | None = None
        self._lock = ReadWriteLock()

    @classmethod
    def load(cls, name: str, choice: EngineName, settings: GraphSettings, snapshot: Snapshot, where: Path) -> Index:
        """Reads an index from its files.

        Raises:
            GenkitError: DATA_LOSS, naming the file and what is wrong with it.
        """
        files = snapshot.files
        space, dimensions, args = codec.load_args(files[ARGS], str(where / ARGS))
        found = layout.check(files[INDEX], dimensions, str(where / INDEX))
        entries = codec.load_docstore(files[DOCSTORE], str(where / DOCSTORE))
        settings = replace(settings, space=space, m=found.m, ef_construction=found.ef_construction)
        index = cls(name, choice, settings, dimensions)
        index._args = args
        labels = found.labels.tolist()
        index._fill(labels, found.deleted.tolist(), entries, str(where / DOCSTORE))
        index._next = max(len(labels), max(labels, default=-1) + 1)
        if labels:
            index._engine = load_engine(choice, settings, files[INDEX], dimensions, len(labels))
        return index

    def save(self, folder: Path) -> None:
        """Writes the three files, and checks the one that an engine wrote."""
        import numpy as np

        with self._lock.writing():
            self._mark()
        with self._lock.reading():
            dimensions = self.dimensions or 0
            settings = self.settings
            if self._engine is None:
                (folder / INDEX).write_bytes(layout.empty_file(dimensions, settings.m, settings.ef_construction))
            else:
                self._engine.save(folder / INDEX)
                written = layout.check(
                    np.memmap(folder / INDEX, np.uint8, 'r'), dimensions, f'{self.name}, as its engine wrote it,'
                )
                counts = written.count, int(written.deleted.sum())
                if counts != (len(self._rows) + len(self._dead), len(self._dead)):
                    raise GenkitError(status='INTERNAL', message=f'{self.name}: the engine wrote another index.')
            everything = {**dict.fromkeys(self._dead), **{label: row.entry for label, row in self._rows.items()}}
            (folder / DOCSTORE).write_bytes(codec.dump_docstore(sorted(everything.items(), key=_first)))
            (folder / ARGS).write_bytes(codec.dump_args(settings.space, dimensions, self._args))

    def search(self, request: SearchRequest, vector: NDArray[np.float32], ef: int, *, wait: bool = True) -> list[Match]:
        """Finds the closest records; as many as wanted whenever as many satisfy the condition.

        Args:
            request: What to search for.
            vector: Its vector.
            ef: Candidates that the graph search keeps; more find better and slower.
            wait: Whether it may wait for others, or compare with everything.

        Raises:
            BlockingIOError: It would have to, and may not.
        """
        self._lock.begin_reading(wait=wait)
        try:
            if not self._unmarked:
                return self._search(request, vector, ef, wait)
        finally:
            self._lock.end_reading()
        if not wait:
            raise BlockingIOError
        # In one go: a writer might bury more in between, again and again.
        with self._lock.writing():
            self._mark()
            return self._search(request, vector, ef, wait)

    def fetch(self, ids: Sequence[str], *, include_vectors: bool) -> list[Record]:
        """Returns the records with these ids."""
        with self._lock.reading():
            labels = [label for label in map(self._labels.get, dict.fromkeys(ids)) if label is not None]
            vectors: list[list[float]] = [[]] * len(labels)
            if include_vectors and labels and self._engine is not None:
                vectors = self._engine.vectors(labels).tolist()
            rows = [self._rows[label] for label in labels]
            return [Record(row.id, vector, row.document()) for row, vector in zip(rows, vectors, strict=True)]

    def ids(self) -> set[str]:
        """Returns the ids of all records."""
        with self._lock.reading():
            return set(self._labels)

    def existing(self, ids: Sequence[str]) -> set[str]:
        """Returns which of these ids exist."""
        with self._lock.reading():
            return {one for one in ids if one in self._labels}

    def count(self, condition: Filter | None) -> int:
        """Returns the number of records, all or those that satisfy a condition."""
        with self._lock.reading():
            return len(self._rows) if condition is None else len(self._satisfying(condition))

    def describe(self) -> dict[str, Any]:
        """Returns sizes and settings."""
        settings = self.settings
        return {
            'count': len(self._rows),
            'deleted': len(self._dead),
            'dimensions': self.dimensions,
            'space': settings.space,
            'm': settings.m,
            'ef_construction': settings.ef_construction,
        }

    def upsert(self, records: Sequence[Record], vectors: NDArray[np.float32]) -> None:
        """Writes records, whose vectors are finite and of the right length; a record with the id of another replaces it."""
        entries = [codec.to_entry(record) for record in records]
        if self._engine is None:
            check_settings(self._choice, self.settings)
        if self.dimensions is None:
            self.dimensions = int(vectors.shape[1])
        for start in range(0, len(records), _INSERTS_AT_ONCE):
            part = slice(start, start + _INSERTS_AT_ONCE)
            with self._lock.writing():
                self._columns = None
                self.changed = True
                self._insert(entries[part], vectors[part])
        self._rebuild_if_worth()

    def delete(self, ids: Sequence[str] | None, condition: Filter | None) -> None:
        """Deletes by ids, or what satisfies a condition."""
        with self._lock.writing():
            doomed = [self._rows[label].id for label in self._satisfying(condition)] if condition else ids or ()
            for one in doomed:
                label = self._labels.pop(one, None)
                if label is not None:
                    self._bury(label)
                    self._columns = None
                    self.changed = True
        self._rebuild_if_worth()

    def rebuild(self) -> None:
        """Builds the graph anew from the live records, under the labels 0 to n - 1. Searches go on meanwhile."""
        if not self._dead:
            return
        labels = list(self._rows)
        engine: Engine | None = None
        for start in range(0, len(labels), _VECTORS_AT_ONCE):
            part = labels[start : start + _VECTORS_AT_ONCE]
            with self._lock.reading():
                assert self._engine is not None  # noqa: S101 - there are labels
                vectors = self._engine.vectors(part)
            new = list(range(start, start + len(part)))
            if engine is None:
                engine = create_engine(self._choice, self.settings, vectors, new)
            else:
                engine.add(vectors, new)
        with self._lock.writing():
            rows = list(self._rows.values())
            self._engine = engine
            self._rows = dict(enumerate(rows))
            self._labels = {row.id: label for label, row in enumerate(rows)}
            self._dead = set()
            self._unmarked = []
            self._next = len(rows)
            self._columns = None
            self.changed = True

    def _fill(self, labels: list[int], deleted: list[bool], entries: dict[int, codec.Entry], where: str) -> None:
        for label, dead in zip(labels, deleted, strict=True):
            entry = entries.pop(label, None)
            if dead:
                self._dead.add(label)
                continue
            if entry is None:
                raise layout.broken(where, f'it has no entry for the label {label} of the index')
            one = unique = codec.entry_id(entry)
            if unique in self._labels:
                # JS does not know ids, or does not mind if two records share one.
                unique = f'{one}#{label}'
            self._labels[unique] = label
            self._rows[label] = codec.Row(unique, entry)
        if entries and max(entries) > max(labels, default=-1):
            raise layout.broken(where, f'its label {max(entries)} is not in the index, which seems to be older')
        if entries:
            # What an engine with places to reuse leaves behind of a deleted label.
            _log.warning('%s: %d entries belong to no vector and are left out.', where, len(entries))

    def _insert(self, entries: list[codec.Entry], vectors: NDArray[np.float32]) -> None:
        fresh: list[int] = []
        moved = self._moved(entries, vectors)
        for i, entry in enumerate(entries):
            label = self._labels.get(entry['id'])
            if label is not None and not moved[i]:
                self._rows[label] = codec.Row(entry['id'], entry)
            else:
                fresh.append(i)
        if not fresh:
            return
        labels = list(range(self._next, self._next + len(fresh)))
        chosen = vectors[fresh] if len(fresh) < len(vectors) else vectors
        if self._engine is None:
            self._engine = create_engine(self._choice, self.settings, chosen, labels)
        else:
            self._engine.add(chosen, labels)
        self._next += len(fresh)
        for i, label in zip(fresh, labels, strict=True):
            entry = entries[i]
            old = self._labels.get(entry['id'])
            if old is not None:
                self._bury(old)
            self._labels[entry['id']] = label
            self._rows[label] = codec.Row(entry['id'], entry)

    def _moved(self, entries: list[codec.Entry], vectors: NDArray[np.float32]) -> list[bool]:
        """Tells which records are new or have another vector than before: only those need a new place in the graph."""
        import numpy as np

        moved = [True] * len(entries)
        known = [(i, label) for i, one in enumerate(entries) if (label := self._labels.get(one['id'])) is not None]
        if known and self._engine is not None:
            stored = self._engine.vectors([label for _, label in known])
            given = _scaled(vectors[[i for i, _ in known]], self.settings.space)
            apart = np.abs(stored - given).max(axis=1) > _SAME * np.maximum(1, np.abs(given).max(axis=1))
            for (i, _), far in zip(known, apart.tolist(), strict=True):
                moved[i] = far
        return moved

    def _bury(self, label: int) -> None:
        del self._rows[label]
        self._dead.add(label)
        self._unmarked.append(label)

    def _mark(self) -> None:
        """Tells the engine of the dead; the caller holds the lock alone."""
        for label in self._unmarked:
            assert self._engine is not None  # noqa: S101 - there is a label
            self._engine.delete(label)
        self._unmarked = []

    def _rebuild_if_worth(self) -> None:
        if len(self._dead) > max(_MIN_DEAD, len(self._rows)):
            self.rebuild()

    def _satisfying(self, condition: Filter) -> list[int]:
        """Returns the labels of the records that satisfy a condition."""
        import numpy as np

        cached = self._columns
        if cached is None:
            labels = list(self._rows)
            cached = self._columns = Columns([row.entry['metadata'] for row in self._rows.values()]), labels
        columns, labels = cached
        return [labels[i] for i in np.flatnonzero(columns.mask(condition, self.name)).tolist()]

    def _search(self, request: SearchRequest, vector: NDArray[np.float32], ef: int, wait: bool) -> list[Match]:
        engine = self._engine
        if self.dimensions is not None and len(vector) != self.dimensions:
            raise dimension_error(self.name, self.dimensions, len(vector), what='a query vector')
        if engine is None or not self._rows:
            return []
        if request.filter is None:
            found = self._nearest(engine, vector, request.k, ef, wait)
        else:
            found = self._filtered(engine, vector, request.k, ef, request.filter)
        return self._matches(engine, found, request)

    def _nearest(self, engine: Engine, vector: NDArray[np.float32], k: int, ef: int, wait: bool) -> _Found:
        k = min(k, len(self._rows))
        found = engine.query(vector, k, self._ef(engine, max(ef, k)), wait=wait)
        if found is not None:
            return found
        # Not everything in the graph can be reached any more: compare with everything.
        if not wait:
            raise BlockingIOError
        return self._exact(engine, vector, list(self._rows), k)

    def _filtered(self, engine: Engine, vector: NDArray[np.float32], k: int, ef: int, condition: Filter) -> _Found:
        labels = self._satisfying(condition)
        k = min(k, len(labels))
        if k == 0:
            return [], []
        live = len(self._rows)
        wanted = min(live, math.ceil(1.5 * k * live / len(labels)) + 10)
        if wanted <= _MAX_FETCH and wanted < len(labels):
            found = engine.query(vector, wanted, self._ef(engine, max(ef, wanted)))
            near = zip(*found, strict=True) if found is not None else ()
            kept = [one for one in near if evaluate(condition, self._rows[one[0]].entry['metadata'])]
            if len(kept) >= k:
                return _unzipped(kept[:k])
        return self._exact(engine, vector, labels, k)

    def _ef(self, engine: Engine, ef: int) -> int:
        """Widens a search by the share of dead elements, which lead it on but are no candidates."""
        return min(engine.count, math.ceil(ef * engine.count / len(self._rows)))

    def _exact(self, engine: Engine, vector: NDArray[np.float32], labels: list[int], k: int) -> _Found:
        """Compares the query with all of these labels."""
        import numpy as np

        space = self.settings.space
        query = _scaled(vector[None, :], space)[0]
        best: list[tuple[int, float]] = []
        for start in range(0, len(labels), _VECTORS_AT_ONCE):
            part = labels[start : start + _VECTORS_AT_ONCE]
            stored = engine.vectors(part)
            distances = ((stored - query) ** 2).sum(axis=1) if space == 'l2' else 1 - stored @ query
            near = np.argpartition(distances, k - 1)[:k] if k < len(part) else np.arange(len(part))
            best += [(part[i], float(distances[i])) for i in near.tolist()]
        return _unzipped(sorted(best, key=lambda one: one[1])[:k])

    def _matches(self, engine: Engine, found: _Found, request: SearchRequest) -> list[Match]:
        rows, floor = self._rows, request.min_score
        labels, distances = found
        scores = scored(distances, self.settings.space)
        if floor is not None:
            scores = [one for one in scores if one >= floor]
            labels = labels[: len(scores)]
        vectors: Iterable[list[float] | None] = itertools.repeat(None)
        if request.include_vectors and labels:
            vectors = engine.vectors(labels).tolist()
        return [
            Match((row := rows[label]).id, value, row.document(), vector)
            for label, value, vector in zip(labels, scores, vectors, strict=False)
        ]


def scored(distances: Sequence[float], space: Space) -> list[float]:
    """Turns an engine's distances into scores, higher is closer.

    Cosine similarity (-1 to 1) for `cosine`, the inner product for `ip`, and for `l2` 1 / (1 + squared distance) (0 to 1).
    """
    if space == 'l2':
        return [1 / (1 + distance) for distance in distances]
    return [1 - distance for distance in distances]


def _unzipped(found: Sequence[tuple[int, float]]) -> _Found:
    return [label for label, _ in found], [distance for _, distance in found]


def _scaled(vectors: NDArray[np.float32], space: Space) -> NDArray[np.float32]:
    """Returns vectors as an engine stores them: at length 1 for cosine."""
    import numpy as np

    if space != 'cosine':
        return vectors
    return (vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-30)).astype(np.float32)


def _first(item: tuple[int, Any]) -> int:
    return item[0]
