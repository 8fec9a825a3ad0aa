# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Rerankers: from a query and documents to scored documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, TypeAlias, cast

import genkit
from genkit import Document
from genkit.plugin_api import Action
from pydantic import AfterValidator, Field

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
from genkitx.retrieval.documents import RankedDocument, text_document

RERANKER: Final = kind_named('reranker')


def _as_ranked(document: Document) -> RankedDocument:
    if isinstance(document, RankedDocument):
        ranked = document
    else:
        ranked = RankedDocument.model_construct(content=document.content, metadata=document.metadata)
    _ = ranked.score  # A ValueError here is a validation error there.
    return ranked


_Scored: TypeAlias = Annotated[WireDocument, AfterValidator(_as_ranked)]


class RerankerRequest(WireModel):
    """What a reranker action takes."""

    query: WireDocument
    documents: list[WireDocument]
    options: Any | None = None


class RerankerResponse(WireModel):
    """What a reranker action gives: documents whose metadata holds a numeric `score`."""

    documents: list[_Scored]


class CommonRerankerOptions(WireModel):
    """Options that rerankers share; a base for own options (JS `CommonRerankerOptionsSchema`)."""

    k: int | None = Field(default=None, description='Number of documents to rerank')


class RerankerRef(Ref):
    """A reference to a reranker, see `reranker_ref`."""


def reranker_ref(
    name: str,
    *,
    config: dict[str, Any] | None = None,
    version: str | None = None,
    info: dict[str, Any] | None = None,
    config_schema: ConfigSchema | None = None,
) -> RerankerRef:
    """Refers to a reranker by name, with options for every call through the reference (JS `rerankerRef`)."""
    return RerankerRef(name=name, config=config, version=version, info=info, config_schema=config_schema)


def reranker(
    name: str,
    handler: Callable[..., Any],
    *,
    config_schema: ConfigSchema | None = None,
    info: Mapping[str, Any] | None = None,
) -> Action[Any, RerankerResponse, Any]:
    """Builds a reranker action without registering it (JS `reranker`).

    Args:
        name: The action's name.
        handler: `(query: Document, documents: list[Document], options)`, sync or async; trailing parameters may be left
            out, and a fourth one gets the `ActionRunContext`. It returns documents with a numeric `metadata['score']`
            (`RankedDocument.of` makes them and keeps the document's own metadata), in the order it wants them.
        config_schema: Schema of the options.
        info: `{'label': str, 'supports': {'media': bool}}`.
    """
    call = fit(handler, 4)
    check = options_checker(name, config_schema)

    async def run(request: Any, ctx: Any) -> RerankerResponse:
        output = await call(request.query, request.documents, check(request.options), ctx)
        return cast('RerankerResponse', read_output(RerankerResponse, name, output))

    return build_action(
        RERANKER,
        name,
        run,
        request=RerankerRequest,
        response=RerankerResponse,
        config_schema=config_schema,
        extra=info_metadata('info', info),
    )


async def rerank(
    ai: genkit.Genkit,
    *,
    reranker: str | RerankerRef | Action[Any, Any, Any],
    query: str | Document,
    documents: Sequence[Document],
    options: Options = None,
) -> list[RankedDocument]:
    """Scores documents against a query; works with any Genkit (JS `ai.rerank`).

    Args:
        ai: The Genkit in which names are looked up.
        reranker: A name, a reference, or a reranker action.
        query: What the documents should be relevant to.
        documents: The documents; they are not changed.
        options: The reranker's options.

    Returns:
        The reranker's documents in its own order, with their metadata and scores.

    Raises:
        GenkitError: NOT_FOUND for an unknown reranker, INVALID_ARGUMENT for wrong options, or the reranker's own error.
    """
    action = await resolve(ai, RERANKER, reranker, 'Unable to resolve the reranker')
    document = text_document(query) if isinstance(query, str) else query
    with using(ai):
        result = await action.run(
            {'query': document, 'documents': list(documents), 'options': merge_options(reranker, options)}
        )
    return cast('list[RankedDocument]', cast('RerankerResponse', result.response).documents)
