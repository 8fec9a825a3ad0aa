# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The directory of an index: read as one, replaced as one.

An index is three files that belong together, and renaming three files is not one step. So a writer makes a whole new directory
next to the old one, syncs it, and swaps the two:

    <parent>/<name>                  the index
    <parent>/.<name>.lock            held by the writer
    <parent>/.<name>.new-<random>    what a writer prepares; after the swap, the old index until it is removed
    <parent>/.<name>.old             only where the system cannot swap: the old index between two renames

Linux (`renameat2`) and macOS (`renamex_np`) swap in one step, so the directory is complete at every moment, for other programs
too. Elsewhere the old directory steps aside first; between the two renames readers use `.old`, and after a crash there the next
writer puts it back.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from genkit import GenkitError
from genkit.plugin_api import StatusName
from genkitx.files import exclusive_lock, sync_directory

from genkitx_hnsw.layout import broken

INDEX: Final = 'hnswlib.index'
DOCSTORE: Final = 'docstore.json'
ARGS: Final = 'args.json'
FILES: Final = (INDEX, DOCSTORE, ARGS)

DEFAULT_MAX_BYTES: Final = 16 * 2**30
_MAX_ARGS_BYTES: Final = 2**20
_ATTEMPTS: Final = 20
_PAUSE: Final = 0.05

Signature: TypeAlias = 'tuple[tuple[int, int, int], ...]'
"""What tells one state of the files from another: inode, size and time of each."""


@dataclass(frozen=True)
class Snapshot:
    """The files of one state.

    Attributes:
        files: Their contents by name.
        signature: The state.
    """

    files: dict[str, bytearray]
    signature: Signature


class IndexDirectory:
    """The directory of one index. All methods block.

    Args:
        path: The directory; its last component must not be a symbolic link.
        max_bytes: A larger file is refused.
    """

    def __init__(self, path: Path, *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.path = Path(os.path.abspath(path))
        if not self.path.name or '\0' in self.path.name:
            raise GenkitError(status='INVALID_ARGUMENT', message=f'{path} cannot be the directory of an index.')
        self._max_bytes = max_bytes
        self._aside = self.path.with_name(f'.{self.path.name}.old')
        self._names = [(os.path.join(self.path, name), os.path.join(self._aside, name)) for name in FILES]

    def signature(self) -> Signature | None:
        """Tells the state of the files; None when there is no index."""
        try:
            found = [os.lstat(name) for name, _ in self._names]
        except OSError:
            found = [info for name, aside in self._names if (info := _stat(name) or _stat(aside)) is not None]
        return tuple([(info.st_ino, info.st_size, info.st_mtime_ns) for info in found]) or None

    def read(self) -> Snapshot | None:
        """Reads the three files as they belong together; None when there is no index.

        Raises:
            GenkitError: DATA_LOSS for missing, too large or irregular files, ABORTED when another program keeps writing them.
        """
        problem: GenkitError | None = None
        for _ in range(_ATTEMPTS):
            before = self.signature()
            if before is None:
                return None
            try:
                with _os_errors(self.path, 'read'):
                    files = self._read_files()
                problem = None
            except FileNotFoundError as error:
                problem, files = broken(str(self.path), f'it lacks {Path(str(error.filename)).name}'), {}
            if self.signature() == before:
                if problem is not None:
                    raise problem
                return Snapshot(files, before)
            # Replaced while it was read: once more. Programs that write in place take a moment.
            time.sleep(_PAUSE)
        raise GenkitError(
            status='ABORTED', message=f'{self.path} is being rewritten all the time. Try again when its writer is done.'
        )

    @contextlib.contextmanager
    def locked(self, timeout: float, what: str) -> Generator[None]:
        """Holds the index for one writer, and cleans up after one that died.

        Raises:
            GenkitError: ABORTED when another writer holds it for longer than `timeout` seconds.
        """
        lock = self.path.with_name(f'.{self.path.name}.lock')
        with contextlib.ExitStack() as stack:
            with _os_errors(self.path):
                stack.enter_context(exclusive_lock(lock, timeout=timeout, what=what))
                self._recover()
            yield

    def replace(self, write: Callable[[Path], None]) -> Signature | None:
        """Replaces the index in one step. The caller holds the lock.

        Args:
            write: Writes the three files into the directory that it is given.

        Returns:
            The new state.
        """
        with _os_errors(self.path):
            self._check_target()
            fresh = self._beside()
            fresh.mkdir()
            try:
                write(fresh)
                self._carry_over(fresh)
                for entry in fresh.iterdir():
                    _sync_file(entry)
                sync_directory(fresh)
                self._swap(fresh)
                sync_directory(self.path.parent)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        return self.signature()

    def remove(self) -> None:
        """Deletes the index's files, and the directory when nothing else is in it. The caller holds the lock."""
        with _os_errors(self.path):
            self._check_target()
            if not self.path.exists():
                return
            if any(entry.name not in FILES for entry in _entries(self.path)):
                self.replace(lambda _: None)  # What is not the index's stays.
                return
            # Out of the way in one step: what is deleted afterwards, file by file, is no index any more.
            gone = self._beside()
            os.rename(self.path, gone)
            sync_directory(self.path.parent)
            shutil.rmtree(gone, ignore_errors=True)

    def _beside(self) -> Path:
        return self.path.with_name(f'.{self.path.name}.new-{secrets.token_hex(8)}')

    def _read_files(self) -> dict[str, bytearray]:
        if _is_link(self.path):
            raise broken(str(self.path), 'it is a symbolic link; name the directory itself')
        if os.open not in os.supports_dir_fd:  # pragma: no cover - Windows only
            base = self.path if self.path.exists() else self._aside
            return {name: self._read_file(base / name, None) for name in FILES}
        handle = self._open_directory()
        try:
            return {name: self._read_file(Path(name), handle) for name in FILES}
        finally:
            os.close(handle)

    def _open_directory(self) -> int:
        # A held directory stays what it is, whatever is renamed meanwhile: its files belong together.
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        try:
            return os.open(self.path, flags)
        except FileNotFoundError:
            return os.open(self._aside, flags)
        except NotADirectoryError as error:
            raise broken(str(self.path), 'it is not a directory') from error

    def _read_file(self, name: Path, directory: int | None) -> bytearray:
        # Not blocking: opening a pipe that somebody put there must not wait for its writer.
        flags = os.O_RDONLY | getattr(os, 'O_NOFOLLOW', 0) | getattr(os, 'O_NONBLOCK', 0) | getattr(os, 'O_BINARY', 0)
        where = str(self.path / name.name)
        try:
            handle = os.open(name, flags, dir_fd=directory)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise broken(where, 'it is a symbolic link') from error
            raise
        with os.fdopen(handle, 'rb') as file:
            info = os.fstat(handle)
            limit = _MAX_ARGS_BYTES if name.name == ARGS else self._max_bytes
            if not stat.S_ISREG(info.st_mode):
                raise broken(where, 'it is not a regular file')
            if info.st_size > limit:
                raise broken(where, f'it has {info.st_size} bytes, more than {limit} (see max_bytes)')
            data = bytearray(info.st_size)
            size = file.readinto(data)
        return data if size == len(data) else data[:size]

    def _check_target(self) -> None:
        if _is_link(self.path):
            raise _unusable(self.path, 'it is a symbolic link. Name the directory itself')
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise _unusable(self.path, 'it is not a directory')
        for entry in _entries(self.path):
            if not entry.is_file(follow_symlinks=False):
                kind = 'directory' if entry.is_dir(follow_symlinks=False) else 'link or device'
                raise _unusable(self.path, f'it holds the {kind} {entry.name!r}. An index needs a directory of its own')

    def _carry_over(self, fresh: Path) -> None:
        """Keeps what else is in the directory: it is the user's."""
        if not self.path.exists():
            return
        shutil.copymode(self.path, fresh)
        for entry in _entries(self.path):
            if entry.name not in FILES:
                try:
                    os.link(entry.path, fresh / entry.name)
                except OSError:
                    shutil.copy2(entry.path, fresh / entry.name)

    def _swap(self, fresh: Path) -> None:
        if not self.path.exists():
            os.rename(fresh, self.path)
        elif not exchange(fresh, self.path):
            os.rename(self.path, self._aside)
            try:
                os.rename(fresh, self.path)
            except BaseException:
                os.rename(self._aside, self.path)
                raise
            shutil.rmtree(self._aside)

    def _recover(self) -> None:
        if _is_directory(self._aside):
            if self.path.exists():
                shutil.rmtree(self._aside)
            else:
                os.rename(self._aside, self.path)
                sync_directory(self.path.parent)
        prefix = f'.{self.path.name}.new-'
        for entry in _entries(self.path.parent):
            if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)


def exchange(one: Path, other: Path) -> bool:
    """Swaps two directories in one step; returns False where the system cannot."""
    swap = _system_exchange()
    if swap is None:
        return False
    if swap(os.fsencode(one), os.fsencode(other)) == 0:
        return True
    import ctypes

    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM):
        return False
    raise OSError(code, os.strerror(code), str(other))


@functools.cache
def _system_exchange() -> Callable[[bytes, bytes], int] | None:
    import ctypes

    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == 'darwin':  # pragma: no cover - macOS only
            renamex: Any = library.renamex_np
            return lambda one, other: renamex(one, other, ctypes.c_uint(2))
        renameat2: Any = library.renameat2
    except (AttributeError, OSError, TypeError):  # pragma: no cover - a system without either call
        return None
    here = ctypes.c_int(-100)  # AT_FDCWD
    return lambda one, other: renameat2(here, one, here, other, ctypes.c_uint(2))  # RENAME_EXCHANGE


def _entries(path: Path) -> list[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        return list(entries)


def _stat(name: str) -> os.stat_result | None:
    try:
        return os.lstat(name)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _os_error(error, Path(name), 'read') from error


def _is_link(path: Path) -> bool:
    info = _stat(str(path))
    return info is not None and stat.S_ISLNK(info.st_mode)


def _is_directory(path: Path) -> bool:
    info = _stat(str(path))
    return info is not None and stat.S_ISDIR(info.st_mode)


def _sync_file(path: Path) -> None:
    with open(path, 'r+b' if os.name == 'nt' else 'rb') as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def _os_errors(path: Path, done: str = 'written') -> Generator[None]:
    """Turns what the system says into an error that says what to do. A file that is missing stays what it is while reading."""
    try:
        yield
    except OSError as error:
        if done == 'read' and isinstance(error, FileNotFoundError):
            raise
        raise _os_error(error, path, done) from error


def _os_error(error: OSError, path: Path, done: str) -> GenkitError:
    if error.errno in (errno.EBUSY, errno.EXDEV):
        return _unusable(path, 'it is a mount point. Use a directory inside of it')
    if error.errno == errno.ENAMETOOLONG:
        return GenkitError(status='INVALID_ARGUMENT', message=f'The path of an index is too long: {path!s:.100}...')
    unchanged = ' The index is unchanged.' if done == 'written' else ''
    if error.errno == errno.ENOSPC:
        return GenkitError(status='RESOURCE_EXHAUSTED', message=f'No space left to write {path}.{unchanged}')
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        status: StatusName = 'PERMISSION_DENIED'
    elif isinstance(error, FileExistsError | NotADirectoryError):
        status = 'FAILED_PRECONDITION'
    else:
        status = 'UNAVAILABLE'
    return GenkitError(
        status=status,
        message=f'{path} could not be {done}: {error.strerror}.{unchanged}',
    )


def _unusable(path: Path, problem: str) -> GenkitError:
    return GenkitError(status='FAILED_PRECONDITION', message=f'{path} cannot be an index: {problem}.')
