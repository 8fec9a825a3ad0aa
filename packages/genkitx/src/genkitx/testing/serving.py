# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""An ASGI application on a free port of this machine, for the time of a test."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from typing import Any

import uvicorn


@contextlib.asynccontextmanager
async def serve_asgi(app: Any) -> AsyncGenerator[str]:
    """Serves an ASGI application in the running event loop. Its lifespan events are not sent.

    Args:
        app: The application, such as a FastAPI.

    Yields:
        Its address, `http://127.0.0.1:<port>`.
    """
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level='critical', lifespan='off'))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn tells it in no other way
            await asyncio.sleep(0.005)
        try:
            yield f'http://127.0.0.1:{listener.getsockname()[1]}'
        finally:
            server.should_exit = True
            await task
