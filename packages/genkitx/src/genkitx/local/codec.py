# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The file format of JS's dev-local-vectorstore.

    {"<id>": {"doc": {"content": [...], "metadata": {...}}, "embedding": {"embedding": [...], "metadata": {...}}}}

Written as `JSON.stringify(data, undefined, 2)`; metadata keys are absent where there is none. Go writes the embedding as a bare
array; both forms are read.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from genkit import Document, GenkitError

from genkitx.retrieval.documents import document_from_dict, document_to_dict
from genkitx.retrieval.json import check, key_order, stringify
from genkitx.stores.ranking import Direction
from genkitx.stores.store import Record


@dataclass(frozen=True, slots=True)
class Row:
    """A stored record with what searching and writing need again and again.

    Attributes:
        record: The record.
        direction: The direction of its vector.
        text: Its entry in the file, indented.
    """

    record: Record
    direction: Direction
    text: str


def make_row(record: Record) -> Row:
    """Prepares a record for the file."""
    metadata = record.document.metadata or {}
    embedding: dict[str, Any] = {'embedding': list(record.vector)}
    if 'embedMetadata' in metadata:
        embedding['metadata'] = metadata['embedMetadata']
    entry = {'doc': document_to_dict(record.document), 'embedding': embedding}
    text = stringify({record.id: entry}, indent=2)[4:-2]
    # The numbers of the direction take four times the room of these.
    vector = array('d', record.vector)
    return Row(Record(record.id, vector, record.document), Direction.of(vector), text)


def dump(rows: Mapping[str, Row]) -> bytes:
    """Returns the file's content."""
    entries = [rows[key].text for key in key_order(rows)]
    text = '{\n  ' + ',\n  '.join(entries) + '\n}' if entries else '{}'
    return text.encode('utf-8', 'surrogatepass')


def load(data: bytes, where: str) -> dict[str, Row]:
    """Reads the file's content.

    Raises:
        GenkitError: DATA_LOSS, naming the file and the entry that is broken.
    """
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _broken(where, f'it is not JSON ({error})') from error
    if not isinstance(entries, dict):
        raise _broken(where, 'its top level is not an object')
    rows: dict[str, Row] = {}
    for key, entry in cast('dict[str, Any]', entries).items():
        try:
            rows[key] = make_row(Record(key, _vector(entry['embedding']), _document(entry['doc'])))
        except (KeyError, TypeError, ValueError, OverflowError, GenkitError) as error:
            raise _broken(where, f'its entry {key!r} is not a document with an embedding ({error})') from error
    sizes = {len(row.record.vector) for row in rows.values()}
    if len(sizes) > 1:
        raise _broken(where, f'it mixes vectors of {sorted(sizes)} dimensions')
    return rows


def _vector(value: Any) -> list[float]:
    numbers: Any = cast('Any', value)['embedding'] if isinstance(value, dict) else value
    vector = [float(number) for number in numbers]
    if not vector or not math.isfinite(sum(vector)):
        raise ValueError('an embedding is a list of finite numbers')
    return vector


def _document(value: Any) -> Document:
    check(value.get('metadata'))
    return document_from_dict({key: value[key] for key in ('content', 'metadata') if value.get(key) is not None})


def _broken(where: str, problem: str) -> GenkitError:
    return GenkitError(
        status='DATA_LOSS',
        message=f'{where} cannot be read: {problem}. Restore it from a backup, or delete it and index again.',
    )
