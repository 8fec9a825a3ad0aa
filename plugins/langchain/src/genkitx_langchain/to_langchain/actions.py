# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""How the LangChain objects find the Genkit action they stand for."""

from __future__ import annotations

from typing import Any, cast

import genkit
from genkit import GenkitError
from genkit.plugin_api import Action, ActionKind, ModelRef


def default_model(ai: genkit.Genkit | None) -> str | ModelRef[Any]:
    """Returns the model that a Genkit was given as its default.

    Raises:
        GenkitError: INVALID_ARGUMENT where there is none.
    """
    model: Any = None if ai is None else ai.registry.lookup_value('defaultModel', 'defaultModel')
    if isinstance(model, (str, ModelRef)) and model:
        return cast('str | ModelRef[Any]', model)
    raise GenkitError(
        status='INVALID_ARGUMENT',
        message='There is no model: give ChatGenkit(model=...), or ai=Genkit(model=...) with a default model.',
    )


async def find_action(ai: genkit.Genkit | None, kind: ActionKind, source: str | Action[Any, Any, Any]) -> Action:
    """Returns an action, looked up by its name in a Genkit unless it is one already.

    Raises:
        GenkitError: FAILED_PRECONDITION without a Genkit to look in, NOT_FOUND for an unknown name.
    """
    if isinstance(source, Action):
        return source
    if ai is None:
        raise GenkitError(
            status='FAILED_PRECONDITION', message=f'Give ai=Genkit(...), in which the {kind} {source!r} is found.'
        )
    action = await ai.registry.resolve_action(kind, source)
    if action is None:
        raise GenkitError(
            status='NOT_FOUND',
            message=f'There is no {kind} {source!r}. Add the plugin that provides it to Genkit(plugins=[...]).',
        )
    return action
