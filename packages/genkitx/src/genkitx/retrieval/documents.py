# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Documents: their JSON form, their ids, and the documents that belong to embeddings."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from genkit import Document, Embedding, GenkitError, Part
from pydantic import BaseModel

from genkitx.retrieval.json import stringify

_log: Final = logging.getLogger(__name__)

TEXT: Final = 'text'
"""The data type of a document that holds text, in every store's layout."""


class RankedDocument(Document):
    """A document with the score that a reranker or a search gave it, kept in `metadata['score']` as JS does."""

    @property
    def score(self) -> float:
        """The score; higher is more relevant. Raises ValueError when the metadata has no number under `score`."""
        score = (self.metadata or {}).get('score')
        if isinstance(score, bool) or not isinstance(score, int | float):
            raise ValueError("RankedDocument has no numeric metadata['score']")
        return float(score)

    @classmethod
    def of(cls, document: Document, score: float) -> RankedDocument:
        """Copies a document, its own metadata kept, and adds the score."""
        return cls(content=document.content, metadata={**(document.metadata or {}), 'score': score})


# Documents are made as `model_construct` makes them where every field has its value, in a fifth of the time: the constructor of
# `Document` copies deeply and that of `Part` checks every kind of content, and reading a record spends half of its time here. A model
# keeps its state in these four slots; their descriptors are asked directly, past the checks of `__setattr__`.
_TEXT_PART: Final = dict(Part(text='').__dict__)
_DOCUMENT: Final = dict(Document(content=[]).__dict__)
_new: Final = object.__new__
_set_fields, _set_names, _set_extra, _set_private = (
    BaseModel.__dict__[slot].__set__
    for slot in ('__dict__', '__pydantic_fields_set__', '__pydantic_extra__', '__pydantic_private__')
)


def read_document(content: list[Part], metadata: dict[str, Any] | None) -> Document:
    """Makes a document of parts and metadata that nobody else holds; neither is copied or checked."""
    document = _new(Document)
    _set_fields(document, {**_DOCUMENT, 'content': content, 'metadata': metadata})
    _set_names(document, {'content', 'metadata'})
    _set_extra(document, None)
    _set_private(document, None)
    return document


def text_document(text: str, metadata: dict[str, Any] | None = None) -> Document:
    """Makes a document of one text, as `Document.from_text` does, but takes the metadata as it is."""
    part = _new(Part)
    _set_fields(part, {**_TEXT_PART, 'text': text})
    _set_names(part, {'text'})
    _set_extra(part, None)
    _set_private(part, None)
    return read_document([part], metadata)


def plain_text(document: Document) -> str | None:
    """Returns the text of a document that is one part of text and nothing more, None for any other."""
    if len(document.content) != 1:
        return None
    part = document.content[0]
    return part.text if part.metadata is None and part.custom is None else None


def copy_document(document: Document) -> Document:
    """Copies a document deeply."""
    text = plain_text(document) if type(document) is Document else None
    return document.model_copy(deep=True) if text is None else text_document(text, deepcopy(document.metadata))


def document_to_dict(document: Document) -> dict[str, Any]:
    """Returns a document's wire form: `content`, then `metadata` unless it is None. Nulls in metadata stay."""
    data: dict[str, Any] = {'content': [_part_to_dict(part) for part in document.content]}
    if document.metadata is not None:
        data['metadata'] = document.metadata
    return data


def document_from_dict(data: Mapping[str, Any]) -> Document:
    """Reads a document's wire form.

    Raises:
        GenkitError: INVALID_ARGUMENT when it is not one.
    """
    unknown = set(data) - {'content', 'metadata'}
    if unknown or 'content' not in data:
        problem = f'has the unknown key {min(unknown)!r}' if unknown else "lacks 'content'"
        raise GenkitError(status='INVALID_ARGUMENT', message=f'Invalid document: it {problem}.')
    try:
        return Document(content=data['content'], metadata=data.get('metadata'))
    except (TypeError, ValueError) as error:
        raise GenkitError(status='INVALID_ARGUMENT', message=f'Invalid document: {error}', cause=error) from error


def document_id(document: Document) -> str:
    """Returns the id that the JS plugins give a document: the MD5 of its JSON text, as 32 lower-case hex digits."""
    plain = plain_text(document)
    if plain is None:
        text = stringify(document_to_dict(document), doubles=True)
    else:
        # The same text; an ingest asks for one of each document.
        metadata = '' if document.metadata is None else f',"metadata":{stringify(document.metadata, doubles=True)}'
        text = f'{{"content":[{{"text":{stringify(plain)}}}]{metadata}}}'
    return hashlib.md5(text.encode('utf-8', 'surrogatepass'), usedforsecurity=False).hexdigest()


def document_data(document: Document) -> str:
    """Returns what a store keeps as the document's text: its joined text, else its first media URL.

    Unlike `Document.data` it is computed afresh, so it is right after the document was changed.
    """
    text = ''.join(part.text for part in document.content if part.text)
    if text:
        return text
    return next((part.media.url for part in document.content if part.media is not None), '')


def document_data_type(document: Document) -> str:
    """Returns `'text'`, or the content type of the first medium (`''` when it has none), as JS stores it."""
    if any(part.text for part in document.content):
        return TEXT
    media = next((part.media for part in document.content if part.media is not None), None)
    return TEXT if media is None else media.content_type or ''


def document_from_data(data: str, data_type: str | None, metadata: dict[str, Any] | None = None) -> Document:
    """Rebuilds a document from stored data.

    Args:
        data: Text or a media URL.
        data_type: `'text'`, a content type, `''` for a medium without one, or None when the record was written by
            something that keeps no type; then it is text.
        metadata: The document's metadata, which is not copied.
    """
    if data_type is None or data_type == TEXT:
        return text_document(data, metadata)
    return read_document([Part.from_media(data, data_type)], metadata)


def embedding_documents(document: Document, embeddings: Sequence[Embedding]) -> list[Document]:
    """Returns one document per embedding (JS `getEmbeddingDocuments`).

    Args:
        document: The document that was embedded.
        embeddings: Its embeddings. Some embedders return several, one per segment of a video for example.

    Returns:
        The document itself for an embedding without metadata, else a copy whose metadata holds the embedding's under
        `embedMetadata`.
    """
    documents = [_with_embed_metadata(document, embedding) for embedding in embeddings]
    if len(documents) > 1 and len({document_id(one) for one in documents}) < len(documents):
        _log.warning('Warning: embedding documents are not unique. Are you missing embed metadata?')
    return documents


def _with_embed_metadata(document: Document, embedding: Embedding) -> Document:
    if embedding.metadata is None:
        return document
    return Document(document.content, {**(document.metadata or {}), 'embedMetadata': embedding.metadata})


def _part_to_dict(part: Part) -> dict[str, Any]:
    if part.text is not None and part.metadata is None and part.custom is None:
        return {'text': part.text}
    return part.model_dump(by_alias=True, exclude_none=True)
