# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A model that fails twice before it answers."""

from __future__ import annotations

from genkit import GenkitError, ModelRequest
from genkitx import retry
from stage import Stage


def flaky(status: str, failures: int):
    """Fails that often, then answers with the number of the call."""
    calls = 0

    def script(_request: ModelRequest) -> str:
        nonlocal calls
        calls += 1
        if calls <= failures:
            raise GenkitError(status=status, message=f'call {calls} failed')
        return f'This is call {calls}.'

    return script


async def stop(stage: Stage) -> None:
    """Runs the model again after a failure that may pass."""
    patient = retry(max_retries=3, initial_delay_ms=20, backoff_factor=2, no_jitter=True)

    stage.say('Without it, the first failure is the answer.')
    await stage.ask(stage.model('bare', flaky('UNAVAILABLE', 2)), prompt='Hello')

    stage.say('With it, the third call answers. The waits grow: 20 ms, 40 ms.')
    await stage.ask(stage.model('patient', flaky('UNAVAILABLE', 2), use=[patient]), prompt='Hello')

    stage.say('A wrong request stays wrong, so this status is not tried again.')
    await stage.ask(stage.model('wrong', flaky('INVALID_ARGUMENT', 2), use=[patient]), prompt='Hello')

    stage.say('The same function works for one call: generate(use=[retry(...)]).')
    await stage.ask(stage.model('once', flaky('RESOURCE_EXHAUSTED', 1)), prompt='Hello', use=[patient])
