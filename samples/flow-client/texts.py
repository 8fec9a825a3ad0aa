# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What the flows take and return: the one thing that client and server share."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Text(BaseModel):
    """A text, and how short its summary is to be."""

    text: str
    sentences: int = Field(default=1, ge=1)


class Summary(BaseModel):
    """The sentences that say most, in their order."""

    sentences: list[str]
    left_out: int


class Sentence(BaseModel):
    """A chunk of the stream: one sentence as it was read."""

    number: int
    text: str
    words: int


class Reading(BaseModel):
    """The output that ends the stream."""

    sentences: int
    words: int
    longest: str


class Caller(BaseModel):
    """Who the server thinks is calling."""

    name: str
    has_key: bool
