# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The application: the flows by upstream's handler, the page as static files."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from flows import Flows
from genkit.plugin_api import RequestData
from genkit_fastapi import genkit_fastapi_handler
from genkitx import Genkit
from guard import Guard, TooLargeError

PAGE = Path(__file__).with_name('static')


def create_app(ai: Genkit, flows: Flows, *, names: Collection[str], max_body: int) -> FastAPI:
    """Builds the application.

    Args:
        ai: The Genkit of the flows.
        flows: What is served under `/api`.
        names: Host names under which it may be asked.
        max_body: Bytes in a request, at most.
    """
    # No generated documentation: its pages load scripts from elsewhere.
    app = FastAPI(title='Ask your documents', docs_url=None, redoc_url=None, openapi_url=None)
    handler: Any = genkit_fastapi_handler(ai, context_provider=_context)
    for name in ('overview', 'upload', 'delete', 'ask'):
        app.post(f'/api/{name}', response_model=None)(handler(getattr(flows, name)))
    app.add_exception_handler(TooLargeError, _too_large)
    # Upstream's handler reads the body without a guard against what is not JSON.
    for error in (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        app.add_exception_handler(error, _not_json)
    app.mount('/', StaticFiles(directory=PAGE, html=True))
    app.add_middleware(Guard, names=names, max_body=max_body)
    return app


def _context(request: RequestData[Any]) -> dict[str, Any]:
    """Hands the flow what tells it that its client is gone."""
    asked: Any = request.request
    return {'gone': asked.state.gone}


async def _too_large(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({'message': 'The request is too large.', 'status': 'INVALID_ARGUMENT'}, status_code=413)


async def _not_json(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({'message': 'The request is not JSON.', 'status': 'INVALID_ARGUMENT'}, status_code=400)
