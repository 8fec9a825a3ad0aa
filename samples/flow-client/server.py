# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Serves the flows with FastAPI on this machine: FLOW_KEY=... server.py [--port PORT]."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from flows import define_flows
from genkit import Genkit, GenkitError
from genkit.plugin_api import RequestData, get_callable_json
from genkit_fastapi import genkit_fastapi_handler
from genkitx import api_key


def make_app(key: str) -> FastAPI:
    """The application: two open flows, and one that asks for the key."""
    ai = Genkit()
    flows = define_flows(ai)
    app = FastAPI()
    check = api_key(key)

    async def caller(request: RequestData[Any]) -> dict[str, Any]:
        # A context provider is a function: this one checks the key, then adds what a header says.
        context = await check(request)
        return {**context, 'caller': request.headers.get('x-caller', 'nobody')}

    app.post('/summarize', response_model=None)(genkit_fastapi_handler(ai)(flows.summarize))
    app.post('/read', response_model=None)(genkit_fastapi_handler(ai)(flows.read))
    app.post('/whoami', response_model=None)(genkit_fastapi_handler(ai, context_provider=caller)(flows.whoami))

    @app.exception_handler(GenkitError)
    async def refuse(_: Request, error: Exception) -> JSONResponse:
        # Upstream's handler lets an error of the context provider through: without this it would be a plain 500.
        code = error.http_code if isinstance(error, GenkitError) else 500
        return JSONResponse(get_callable_json(error), status_code=code)

    return app


def is_news(record: logging.LogRecord) -> bool:
    """Whether asyncio reports something that nobody was told.

    The handler of genkit 0.12 sends the error of a stream to the caller and leaves its future alone, so that asyncio
    reports the same error once more, with a traceback.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], GenkitError))


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='Serve the flows of the sample on 127.0.0.1.')
    parser.add_argument('--port', type=int, default=0, help='port to listen on (default: a free one)')
    parser.add_argument(
        '--with-parent', action='store_true', help='stop when the standard input ends, as it does when a parent dies'
    )
    options = parser.parse_args()
    if not os.environ.get('FLOW_KEY'):
        parser.error('set FLOW_KEY to the key that callers of /whoami must send')
    return options


def main() -> int:
    """Serves until it is stopped."""
    options = arguments()
    logging.getLogger('asyncio').addFilter(is_news)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(('127.0.0.1', options.port))
        except (OSError, OverflowError) as error:
            print(f'Cannot listen on port {options.port}: {error}', file=sys.stderr)
            return 1
        # From here on calls wait for the server instead of failing, so the address can be told.
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(make_app(os.environ['FLOW_KEY']), log_level='warning', lifespan='off'))
        if options.with_parent:

            def wait() -> None:
                sys.stdin.read()
                server.should_exit = True

            threading.Thread(target=wait, daemon=True).start()
        print(f'http://127.0.0.1:{listener.getsockname()[1]}', flush=True)
        server.run(sockets=[listener])
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
