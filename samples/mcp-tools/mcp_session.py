# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A session with an MCP server, owned by one task."""

from __future__ import annotations

import asyncio
import logging

from genkit import GenkitError
from mcp import Client, StdioServerParameters

logger = logging.getLogger(__name__)


class McpSession:
    """A running MCP server and the client that talks to it, for the event loop it is opened in.

    The client holds task groups of anyio, which must be left by the task that entered them. Calls come from anywhere
    and `aclose` too; so one task enters, waits, and leaves.
    """

    def __init__(self, parameters: StdioServerParameters, *, timeout: float) -> None:
        self._client = Client(parameters, read_timeout_seconds=timeout)
        self._stop = asyncio.Event()
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._owner = asyncio.create_task(self._own(), name='mcp-session')

    @classmethod
    async def open(cls, parameters: StdioServerParameters, *, timeout: float) -> McpSession:
        """Starts the server and shakes hands with it.

        Raises:
            GenkitError: UNAVAILABLE when it does not start, or does not answer in time.
        """
        session = cls(parameters, timeout=timeout)
        try:
            await asyncio.wait_for(asyncio.shield(session._ready), timeout)
        except asyncio.TimeoutError as error:
            await session.aclose()
            message = f'The MCP server {parameters.command!r} did not answer within {timeout:g} s.'
            raise GenkitError(status='UNAVAILABLE', message=message) from error
        except asyncio.CancelledError:
            await session.aclose()
            raise
        except Exception as error:
            message = f'The MCP server {parameters.command!r} did not start: {_first(error)}'
            raise GenkitError(status='UNAVAILABLE', message=message, cause=error) from error
        return session

    @property
    def client(self) -> Client:
        """The connected client."""
        return self._ready.result()

    async def aclose(self) -> None:
        """Ends the session and the server, and waits for both. May be called more than once, from any task."""
        self._stop.set()
        if not self._ready.done():
            self._owner.cancel()
        await asyncio.gather(self._owner, return_exceptions=True)
        if not self._ready.cancelled():
            self._ready.exception()  # Nobody may have waited for it; asyncio must not complain about that.

    async def _own(self) -> None:
        try:
            async with self._client as client:
                self._ready.set_result(client)
                await self._stop.wait()
        except Exception as error:  # noqa: BLE001 - handed to whoever opens the session
            if self._ready.done():
                logger.warning('The session with an MCP server ended badly: %s', _first(error))
            else:
                self._ready.set_exception(error)
        finally:
            self._ready.cancel()


def _first(error: BaseException) -> BaseException:
    """What is at the bottom of the groups that task groups wrap around an error."""
    while inner := getattr(error, 'exceptions', ()):
        error = inner[0]
    return error
