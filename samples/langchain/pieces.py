# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Two LangChain objects of our own, without a key: a retriever that counts words, and a model that quotes.

They know nothing of Genkit: any other retriever or chat model of LangChain's can stand in their place.
"""

from __future__ import annotations

import math
import re
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.retrievers import BaseRetriever

_LETTERS = 5
"""Letters by which words are compared: enough to take `swims` for `swim` and `tallest` for `taller`."""


def words(text: str) -> set[str]:
    """Returns the beginnings of the words of a text, without the shortest ones."""
    return {word[:_LETTERS] for word in re.findall(r'\w+', text.lower()) if len(word) > 2}


class WordRetriever(BaseRetriever):
    """Finds the texts that share the rarest words with a query.

    Attributes:
        texts: The texts, by the name of their source.
    """

    texts: dict[str, str]

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int = 2
    ) -> list[Document]:
        asked = words(query)
        held = {name: words(text) for name, text in self.texts.items()}

        def score(name: str) -> float:
            return sum(
                math.log(1 + len(held) / sum(word in one for one in held.values())) for word in asked & held[name]
            )

        best = sorted((name for name in held if score(name)), key=score, reverse=True)[:k]
        return [Document(self.texts[name], metadata={'source': name, 'score': round(score(name), 3)}) for name in best]


class Quoter(BaseChatModel):
    """Answers a question with the sentence before or after it that shares most words with it. It makes nothing up."""

    @property
    def _llm_type(self) -> str:
        return 'quoter'

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        sentences = re.split(r'(?<=[.?!])\s+|\n+', messages[-1].text)
        asked = words(' '.join(one for one in sentences if one.endswith('?')))
        statements = [one for one in sentences if one.endswith('.')]
        best = max(statements, key=lambda one: len(words(one) & asked), default='')
        answer = re.sub(r'^- \[\w+\]: ', '', best) if words(best) & asked else 'I do not know.'
        return ChatResult(generations=[ChatGeneration(message=AIMessage(answer))])
