# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Opening Pinecone's SDK: one client an event loop, and nothing before it is needed."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from genkit import GenkitError
from genkitx.stores.retry import RETRYABLE

from genkitx_pinecone.errors import missing_index, translate
from genkitx_pinecone.retry import persist

if TYPE_CHECKING:
    from pinecone import AsyncIndex, AsyncPinecone, RetryConfig

T = TypeVar('T')

MISSING_KEY: Final = (
    'Please pass in the API key or set PINECONE_API_KEY environment variable.\n'
    'For more details see https://genkit.dev/docs/plugins/pinecone'
)
"""What JS says without a key."""


@dataclass(frozen=True, kw_only=True)
class ClientParams:
    """How to reach Pinecone (JS `clientParams`).

    Attributes:
        api_key: The API key; by default the environment variable `PINECONE_API_KEY`, read at first use (JS `apiKey`).
        controller_host: Address of the control plane, for an emulator `http://localhost:5080`; by default the environment
            variable `PINECONE_CONTROLLER_HOST`, or else the service (JS `controllerHostUrl`).
        additional_headers: Sent with every request (JS `additionalHeaders`).
        source_tag: Names the application to Pinecone (JS `sourceTag`).
        timeout: Seconds that a request may take, with all that is tried again and the pauses between.

    Raises:
        GenkitError: INVALID_ARGUMENT for a key that no header can hold, or an address that is none.
    """

    api_key: str | None = field(default=None, repr=False)
    controller_host: str | None = None
    additional_headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    source_tag: str | None = None
    timeout: float = 30.0

    def __post_init__(self) -> None:
        _check_key(self.api_key)
        if self.controller_host is not None:
            check_host(self.controller_host)
        if not self.timeout > 0:
            raise GenkitError(
                status='INVALID_ARGUMENT', message='The timeout of Pinecone is a number of seconds above 0.'
            )

    def key(self) -> str:
        """Returns the key to use now.

        Raises:
            GenkitError: FAILED_PRECONDITION when there is none.
        """
        key = self.api_key or os.environ.get('PINECONE_API_KEY')
        if not key:
            raise GenkitError(status='FAILED_PRECONDITION', message=MISSING_KEY)
        _check_key(key)
        return key


def choose_params(api_key: str | None, client_params: ClientParams | None) -> ClientParams:
    """Returns the parameters that arguments mean.

    Raises:
        GenkitError: INVALID_ARGUMENT when both are given.
    """
    if api_key is not None and client_params is not None:
        raise GenkitError(status='INVALID_ARGUMENT', message='Give either api_key or client_params, not both.')
    return client_params or ClientParams(api_key=api_key)


def check_host(host: str) -> None:
    """Checks an address, with or without a scheme.

    Raises:
        GenkitError: INVALID_ARGUMENT when it is none, or holds credentials.
    """
    problem = None
    try:
        parts = urlsplit(host if '://' in host else f'https://{host}')
        if parts.scheme not in ('http', 'https') or not parts.hostname or host != host.strip():
            problem = 'is not an address'
        elif parts.username is not None or parts.password is not None:
            problem = 'holds credentials, which belong into api_key'
        elif parts.port == 0:
            problem = 'has no usable port'
    except ValueError:
        problem = 'is not an address'
    if problem is not None:
        raise GenkitError(
            status='INVALID_ARGUMENT',
            message=f'A host of Pinecone {problem}. It looks like name-abc123.svc.pinecone.io or http://localhost:5080.',
        )


class Caller:
    """Calls methods of the SDK, again where that may help, and gives its errors as GenkitErrors without secrets.

    Args:
        what: Who calls, for messages.
        params: How to reach Pinecone.
        repeat: Statuses of failures that are tried again.
    """

    def __init__(self, what: str, params: ClientParams, *, repeat: frozenset[str] = RETRYABLE) -> None:
        self.what = what
        self.params = params
        self._repeat = repeat

    async def __call__(self, method: Callable[..., Awaitable[T]], *arguments: Any, **options: Any) -> T:
        """Calls a method, within the timeout of the parameters."""

        async def attempt() -> T:
            try:
                return await method(*arguments, **options)
            except Exception as error:  # noqa: BLE001 - it is translated, whatever it is
                secrets = [self.params.api_key or '', os.environ.get('PINECONE_API_KEY', '')]
                translated = translate(self.what, error, [*secrets, *self.params.additional_headers.values()])
                raise translated from translated.cause

        return await persist(attempt, what=self.what, timeout=self.params.timeout, repeat=self._repeat)


@dataclass
class Session:
    """An open client of one index.

    Attributes:
        index: The SDK's client of the data plane.
        dimension: Length of the dense vectors; None while it is not known.
        metric: How the index measures closeness; None while it is not known.
        learned: When dimension and metric were learned, by `time.monotonic`.
        retired: Clients of addresses where the index was before; requests may still be under way.
        looking: Held by who looks whether the index moved.
    """

    index: AsyncIndex
    dimension: int | None
    metric: str | None
    learned: float = field(default_factory=time.monotonic)
    retired: list[AsyncIndex] = field(default_factory=list['AsyncIndex'])
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def learn(self, dimension: int | None, metric: str | None) -> None:
        """Sets what is known of the index as of now."""
        self.dimension, self.metric, self.learned = dimension, metric, time.monotonic()

    async def follow(self, found: Session) -> bool:
        """Takes over what was just found of the index; tells whether it has moved."""
        self.learn(found.dimension, found.metric)
        if found.index.host == self.index.host:
            await found.close()
            return False
        self.retired.append(self.index)
        self.index = found.index
        return True

    async def close(self) -> None:
        """Closes all clients."""
        for one in (self.index, *self.retired):
            await one.close()


async def open_control(call: Caller) -> AsyncPinecone:
    """Opens a client of the control plane."""
    params = call.params

    async def make() -> AsyncPinecone:
        # Importing the SDK takes long enough for others on this event loop to notice.
        client, retry_config = await asyncio.to_thread(_sdk)
        return client(
            api_key=params.key(),
            host=params.controller_host,
            additional_headers=params.additional_headers,
            source_tag=params.source_tag,
            timeout=params.timeout,
            retry_config=retry_config(max_retries=0),  # Trying again is the caller's.
        )

    return await call(make)


async def open_session(call: Caller, index: str, host: str | None) -> Session:
    """Opens a client of an index.

    Args:
        call: Who calls.
        index: The index's name.
        host: Its address; without one the control plane is asked, which also tells dimension and metric.

    Raises:
        GenkitError: NOT_FOUND when there is no such index, FAILED_PRECONDITION when it is not ready or without a key.
    """
    control = await open_control(call)
    try:
        dimension = metric = None
        if host is None:
            description = await describe(call, control, index)
            host = data_host(description.host, control.config.host)
            if not host:
                raise GenkitError(
                    status='FAILED_PRECONDITION',
                    message=f"{call.what}: the index '{index}' has no host yet, it is {description.status.state}. Try again later.",
                )
            dimension, metric = vector_field(description)
        # The client of the data plane takes everything from that of the control plane, and outlives it.
        return Session(_without_retries(await call(control.index, host=host), control), dimension, metric)
    finally:
        await control.close()


async def describe(call: Caller, control: AsyncPinecone, index: str) -> Any:
    """Returns the SDK's description of an index; NOT_FOUND with a hint when there is none."""
    try:
        return await call(control.indexes.describe, index)
    except GenkitError as error:
        if error.status != 'NOT_FOUND':
            raise
        raise missing_index(call.what, index, error) from error


def data_host(host: str | None, controller: str) -> str | None:
    """Returns the address of an index as a URL.

    Emulators speak plain HTTP on both planes and name hosts without a scheme, which the SDK takes for HTTPS.
    """
    if not host:
        return None
    return f'{urlsplit(controller).scheme}://{host.split("://")[-1]}'


def vector_field(description: Any) -> tuple[int | None, str | None]:
    """Returns dimension and metric of an index: those of its one dense field."""
    fields = [one for one in description.schema.fields.values() if getattr(one, 'dimension', None) is not None]
    return (int(fields[0].dimension), str(fields[0].metric)) if len(fields) == 1 else (None, None)


def _sdk() -> tuple[type[AsyncPinecone], type[RetryConfig]]:
    from pinecone import AsyncPinecone, RetryConfig

    return AsyncPinecone, RetryConfig


def _without_retries(index: AsyncIndex, control: AsyncPinecone) -> AsyncIndex:
    """Gives an index the retry settings of the control plane's client: none.

    The SDK's own retries make longer or shorter pauses than the service asks for and know no deadline, and its index clients have
    no setting for them. An SDK that keeps its configuration elsewhere goes on trying; then the deadline still holds.
    """
    http: Any = getattr(index, '_http', None)
    settings: Any = getattr(control, '_config', None)
    config: Any = getattr(http, '_config', None)
    if hasattr(config, 'retry_config') and hasattr(settings, 'retry_config'):
        http._config = replace(config, retry_config=settings.retry_config)  # noqa: SLF001
    return index


def _check_key(key: str | None) -> None:
    if key is not None and (not key or not key.isascii() or not key.isprintable() or key != key.strip()):
        raise GenkitError(
            status='INVALID_ARGUMENT', message='The API key of Pinecone is empty or has characters that no key has.'
        )
