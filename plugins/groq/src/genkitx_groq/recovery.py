# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""What a model meant when Groq answers 400 `tool_use_failed`.

Groq checks tool calls, and where one does not parse or does not fit its schema it answers with an error that has the
model's words in `failed_generation`. Most of the time they are plain enough: a call in another dialect, arguments the
tool itself can complain about, or an answer in prose.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, cast

from genkit.model import Part, ToolRequest

from genkitx_groq.tools import Toolbox

MARK: Final = {'groq': {'recovered': 'tool_use_failed'}}
"""Metadata of a part that was read from `failed_generation`."""

_FENCE: Final = re.compile(r'^```[a-zA-Z]*\s*\n?(.*?)\n?```$', re.DOTALL)
_TAGGED_JSON: Final = re.compile(r'<(tool_call|tool-use)>\s*(.*?)\s*(?:</\1>|$)', re.DOTALL)
_FUNCTION_TAG: Final = re.compile(
    r'<function[=/(]\s*([^\s>{(\[,)]+)\)?\s*,?\s*>?\s*(.*?)\s*>?\s*(?:</function>|<function/>|$)', re.DOTALL
)
_PREFIX: Final = re.compile(r'^(?:<\|python_tag\|>|\[TOOL_CALLS\])\s*')
_ARGUMENTS: Final = ('arguments', 'parameters', 'input', 'args')
_BESIDES: Final = frozenset({'name', 'function', 'id', 'type', 'index', 'tool_call_id'})
_CALL_START: Final = re.compile(r'^\s*(```|[{\[]|<function\b|<tool[-_]|<\|)')


def recover(failed_generation: object, toolbox: Toolbox) -> list[Part] | None:
    """Parts of the answer that the model meant to give.

    Args:
        failed_generation: The model's words, as in the error's body.
        toolbox: The request's tools; a call of any other tool is not recovered.

    Returns:
        Tool requests, or one text part; each with metadata `{'groq': {'recovered': 'tool_use_failed'}}`. None when
        there is nothing to make sense of.
    """
    if isinstance(failed_generation, dict | list):
        failed_generation = json.dumps(failed_generation)
    if not isinstance(failed_generation, str) or not failed_generation.strip():
        return None
    text = failed_generation.strip()
    calls = _calls(text)
    if calls is None:
        return None
    if calls:
        if not all(toolbox.offers(name) for name, _ in calls):
            return None
        return [_request(name, arguments, index, toolbox) for index, (name, arguments) in enumerate(calls)]
    if _CALL_START.match(text):
        return None  # A call that is broken beyond reading; passing it off as an answer would be worse than failing.
    return [Part(text=failed_generation, metadata=dict(MARK))]


def _request(name: str, arguments: dict[str, Any], index: int, toolbox: Toolbox) -> Part:
    request = ToolRequest(
        name=toolbox.own_name(name), ref=f'call_recovered_{index}', input=toolbox.input(name, arguments)
    )
    return Part(tool_request=request, metadata=dict(MARK))


def _calls(text: str) -> list[tuple[str, dict[str, Any]]] | None:
    """The calls in a text; None where one of them cannot be read: half of what the model meant is not what it meant."""
    fenced = _FENCE.match(text)
    if fenced:
        text = fenced.group(1).strip()
    text = _PREFIX.sub('', text)
    calls = _from_json(text) or _from_lines(text)
    if calls:
        return calls
    for match in _TAGGED_JSON.finditer(text):
        found = _from_json(match.group(2))
        if not found:
            return None
        calls += found
    if calls:
        return calls
    for match in _FUNCTION_TAG.finditer(text):
        arguments = _object(match.group(2).strip('()') or '{}', listed=True)
        if arguments is None:
            return None
        calls.append((match.group(1), arguments))
    return calls


def _from_lines(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Calls as JSON objects, one a line."""
    found = [_from_json(line) for line in text.splitlines() if line.strip()]
    return [call for calls in found for call in calls] if all(found) else []


def _from_json(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Calls in any of the JSON dialects: one or a list, bare or under `tool_calls`, with or without `function`."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return []
    if isinstance(value, dict) and isinstance(cast('dict[str, Any]', value).get('tool_calls'), list):
        value = cast('dict[str, Any]', value)['tool_calls']
    elif isinstance(value, dict) and isinstance(cast('dict[str, Any]', value).get('tool_call'), dict):
        value = cast('dict[str, Any]', value)['tool_call']
    items: list[Any] = cast('list[Any]', value) if isinstance(value, list) else [value]
    calls = [_from_object(item) if isinstance(item, dict) else None for item in items]
    # All of them or none: half of what the model meant is not what it meant.
    return [call for call in calls if call is not None] if None not in calls else []


def _from_object(item: Any) -> tuple[str, dict[str, Any]] | None:
    function: Any = item.get('function')
    named: Any = cast('Any', function) if isinstance(function, dict) else item
    name: Any = named.get('name', function)
    if not isinstance(name, str) or not name:
        return None
    for holder in (named, item):
        for key in _ARGUMENTS:
            if key in holder:
                arguments = _object(holder[key])
                return None if arguments is None else (name, arguments)
    # A tool without arguments, but not one whose arguments stand where nobody looked.
    return (name, {}) if {*named, *item} <= _BESIDES else None


def _object(value: object, *, listed: bool = False) -> dict[str, Any] | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if listed and isinstance(value, list) and len(cast('list[Any]', value)) == 1:
        value = cast('list[Any]', value)[0]
    if value is None:
        return {}
    return cast('dict[str, Any]', value) if isinstance(value, dict) else None
