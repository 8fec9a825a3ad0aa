# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Creating, describing, filling, searching and deleting collections, as the helpers of the JS plugin do."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, TypeVar

from genkit import GenkitError

from genkitx_milvus.connection import Connection, Target
from genkitx_milvus.errors import missing_collection
from genkitx_milvus.plugin import check_name
from genkitx_milvus.schema import NewCollection, check_layout, create, read_layout

T = TypeVar('T')


async def create_milvus_collection(
    name: str,
    dimension: int,
    *,
    new: NewCollection | None = None,
    exist_ok: bool = False,
    uri: str | os.PathLike[str] | None = None,
    token: str | None = None,
    db_name: str = '',
    timeout: float = 30.0,
    client_params: Mapping[str, Any] | None = None,
) -> None:
    """Creates, indexes and loads a collection (JS `createMilvusCollection`).

    Args:
        name: The collection.
        dimension: Length of its vectors.
        new: Its layout; by default that of the JS plugin: keys that Milvus makes, COSINE, a dynamic field.
        exist_ok: Leave a collection that exists as it is, instead of raising, if it has this dimension and layout.
        uri: Where Milvus is, as of `Milvus`.
        token: API key, or `user:password`.
        db_name: Its database.
        timeout: Seconds that a connection, or a call, may take.
        client_params: More arguments of pymilvus's client, such as `server_pem_path` for TLS (JS `clientParams`).

    Raises:
        GenkitError: ALREADY_EXISTS, FAILED_PRECONDITION for one that exists with another dimension or layout, INVALID_ARGUMENT for a
            malformed name or dimension, or why Milvus cannot be reached.
    """
    if isinstance(dimension, bool) or not isinstance(dimension, int) or not 1 <= dimension <= 32_768:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise GenkitError(
            status='INVALID_ARGUMENT', message=f'A dimension is a number from 1 to 32768, not {dimension!r:.100}.'
        )

    wanted = new or NewCollection()

    def work(client: Any) -> None:
        if not client.has_collection(name):
            create(client, name, dimension, wanted)
        elif not exist_ok:
            raise GenkitError(status='ALREADY_EXISTS', message=f"There is a Milvus collection '{name}' already.")
        else:
            _check_existing(name, client.describe_collection(name), dimension, wanted)

    await _administer(name, work, _target(uri, token, db_name, timeout, client_params), must_exist=False)


async def describe_milvus_collection(
    name: str,
    *,
    uri: str | os.PathLike[str] | None = None,
    token: str | None = None,
    db_name: str = '',
    timeout: float = 30.0,
    client_params: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns what Milvus says about a collection (JS `describeMilvusCollection`): fields, functions, consistency, and so on.

    Args:
        name: The collection.
        uri: Where Milvus is, as of `Milvus`.
        token: API key, or `user:password`.
        db_name: Its database.
        timeout: Seconds that a connection, or a call, may take.
        client_params: More arguments of pymilvus's client, such as `server_pem_path` for TLS (JS `clientParams`).

    Raises:
        GenkitError: NOT_FOUND, or why Milvus cannot be reached.
    """
    return await _administer(
        name,
        lambda client: dict(client.describe_collection(name)),
        _target(uri, token, db_name, timeout, client_params),
    )


async def has_milvus_collection(
    name: str,
    *,
    uri: str | os.PathLike[str] | None = None,
    token: str | None = None,
    db_name: str = '',
    timeout: float = 30.0,
    client_params: Mapping[str, Any] | None = None,
) -> bool:
    """Tells whether there is a collection (JS `hasMilvusCollection`).

    Args:
        name: The collection.
        uri: Where Milvus is, as of `Milvus`.
        token: API key, or `user:password`.
        db_name: Its database.
        timeout: Seconds that a connection, or a call, may take.
        client_params: More arguments of pymilvus's client, such as `server_pem_path` for TLS (JS `clientParams`).
    """

    def work(client: Any) -> bool:
        return bool(client.has_collection(name))

    return await _administer(name, work, _target(uri, token, db_name, timeout, client_params), must_exist=False)


async def delete_milvus_collection(
    name: str,
    *,
    uri: str | os.PathLike[str] | None = None,
    token: str | None = None,
    db_name: str = '',
    timeout: float = 30.0,
    client_params: Mapping[str, Any] | None = None,
) -> None:
    """Deletes a collection and everything in it (JS `deleteMilvusCollection`).

    Args:
        name: The collection.
        uri: Where Milvus is, as of `Milvus`.
        token: API key, or `user:password`.
        db_name: Its database.
        timeout: Seconds that a connection, or a call, may take.
        client_params: More arguments of pymilvus's client, such as `server_pem_path` for TLS (JS `clientParams`).

    Raises:
        GenkitError: NOT_FOUND, or why Milvus cannot be reached.
    """
    await _administer(
        name, lambda client: client.drop_collection(name), _target(uri, token, db_name, timeout, client_params)
    )


async def insert_milvus_data(
    name: str,
    entries: Sequence[Mapping[str, Any]],
    *,
    uri: str | os.PathLike[str] | None = None,
    token: str | None = None,
    db_name: str = '',
    timeout: float = 30.0,
    client_params: Mapping[str, Any] | None = None,
) -> list[int | str]:
    """Inserts rows as they are (JS `insertMilvusData`).

    Args:
        name: The collection.
        entries: Rows: `vector`, and what else they shall have, such as `document` and `metadata`.
        uri: Where Milvus is, as of `Milvus`.
        token: API key, or `user:password`.
        db_name: Its database.
        timeout: Seconds that a connection, or a call, may take.
        client_params: More arguments of pymilvus's client, such as `server_pem_path` for TLS (JS `clientParams`).

    Returns:
        The keys.

    Raises:
        GenkitError: NOT_FOUND, INVALID_ARGUMENT for rows that do not fit, UNKNOWN when the answer is lost (the rows may or may not be
            there), or why Milvus cannot be reached.
    """
    rows = [dict(one) for one in entries]
    if not rows:
        return []
    async with _connected(name, _target(uri, token, db_name, timeout, client_params)) as connection:
        if not await connection.call('has_collection', collection_name=name):
            raise missing_collection(connection.name, name)
        return list((await connection.insert(collection_name=name, data=rows))['ids'])


async def search_milvus_data(
    name: str,
    query: Sequence[float],
    *,
    limit: int = 10,
    expression: str = '',
    output_fields: Sequence[str] = ('document', 'metadata'),
    vector_field: str = 'vector',
    uri: str | os.PathLike[str] | None = None,
    token: str | None = None,
    db_name: str = '',
    timeout: float = 30.0,
    client_params: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Searches by a vector and returns rows as they are (JS `searchMilvusData`).

    Args:
        name: The collection.
        query: The vector.
        limit: Most rows to return (JS `limit` or `topk`).
        expression: A Milvus expression (JS `filter`), sent as it is: never build it from input.
        output_fields: Fields of the rows.
        vector_field: The field that is searched.
        uri: Where Milvus is, as of `Milvus`.
        token: API key, or `user:password`.
        db_name: Its database.
        timeout: Seconds that a connection, or a call, may take.
        client_params: More arguments of pymilvus's client, such as `server_pem_path` for TLS (JS `clientParams`).

    Returns:
        `{'id', 'distance', 'entity'}` of each row, best first.

    Raises:
        GenkitError: NOT_FOUND, INVALID_ARGUMENT for a malformed expression, or why Milvus cannot be reached.
    """

    def work(client: Any) -> list[dict[str, Any]]:
        client.load_collection(name)
        fields = list(output_fields)
        found = client.search(
            name, [list(query)], anns_field=vector_field, limit=limit, filter=expression, output_fields=fields
        )
        return [{'id': hit.id, 'distance': hit.distance, 'entity': dict(hit['entity'])} for hit in found[0]]

    return await _administer(name, work, _target(uri, token, db_name, timeout, client_params))


async def _administer(
    name: str,
    work: Callable[[Any], T],
    target: Target,
    *,
    must_exist: bool = True,
) -> T:
    def checked(client: Any) -> T:
        if must_exist and not client.has_collection(name):
            raise missing_collection(_what(name), name)
        return work(client)

    async with _connected(name, target) as connection:
        return await connection.admin(checked)


@contextlib.asynccontextmanager
async def _connected(name: str, target: Target) -> AsyncGenerator[Connection]:
    check_name(name)
    connection = Connection(_what(name), target)
    try:
        yield connection
    finally:
        await connection.aclose()


def _what(name: str) -> str:
    return f"Milvus collection '{name}'"


def _target(
    uri: str | os.PathLike[str] | None,
    token: str | None,
    db_name: str,
    timeout: float,
    client_params: Mapping[str, Any] | None,
) -> Target:
    return Target(uri=uri, token=token, db_name=db_name, timeout=timeout, client_params=client_params or {})


def _check_existing(name: str, described: Mapping[str, Any], dimension: int, wanted: NewCollection) -> None:
    what = _what(name)
    layout = read_layout(what, described, wanted.fields)
    check_layout(what, layout, wanted)
    if layout.dimension != dimension:
        raise GenkitError(
            status='FAILED_PRECONDITION',
            message=(
                f'{what} exists with vectors of {layout.dimension} dimensions, not {dimension}. Create one of another name, or delete '
                'it first.'
            ),
        )
