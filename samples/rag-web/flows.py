# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What the page can ask for: four flows, which run in the Dev UI and from `genkit flow:run` as well."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import Any

from answering import NO_MODEL, Model, answer
from genkit import ActionRunContext, GenkitError
from genkitx import Genkit, IndexProgress
from jobs import Jobs
from library import Library
from pydantic import BaseModel, Field
from reading import SUFFIXES, read_upload

logger = logging.getLogger('rag-web')

LONGEST_QUESTION = 2000


class IndexedFile(BaseModel):
    """A file that is indexed."""

    name: str
    size: int
    passages: int
    indexed_at: str


class Overview(BaseModel):
    """What the page shows before anything is asked."""

    files: list[IndexedFile]
    model: str | None
    max_bytes: int
    suffixes: list[str]
    longest_question: int


class Upload(BaseModel):
    """A file to index."""

    name: str = Field(description='The name of the file, without folders')
    content: str = Field(description='The bytes of the file in base64')


class FileName(BaseModel):
    """Which file is meant."""

    name: str


class Question(BaseModel):
    """A question to the documents."""

    text: str
    k: int = Field(default=5, ge=1, le=20, description='How many passages to answer from')


class Passage(BaseModel):
    """A passage that fits a question; it is cited by its number."""

    number: int
    file: str
    heading: str
    text: str
    score: float


class Piece(BaseModel):
    """A part of an answer while it is written: first the passages, then the text in pieces."""

    passages: list[Passage] | None = None
    text: str | None = None


class Answer(BaseModel):
    """What became of a question.

    Attributes:
        passages: The best passages, best first.
        text: The answer; None without a model or passages.
        note: Why there is no answer.
    """

    passages: list[Passage]
    text: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Flows:
    """The flows, as they are served."""

    overview: Any
    upload: Any
    delete: Any
    ask: Any


def define_flows(ai: Genkit, library: Library, model: Model | None, jobs: Jobs, max_bytes: int) -> Flows:
    """Defines the flows.

    Args:
        ai: Where they are registered.
        library: The documents.
        model: What answers; None leaves it at passages.
        jobs: Runs what may be stopped.
        max_bytes: The largest file to take.
    """

    @ai.flow()
    async def overview() -> Overview:
        with told():
            return Overview(
                files=[IndexedFile.model_validate(asdict(entry)) for entry in await library.files()],
                model=model.name if model else None,
                max_bytes=max_bytes,
                suffixes=list(SUFFIXES),
                longest_question=LONGEST_QUESTION,
            )

    @ai.flow(chunk_type=IndexProgress)
    async def upload(request: Upload, ctx: ActionRunContext) -> IndexedFile:
        def tell(step: IndexProgress) -> None:
            ctx.send_chunk(step.model_copy(update={'ids': []}))

        async def work() -> IndexedFile:
            file = read_upload(request.name, request.content, max_bytes)
            return IndexedFile.model_validate(asdict(await library.put(file, tell)))

        with told():
            return await jobs.run(work(), ctx.context.get('gone'))

    @ai.flow()
    async def delete(request: FileName) -> None:
        with told():
            await library.remove(request.name)

    @ai.flow(chunk_type=Piece)
    async def ask(question: Question, ctx: ActionRunContext) -> Answer:
        with told():
            return await jobs.run(reply(question, ctx), ctx.context.get('gone'))

    async def reply(question: Question, ctx: ActionRunContext) -> Answer:
        text = question.text.strip()
        if not 0 < len(text) <= LONGEST_QUESTION:
            message = f'A question has 1 to {LONGEST_QUESTION} characters.'
            raise GenkitError(status='INVALID_ARGUMENT', message=message)
        passages = await search(text, question.k)
        ctx.send_chunk(Piece(passages=passages))
        if not passages:
            return Answer(passages=[], note='Nothing is indexed yet. Add a document, and ask again.')
        if model is None:
            return Answer(passages=passages, note=NO_MODEL)
        written = ''
        pieces = answer(ai, model, text, [passage.text for passage in passages])
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                written += piece
                ctx.send_chunk(Piece(text=piece))
        if not written.strip():
            return Answer(passages=passages, note=f'{model.name} gave no answer in words.')
        return Answer(passages=passages, text=written)

    async def search(text: str, k: int) -> list[Passage]:
        found: list[Passage] = []
        for number, match in enumerate(await library.search(text, k), start=1):
            where = match.document.metadata or {}
            found.append(
                Passage(
                    number=number,
                    file=where['file'],
                    heading=where['heading'],
                    text=match.document.text,
                    score=round(match.score, 4),
                )
            )
        return found

    return Flows(overview, upload, delete, ask)


@contextlib.contextmanager
def told() -> Generator[None, None, None]:
    """Gives errors the form in which the page gets to read them.

    Upstream's handler sends the cause of a GenkitError, stack trace included. So what the user may know becomes the cause, and
    what happened in here stays in the log.
    """
    try:
        yield
    except GenkitError as error:
        if error.cause is not None:
            logger.warning('%s', error)
        raise _for_the_page(error) from error
    except Exception as error:
        logger.exception('A request failed.')
        message = 'Something went wrong here; the terminal that this runs in says what.'
        raise _for_the_page(GenkitError(status='INTERNAL', message=message)) from error


def _for_the_page(error: GenkitError) -> GenkitError:
    told = GenkitError(status=error.status, message=error.original_message, details={'stack': ''})
    return GenkitError(status=error.status, message=error.original_message, cause=told)
