# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
r"""Documents as Convex rows: the layout of LangChain JS's store, and next to it what Convex values cannot hold.

A row is a Convex document:

    text          the text, or the URL of a medium                                        (LangChain)
    embedding     the vector                                                              (LangChain)
    metadata      a copy of the metadata, as far as Convex can hold it; filters look here (LangChain)
    key           the record's id
    dataType      'text', a content type, or '' for a medium without one
    metadataJson  the whole metadata as JSON; absent when there is none
    docContent    the parts as JSON, where text and type alone would lose something

The copy leaves out keys that Convex refuses (empty, not printable ASCII, a leading '$' or '_', over 1024 characters), objects
and lists that are too large or too deep, and null; strings with lone surrogates stand there in an escaped form.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast

from genkit import Document
from genkitx.retrieval import document_data, document_data_type, document_to_dict
from genkitx.retrieval.json import parse, stringify
from genkitx.stores import Record
from genkitx.stores.layout import fits_data, storable, stored_document

_log: Final = logging.getLogger(__name__)

Row: TypeAlias = dict[str, Any]
"""A Convex document, as JSON."""

MAX_DOCUMENT: Final = 1024 * 1024
"""Bytes in one Convex document."""
MAX_ARRAY: Final = 8192
MAX_KEYS: Final = 1000  # Of the 1024 that Convex takes in an object.
MAX_KEY: Final = 1024
MAX_DEPTH: Final = 12  # Of the 16 that Convex takes in a document.

_SYSTEM_FIELDS: Final = 100  # Bytes: _id and _creationTime.


def encode(record: Record) -> Row:
    """Returns a record as a row."""
    document = record.document
    data = document_data(document)
    row: Row = {
        'key': record.id,
        'text': storable(data),
        'embedding': [float(value) for value in record.vector],
        'metadata': {},
        'dataType': document_data_type(document),
    }
    if document.metadata is not None:
        text = stringify(document.metadata)
        row['metadata'] = _copy(json.loads(text), 1) or {}
        row['metadataJson'] = _utf8(text)
    if storable(data) != data or not fits_data(document, data):
        row['docContent'] = _utf8(stringify(document_to_dict(document)['content']))
    return row


def decode(row: Mapping[str, Any]) -> Document:
    """Reads a row, whoever wrote it: this plugin, LangChain JS, or something else with a text."""
    text = row.get('text')
    return stored_document(
        text if isinstance(text, str) else '',
        row.get('dataType'),
        metadata_of(row),
        parts=row.get('docContent'),
        key='docContent',
    )


def metadata_of(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Returns a row's metadata, or None when it has none."""
    text = row.get('metadataJson')
    if isinstance(text, str):
        try:
            parsed = parse(text)
        except ValueError:
            parsed = None
        if isinstance(parsed, dict):
            return cast('dict[str, Any]', parsed)
        _log.warning('A Convex document has an unreadable metadataJson, it is kept as text.')
        return {'metadataJson': text}
    if isinstance(row.get('dataType'), str):
        return None
    # Another writer's.
    found = plain(row.get('metadata'))
    return cast('dict[str, Any]', found) if isinstance(found, dict) and found else None


def plain(value: Any) -> Any:
    """Returns a Convex value with its whole numbers as ints: all its numbers are 64-bit floats, and come as `3.0`."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    if isinstance(value, list):
        return [plain(item) for item in cast('list[Any]', value)]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in cast('dict[str, Any]', value).items()}
    return value


def row_bytes(row: Mapping[str, Any]) -> int:
    """Returns how many bytes Convex counts for a row, at most."""
    return _SYSTEM_FIELDS + 9 * len(row['embedding']) + _size({**row, 'embedding': None})


def request_bytes(row: Mapping[str, Any]) -> int:
    """Returns about how many bytes a row takes in a request: more than in Convex, as numbers are text there."""
    return row_bytes(row) + 14 * len(row['embedding']) + 200


def is_unicode(text: str) -> bool:
    """Tells whether a string is free of lone surrogates, which UTF-8 cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def number(value: float) -> float:
    """Returns a number as Convex holds it; minus zero is another value there, and is zero here."""
    return float(value) + 0.0


def is_key(key: str) -> bool:
    """Tells whether Convex takes a key."""
    return 0 < len(key) <= MAX_KEY and key[0] not in '$_' and all(' ' <= character <= '~' for character in key)


def _copy(value: Any, depth: int) -> Any:
    """Returns a JSON value as far as Convex can hold it; None where it cannot."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, int | float):
        return number(value)
    if depth > MAX_DEPTH or value is None:
        return None
    if isinstance(value, list):
        items = cast('list[Any]', value)
        # A list keeps its length: what cannot be held is null there.
        return [_copy(item, depth + 1) for item in items] if len(items) <= MAX_ARRAY else None
    entries = cast('dict[str, Any]', value)
    if len(entries) > MAX_KEYS:
        return None
    copied = {key: _copy(item, depth + 1) for key, item in entries.items() if is_key(key)}
    return {key: item for key, item in copied.items() if item is not None}


def _size(value: Any) -> int:
    """Returns the size of a value as Convex counts it, at most."""
    if isinstance(value, str):
        return 4 + len(value.encode('utf-8', 'surrogatepass'))
    if isinstance(value, Mapping):
        entries = cast('Mapping[str, Any]', value)
        return 2 + sum(len(key.encode('utf-8', 'surrogatepass')) + 2 + _size(item) for key, item in entries.items())
    if isinstance(value, list):
        return 2 + sum(_size(item) for item in cast('list[Any]', value))
    return 9


def _utf8(text: str) -> str:
    """Escapes lone surrogates in JSON text."""
    if is_unicode(text):
        return text
    return ''.join(f'\\u{ord(one):04x}' if 0xD800 <= ord(one) <= 0xDFFF else one for one in text)
