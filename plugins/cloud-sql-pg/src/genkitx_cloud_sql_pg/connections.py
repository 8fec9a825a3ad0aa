# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Connections: where a DSN leads, when it has to be TLS, and how vectors travel on a connection."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from genkit import GenkitError

from genkitx_cloud_sql_pg import codec
from genkitx_cloud_sql_pg.errors import driver
from genkitx_cloud_sql_pg.sql import vector_text
from genkitx_cloud_sql_pg.tables import TableLayout

_SCHEMES: Final = ('postgresql', 'postgres', 'postgresql+asyncpg')
_LOCAL: Final = ('localhost', '127.0.0.1', '::1')
_SSL_MODES: Final = ('disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full')
_ENCODE: Final = (
    'Special characters in user and password are to be percent-encoded, by urllib.parse.quote(password, safe="").'
)
_UNREADABLE: Final = f'The DSN cannot be read: postgresql://user:password@host:port/database. {_ENCODE}'


@dataclass(frozen=True)
class Target:
    """Where a DSN leads.

    Attributes:
        dsn: The DSN as the driver takes it. It may hold a password and is never shown.
        label: Host and database, for messages.
        ssl: `require` where the DSN leads to another machine and does not say otherwise.
    """

    dsn: str
    label: str
    ssl: str | None

    def __repr__(self) -> str:
        return f'Target({self.label!r})'


def read_dsn(
    dsn: str, environment: Mapping[str, str] = os.environ, *, host: Any = None, database: Any = None
) -> Target:
    """Reads a DSN: `postgresql://user:password@host:port/database?sslmode=...`, or SQLAlchemy's `postgresql+asyncpg://`.

    Args:
        dsn: The DSN.
        environment: Where `PGHOST` and `PGSSLMODE` stand.
        host: The driver's option, a host or a list of them, which comes before the DSN's.
        database: The driver's option, which comes before the DSN's.

    Raises:
        GenkitError: INVALID_ARGUMENT when it is none. The message does not repeat it: it may hold a password.
    """
    scheme, separator, rest = dsn.partition('://')
    if not separator or scheme not in _SCHEMES:
        raise _invalid(f'A DSN starts with one of {", ".join(f"{one}://" for one in _SCHEMES)}.')
    read = _split(rest)
    if read is None:
        raise _invalid(_UNREADABLE)
    parts, query = read
    check_ssl_mode(query.get('sslmode'), "The DSN's sslmode")
    written = parts.netloc.rpartition('@')[2]
    given = [host] if isinstance(host, str) else list(host or ())
    hosts = given or _hosts(written or query.get('host') or environment.get('PGHOST', ''))
    if hosts is None or not all(_is_port(one) for one in query.get('port', '').split(',')):
        raise _invalid(f'The port of the DSN is no number from 1 to 65535. {_ENCODE}')
    remote = any(not one.startswith('/') and one.lower() not in _LOCAL for one in hosts)
    unsaid = 'sslmode' not in query and 'PGSSLMODE' not in environment
    path = parts.path if database is None else f'/{database}'
    label = f'{",".join(hosts) or "the local server"}{path}'
    return Target(f'postgresql://{rest}', label, 'require' if remote and unsaid else None)


def check_ssl_mode(mode: Any, what: str) -> None:
    """Refuses a text that is no SSL mode, without repeating it."""
    if isinstance(mode, str) and mode not in _SSL_MODES:
        raise _invalid(f'{what} is one of {", ".join(_SSL_MODES)}.')


def _split(rest: str) -> tuple[SplitResult, dict[str, str]] | None:
    """Splits a DSN as the driver does; None where a password is cut in pieces, or would be repeated by an error."""
    try:
        parts = urlsplit(f'postgresql://{rest}')
        query = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    except ValueError:
        return None
    # What follows the first / ? or # of a password that is not encoded ends with an @. Of two @ the driver takes the first.
    if '#' in rest or '@' in f'{parts.path}{parts.query}' or parts.netloc.count('@') > 1:
        return None
    return parts, {key: values[-1] for key, values in query.items()}


def _hosts(address: str) -> list[str] | None:
    """Returns the hosts of a list; None when a port is none."""
    hosts: list[str] = []
    for one in filter(None, address.split(',')):
        if one.startswith('/'):
            hosts.append(one)
            continue
        bare, _, after = one[1:].partition(']') if one.startswith('[') else one.partition(':')
        if not _is_port(after.removeprefix(':')):
            return None
        hosts.append(unquote(bare))
    return hosts


def _is_port(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535)


def _invalid(message: str) -> GenkitError:
    return GenkitError(status='INVALID_ARGUMENT', message=message)


@dataclass(frozen=True)
class VectorFormat:
    """How vectors travel: in binary where the connection has the codec, as text where it is somebody else's.

    Attributes:
        cast: What stands before the vector type in a parameter: nothing, or `text::`.
        encode: Turns a vector into a parameter.
        selected: Suffix of a selected vector column.
        decode: Turns a selected value into a vector.
    """

    cast: str
    encode: Callable[[Sequence[float]], Any]
    selected: str
    decode: Callable[[Any], list[float]]


BINARY: Final = VectorFormat('', lambda vector: vector, '', lambda value: value)
TEXT: Final = VectorFormat('text::', vector_text, '::text', json.loads)


async def vector_format(connection: Any, layout: TableLayout) -> VectorFormat:
    """Returns how vectors travel on a connection, and makes the binary way ready on a connection of ours."""
    known: set[tuple[str, str]] | None = getattr(connection, 'vector_types', None)
    if known is None:
        return TEXT
    key = (layout.extension_schema, layout.vector_type)
    if key not in known:
        is_half = layout.vector_type == 'halfvec'
        await connection.set_type_codec(
            layout.vector_type,
            schema=layout.extension_schema,
            encoder=codec.encode_halfvec if is_half else codec.encode_vector,
            decoder=codec.decode_halfvec if is_half else codec.decode_vector,
            format='binary',
        )
        known.add(key)
    return BINARY


@functools.cache
def connection_class() -> type[Any]:
    """Returns our connection class, which remembers which vector types it has codecs for."""
    base: Any = driver().Connection

    def init(self: Any, *arguments: Any, **options: Any) -> None:
        base.__init__(self, *arguments, **options)
        self.vector_types = set()

    return type('VectorConnection', (base,), {'__init__': init})
