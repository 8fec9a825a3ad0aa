# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""The way to Groq: one SDK client per event loop, keys, aborts, and errors translated."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

from genkit import ActionRunContext, GenkitError
from genkitx.lifecycle import PerLoop
from pydantic import SecretStr

from genkitx_groq.catalog import LABELS
from genkitx_groq.errors import Origin, to_genkit_error

if TYPE_CHECKING:
    import httpx
    from groq import AsyncGroq

T = TypeVar('T')

MISSING_KEY: Final = 'Please provide the API key or set the GROQ_API_KEY environment variable'
CONTEXT_KEY: Final = 'groq_api_key'
"""Name of a call's key in the action context: `context={'secrets': {'groq_api_key': ...}}`."""

_API_PATH: Final = '/openai/v1'


def key_of(config: HasKey, ctx: ActionRunContext[Any]) -> SecretStr | None:
    """The key that a call brings: that of its config, else that of its context.

    Genkit writes a plain dict's key into the span of `generate`, but never the secrets of a context.
    """
    if config.api_key is not None and config.api_key.get_secret_value():
        return config.api_key
    secrets: Any = ctx.context.get('secrets')
    key: Any = cast('dict[str, Any]', secrets).get(CONTEXT_KEY) if isinstance(secrets, dict) else None
    return SecretStr(key) if isinstance(key, str) and key else None


class HasKey(Protocol):
    """Options with a key."""

    api_key: SecretStr | None


class Connection:
    """How one plugin reaches Groq.

    Args:
        name: The plugin's name.
        api_key: Key for requests that bring none; None: `GROQ_API_KEY`, read when it is needed.
        base_url: Root of the API; None: `GROQ_BASE_URL`, else Groq's. A trailing `/openai/v1` is taken off.
        timeout: Seconds per request; None: the SDK's (60).
        max_retries: Retries of the SDK; None: the SDK's (2).
        default_headers: Headers of every request.
        http_client: Client to use instead of one per event loop; never closed here.
    """

    def __init__(
        self,
        *,
        name: str,
        api_key: str | None,
        base_url: str | None,
        timeout: float | None,
        max_retries: int | None,
        default_headers: Mapping[str, str] | None,
        http_client: httpx.AsyncClient | None,
    ) -> None:
        self.name = name
        self.listed: list[str] = []
        self._api_key = SecretStr(api_key) if api_key is not None else None
        self._base_url = base_url
        self._options: dict[str, Any] = {
            'timeout': timeout,
            'max_retries': max_retries,
            'default_headers': dict(default_headers) if default_headers is not None else None,
            'http_client': http_client,
        }
        self._clients = PerLoop(self._open, self._close)

    async def aclose(self) -> None:
        """Close the clients; the next request opens a new one."""
        await self._clients.aclose()

    async def client(self) -> AsyncGroq:
        """The running event loop's client."""
        return await self._clients.get()

    def key(self, own: SecretStr | None = None) -> str:
        """The key to send.

        Args:
            own: The request's own key.

        Raises:
            GenkitError: FAILED_PRECONDITION without any key, INVALID_ARGUMENT for one that no header can carry.
        """
        secret = own or self._api_key
        key = (secret.get_secret_value() if secret is not None else os.environ.get('GROQ_API_KEY', '')).strip()
        if not key:
            raise GenkitError(status='FAILED_PRECONDITION', message=MISSING_KEY)
        if not key.isascii() or not key.isprintable() or ' ' in key:
            raise GenkitError(
                status='INVALID_ARGUMENT',
                message='The Groq API key has characters that no key has; check how it is set.',
            )
        return key

    async def run(
        self,
        work: Callable[[AsyncGroq], Coroutine[Any, Any, T]],
        *,
        model: str,
        api_key: SecretStr | None,
        abort_signal: asyncio.Event,
    ) -> T:
        """Do `work` with a client that has the request's key.

        Args:
            work: What to do.
            model: Id of the model, for error messages.
            api_key: The request's own key, if it has one.
            abort_signal: Ends the request when it is set.

        Raises:
            GenkitError: Every failure of Groq or the connection; CANCELLED when aborted.
        """
        key = self.key(api_key)
        client = await self.client()
        if client.api_key != key:
            # A copy on the same connections. Not a header of the request: the SDK logs those when it debugs.
            client = client.with_options(api_key=key)
        try:
            return await _until_aborted(work(client), abort_signal)
        except GenkitError:
            raise
        except Exception as error:
            known = {*LABELS, *self.listed}
            mapped = to_genkit_error(error, Origin(model=model, key=key, known=known, prefix=self.name))
            if mapped is None:
                raise
            raise mapped from mapped.__cause__

    async def _open(self) -> AsyncGroq:
        # Importing the SDK and reading the certificates take a good part of a second: not on the event loop.
        return await asyncio.to_thread(self._build)

    def _build(self) -> AsyncGroq:
        from groq import AsyncGroq

        options = {name: value for name, value in self._options.items() if value is not None}
        base_url = self._base_url or os.environ.get('GROQ_BASE_URL')
        if base_url:
            options['base_url'] = base_url.rstrip('/').removesuffix(_API_PATH)
        try:
            key = self.key()
        except GenkitError:
            key = ''  # Requests bring their own.
        return AsyncGroq(api_key=key, **options)

    async def _close(self, client: AsyncGroq) -> None:
        if self._options['http_client'] is None:
            await client.close()


async def _until_aborted(work: Coroutine[Any, Any, T], abort_signal: asyncio.Event) -> T:
    """Run `work` until it is done or the caller aborts; either way, and when cancelled, nothing is left running."""
    task = asyncio.ensure_future(work)
    watcher = asyncio.ensure_future(abort_signal.wait())
    try:
        await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise GenkitError(status='CANCELLED', message='The request was aborted.')
        return task.result()
    finally:
        watcher.cancel()
        if not task.done():
            task.cancel()
        await asyncio.wait({task, watcher})
