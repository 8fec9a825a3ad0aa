# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Instances of Cloud SQL and AlloyDB, reached through Google's connectors: TLS and IAM without certificates or passwords."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from genkit import GenkitError

IpType: TypeAlias = Literal['PUBLIC', 'PRIVATE', 'PSC']
"""How an instance is reached: its public address, a private one, or Private Service Connect."""

USER_AGENT: Final = 'genkitx-cloud-sql-pg-python'
_TOKENINFO: Final = 'https://oauth2.googleapis.com/tokeninfo'


@dataclass(frozen=True)
class Login:
    """Who logs in: a user with a password, or an IAM principal.

    Attributes:
        user: Database user, together with `password`.
        password: Its password.
        iam_email: The IAM principal; by default that of the environment's credentials.
    """

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    iam_email: str | None = None

    def __post_init__(self) -> None:
        if (self.user is None) != (self.password is None):
            raise GenkitError(
                status='INVALID_ARGUMENT',
                message=(
                    "Only one of 'user' or 'password' were specified. Either both should be specified to use basic "
                    'user/password authentication or neither for IAM DB authentication.'
                ),
            )

    async def arguments(self) -> dict[str, Any]:
        """Returns the connector's arguments."""
        if self.user is not None:
            return {'user': self.user, 'password': self.password}
        email = self.iam_email or await default_email()
        return {'user': email.removesuffix('.gserviceaccount.com'), 'enable_iam_auth': True}


@dataclass(frozen=True)
class CloudSqlInstance:
    """A Cloud SQL instance."""

    project: str
    region: str
    instance: str
    database: str
    ip_type: IpType
    login: Login

    @property
    def label(self) -> str:
        """The instance, for messages."""
        return f'{self.project}:{self.region}:{self.instance}/{self.database}'

    async def connector(self) -> tuple[Callable[..., Awaitable[Any]], Callable[[], Awaitable[Any]]]:
        """Opens a connector for the running loop; returns what connects and what closes it."""
        # Refreshing lazily it starts nothing on the loop yet, which would have to be done there.
        opened = await _open(
            ('google.cloud.sql.connector', 'Connector', 'cloud-sql'),
            loop=asyncio.get_running_loop(),
            ip_type=self.ip_type,
        )
        name = f'{self.project}:{self.region}:{self.instance}'

        async def connect(**options: Any) -> Any:
            login = await self.login.arguments()
            with _authenticated():
                return await opened.connect_async(name, 'asyncpg', db=self.database, **login, **options)

        return connect, opened.close_async


@dataclass(frozen=True)
class AlloyDbInstance:
    """An AlloyDB instance."""

    project: str
    region: str
    cluster: str
    instance: str
    database: str
    ip_type: IpType
    login: Login

    @property
    def label(self) -> str:
        """The instance, for messages."""
        return f'{self.project}:{self.region}:{self.cluster}:{self.instance}/{self.database}'

    async def connector(self) -> tuple[Callable[..., Awaitable[Any]], Callable[[], Awaitable[Any]]]:
        """Opens a connector for the running loop; returns what connects and what closes it."""
        # It takes the loop in which it connects.
        opened = await _open(('google.cloud.alloydbconnector', 'AsyncConnector', 'alloydb'), ip_type=self.ip_type)
        name = f'projects/{self.project}/locations/{self.region}/clusters/{self.cluster}/instances/{self.instance}'

        async def connect(**options: Any) -> Any:
            login = await self.login.arguments()
            with _authenticated():
                return await opened.connect(name, 'asyncpg', db=self.database, **login, **options)

        return connect, opened.close


async def default_email() -> str:
    """Returns the e-mail address of the environment's credentials (Application Default Credentials).

    Raises:
        GenkitError: UNAUTHENTICATED when there are none, or they have no address.
    """
    credentials = await asyncio.to_thread(_default_credentials)
    email = getattr(credentials, 'service_account_email', None)
    if not email or email == 'default':
        email = await _email_of_token(credentials.token)
    if not email:
        raise _no_email()
    return email


def _default_credentials() -> Any:
    try:
        auth: Any = importlib.import_module('google.auth')
        transport: Any = importlib.import_module('google.auth.transport.requests')
        credentials, _ = auth.default(scopes=['https://www.googleapis.com/auth/userinfo.email'])
        credentials.refresh(transport.Request())
    except Exception as error:
        raise _no_email() from error
    return credentials


async def _email_of_token(token: str) -> str | None:
    import httpx

    async with httpx.AsyncClient(timeout=30) as client:
        # In the body: an address ends up in logs.
        response = await client.post(_TOKENINFO, data={'access_token': token})
    return response.json().get('email') if response.is_success else None


def _no_email() -> GenkitError:
    return GenkitError(
        status='UNAUTHENTICATED',
        message=(
            "Failed to automatically obtain authenticated IAM principal's email address using environment's ADC "
            'credentials! Give iam_email=..., or user and password.'
        ),
    )


async def _open(connector: tuple[str, str, str], **arguments: Any) -> Any:
    """Makes a connector of a module, a class and an extra.

    In a thread: the import takes seconds, and the constructor looks for default credentials, in files and over the network.
    """
    module, name, extra = connector

    def make() -> Any:
        made = getattr(_import(module, extra), name)
        with _authenticated():
            return made(user_agent=USER_AGENT, refresh_strategy='lazy', **arguments)

    return await asyncio.to_thread(make)


@contextlib.contextmanager
def _authenticated() -> Generator[None]:
    """Turns errors of google-auth, which may not be installed, into UNAUTHENTICATED."""
    try:
        yield
    except Exception as error:
        if not any(one.__module__ == 'google.auth.exceptions' for one in type(error).__mro__):
            raise
        raise GenkitError(
            status='UNAUTHENTICATED',
            message=(
                "Google's connector found no valid credentials. Run: gcloud auth application-default login, or point "
                'GOOGLE_APPLICATION_CREDENTIALS to the key of a service account. They are needed with user and password too.'
            ),
        ) from error


def _import(module: str, extra: str) -> Any:
    # By name: the connectors are optional and large, and neither has usable types.
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise GenkitError(
            status='FAILED_PRECONDITION',
            message=f"This needs Google's connector. Install it: pip install 'genkitx-cloud-sql-pg[{extra}]'.",
            cause=error,
        ) from error
