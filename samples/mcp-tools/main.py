# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Uses the tools of an MCP server in Genkit: in the Dev UI's API, in generate, and after the server died.

uv run --package sample-mcp-tools samples/mcp-tools/main.py [FOLDER] [QUESTION]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from genkit import GenkitError
from genkitx import Genkit, raise_if_failed
from librarian import librarian
from mcp import StdioServerParameters
from mcp_provider import McpTools

HERE = Path(__file__).resolve().parent
QUESTION = 'What do I do when the pressure of the boiler is too low?'


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='Use the tools of an MCP server in Genkit.')
    parser.add_argument(
        'folder', nargs='?', type=Path, default=HERE / 'notes', help='folder of Markdown notes (default: four notes)'
    )
    parser.add_argument('question', nargs='?', default=QUESTION, help='what to ask the model')
    parser.add_argument('--stay', action='store_true', help='go on until Ctrl+C, for the Dev UI: genkit start -- ...')
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f'{options.folder} is no folder')
    return options


async def run(options: argparse.Namespace) -> int:
    """Makes every use of the tools once."""
    with tempfile.TemporaryDirectory() as scratch:
        pid_file = Path(scratch) / 'pid'
        server = StdioServerParameters(
            command=sys.executable,
            args=[str(HERE / 'notes_server.py'), str(options.folder), '--pid-file', str(pid_file)],
        )
        ai = Genkit()
        ai.define_model('librarian', librarian)
        async with McpTools(ai, 'notes', server) as notes:
            await show_reflection(options.question)
            await show_generate(ai, options.question)
            await show_error(notes)
            await show_recovery(notes, lambda: int(pid_file.read_text()))
            if options.stay:
                print('\nThe tools are in the Dev UI. Ctrl+C ends this.')
                await asyncio.Event().wait()
    return 0


async def show_reflection(question: str) -> None:
    """Lists and runs the tools as the Dev UI does: over HTTP, by the server that Genkit starts in dev mode."""
    async with httpx.AsyncClient(base_url=await reflection_url(), timeout=60) as http:
        print('GET /api/actions lists the tools of the provider:')
        listed = (await http.get('/api/actions')).json()
        children = {key: each for key, each in listed.items() if key.startswith('/dynamic-action-provider/notes:')}
        for key, each in children.items():
            properties: dict[str, Any] = each['inputSchema'].get('properties', {})
            print(f'  {key}({", ".join(properties)})  {each["description"]}')
        if not children:
            raise GenkitError(status='UNAVAILABLE', message='The MCP server lists no tools; see the log above.')

        print('\nPOST /api/runAction runs one:')
        body = {'key': '/dynamic-action-provider/notes:tool/search_notes', 'input': {'words': question}}
        ran = (await http.post('/api/runAction', json=body)).json()
        if 'result' not in ran:
            raise GenkitError(status='INTERNAL', message=f'The tool did not run: {json.dumps(ran)}')
        for hit in ran['result']['output']['result']:
            print(f'  {hit["name"]}:{hit["line"]}: {hit["text"]}')


async def reflection_url() -> str:
    """Where the Dev UI's API listens: Genkit writes it to a file for the CLI, which finds it in the same way."""

    def look() -> str:
        for file in Path('.genkit/runtimes').glob(f'{os.getpid()}-*.json'):
            if text := file.read_text():
                return json.loads(text)['reflectionServerUrl']
        return ''

    for _ in range(600):
        if url := await asyncio.to_thread(look):
            return url
        await asyncio.sleep(0.05)
    raise GenkitError(status='UNAVAILABLE', message='The Dev UI server of Genkit did not start.')


async def show_generate(ai: Genkit, question: str) -> None:
    """Lets a model use them."""
    print(f"\ngenerate(tools=['notes:tool/*']): {question}")
    response = raise_if_failed(await ai.generate(model='librarian', prompt=question, tools=['notes:tool/*']))
    for message in response.messages:
        for part in message.content:
            if part.tool_request is not None:
                print(f'  calls {part.tool_request.name}({json.dumps(part.tool_request.input)})')
    print(f'  {response.text}')


async def show_error(notes: McpTools) -> None:
    """Asks for something that the server refuses."""
    print('\nA failure of the tool is a GenkitError:')
    for name in ('no-such-note', '../main'):
        try:
            await run_tool(notes, 'read_note', {'name': name})
        except GenkitError as error:
            print(f'  {error.status}: {error.original_message}')


async def show_recovery(notes: McpTools, pid: Callable[[], int]) -> None:
    """Kills the server between two calls."""
    print('\nThe server is killed, and the next call starts it again:')
    before = pid()
    os.kill(before, signal.SIGTERM)
    listed = await run_tool(notes, 'list_notes', {})
    print(f'  {len(listed["result"])} notes, from {"the same" if pid() == before else "a new"} process')


async def run_tool(notes: McpTools, name: str, arguments: dict[str, Any]) -> Any:
    """Runs one tool of the provider, and returns what a model would get."""
    tools = await notes.list_tools()
    action = next(each for each in tools['tool'] if each.name == name)
    return (await action.run(arguments)).response.output


def main() -> int:
    """Entry point; a failure ends in a message and an exit code, never in a traceback."""
    options = arguments()
    os.environ['GENKIT_ENV'] = 'dev'  # Genkit serves the Dev UI's API only then.
    try:
        return asyncio.run(run(options))
    except GenkitError as error:
        print(f'{error.status}: {error.original_message}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
