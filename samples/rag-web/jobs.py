# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Work that stops when the one who asked for it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from genkit import GenkitError

T = TypeVar('T')


class Jobs:
    """The work that is going on. Upstream's handler lets a flow run on when its client leaves; this ends it."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, T], gone: asyncio.Event | None) -> T:
        """Does work until it is done or the client is gone.

        Args:
            work: What to do.
            gone: Set when the client is gone; None if there is none that could go.

        Raises:
            GenkitError: CANCELLED when the client is gone.
        """
        task = asyncio.ensure_future(work)
        self._running.add(task)
        leaving = asyncio.ensure_future((gone or asyncio.Event()).wait())
        try:
            await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise GenkitError(status='CANCELLED', message='The client is gone.')
        finally:
            leaving.cancel()
            task.cancel()
            await asyncio.wait({task, leaving})
            self._running.discard(task)

    async def aclose(self) -> None:
        """Stops all work, and waits until it has cleaned up."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
