# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Request middlewares against what the JS originals did: same input, same request passed on, same error."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from genkit import GenkitError
from genkit.model import Message, ModelRequest, ModelResponse, Part
from genkitx.middleware import (
    augment_with_context,
    download_request_media,
    simulate_constrained_generation,
    simulate_system_prompt,
    validate_support,
)
from genkitx.testing.serving import serve_asgi

GOLDEN = Path(__file__).parents[1] / 'golden' / 'middleware'
ANSWER = ModelResponse(message=Message(role='model', content=[Part(text='ok')]), finish_reason='stop')
JS_CODE = {
    '(d, i, o) => `<${i}:${d.text}:${JSON.stringify(o ?? null)}>`': lambda d, i, o: (
        f'<{i}:{d.text}:{json.dumps({"citationKey": o.citation_key}, separators=(",", ":"))}>'
    ),
    '(s) => `USE ${s.type}`': lambda schema: f'USE {schema["type"]}',
    '() => ""': lambda schema: '',
    '(p) => p.media.url.endsWith("a.png")': lambda part: part.media.url.endswith('a.png'),
}
SNAKE = {
    'itemTemplate': 'item_template',
    'citationKey': 'citation_key',
    'instructionsRenderer': 'instructions_renderer',
    'maxBytes': 'max_bytes',
}
FACTORIES = {
    'augmentWithContext': augment_with_context,
    'downloadRequestMedia': download_request_media,
    'simulateConstrainedGeneration': simulate_constrained_generation,
    'simulateSystemPrompt': simulate_system_prompt,
    'validateSupport': validate_support,
}


def cases(*names: str) -> list[str]:
    return sorted(path.stem for name in names for path in GOLDEN.glob(f'{name}_*.json'))


def options_of(case: dict[str, Any]) -> dict[str, Any]:
    given = case['options'] or {}
    return {
        SNAKE.get(key, key): JS_CODE.get(value, value) if isinstance(value, str) else value
        for key, value in given.items()
    }


def wire(request: ModelRequest[Any]) -> dict[str, Any]:
    data = request.model_dump(mode='json')
    if not data.get('output'):
        data.pop('output', None)
    return data


async def apply(middleware: Any, data: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
    """Run the middleware once; what it passed on and the error text."""
    request = ModelRequest[Any].model_validate(copy.deepcopy(data))
    before = request.model_dump(mode='json')
    passed: list[dict[str, Any]] = []

    async def call_next(changed: ModelRequest[Any] | None = None, opts: Any = None) -> ModelResponse[Any]:
        passed.append(wire(request if changed is None else changed))
        return ANSWER

    try:
        assert await middleware(request, call_next) is ANSWER
        error = None
    except GenkitError as raised:
        error = raised.original_message
    assert request.model_dump(mode='json') == before, 'the request was changed in place'
    return passed, error


@pytest.mark.parametrize(
    'name',
    [
        name
        for name in cases(
            'augmentWithContext', 'simulateConstrainedGeneration', 'simulateSystemPrompt', 'validateSupport'
        )
        # The request type of genkit for Python has no place for output.instructions.
        if name != 'simulateConstrainedGeneration_instructions_key_kept'
    ],
)
async def test_like_js(name: str) -> None:
    case = json.loads((GOLDEN / f'{name}.json').read_text())
    passed, error = await apply(FACTORIES[case['middleware']](**options_of(case)), case['input'])
    unchanged = '(next called without argument: original request)'
    assert passed == [case['input'] if call == unchanged else call for call in case['next_calls']]
    assert error == (case['error']['message'] if 'error' in case else None)


async def media_app(scope: Any, receive: Any, send: Any) -> None:
    """The server of the recorded cases."""
    status, content_type, body, extra = {
        '/a.png': (200, b'image/png', bytes.fromhex('89504e47'), []),
        '/notype': (200, None, b'raw', []),
        '/charset.txt': (200, b'text/plain; charset=utf-8', 'héllo'.encode(), []),
        '/big': (200, b'image/png', b'x' * 2000, []),
        '/redir': (302, None, b'', [(b'location', b'/a.png')]),
        '/204': (204, None, b'', []),
    }.get(scope['path'], (404, b'text/plain', b'nope', []))
    headers = [*extra, *([(b'content-type', content_type)] if content_type else [])]
    await send({'type': 'http.response.start', 'status': status, 'headers': headers})
    await send({'type': 'http.response.body', 'body': body})


@pytest.mark.parametrize('name', cases('downloadRequestMedia'))
async def test_downloads_like_js(name: str) -> None:
    case = json.loads((GOLDEN / f'{name}.json').read_text())
    async with serve_asgi(media_app) as base:
        case = json.loads(json.dumps(case).replace(case['server']['base'], base))
        passed, error = await apply(download_request_media(**options_of(case), allow=['127.0.0.1']), case['input'])
    if name == 'downloadRequestMedia_part_metadata_is_dropped':
        # On purpose: JS loses the metadata.
        case['next_calls'][0]['messages'][0]['content'][0]['metadata'] = case['input']['messages'][0]['content'][0][
            'metadata'
        ]
    assert passed == case['next_calls']
    assert error == (case['error']['message'] if 'error' in case else None)
