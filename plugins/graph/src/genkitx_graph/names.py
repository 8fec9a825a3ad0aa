# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Names that the engine accepts for any node name, and keys of threads.

A checkpoint of one process names nodes for another, so an id depends on nothing but the name.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from urllib.parse import quote, unquote

from genkit import GenkitError

from genkitx_graph.results import END, START

ENTRY = '%entry'
FINISH = '%finish'
"""Inner nodes of a graph with an entrypoint. No encoded name looks like them: `%` is always followed by two digits."""

_MAX_ID = 256


def node_id(name: str, taken: Collection[str] = ()) -> str:
    """The engine's id of a node: the name itself where the engine allows it, else percent-encoded.

    Args:
        name: Any non-empty name.
        taken: Names that the engine uses for something else, such as the state's keys.
    """
    encoded = ''.join(f'%{ord(c):02X}' if c in '%|:\x00' else c for c in name)
    if encoded in (START, END) or encoded in taken or encoded.startswith('__'):
        encoded = f'%{ord(encoded[0]):02X}{encoded[1:]}' if encoded[0].isascii() else quote(encoded[0]) + encoded[1:]
    return encoded


def node_name(engine_id: str) -> str:
    """The name behind an engine id."""
    return engine_id if engine_id in (ENTRY, FINISH, START, END) else unquote(engine_id)


def new_thread_id() -> str:
    """A thread id that nobody guesses (192 random bits), and that no command line takes for an option."""
    return secrets.token_hex(24)


def thread_key(graph: str, owner: str | None, thread_id: str) -> str:
    """The key of a thread in the store: two graphs, or two owners, never share one.

    Raises:
        GenkitError: INVALID_ARGUMENT: not a usable thread id.
    """
    if not thread_id or len(thread_id) > _MAX_ID or not thread_id.isprintable():
        raise GenkitError(
            status='INVALID_ARGUMENT',
            message=f'A thread id is a printable text of 1 to {_MAX_ID} characters.',
        )
    return '/'.join([quote(graph, safe=''), '' if owner is None else 'o' + quote(owner, safe=''), thread_id])
