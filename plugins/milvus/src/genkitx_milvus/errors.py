# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Milvus's errors as GenkitErrors, each with the status that says whether trying again helps."""

from __future__ import annotations

import re
from typing import Any, Final, cast

from genkit import GenkitError
from genkit.plugin_api import StatusName
from genkitx.stores import dimension_error
from genkitx.stores.retry import RETRYABLE

NOT_LOADED: Final = frozenset({101, 103, 201, 202})
NO_COLLECTION: Final = 100
NO_PARTITION: Final = 200

# Codes of Milvus 2.3 and later (pkg/util/merr), and of Milvus Lite where it has its own.
_CODES: Final[dict[int, StatusName]] = {
    2: 'UNAVAILABLE',
    3: 'RESOURCE_EXHAUSTED',
    4: 'RESOURCE_EXHAUSTED',
    5: 'UNAVAILABLE',
    6: 'INVALID_ARGUMENT',
    7: 'RESOURCE_EXHAUSTED',
    8: 'RESOURCE_EXHAUSTED',
    9: 'RESOURCE_EXHAUSTED',
    10: 'UNIMPLEMENTED',
    NO_COLLECTION: 'NOT_FOUND',
    101: 'FAILED_PRECONDITION',
    102: 'RESOURCE_EXHAUSTED',
    103: 'UNAVAILABLE',
    NO_PARTITION: 'NOT_FOUND',
    201: 'FAILED_PRECONDITION',
    202: 'UNAVAILABLE',
    503: 'UNAVAILABLE',
    700: 'NOT_FOUND',
    800: 'NOT_FOUND',
    1100: 'INVALID_ARGUMENT',
    1101: 'INVALID_ARGUMENT',
    1102: 'INVALID_ARGUMENT',
    1400: 'UNAUTHENTICATED',
    1401: 'PERMISSION_DENIED',
    1700: 'FAILED_PRECONDITION',
    1701: 'FAILED_PRECONDITION',
    1804: 'INVALID_ARGUMENT',
    2200: 'UNAVAILABLE',
}

# What has no code of its own is told by its text.
_TEXTS: Final[tuple[tuple[str, StatusName], ...]] = (
    ('already exist', 'ALREADY_EXISTS'),
    ('does not exist', 'NOT_FOUND'),
    ('database not found', 'NOT_FOUND'),
    ('auth check failure', 'UNAUTHENTICATED'),
    ('Retry timeout', 'DEADLINE_EXCEEDED'),
    ('Retry run out', 'UNAVAILABLE'),
    ('exceeds max', 'INVALID_ARGUMENT'),
)

_CLASSES: Final[dict[str, StatusName]] = {
    'CollectionNotExistException': 'NOT_FOUND',
    'MilvusUnavailableException': 'UNAVAILABLE',
    'ConnectError': 'UNAVAILABLE',
    'ConnectionConfigException': 'INVALID_ARGUMENT',
    'ParamError': 'INVALID_ARGUMENT',
    'DataNotMatchException': 'INVALID_ARGUMENT',
    'DataTypeNotMatchException': 'INVALID_ARGUMENT',
    'DataTypeNotSupportException': 'INVALID_ARGUMENT',
    'TimeoutError': 'DEADLINE_EXCEEDED',
    'TypeError': 'INVALID_ARGUMENT',
    'ValueError': 'INVALID_ARGUMENT',
}

_GRPC: Final = frozenset(
    {
        'CANCELLED',
        'INVALID_ARGUMENT',
        'DEADLINE_EXCEEDED',
        'NOT_FOUND',
        'PERMISSION_DENIED',
        'RESOURCE_EXHAUSTED',
        'FAILED_PRECONDITION',
        'ABORTED',
        'UNIMPLEMENTED',
        'INTERNAL',
        'UNAVAILABLE',
        'UNAUTHENTICATED',
    }
)
# What leaves open whether an insert took place, unless the server refused it before it wrote, or was never reached.
_UNCERTAIN: Final = RETRYABLE | {'CANCELLED', 'INTERNAL'}
_REFUSED: Final = frozenset({2, 3, 4, 7, 8, 9})
_NOT_REACHED: Final = 'failed to connect to all addresses'
_DIMENSIONS: Final = re.compile(r'expected dim (\d+), got (\d+)')
_LONG: Final = 500


def translate(store: str, error: Exception) -> GenkitError:
    """Returns the GenkitError for whatever pymilvus raised.

    Args:
        store: The store's name, for the message.
        error: The error.
    """
    if isinstance(error, GenkitError):
        return error
    text = ' '.join(str(getattr(error, 'message', '') or _details(error) or error or type(error).__name__).split())
    sizes = _DIMENSIONS.search(text)
    if sizes:
        return dimension_error(store, int(sizes[1]), int(sizes[2]))
    shown = text if len(text) <= _LONG else f'{text[:_LONG]}...'
    return GenkitError(status=_status(error, text), message=f'{store}: {shown}', cause=error)


def lost_answer(store: str, error: Exception) -> GenkitError:
    """Returns the error for an insert that failed, with a status that nobody retries if the rows may be there all the same.

    Args:
        store: The store's name, for the message.
        error: What pymilvus raised.
    """
    translated = translate(store, error)
    if translated.status not in _UNCERTAIN or _surely_not_done(error):
        return translated
    return GenkitError(
        status='UNKNOWN',
        message=(
            f'{store}: the answer to an insert was lost, so the rows may or may not be there, and it is not repeated: Milvus makes the '
            'keys, each insert adds rows. Look before indexing again. With MilvusCollection(auto_id=False) a repetition replaces. '
            f'{translated.original_message}'
        ),
        cause=error,
    )


def _surely_not_done(error: BaseException) -> bool:
    """Tells whether the server refused a call or never got it. pymilvus reconnects after a failure, which may hide the failure."""
    lost: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        if callable(getattr(cause, 'code', None)):
            lost.append(_details(cause))
        cause = cause.__cause__ if cause.__cause__ not in (None, cause) else cause.__context__
    return all(_NOT_REACHED in one for one in lost) if lost else code_of(error) in _REFUSED


def code_of(error: BaseException | None) -> int | None:
    """Returns Milvus's code of an error or of its cause."""
    cause = error.cause if isinstance(error, GenkitError) else error
    code = getattr(cause, 'code', None)
    return int(code) if isinstance(code, int) else None


def missing_collection(store: str, collection: str, error: Exception | None = None) -> GenkitError:
    """Returns the error for a collection that does not exist."""
    return GenkitError(
        status='NOT_FOUND',
        message=(
            f"{store}: there is no Milvus collection '{collection}'. Create it with create_milvus_collection('{collection}', "
            'dimension=...), or let indexing create it: MilvusCollection(create_collection_if_missing=True).'
        ),
        cause=error,
    )


def refused_collection(store: str, error: GenkitError) -> GenkitError:
    """Returns the error for a collection that could not be created.

    No document is at fault, and each would meet it: a setting such as an analyzer that the engine does not have.
    """
    if error.status not in ('INVALID_ARGUMENT', 'INTERNAL'):
        return error
    return GenkitError(
        status='FAILED_PRECONDITION',
        message=(
            f'{store}: the collection cannot be created. Check the settings of its MilvusCollection. {error.original_message}'
        ),
        cause=error.cause if isinstance(error.cause, Exception) else error,
    )


def _status(error: BaseException, text: str) -> StatusName:
    grpc = _grpc_status(error) or _grpc_status(error.__cause__)
    if grpc is not None:
        return grpc
    code = code_of(error)
    if code is not None and code in _CODES:
        return _CODES[code]
    for fragment, status in _TEXTS:
        if fragment in text:
            return status
    for one in type(error).__mro__:
        if one.__name__ in _CLASSES:
            return _CLASSES[one.__name__]
    if getattr(error, 'is_input_error', False):
        return 'INVALID_ARGUMENT'
    return 'UNAVAILABLE' if getattr(error, 'retriable', False) else 'INTERNAL'


def _grpc_status(error: BaseException | None) -> StatusName | None:
    """Returns the status of a gRPC error; pymilvus puts it into its own as well."""
    code: Any = getattr(error, 'code', None)
    if callable(code):
        code = code()
    name = getattr(code, 'name', None)
    return cast('StatusName', name) if name in _GRPC else None


def _details(error: BaseException) -> str:
    details: Any = getattr(error, 'details', None)
    return str(details() or '') if callable(details) else ''
