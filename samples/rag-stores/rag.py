# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The flow: a question in, passages and perhaps an answer out. It knows a collection, and not which store that is in."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

from genkit import Document, Plugin
from genkitx import Genkit, raise_if_failed
from pydantic import BaseModel, Field

SYSTEM = 'Answer from the given passages only, and cite them by number, like [1]. Say so if they do not answer.'


class Question(BaseModel):
    """Input of the flow."""

    question: str
    k: int = 4
    where: dict[str, Any] | None = Field(default=None, description='Filter on the metadata')


class Passage(BaseModel):
    """A passage that was found."""

    file: str
    part: int
    score: float
    text: str


class Answer(BaseModel):
    """Output of the flow; without a model there is no answer, only the passages."""

    passages: list[Passage]
    answer: str | None = None


def choose_model() -> tuple[str, Plugin] | None:
    """Returns a model and its plugin, if there is a key for one."""
    if os.environ.get('GROQ_API_KEY'):
        from genkitx_groq import Groq

        return 'groq/openai/gpt-oss-20b', Groq()
    if os.environ.get('COHERE_API_KEY') or os.environ.get('CO_API_KEY'):
        from genkitx_cohere import Cohere

        return 'cohere/command-a-03-2025', Cohere()
    return None


def define_rag(ai: Genkit, collection_name: str, model: str | None) -> Callable[[Question], Awaitable[Answer]]:
    """Defines the flow `rag`, over a collection such as `chroma/passages`; without a model it gives passages only."""
    collection = ai.collection(collection_name)

    @ai.flow(name='rag', description='Answers a question from the indexed passages')
    async def rag(input: Question) -> Answer:  # noqa: A002 - Genkit's word
        matches = await collection.search(input.question, k=input.k, filter=input.where)
        found = [
            Passage(file=about['file'], part=about['part'], score=match.score, text=match.document.text)
            for match in matches
            if (about := match.document.metadata) is not None
        ]
        if model is None or not found:
            return Answer(passages=found)
        documents = [Document.from_text(one.text, {'ref': str(n)}) for n, one in enumerate(found, start=1)]
        response = raise_if_failed(await ai.generate(model=model, system=SYSTEM, prompt=input.question, docs=documents))
        return Answer(passages=found, answer=response.text)

    return rag
