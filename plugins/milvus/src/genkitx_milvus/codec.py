# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
r"""Documents as Milvus rows: the layout of the JS plugin, and next to it the keys that filters need.

A row has a key, a vector, and in the dynamic field:

    document     the document's text, or the URL of its medium                          (JS)
    metadata     the document's metadata; absent when it has none                       (JS)
    docContent   the parts as JSON text, where the document's text alone would lose something
    docMetadata  the metadata as JSON text, where the engine could not hold it (lone surrogates)
    docKeys      what equality, membership and existence are asked of: a list of marks
    docNumbers   the numbers by path, for `$gt` and the like
    docStrings   the strings by path, in an encoding that keeps their order

JS readers look at the first two only. A mark is a kind, a path and often a value: `e.year` (there is a value), `n.year` (it is a
number), `n.year=2024.0` (that number), `ls.tags=red` (a list that has the string). Keys and values in marks are percent-encoded,
so no text of a user ever stands in an expression, neither as a value nor as a key.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import quote

from genkit import Document
from genkitx.filters import Scalar
from genkitx.retrieval import document_data, document_to_dict, plain_text
from genkitx.retrieval.json import parse, stringify
from genkitx.stores.layout import stored_document, utf8

_log: Final = logging.getLogger(__name__)

CONTENT: Final = 'docContent'
RAW_METADATA: Final = 'docMetadata'
KEYS: Final = 'docKeys'
NUMBERS: Final = 'docNumbers'
STRINGS: Final = 'docStrings'
OWN: Final = frozenset({CONTENT, RAW_METADATA, KEYS, NUMBERS, STRINGS})
"""Keys of the dynamic field that JS does not know."""

ORDERED_BYTES: Final = 128
"""Longest string, in UTF-8 bytes, that `$gt` and the like can be asked about."""
_MAX_MARK: Final = 96
_INT64: Final = 2**63
_EXACT: Final = 2**53
# Tuples made once: a union costs more than all else of the test.
_NUMBERS: Final = (int, float)
_SCALARS: Final = (str, bool, int, float)
_LISTS: Final = (list, tuple)
_PLAIN: Final = (*_SCALARS, *_LISTS)


@dataclass(frozen=True)
class Fields:
    """The names of a collection's fields.

    Attributes:
        id: The key.
        vector: The vector.
        text: The document's text.
        metadata: The document's metadata.
        sparse: The vector of the words, where the collection has a BM25 function.
    """

    id: str = 'id'
    vector: str = 'vector'
    text: str = 'document'
    metadata: str = 'metadata'
    sparse: str = 'sparse'

    @property
    def read(self) -> list[str]:
        """What a document is rebuilt from."""
        return [self.text, self.metadata, CONTENT, RAW_METADATA]


def encode(document: Document, fields: Fields, *, js_layout: bool = False) -> dict[str, Any]:
    """Returns the fields of a row, without key and vector.

    Args:
        document: The document.
        fields: Their names.
        js_layout: Write exactly what the JS plugin writes: text and metadata, and nothing to filter by.
    """
    data = document_data(document)
    text = utf8(data)
    row: dict[str, Any] = {fields.text: text}
    if document.metadata is not None:
        _put_metadata(row, document.metadata, fields.metadata, exact=not js_layout)
    if js_layout:
        return row
    if plain_text(document) is None or text != data:
        row[CONTENT] = stringify(document_to_dict(document)['content'])
    row.update(flatten(document.metadata or {}))
    return row


def decode(row: Mapping[str, Any], fields: Fields) -> Document:
    """Reads a row, whoever wrote it.

    Args:
        row: Its fields.
        fields: Their names.
    """
    text = row.get(fields.text)
    data = text if isinstance(text, str) else '' if text is None else str(text)
    return stored_document(data, None, _metadata(row, fields), parts=row.get(CONTENT), key=CONTENT)


def flatten(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the keys that filters need. All three are always there: engines differ in what they think of missing ones."""
    marks: list[str] = []
    numbers: dict[str, float] = {}
    strings: dict[str, str] = {}
    for path, value in _leaves(metadata, ()):
        where = path_text(path)
        marks.append(f'e{where}')
        if isinstance(value, _LISTS):
            marks += dict.fromkeys(f'l{mark}' for item in cast('Sequence[Any]', value) for mark in _mark(where, item))
            continue
        for mark in _mark(where, value):
            kind = mark[0]
            marks += (mark, kind + where)
            if kind == 'n':
                numbers[where] = float(value)
            elif kind == 's':
                strings[where] = ordered(value)
    return {KEYS: marks, NUMBERS: numbers, STRINGS: strings}


@functools.lru_cache(maxsize=4096)
def path_text(path: tuple[str, ...]) -> str:
    """Returns a path as it stands in marks: each key percent-encoded, after a dot."""
    text = ''.join('.' + _quote(key) for key in path)
    return text if len(text) <= _MAX_MARK else '.#' + _digest(text)


def kind_mark(where: str, value: Scalar) -> str:
    """Returns the mark of all values at a path that have this value's type."""
    return f'{"b" if isinstance(value, bool) else "s" if isinstance(value, str) else "n"}{where}'


def value_mark(where: str, value: Scalar) -> str:
    """Returns the mark of one value at a path; null has none."""
    if isinstance(value, bool):
        return f'b{where}={"true" if value else "false"}'
    if isinstance(value, str):
        text = _quote(value)
        return f's{where}={text if len(text) <= _MAX_MARK else "#" + _digest(text)}'
    return f'n{where}={_number(cast("float", value))!r}'


def ordered(text: str) -> str:
    """Returns the beginning of a string in an encoding that orders by code point: UTF-8 in hexadecimal.

    One byte more is kept than can be asked about, so that the comparison with what is asked is exact.
    """
    return text.encode('utf-8', 'surrogatepass')[: ORDERED_BYTES + 1].hex()


def _mark(where: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, _NUMBERS) and not isinstance(value, bool) and _number(value) is None:
        return ()  # JSON has no NaN and no infinities, they are null.
    return (value_mark(where, value),) if isinstance(value, _SCALARS) else ()


def _number(value: float) -> float | None:
    try:
        number = float(value) + 0.0  # Adding makes -0.0 the same as 0.0.
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _quote(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text
    # The tilde is what JSON pointers escape by, and engines reach values by JSON pointers.
    return quote(text, safe='', errors='surrogatepass').replace('.', '%2E').replace('~', '%7E')


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _leaves(value: Mapping[Any, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yields the path and value of everything but nulls; objects themselves are None."""
    for key, item in value.items():
        here = (*path, str(key))
        if item is None:
            continue
        if isinstance(item, _PLAIN):
            if item == item:
                yield here, cast('Any', item)
        elif isinstance(item, Mapping):
            yield here, None
            yield from _leaves(cast('Mapping[Any, Any]', item), here)
        else:
            # What JSON holds in another form, such as a date, is found by that form.
            yield here, json.loads(stringify(item))


def _put_metadata(row: dict[str, Any], metadata: Mapping[str, Any], name: str, *, exact: bool) -> None:
    if _is_plain(metadata):
        row[name] = dict(metadata)
        return
    text = stringify(metadata)
    parsed = json.loads(text, parse_int=_parse_int)
    if '\\ud' not in text:
        row[name] = parsed
        return
    # Lone surrogates, or text that looks like them: no engine takes them, JSON text does.
    row[name] = json.loads(utf8(json.dumps(parsed, ensure_ascii=False)))
    if exact:
        row[RAW_METADATA] = text


def _is_plain(metadata: Mapping[Any, Any]) -> bool:
    """Tells whether metadata is flat and ASCII, and so the same in JSON; most is, and looking is quicker than converting."""
    for key, value in metadata.items():
        if type(key) is not str or not key.isascii():
            return False
        kind = cast('type[Any]', type(value))
        if kind is str:
            if not value.isascii():
                return False
        elif kind is int or kind is float:
            if not -_EXACT <= value <= _EXACT:  # Not true of NaN either.
                return False
        elif kind is not bool and value is not None:
            return False
    return True


def _parse_int(digits: str) -> float:
    number = int(digits)
    return number if -_INT64 <= number < _INT64 else float(digits)


def _metadata(row: Mapping[str, Any], fields: Fields) -> dict[str, Any] | None:
    for key in (RAW_METADATA, fields.metadata):
        value = row.get(key)
        if isinstance(value, str):
            value = _parse(value)
        if isinstance(value, dict):
            return cast('dict[str, Any]', value)
        if value is not None:
            _log.warning('A Milvus row has an unreadable %s, it is kept as it is.', key)
            return {key: value}
    # Written by something that spreads metadata over the row, or there is none.
    skipped = OWN | {fields.id, fields.vector, fields.text, fields.metadata, fields.sparse}
    return {key: value for key, value in row.items() if key not in skipped} or None


def _parse(text: str) -> Any:
    try:
        parsed = parse(text)
    except ValueError:
        return text
    return cast('Any', parsed) if isinstance(parsed, dict) else text
