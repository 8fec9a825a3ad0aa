# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Passages and questions with graded relevance, from two files of JSON lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from genkit import Document
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class LabelError(Exception):
    """The files cannot be used; the message says where and why."""


class Passage(BaseModel):
    """Something to find."""

    model_config = ConfigDict(extra='forbid')

    id: str = Field(min_length=1)
    topic: str
    text: str = Field(min_length=1)


class Question(BaseModel):
    """A question, and the passages that are relevant to it: 3 answers it, 2 answers a part, 1 is on the subject."""

    model_config = ConfigDict(extra='forbid')

    id: str = Field(min_length=1)
    topic: str
    question: str = Field(min_length=1)
    relevant: dict[str, Annotated[int, Field(ge=1, le=3)]] = Field(min_length=1)


@dataclass(frozen=True)
class Labelled:
    """The whole set."""

    passages: Mapping[str, Passage]
    questions: Mapping[str, Question]

    def documents(self) -> list[Document]:
        """The passages as documents, with their topic as metadata."""
        return [Document.from_text(each.text, {'topic': each.topic}) for each in self.passages.values()]


LineT = TypeVar('LineT', Passage, Question)


def load(folder: Path) -> Labelled:
    """Reads passages.jsonl and questions.jsonl.

    Raises:
        LabelError: A file is missing, a line is wrong, an id occurs twice, or a question names an unknown passage.
    """
    passages = _lines(folder / 'passages.jsonl', Passage)
    questions = _lines(folder / 'questions.jsonl', Question)
    for question in questions.values():
        for name in question.relevant.keys() - passages.keys():
            raise LabelError(f'Question {question.id} names the passage {name!r}, which there is not.')
    return Labelled(passages, questions)


def _lines(path: Path, kind: type[LineT]) -> dict[str, LineT]:
    found: dict[str, LineT] = {}
    try:
        text = path.read_text('utf-8')
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f'{path} cannot be read: {error}') from error
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            each = kind.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = '.'.join(map(str, first['loc'])) or 'the line'
            raise LabelError(f'{path}, line {number}: {where}: {first["msg"]}') from error
        if each.id in found:
            raise LabelError(f'{path}, line {number}: the id {each.id!r} occurs twice')
        found[each.id] = each
    if not found:
        raise LabelError(f'{path} is empty')
    return found
