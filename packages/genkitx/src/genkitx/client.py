# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Calling flows that a Genkit server exposes over HTTP, in whatever language it is written (JS `genkit/beta/client`)."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Generic, cast, get_args, overload

import httpx
import pydantic_core
from genkit import GenkitError, RuntimeErrorReason
from genkit.plugin_api import StatusName, from_http_code
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypeVar

from genkitx.tls import ssl_context

T = TypeVar('T')
OutputT = TypeVar('OutputT', default=Any)
ChunkT = TypeVar('ChunkT', default=Any)
Timeout = float | httpx.Timeout | None

_STREAM_ID: Final = 'x-genkit-stream-id'
_MAX_ERROR_TEXT: Final = 10_000
_INVALID_OUTPUT = cast('RuntimeErrorReason', RuntimeErrorReason.INVALID_OUTPUT)
_NO_LIMIT: Final = httpx.Timeout(None, connect=10.0)


class _NotGiven:
    """Tells an input that is left out from an input that is null."""


NOT_GIVEN: Final = _NotGiven()


@overload
async def run_flow(
    url: str,
    input: Any = ...,
    *,
    output_type: type[T],
    init: Any = ...,
    headers: Mapping[str, str] | None = ...,
    timeout: Timeout = ...,
    client: httpx.AsyncClient | None = ...,
) -> T: ...


@overload
async def run_flow(
    url: str,
    input: Any = ...,
    *,
    output_type: None = None,
    init: Any = ...,
    headers: Mapping[str, str] | None = ...,
    timeout: Timeout = ...,
    client: httpx.AsyncClient | None = ...,
) -> Any: ...


async def run_flow(
    url: str,
    input: Any = NOT_GIVEN,  # noqa: A002 - JS's name
    *,
    output_type: Any = None,
    init: Any = NOT_GIVEN,
    headers: Mapping[str, str] | None = None,
    timeout: Timeout = _NO_LIMIT,
    client: httpx.AsyncClient | None = None,
) -> Any:
    """Run a flow and return its output (JS `runFlow`).

    Args:
        url: Where the flow is served.
        input: The flow's input: JSON, or pydantic models anywhere in it. Left out: none is sent.
        output_type: What to parse the output as: a pydantic class or any type; None for plain JSON.
        init: Session initialization for an agent.
        headers: Sent along, for example `{'Authorization': ...}`.
        timeout: Seconds, or an `httpx.Timeout`; default: 10 s to connect, then no limit.
        client: An `httpx.AsyncClient` to use; it stays open. Otherwise one is made for this call.

    Raises:
        GenkitError: The flow's own error, with its status; `Server returned: <code>: <text>` with the status of the
            HTTP code for any answer but 200; UNAVAILABLE or DEADLINE_EXCEEDED when there is no answer; INTERNAL for an
            answer that is not what Genkit sends, or that is no `output_type`.
    """
    async with _client(client, timeout) as http, _errors(url):
        response = await http.post(
            url, content=_body(input, init), headers=_headers(headers), **_timeout(client, timeout)
        )
        if response.status_code != 200:
            raise _server_error(response.status_code, response.text)
        body = _json(response.text)
    if not isinstance(body, dict):
        raise GenkitError(status='INTERNAL', message='The server did not answer with a JSON object.')
    answer = cast('dict[str, Any]', body)
    if 'error' in answer:
        error = answer['error']
        status: Any = cast('dict[str, Any]', error).get('status') if isinstance(error, dict) else None
        text = error if isinstance(error, str) else _compact(error)
        raise GenkitError(status=_status(status, 'INTERNAL'), message=text)
    return _parse(answer.get('result'), output_type)


def stream_flow(
    url: str,
    input: Any = NOT_GIVEN,  # noqa: A002 - JS's name
    *,
    output_type: type[OutputT] | None = None,
    chunk_type: type[ChunkT] | None = None,
    init: Any = NOT_GIVEN,
    headers: Mapping[str, str] | None = None,
    timeout: Timeout = _NO_LIMIT,
    client: httpx.AsyncClient | None = None,
    stream_id: str | None = None,
) -> FlowStream[ChunkT, OutputT]:
    """Run a flow and stream its chunks (JS `streamFlow`). Starts at once; needs a running event loop.

    Args:
        url: As in `run_flow`, like `input`, `init`, `headers`, `timeout` and `client`.
        input: See `run_flow`.
        output_type: What to parse the output as.
        chunk_type: What to parse each chunk as.
        init: See `run_flow`.
        headers: See `run_flow`.
        timeout: See `run_flow`; a number also limits the wait for the next bytes.
        client: See `run_flow`.
        stream_id: Reattach to a durable stream the server keeps, instead of starting anew.

    Returns:
        The stream, the output and the id, each of which raises the `GenkitError` that ended the flow: those of
        `run_flow`; NOT_FOUND when the server does not know `stream_id`; INTERNAL when the stream ends before the output.
    """
    sent = {**_headers(headers), 'accept': 'text/event-stream', **({_STREAM_ID: stream_id} if stream_id else {})}
    return FlowStream(url, _body(input, init), sent, timeout, client, output_type, chunk_type)


class FlowStream(Generic[ChunkT, OutputT]):
    """A running flow: `stream` (chunks), `output` and `stream_id` (awaitables), `aclose()`; also `async with`.

    Chunks wait here until they are read. Made by `stream_flow`.
    """

    def __init__(
        self,
        url: str,
        body: bytes,
        headers: dict[str, str],
        timeout: Timeout,
        client: httpx.AsyncClient | None,
        output_type: Any,
        chunk_type: Any,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[Any] = asyncio.Queue()
        self._output: asyncio.Future[Any] = loop.create_future()
        self._stream_id: asyncio.Future[str | None] = loop.create_future()
        self._output_type = output_type
        self._chunk_type = chunk_type
        self._task = loop.create_task(self._run(url, body, headers, timeout, client))

    @property
    def stream(self) -> AsyncIterator[ChunkT]:
        """The chunks. For one reader; ends after the last chunk, or raises what ended the flow."""
        return self._read()

    @property
    def output(self) -> Awaitable[OutputT]:
        """The flow's output. Can be awaited with or without reading the stream, and more than once."""
        return asyncio.shield(self._output)

    @property
    def stream_id(self) -> Awaitable[str | None]:
        """Id to reattach to the stream with; None when the server does not keep streams."""
        return asyncio.shield(self._stream_id)

    async def aclose(self) -> None:
        """Stop reading and close the connection; a durable stream goes on at the server."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def __aenter__(self) -> FlowStream[ChunkT, OutputT]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _read(self) -> AsyncGenerator[ChunkT, None]:
        while True:
            chunk = await self._chunks.get()
            if chunk is NOT_GIVEN:
                # Stays, for whoever reads again.
                self._chunks.put_nowait(NOT_GIVEN)
                break
            yield chunk
        if (error := self._output.exception()) is not None:
            raise error

    async def _run(
        self, url: str, body: bytes, headers: dict[str, str], timeout: Timeout, client: httpx.AsyncClient | None
    ) -> None:
        try:
            async with _client(client, timeout) as http, _errors(url):
                request = http.stream('POST', url, content=body, headers=headers, **_timeout(client, timeout))
                async with request as response:
                    self._output.set_result(await self._receive(response))
        except asyncio.CancelledError:
            self._fail(GenkitError(status='CANCELLED', message='The stream was closed.'))
            raise
        except Exception as error:  # noqa: BLE001 - handed to whoever asks for the output
            self._fail(error)
        finally:
            self._chunks.put_nowait(NOT_GIVEN)

    def _fail(self, error: Exception) -> None:
        futures: list[asyncio.Future[Any]] = [self._output, self._stream_id]
        for future in futures:
            if not future.done():
                future.set_exception(error)
                # Asked for once here: nobody has to look at all three of stream, output and id.
                future.exception()

    async def _receive(self, response: httpx.Response) -> Any:
        if response.status_code == 204:
            raise GenkitError(status='NOT_FOUND', message='Stream not found.')
        if response.status_code != 200:
            await response.aread()
            raise _server_error(response.status_code, response.text)
        self._stream_id.set_result(response.headers.get(_STREAM_ID))
        async for data in _events(response):
            event: object = _json(data)
            if isinstance(event, dict):
                known = cast('dict[str, Any]', event)
                if 'message' in known:
                    self._chunks.put_nowait(_parse(known['message'], self._chunk_type))
                    continue
                if 'result' in known:
                    return _parse(known['result'], self._output_type)
                if 'error' in known:
                    raise _stream_error(known['error'])
            raise GenkitError(status='INTERNAL', message=f'unknown chunk format: {_compact(event)}')
        raise GenkitError(status='INTERNAL', message='stream did not terminate correctly')


async def _events(response: httpx.Response) -> AsyncGenerator[str, None]:
    """The data of server-sent events, decoded across chunk borders."""
    decoder = codecs.getincrementaldecoder('utf-8')()
    rest, data = '', list[str]()
    async for piece in response.aiter_bytes():
        # Not splitlines: JSON may hold other line separators as they are.
        *lines, rest = (rest + decoder.decode(piece)).split('\n')
        for line in lines:
            text = line.removesuffix('\r')
            name, colon, value = text.partition(':')
            # JS's express server gives an error a field of its own name instead of `data`.
            if colon and name in ('data', 'error'):
                data.append(value.removeprefix(' '))
            elif not text and data:
                yield '\n'.join(data)
                data.clear()


@asynccontextmanager
async def _client(client: httpx.AsyncClient | None, timeout: Timeout) -> AsyncGenerator[httpx.AsyncClient, None]:
    if client is not None:
        yield client
        return
    async with httpx.AsyncClient(timeout=timeout, follow_redirects=True, verify=await ssl_context()) as own:
        yield own


@asynccontextmanager
async def _errors(url: str) -> AsyncGenerator[None, None]:
    """Transport errors as GenkitError."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise GenkitError(status='DEADLINE_EXCEEDED', message=f'No answer in time from {_place(url)}.') from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        message = f'Calling {_place(url)} failed: {type(error).__name__} {error}'.rstrip()
        raise GenkitError(status='UNAVAILABLE', message=message) from error


def _place(url: str) -> str:
    """The URL without its query, which may hold a key."""
    return url.split('?', 1)[0]


def _timeout(client: httpx.AsyncClient | None, timeout: Timeout) -> dict[str, Any]:
    """A client that was given keeps its own timeout unless another one is asked for."""
    return {} if client is None or timeout is _NO_LIMIT else {'timeout': timeout}


def _body(value: Any, init: Any) -> bytes:
    body = {key: item for key, item in (('data', value), ('init', init)) if item is not NOT_GIVEN}
    try:
        return _compact(pydantic_core.to_jsonable_python(body, by_alias=True)).encode()
    except (pydantic_core.PydanticSerializationError, ValueError) as error:
        raise GenkitError(status='INVALID_ARGUMENT', message=f'The input is no JSON: {error}') from error


def _headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {'content-type': 'application/json', **(headers or {})}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        message = f'The server did not answer with JSON: {text[:200]!r}'
        raise GenkitError(status='INTERNAL', message=message) from error


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(',', ':'), ensure_ascii=False, allow_nan=False)


def _server_error(code: int, text: str) -> GenkitError:
    status: StatusName = from_http_code(code)
    try:
        body = json.loads(text)
        status = _status(cast('dict[str, Any]', body).get('status'), status) if isinstance(body, dict) else status
    except ValueError:
        pass
    return GenkitError(status=status, message=f'Server returned: {code}: {text[:_MAX_ERROR_TEXT]}')


def _stream_error(error: Any) -> GenkitError:
    """The flow's own error; in JS its text is `<status>: <message>` and a line with the details."""
    fields = cast('dict[str, Any]', error) if isinstance(error, dict) else {}
    message, details = fields.get('message'), fields.get('details')
    if not isinstance(message, str):
        message = error if isinstance(error, str) else _compact(error)
    if isinstance(details, str):
        message = f'{message}\n{details}'
    return GenkitError(
        status=_status(fields.get('status'), 'INTERNAL'),
        message=message,
        details=cast('dict[str, Any]', details) if isinstance(details, dict) else None,
    )


def _status(value: Any, otherwise: StatusName) -> StatusName:
    return cast('StatusName', value) if value in get_args(StatusName) else otherwise


def _parse(value: Any, wanted: Any) -> Any:
    if wanted is None:
        return value
    try:
        return TypeAdapter[Any](wanted).validate_python(value)
    except ValidationError as error:
        raise GenkitError(
            status='INTERNAL', message=f'The flow sent something else than asked for: {error}', reason=_INVALID_OUTPUT
        ) from error
