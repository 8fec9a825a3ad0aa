# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A small HTTP server on loopback, in a thread of its own, that can also misbehave."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    index: str | None = None  # Whose data plane was asked; None is the control plane.
    at: float = field(default_factory=time.time)


@dataclass
class Reply:
    status: int
    body: bytes = b''
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False  # Close the connection instead of answering.


Handler = Callable[[Request], Awaitable[Reply]]


class Loop:
    """An event loop in a thread, stopped by whoever started it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=30)

    def stop(self) -> None:
        self.run(self._cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=10)
        self.loop.close()

    async def _cancel_all(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Listener:
    """One port."""

    def __init__(self, handler: Handler, index: str | None) -> None:
        self._handler = handler
        self._index = index
        self._connections: dict[asyncio.StreamWriter, asyncio.StreamReader] = {}
        self.accepted = 0
        self.port = 0

    @property
    def open_connections(self) -> int:
        # One whose client has gone is closed, even if its last request is still being answered.
        return sum(not (reader.at_eof() or writer.is_closing()) for writer, reader in list(self._connections.items()))

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, '127.0.0.1', 0, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for writer in list(self._connections):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[writer] = reader
        self.accepted += 1
        try:
            while (request := await self._read(reader)) is not None:
                reply = await self._handler(request)
                if reply.cut:
                    writer.transport.abort()
                    return
                headers = {'content-type': 'application/json', **reply.headers, 'content-length': str(len(reply.body))}
                lines = [f'HTTP/1.1 {reply.status} X', *(f'{name}: {value}' for name, value in headers.items())]
                writer.write('\r\n'.join(lines).encode() + b'\r\n\r\n' + reply.body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            del self._connections[writer]
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> Request | None:
        try:
            head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1')
        except asyncio.IncompleteReadError:
            return None
        first, *rest = head.split('\r\n')
        method, target, _ = first.split(' ')
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(':') for line in rest if line)}
        body = await reader.readexactly(int(headers.get('content-length', 0)))
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        return Request(method, unquote(parts.path), query, headers, body, self._index)
