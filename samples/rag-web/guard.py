# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What stands between the network and the application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

_HEADERS = {
    # Nothing but this application's own files; no markup that a script makes out of text.
    'content-security-policy': (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
}


class TooLargeError(Exception):
    """A body goes on beyond the limit."""


class Guard:
    """Refuses requests from elsewhere and bodies that are too large, and adds the headers that browsers obey.

    A page of another site can send requests to this machine, in the user's browser: by a form, or under a name that it points
    here. So the names are checked, the origin is, and only JSON is taken, which no form can send.

    Each request gets an event, `request.state.gone`, that is set when it is over, whatever the reason.

    Args:
        app: The application.
        names: Host names under which it may be asked; lower case, without port.
        max_body: Bytes in a request, at most.
    """

    def __init__(self, app: Any, names: Collection[str], max_body: int) -> None:
        self._app = app
        self._names = names
        self._max_body = max_body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handles one request."""
        if scope['type'] != 'http':
            await self._app(scope, receive, send)
            return
        gone = asyncio.Event()
        scope['state'] = {**scope.get('state', {}), 'gone': gone}
        received = 0

        async def limited() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get('body', b''))
            if received > self._max_body:
                raise TooLargeError
            if message['type'] == 'http.disconnect':
                gone.set()
            return message

        async def guarded(message: Any) -> None:
            if message['type'] == 'http.response.start':
                added = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                message = {**message, 'headers': [*message['headers'], *added]}
            await send(message)

        try:
            refusal = self._refusal(scope)
            if refusal is not None:
                await refuse(guarded, *refusal)
            else:
                await self._app(scope, limited, guarded)
        finally:
            gone.set()

    def _refusal(self, scope: Any) -> tuple[int, str, str] | None:
        headers = {name.decode('latin-1'): value.decode('latin-1') for name, value in scope['headers']}
        host = headers.get('host', '')
        if _hostname(f'//{host}') not in self._names:
            return 421, 'PERMISSION_DENIED', 'This server does not go by that name; see the option --name.'
        if scope['method'] in ('GET', 'HEAD'):
            return None
        return self._refused_body(headers, host)

    def _refused_body(self, headers: Mapping[str, str], host: str) -> tuple[int, str, str] | None:
        origin = headers.get('origin')
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, 'PERMISSION_DENIED', 'Another site may not ask this.'
        if headers.get('content-type', '').split(';')[0].strip().lower() != 'application/json':
            return 415, 'INVALID_ARGUMENT', 'Requests are JSON.'
        length = headers.get('content-length', '0')
        if not length.isdecimal() or int(length) > self._max_body:
            return 413, 'INVALID_ARGUMENT', 'The request is too large.'
        return None


async def refuse(send: Any, code: int, status: str, message: str) -> None:
    """Answers with an error in the form of upstream's handler."""
    body = json.dumps({'message': message, 'status': status}).encode()
    headers = [(b'content-type', b'application/json'), (b'content-length', str(len(body)).encode())]
    await send({'type': 'http.response.start', 'status': code, 'headers': headers})
    await send({'type': 'http.response.body', 'body': body})


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
