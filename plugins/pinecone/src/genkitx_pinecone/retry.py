# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Trying a request again: as late as the service asks, and within one deadline."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from genkit import GenkitError
from genkitx.stores.retry import RETRYABLE

T = TypeVar('T')

REFUSED: Final = frozenset({'RESOURCE_EXHAUSTED'})
"""Statuses of what was certainly not done, for what must not be done twice."""

ATTEMPTS: Final = 4
_FIRST_DELAY: Final = 0.25


async def persist(
    attempt: Callable[[], Awaitable[T]], *, what: str, timeout: float, repeat: frozenset[str] = RETRYABLE
) -> T:
    """Calls until it succeeds, fails for good, or neither attempts nor time are left; then the last error is raised.

    A pause that the service asks for is made as it asks. One that does not fit into the time is not begun: the error says how long
    it is, and the caller decides.

    Args:
        attempt: Makes the request; raises GenkitErrors.
        what: Who calls, for messages.
        timeout: Seconds for everything, pauses included.
        repeat: Statuses of failures that are tried again.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + timeout
    delay = _FIRST_DELAY
    for left in reversed(range(ATTEMPTS)):
        try:
            return await _before(deadline - clock(), attempt, what, timeout)
        except GenkitError as error:
            pause = _asked_for(error) or delay * random.uniform(0.5, 1)  # noqa: S311
            if not left or error.status not in repeat or clock() + pause >= deadline:
                raise
        await asyncio.sleep(pause)
        delay *= 2
    raise AssertionError('the last attempt returns or raises')


async def _before(seconds: float, attempt: Callable[[], Awaitable[T]], what: str, timeout: float) -> T:
    try:
        return await asyncio.wait_for(attempt(), seconds)
    except asyncio.TimeoutError as error:
        raise GenkitError(
            status='DEADLINE_EXCEEDED',
            message=f'{what}: Pinecone did not answer within {timeout} seconds.',
            cause=error,
        ) from error


def _asked_for(error: GenkitError) -> float:
    """Seconds that the service asked to wait (Retry-After)."""
    return ((error.response_metadata or {}).get('retry_after_ms') or 0) / 1000
