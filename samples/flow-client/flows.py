# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The flows of the server. They need no model: summaries are made of the text's own sentences."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import NamedTuple

from genkit import ActionRunContext, Genkit, GenkitError, PublicError
from genkit.plugin_api import Action, StatusName
from texts import Caller, Reading, Sentence, Summary, Text

# Words that say nothing about what a text is about.
COMMON = frozenset({'a', 'and', 'at', 'for', 'in', 'is', 'it', 'of', 'on', 'the', 'to', 'was', 'with'})


class Flows(NamedTuple):
    """The actions to serve."""

    summarize: Action
    read: Action
    whoami: Action


def define_flows(ai: Genkit) -> Flows:
    """Defines the flows."""

    @ai.flow()
    async def summarize(text: Text) -> Summary:
        sentences = split(text.text)
        if not sentences:
            raise told('INVALID_ARGUMENT', 'There is no sentence in this text.')
        kept = summary(sentences, text.sentences)
        return Summary(sentences=kept, left_out=len(sentences) - len(kept))

    @ai.flow(chunk_type=Sentence)
    async def read(text: Text, ctx: ActionRunContext) -> Reading:
        sentences = split(text.text)
        if not sentences:
            raise told('INVALID_ARGUMENT', 'There is no sentence in this text.')
        for number, sentence in enumerate(sentences, start=1):
            await asyncio.sleep(0.05)  # Reading takes a while; this is what a stream is for.
            ctx.send_chunk(Sentence(number=number, text=sentence, words=len(words(sentence))))
        total = sum(len(words(sentence)) for sentence in sentences)
        return Reading(sentences=len(sentences), words=total, longest=max(sentences, key=lambda s: len(words(s))))

    @ai.flow()
    async def whoami(_: None, ctx: ActionRunContext) -> Caller:
        auth = ctx.context.get('auth') or {}
        return Caller(name=ctx.context.get('caller', 'nobody'), has_key=bool(auth.get('api_key')))

    return Flows(summarize, read, whoami)


def told(status: StatusName, message: str) -> GenkitError:
    """An error whose status and words reach the caller.

    The FastAPI handler of genkit 0.12 sends the cause of a `GenkitError` and nothing of the error itself, so an error
    without a cause arrives as INTERNAL: None.
    """
    return GenkitError(status=status, message=message, cause=PublicError(status, message))


def split(text: str) -> list[str]:
    """Cuts a text after each full stop, exclamation or question mark."""
    return [piece for piece in re.split(r'(?<=[.!?])\s+', text.strip()) if words(piece)]


def words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return re.findall(r'\w+', text.lower())


def summary(sentences: list[str], count: int) -> list[str]:
    """Picks the sentences whose words occur most often in the whole text."""
    often = Counter(word for sentence in sentences for word in words(sentence) if word not in COMMON)

    def weight(number: int) -> float:
        found = [often[word] for word in words(sentences[number]) if word in often]
        return sum(found) / len(found) if found else 0.0

    best = sorted(range(len(sentences)), key=weight, reverse=True)[:count]
    return [sentences[number] for number in sorted(best)]
