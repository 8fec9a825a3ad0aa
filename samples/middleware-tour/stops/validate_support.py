# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A model that takes one message of text, and nothing else."""

from __future__ import annotations

from genkit import Message, ModelInfo, Part, Supports
from genkitx import validate_support
from stage import Stage


async def stop(stage: Stage) -> None:
    """Refuses what the model declares not to support, before the model runs."""
    supports = Supports(media=False, tools=False, multiturn=False)
    model = stage.model(
        'text-only',
        lambda _: 'I can read this.',
        info=ModelInfo(supports=supports),
        use=[validate_support(name='text-only', supports=supports)],
    )

    @stage.ai.tool()
    async def clock() -> str:
        """Tells the time."""
        return 'noon'

    stage.say('Text passes.')
    await stage.ask(model, prompt='Hello')

    stage.say('A picture, a tool and a conversation do not: the model is never called.')
    await stage.ask(model, prompt=[Part.from_media('https://example.org/cat.png'), Part(text='What is this?')])
    await stage.ask(model, prompt='What time is it?', tools=[clock])
    said = [Message(role='user', content=[Part(text='Hi')]), Message(role='model', content=[Part(text='Hello')])]
    await stage.ask(model, messages=said, prompt='How are you?')
