# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""A model that takes text only, and a request with documents."""

from __future__ import annotations

from genkit import Document, ModelInfo, ModelRequest, Supports
from genkitx import augment_with_context
from stage import Stage

DOCS = [
    Document.from_text('The library opens at nine.', {'ref': 'hours', 'page': 4}),
    Document.from_text('Books are lent for three weeks.', {'page': 7}),
]


def reader(request: ModelRequest) -> str:
    """Says in how many parts the question arrived."""
    return f'The question has {len(request.messages[-1].content)} parts.'


async def stop(stage: Stage) -> None:
    """Renders the documents of a request as text at the end of the last user message."""
    stage.say(
        'Every model that does not declare supports.context has it, innermost. Cited: ref, else id, else position.'
    )
    await stage.ask(stage.model('default', reader, use=[stage.before]), prompt='When does it open?', docs=DOCS)

    stage.say('Put it into use= for a rendering of your own.')
    own = augment_with_context(preface='\nSources:\n', citation_key='page')
    await stage.ask(stage.model('pages', reader, use=[own]), prompt='When does it open?', docs=DOCS)
    template = augment_with_context(preface=None, item_template=lambda doc, index: f'({index + 1}) {doc.text}\n')
    await stage.ask(stage.model('template', reader, use=[template]), prompt='When does it open?', docs=DOCS)

    stage.say('A model that takes documents gets them as documents.')
    native = ModelInfo(supports=Supports(context=True))
    await stage.ask(stage.model('native', reader, info=native), prompt='When does it open?', docs=DOCS)
