# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Where a stop of the tour plays: it makes scripted models and prints what they are sent and what they answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from genkit import Message, ModelInfo, ModelRequest, ModelResponse, Part
from genkitx import ActionFnArg, CallNext, Genkit, ModelMiddleware
from rich.console import Console
from rich.markup import escape

Script = Callable[[ModelRequest[Any]], str | Part]
"""What a scripted model does with a request: it answers with a text or a part, or raises."""

LABEL = 9
LONGEST = 96


class Stage:
    """Prints for one Genkit. `before` is itself a middleware: put first, it shows what all the others are given."""

    def __init__(self, ai: Genkit, console: Console) -> None:
        self.ai = ai
        self._console = console

    def say(self, text: str) -> None:
        """Prints a sentence of the guide."""
        self._console.print(f'\n[bold]{escape(text)}[/]', highlight=False)

    def note(self, label: str, text: str, style: str = 'none') -> None:
        """Prints lines under a label."""
        for number, line in enumerate(text.split('\n')):
            head = label if number == 0 else ''
            self._console.print(f'  [dim]{head:>{LABEL}}[/]  {escape(line)}', style=style, highlight=False)

    async def before(self, request: ModelRequest[Any], call_next: CallNext) -> ModelResponse[Any]:
        """Shows the request as it comes in, and hands it on."""
        self.note('before', describe(request), 'yellow')
        return await call_next()

    def model(
        self,
        name: str,
        script: Script,
        *,
        use: Sequence[ModelMiddleware] = (),
        info: ModelInfo | None = None,
    ) -> str:
        """Defines a model that shows each request it gets and follows the script. Returns its name."""

        async def run(request: ModelRequest, _ctx: ActionFnArg) -> ModelResponse[Any]:
            self.note('model got', describe(request), 'cyan')
            answer = script(request)
            part = Part(text=answer) if isinstance(answer, str) else answer
            return ModelResponse(message=Message(role='model', content=[part]), finish_reason='stop')

        self.ai.define_model(name, run, use=use, info=info)
        return name

    async def ask(self, model: str, **options: Any) -> ModelResponse[Any]:
        """Generates, and prints the answer or the error that came back."""
        response = await self.ai.generate(model=model, **options)
        if response.error is None:
            self.note('answer', shorten(response.text), 'green')
        else:
            self.note('error', f'{response.error.status}: {shorten(response.error.message or "", 200)}', 'red')
        return response


def describe(request: ModelRequest[Any]) -> str:
    """One line for each part of a request, and one for whatever else it asks for."""
    lines: list[str] = []
    for message in request.messages:
        for part in message.content:
            # Line feeds around a text separate it from others; here they would only be empty lines.
            first, *rest = text_of(part).strip('\n').split('\n')
            lines += [f'{message.role:<6} | {first}', *(f'       | {line}' for line in rest)]
    if request.tools:
        lines.append(f'tools  : {", ".join(tool.name for tool in request.tools)}')
    if request.docs:
        lines.append(f'docs   : {len(request.docs)}, as documents')
    if request.output.json_schema:
        lines.append(f'output : format {request.output.format}, constrained {request.output.constrained}, a schema')
    if request.config:
        lines.append(f'config : {request.config}')
    return '\n'.join(lines)


def text_of(part: Part) -> str:
    """A part in words."""
    if part.media is not None:
        return f'({part.media.content_type or "no type"}) {shorten(part.media.url, 64)}'
    if part.tool_request is not None:
        return f'calls {part.tool_request.name}({json.dumps(part.tool_request.input)})'
    if part.tool_response is not None:
        return f'{part.tool_response.name} returned {shorten(json.dumps(part.tool_response.output))}'
    return part.text or ''


def shorten(text: str, longest: int = LONGEST) -> str:
    """The first line of a text, cut where it gets too long, with its length."""
    line = text.split('\n', 1)[0]
    return text if line == text and len(text) <= longest else f'{line[:longest]}... ({len(text)} characters)'


class Told(logging.Handler):
    """Shows what a middleware logs, where it happens."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(logging.WARNING)
        self._stage = stage

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one record."""
        self._stage.note('log', shorten(record.getMessage(), 120), 'magenta')
