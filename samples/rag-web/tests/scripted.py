# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the sample with a model that follows a script, for the tests of streaming, stopping and failing.

It takes the options of main.py. What the model writes comes from the passages that it is given, so that a page with a right
answer proves that they reached it.
"""

import asyncio
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from answering import Model
from genkit import GenkitError, Message, ModelResponse, ModelResponseChunk, Part, Plugin, Role
from genkitx import ActionFnArg, model
from main import main

NAME = 'scripted/librarian'


class Scripted(Plugin):
    name = 'scripted'

    async def init(self):
        return [model(NAME, write)]

    async def resolve(self, action_type, name):
        return model(NAME, write) if name == NAME and action_type == 'model' else None

    async def list_actions(self):
        return []


async def write(request, ctx: ActionFnArg) -> ModelResponse:
    """Quotes the best two passages; `break` in the question fails halfway, `forever` does not end, `odd` ends oddly."""
    asked, context = (part.text for part in request.messages[-1].content)
    passages = re.split(r'^[0-9a-f]{12} \[\d+\]$', context, flags=re.MULTILINE)[1:]
    quotes = [next(line for line in passage.splitlines() if line and line[0] != '#').strip() for passage in passages]
    sent = []

    def say(text):
        sent.append(text)
        ctx.send_chunk(ModelResponseChunk(role=Role.MODEL, content=[Part(text=text)]))

    try:
        say('**According to your documents:**\n\n')
        for number, quote in enumerate(quotes[:2], start=1):
            for word in re.findall(r'\S+\s*', f'- {quote} '):
                say(word)
                await asyncio.sleep(0.01)
            say(f'[{number}]\n')
            if 'break' in asked:
                raise GenkitError(status='UNAVAILABLE', message='the script ends here')
        while 'forever' in asked:
            say('And so on. ')
            await asyncio.sleep(0.01)
        if 'odd' in asked:
            say('\nThere is no passage [99], and <b>this</b> is not bold.')
    except asyncio.CancelledError:
        print('The model was stopped.', flush=True)
        raise
    return ModelResponse(message=Message(role=Role.MODEL, content=[Part(text=''.join(sent))]))


if __name__ == '__main__':
    sys.exit(main(choose=lambda: Model(NAME, Scripted())))
