# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Encoded records between their check and their write."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final

from genkitx.stores import Record

from genkitx_pinecone.codec import Layout, Row

_KEPT: Final = 2000
_SAMPLE: Final = 8


def json_bytes(value: Any) -> int:
    """Returns the size of JSON data in a request: it is written as the SDK writes it."""
    import orjson  # Not before it is needed, like the SDK.

    return len(orjson.dumps(value))


def vector_bytes(vector: Sequence[float]) -> int:
    """Returns about the size of a vector in a request: the length of a number is taken from a few of them."""
    count = len(vector)
    sample = vector[:: max(1, count // _SAMPLE)]
    # The brackets stand for the comma that the last number lacks, and one more.
    return (json_bytes(sample) - 1) * count // len(sample) if count else 2


class Rows:
    """Encodes records, each once: encoding is most of the work that is ours, and check, count and write all need it.

    Args:
        layout: How a document is stored.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._rows: dict[int, tuple[Record, Row, int]] = {}
        self._lock = threading.Lock()

    def size(self, record: Record) -> int:
        """Returns the size of a record's metadata in bytes, and remembers the metadata."""
        with self._lock:
            known = self._rows.get(id(record))
        if known is not None and known[0] is record:
            return known[2]
        row = self._layout.encode(record.document)
        size = json_bytes(row)
        with self._lock:
            self._rows[id(record)] = (record, row, size)
            if len(self._rows) > _KEPT:
                # What was checked and then failed elsewhere is never written: the oldest goes.
                del self._rows[next(iter(self._rows))]
        return size

    def take(self, record: Record) -> Row:
        """Returns a record's metadata, and forgets it."""
        with self._lock:
            known = self._rows.pop(id(record), None)
        return known[1] if known is not None and known[0] is record else self._layout.encode(record.document)
