# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Serves a web page that answers questions from uploaded documents.

uv run --package sample-rag-web samples/rag-web/main.py
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from answering import Model, choose_model
from catalog import Catalog
from flows import define_flows
from genkit import GenkitError
from genkitx import Genkit
from genkitx.local import LocalEmbeddings
from genkitx_chroma import Chroma, ChromaCollection
from jobs import Jobs
from library import Library
from web import create_app

LOOPBACK = ('localhost', '127.0.0.1', '::1')


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='Serve a web page that answers questions from your documents.')
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on (default: %(default)s)')
    parser.add_argument(
        '--port', type=_number(0, 65535), default=8000, help='0 takes a free one (default: %(default)s)'
    )
    parser.add_argument('--name', action='append', default=[], help='a further host name to answer to; repeatable')
    parser.add_argument(
        '--index', type=Path, default=Path('.rag-web'), help='where the index is kept (default: %(default)s)'
    )
    parser.add_argument(
        '--max-kb', type=_number(1, 100_000), default=1000, help='largest file in kB (default: %(default)s)'
    )
    return parser.parse_args(given)


async def serve(options: argparse.Namespace, model: Model | None) -> None:
    """Serves until a signal comes, and closes everything."""
    with contextlib.ExitStack() as closing:
        listener = closing.enter_context(contextlib.closing(_listen(options.host, options.port)))
        catalog = closing.enter_context(contextlib.closing(Catalog(options.index / 'files.sqlite3')))
        store = Chroma(
            [ChromaCollection(name='passages', space='cosine')],
            path=options.index / 'chroma',
            embedder='local/wordllama',
        )
        async with Genkit(plugins=[LocalEmbeddings(), store, *([model.plugin] if model else [])]) as ai:
            library = Library(catalog, ai.collection('chroma/passages'))
            await library.sweep()
            jobs = Jobs()
            max_bytes = options.max_kb * 1000
            app = create_app(
                ai,
                define_flows(ai, library, model, jobs, max_bytes),
                names={*LOOPBACK, options.host.lower(), *(name.lower() for name in options.name)},
                # Base64 is a third longer than the file.
                max_body=max_bytes * 4 // 3 + 10_000,
            )
            config = uvicorn.Config(app, lifespan='off', log_level='warning', timeout_graceful_shutdown=3)
            asyncio.get_running_loop().set_exception_handler(_on_stray_error)
            _announce(options.host, listener.getsockname()[1], model)
            try:
                await uvicorn.Server(config).serve(sockets=[listener])
            finally:
                await jobs.aclose()


def main(given: Sequence[str] | None = None, choose: Callable[[], Model | None] = choose_model) -> int:
    """Runs the sample; a failure ends in a message and an exit code, never in a traceback.

    Args:
        given: The command line; by default that of the process.
        choose: Finds the model to answer with.
    """
    options = arguments(given)
    logging.basicConfig(level=logging.WARNING, format='%(levelname)s %(name)s: %(message)s')
    # The server raises the signal that stopped it once more when it is done: by default SIGTERM would end the process there,
    # and Ctrl+C cancel what closes the index.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, _interrupt)
    try:
        asyncio.run(serve(options, choose()))
    except GenkitError as error:
        print(error.original_message, file=sys.stderr)
        return 1
    except OSError as error:
        print(f'Cannot listen on {options.host} port {options.port}: {error.strerror or error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    print('Stopped.')
    return 0


def _on_stray_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Leaves out what asyncio would report about streams of upstream's, and what is no error.

    A stream that fails leaves a copy of its error in a result that nobody reads, since the client has it already. A stream that
    is left early leaves a task behind that waits for its next chunk.
    """
    task = context.get('task')
    waits = task is not None and task.get_coro().__qualname__ == 'Channel._pop'
    if not waits and not isinstance(context.get('exception'), GenkitError):
        loop.default_exception_handler(context)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        if sys.platform != 'win32':
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # From here on connections wait until the server takes them.
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _announce(host: str, port: int, model: Model | None) -> None:
    shown = f'[{host}]' if ':' in host else host
    print(f'Answers from {model.name}.' if model else 'No model: the page shows the best passages.')
    if host not in LOOPBACK:
        print('There is no login: who reaches this address can read, add and delete documents.')
    print(f'Open http://{shown}:{port} (Ctrl+C stops it)', flush=True)


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f'{text!r} is not a number from {least} to {most}')
        return int(text)

    return parse


if __name__ == '__main__':
    sys.exit(main())
