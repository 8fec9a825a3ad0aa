# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Documents, both ways.

LangChain's document has one text, metadata and an id; Genkit's has parts and metadata. The id of a LangChain document
is kept in the metadata of Genkit's under `ID_KEY`; parts that are more than one plain text are kept in the metadata of
LangChain's under `CONTENT_KEY`. Both keys are gone again after the way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from genkit import Document, GenkitError, Part
from genkitx.retrieval import document_to_dict, plain_text

from genkitx_langchain.convert.json_value import json_value

if TYPE_CHECKING:
    from langchain_core.documents import Document as LangChainDocument

ID_KEY: Final = '_langchain_id'
"""The metadata key of a Genkit document that holds the id of the LangChain document it was."""

CONTENT_KEY: Final = '_genkit_content'
"""The metadata key of a LangChain document that holds the parts of the Genkit document it was."""


def to_genkit_document(document: LangChainDocument) -> Document:
    """Turns a LangChain document into Genkit's.

    Args:
        document: The document; it is not changed. Dates, UUIDs and NumPy values in its metadata become JSON.

    Raises:
        GenkitError: INVALID_ARGUMENT for metadata that JSON cannot hold, or that uses a key of the bridge.
    """
    metadata: dict[str, Any] = json_value(document.metadata, 'metadata')
    content = _content(document.page_content, metadata.pop(CONTENT_KEY, None))
    if ID_KEY in metadata:
        raise GenkitError(
            status='INVALID_ARGUMENT',
            message=f'The metadata key {ID_KEY!r} is where the bridge keeps ids; rename it in the document.',
        )
    if document.id is not None:
        metadata[ID_KEY] = document.id
    return Document(content=content, metadata=metadata or None)


def to_langchain_document(document: Document) -> LangChainDocument:
    """Turns a Genkit document into LangChain's: the text of its parts joined, everything else in the metadata.

    Raises:
        GenkitError: INVALID_ARGUMENT for metadata that uses a key of the bridge.
    """
    from langchain_core.documents import Document as LangChainDocument

    metadata = dict(document.metadata or {})
    identity = metadata.pop(ID_KEY, None)
    if CONTENT_KEY in metadata:
        raise GenkitError(
            status='INVALID_ARGUMENT',
            message=f'The metadata key {CONTENT_KEY!r} is where the bridge keeps parts; rename it in the document.',
        )
    text = ''.join(part.text for part in document.content if part.text is not None)
    if plain_text(document) is None:
        metadata[CONTENT_KEY] = document_to_dict(document)['content']
    return LangChainDocument(page_content=text, metadata=metadata, id=identity)


def _content(text: str, kept: Any) -> list[Part]:
    if kept is None:
        return [Part.from_text(text)]
    try:
        parts = [Part.model_validate(part) for part in kept]
    except (ValueError, TypeError) as error:
        raise GenkitError(
            status='INVALID_ARGUMENT', message=f'The metadata key {CONTENT_KEY!r} holds no parts.', cause=error
        ) from error
    if ''.join(part.text for part in parts if part.text is not None) == text:
        return parts
    # The text was changed on LangChain's side, by a splitter for example: it wins, and what is no text stays.
    return [Part.from_text(text), *(part for part in parts if part.text is None)]
