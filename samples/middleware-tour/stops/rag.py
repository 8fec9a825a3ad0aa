# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A retriever, and models with and without support for documents."""

from __future__ import annotations

from genkit import ModelInfo, ModelRequest, Supports
from genkitx import Rag
from library import open_library
from stage import Stage


def reader(request: ModelRequest) -> str:
    """Says in which form it got the documents."""
    return f'I got {len(request.docs or [])} documents and {len(request.messages[-1].content)} parts of text.'


async def stop(stage: Stage) -> None:
    """Retrieves for the last user message and attaches what it finds."""
    retriever = await open_library(stage.ai)
    rag = Rag(retriever=retriever, k=2)

    stage.say('A model that takes documents gets them as documents.')
    native = stage.model('native', reader, info=ModelInfo(supports=Supports(context=True)))
    await stage.ask(native, prompt='How do I get a new card?', use=[rag])

    stage.say(
        'Any other gets text, between lines with a delimiter made for this call. One document tries to break out.'
    )
    await stage.ask(stage.model('plain', reader), prompt='How do I get a new card?', use=[rag])

    stage.say('Options of the retriever go along, here a filter.')
    evening = Rag(retriever=retriever, k=2, options={'filter': {'topic': 'hours'}})
    await stage.ask(native, prompt='How do I get a new card?', use=[evening])
