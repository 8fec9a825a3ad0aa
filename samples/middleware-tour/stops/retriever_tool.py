# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A model that searches by itself when it needs to."""

from __future__ import annotations

from genkit import ModelRequest, Part
from genkitx import retriever_tool
from library import open_library
from stage import Stage


def searcher(request: ModelRequest) -> str | Part:
    """Searches first, then answers with the best passage."""
    last = request.messages[-1]
    found = next((part.tool_response.output for part in last.content if part.tool_response), None)
    if found is None:
        return Part.from_tool_request(name=request.tools[0].name, input={'query': last.content[0].text}, ref='1')
    return f'It says: {found[0]["text"]}'


async def stop(stage: Stage) -> None:
    """Gives the model a tool with which it searches by itself."""
    retriever = await open_library(stage.ai)
    tool = retriever_tool(retriever, k=2, description='Searches the rules of the library.')

    stage.say('The model asks for the tool, Genkit runs the retriever, the model reads what it found.')
    await stage.ask(stage.model('searcher', searcher), prompt='For how long may I keep a book?', tools=[tool])
