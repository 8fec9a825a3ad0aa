# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
r"""Documents as Chroma rows: the layout of the JS plugin, and next to it the keys that filters need.

A row is an id, an embedding, a document (text or media URL) and flat metadata:

    docMetadata   the document's metadata as JSON; absent when it has none          (JS)
    dataType      'text', a content type, or '' for a medium without one            (JS)
    docContent    the parts as JSON, where text and type alone would lose something
    docKeys       every path that has a value, for `$exists` and null
    docNumbers    every path that has a number, for the complement of `$gt` and the like
    <path>        the scalar or list of scalars at that path, for every other operator

JS readers look at the first two only. A path that Chroma or this layout reserves gets a backslash in front, which no
formatted path has there. A list of several kinds cannot stand under one key in Chroma: its strings keep the path, its
numbers go under `\n:<path>` and its booleans under `\b:<path>`.
"""

from __future__ import annotations

import functools
import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from genkit import Document
from genkitx.filters import format_path
from genkitx.retrieval import document_data, document_data_type, document_to_dict
from genkitx.retrieval.json import parse, stringify
from genkitx.stores.layout import fits_data, storable, stored_document, utf8

_log: Final = logging.getLogger(__name__)

METADATA: Final = 'docMetadata'
TYPE: Final = 'dataType'
CONTENT: Final = 'docContent'
KEYS: Final = 'docKeys'
NUMBERS: Final = 'docNumbers'
_OLD_METADATA: Final = 'docMetdata'  # The JS plugin once wrote it like this.
RESERVED: Final = frozenset({METADATA, TYPE, CONTENT, KEYS, NUMBERS, _OLD_METADATA})

MAX_INT: Final = 2**53
"""Above, doubles skip integers; such numbers are stored and compared as doubles, as the filter language says."""

Value = str | int | float | bool
MetadataValue = Value | list[Any]


def encode(document: Document, *, js_layout: bool = False) -> tuple[str, dict[str, MetadataValue]]:
    """Returns a document as Chroma's document and metadata.

    Args:
        document: The document.
        js_layout: Write exactly what the JS plugin writes: the parts joined, and no keys for filters.
    """
    data = document_data(document)
    metadata: dict[str, MetadataValue] = {}
    if document.metadata is not None:
        metadata[METADATA] = stringify(document.metadata)
    metadata[TYPE] = document_data_type(document)
    if js_layout:
        return utf8(data), metadata
    if not fits_data(document, data):
        metadata[CONTENT] = stringify(document_to_dict(document)['content'])
    if document.metadata:
        metadata.update(flatten(document.metadata))
    return utf8(data), metadata


def decode(data: str | None, metadata: Mapping[str, Any] | None) -> Document:
    """Reads a row, whoever wrote it: this plugin, the JS plugin, or something that knows neither layout."""
    row = metadata or {}
    return stored_document(data or '', row.get(TYPE), _metadata(row), parts=row.get(CONTENT), key=CONTENT)


def flatten(metadata: Mapping[str, Any]) -> dict[str, MetadataValue]:
    """Returns the keys that filters need, for metadata that is not empty."""
    flat: dict[str, MetadataValue] = {}
    keys: list[str] = []
    numbers: list[str] = []
    for path, value in _leaves(metadata, ()):
        key = flat_key(path)
        keys.append(key)
        if isinstance(value, list):
            flat.update(_list(key, cast('list[Any]', value)))
        elif value is not None:
            flat[key] = value
            if not isinstance(value, bool | str):
                numbers.append(key)
    if keys:
        flat[KEYS] = cast('list[Any]', keys)
    if numbers:
        flat[NUMBERS] = cast('list[Any]', numbers)
    return flat


@functools.lru_cache(maxsize=4096)
def flat_key(path: tuple[str, ...]) -> str:
    """Returns the metadata key of a path."""
    text = format_path(path)
    if not text or text in RESERVED or text.startswith(('#', 'chroma:')):
        text = '\\' + text
    return storable(text)


def number_key(key: str) -> str:
    """Returns where the numbers of a list of several kinds are."""
    return f'\\n:{key}'


def bool_key(key: str) -> str:
    """Returns where the booleans of a list of several kinds are."""
    return f'\\b:{key}'


def comparable(value: float) -> float:
    """Returns a number as it is stored: an int up to 2**53, a double beyond."""
    return float(value) if isinstance(value, int) and abs(value) > MAX_INT else value


def _leaves(value: Mapping[Any, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yields the path and the stored form of every value; objects themselves are None, nulls are left out."""
    for key, item in value.items():
        here = (*path, key)
        if isinstance(item, str):
            yield here, storable(item)
        elif isinstance(item, bool):
            yield here, item
        elif isinstance(item, int | float):
            number = _number(item)
            if number is not None:
                yield here, number
        elif isinstance(item, list | tuple):
            yield here, list(cast('Sequence[Any]', item))
        elif isinstance(item, Mapping):
            yield here, None
            yield from _leaves(cast('Mapping[Any, Any]', item), here)
        elif item is not None:
            # What JSON holds in another form, such as a date, is found by that form.
            yield here, json.loads(stringify(item))


def _number(value: float) -> float | None:
    """Returns a number as it is stored; JSON has no NaN and no infinities, they become null."""
    try:
        number = comparable(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _list(key: str, items: list[Any]) -> dict[str, MetadataValue]:
    strings: list[Any] = [storable(item) for item in items if isinstance(item, str)]
    bools: list[Any] = [item for item in items if isinstance(item, bool)]
    found = [_number(item) for item in items if isinstance(item, int | float) and not isinstance(item, bool)]
    numbers: list[Any] = [item for item in found if item is not None]
    if any(isinstance(item, float) for item in numbers):
        numbers = [float(item) for item in numbers]
    kinds = [kind for kind in (strings, numbers, bools) if kind]
    if not kinds:
        return {}
    if len(kinds) == 1:
        return {key: kinds[0]}
    # Homogeneous lists are all that Chroma has.
    parts = {key: strings, number_key(key): [float(item) for item in numbers], bool_key(key): bools}
    return {name: cast('MetadataValue', part) for name, part in parts.items() if part}


def _metadata(row: Mapping[str, Any]) -> dict[str, Any] | None:
    text = row.get(METADATA, row.get(_OLD_METADATA))
    if not isinstance(text, str):
        # Written by something that spreads metadata over the row, or there is none.
        return {key: value for key, value in row.items() if key not in RESERVED} or None
    try:
        parsed = parse(text)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        return cast('dict[str, Any]', parsed)
    _log.warning('A Chroma record has an unreadable %s, it is kept as text.', METADATA)
    return {METADATA: text}
