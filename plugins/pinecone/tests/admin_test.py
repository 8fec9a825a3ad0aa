# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Creating, describing and deleting indexes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from genkit import Document, GenkitError
from genkitx.testing import HashEmbedder
from genkitx_pinecone import (
    ClientParams,
    Pinecone,
    PodSpec,
    ServerlessSpec,
    create_pinecone_index,
    delete_pinecone_index,
    describe_pinecone_index,
)
from pinecone_server import FakePinecone, Fault


async def test_create_use_describe_delete(service: FakePinecone, params: ClientParams, fresh: Any) -> None:
    name = fresh()
    created = await create_pinecone_index(name, dimension=8, metric='dotproduct', tags={'a': 'b'}, client_params=params)
    assert (created.name, created.dimension, created.metric, created.ready) == (name, 8, 'dotproduct', True)
    assert created.host is not None
    assert created.host.startswith('http://127.0.0.1:')
    assert orjson.loads(service.requests[0].body) == {
        'name': name,
        'schema': {'fields': {'_values': {'type': 'dense_vector', 'dimension': 8, 'metric': 'dotproduct'}}},
        'deployment': {'deployment_type': 'managed', 'cloud': 'aws', 'region': 'us-east-1'},
        'tags': {'a': 'b'},
    }
    plugin = Pinecone([name], embedder=HashEmbedder(8), client_params=params)
    await plugin.collection(name).add([Document.from_text('x')])
    await plugin.aclose()
    described = await describe_pinecone_index(name, client_params=params)
    assert described == created
    assert described.tags == {'a': 'b'}
    await delete_pinecone_index(name, client_params=params)
    for call in (describe_pinecone_index, delete_pinecone_index):
        with pytest.raises(GenkitError, match='create_pinecone_index') as error:
            await call(name, client_params=params)
        assert error.value.status == 'NOT_FOUND'
    await service.all_closed()


@pytest.mark.parametrize(
    ('spec', 'deployment'),
    [
        (ServerlessSpec(cloud='gcp', region='eu'), {'deployment_type': 'managed', 'cloud': 'gcp', 'region': 'eu'}),
        (
            PodSpec(environment='us-east1-gcp', replicas=2),
            {
                'deployment_type': 'pod',
                'environment': 'us-east1-gcp',
                'pod_type': 'p1.x1',
                'replicas': 2,
                'shards': 1,
            },
        ),
    ],
)
async def test_serverless_and_pods(
    service: FakePinecone, params: ClientParams, fresh: Any, spec: Any, deployment: dict[str, Any]
) -> None:
    created = await create_pinecone_index(fresh(), dimension=8, spec=spec, sparse=True, client_params=params)
    (body,) = service.bodies('/indexes')
    assert body['deployment'] == deployment
    assert body['schema']['fields']['_sparse_values'] == {'type': 'sparse_vector'}
    assert deployment.items() <= dict(created.deployment).items()
    assert created.dimension == 8


async def test_waiting_until_ready(service: FakePinecone, params: ClientParams, fresh: Any) -> None:
    service.looks_until_ready = 3
    created = await create_pinecone_index(fresh(), dimension=8, client_params=params)
    assert created.ready
    service.looks_until_ready = 99
    created = await create_pinecone_index(fresh(), dimension=8, wait_until_ready=False, client_params=params)
    assert (created.ready, created.state) == (False, 'Initializing')
    with pytest.raises(GenkitError, match=r'not ready within 0\.2 seconds') as error:
        await create_pinecone_index(fresh(), dimension=8, timeout=0.2, client_params=params)
    assert error.value.status == 'DEADLINE_EXCEEDED'


async def test_waiting_until_gone(service: FakePinecone, params: ClientParams, fresh: Any) -> None:
    name = fresh()
    service.create(name).looks_until_ready = 2
    await delete_pinecone_index(name, client_params=params)
    assert name not in service.indexes
    name = fresh()
    service.create(name).looks_until_ready = 99
    with pytest.raises(GenkitError, match='not gone') as error:
        await delete_pinecone_index(name, timeout=0.2, client_params=params)
    assert error.value.status == 'DEADLINE_EXCEEDED'
    await delete_pinecone_index(name, wait_until_gone=False, client_params=params)


async def test_an_index_that_fails_to_start(service: FakePinecone, params: ClientParams, fresh: Any) -> None:
    name = fresh()
    service.create(name).state = 'InitializationFailed'
    with pytest.raises(GenkitError, match='InitializationFailed') as error:
        await create_pinecone_index(name, dimension=64, exist_ok=True, client_params=params)
    assert error.value.status == 'FAILED_PRECONDITION'


async def test_existing_and_protected(service: FakePinecone, params: ClientParams, fresh: Any) -> None:
    name = fresh()
    await create_pinecone_index(name, dimension=8, deletion_protection=True, client_params=params)
    with pytest.raises(GenkitError) as error:
        await create_pinecone_index(name, dimension=8, client_params=params)
    assert error.value.status == 'ALREADY_EXISTS'
    again = await create_pinecone_index(name, dimension=16, exist_ok=True, client_params=params)
    assert (again.dimension, again.deletion_protection) == (8, True)
    with pytest.raises(GenkitError, match='protection') as error:
        await delete_pinecone_index(name, client_params=params)
    assert error.value.status == 'PERMISSION_DENIED'


@pytest.mark.parametrize(
    'arguments',
    [{'name': 'A'}, {'dimension': 0}, {'dimension': 20_001}, {'dimension': True}, {'metric': 'l2'}, {'name': 'a/../b'}],
)
async def test_bad_arguments_are_refused_before_anything_is_sent(
    service: FakePinecone, params: ClientParams, arguments: dict[str, Any]
) -> None:
    with pytest.raises(GenkitError) as error:
        await create_pinecone_index(**{'name': 'a', 'dimension': 8, 'client_params': params, **arguments})
    assert error.value.status == 'INVALID_ARGUMENT'
    assert service.requests == []


async def test_a_service_that_is_down(no_pauses: list[float], service: FakePinecone, params: ClientParams) -> None:
    service.faults.append(Fault('cut', path='/indexes', times=99))
    with pytest.raises(GenkitError) as error:
        await describe_pinecone_index('docs', client_params=params)
    assert error.value.status == 'UNAVAILABLE'


@pytest.mark.parametrize('fault', [Fault('cut-late'), Fault('status', status=500)])
async def test_creating_is_not_repeated_blindly(
    no_pauses: list[float], service: FakePinecone, params: ClientParams, fresh: Any, fault: Fault
) -> None:
    name = fresh()
    service.faults.append(replace(fault, path='/indexes'))
    with pytest.raises(GenkitError) as error:
        await create_pinecone_index(name, dimension=8, client_params=params)
    assert (error.value.status, service.paths()) == ('UNAVAILABLE', ['POST /indexes'])
    service.faults.append(Fault('status', path='/indexes', status=429))
    assert (await create_pinecone_index(name, dimension=8, exist_ok=True, client_params=params)).ready
