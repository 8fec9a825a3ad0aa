# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A model that cannot enforce a schema, but can read one."""

from __future__ import annotations

import json
import re

from genkit import ModelInfo, ModelRequest, Supports
from genkitx import simulate_constrained_generation
from pydantic import BaseModel
from stage import Stage


class Dish(BaseModel):
    """What is asked for."""

    name: str
    minutes: int


def talker(request: ModelRequest) -> str:
    """Answers in JSON when a schema stands in the text, and talks otherwise."""
    text = '\n'.join(part.text or '' for message in request.messages for part in message.content)
    schema = re.search(r'\{.*\}', text)
    if schema is None:
        return 'I would cook pancakes, they take twenty minutes.'
    known = {'name': 'pancakes', 'minutes': 20}
    return json.dumps({key: known.get(key) for key in json.loads(schema[0])['properties']})


async def stop(stage: Stage) -> None:
    """Asks for the schema in words, for models that cannot enforce one."""
    stage.say('A model that claims to enforce schemas gets the request as it is. This one claims too much.')
    claims = ModelInfo(supports=Supports(constrained='all'))
    response = await stage.ask(
        stage.model('boastful', talker, info=claims), prompt='What do I cook?', output_schema=Dish
    )
    stage.note('parsed', repr(response.output))

    stage.say('Any other model has the simulation built in: the schema becomes text, the answer is still parsed.')
    honest = stage.model('honest', talker, use=[stage.before])
    response = await stage.ask(honest, prompt='What do I cook?', output_schema=Dish)
    stage.note('parsed', repr(response.output))

    stage.say('Put it into use= for words of your own.')
    own = simulate_constrained_generation(instructions_renderer=lambda schema: f'Only JSON like {json.dumps(schema)}')
    await stage.ask(stage.model('own', talker, use=[own]), prompt='What do I cook?', output_schema=Dish)
