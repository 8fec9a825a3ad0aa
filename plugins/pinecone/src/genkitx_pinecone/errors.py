# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Pinecone's errors as GenkitErrors, each with the status that says whether trying again helps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from genkit import GenkitError
from genkit.plugin_api import StatusName, from_http_code, parse_retry_after_ms
from genkitx.stores import dimension_error

_DIMENSIONS: Final = re.compile(r'dimension (\d+) does not match the dimension of the index (\d+)', re.IGNORECASE)

_HTTP: Final[dict[int, StatusName]] = {
    402: 'FAILED_PRECONDITION',
    408: 'DEADLINE_EXCEEDED',
    409: 'ALREADY_EXISTS',
    412: 'FAILED_PRECONDITION',
    413: 'INVALID_ARGUMENT',
    422: 'INVALID_ARGUMENT',
    429: 'RESOURCE_EXHAUSTED',
}

_HINTS: Final[dict[int, str]] = {
    401: ' Check PINECONE_API_KEY.',
    403: ' Check that the API key belongs to the project of the index, and its role.',
    413: ' The write is larger than the service takes: use a smaller batch_size.',
    429: ' The service asks for fewer requests, or a quota of the plan is used up.',
}

# By class name: the SDK is not imported before it is used.
_CLASSES: Final[tuple[tuple[str, StatusName], ...]] = (
    ('PineconeTimeoutError', 'DEADLINE_EXCEEDED'),
    ('PineconeConnectionError', 'UNAVAILABLE'),
    ('IndexInitFailedError', 'FAILED_PRECONDITION'),
    ('IndexTerminatedError', 'FAILED_PRECONDITION'),
    ('ResponseParsingError', 'FAILED_PRECONDITION'),
    ('PineconeValueError', 'INVALID_ARGUMENT'),
    ('PineconeTypeError', 'INVALID_ARGUMENT'),
)


def translate(store: str, error: Exception, secrets: Sequence[str] = ()) -> GenkitError:
    """Returns the GenkitError for whatever the SDK raised.

    Args:
        store: The store's name, for the message.
        error: The error.
        secrets: What must not appear in the message, whoever put it there.
    """
    if isinstance(error, GenkitError):
        return error
    full = str(error) or type(error).__name__
    text = _short(_redacted(full, secrets))
    sizes = _DIMENSIONS.search(text)
    if sizes:
        return dimension_error(store, int(sizes[2]), int(sizes[1]))
    code = getattr(error, 'status_code', None)
    if isinstance(code, int):
        status = _status(code)
        text += _HINTS.get(code, '')
    else:
        status, text = _of_class(error, text)
    wait = _wait_ms(error)
    return GenkitError(
        status=status,
        message=f'{store}: {text}',
        # The SDK's error holds the response, which may hold what the message must not.
        cause=None if _redacted(full, secrets) != full else error,
        response_metadata=None if wait is None else {'retry_after_ms': wait},
    )


def missing_index(store: str, index: str, error: Exception | None = None) -> GenkitError:
    """Returns the error for an index that does not exist."""
    return GenkitError(
        status='NOT_FOUND',
        message=(
            f"{store}: there is no Pinecone index '{index}'. Create it with create_pinecone_index('{index}', dimension=...), or "
            'check the project that the API key belongs to.'
        ),
        cause=error,
    )


def is_missing_namespace(error: GenkitError) -> bool:
    """Tells whether an error says that a namespace does not exist, which to a reader is the same as an empty one."""
    return error.status == 'NOT_FOUND' and 'namespace not found' in error.original_message.lower()


def is_lost(error: GenkitError) -> bool:
    """Tells whether an error is one of an index that is no longer where it was."""
    if error.status == 'NOT_FOUND':
        return not is_missing_namespace(error)
    return any(one.__name__ == 'PineconeConnectionError' for one in type(error.cause).__mro__)


def is_dimension(error: GenkitError) -> bool:
    """Tells whether the service refused a vector for its length."""
    return error.status == 'INVALID_ARGUMENT' and 'dimension' in error.original_message.lower()


def _wait_ms(error: Exception) -> float | None:
    """How long the service asks to wait. The SDK reads it of one status only, and no dates."""
    headers: Any = getattr(error, 'headers', None) or {}
    asked = next((str(value) for name, value in headers.items() if name.lower() == 'retry-after'), None)
    return None if asked is None else parse_retry_after_ms(asked)


def _status(code: int) -> StatusName:
    if code in _HTTP:
        return _HTTP[code]
    return 'UNAVAILABLE' if code >= 500 else from_http_code(code)


def _of_class(error: Exception, text: str) -> tuple[StatusName, str]:
    names = {one.__name__ for one in type(error).__mro__}
    found: list[StatusName] = [status for name, status in _CLASSES if name in names]
    if 'ResponseParsingError' in names:
        text += ' What answers speaks another version of the API: update the SDK, or give an emulator by PineconeIndex(host=...).'
    return found[0] if found else 'INTERNAL', text


def _redacted(text: str, secrets: Sequence[Any]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, '***')
    return text


def _short(text: str) -> str:
    text = ' '.join(text.split())
    return text if len(text) <= 500 else f'{text[:500]}...'
