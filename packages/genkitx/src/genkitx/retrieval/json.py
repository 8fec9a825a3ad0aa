# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""JSON exactly as JavaScript's `JSON.stringify` writes it.

Document ids are hashes of this text, so it must be equal to the byte: JS number forms, JS key order (array-index keys
first), and lone surrogates escaped.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

_quote: Final = json.encoder.encode_basestring
_LONE_SURROGATE: Final = re.compile('[\ud800-\udfff]')
_ARRAY_INDEX: Final = re.compile(r'0|[1-9][0-9]{0,9}')
_MAX_ARRAY_INDEX: Final = 2**32 - 2
_MAX_SAFE: Final = 2**53
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
_SCALARS: Final = (str, int, float, datetime.datetime)

MAX_DEPTH: Final = 200
"""The deepest nesting of a document's metadata. Genkit cannot write a response that is nested deeper than 255."""


def stringify(value: Any, *, indent: int = 0, doubles: bool = False) -> str:
    """Writes a value as `JSON.stringify(value, undefined, indent)` does, but for integers, which are kept in full.

    Args:
        value: JSON data. NaN and infinities become null, dates ISO 8601 in UTC with milliseconds, tuples arrays.
        indent: Spaces a level; 0 writes no white space at all.
        doubles: Writes integers as the 64-bit floats that JavaScript has, which round above 2^53. Ids need it; what is stored
            need not lose that.

    Returns:
        The JSON text.

    Raises:
        TypeError: The value has a type or a key that JSON cannot hold.
    """
    return _write(value, indent, '\n' if indent else '', doubles)


def check(value: Any, *, depth: int = MAX_DEPTH) -> None:
    """Tells whether `stringify` can write a value, without writing it.

    Args:
        value: JSON data, or not.
        depth: The deepest nesting of lists and objects.

    Raises:
        TypeError: The value has a type or a key that JSON cannot hold.
        ValueError: It is nested deeper than `depth`, or within itself.
    """
    kind = type(value)
    if kind in _PLAIN or isinstance(value, _SCALARS):
        return
    if depth == 0:
        raise ValueError('it is nested too deep')
    if isinstance(value, Mapping):
        entries = cast('Mapping[Any, Any]', value)
        _check_keys(entries)
        items: Iterable[Any] = entries.values()
    elif isinstance(value, list | tuple):
        items = cast('Iterable[Any]', value)
    else:
        raise TypeError(f'JSON cannot hold a {kind.__name__}')
    for item in items:
        if type(item) not in _PLAIN:
            check(item, depth=depth - 1)


def parse(text: str) -> Any:
    """Reads JSON that a store keeps, whoever wrote it.

    Raises:
        ValueError: It is not JSON, or nested deeper than `MAX_DEPTH`: Python may read that, but Genkit could not pass it on.
    """
    try:
        value = json.loads(text)
        if text.count('[') + text.count('{') > MAX_DEPTH:
            check(value)
    except RecursionError as error:
        raise ValueError('it is nested too deep') from error
    return value


def number(value: float) -> str:
    """Writes a number as JavaScript prints it: the shortest digits of its 64-bit float."""
    digits = repr(float(value))
    if 'e' not in digits:
        if digits[-1] in 'fn':  # inf, nan
            return 'null'
        return '0' if value == 0 else digits.removesuffix('.0')
    # Python switches to exponents earlier than JS does.
    mantissa, _, exponent = digits.partition('e')
    sign = '-' if mantissa.startswith('-') else ''
    whole, _, fraction = mantissa.lstrip('-').partition('.')
    fraction = '' if fraction == '0' else fraction
    digits = (whole + fraction).lstrip('0')
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip('0')
    return sign + _place_point(digits, point)


def key_order(keys: Iterable[str]) -> list[str]:
    """Returns an object's keys in the order JavaScript gives them: array indices first, ascending, then as inserted."""
    ordered = list(keys)
    # An array index begins with a digit, and nearly every other key with something greater.
    if ordered and min(ordered) < ':':
        indices = [key for key in ordered if _is_array_index(key)]
        return sorted(indices, key=int) + [key for key in ordered if not _is_array_index(key)]
    return ordered


def _place_point(digits: str, point: int) -> str:
    """Number::toString of ECMA-262: `point` is the position of the decimal point in `digits`."""
    if len(digits) <= point <= 21:
        return digits + '0' * (point - len(digits))
    if 0 < point <= 21:
        return f'{digits[:point]}.{digits[point:]}'
    if -6 < point <= 0:
        return f'0.{"0" * -point}{digits}'
    exponent = f'e{"+" if point > 0 else "-"}{abs(point - 1)}'
    return (digits if len(digits) == 1 else f'{digits[0]}.{digits[1:]}') + exponent


def _write(value: Any, indent: int, newline: str, doubles: bool) -> str:
    # The exact types first: they are nearly all there is, and the test of a union costs as much as the writing.
    kind = type(value)
    if kind is str:
        return _string(value)
    if kind is int and (not doubles or -_MAX_SAFE <= value <= _MAX_SAFE):
        return str(value)
    if kind is dict:
        return _object(value, indent, newline, doubles)
    if kind is list:
        return _array(value, indent, newline, doubles)
    if isinstance(value, str):
        return _string(value)
    if value is None or value is True or value is False:
        return 'null' if value is None else 'true' if value else 'false'
    if isinstance(value, int | float):
        return number(_as_double(value)) if doubles or isinstance(value, float) else str(value)
    if isinstance(value, Mapping):
        return _object(cast('Mapping[Any, Any]', value), indent, newline, doubles)
    if isinstance(value, list | tuple):
        return _array(cast('list[Any]', value), indent, newline, doubles)
    if isinstance(value, datetime.datetime):
        return _string(_iso(value))
    raise TypeError(f'JSON cannot hold a {type(value).__name__}')


def _array(value: list[Any] | tuple[Any, ...], indent: int, newline: str, doubles: bool) -> str:
    inner = newline + ' ' * indent
    items = _floats(value) or [_write(item, indent, inner, doubles) for item in value]
    return _enclose('[', items, ']', newline, inner)


def _floats(value: list[Any] | tuple[Any, ...]) -> list[str] | None:
    """Writes a list of floats, such as a vector, at once; None for any other list."""
    if not value or type(value[0]) is not float or set(map(type, value)) != {float}:
        return None
    text = repr(list(value))
    items = text[1:-1].split(', ')
    # Whole numbers, exponents, infinities and NaN are what JavaScript writes in another way.
    if '.0,' in text or '.0]' in text or 'e' in text or 'n' in text:
        return [
            number(one) if 'e' in item or 'n' in item or item.endswith('.0') else item
            for item, one in zip(items, value, strict=True)
        ]
    return items


def _object(value: Mapping[Any, Any], indent: int, newline: str, doubles: bool) -> str:
    inner = newline + ' ' * indent
    colon = ': ' if indent else ':'
    _check_keys(value)
    items = [f'{_string(key)}{colon}{_write(value[key], indent, inner, doubles)}' for key in key_order(value)]
    return _enclose('{', items, '}', newline, inner)


def _check_keys(value: Mapping[Any, Any]) -> None:
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f'JSON object keys are strings, not {type(key).__name__}')


def _enclose(opening: str, items: list[str], closing: str, newline: str, inner: str) -> str:
    if not items:
        return opening + closing
    return f'{opening}{inner}{f",{inner}".join(items)}{newline}{closing}'


def _is_array_index(key: str) -> bool:
    return (
        key[:1].isdigit() and key.isascii() and _ARRAY_INDEX.fullmatch(key) is not None and int(key) <= _MAX_ARRAY_INDEX
    )


def _string(value: str) -> str:
    text = _quote(value)
    if text.isascii() or _LONE_SURROGATE.search(text) is None:
        return text
    # Surrogate pairs that arrive as two characters are one character to JavaScript; only lone ones are escaped.
    text = text.encode('utf-16-le', 'surrogatepass').decode('utf-16-le', 'surrogatepass')
    return _LONE_SURROGATE.sub(lambda match: f'\\u{ord(match.group()):04x}', text)


def _as_double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _iso(value: datetime.datetime) -> str:
    moment = value.astimezone(datetime.timezone.utc)
    return f'{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z'
