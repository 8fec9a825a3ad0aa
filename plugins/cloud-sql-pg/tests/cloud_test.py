# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Cloud SQL and AlloyDB, through connectors that accept exactly what Google's accept and lead to the test server."""

import asyncio
import importlib.util
import inspect
import sys
import threading
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import asyncpg
import pytest
from genkit import GenkitError
from genkitx_cloud_sql_pg import PostgresEngine

IAM = {'iam_email': 'me@project.iam.gserviceaccount.com'}


class ScriptedConnector:
    """What both connectors have in common; subclasses have the signatures of the real ones."""

    made: ClassVar[list[Any]] = []
    refusal: ClassVar[Exception | None] = None
    dsn: ClassVar[str] = ''

    async def _connect(self, name: str, driver: str, options: dict[str, Any]) -> Any:
        assert driver == 'asyncpg'
        assert options.pop('db') == 'app'
        assert self.loop in (None, asyncio.get_running_loop())
        self.loop = asyncio.get_running_loop()
        self.logins.append((name, {key: options.pop(key, None) for key in ('user', 'password', 'enable_iam_auth')}))
        return await asyncpg.connect(self.dsn, **options)

    def _made(self, **arguments: Any) -> None:
        self.arguments = arguments
        self.logins: list[Any] = []
        self.closed = False
        self.loop: Any = None
        self.thread = threading.get_ident()
        if ScriptedConnector.refusal is not None:
            raise ScriptedConnector.refusal
        ScriptedConnector.made.append(self)


class Connector(ScriptedConnector):
    """`google.cloud.sql.connector.Connector`."""

    def __init__(
        self, ip_type: str = 'PUBLIC', loop: Any = None, user_agent: Any = None, refresh_strategy: str = 'background'
    ) -> None:
        # With any other strategy the real one starts a task on the loop at once.
        assert loop.is_running()
        assert refresh_strategy == 'lazy'
        self._made(ip_type=ip_type, user_agent=user_agent, refresh_strategy=refresh_strategy)
        self.loop = loop

    async def connect_async(self, instance_connection_string: str, driver: str, **kwargs: Any) -> Any:
        return await self._connect(instance_connection_string, driver, kwargs)

    async def close_async(self) -> None:
        self.closed = True


class AsyncConnector(ScriptedConnector):
    """`google.cloud.alloydbconnector.AsyncConnector`."""

    def __init__(self, ip_type: str = 'PRIVATE', user_agent: Any = None, refresh_strategy: str = 'background') -> None:
        self._made(ip_type=ip_type, user_agent=user_agent, refresh_strategy=refresh_strategy)

    async def connect(self, instance_uri: str, driver: str, **kwargs: Any) -> Any:
        return await self._connect(instance_uri, driver, kwargs)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def made(dsn: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The connectors that were made."""
    ScriptedConnector.made = []
    ScriptedConnector.refusal = None
    ScriptedConnector.dsn = dsn
    for name, cls in (('google.cloud.sql.connector', Connector), ('google.cloud.alloydbconnector', AsyncConnector)):
        module = ModuleType(name)
        setattr(module, cls.__name__, cls)
        monkeypatch.setitem(sys.modules, name, module)
        for i in range(1, name.count('.') + 1):
            parent = '.'.join(name.split('.')[:i])
            if parent not in sys.modules:
                monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
    return ScriptedConnector.made


async def test_cloud_sql_by_password(made: list[Any]) -> None:
    engine = PostgresEngine.from_instance(
        'project', 'region', 'instance', 'app', ip_type='PRIVATE', user='u', password='s3cret'
    )
    assert made == []
    assert (await engine.test_connection())['postgresql']
    assert made[0].arguments['ip_type'] == 'PRIVATE'
    assert 'genkitx-cloud-sql-pg' in made[0].arguments['user_agent']
    assert made[0].logins == [('project:region:instance', {'user': 'u', 'password': 's3cret', 'enable_iam_auth': None})]
    await engine.aclose()
    assert made[0].closed


async def test_alloydb_by_iam(made: list[Any]) -> None:
    engine = PostgresEngine.from_alloydb_instance('project', 'region', 'cluster', 'instance', 'app', **IAM)
    await engine.init_vectorstore_table('genkitx_cloud_test', 8, overwrite_existing=True)
    await engine.drop_vectorstore_table('genkitx_cloud_test')
    assert made[0].arguments['ip_type'] == 'PUBLIC'
    name = 'projects/project/locations/region/clusters/cluster/instances/instance'
    # A database user of a service account is its address without the end.
    assert made[0].logins == [(name, {'user': 'me@project.iam', 'password': None, 'enable_iam_auth': True})]
    await engine.aclose()
    assert made[0].closed


@pytest.mark.parametrize(
    'make',
    [
        lambda: PostgresEngine.from_instance('p', 'r', 'i', 'app', **IAM),
        lambda: PostgresEngine.from_alloydb_instance('p', 'r', 'c', 'i', 'app', **IAM),
    ],
)
async def test_connectors_are_made_off_the_loop(made: list[Any], make: Callable[[], PostgresEngine]) -> None:
    engine = make()
    await engine.test_connection()
    # Its constructor looks for credentials, which takes seconds.
    assert made[0].thread != threading.get_ident()
    assert made[0].loop is asyncio.get_running_loop()
    async with engine.connection() as connection:
        assert connection._config.command_timeout == 60
    await engine.aclose()
    # A subclass, as google-auth has them for what cannot be refreshed, for example.
    base = type('GoogleAuthError', (Exception,), {'__module__': 'google.auth.exceptions'})
    ScriptedConnector.refusal = type('DefaultCredentialsError', (base,), {})('no credentials')
    with pytest.raises(GenkitError, match='gcloud auth application-default login') as error:
        await engine.test_connection()
    assert error.value.status == 'UNAUTHENTICATED'


def test_a_connector_for_each_loop(made: list[Any]) -> None:
    engine = PostgresEngine.from_instance('p', 'r', 'i', 'app', **IAM)
    for _ in range(3):
        asyncio.run(engine.test_connection())
    assert len({id(one.loop) for one in made}) == len(made) == 3
    assert all(one.closed for one in made)


async def test_the_address_of_the_environments_credentials(made: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = SimpleNamespace(
        service_account_email='sa@p.iam.gserviceaccount.com', token='t', refresh=lambda _: None
    )
    auth = ModuleType('google.auth')
    auth.default = lambda scopes: (credentials, 'p')  # type: ignore[attr-defined]
    requests = ModuleType('google.auth.transport.requests')
    requests.Request = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, 'google.auth', auth)
    monkeypatch.setitem(sys.modules, 'google.auth.transport', ModuleType('google.auth.transport'))
    monkeypatch.setitem(sys.modules, 'google.auth.transport.requests', requests)
    engine = PostgresEngine.from_instance('p', 'r', 'i', 'app')
    await engine.test_connection()
    assert made[0].logins[0][1]['user'] == 'sa@p.iam'
    await engine.aclose()

    def nothing(scopes: Any) -> Any:
        raise RuntimeError('no credentials')

    auth.default = nothing  # type: ignore[attr-defined]
    with pytest.raises(GenkitError, match='Failed to automatically obtain') as error:
        await engine.test_connection()
    assert error.value.status == 'UNAUTHENTICATED'
    await engine.aclose()


@pytest.mark.skipif(
    importlib.util.find_spec('google') is not None
    and importlib.util.find_spec('google.cloud') is not None
    and importlib.util.find_spec('google.cloud.sql') is not None,
    reason='the connector is installed',
)
async def test_without_the_connector() -> None:
    engine = PostgresEngine.from_instance('p', 'r', 'i', 'app', **IAM)
    with pytest.raises(GenkitError, match=r'genkitx-cloud-sql-pg\[cloud-sql\]') as error:
        await engine.test_connection()
    assert error.value.status == 'FAILED_PRECONDITION'


@pytest.mark.parametrize(
    ('module', 'scripted'),
    [('google.cloud.sql.connector', Connector), ('google.cloud.alloydbconnector', AsyncConnector)],
)
def test_the_scripts_have_the_real_signatures(module: str, scripted: type) -> None:
    real = getattr(pytest.importorskip(module, reason='the connector is not installed'), scripted.__name__)
    for name in vars(scripted):
        if name == '__init__' or (not name.startswith('_') and callable(getattr(scripted, name))):
            ours, theirs = inspect.signature(getattr(scripted, name)), inspect.signature(getattr(real, name))
            assert set(ours.parameters) <= set(theirs.parameters)
