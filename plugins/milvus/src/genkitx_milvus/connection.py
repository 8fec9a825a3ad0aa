# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Opening pymilvus: one asynchronous client an event loop, one embedded engine a directory, and nothing before it is needed."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from genkit import GenkitError
from genkitx.lifecycle import PerLoop

from genkitx_milvus.errors import lost_answer, translate

T = TypeVar('T')

DEFAULT_URI: Final = './milvus.db'
"""The embedded engine where nothing is said."""
_SECRET_MARKS: Final = ('@', '?', '#')


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where Milvus is.

    Attributes:
        uri: `http(s)://host:port` of a server, cluster or cloud; a path ending in `.db` is an embedded engine. By default
            `MILVUS_URI`, or else `./milvus.db`.
        token: API key, or `user:password`. By default `MILVUS_TOKEN`.
        db_name: The database.
        timeout: Seconds that a call may take, the client's own retries included.
        client_params: More arguments of pymilvus's client, such as `server_pem_path` or `grpc_options`.

    Raises:
        GenkitError: INVALID_ARGUMENT for an address that is none, or that has credentials in it.
    """

    uri: str | os.PathLike[str] | None = None
    token: str | None = field(default=None, repr=False)
    db_name: str = ''
    timeout: float = 30.0
    client_params: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def __post_init__(self) -> None:
        if self.uri is not None:
            check_uri(str(self.uri))


class Connection:
    """The clients of one database, shared by the collections of a plugin.

    Args:
        name: Who asks, for messages.
        target: Where Milvus is.
        keep_engine: Whether an embedded engine stays open until `aclose`; else only as long as an event loop has a client.
    """

    def __init__(self, name: str, target: Target, *, keep_engine: bool = True) -> None:
        self.name = name
        self.target = target
        self._keep_engine = keep_engine
        self._loops: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
        self._clients: PerLoop[Any] = PerLoop(self._open, self._close)
        self._directory: str | None = None
        self._lock = threading.Lock()

    async def client(self) -> Any:
        """Returns the running loop's `AsyncMilvusClient`."""
        return await self._clients.get()

    async def call(self, method: str, **arguments: Any) -> Any:
        """Calls a method of the client."""
        client = await self.client()
        try:
            return await getattr(client, method)(timeout=self.target.timeout, **arguments)
        except Exception as error:
            raise translate(self.name, error) from error

    async def insert(self, **arguments: Any) -> Any:
        """Inserts rows whose keys Milvus makes, once: a repetition would add them again."""
        client = await self.client()
        try:
            # Given a timeout, pymilvus repeats until it is over, whatever retry_times says.
            return await asyncio.wait_for(client.insert(retry_times=0, **arguments), self.target.timeout)
        except Exception as error:
            raise lost_answer(self.name, error) from error

    async def admin(self, work: Callable[[Any], T]) -> T:
        """Does work with a synchronous client in a thread: the asynchronous one cannot change schemas on every engine."""
        return await asyncio.to_thread(self._admin, work)

    async def aclose(self) -> None:
        """Closes the clients, and the embedded engine with its last user in this process."""
        await self._clients.aclose()
        await self._leave_engine()

    async def _leave_engine(self) -> None:
        with self._lock:
            directory, self._directory = self._directory, None
        if directory is not None:
            await asyncio.to_thread(_engines.leave, directory)

    async def _close(self, client: Any) -> None:
        try:
            await client.close()
        finally:
            with self._lock:
                self._loops.discard(asyncio.get_running_loop())
                unused = not self._loops
            if unused and not self._keep_engine:
                await self._leave_engine()

    async def _open(self) -> Any:
        with self._lock:
            self._loops.add(asyncio.get_running_loop())
        uri, pymilvus = await asyncio.to_thread(self._start)
        try:
            client = pymilvus.AsyncMilvusClient(uri, dedicated=True, **self._arguments())
            # The methods connect by themselves, but not in a way that is safe when several are first.
            await client.__aenter__()
        except Exception as error:
            raise _connecting(self.name, uri, error) from error
        return client

    def _admin(self, work: Callable[[Any], T]) -> T:
        uri, pymilvus = self._start()
        try:
            client = pymilvus.MilvusClient(uri, dedicated=True, **self._arguments())
        except Exception as error:
            raise _connecting(self.name, uri, error) from error
        try:
            return work(client)
        except Exception as error:
            raise translate(self.name, error) from error
        finally:
            client.close()

    def _start(self) -> tuple[str, Any]:
        """Returns the address to connect to, with an embedded engine started; imports pymilvus, which takes seconds."""
        uri = str(self.target.uri if self.target.uri is not None else os.environ.get('MILVUS_URI') or DEFAULT_URI)
        check_uri(uri)
        try:
            import pymilvus  # pyright: ignore[reportMissingTypeStubs]
        except ImportError as error:
            raise GenkitError(
                status='FAILED_PRECONDITION', message=f'{self.name}: pymilvus cannot be imported: {error}', cause=error
            ) from error
        if not is_embedded(uri):
            return uri, pymilvus
        with self._lock:
            if self._directory is None:
                directory = str(Path(uri).expanduser().absolute())
                self._address = _engines.join(self.name, directory)
                self._directory = directory
            return self._address, pymilvus

    def _arguments(self) -> dict[str, Any]:
        embedded = self._directory is not None
        token = '' if embedded else self.target.token or os.environ.get('MILVUS_TOKEN') or ''
        return {
            'token': token,
            'db_name': self.target.db_name,
            'timeout': self.target.timeout,
            **self.target.client_params,
        }


class _Engines:
    """The embedded engines of this process, each with the number of its users: only one process may open a directory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: dict[str, int] = {}

    def join(self, name: str, directory: str) -> str:
        with self._lock:
            Path(directory).parent.mkdir(parents=True, exist_ok=True)
            address = _manager(name).start_and_get_uri(directory)
            if address is None:
                raise GenkitError(
                    status='FAILED_PRECONDITION',
                    message=(
                        f'{name}: Milvus Lite cannot open {directory}. Another process may have it open: only one can. The log '
                        'of milvus_lite says more.'
                    ),
                )
            self._users[directory] = self._users.get(directory, 0) + 1
            return address

    def leave(self, directory: str) -> None:
        with self._lock:
            self._users[directory] -= 1
            if self._users[directory] == 0:
                del self._users[directory]
                _manager(directory).release_server(directory)


_engines: Final = _Engines()


def is_embedded(uri: str) -> bool:
    """Tells whether an address is a directory of Milvus Lite."""
    return uri.endswith('.db') and '://' not in uri


def check_uri(uri: str) -> None:
    """Checks an address.

    Raises:
        GenkitError: INVALID_ARGUMENT.
    """
    if is_embedded(uri) or uri.startswith('unix:'):
        return
    if any(mark in uri for mark in _SECRET_MARKS):
        # Not shown: what stands before an @ or after a ? may be a secret.
        raise GenkitError(
            status='INVALID_ARGUMENT',
            message=(
                "A Milvus address is a server's, such as 'http://localhost:19530', without user, password or query. Give them as "
                "token='user:password', or token='<API key>'."
            ),
        )
    try:
        parts = urlsplit(uri)
        good = parts.scheme in ('http', 'https', 'tcp') and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise GenkitError(
            status='INVALID_ARGUMENT',
            message=f"A Milvus address is a server's, such as 'http://localhost:19530', or a path that ends in .db, not {uri!r}.",
        )


@functools.cache
def _import_manager() -> Any:
    from milvus_lite import server_manager_instance  # pyright: ignore[reportMissingTypeStubs]

    return server_manager_instance


def _manager(name: str) -> Any:
    try:
        return _import_manager()
    except ImportError as error:
        raise GenkitError(
            status='FAILED_PRECONDITION',
            message=(
                f"{name}: the embedded engine is not installed: pip install 'genkitx-milvus[lite]'. For a server give its address: "
                "Milvus(..., uri='http://localhost:19530'), or set MILVUS_URI."
            ),
            cause=error,
        ) from error


def _connecting(name: str, uri: str, error: Exception) -> GenkitError:
    translated = translate(name, error)
    if translated.status not in ('UNAVAILABLE', 'DEADLINE_EXCEEDED'):
        return translated
    return GenkitError(
        status=translated.status,
        message=f'{name}: Milvus cannot be reached at {uri}. Is it running, and is the token right? {translated.original_message}',
        cause=error,
    )
