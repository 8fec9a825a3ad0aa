# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A model whose quota is used up, and two that may stand in."""

from __future__ import annotations

from genkit import GenkitError, ModelRequest
from genkitx import fallback
from stage import Stage


def exhausted(_request: ModelRequest) -> str:
    """Never has any quota left."""
    raise GenkitError(status='RESOURCE_EXHAUSTED', message='the quota is used up')


def refusing(_request: ModelRequest) -> str:
    """Refuses what it is asked, which no other model would mend."""
    raise GenkitError(status='INVALID_ARGUMENT', message='temperature must be below 2')


async def stop(stage: Stage) -> None:
    """Lets other models answer, in order, when this one fails."""
    backup = stage.model('backup', lambda _: 'The backup answers.')
    others = fallback(stage.ai, models=['no-such-model', backup])

    stage.say('The first substitute does not exist, the second answers. It gets the config of the request.')
    primary = stage.model('primary', exhausted, use=[others])
    await stage.ask(primary, prompt='Hello', config={'temperature': 0.5})

    stage.say('isolate_config keeps the config from models of another provider: it may hold a key.')
    apart = fallback(stage.ai, models=[backup], isolate_config=True)
    await stage.ask(stage.model('apart', exhausted, use=[apart]), prompt='Hello', config={'temperature': 0.5})

    stage.say('A wrong request is not handed on.')
    await stage.ask(stage.model('refusing', refusing, use=[others]), prompt='Hello')
