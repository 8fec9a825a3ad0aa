# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Flows served by genkit-fastapi, the same as those of js/flow_server.mjs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from genkit import ActionRunContext, PublicError
from genkit_fastapi import genkit_fastapi_handler
from genkitx import Genkit, api_key
from genkitx.testing.serving import serve_asgi
from pydantic import BaseModel


class Count(BaseModel):
    to: int
    text: str


def flows(ai: Genkit) -> dict[str, Any]:
    """Defines the flows."""
    released: list[asyncio.Event] = []

    @ai.flow()
    async def echo(value: Any = None) -> Any:
        return {'got': 'nothing' if value is None else value}

    @ai.flow()
    async def count(request: Count, ctx: ActionRunContext) -> Any:
        for number in range(request.to):
            ctx.send_chunk({'number': number, 'text': request.text})
        return {'text': request.text * request.to}

    @ai.flow()
    async def hold(_: Any, ctx: ActionRunContext) -> str:
        released.append(asyncio.Event())
        ctx.send_chunk('first')
        await released[-1].wait()
        ctx.send_chunk('second')
        return 'end'

    @ai.flow()
    async def release() -> None:
        released[-1].set()

    @ai.flow()
    async def fail(known: bool, ctx: ActionRunContext) -> None:
        ctx.send_chunk(1)
        if known:
            raise PublicError('NOT_FOUND', 'no fox “here”', {'page': 3})
        raise ValueError('the flow broke')

    return {'echo': echo, 'count': count, 'hold': hold, 'release': release, 'fail': fail}


@asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """Gives the address of the server."""
    ai = Genkit()
    app = FastAPI()
    known = flows(ai)

    def post(path: str, name: str, **options: Any) -> None:
        async def handler() -> Any:
            return known[name]

        app.post(path, response_model=None)(genkit_fastapi_handler(ai, **options)(handler))

    for name in known:
        post(f'/{name}', name)
    post('/locked', 'echo', context_provider=api_key('sesame'))
    async with serve_asgi(app) as address:
        yield address
