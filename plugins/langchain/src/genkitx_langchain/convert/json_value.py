# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Values that JSON can hold: what crosses the bridge must also fit the wire and the traces."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
import uuid
from collections.abc import Mapping
from typing import Any, cast

from genkit import GenkitError
from pydantic import BaseModel


def json_value(value: Any, where: str) -> Any:
    """Returns a value as JSON data: dates as ISO 8601, UUIDs and enums as their values, NumPy scalars as numbers.

    Args:
        value: Anything.
        where: What the value is, for the error.

    Raises:
        GenkitError: INVALID_ARGUMENT, naming the place, for what JSON cannot hold: it is never dropped silently.
    """
    try:
        return _value(value, where)
    except RecursionError as error:
        raise _refused(f'{where} contains itself, or is nested too deeply', error) from None


def _value(value: Any, where: str) -> Any:
    if value is None or type(value) is str or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refused(f'{where} is {value}')
        return float(value)
    if isinstance(value, enum.Enum):
        return _value(value.value, where)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        entries = cast('Mapping[Any, Any]', value)
        return {_key(key, where): _value(entry, f'{where}.{key}') for key, entry in entries.items()}
    if isinstance(value, list | tuple):
        return [_value(entry, f'{where}[{i}]') for i, entry in enumerate(cast('list[Any]', value))]
    return _scalar(value, where)


def _scalar(value: Any, where: str) -> Any:
    if isinstance(value, BaseModel):
        return _value(value.model_dump(mode='json'), where)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _value(getattr(value, field.name), f'{where}.{field.name}')
            for field in dataclasses.fields(value)
        }
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if hasattr(value, 'dtype') and hasattr(value, 'tolist'):  # A NumPy scalar or array.
        return _value(cast('Any', value).tolist(), where)
    raise _refused(f'{where} is a {type(value).__name__}')


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise _refused(f'{where} has a key of type {type(key).__name__}')
    return key


def _refused(problem: str, cause: Exception | None = None) -> GenkitError:
    message = f'{problem}, which JSON cannot hold. Convert it before it crosses the bridge.'
    return GenkitError(status='INVALID_ARGUMENT', message=message, cause=cause)
