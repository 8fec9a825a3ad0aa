# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The store: an index in memory, and when it is read from and written to its directory.

Reading happens at the first use and again whenever the files changed. Writing happens at the end of every write, or once at the end
of an ingest; a long ingest saves in between whenever saving is cheap next to what it took to get there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from genkit import GenkitError
from genkitx.filters import Filter
from genkitx.stores import Capabilities, Match, Record, SearchRequest, VectorStore, dimension_error
from genkitx.threads import in_thread

from genkitx_hnsw.directory import DEFAULT_MAX_BYTES, IndexDirectory, Signature
from genkitx_hnsw.engines import EngineName, GraphSettings, Space
from genkitx_hnsw.filters import SUPPORT
from genkitx_hnsw.floats import floats
from genkitx_hnsw.index import Index
from genkitx_hnsw.pace import Pace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar('T')
_log: Final = logging.getLogger(__name__)

DEFAULT_EF: Final = 64
_SAVING_SHARE: Final = 0.02
"""The share of its time that an ingest may spend on saving before it is done."""
_CAPABILITIES: Final = Capabilities(filters=SUPPORT, writers=1)


class HnswStore(VectorStore):
    """One index. It belongs to no event loop: the engine runs in worker threads, but for searches too short for that.

    Scores: cosine similarity for `cosine`, the inner product for `ip`, 1 / (1 + squared distance) for `l2`.

    Args:
        name: The store's name, for messages.
        path: The directory.
        engine: Which engine.
        settings: How a new graph is built. The files of an index that exists decide instead, but for growth and threads.
        space: The space that is asked for; None takes what the files say, and `settings.space` for a new index.
        ef: Candidates that a search keeps, where it does not say.
        lock_timeout: Seconds to wait for another writer.
        max_bytes: A larger file is refused.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        engine: EngineName = 'auto',
        settings: GraphSettings | None = None,
        space: Space | None = None,
        ef: int = DEFAULT_EF,
        lock_timeout: float = 10.0,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        self.name = name
        self._directory = IndexDirectory(path, max_bytes=max_bytes)
        self._engine: EngineName = engine
        self._settings = settings or GraphSettings(space=space or 'cosine')
        self._space = space
        self._ef = ef
        self._lock_timeout = lock_timeout
        # What is in memory, and the state of the files that it was read from or written to.
        self._state: tuple[Index, Signature | None] | None = None
        self._loading = threading.Lock()
        # Of the writer: one thread at a time has `_writing`; `_held` is the lock between processes.
        self._writing = threading.Lock()
        self._held: contextlib.ExitStack | None = None
        self._sessions = 0
        self._counting = threading.Lock()
        self._undone: BaseException | None = None
        self._saved_at = 0.0
        self._saving_took = 0.0
        self._pace = Pace()

    @property
    def capabilities(self) -> Capabilities:
        """Everything but namespaces and text search."""
        return _CAPABILITIES

    @property
    def path(self) -> Path:
        """The directory of the index."""
        return self._directory.path

    async def upsert(self, records: Sequence[Record], *, namespace: str | None = None) -> None:
        """Writes records; they are on disk when this returns, or when the session around it ends."""
        await asyncio.to_thread(self._upsert, records)

    async def search(self, request: SearchRequest) -> list[Match]:
        """Searches the graph, or compares with all records that satisfy a narrow filter.

        A short search of the graph runs on the event loop, unless it has to wait for a writer or for the files, see `Pace`.
        """
        candidates = max(request.k, request.native.get('ef') or self._ef)
        plain = request.filter is None and not request.include_vectors
        if plain and self._pace.is_short(candidates, request.k):
            if self._pace.others_turn:
                await self._pace.turn()
            # Those before it may have shown that it is not.
            if self._pace.is_short(candidates, request.k):
                with contextlib.suppress(BlockingIOError):
                    return self._search(request, candidates, plain=True, wait=False)
        return await in_thread(lambda: self._search(request, candidates, plain=plain))

    async def fetch(
        self, ids: Sequence[str], *, namespace: str | None = None, include_vectors: bool = False
    ) -> list[Record]:
        """Returns the records with these ids. Vectors of a cosine index have length 1."""
        return await in_thread(lambda: self._current().fetch(ids, include_vectors=include_vectors))

    async def existing(self, ids: Sequence[str], *, namespace: str | None = None) -> set[str]:
        """Returns which of these ids exist."""
        return await asyncio.to_thread(lambda: self._current().existing(ids))

    async def ids(self) -> set[str]:
        """Returns the ids of all records."""
        return await asyncio.to_thread(lambda: self._current().ids())

    async def delete(
        self,
        *,
        ids: Sequence[str] | None = None,
        filter: Filter | None = None,  # noqa: A002
        namespace: str | None = None,
    ) -> None:
        """Deletes by ids or by filter. Texts leave the files at once, vectors when the graph is next built anew."""
        await asyncio.to_thread(self._write, lambda index: index.delete(ids, filter))

    async def count(self, *, filter: Filter | None = None, namespace: str | None = None) -> int:  # noqa: A002
        """Returns the number of records."""
        return await asyncio.to_thread(lambda: self._current().count(filter))

    async def dimension(self) -> int | None:
        """Returns the length of the vectors; None for an index without any."""
        return await asyncio.to_thread(lambda: self._current().dimensions)

    async def rebuild(self) -> None:
        """Builds the graph anew without what was deleted."""
        await asyncio.to_thread(self._write, Index.rebuild)

    async def describe(self) -> dict[str, Any]:
        """Returns sizes and settings: count, deleted, dimensions, space, m, ef_construction."""
        return await asyncio.to_thread(lambda: self._current().describe())

    async def create(self, dimensions: int) -> None:
        """Writes an empty index, unless there is one.

        Raises:
            GenkitError: INVALID_ARGUMENT when there is one with another length of vectors.
        """

        def create(index: Index) -> None:
            if index.dimensions is None:
                index.dimensions, index.changed = dimensions, True
            elif index.dimensions != dimensions:
                raise dimension_error(self.name, index.dimensions, dimensions)

        await asyncio.to_thread(self._write, create)

    async def destroy(self) -> None:
        """Deletes the index's files."""
        await asyncio.to_thread(self._destroy)

    async def aclose(self) -> None:
        """Saves what a session wrote, and frees the memory. A later use reads the files again."""
        await asyncio.to_thread(self._close)

    def session(self) -> AbstractAsyncContextManager[None]:
        """Makes one write of many: the files are replaced when the session ends, also after an error or a cancellation."""
        return self._session()

    def check(self, record: Record) -> None:
        """Refuses an empty id, and a vector that 32-bit floats cannot hold.

        Raises:
            GenkitError: INVALID_ARGUMENT.
        """
        self._check_id(record)
        self._floats((record.vector,), len(record.vector))

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncGenerator[None]:
        with self._counting:
            self._sessions += 1
        try:
            yield
        finally:
            # A thread goes on when its caller is cancelled: this waits for a write under way, then saves.
            await _finish(asyncio.ensure_future(asyncio.to_thread(self._end_session)))

    # In worker threads, but for short searches.

    def _search(self, request: SearchRequest, ef: int, *, plain: bool, wait: bool = True) -> list[Match]:
        begin = self._pace.begin(on_loop=not wait)
        query = request.vector or ()
        vector = self._floats((query,), len(query), what='a query vector')
        found = self._current(wait=wait).search(request, vector, ef, wait=wait)
        if plain:
            # Others take about as long in proportion; with a filter, or vectors in the answer, they do not.
            self._pace.note(begin, ef, len(found), on_loop=not wait)
        return found

    def _upsert(self, records: Sequence[Record]) -> None:
        if records:
            self._write(lambda index: index.upsert(records, self._vectors(records, index.dimensions)))

    def _vectors(self, records: Sequence[Record], dimensions: int | None) -> NDArray[np.float32]:
        expected = dimensions or len(records[0].vector)
        for record in records:
            self._check_id(record)
            if len(record.vector) != expected:
                raise dimension_error(self.name, expected, len(record.vector))
        return self._floats((record.vector for record in records), expected).reshape(-1, expected)

    def _check_id(self, record: Record) -> None:
        if not record.id:
            raise GenkitError(status='INVALID_ARGUMENT', message=f'{self.name}: an id is not empty.')

    def _floats(
        self, vectors: Iterable[Sequence[float]], dimensions: int, *, what: str = 'a vector'
    ) -> NDArray[np.float32]:
        try:
            return floats(vectors, dimensions)
        except ValueError as error:
            raise GenkitError(
                status='INVALID_ARGUMENT',
                message=f'{self.name}: {what} is empty, or has a number that is not finite or that 32 bits cannot hold.',
            ) from error

    def _current(self, *, wait: bool = True) -> Index:
        """Returns the index as its files are now; to the writer, as it will be.

        Raises:
            BlockingIOError: The files have to be read, and `wait` is False.
        """
        state = self._state
        if state is not None and (self._held is not None or self._directory.signature() == state[1]):
            return state[0]
        if not wait:
            raise BlockingIOError
        with self._loading:
            state = self._state
            if state is not None and (self._held is not None or self._directory.signature() == state[1]):
                return state[0]
            self._state = state = self._read()
            return state[0]

    def _read(self) -> tuple[Index, Signature | None]:
        snapshot = self._directory.read()
        if snapshot is None:
            return Index(self.name, self._engine, self._settings), None
        index = Index.load(self.name, self._engine, self._settings, snapshot, self.path)
        found = index.settings.space
        if self._space not in (None, found):
            raise GenkitError(
                status='FAILED_PRECONDITION',
                message=(
                    f'{self.name} was asked for space {self._space!r}, but {self.path} holds {found!r}. '
                    'Leave the space out, or index into a new directory.'
                ),
            )
        return index, snapshot.signature

    def _write(self, change: Callable[[Index], None]) -> None:
        with self._writing:
            index = self._begin()
            try:
                change(index)
                if self._sessions:
                    self._save_now_and_then(index)
            except GenkitError:
                raise  # Raised before anything was changed.
            except BaseException as error:
                # Half a change, perhaps. What the files hold is whole.
                self._undone = error if index.changed else None
                self._state = None
                raise
            finally:
                if not self._sessions:
                    self._end()

    def _begin(self) -> Index:
        """Becomes the writer, and returns the index as its files are."""
        if self._held is not None:
            return self._current()
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._directory.locked(self._lock_timeout, self.name))
            index = self._current()
            self._held = stack.pop_all()
        self._undone = None
        self._saved_at = time.monotonic()
        return index

    def _end(self) -> None:
        """Saves, and stops being the writer."""
        held, undone = self._held, self._undone
        if held is None:
            return
        try:
            state = self._state
            if state is not None and state[0].changed:
                self._save(state[0])
        except BaseException:
            self._state = None  # What could not be saved was not written.
            raise
        finally:
            self._held = self._undone = None
            held.close()
        if undone is not None and self._sessions:
            raise GenkitError(
                status='ABORTED',
                message=f'{self.name}: a write failed, and what was written since the last save is undone: {undone}',
            ) from undone

    def _save(self, index: Index) -> None:
        start = time.monotonic()
        self._state = index, self._directory.replace(index.save)
        index.changed = False
        self._saved_at = time.monotonic()
        self._saving_took = self._saved_at - start

    def _save_now_and_then(self, index: Index) -> None:
        # What would be lost if the process died now took this long. The first save of a run is a guess.
        took = max(self._saving_took, 0.1)
        if time.monotonic() - self._saved_at > took / _SAVING_SHARE:
            try:
                self._save(index)
            except GenkitError as error:
                # The session's end saves again, and raises.
                self._saved_at = time.monotonic()
                _log.warning('%s could not be saved yet: %s', self.name, error)

    def _end_session(self) -> None:
        with self._writing:
            try:
                if self._sessions == 1:
                    self._end()
            finally:
                with self._counting:
                    self._sessions -= 1

    def _close(self) -> None:
        with self._writing:
            self._end()
            self._state = None

    def _destroy(self) -> None:
        with self._writing, self._directory.locked(self._lock_timeout, self.name):
            self._directory.remove()
            self._state = None


async def _finish(task: asyncio.Future[T]) -> T:
    """Waits for a task to its end, also when the waiting is cancelled; the cancellation then goes on."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except Exception:  # noqa: BLE001, S112 - raised by `result` below
            continue
    result = task.result()
    if cancelled is not None:
        raise cancelled
    return result
