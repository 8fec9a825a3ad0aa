# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Records as rows and back: the layout that the JS plugin writes.

    <id> | <content>: texts joined by one space | <embedding> | one column per promoted key | <json>: the whole metadata, {} for none

What that cannot hold (several parts, media, metadata of a part, the difference between no metadata and empty metadata) goes into
one more key of the JSON, `docContent`, and comes back from there:

    "docContent": {"content": [<parts>], "metadata": {} if it was empty, "own": <a docContent key of the user's metadata>}
"""

from __future__ import annotations

import functools
import json
import logging
import re
import struct
import sys
import uuid
from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from genkit import Document, GenkitError
from genkitx.retrieval import document_from_dict, document_to_dict, plain_text, text_document
from genkitx.retrieval.json import MAX_DEPTH, parse
from genkitx.stores import Record

from genkitx_cloud_sql_pg.sql import storable
from genkitx_cloud_sql_pg.tables import Kind, StoredColumn, TableLayout

_log: Final = logging.getLogger(__name__)

DOC_CONTENT: Final = 'docContent'
RAW_METADATA: Final = 'rawMetadata'
"""The key under which JSON that is no object is kept when it is read."""

_UUID: Final = re.compile(r'[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}')
_INTEGER: Final = re.compile(r'0|-?[1-9][0-9]{0,18}')
_NUL: Final = re.compile(r'(?<!\\)(?:\\\\)*\\u0000')
_RANGES: Final = {'int2': 15, 'int4': 31, 'int8': 63}
_EMPTY: Final = '{ }'
"""How a `json` column holds metadata that is empty but not missing: the same JSON as `{}`, which JS writes for both."""

_json_text: Final[Callable[[Any], str]] = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(',', ':')
).encode

NATIVE: Final = frozenset({Kind.TEXT, Kind.INT, Kind.REAL, Kind.DOUBLE, Kind.BOOL, Kind.JSON})
"""Kinds of columns whose values the driver can COPY as they are."""


def encode_vector(vector: Sequence[float]) -> bytes:
    """Writes pgvector's binary `vector`: u16 length, u16 zero, big-endian 32-bit floats."""
    # Packed in the machine's order and swapped as a whole, which is twice as fast as packing in the other order.
    numbers = array('f', struct.pack(f'{len(vector)}f', *vector))
    if sys.byteorder == 'little':
        numbers.byteswap()
    return struct.pack('>HH', len(vector), 0) + numbers.tobytes()


def encode_halfvec(vector: Sequence[float]) -> bytes:
    """Writes pgvector's binary `halfvec`: as `vector`, with 16-bit floats."""
    return struct.pack(f'>HH{len(vector)}e', len(vector), 0, *vector)


def decode_vector(data: bytes) -> list[float]:
    """Reads a binary `vector`."""
    return list(struct.unpack_from(f'>{(len(data) - 4) // 4}f', data, 4))


def decode_halfvec(data: bytes) -> list[float]:
    """Reads a binary `halfvec`."""
    return list(struct.unpack_from(f'>{(len(data) - 4) // 2}e', data, 4))


class RowCodec:
    """Turns records into rows of one table and rows into documents.

    Args:
        layout: The table.
        store: The store's name, for messages.
        lossless: Whether `docContent` is written where the JS layout would lose something.
    """

    def __init__(self, layout: TableLayout, store: str, *, lossless: bool = True) -> None:
        self._layout = layout
        self._store = store
        self._lossless = lossless
        self._is_uuid = layout.id.base == 'uuid'
        self._is_text_id = layout.id.kind is Kind.TEXT
        self._columns = layout.metadata_columns
        self._names = frozenset(column.name for column in layout.metadata_columns)
        self._json = layout.metadata_json
        self._is_simple = self._is_text_id and not self._columns and self._json is not None
        self.copyable = all(column.kind in NATIVE for column in self._columns)

    # Writing.

    def row_id(self, record_id: str) -> Any:
        """Returns an id as the driver takes it, or None when the column could not hold it."""
        if self._is_text_id:
            return record_id if storable(record_id) else None
        if self._is_uuid:
            return uuid.UUID(record_id) if _UUID.fullmatch(record_id) else None
        if _INTEGER.fullmatch(record_id) is None or not _in_range(int(record_id), self._layout.id.base):
            return None
        return int(record_id)

    def row(self, record: Record) -> tuple[Any, ...]:
        """Returns a record's values: id, content, embedding, the metadata columns, and the JSON if there is such a column.

        Raises:
            GenkitError: INVALID_ARGUMENT when the table cannot hold it without loss.
        """
        document = record.document
        metadata = document.metadata
        text = plain_text(document)
        plain = text is not None
        if self._is_simple and text is not None and metadata and DOC_CONTENT not in metadata:
            # Most rows of most tables, without a call more than needed: an ingest is as fast as this is.
            encoded = self._dump(record, metadata)
            if storable(record.id) and storable(text):
                return record.id, text, record.vector, encoded
        row_id = self.row_id(record.id)
        if row_id is None:
            hint = " Create the table with id_column=Column('id', 'TEXT')." if self._is_uuid else ''
            raise self._bad(record, f'its id cannot be kept in a column of type {self._layout.id.type}.{hint}')
        if text is None:
            text = ' '.join(part.text or '' for part in document.content)
        if not storable(text):
            raise self._bad(record, 'its text has a U+0000 or a lone surrogate, which PostgreSQL cannot hold.')
        values: list[Any] = [row_id, text, record.vector]
        if self._columns:
            values += [self._column_value(record, column, metadata) for column in self._columns]
        if self._json is not None:
            values.append(self._metadata_text(record, plain))
        elif not plain or not self._names.issuperset(metadata or ()):
            self._refuse_without_json(record)
        return tuple(values)

    def _metadata_text(self, record: Record, plain: bool) -> str:
        metadata = record.document.metadata
        if plain and metadata is None:
            return '{}'
        if self._lossless and not (plain and metadata and DOC_CONTENT not in metadata):
            if plain and metadata == {} and cast('StoredColumn', self._json).base == 'json':
                return _EMPTY
            metadata = _with_content(record.document)
        return self._dump(record, metadata or {})

    def _dump(self, record: Record, metadata: dict[str, Any]) -> str:
        try:
            text = _json_text(metadata)
        except (TypeError, ValueError, RecursionError) as error:
            raise self._bad(record, f'its metadata is not JSON ({error}).') from error
        if ('\\u0000' in text and _NUL.search(text)) or not storable(text):
            raise self._bad(record, 'its metadata has a U+0000 or a lone surrogate, which PostgreSQL cannot hold.')
        return text

    def _refuse_without_json(self, record: Record) -> None:
        lost = sorted(set(record.document.metadata or ()) - self._names)
        what = f'there is no column for the metadata key {lost[0]!r}' if lost else 'only plain text fits'
        if lost or self._lossless:
            raise self._bad(record, f'the table has no JSON column for metadata, and {what}.')

    def _column_value(self, record: Record, column: StoredColumn, metadata: dict[str, Any] | None) -> Any:
        value = (metadata or {}).get(column.name)
        if value is None:
            return None
        try:
            return column_value(column, value)
        except (TypeError, ValueError, OverflowError) as error:
            kind = type(value).__name__
            message = (
                f'its metadata key {column.name!r} holds a {kind} that its column of type {column.type} cannot keep.'
            )
            raise self._bad(record, message) from error

    def _bad(self, record: Record, problem: str) -> GenkitError:
        return GenkitError(
            status='INVALID_ARGUMENT', message=f'{self._store} cannot store the record {record.id!r:.100}: {problem}'
        )

    # Reading.

    @functools.cached_property
    def columns(self) -> list[str]:
        """The SQL expressions that `document` reads from, after the id: content, columns, JSON."""
        selected = [f't.{self._layout.content.sql}']
        selected += [select_column(column) for column in self._columns]
        if self._json is not None:
            selected.append(f't.{self._json.sql}::text')
        return selected

    def documents(self, rows: Sequence[Sequence[Any]], start: int) -> list[Document]:
        """Reads documents from rows whose columns from `start` on are those of `columns`."""
        if self._json is None:
            return [self._document(row, start, None) for row in rows]
        at = start + 1 + len(self._columns)
        found = _read_json([row[at] for row in rows])
        if self._columns:
            return [self._document(row, start, value) for row, value in zip(rows, found, strict=True)]
        # Most rows of most tables, without a call more than needed: a small search spends a third of its time here.
        return [
            text_document(row[start] or '', value)
            if type(value) is dict and DOC_CONTENT not in value
            else self._document(row, start, value)
            for row, value in zip(rows, found, strict=True)
        ]

    def _document(self, row: Sequence[Any], start: int, value: Any) -> Document:
        metadata, content = _split_metadata(value)
        for i, column in enumerate(self._columns, start + 1):
            if row[i] is not None:
                metadata = {} if metadata is None else metadata
                _overlay(metadata, column, row[i])
        if content is not None:
            try:
                document = document_from_dict({'content': content, 'metadata': metadata})
            except (GenkitError, RecursionError) as error:
                _log.warning('%s: a row has an unreadable %s, its text is used: %s', self._store, DOC_CONTENT, error)
            else:
                if document.content:
                    return document
        return text_document(row[start] or '', metadata)


def column_value(column: StoredColumn, value: Any) -> Any:
    """Returns a metadata value as a column takes it.

    Raises:
        TypeError: The value is of another type than the column: types are never mixed.
        ValueError: It is out of range.
    """
    kind = column.kind
    if kind is Kind.JSON:
        return _json_text(value)
    if kind is Kind.ARRAY:
        if not isinstance(value, list | tuple):
            raise TypeError
        return [
            None if one is None else one if isinstance(one, str) else _json_text(one)
            for one in cast('list[Any]', value)
        ]
    if kind is Kind.BOOL or isinstance(value, bool):
        if kind in (Kind.BOOL, Kind.OTHER) and isinstance(value, bool):
            return value if kind is Kind.BOOL else str(value).lower()
        raise TypeError
    if kind is Kind.TEXT or isinstance(value, str):
        if kind not in (Kind.TEXT, Kind.OTHER) or not isinstance(value, str) or not storable(value):
            raise TypeError
        if column.base == 'bpchar' and value.endswith(' '):
            raise ValueError  # To CHAR(n) they are padding.
        return value
    if not isinstance(value, int | float):
        raise TypeError
    if value != value:  # NaN, which no filter and no JSON knows; `math.isnan` refuses large integers
        raise ValueError
    if kind is Kind.INT:
        if value != int(value) or not _in_range(int(value), column.base):
            raise ValueError
        return int(value)
    return float(value) if kind in (Kind.REAL, Kind.DOUBLE) else repr(value)


def parameter_type(column: StoredColumn) -> str:
    """Returns the SQL type of the parameter of a metadata column, with the cast to the column's where that differs."""
    if column.kind in NATIVE - {Kind.JSON}:
        return 'text' if column.kind is Kind.TEXT else column.base
    # Without its length limit: a cast to varchar(3) would cut silently what an assignment refuses.
    bare = re.sub(r'\(\d+(,\d+)?\)', '', column.type)
    return f'text[]::{bare}' if column.kind is Kind.ARRAY else f'text::{bare}'


def select_column(column: StoredColumn) -> str:
    """Returns the SQL expression that reads a metadata column."""
    name = f't.{column.sql}'
    if column.base == 'bpchar':
        return f'{name}::text'  # Without the padding.
    if column.kind in NATIVE - {Kind.JSON}:
        return name
    if column.kind is Kind.NUMERIC:
        return f'{name}::float8'
    return f'to_json({name})::text' if column.kind is Kind.ARRAY else f'{name}::text'


def _overlay(metadata: dict[str, Any], column: StoredColumn, value: Any) -> None:
    """Puts a column's value over the JSON's, unless both say the same: then the JSON has it as it was given."""
    known = metadata.get(column.name)
    if column.kind in (Kind.JSON, Kind.ARRAY):
        value = _read_one(value)
    elif column.kind in (Kind.OTHER, Kind.REAL):
        # What the column rounds or spells in its own way, the JSON has as it was given.
        value = value if known is None else known
    elif known is not None:
        try:
            same = column_value(column, known)
            if column.kind is Kind.NUMERIC:
                same = float(same)
            value = known if same == value else value
        except (TypeError, ValueError, OverflowError):
            pass
    metadata[column.name] = value


def _read_json(texts: list[str | None]) -> list[Any]:
    """Parses JSON that PostgreSQL has checked; `{}` is no metadata.

    All at once: a call for each of them takes four times as long.
    """
    given = ['null' if text is None or text == '{}' else text for text in texts]
    if any(text.count('[') + text.count('{') > MAX_DEPTH for text in given):
        return [_read_one(text) for text in given]
    try:
        return json.loads(f'[{",".join(given)}]')
    except ValueError:
        return [_read_one(text) for text in given]


def _read_one(text: str) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        # JSON to PostgreSQL, but not to Genkit: nested hundreds deep, or a number of thousands of digits.
        _log.warning('JSON of a row cannot be parsed, its text is kept: %s', error)
        return text


def _split_metadata(value: Any) -> tuple[dict[str, Any] | None, Any]:
    """Returns the metadata and the content of `docContent`, if there is one."""
    if not isinstance(value, dict):
        return (None if value is None else {RAW_METADATA: value}), None
    metadata = cast('dict[str, Any]', value)
    kept: Any = metadata.get(DOC_CONTENT)
    if not isinstance(kept, dict) or 'content' not in kept or not kept.keys() <= {'content', 'metadata', 'own'}:
        return metadata, None
    kept = cast('dict[str, Any]', kept)
    del metadata[DOC_CONTENT]
    if 'own' in kept:
        metadata[DOC_CONTENT] = kept['own']
    return metadata or kept.get('metadata'), kept['content']


def _with_content(document: Document) -> dict[str, Any]:
    metadata = document.metadata
    kept: dict[str, Any] = {'content': document_to_dict(document)['content']}
    if metadata == {}:
        kept['metadata'] = {}
    if metadata and DOC_CONTENT in metadata:
        kept['own'] = metadata[DOC_CONTENT]
    return {**(metadata or {}), DOC_CONTENT: kept}


def _in_range(value: int, base: str) -> bool:
    limit = 1 << _RANGES.get(base, 63)
    return -limit <= value < limit
