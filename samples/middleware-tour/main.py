# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Shows what each model middleware of genkitx changes.

uv run --package sample-middleware-tour samples/middleware-tour/main.py [NAME ...]
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import logging
import sys
import tempfile

from genkit import GenkitError
from genkitx import Genkit
from genkitx.local import DevLocalVectorStore, LocalEmbeddings
from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from stage import Stage, Told
from stops import TOUR

console = Console(soft_wrap=True)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='Show what each model middleware of genkitx changes.')
    parser.add_argument('names', nargs='*', metavar='NAME', help=f'stops to make (default: all): {", ".join(TOUR)}')
    parser.add_argument('--code', action='store_true', help='print the code of a stop before it runs')
    parser.add_argument('--list', action='store_true', help='list the stops and do nothing else')
    options = parser.parse_args()
    for name in options.names:
        if name not in TOUR:
            parser.error(f'there is no stop {name!r}; the stops are {", ".join(TOUR)}')
    return options


async def make(name: str, *, code: bool) -> None:
    """Makes one stop, on a Genkit of its own."""
    stop = TOUR[name]
    console.rule(f'[bold]{name}[/]', align='left')
    console.print(escape(inspect.getdoc(stop) or ''), highlight=False)
    if code:
        console.print(Syntax(inspect.getsource(sys.modules[stop.__module__]), 'python', background_color='default'))
    with tempfile.TemporaryDirectory() as folder:
        store = DevLocalVectorStore(['library'], embedder='local/wordllama', directory=folder)
        async with Genkit(plugins=[LocalEmbeddings(), store]) as ai:
            stage = Stage(ai, console)
            told = Told(stage)
            logger = logging.getLogger('genkitx')
            logger.addHandler(told)
            try:
                await stop(stage)
            finally:
                logger.removeHandler(told)
    console.print()


async def run(options: argparse.Namespace) -> int:
    """Makes the stops that were asked for."""
    for name in options.names or TOUR:
        await make(name, code=options.code)
    return 0


def main() -> int:
    """Entry point; a failure ends in a message and an exit code, never in a traceback."""
    options = arguments()
    if options.list:
        for name, stop in TOUR.items():
            print(f'{name:<32} {inspect.getdoc(stop)}')
        return 0
    try:
        return asyncio.run(run(options))
    except (GenkitError, OSError) as error:
        message = f'{error.status}: {error.original_message}' if isinstance(error, GenkitError) else str(error)
        print(message, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
