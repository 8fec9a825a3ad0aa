# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The two engines behind one small interface; both read and write the same file.

`voyager` (Spotify) is a fork of hnswlib with wheels for every platform. It writes hnswlib's layout behind 19 bytes of its own, and
reads it without them. `hnswlib` is the original: source only, so it needs a compiler to install.
"""

from __future__ import annotations

import abc
import importlib
import importlib.util
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from genkit import GenkitError

from genkitx_hnsw.layout import CAPACITY_OFFSET, first_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Space: TypeAlias = Literal['cosine', 'ip', 'l2']
"""How vectors are compared: cosine (they are stored at length 1), inner product, squared Euclidean distance."""

EngineName: TypeAlias = Literal['auto', 'voyager', 'hnswlib']
"""`auto` is hnswlib where it is installed, else voyager."""

SPACES: Final[tuple[Space, ...]] = ('cosine', 'ip', 'l2')
DEFAULT_SEED: Final = 100
_VOYAGER_HEADER: Final = 19
_VOYAGER_VERSION: Final = b'VOYA\x01\x00\x00\x00'


@dataclass(frozen=True, kw_only=True)
class GraphSettings:
    """How a new graph is built and grows.

    Attributes:
        space: How vectors are compared.
        m: Links of an element; more are better and take more memory.
        ef_construction: Candidates that an insert looks at; more are better and slower.
        seed: Seed of the random levels.
        growth: A full index makes room for this many times its elements.
        threads: Threads of an insert; None is one per core.
    """

    space: Space = 'cosine'
    m: int = 16
    ef_construction: int = 200
    seed: int = DEFAULT_SEED
    growth: float = 1.5
    threads: int | None = None


class Engine(abc.ABC):
    """A graph of vectors, each under a label.

    Queries may run at the same time as queries, but not at the same time as `add` and `delete`; the caller sees to that.
    """

    count: int
    """Elements, deleted ones included."""

    @abc.abstractmethod
    def add(self, vectors: NDArray[np.float32], labels: Sequence[int]) -> None:
        """Adds vectors under labels that were never used."""

    @abc.abstractmethod
    def delete(self, label: int) -> None:
        """Marks a live element as deleted."""

    @abc.abstractmethod
    def query(
        self, vector: NDArray[np.float32], k: int, ef: int, *, wait: bool = True
    ) -> tuple[list[int], list[float]] | None:
        """Returns labels and distances of the k closest, closest first; None when the graph does not reach k live elements.

        Raises:
            BlockingIOError: It would have to wait for another query, and `wait` is False.
        """

    @abc.abstractmethod
    def vectors(self, labels: Sequence[int]) -> NDArray[np.float32]:
        """Returns the vectors of live labels, as stored: one row each."""

    @abc.abstractmethod
    def save(self, path: Path) -> None:
        """Writes the index file."""


def engine_name(choice: EngineName) -> Literal['voyager', 'hnswlib']:
    """Decides which engine is used, without importing it.

    Raises:
        GenkitError: FAILED_PRECONDITION when hnswlib was asked for and is not installed.
    """
    if choice not in ('auto', 'voyager', 'hnswlib'):
        raise GenkitError(
            status='INVALID_ARGUMENT', message=f"engine is 'auto', 'voyager' or 'hnswlib', not {choice!r}."
        )
    if choice == 'voyager':
        return 'voyager'
    if importlib.util.find_spec('hnswlib') is not None:
        return 'hnswlib'
    if choice == 'hnswlib':
        raise GenkitError(
            status='FAILED_PRECONDITION',
            message="engine='hnswlib' needs the package hnswlib and a C++ compiler: pip install 'genkitx-hnsw[hnswlib]'.",
        )
    return 'voyager'


def check_settings(choice: EngineName, settings: GraphSettings) -> None:
    """Refuses settings that the engine cannot make a new index with.

    Raises:
        GenkitError: UNIMPLEMENTED for a seed with voyager in space `ip`.
    """
    if settings.space == 'ip' and settings.seed != DEFAULT_SEED and engine_name(choice) == 'voyager':
        raise GenkitError(
            status='UNIMPLEMENTED', message="voyager takes no seed in space 'ip'. Leave it out, or use hnswlib."
        )


def create_engine(
    choice: EngineName, settings: GraphSettings, vectors: NDArray[np.float32], labels: Sequence[int]
) -> Engine:
    """Makes an index of at least one vector."""
    if engine_name(choice) == 'voyager':
        return _Voyager.create(settings, vectors, labels)
    return _Hnswlib.create(settings, vectors, labels)


def load_engine(choice: EngineName, settings: GraphSettings, data: bytearray, dimensions: int, count: int) -> Engine:
    """Loads a file that `layout.check` has passed and that has at least one element.

    Args:
        choice: Which engine.
        settings: The space, the growth and the threads count; the rest is in the file.
        data: The file. Its capacity is set to its count here: a large one would be a large allocation.
        dimensions: Length of its vectors.
        count: Number of its elements.
    """
    data[CAPACITY_OFFSET : CAPACITY_OFFSET + 8] = count.to_bytes(8, 'little')
    if engine_name(choice) == 'voyager':
        return _Voyager.load(settings, data, dimensions)
    return _Hnswlib.load(settings, data, dimensions, count)


class _Voyager(Engine):
    def __init__(self, index: Any, settings: GraphSettings) -> None:
        self._index = index
        self._settings = settings
        self._capacity = self.count = int(index.num_elements)
        self._recall_error: type[Exception] = _voyager_module().RecallError

    @classmethod
    def create(cls, settings: GraphSettings, vectors: NDArray[np.float32], labels: Sequence[int]) -> _Voyager:
        dimensions = int(vectors.shape[1])
        if settings.space == 'ip':
            # A new index of voyager's own stores inner products with one more dimension. One that begins with a file in hnswlib's
            # layout keeps that layout; its levels are seeded by voyager.
            start = first_file(vectors[0], labels[0], settings.m, settings.ef_construction)
            made = cls.load(settings, bytearray(start), dimensions)
            made.add(vectors[1:], labels[1:])
            return made
        index = _voyager_module().Index(
            _voyager_space(settings.space),
            dimensions,
            M=settings.m,
            ef_construction=settings.ef_construction,
            random_seed=settings.seed,
            max_elements=len(labels),
        )
        made = cls(index, settings)
        made.add(vectors, labels)
        return made

    @classmethod
    def load(cls, settings: GraphSettings, data: bytearray, dimensions: int) -> _Voyager:
        voyager = _voyager_module()
        space = _voyager_space(settings.space)
        index = voyager.Index.load(_Reader(data), space, dimensions, voyager.StorageDataType.Float32)
        return cls(index, settings)

    def add(self, vectors: NDArray[np.float32], labels: Sequence[int]) -> None:
        if not len(labels):
            return
        self._capacity = _capacity(self._capacity, self.count + len(labels), self._settings.growth)
        if self._index.max_elements < self._capacity:
            self._index.resize(self._capacity)
        self._index.add_items(vectors, list(labels), num_threads=self._settings.threads or -1)
        self.count += len(labels)

    def delete(self, label: int) -> None:
        self._index.mark_deleted(label)

    def query(
        self, vector: NDArray[np.float32], k: int, ef: int, *, wait: bool = True
    ) -> tuple[list[int], list[float]] | None:
        try:
            labels, distances = self._index.query(vector, k, query_ef=ef)
        except self._recall_error:
            return None
        return labels.tolist(), distances.tolist()

    def vectors(self, labels: Sequence[int]) -> NDArray[np.float32]:
        return self._index.get_vectors(list(labels))

    def save(self, path: Path) -> None:
        data = memoryview(self._index.as_bytes())
        # The header is undocumented: what is not exactly as known is not written.
        if bytes(data[: len(_VOYAGER_VERSION)]) != _VOYAGER_VERSION:
            raise GenkitError(
                status='UNIMPLEMENTED',
                message='This version of voyager writes a layout that is not known. Install voyager 2.1 to 2.2, or hnswlib.',
            )
        body = data[_VOYAGER_HEADER:]
        with open(path, 'wb') as file:
            file.write(body[:CAPACITY_OFFSET])
            file.write(self.count.to_bytes(8, 'little'))
            file.write(body[CAPACITY_OFFSET + 8 :])


class _Reader:
    """A file over bytes that are not copied, with the four methods that voyager asks for."""

    def __init__(self, data: bytearray) -> None:
        self._data = memoryview(data)
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes."""
        end = len(self._data) if size < 0 else min(len(self._data), self._at + size)
        part = bytes(self._data[self._at : end])
        self._at = end
        return part

    def seek(self, offset: int, whence: int = 0) -> int:
        """Moves to a place."""
        self._at = offset + (0, self._at, len(self._data))[whence]
        return self._at

    def tell(self) -> int:
        """Returns the place."""
        return self._at

    def seekable(self) -> bool:
        """Says that `seek` works."""
        return True


class _Hnswlib(Engine):
    def __init__(self, index: Any, settings: GraphSettings) -> None:
        self._index = index
        self._settings = settings
        self._capacity = self.count = int(index.get_current_count())
        self._ef = 0
        self._ef_lock = threading.Lock()

    @classmethod
    def create(cls, settings: GraphSettings, vectors: NDArray[np.float32], labels: Sequence[int]) -> _Hnswlib:
        index = _hnswlib_index(settings.space, int(vectors.shape[1]))
        index.init_index(
            max_elements=len(labels),
            M=settings.m,
            ef_construction=settings.ef_construction,
            random_seed=settings.seed,
        )
        made = cls(index, settings)
        made._capacity = len(labels)
        made.add(vectors, labels)
        return made

    @classmethod
    def load(cls, settings: GraphSettings, data: bytearray, dimensions: int, count: int) -> _Hnswlib:
        index = _hnswlib_index(settings.space, dimensions)
        # hnswlib reads a path. What it reads must be what was checked, and the index may be replaced meanwhile: so a copy.
        with tempfile.TemporaryDirectory(prefix='genkitx-hnsw-') as folder:
            path = Path(folder, 'hnswlib.index')
            path.write_bytes(data)
            index.load_index(str(path), max_elements=count)
        return cls(index, settings)

    def add(self, vectors: NDArray[np.float32], labels: Sequence[int]) -> None:
        needed = self.count + len(labels)
        if needed > self._capacity:
            self._capacity = _capacity(self._capacity, needed, self._settings.growth)
            self._index.resize_index(self._capacity)
        self._index.add_items(vectors, labels, num_threads=self._settings.threads or -1)
        self.count += len(labels)

    def delete(self, label: int) -> None:
        self._index.mark_deleted(label)

    def query(
        self, vector: NDArray[np.float32], k: int, ef: int, *, wait: bool = True
    ) -> tuple[list[int], list[float]] | None:
        # ef belongs to the index: without the lock another query could change it before this one runs.
        if not self._ef_lock.acquire(blocking=wait):
            raise BlockingIOError
        try:
            if ef != self._ef:
                self._index.set_ef(ef)
                self._ef = ef
            labels, distances = self._index.knn_query(vector, k, num_threads=1)
        except RuntimeError:
            return None
        finally:
            self._ef_lock.release()
        return labels[0].tolist(), distances[0].tolist()

    def vectors(self, labels: Sequence[int]) -> NDArray[np.float32]:
        return self._index.get_items(list(labels))

    def save(self, path: Path) -> None:
        self._index.save_index(str(path))
        with open(path, 'r+b') as file:
            file.seek(CAPACITY_OFFSET)
            file.write(self.count.to_bytes(8, 'little'))


def _capacity(capacity: int, needed: int, growth: float) -> int:
    return capacity if needed <= capacity else max(needed, int(capacity * growth))


def _voyager_module() -> Any:
    # Its type stubs name classes that they do not define.
    return importlib.import_module('voyager')


def _voyager_space(space: Space) -> Any:
    spaces = _voyager_module().Space
    return {'cosine': spaces.Cosine, 'ip': spaces.InnerProduct, 'l2': spaces.Euclidean}[space]


def _hnswlib_index(space: Space, dimensions: int) -> Any:
    index_class: Any = importlib.import_module('hnswlib').Index
    if hasattr(index_class, 'open_persistent_index'):
        raise GenkitError(
            status='FAILED_PRECONDITION',
            message=(
                'The module hnswlib is chroma-hnswlib here, which reads other files. '
                "Uninstall it and install hnswlib, or use engine='voyager'."
            ),
        )
    return index_class(space=space, dim=dimensions)
