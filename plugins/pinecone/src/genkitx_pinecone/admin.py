# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Creating, describing and deleting indexes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from genkit import GenkitError

from genkitx_pinecone.client import Caller, ClientParams, choose_params, data_host, describe, open_control, vector_field
from genkitx_pinecone.errors import missing_index
from genkitx_pinecone.options import Metric
from genkitx_pinecone.plugin import check_name
from genkitx_pinecone.retry import REFUSED

if TYPE_CHECKING:
    from pinecone import AsyncPinecone

DEFAULT_WAIT: Final = 300.0
"""Seconds to wait until an index is ready, or gone."""

_FAILED: Final = frozenset({'InitializationFailed', 'Terminating', 'Disabled'})
_SLOWEST_LOOK: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class ServerlessSpec:
    """A serverless index.

    Attributes:
        cloud: `aws`, `gcp` or `azure`.
        region: The cloud's region.
    """

    cloud: str = 'aws'
    region: str = 'us-east-1'


@dataclass(frozen=True, kw_only=True)
class PodSpec:
    """An index on pods of its own.

    Attributes:
        environment: Where, such as `us-east1-gcp`.
        pod_type: Kind and size of a pod.
        replicas: Copies of the index.
        shards: Parts of the index; it has `replicas * shards` pods.
    """

    environment: str
    pod_type: str = 'p1.x1'
    replicas: int = 1
    shards: int = 1


@dataclass(frozen=True, kw_only=True)
class PineconeIndexInfo:
    """What Pinecone says about an index.

    Attributes:
        name: Its name.
        dimension: Length of its dense vectors; None where it has none, or several.
        metric: How it measures closeness.
        host: Its address; None while it has none.
        ready: Whether it serves requests.
        state: What it is doing: `Initializing`, `Ready`, ...
        deployment: Where it runs, in the words of the API.
        deletion_protection: Whether deleting it is refused.
        tags: Its tags.
    """

    name: str
    dimension: int | None
    metric: str | None
    host: str | None
    ready: bool
    state: str
    deployment: Mapping[str, Any]
    deletion_protection: bool
    tags: Mapping[str, str]


async def create_pinecone_index(
    name: str,
    *,
    dimension: int,
    metric: Metric = 'cosine',
    spec: ServerlessSpec | PodSpec | None = None,
    sparse: bool = False,
    deletion_protection: bool = False,
    tags: Mapping[str, str] | None = None,
    exist_ok: bool = False,
    wait_until_ready: bool = True,
    timeout: float = DEFAULT_WAIT,
    api_key: str | None = None,
    client_params: ClientParams | None = None,
) -> PineconeIndexInfo:
    """Creates an index (JS `createPineconeIndex`).

    Args:
        name: The index.
        dimension: Length of its vectors.
        metric: How it measures closeness.
        spec: Where it runs; by default serverless on AWS in us-east-1.
        sparse: Whether its records may have sparse vectors too, for hybrid search. It cannot be changed later.
        deletion_protection: Whether deleting it is refused.
        tags: Its tags.
        exist_ok: Leave an index that exists as it is, instead of raising (JS `suppressConflicts`).
        wait_until_ready: Return when it serves requests (JS `waitUntilReady`).
        timeout: Seconds to wait for that.
        api_key: The API key; by default `PINECONE_API_KEY`.
        client_params: Anything that `Pinecone` takes as `client_params`.

    Raises:
        GenkitError: ALREADY_EXISTS; INVALID_ARGUMENT for a malformed name or dimension; FAILED_PRECONDITION when it fails to start;
            DEADLINE_EXCEEDED when it is not ready in time; or why Pinecone cannot be reached.
    """
    check_name(name)
    if metric not in get_args(Metric) or isinstance(dimension, bool) or not 1 <= dimension <= 20_000:
        raise GenkitError(
            status='INVALID_ARGUMENT',
            message=f'A Pinecone index has a dimension from 1 to 20000 and a metric of {", ".join(get_args(Metric))}.',
        )
    fields: dict[str, Any] = {'_values': {'type': 'dense_vector', 'dimension': dimension, 'metric': metric}}
    if sparse:
        fields['_sparse_values'] = {'type': 'sparse_vector'}
    async with _control(name, api_key, client_params) as (call, control):
        try:
            # Where it is not known what became of it, creating again would only say that the index exists.
            description = await Caller(call.what, call.params, repeat=REFUSED)(
                control.indexes.create,
                name=name,
                schema={'fields': fields},
                deployment=_deployment(spec or ServerlessSpec()),
                deletion_protection='enabled' if deletion_protection else None,
                tags=tags or None,
                timeout=-1,  # The SDK looks every 5 seconds only.
            )
        except GenkitError as error:
            if error.status != 'ALREADY_EXISTS' or not exist_ok:
                raise
            description = await describe(call, control, name)
        if wait_until_ready and not description.status.ready:
            description = await _until_ready(call, control, name, timeout)
        return _info(description, control)


async def describe_pinecone_index(
    name: str, *, api_key: str | None = None, client_params: ClientParams | None = None
) -> PineconeIndexInfo:
    """Describes an index (JS `describePineconeIndex`).

    Args:
        name: The index.
        api_key: The API key; by default `PINECONE_API_KEY`.
        client_params: Anything that `Pinecone` takes as `client_params`.

    Raises:
        GenkitError: NOT_FOUND, or why Pinecone cannot be reached.
    """
    check_name(name)
    async with _control(name, api_key, client_params) as (call, control):
        return _info(await describe(call, control, name), control)


async def delete_pinecone_index(
    name: str,
    *,
    wait_until_gone: bool = True,
    timeout: float = DEFAULT_WAIT,
    api_key: str | None = None,
    client_params: ClientParams | None = None,
) -> None:
    """Deletes an index and everything in it (JS `deletePineconeIndex`).

    Args:
        name: The index.
        wait_until_gone: Return when it is gone, so that its name is free again.
        timeout: Seconds to wait for that.
        api_key: The API key; by default `PINECONE_API_KEY`.
        client_params: Anything that `Pinecone` takes as `client_params`.

    Raises:
        GenkitError: NOT_FOUND; PERMISSION_DENIED where it is protected; DEADLINE_EXCEEDED when it is not gone in time; or why
            Pinecone cannot be reached.
    """
    check_name(name)
    async with _control(name, api_key, client_params) as (call, control):
        try:
            await call(control.indexes.delete, name, timeout=-1)
        except GenkitError as error:
            if error.status != 'NOT_FOUND':
                raise
            raise missing_index(call.what, name, error) from error
        if wait_until_gone:
            await _until_gone(call, control, name, timeout)


@asynccontextmanager
async def _control(
    name: str, api_key: str | None, client_params: ClientParams | None
) -> AsyncGenerator[tuple[Caller, AsyncPinecone]]:
    call = Caller(f"Pinecone index '{name}'", choose_params(api_key, client_params))
    control = await open_control(call)
    try:
        yield call, control
    finally:
        await control.close()


async def _until_ready(call: Caller, control: AsyncPinecone, name: str, timeout: float) -> Any:
    pause = _Pause(call, timeout, 'was not ready')
    while True:
        description = await describe(call, control, name)
        if description.status.ready:
            return description
        if description.status.state in _FAILED:
            raise GenkitError(
                status='FAILED_PRECONDITION', message=f'{call.what} does not start: it is {description.status.state}.'
            )
        await pause()


async def _until_gone(call: Caller, control: AsyncPinecone, name: str, timeout: float) -> None:
    pause = _Pause(call, timeout, 'was not gone')
    while True:
        try:
            await describe(call, control, name)
        except GenkitError as error:
            if error.status != 'NOT_FOUND':
                raise
            return
        await pause()


class _Pause:
    """Sleeps longer each time, until there is no time left."""

    def __init__(self, call: Caller, timeout: float, problem: str) -> None:
        self._deadline = asyncio.get_running_loop().time() + timeout
        self._message = f'{call.what} {problem} within {timeout} seconds; it may be later.'
        self._seconds = 0.1

    async def __call__(self) -> None:
        left = self._deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise GenkitError(status='DEADLINE_EXCEEDED', message=self._message)
        await asyncio.sleep(min(self._seconds, left))
        self._seconds = min(1.5 * self._seconds, _SLOWEST_LOOK)


def _deployment(spec: ServerlessSpec | PodSpec) -> dict[str, Any]:
    kind: Literal['managed', 'pod'] = 'managed' if isinstance(spec, ServerlessSpec) else 'pod'
    return {'deployment_type': kind, **vars(spec)}


def _info(description: Any, control: AsyncPinecone) -> PineconeIndexInfo:
    dimension, metric = vector_field(description)
    return PineconeIndexInfo(
        name=description.name,
        dimension=dimension,
        metric=metric,
        host=data_host(description.host, control.config.host),
        ready=description.status.ready,
        state=description.status.state,
        deployment=description.to_dict()['deployment'],
        deletion_protection=description.deletion_protection == 'enabled',
        tags=dict(description.tags or {}),
    )
