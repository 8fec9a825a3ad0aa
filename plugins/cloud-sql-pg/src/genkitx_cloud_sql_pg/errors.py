# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's errors as Genkit's."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Generator
from typing import Any, Final

from genkit import GenkitError
from genkit.plugin_api import StatusName

# By SQLSTATE, or by its class (the first two characters).
_BY_CODE: Final[dict[str, StatusName]] = {
    '08': 'UNAVAILABLE',
    '22': 'INVALID_ARGUMENT',
    '23': 'INVALID_ARGUMENT',
    '25006': 'UNAVAILABLE',
    '28': 'UNAUTHENTICATED',
    '3D': 'NOT_FOUND',
    '3F': 'NOT_FOUND',
    '40': 'ABORTED',
    '42': 'INVALID_ARGUMENT',
    '42501': 'PERMISSION_DENIED',
    '42703': 'FAILED_PRECONDITION',
    '42704': 'FAILED_PRECONDITION',
    '42883': 'FAILED_PRECONDITION',
    '42P01': 'NOT_FOUND',
    '42P07': 'ALREADY_EXISTS',
    '42P10': 'FAILED_PRECONDITION',
    '53': 'RESOURCE_EXHAUSTED',
    '54': 'INVALID_ARGUMENT',
    '55P03': 'ABORTED',
    '57': 'UNAVAILABLE',
    '57014': 'DEADLINE_EXCEEDED',
    '0A': 'UNIMPLEMENTED',
}
_HINTS: Final[dict[str, str]] = {
    '25006': (
        ' This server takes no writes: after a failover the next try, on a new connection, reaches the new primary. Otherwise lead '
        "the engine to the primary (target_session_attrs='read-write'), or look at default_transaction_read_only."
    ),
    '28': ' Check user and password of the engine.',
    '42501': ' Grant the role what it needs.',
    '42704': ' Is the extension "vector" installed in this database? Run: CREATE EXTENSION vector.',
    '42P01': ' Create it with engine.init_vectorstore_table(...).',
    '42P10': ' Its id column needs a primary key or a unique index.',
    '53': ' The server is at its limits.',
    '54': ' HNSW and IVFFlat index at most 2000 dimensions of vector, 4000 of halfvec.',
}


def driver() -> Any:
    """Returns asyncpg, which has no types, imported at first use."""
    return importlib.import_module('asyncpg')


@contextlib.contextmanager
def translated(where: str) -> Generator[None]:
    """Turns the driver's errors inside the block into `GenkitError`s that name `where`."""
    try:
        yield
    except GenkitError:
        raise
    except Exception as error:
        raise to_genkit_error(error, where) from error


def to_genkit_error(error: Exception, where: str) -> GenkitError:
    """Maps an error of asyncpg or of the network; what is unknown is INTERNAL."""
    asyncpg = driver()
    code = getattr(error, 'sqlstate', None)
    if isinstance(error, asyncpg.PostgresError) and not is_stale(error) and isinstance(code, str):
        status = _BY_CODE.get(code) or _BY_CODE.get(code[:2], 'INTERNAL')
        hint = _HINTS.get(code) or _HINTS.get(code[:2], '')
        return _error(status, f'{where}: {error} (SQLSTATE {code}).{hint}')
    if isinstance(error, asyncio.TimeoutError | TimeoutError):
        return _error('DEADLINE_EXCEEDED', f'{where}: PostgreSQL did not answer in time.')
    if is_lost(error):
        return _error('UNAVAILABLE', f'{where}: no connection to PostgreSQL ({error}).')
    if isinstance(error, asyncpg.ClientConfigurationError):
        return _error('INVALID_ARGUMENT', f'{where}: the options of the connection do not fit together ({error}).')
    if is_stale(error):
        return _error('ABORTED', f'{where}: the table was changed meanwhile ({error}). Try again.')
    if isinstance(error, asyncpg.DataError | UnicodeError | OverflowError):
        return _error('INVALID_ARGUMENT', f'{where}: a value does not fit its column ({error}).')
    return _error('INTERNAL', f'{where}: {type(error).__name__}: {error}')


def is_lost(error: BaseException) -> bool:
    """Tells whether a connection was lost or could not be made."""
    asyncpg = driver()
    if is_timeout(error):
        return False  # Which is an OSError too.
    if isinstance(error, OSError | asyncpg.PostgresConnectionError | asyncpg.AdminShutdownError | EOFError):
        return True
    if isinstance(error, asyncpg.InternalClientError):
        # A connection that ends in the middle of an answer, or whose end came as an answer to nothing.
        return 'unexpected' in str(error) or 'cannot switch to state' in str(error)
    # asyncpg says so in words only: "connection is closed", "pool is closing", "connection was closed in the middle".
    return (
        isinstance(error, asyncpg.InterfaceError) and not isinstance(error, asyncpg.DataError) and 'clos' in str(error)
    )


def is_timeout(error: BaseException) -> bool:
    """Tells whether an answer took longer than we wait; the timeout of a socket has a number, and is a lost connection."""
    return isinstance(error, asyncio.TimeoutError | TimeoutError) and getattr(error, 'errno', None) is None


def is_stale(error: BaseException) -> bool:
    """Tells whether a statement failed because what the connection remembers of a table is no longer so."""
    asyncpg = driver()
    return isinstance(error, asyncpg.InvalidCachedStatementError | asyncpg.OutdatedSchemaCacheError)


def is_spent(error: BaseException) -> bool:
    """Tells whether the idle connections will most likely fail like this one: by what they remember, or where they lead."""
    return is_stale(error) or isinstance(error, driver().ReadOnlySQLTransactionError)


def _error(status: StatusName, message: str) -> GenkitError:
    # Without the driver's error as its cause, which would only be printed once more; it is in the chain of exceptions.
    return GenkitError(status=status, message=message)
