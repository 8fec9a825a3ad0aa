# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What Groq can do, from the command line: streams, tools, reasoning, structured output, speech both ways.

GROQ_API_KEY=... uv run --package sample-groq samples/groq/main.py chat | tools | reason | extract | speak | listen
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from features import chat, extract, listen, reason, speak, tools
from genkit import GenkitError
from genkitx import Genkit
from genkitx_groq import Groq

MODEL = 'groq/openai/gpt-oss-20b'


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='What Groq can do.')
    parser.add_argument('--model', default=MODEL, help='for chat, tools, reason and extract (default: %(default)s)')
    commands = parser.add_subparsers(dest='command', required=True)
    one = commands.add_parser('chat', help='an answer as it is written')
    one.add_argument('text', nargs='?', default='Tell me a story of a fox in three sentences.')
    one = commands.add_parser('tools', help='an answer for which the model asks a function of ours')
    one.add_argument('text', nargs='?', default='Can I still buy a kettle and a tent?')
    one = commands.add_parser('reason', help='an answer, and the thoughts that led to it')
    one.add_argument('text', nargs='?', default='A bat and a ball cost 1.10. The bat costs 1 more. And the ball?')
    one.add_argument('--effort', choices=('low', 'medium', 'high'), default='medium')
    one = commands.add_parser('extract', help='data of a fixed form out of a text')
    one.add_argument('text', nargs='?', default='Ada and Grace meet on Friday to look at the new engine.')
    one = commands.add_parser('speak', help='a text as sound')
    one.add_argument('text', nargs='?', default='[cheerful] Good morning!')
    one.add_argument('--voice', default='hannah', help='(default: %(default)s)')
    one.add_argument('--out', type=Path, default=Path('speech.wav'), help='file (default: %(default)s)')
    one = commands.add_parser('listen', help='a sound as text')
    one.add_argument('file', type=Path)
    one.add_argument('--language', help='of the sound, such as en; found out by itself')
    return parser.parse_args()


async def run(options: argparse.Namespace) -> int:
    """Does what the command line says."""
    command = {'chat': chat, 'tools': tools, 'reason': reason, 'extract': extract, 'speak': speak, 'listen': listen}
    async with Genkit(plugins=[Groq()], model=options.model) as ai:
        await command[options.command](ai, options)
    return 0


def main() -> int:
    """Runs the sample; every failure ends in a message and an exit code, never in a traceback."""
    options = arguments()
    if not os.environ.get('GROQ_API_KEY'):
        print('Set GROQ_API_KEY to a key of Groq.', file=sys.stderr)
        return 2
    try:
        return asyncio.run(run(options))
    except GenkitError as error:
        print(f'{error.status}: {error.original_message}', file=sys.stderr)
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
