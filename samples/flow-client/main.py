# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Calls the flows of a Genkit server: typed, streaming, with errors, with a key.

uv run --package sample-flow-client samples/flow-client/main.py [TEXT]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
from collections.abc import Awaitable

import httpx
from genkit import GenkitError
from genkitx import run_flow, stream_flow
from rich.console import Console
from rich.markup import escape
from running import ServerError, running_server
from texts import Caller, Reading, Sentence, Summary, Text

TEXT = (
    'The night train left Vienna at eleven. A night train saves a hotel and a day. '
    'It rained. The train reached Hamburg in the morning, and the sun was out.'
)

console = Console(soft_wrap=True, highlight=False)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='Call the flows of a Genkit server.')
    parser.add_argument('text', nargs='?', default=TEXT, help='text to read and to summarize')
    parser.add_argument('--sentences', type=int, default=1, help='length of the summary (default: %(default)s)')
    parser.add_argument('--url', help='address of a server that runs (default: start one, and stop it)')
    parser.add_argument('--key', default=os.environ.get('FLOW_KEY'), help='its key (default: FLOW_KEY)')
    parser.add_argument('--caller', default='the sample', help='name to call as (default: %(default)s)')
    options = parser.parse_args()
    if options.sentences < 1:
        parser.error('--sentences must be at least 1')
    if options.url is None:
        options.key = secrets.token_urlsafe(16)  # One for each server that is started here.
    elif not options.url.startswith(('http://', 'https://')):
        parser.error(f'--url must start with http:// or https://, not {options.url!r}')
    elif not options.key:
        parser.error('--url needs the key of that server: --key or FLOW_KEY')
    return options


async def call(url: str, options: argparse.Namespace) -> None:
    """Makes every kind of call once, over one HTTP client."""
    async with httpx.AsyncClient(timeout=30) as client:
        console.print('[bold]run_flow[/], with the output as a class')
        text = Text(text=options.text, sentences=options.sentences)
        summary = await run_flow(f'{url}/summarize', text, output_type=Summary, client=client)
        for sentence in summary.sentences:
            console.print(f'  [green]{escape(sentence)}[/]')
        console.print(f'  {summary.left_out} sentences left out\n')

        console.print('[bold]stream_flow[/], with chunks and output as classes')
        running = stream_flow(f'{url}/read', text, chunk_type=Sentence, output_type=Reading, client=client)
        async with running:  # Left early, it closes the connection.
            async for chunk in running.stream:
                console.print(f'  {chunk.number}. {escape(chunk.text)} [dim]({chunk.words} words)[/]')
            reading = await running.output
        console.print(f'  {reading.words} words; the longest sentence: [green]{escape(reading.longest)}[/]\n')

        console.print('[bold]Errors[/] are GenkitError, with a status')
        await refused(run_flow(f'{url}/summarize', Text(text='...'), client=client))
        await refused(stream_flow(f'{url}/read', Text(text='...'), client=client).output)
        await refused(run_flow(f'{url}/no-such-flow', text, client=client))
        console.print()

        console.print('[bold]A key and a header[/]')
        whoami = f'{url}/whoami'
        await refused(run_flow(whoami, client=client))
        await refused(run_flow(whoami, headers={'Authorization': 'wrong'}, client=client))
        headers = {'Authorization': options.key, 'X-Caller': options.caller}
        caller = await run_flow(whoami, headers=headers, output_type=Caller, client=client)
        console.print(f'  the right key: [green]{escape(repr(caller))}[/]')


async def refused(call: Awaitable[object]) -> None:
    """Awaits a call that the server should refuse, and shows how it does."""
    try:
        answer = await call
    except GenkitError as error:
        # No answer at all is no refusal.
        if error.status in ('UNAVAILABLE', 'DEADLINE_EXCEEDED'):
            raise
        console.print(f'  [red]{error.status}[/] {escape(error.original_message)}')
    else:
        console.print(f'  [red]not refused[/] {escape(repr(answer))}')


def main() -> int:
    """Entry point; a failure ends in a message and an exit code, never in a traceback."""
    options = arguments()
    try:
        if options.url is not None:
            asyncio.run(call(options.url.rstrip('/'), options))
            return 0
        with running_server(options.key) as url:
            console.print(f'[dim]A server at {url}, in another process.[/]\n')
            asyncio.run(call(url, options))
        return 0
    except GenkitError as error:
        print(f'{error.status}: {error.original_message}', file=sys.stderr)
        return 1
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
