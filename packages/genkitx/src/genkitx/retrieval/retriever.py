# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Retrievers: from a query to documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import genkit
from genkit import Document, GenkitError
from genkit.plugin_api import Action
from pydantic import Field

from genkitx.embedding import using
from genkitx.retrieval.action import (
    ConfigSchema,
    Options,
    Ref,
    WireDocument,
    WireModel,
    build_action,
    fit,
    info_metadata,
    kind_named,
    merge_options,
    options_checker,
    read_output,
    resolve,
)
from genkitx.retrieval.documents import text_document

RETRIEVER: Final = kind_named('retriever')


class RetrieverRequest(WireModel):
    """What a retriever action takes."""

    query: WireDocument
    options: Any | None = None


class RetrieverResponse(WireModel):
    """What a retriever action gives."""

    documents: list[WireDocument]


class CommonRetrieverOptions(WireModel):
    """Options that retrievers share; a base for own options (JS `CommonRetrieverOptionsSchema`)."""

    k: int | None = Field(default=None, description='Number of documents to retrieve')


class RetrieverRef(Ref):
    """A reference to a retriever, see `retriever_ref`."""


def retriever_ref(
    name: str,
    *,
    config: dict[str, Any] | None = None,
    version: str | None = None,
    info: dict[str, Any] | None = None,
    config_schema: ConfigSchema | None = None,
) -> RetrieverRef:
    """Refers to a retriever by name, with options for every call through the reference (JS `retrieverRef`)."""
    return RetrieverRef(name=name, config=config, version=version, info=info, config_schema=config_schema)


def retriever(
    name: str,
    handler: Callable[..., Any],
    *,
    config_schema: ConfigSchema | None = None,
    info: Mapping[str, Any] | None = None,
) -> Action[Any, RetrieverResponse, Any]:
    """Builds a retriever action without registering it (JS `retriever`).

    Args:
        name: The action's name.
        handler: `(query: Document, options)`, sync or async; trailing parameters may be left out, and a third one gets the
            `ActionRunContext`. It returns documents: a list, a dict `{'documents': [...]}` or a `RetrieverResponse`.
        config_schema: Schema of the options: a pydantic model (the handler gets an instance) or JSON Schema (a dict).
        info: `{'label': str, 'supports': {'media': bool}}`.

    Returns:
        The action, to be returned from a plugin's `init` or `resolve`.
    """
    call = fit(handler, 3)
    check = options_checker(name, config_schema)

    async def run(request: Any, ctx: Any) -> RetrieverResponse:
        output = await call(request.query, check(request.options), ctx)
        return cast('RetrieverResponse', read_output(RetrieverResponse, name, output))

    return build_action(
        RETRIEVER,
        name,
        run,
        request=RetrieverRequest,
        response=RetrieverResponse,
        config_schema=config_schema,
        extra=info_metadata('info', info),
    )


def simple_retriever(
    name: str,
    handler: Callable[..., Any],
    *,
    content: str | Callable[[Any], Any] | None = None,
    metadata: Sequence[str] | Callable[[Any], Any] | None = None,
    config_schema: ConfigSchema | None = None,
) -> Action[Any, RetrieverResponse, Any]:
    """Builds a retriever from a function that returns plain items (JS `simpleRetriever`).

    Args:
        name: The action's name.
        handler: `(query, options)`, returns items: strings, or dicts.
        content: The key of an item's text, or a function from an item to its text or parts.
        metadata: Keys that become metadata, or a function from an item to its metadata. By default all keys but `content`.
        config_schema: Schema of the options.
    """
    call = fit(handler, 3)

    async def handle(query: Document, options: Any, ctx: Any) -> list[Document]:
        items = await call(query, options, ctx)
        return [_item_document(item, content, metadata) for item in items]

    return retriever(name, handle, config_schema=config_schema)


def _item_document(item: Any, content: Any, metadata: Any) -> Document:
    if item is None or item == '' or item == 0:
        raise _bad_item('Items returned from simple retriever must be non-null.')
    if isinstance(item, str):
        return Document.from_text(item)
    return Document(content=_item_content(item, content), metadata=_item_metadata(item, content, metadata))


def _item_content(item: Any, content: Any) -> Any:
    if callable(content):
        made = content(item)
        return [{'text': made}] if isinstance(made, str) else made
    if isinstance(content, str) and isinstance(item, Mapping):
        text = cast('Mapping[str, Any]', item).get(content)
        if isinstance(text, str):
            return [{'text': text}]
        raise _bad_item(f'Item has no text under the content key {content!r}. Item: {_json(item)}')
    raise _bad_item(f'Cannot convert item to document without content option. Item: {_json(item)}')


def _item_metadata(item: Any, content: Any, metadata: Any) -> dict[str, Any]:
    if callable(metadata):
        return cast('dict[str, Any]', metadata(item))
    if isinstance(item, Mapping):
        entries = cast('Mapping[str, Any]', item)
        if metadata is None:
            return {key: value for key, value in entries.items() if key != content}
        if isinstance(metadata, Sequence) and not isinstance(metadata, str):
            return {key: entries[key] for key in cast('Sequence[str]', metadata) if key in entries}
    raise _bad_item(f'Unable to extract metadata from item with supplied options. Item: {_json(item)}')


def _bad_item(message: str) -> GenkitError:
    return GenkitError(status='INVALID_ARGUMENT', message=message)


def _json(item: Any) -> str:
    return json.dumps(item, ensure_ascii=False, separators=(',', ':'), default=str)


async def retrieve(
    ai: genkit.Genkit,
    *,
    retriever: str | RetrieverRef | Action[Any, Any, Any],
    query: str | Document,
    options: Options = None,
) -> list[Document]:
    """Retrieves documents; works with any Genkit (JS `ai.retrieve`).

    Args:
        ai: The Genkit in which names are looked up.
        retriever: A name (`'chroma/docs'`), a reference, or a retriever action.
        query: What to look for.
        options: The retriever's options, with Python or wire names.

    Returns:
        The documents, best first.

    Raises:
        GenkitError: NOT_FOUND for an unknown retriever, INVALID_ARGUMENT for wrong options, or the retriever's own error.
    """
    action = await resolve(ai, RETRIEVER, retriever, 'Unable to resolve the retriever')
    document = text_document(query) if isinstance(query, str) else query
    with using(ai):
        result = await action.run({'query': document, 'options': merge_options(retriever, options)})
    return cast('RetrieverResponse', result.response).documents
