# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Opening chromadb: one embedded client a store, one HTTP client an event loop, and nothing before it is needed."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from genkit import GenkitError
from genkitx.lifecycle import PerLoop, Shared
from genkitx.threads import in_thread

from genkitx_chroma.errors import http_error, translate
from genkitx_chroma.params import (
    ClientParamsSource,
    CloudParams,
    EphemeralParams,
    HttpParams,
    PersistentParams,
    cloud_as_http,
    current_params,
)

T = TypeVar('T')

CLOUD_LIMIT: Final = 300
"""Records that Chroma Cloud takes in one write and gives in one answer."""

# Chroma's default, 16 neighbors, leaves up to half of a collection of similar texts out of reach of any search, and with 64 one of 227 was
# lost in every twentieth collection (measured with 1.5.9; chance decides, since several threads insert). With these none was lost in
# 700, for a kilobyte more a vector.
_NEIGHBORS: Final = 128
_EF_CONSTRUCTION: Final = 200

# chromadb keeps the engines of a process in a dict that it does not guard.
_opening: Final = threading.Lock()
_headers: ContextVar[Mapping[str, str] | None] = ContextVar('genkitx_chroma_headers', default=None)


class Session(Protocol):
    """An open client, the same whether the engine is in this process or behind HTTP.

    Attributes:
        collections: Collections that were looked up, by name; the store keeps its own there.
        limit: Records in one write; None while it is not known.
        page: Records in one answer; None for no limit.
    """

    collections: dict[str, Any]
    limit: int | None
    page: int | None

    async def get_collection(self, name: str) -> Any:
        """Returns a chromadb collection; NOT_FOUND if there is none."""
        ...

    async def create_collection(self, name: str, *, configuration: Any, metadata: Any, exist_ok: bool) -> Any:
        """Creates a collection, without an embedding function."""
        ...

    async def delete_collection(self, name: str) -> None:
        """Deletes a collection."""
        ...

    async def learn_limit(self) -> int:
        """Returns `limit`, asking for it at the first call."""
        ...

    async def run(self, method: Callable[..., Any], **arguments: Any) -> Any:
        """Calls a method of a collection."""
        ...


class EmbeddedSession:
    """A client of the engine in this process: synchronous, so its calls run in worker threads."""

    def __init__(self, store: str, client: Any) -> None:
        self.collections: dict[str, Any] = {}
        self.limit: int | None = None
        self.page: int | None = None
        self._store = store
        self._client = client

    async def get_collection(self, name: str) -> Any:
        """Returns a chromadb collection; NOT_FOUND if there is none."""
        return await self.run(self._client.get_collection, name=name, embedding_function=None)

    async def create_collection(self, name: str, *, configuration: Any, metadata: Any, exist_ok: bool) -> Any:
        """Creates a collection, without an embedding function."""
        return await self.run(
            self._client.create_collection,
            name=name,
            configuration=configuration,
            metadata=metadata,
            embedding_function=None,
            get_or_create=exist_ok,
        )

    async def delete_collection(self, name: str) -> None:
        """Deletes a collection."""
        await self.run(self._client.delete_collection, name=name)

    async def learn_limit(self) -> int:
        """Returns the engine's own batch limit."""
        if self.limit is None:
            self.limit = int(await self.run(self._client.get_max_batch_size))
        return self.limit

    async def run(self, method: Callable[..., Any], **arguments: Any) -> Any:
        """Calls a method in a worker thread."""
        try:
            return await in_thread(functools.partial(method, **arguments))
        except Exception as error:
            raise translate(self._store, error) from error

    def close(self) -> None:
        """Releases the engine; it stops with its last client in this process."""
        self._client.close()


class HttpSession:
    """A client of a server.

    It stands on chromadb's asynchronous server API with an HTTP client of its own: chromadb's is shared by all connections of a
    loop, tokens included, has no timeout, does not verify certificates and is never closed.
    """

    def __init__(self, store: str, params: HttpParams, server: Any, http: Any) -> None:
        self.collections: dict[str, Any] = {}
        self.limit: int | None = None
        self.page: int | None = None
        self._store = store
        self._names = {'tenant': params.tenant, 'database': params.database}
        self._server = server
        self._http = http

    async def get_collection(self, name: str) -> Any:
        """Returns a chromadb collection; NOT_FOUND if there is none."""
        return self._wrap(await self.run(self._server.get_collection, name=name, **self._names))

    async def create_collection(self, name: str, *, configuration: Any, metadata: Any, exist_ok: bool) -> Any:
        """Creates a collection, without an embedding function."""
        model = await self.run(
            self._server.create_collection,
            name=name,
            configuration=configuration,
            metadata=metadata,
            get_or_create=exist_ok,
            **self._names,
        )
        return self._wrap(model)

    async def delete_collection(self, name: str) -> None:
        """Deletes a collection."""
        await self.run(self._server.delete_collection, name=name, **self._names)

    async def learn_limit(self) -> int:
        """Returns the batch limit that the server names."""
        if self.limit is None:
            named = int(await self.run(self._server.get_max_batch_size))
            self.limit = named if named > 0 else CLOUD_LIMIT
        return self.limit

    async def learn_names(self) -> None:
        """Asks which tenant and database the token opens, where they are not given.

        Raises:
            GenkitError: FAILED_PRECONDITION when it opens several.
        """
        if all(self._names.values()):
            return
        identity = await self.run(self._server.get_user_identity)
        databases = list(identity.databases or [])
        known = {'tenant': identity.tenant, 'database': databases[0] if len(databases) == 1 else None}
        for what, name in self._names.items():
            found = name or known[what]
            if not found or found == '*':
                raise GenkitError(
                    status='FAILED_PRECONDITION',
                    message=f'{self._store}: the key opens more than one {what}. Name it: CloudParams({what}=...).',
                )
            self._names[what] = found

    async def run(self, method: Callable[..., Any], **arguments: Any) -> Any:
        """Calls a method."""
        try:
            return await method(**arguments)
        except Exception as error:
            raise translate(self._store, error) from error

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    def _wrap(self, model: Any) -> Any:
        from chromadb.api.models.AsyncCollection import AsyncCollection  # pyright: ignore[reportMissingTypeStubs]

        return AsyncCollection(client=self._server, model=model, embedding_function=None)


@dataclass(frozen=True)
class _Remote:
    """The HTTP sessions of one event loop, by where they lead to; headers are not part of it."""

    sessions: dict[tuple[object, ...], HttpSession]

    async def aclose(self) -> None:
        for session in list(self.sessions.values()):
            await session.aclose()


class Connection:
    """The clients of one store, opened at first use.

    Args:
        store: The store's name, for messages.
        source: The client's parameters, or a function that gives them.
    """

    def __init__(self, store: str, source: ClientParamsSource) -> None:
        self._store = store
        # Made absolute now: a later change of the working directory must not lead to another engine.
        self._source = _absolute(source) if isinstance(source, PersistentParams) else source
        self._embedded: dict[PersistentParams | EphemeralParams, Shared[EmbeddedSession]] = {}
        self._remote: PerLoop[_Remote] = PerLoop(_open_remote, _Remote.aclose)
        self._openings = threading.Lock()

    async def session(self) -> tuple[Session, Mapping[str, str]]:
        """Returns the client to use now, and the headers to use it `with_headers`."""
        params = await current_params(self._source)
        if isinstance(params, PersistentParams | EphemeralParams):
            return await self._shared(params).get(), {}
        cloud = isinstance(params, CloudParams)
        http = cloud_as_http(params) if isinstance(params, CloudParams) else params
        return await self._http_session(http, cloud=cloud), http.headers

    async def aclose(self) -> None:
        """Closes what is open; a later call opens it again."""
        for shared in list(self._embedded.values()):
            await shared.aclose()
        await self._remote.aclose()

    def _shared(self, params: PersistentParams | EphemeralParams) -> Shared[EmbeddedSession]:
        if isinstance(params, PersistentParams):
            params = _absolute(params)
        with self._openings:
            shared = self._embedded.get(params)
            if shared is None:
                shared = self._embedded[params] = Shared(
                    lambda: _open_embedded(self._store, params), EmbeddedSession.close
                )
        return shared

    async def _http_session(self, params: HttpParams, *, cloud: bool) -> HttpSession:
        remote = await self._remote.get()
        target = (params.url, params.tenant, params.database, params.timeout)
        found = remote.sessions.get(target)
        if found is not None:
            return found
        session = await asyncio.to_thread(_open_http, self._store, params)
        if cloud:
            session.limit = session.page = CLOUD_LIMIT
            try:
                with with_headers(params.headers):
                    await session.learn_names()
            except BaseException:
                await session.aclose()
                raise
        # Somebody else may have opened it meanwhile.
        kept = remote.sessions.setdefault(target, session)
        if kept is not session:
            await session.aclose()
        return kept


def index_configuration(session: Session, space: str) -> dict[str, Any]:
    """Returns the index of a new collection. The cloud has another kind of index, which takes the distance only."""
    if session.page is not None:
        return {'hnsw': {'space': space}}
    return {'hnsw': {'space': space, 'max_neighbors': _NEIGHBORS, 'ef_construction': _EF_CONSTRUCTION}}


@contextmanager
def with_headers(headers: Mapping[str, str]) -> Generator[None]:
    """Sends headers with the requests inside the block."""
    token = _headers.set(headers)
    try:
        yield
    finally:
        _headers.reset(token)


def _absolute(params: PersistentParams) -> PersistentParams:
    return replace(params, path=str(Path(params.path).expanduser().absolute()))


async def _open_remote() -> _Remote:
    return _Remote({})


def _open_embedded(store: str, params: PersistentParams | EphemeralParams) -> EmbeddedSession:
    chromadb = _import_chromadb()
    if chromadb.is_client:
        raise GenkitError(
            status='FAILED_PRECONDITION',
            message=(
                f'{store}: only the HTTP client of Chroma (chromadb-client) is installed, which has no embedded engine. For '
                'embedded use: pip uninstall chromadb-client, then pip install --force-reinstall chromadb. For a server give '
                'its address: Chroma(..., url=...).'
            ),
        )
    try:
        with _opening:
            if isinstance(params, PersistentParams):
                client = chromadb.PersistentClient(
                    path=str(params.path), tenant=params.tenant, database=params.database
                )
            else:
                client = chromadb.EphemeralClient(tenant=params.tenant, database=params.database)
    except Exception as error:
        what = f'at {params.path}' if isinstance(params, PersistentParams) else 'in memory'
        raise GenkitError(
            status='FAILED_PRECONDITION', message=f'{store}: Chroma cannot be opened {what}: {error}', cause=error
        ) from error
    return EmbeddedSession(store, client)


def _open_http(store: str, params: HttpParams) -> HttpSession:
    _import_chromadb()
    import httpx
    from chromadb.api import AsyncServerAPI
    from chromadb.config import Settings, System

    url = params.url.rstrip('/')
    # chromadb reads the environment and .env as well; what is given here wins.
    settings = Settings(
        chroma_api_impl='chromadb.api.async_fastapi.AsyncFastAPI',
        chroma_server_host=url,
        chroma_server_http_port=0,
        chroma_server_ssl_enabled=url.startswith('https:'),
    )
    server: Any = System(settings).instance(AsyncServerAPI)
    if not hasattr(server, '_get_client'):
        raise GenkitError(
            status='FAILED_PRECONDITION',
            message=f'{store}: this version of chromadb is not supported over HTTP. Install chromadb 1.5.9.',
        )
    http = httpx.AsyncClient(
        timeout=params.timeout,
        # Without TLS there are no certificates to load.
        verify=url.startswith('https:'),
        event_hooks={'request': [_send_headers], 'response': [_raise_for_status]},
    )
    server._get_client = lambda: http  # noqa: SLF001 - see HttpSession; a test watches that it is used
    return HttpSession(store, params, server, http)


async def _send_headers(request: Any) -> None:
    request.headers['Content-Type'] = 'application/json'
    request.headers.update(_headers.get() or {})


async def _raise_for_status(response: Any) -> None:
    # chromadb would lose the status and Retry-After of what it has no class for.
    if response.status_code >= 400:
        await response.aread()
        raise http_error(response.status_code, response.text, response.headers.get('retry-after'))


def _import_chromadb() -> Any:
    try:
        import chromadb
    except ImportError as error:
        raise GenkitError(
            status='FAILED_PRECONDITION',
            message=(
                f'chromadb cannot be imported ({error}). Install it: pip install chromadb, or pip install chromadb-client for '
                'servers only.'
            ),
            cause=error,
        ) from error
    return chromadb
