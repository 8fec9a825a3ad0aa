# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What the stores' layouts have in common: a text for the document, its type, and its parts where those two are not enough."""

from __future__ import annotations

import logging
from typing import Any, Final, cast

from genkit import Document, GenkitError, Part

from genkitx.retrieval.documents import TEXT, document_from_data, read_document
from genkitx.retrieval.json import parse

_log: Final = logging.getLogger(__name__)


def utf8(text: str) -> str:
    """Replaces lone surrogates by U+FFFD: no store of text takes them."""
    if text.isascii():
        return text
    return text.encode('utf-16-le', 'surrogatepass').decode('utf-16-le', 'replace')


def storable(text: str) -> str:
    """Returns a string that UTF-8 can hold: itself, but where it has lone surrogates an escaped form that is as unique."""
    if text.isascii():
        return text
    if not text.startswith('\uffff'):
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    return '\uffff' + text.encode('unicode_escape').decode('ascii')


def fits_data(document: Document, data: str) -> bool:
    """Tells whether the document's data and data type alone give its parts back.

    Args:
        document: The document.
        data: What `document_data` gives for it.
    """
    if len(document.content) != 1:
        return False
    part = document.content[0]
    if part.metadata is not None or part.custom is not None:
        return False
    if part.text is not None:
        return utf8(data) == data
    media = part.media
    if media is None or not media.content_type or media.content_type == TEXT:
        return False
    return utf8(data) == data and utf8(media.content_type) == media.content_type


def stored_document(
    data: str, data_type: object, metadata: dict[str, Any] | None, *, parts: object, key: str
) -> Document:
    """Rebuilds a document from what a record has of it.

    Args:
        data: Its text or media URL.
        data_type: Its data type, see `document_from_data`; anything but a string is none.
        metadata: Its metadata, which is not copied.
        parts: Its parts as JSON, which win; anything but a string is none. Unreadable ones are left out with a warning.
        key: Where the parts are stored, for that warning.
    """
    if isinstance(parts, str):
        try:
            found = parse(parts)
            if not isinstance(found, list):
                raise TypeError('parts are a list')
            return read_document([Part.model_validate(one) for one in cast('list[Any]', found)], metadata)
        except (ValueError, TypeError, GenkitError) as error:
            _log.warning('A record has an unreadable %s, its text is used: %s', key, type(error).__name__)
    return document_from_data(data, data_type if isinstance(data_type, str) else None, metadata)
