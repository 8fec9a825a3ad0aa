# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
r"""Documents as Pinecone metadata: the layout of the JS plugin, and next to it the keys that filters need.

A record is an id, a vector and flat metadata of strings, numbers, booleans and lists of strings:

    docMetadata    the document's metadata as JSON; absent when it has none        (JS)
    <content key>  its text, or the URL of its first medium                        (JS, `_content` by default)
    _contentType   'text', a content type, or '' for a medium without one          (JS)
    docContent     the parts as JSON, where content and type alone would lose something
    docNumbers     every path that has a number, for the complement of `$gt` and the like
    <path>         the string, number or boolean at that path
    \[]<path>      the list at that path, its elements marked by type: `s:text`, `n:1.5`, `b:true`
    \{}<path>      true where an object is

JS readers look at the first three only. Lists stand under keys of their own because `$eq` in Pinecone looks into lists; they are
never empty, since an empty string stands for no element. No formatted path starts with a backslash and one of `[`, `{` or a
letter, so a path that is one of the names above gets a backslash in front and nothing can collide.
"""

from __future__ import annotations

import functools
import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from genkit import Document, GenkitError
from genkitx.filters import Scalar, format_path
from genkitx.retrieval import document_data, document_data_type, document_to_dict
from genkitx.retrieval.json import parse, stringify
from genkitx.stores.layout import fits_data, storable, stored_document, utf8

_log: Final = logging.getLogger(__name__)

METADATA: Final = 'docMetadata'
CONTENT_KEY: Final = '_content'
TYPE: Final = '_contentType'
PARTS: Final = 'docContent'
NUMBERS: Final = 'docNumbers'
RESERVED: Final = frozenset({METADATA, CONTENT_KEY, TYPE, PARTS, NUMBERS})

_FOREIGN_KEYS: Final = (CONTENT_KEY, 'text')  # Where Go and LangChain keep the text.
_MAX_INT: Final = 2**53
# Tuples made once: a union costs more than all else of the test.
_NUMBERS: Final = (int, float)
_TEXT_OR_BOOL: Final = (str, bool)
_LISTS: Final = (list, tuple)

Row = dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """Where things are in a record's metadata.

    Attributes:
        content_key: The key of the text or media URL; None means `_content`.
        js: Whether to write exactly what the JS plugin writes: the parts joined, and no keys for filters.

    Raises:
        GenkitError: INVALID_ARGUMENT for a key that cannot be told from others.
    """

    content_key: str | None = None
    js: bool = False
    _key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        key = CONTENT_KEY if self.content_key is None else self.content_key
        if not key or key[0] in '\\$[{\uffff' or (key in RESERVED and key != CONTENT_KEY):
            raise GenkitError(
                status='INVALID_ARGUMENT',
                message=f"A content_key is not empty, does not start with '\\', '$', '[' or '{{', and is not {key!r}.",
            )
        object.__setattr__(self, '_key', key)

    def encode(self, document: Document) -> Row:
        """Returns a document as metadata."""
        data = document_data(document)
        row: Row = {}
        if document.metadata is not None:
            row[METADATA] = stringify(document.metadata)
        row[self._key] = utf8(data)
        row[TYPE] = utf8(document_data_type(document))
        if self.js:
            return row
        if not fits_data(document, data):
            row[PARTS] = stringify(document_to_dict(document)['content'])
        if document.metadata:
            numbers: list[str] = []
            self._flatten(document.metadata, (), row, numbers)
            if numbers:
                row[NUMBERS] = numbers
        return row

    def decode(self, row: Mapping[str, Any] | None) -> Document:
        """Reads metadata, whoever wrote it: this plugin, the JS plugin, the Go plugin, LangChain."""
        row = row or {}
        own_key = self._content_key(row)
        data = row.get(own_key, '')
        return stored_document(
            data if isinstance(data, str) else json.dumps(data),
            row.get(TYPE),
            _metadata(row, own_key),
            parts=row.get(PARTS),
            key=PARTS,
        )

    def key(self, path: tuple[str, ...]) -> str:
        """Returns the metadata key of the scalar at a path."""
        return _flat_key(path, self._key)

    def _content_key(self, row: Mapping[str, Any]) -> str:
        if self._key in row or TYPE in row:
            return self._key
        return next((key for key in _FOREIGN_KEYS if key in row), self._key)

    def _flatten(self, metadata: Mapping[Any, Any], path: tuple[str, ...], row: Row, numbers: list[str]) -> None:
        for name, value in metadata.items():
            if value is None:
                continue
            here = (*path, str(name))
            # Most values are one of these two, which need none of the tests below.
            if type(value) is str:
                row[self.key(here)] = storable(value)
            elif type(value) is int and -_MAX_INT <= value <= _MAX_INT:
                key = self.key(here)
                row[key] = value
                numbers.append(key)
            else:
                self._place(value, here, row, numbers)

    def _place(self, value: Any, path: tuple[str, ...], row: Row, numbers: list[str]) -> None:
        if isinstance(value, str):
            row[self.key(path)] = storable(value)
        elif isinstance(value, bool):
            row[self.key(path)] = value
        elif isinstance(value, _NUMBERS):
            if is_number(value):
                key = self.key(path)
                row[key] = stored(value)
                numbers.append(key)
        elif isinstance(value, Mapping):
            row[object_key(path)] = True
            self._flatten(cast('Mapping[Any, Any]', value), path, row, numbers)
        elif isinstance(value, _LISTS):
            row[list_key(path)] = _elements(cast('Sequence[Any]', value))
        elif value is not None:
            # What JSON holds in another form, such as a date, is found by that form.
            self._place(json.loads(stringify(value)), path, row, numbers)


def list_key(path: tuple[str, ...]) -> str:
    """Returns the metadata key of the list at a path."""
    return f'\\[]{storable(format_path(path))}'


def object_key(path: tuple[str, ...]) -> str:
    """Returns the metadata key that tells of an object at a path."""
    return f'\\{{}}{storable(format_path(path))}'


def element(value: Scalar) -> str:
    """Returns a list's element as it is stored: a string that also says the type."""
    if isinstance(value, str):
        return 's:' + storable(value)
    if isinstance(value, bool):
        return 'b:true' if value else 'b:false'
    # 0.0 is added so that -0.0 and 0 are one.
    return f'n:{float(cast("float", value)) + 0.0!r}'


def stored(value: str | float) -> str | float:
    """Returns a scalar as it is stored: numbers are doubles in Pinecone, so larger ints become one here already."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, bool):
        return value
    # A plain number: the SDK's JSON does not know those of numpy, some of which are floats too.
    return int(value) if isinstance(value, int) and abs(value) <= _MAX_INT else float(value)


def is_number(value: float) -> bool:
    """Tells whether JSON holds a number; NaN and infinities become null there."""
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


@functools.lru_cache(maxsize=4096)
def _flat_key(path: tuple[str, ...], content_key: str) -> str:
    text = format_path(path)
    if not text or text in RESERVED or text == content_key:
        text = '\\' + text
    return storable(text)


def _elements(items: Sequence[Any]) -> list[str]:
    found = [
        element(item)
        for item in items
        if isinstance(item, _TEXT_OR_BOOL) or (isinstance(item, _NUMBERS) and is_number(item))
    ]
    return found or ['']


def _metadata(row: Mapping[str, Any], content_key: str) -> dict[str, Any] | None:
    text = row.get(METADATA)
    if not isinstance(text, str):
        # Written by something that spreads metadata over the record, or there is none.
        own = {content_key, METADATA, TYPE, PARTS, NUMBERS}
        return {key: value for key, value in row.items() if key not in own} or None
    try:
        parsed = parse(text)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        return cast('dict[str, Any]', parsed)
    _log.warning('A Pinecone record has an unreadable %s, it is kept as text.', METADATA)
    return {METADATA: text}
