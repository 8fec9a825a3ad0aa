# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs of runs as attributes: JSON, without keys and binary content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from langchain_core.documents import Document
from langchain_core.load.serializable import Serializable
from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult
from pydantic import BaseModel

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)
_MOST_TEXT: Final = 100_000
"""Characters of an attribute; what is longer is cut."""


def json_attribute(value: Any, only: str) -> str:
    """An attribute's JSON; `{'input': x}` is written as x, as in JS.

    It never fails, whatever the value: a trace must not break what it watches.
    """
    try:
        plain = _plain(value)
        if isinstance(plain, dict) and set(cast('dict[str, Any]', plain)) == {only}:
            plain = cast('dict[str, Any]', plain)[only]
        text = _ENCODER.encode(plain)
        if len(text) > _MOST_TEXT:
            text = _ENCODER.encode(f'{text[:1000]}… ({len(text)} characters)')
        return text.encode('utf-8', 'backslashreplace').decode()
    except Exception as error:  # noqa: BLE001 - circular data, a model whose serializer fails, ...
        return json.dumps(f'<{type(value).__name__}: {type(error).__name__}>')


def usage_attributes(response: LLMResult) -> dict[str, AttributeValue]:
    """The token counts of a model's answer."""
    for generations in response.generations:
        for generation in generations:
            usage = getattr(getattr(generation, 'message', None), 'usage_metadata', None)
            if usage:
                keys = ('input_tokens', 'output_tokens', 'total_tokens')
                return {f'genkit:metadata:{key}': usage[key] for key in keys if key in usage}
    return {}


def _plain(value: Any) -> Any:
    kind = cast('type[Any]', type(value))
    if value is None or kind in (bool, int, float):
        return value
    if kind is str:
        return f'{value[:64]}… ({len(value)} characters)' if _is_binary(value) else value
    if kind is list:
        return [_plain(entry) for entry in value]
    if kind is dict:
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, BaseMessage):
        calls = getattr(value, 'tool_calls', None)
        called = {'tool_calls': _plain(calls)} if calls else {}
        return {'type': value.type, 'content': _plain(cast('Any', value.content)), **called}
    return _plain_other(value)


def _plain_other(value: Any) -> Any:
    if isinstance(value, str):
        return _plain(str(value))
    if isinstance(value, LLMResult):
        return _plain([[getattr(one, 'message', one.text) for one in row] for row in value.generations])
    if isinstance(value, Document):
        return {'content': [{'text': value.page_content}], 'metadata': _plain(value.metadata)}
    if isinstance(value, Mapping):
        return _plain(dict(cast('Mapping[Any, Any]', value)))
    if isinstance(value, tuple | set | frozenset | list):
        return [_plain(entry) for entry in cast('Iterable[Any]', value)]
    if isinstance(value, Serializable):
        return type(value).__name__  # Its fields may hold keys.
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    return f'<{type(value).__name__}>'


def _is_binary(text: str) -> bool:
    return len(text) > 256 and (text.startswith('data:') or (len(text) > 4096 and ' ' not in text[:4096]))
