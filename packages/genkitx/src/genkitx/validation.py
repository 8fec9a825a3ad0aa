# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What pydantic found wrong with options, as an error for the person who gave them."""

from __future__ import annotations

from genkit import GenkitError
from pydantic import ValidationError


def refused(what: str, error: ValidationError) -> GenkitError:
    """Says in one sentence which options are wrong and why. It shows no value: an option may be a key.

    Args:
        what: What the options are for; it begins the message.
        error: What pydantic raised.

    Returns:
        An INVALID_ARGUMENT to raise.
    """
    found: list[str] = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        where = '.'.join(str(part) for part in item['loc']) or 'options'
        said = 'unknown option' if item['type'] == 'extra_forbidden' else item['msg']
        found.append(f'{where}: {said}')
    return GenkitError(status='INVALID_ARGUMENT', message=f'{what}: {"; ".join(found)}.')
