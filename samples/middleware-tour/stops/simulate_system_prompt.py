# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A model that knows no system role."""

from __future__ import annotations

from genkit import GenkitError, ModelRequest
from genkitx import simulate_system_prompt
from stage import Stage


def old_model(request: ModelRequest) -> str:
    """Refuses system messages, as models without that role do."""
    roles = [message.role for message in request.messages]
    if 'system' in roles:
        raise GenkitError(status='INVALID_ARGUMENT', message='unknown role "system"')
    return f'I got {", ".join(roles)}.'


async def stop(stage: Stage) -> None:
    """Turns the system message into a short exchange, for models without a system role."""
    stage.say('Without it, the model refuses the request.')
    await stage.ask(stage.model('bare', old_model), system='Answer in rhymes.', prompt='Hello')

    stage.say('With it, the instructions come as a user message that the model has already agreed to.')
    model = stage.model('old', old_model, use=[stage.before, simulate_system_prompt()])
    await stage.ask(model, system='Answer in rhymes.', prompt='Hello')

    stage.say('Both sentences can be changed.')
    own = simulate_system_prompt(preface='RULES: ', acknowledgement='Aye.')
    await stage.ask(stage.model('own', old_model, use=[own]), system='Answer in rhymes.', prompt='Hello')
