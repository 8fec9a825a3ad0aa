# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The JSON files of an index, as LangChain's HNSWLib writes them.

    args.json      {"space": "cosine", "numDimensions": 768}
    docstore.json  [["0", {"pageContent": "...", "metadata": {...}, "id": "..."}], ...]

`id` is what newer LangChain writes; older files have none, and then a record's id is the hash that the JS plugins give a document.
Two more keys stand only in entries of documents that this layout cannot hold, and JS ignores them: `docContent`, the parts of a
document that is not one text, and `docMetadata: null` for a document without metadata (LangChain always has some).

An appended label in JS is the size of the docstore or the count of the index. So both stay equal, and all labels are 0 to n - 1: a
deleted label keeps its place in the graph, and an empty entry here.
"""

from __future__ import annotations

import copy
import json
import logging
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from genkit import Document, GenkitError
from genkitx.retrieval import (
    document_data,
    document_from_dict,
    document_id,
    document_to_dict,
    plain_text,
    text_document,
)
from genkitx.retrieval.json import MAX_DEPTH, check, stringify
from genkitx.stores import Record
from pydantic import ValidationError

from genkitx_hnsw.engines import SPACES, Space
from genkitx_hnsw.layout import MAX_DIMENSIONS, MAX_LABEL, broken

_log: Final = logging.getLogger(__name__)
_LONE_SURROGATE: Final = re.compile('[\ud800-\udfff]')
_LABEL: Final = re.compile(r'0|[1-9][0-9]{0,15}')
_FLAT: Final = frozenset({str, int, float, bool, type(None)})
_STRINGS: Final = frozenset({str})
_NESTED: Final = frozenset({dict, list})
_ONLY_OURS: Final = frozenset({'docContent', 'docMetadata'})
_DELETED: Final = {'pageContent': '', 'metadata': cast('dict[str, Any]', {})}

Entry = dict[str, Any]
"""A value of the docstore."""


class Row:
    """A live record: its id and its entry, whose text and metadata are at hand where they are all of its document."""

    __slots__ = ('_metadata', '_text', 'entry', 'id')

    def __init__(self, one: str, entry: Entry) -> None:
        self.id = one
        self.entry = entry
        metadata = entry['metadata']
        simple = _ONLY_OURS.isdisjoint(entry) and _NESTED.isdisjoint(map(type, metadata.values()))
        self._text: str = entry['pageContent']
        self._metadata: dict[str, Any] | None = metadata if simple else None

    def document(self) -> Document:
        """Returns the record's document, which shares nothing with the entry."""
        metadata = self._metadata
        return to_document(self.entry) if metadata is None else text_document(self._text, metadata.copy())


def to_entry(record: Record) -> Entry:
    """Returns the docstore's entry of a record. It shares nothing with the record.

    Raises:
        GenkitError: INVALID_ARGUMENT for metadata that JSON cannot hold.
    """
    document = record.document
    text = plain_text(document)
    entry: Entry = {
        'pageContent': document_data(document) if text is None else text,
        'metadata': _json_copy(document.metadata or {}, record.id),
        'id': record.id,
    }
    if text is None:
        entry['docContent'] = _json_copy(document_to_dict(document)['content'], record.id)
    if document.metadata is None:
        entry['docMetadata'] = None
    return entry


def to_document(entry: Entry) -> Document:
    """Returns the document of an entry. It shares nothing with the entry."""
    metadata = entry['metadata']
    metadata = dict(metadata) if _NESTED.isdisjoint(map(type, metadata.values())) else copy.deepcopy(metadata)
    if not metadata and 'docMetadata' in entry:
        metadata = None
    content = entry.get('docContent')
    if content is not None:
        try:
            return document_from_dict({'content': content, 'metadata': metadata})
        except (GenkitError, ValidationError, TypeError, AttributeError):
            _log.warning('An HNSW entry has an unreadable docContent; its pageContent is used.')
    return text_document(entry['pageContent'], metadata)


def entry_id(entry: Entry) -> str:
    """Returns the id of a record: its own, else the hash of its document."""
    own = entry.get('id')
    return own if isinstance(own, str) and own else document_id(to_document(entry))


def load_docstore(data: bytearray, where: str) -> dict[int, Entry]:
    """Reads `docstore.json`.

    Raises:
        GenkitError: DATA_LOSS, naming the entry that is wrong.
    """
    items = _parse(data, where)
    if not isinstance(items, list):
        raise broken(where, 'its top level is not a list')
    # A list of pairs of a label and an entry with flat metadata has no more brackets than these.
    nested = data.count(b'[') + data.count(b'{') > 1 + 3 * len(cast('list[Any]', items))
    entries: dict[int, Entry] = {}
    for item in cast('list[Any]', items):
        if not isinstance(item, list) or len(cast('list[Any]', item)) != 2:
            raise broken(where, 'an item is not a pair of a label and an entry')
        label, entry = cast('list[Any]', item)
        if not isinstance(label, str) or not _LABEL.fullmatch(label) or int(label) >= MAX_LABEL:
            raise broken(where, f'{str(label)[:50]!r} is not a label')
        if int(label) in entries:
            raise broken(where, f'the label {label} stands there twice')
        if nested:
            try:
                check(entry, depth=MAX_DEPTH + 1)
            except ValueError as error:
                raise broken(where, f'the entry {label} is nested deeper than {MAX_DEPTH}') from error
        entries[int(label)] = _entry(entry, label, where)
    return entries


def dump_docstore(entries: Iterable[tuple[int, Entry | None]]) -> bytes:
    """Writes `docstore.json`; None is the entry of a deleted label."""
    items = [[str(label), _DELETED if entry is None else entry] for label, entry in entries]
    return _dump(items)


def load_args(data: bytearray, where: str) -> tuple[Space, int, dict[str, Any]]:
    """Reads `args.json`.

    Returns:
        The space, the length of the vectors, and all of it: unknown keys are kept.
    """
    args = _parse(data, where)
    if not isinstance(args, dict):
        raise broken(where, 'its top level is not an object')
    found = cast('dict[str, Any]', args)
    space, dimensions = found.get('space'), found.get('numDimensions')
    if space not in SPACES:
        raise broken(where, f'its space is none of {", ".join(SPACES)}')
    if not isinstance(dimensions, int) or isinstance(dimensions, bool) or not 1 <= dimensions <= MAX_DIMENSIONS:
        raise broken(where, f'its numDimensions is not a number from 1 to {MAX_DIMENSIONS}')
    return space, dimensions, found


def dump_args(space: Space, dimensions: int, others: Mapping[str, Any]) -> bytes:
    """Writes `args.json`."""
    return _dump({**others, 'space': space, 'numDimensions': dimensions})


def _entry(value: Any, label: str, where: str) -> Entry:
    if not isinstance(value, dict):
        raise broken(where, f'the entry {label} is not an object')
    entry = cast('Entry', value)
    if not isinstance(entry.get('pageContent'), str):
        raise broken(where, f'the entry {label} has no pageContent')
    metadata = entry.setdefault('metadata', {})
    if not isinstance(metadata, dict):
        _log.warning("The metadata of an HNSW entry is not an object; it is kept under the key 'metadata'.")
        entry['metadata'] = {'metadata': metadata}
    return entry


def _json_copy(value: Any, record_id: str) -> Any:
    """Copies JSON data; what is almost JSON (NaN, dates) becomes what JS would write."""
    if type(value) is dict:
        flat = cast('dict[Any, Any]', value)
        kinds = set(map(type, flat.values()))
        if kinds <= _FLAT and _STRINGS.issuperset(map(type, flat)):
            numbers = [one for one in flat.values() if type(one) is float] if float in kinds else ()
            if all(map(math.isfinite, numbers)):
                return dict(flat)
    try:
        check(value)
        return json.loads(stringify(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise GenkitError(
            status='INVALID_ARGUMENT', message=f'The record {record_id!r} has metadata that is not JSON: {error}.'
        ) from error


def _parse(data: bytearray, where: str) -> Any:
    try:
        return json.loads(data.decode('utf-8'))
    except (ValueError, RecursionError) as error:
        raise broken(where, f'it is not JSON ({error})') from error


def _dump(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(',', ':'), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Half a character, which JSON can hold escaped only.
        return _LONE_SURROGATE.sub(lambda match: f'\\u{ord(match.group()):04x}', text).encode()
