# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What an opened collection is ready for: whether it is loaded, and which partitions it has.

pymilvus logs each call that fails, with its traceback. So both are asked about before the first call that needs them, instead of
being learned from its failure, and the answer is remembered.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final

from genkit import GenkitError

from genkitx_milvus.connection import Connection

_ALWAYS_THERE: Final = '_default'

# Somebody who may not ask, or asks a server that cannot tell, may still read: then the call itself shows it.
_NO_ANSWER: Final = frozenset({'PERMISSION_DENIED', 'UNIMPLEMENTED'})


class Readiness:
    """What is known of one collection.

    Args:
        name: The store's name, for messages.
        collection: The collection's name in Milvus.
        connection: Where Milvus is.
        load: Whether a collection that is not loaded is loaded.
    """

    def __init__(self, name: str, collection: str, connection: Connection, *, load: bool) -> None:
        self._name = name
        self._collection = collection
        self._connection = connection
        self._load = load
        self._creating = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Asks again next time: the collection is another one now, or somebody changed it."""
        self._loaded = False
        self._partitions = {_ALWAYS_THERE}

    async def ensure_loaded(self) -> None:
        """Loads the collection, unless it is known to be loaded.

        Raises:
            GenkitError: FAILED_PRECONDITION for one that is not loaded and is not to be.
        """
        if self._loaded:
            return
        from pymilvus.client.types import LoadState  # pyright: ignore[reportMissingTypeStubs]

        asked: Any = await self._ask('get_load_state', {'state': LoadState.Loaded})
        state = asked['state']
        if state == LoadState.NotLoad or (state == LoadState.Loading and self._load):
            await self.load()
        # One that is gone meanwhile is found out by the call that follows.
        self._loaded = state != LoadState.NotExist

    async def load(self, cause: GenkitError | None = None) -> None:
        """Loads the collection.

        Args:
            cause: What showed that it is not loaded.

        Raises:
            GenkitError: FAILED_PRECONDITION where it is not to be loaded.
        """
        if not self._load:
            raise GenkitError(
                status='FAILED_PRECONDITION',
                message=f'{self._name}: the collection is not loaded. Load it, or set MilvusCollection(load=True).',
                cause=cause,
            ) from cause
        await self._connection.admin(lambda client: client.load_collection(self._collection))

    async def existing(self, partitions: Sequence[str]) -> list[str]:
        """Returns those of some partitions that are there."""
        return [one for one in partitions if await self._has(one)]

    async def ensure_partition(self, partition: str) -> None:
        """Creates a partition, unless it is known to be there."""
        if not await self._has(partition):
            await self.create_partition(partition)

    async def create_partition(self, partition: str) -> None:
        """Creates a partition that is not there."""

        def work(client: Any) -> None:
            with self._creating:
                if not client.has_partition(self._collection, partition):
                    client.create_partition(self._collection, partition)

        await self._connection.admin(work)
        self._partitions.add(partition)

    async def _has(self, partition: str) -> bool:
        if partition not in self._partitions and await self._ask('has_partition', True, partition_name=partition):
            self._partitions.add(partition)
        return partition in self._partitions

    async def _ask(self, method: str, unknown: Any, **arguments: Any) -> Any:
        try:
            return await self._connection.call(method, collection_name=self._collection, **arguments)
        except GenkitError as error:
            if error.status not in _NO_ANSWER:
                raise
            return unknown
