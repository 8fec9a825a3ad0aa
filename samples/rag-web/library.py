# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The documents: files in, passages out.

An upload writes its passages under a version of its own, and only then takes the place of the earlier one in the catalog.
Searches see the versions in the catalog and nothing else. So an upload that fails, is stopped, or dies with the process leaves
everything as it was.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from datetime import datetime, timezone
from typing import Any, TypeVar

from catalog import Catalog, Entry
from chunking import passages
from genkit import GenkitError
from genkitx import Filter, IndexProgress, VectorCollection, field
from genkitx.stores import Match
from reading import TextFile

T = TypeVar('T')

logger = logging.getLogger('rag-web')

# Small enough for a progress bar that moves, large enough for a store that is not kept busy with commits.
_BATCH = 100


class Library:
    """Files and their passages; safe to use by many requests at once.

    Args:
        catalog: Which files there are.
        collection: Where the passages are.
    """

    def __init__(self, catalog: Catalog, collection: VectorCollection) -> None:
        self._catalog = catalog
        self._collection = collection

    async def sweep(self) -> None:
        """Deletes passages that no file counts, left behind by a process that died; call it before anything else."""
        live = [entry.version for entry in await self.files()]
        await self._collection.delete(filter=field('version').not_in(live) if live else field('version').exists())

    async def files(self) -> list[Entry]:
        """Returns all files by name."""
        return await asyncio.to_thread(self._catalog.entries)

    async def put(self, file: TextFile, on_progress: Callable[[IndexProgress], None] | None = None) -> Entry:
        """Indexes a file; it replaces the one of the same name.

        Raises:
            GenkitError: The file cannot be indexed, or the index failed; what was there before still is.
        """
        version = secrets.token_hex(8)
        documents = await asyncio.to_thread(passages, file, version)
        ids = [f'{version}-{part}' for part in range(len(documents))]
        try:
            report = await self._collection.add(documents, ids=ids, batch_size=_BATCH, on_progress=on_progress)
            report.raise_for_failures()
        except BaseException:
            await self._forget(version)
            raise
        now = datetime.now(timezone.utc).isoformat(timespec='seconds')
        entry = Entry(file.name, version, file.size, len(documents), now)
        await _to_the_end(self._commit(entry))
        return entry

    async def remove(self, name: str) -> None:
        """Deletes a file and its passages.

        Raises:
            GenkitError: NOT_FOUND if there is no such file.
        """
        if not await _to_the_end(self._remove(name)):
            raise GenkitError(status='NOT_FOUND', message=f'{name} is not indexed.')

    async def search(self, question: str, k: int) -> list[Match]:
        """Returns the passages closest to a question, best first."""
        live = [entry.version for entry in await self.files()]
        if not live:
            return []
        return await self._collection.search(question, k=k, filter=field('version').is_in(live))

    async def _commit(self, entry: Entry) -> None:
        try:
            replaced = await asyncio.to_thread(self._catalog.put, entry)
        except Exception:
            await self._forget(entry.version)
            raise
        if replaced is not None:
            await self._forget(replaced.version)

    async def _remove(self, name: str) -> bool:
        removed = await asyncio.to_thread(self._catalog.remove, name)
        if removed is not None:
            await self._forget(removed.version)
        return removed is not None

    async def _forget(self, version: str) -> None:
        """Deletes the passages of an upload. They are invisible already: what cannot be deleted now, the next start sweeps."""
        condition: Filter = field('version') == version
        try:
            await self._collection.delete(filter=condition)
        except GenkitError as error:
            logger.warning('Passages stay behind until the next start: %s', error.original_message)


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Runs what must not be stopped halfway; a cancellation waits for it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
