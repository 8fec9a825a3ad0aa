# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A model that follows a script, so that the sample needs no key: it searches, reads what it found, and quotes it."""

from __future__ import annotations

import re
from typing import Any

from genkit import Message, ModelRequest, ModelResponse, Part
from genkitx import ActionFnArg


async def librarian(request: ModelRequest, _ctx: ActionFnArg) -> ModelResponse[Any]:
    """Calls search_notes, then read_note, then answers with the paragraph that has most words of the question."""
    question = next(message for message in request.messages if message.role == 'user').content[0].text or ''
    offered = {each.name for each in request.tools or ()}
    results: dict[str, Any] = {
        part.tool_response.name: part.tool_response.output
        for message in request.messages
        for part in message.content
        if part.tool_response
    }
    if not {'search_notes', 'read_note'} <= offered:
        return answer('I need tools to look into the notes.')
    if 'search_notes' not in results:
        return answer(Part.from_tool_request(name='search_notes', input={'words': question}, ref='1'))
    hits = results['search_notes']['result']
    if not hits:
        return answer('The notes say nothing about that.')
    name = hits[0]['name']
    if 'read_note' not in results:
        return answer(Part.from_tool_request(name='read_note', input={'name': name}, ref='2'))
    paragraphs = results['read_note']['result'].split('\n\n')
    wanted = set(re.findall(r'\w+', question.lower()))
    best = max(paragraphs, key=lambda text: len(wanted & set(re.findall(r'\w+', text.lower()))))
    return answer(f'The note "{name}" says: {best.strip()}')


def answer(content: str | Part) -> ModelResponse[Any]:
    """A text, or a call of a tool, as the model's message."""
    part = Part(text=content) if isinstance(content, str) else content
    return ModelResponse(message=Message(role='model', content=[part]), finish_reason='stop')
