# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The only file that talks to Cohere: requests and event streams over the SDK's HTTP client.

The SDK's client layer is used for what it does well (headers, retries with backoff and Retry-After, timeouts,
multipart); its typed response models are not. They cost 400 ms of the event loop for one batch of 96 embeddings with
1536 numbers, and events of a stream that they cannot read are skipped with a log line instead of an error.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import httpx
from genkit import GenkitError
from genkit.plugin_api import ActionRunContext
from genkitx.lifecycle import PerLoop

from genkitx_cohere.errors import MISSING_KEY, http_error, transport_error

if TYPE_CHECKING:
    from cohere.core.client_wrapper import AsyncClientWrapper
    from cohere.core.request_options import RequestOptions
    from pydantic import SecretStr

DEFAULT_BASE_URL: Final = 'https://api.cohere.com'
DEFAULT_TIMEOUT: Final = 300.0
DEFAULT_MAX_RETRIES: Final = 2

CONTEXT_KEY: Final = 'cohere_api_key'
"""Name of a call's key in the action context: `context={'secrets': {'cohere_api_key': ...}}`."""

NearNames = Callable[[str], Sequence[str]]
_LONGEST_EVENT: Final = 16 * 1024 * 1024
# ValueError: a body or an event that is not JSON.
_FAILURES: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError)


@dataclass(frozen=True)
class ClientSettings:
    """How to reach Cohere.

    Attributes:
        api_key: Key of every call; None reads the environment at each call.
        base_url: None reads `CO_API_URL`, else the public API.
        timeout: Seconds for connecting and between two pieces of a response; not for the whole of it.
        max_retries: Further tries after 408, 409, 429, 5xx and refused connections; a stream is never retried.
        client_name: Name of the application, sent to Cohere.
    """

    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    max_retries: int = DEFAULT_MAX_RETRIES
    client_name: str | None = None


@dataclass(frozen=True)
class Reply:
    """A successful response: the JSON body and the headers."""

    body: dict[str, Any]
    headers: Mapping[str, str]


def key_of(config: HasKey, ctx: ActionRunContext[Any] | None) -> str | None:
    """The key that a call brings: that of its config, else that of its context.

    Genkit writes a plain dict's key into the span of `generate`, but never the secrets of a context.
    """
    if config.api_key is not None and config.api_key.get_secret_value():
        return config.api_key.get_secret_value()
    secrets: Any = ctx.context.get('secrets') if ctx else None
    key: Any = cast('dict[str, Any]', secrets).get(CONTEXT_KEY) if isinstance(secrets, dict) else None
    return key if isinstance(key, str) else None


class HasKey(Protocol):
    """Options with a key."""

    api_key: SecretStr | None


class CohereClient:
    """Requests to Cohere, with one connection pool per event loop.

    Args:
        settings: How to reach Cohere.
        near_names: Ids that resemble an unknown model's, for the error message.
    """

    def __init__(self, settings: ClientSettings, near_names: NearNames) -> None:
        self._settings = settings
        self._near_names = near_names
        self._wrappers = PerLoop(self._open, _close)

    def api_key(self) -> str | None:
        """The key of a call that brings none: the plugin's, `COHERE_API_KEY` (as in JS), or the SDK's `CO_API_KEY`."""
        return self._settings.api_key or os.environ.get('COHERE_API_KEY') or os.environ.get('CO_API_KEY') or None

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        api_key: str | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Sends a request and reads its JSON response.

        Args:
            path: Path below the base URL.
            body: The JSON body, or the form fields when there are files.
            api_key: Key of this call.
            files: Parts of a multipart form.

        Raises:
            GenkitError: FAILED_PRECONDITION without a key; otherwise as the response or the failure says.
        """
        content: dict[str, Any] = {'data': dict(body), 'files': dict(files)} if files else {'json': dict(body)}
        return await self._request(path, 'POST', cast('str | None', body.get('model')), api_key, content)

    async def get(self, path: str, params: Mapping[str, Any], *, options: RequestOptions | None = None) -> Reply:
        """Sends a GET request and reads its JSON response; raises as `post` does."""
        return await self._request(path, 'GET', None, None, {'params': dict(params), 'request_options': options})

    @asynccontextmanager
    async def stream(
        self, path: str, body: Mapping[str, Any], *, api_key: str | None = None
    ) -> AsyncGenerator[tuple[Mapping[str, str], AsyncIterator[dict[str, Any]]]]:
        """Opens an event stream; leaving the block closes the connection.

        Returns:
            A context manager for the response headers and the events.

        Raises:
            GenkitError: As `post`; also when the response is not a stream of JSON events.
        """
        key = self._key(api_key)
        model = cast('str | None', body.get('model'))
        wrapper = await self._wrappers.get()
        async with AsyncExitStack() as stack:
            opened = wrapper.httpx_client.stream(
                path, method='POST', json={**body, 'stream': True}, headers=_headers(key, 'application/json')
            )
            try:
                response = await stack.enter_async_context(opened)
                if not response.is_success:
                    await response.aread()
            except _FAILURES as error:
                failure = transport_error(error, secrets=[key])
                raise failure from failure.__cause__
            if not response.is_success:
                raise self._http_error(response, model, key)
            if not response.headers.get('content-type', '').startswith('text/event-stream'):
                kind = response.headers.get('content-type', 'nothing')
                raise GenkitError(status='INTERNAL', message=f'Cohere sent {kind} instead of an event stream.')
            yield response.headers, _events(response.aiter_bytes(), key)

    async def aclose(self) -> None:
        """Closes the connections. The next call opens new ones."""
        await self._wrappers.aclose()

    async def _request(
        self, path: str, method: str, model: str | None, api_key: str | None, content: dict[str, Any]
    ) -> Reply:
        key = self._key(api_key)
        kind = 'application/json' if 'json' in content else None
        wrapper = await self._wrappers.get()
        try:
            response = await wrapper.httpx_client.request(path, method=method, headers=_headers(key, kind), **content)
            if response.is_success:
                return Reply(_object(response.content), response.headers)
        except _FAILURES as error:
            failure = transport_error(error, secrets=[key])
            raise failure from failure.__cause__
        raise self._http_error(response, model, key)

    def _http_error(self, response: httpx.Response, model: str | None, key: str) -> GenkitError:
        near: Iterable[str] = self._near_names(model) if model and response.status_code == 404 else ()
        return http_error(response, model=model, near=near, secrets=[key])

    def _key(self, api_key: str | None) -> str:
        key = (api_key or self.api_key() or '').strip()
        if not key:
            raise GenkitError(status='FAILED_PRECONDITION', message=MISSING_KEY)
        if not (key.isascii() and key.isprintable()):
            # Checked here because the HTTP library's own error shows the header.
            raise GenkitError(status='FAILED_PRECONDITION', message='The Cohere API key has characters no key has.')
        return key

    async def _open(self) -> AsyncClientWrapper:
        # Importing the SDK and loading the certificates take tens of milliseconds, too long for the event loop.
        return await asyncio.to_thread(_wrapper, self._settings)


def _wrapper(settings: ClientSettings) -> AsyncClientWrapper:
    from cohere.core.client_wrapper import AsyncClientWrapper

    return AsyncClientWrapper(
        # The key is a header of each request, so that one pool serves every key.
        token='',
        base_url=settings.base_url or os.environ.get('CO_API_URL') or DEFAULT_BASE_URL,
        client_name=settings.client_name,
        timeout=settings.timeout,
        max_retries=settings.max_retries,
        httpx_client=httpx.AsyncClient(timeout=settings.timeout, verify=_certificates()),
    )


@cache
def _certificates() -> ssl.SSLContext:
    """One for all loops: loading them takes a fifth of a second."""
    return httpx.create_ssl_context()


async def _close(wrapper: AsyncClientWrapper) -> None:
    await wrapper.httpx_client.httpx_client.aclose()


def _headers(key: str, content_type: str | None) -> dict[str, Any]:
    headers = {'Authorization': f'Bearer {key}'}
    return {**headers, 'content-type': content_type} if content_type else headers


def _object(content: bytes | str) -> dict[str, Any]:
    value: Any = json.loads(content)
    if not isinstance(value, dict):
        raise ValueError(f'expected a JSON object, got {type(value).__name__}')
    return cast('dict[str, Any]', value)


async def _events(chunks: AsyncIterator[bytes], key: str) -> AsyncIterator[dict[str, Any]]:
    """Reads server-sent events whose data are JSON objects, wherever the chunks are cut.

    Works on bytes and splits at line feeds only: JSON text may hold U+2028, which `splitlines` takes for a line end.
    """
    rest = b''
    data: list[bytes] = []
    while True:
        try:
            chunk = await anext(chunks, None)
            if chunk is None:
                return
            *lines, rest = (rest + chunk).split(b'\n')
            if len(rest) > _LONGEST_EVENT:
                raise ValueError(f'an event is longer than {_LONGEST_EVENT} bytes')
            events = [event for line in lines if (event := _dispatch(line.removesuffix(b'\r'), data))]
        except _FAILURES as error:
            failure = transport_error(error, secrets=[key])
            raise failure from failure.__cause__
        # Outside of the try: what the reader of an event raises is not Cohere's failure.
        for event in events:
            yield event


def _dispatch(line: bytes, data: list[bytes]) -> dict[str, Any] | None:
    """Takes a line into the event being read; returns the event when the line ends it."""
    if line.startswith(b'data:'):
        data.append(line[5:].removeprefix(b' '))
    elif not line and data:
        text = b'\n'.join(data)
        data.clear()
        return _object(text) if text and text != b'[DONE]' else None
    return None
