# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Errors and pauses on their way between the engine and Genkit."""

from __future__ import annotations

import sys
from typing import Any

from genkit import GenkitError, Interrupt


class GraphPause(Interrupt):
    """Carries the engine's pause through a Genkit action.

    An action turns every foreign exception into an INTERNAL error. A Genkit interrupt is control flow, so the action's
    span stays green; outside the action the engine's own exception is taken out again.

    Args:
        pause: The engine's exception.
        value: What the node asks, for a model's tool loop that catches the interrupt.
    """

    def __init__(self, pause: BaseException, value: Any = None) -> None:
        super().__init__({'value': value} if value is not None else None)
        self.pause = pause


def chain(error: BaseException) -> list[BaseException]:
    """The error and its causes, outermost first."""
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        inner = current.cause if isinstance(current, GenkitError) else None
        current = inner or current.__cause__
    return found


def is_pause(error: BaseException) -> bool:
    """Whether this is the engine's control flow. It can only be where the engine is loaded."""
    errors = sys.modules.get('langgraph.errors')
    return errors is not None and isinstance(error, errors.GraphBubbleUp)


def find_pause(error: BaseException) -> BaseException | None:
    """The engine's pause inside an error that went through actions, if there is one."""
    for item in chain(error):
        if isinstance(item, GraphPause):
            return item.pause
        if is_pause(item):
            return item
    return None


def root_cause(error: BaseException) -> BaseException:
    """What went wrong first: the exception that a node raised, without the actions' wrapping."""
    return chain(error)[-1]


def engine_error(error: Exception, graph: str, max_steps: int) -> Exception:
    """The error that a caller gets for an error of the engine."""
    from langgraph.errors import GraphRecursionError, InvalidUpdateError, NodeCancelledError, NodeTimeoutError

    from genkitx_graph.names import node_name
    from genkitx_graph.scope import StepLimitError

    if isinstance(error, GraphRecursionError):
        return StepLimitError(graph, max_steps)
    if isinstance(error, NodeTimeoutError):
        return GenkitError(
            status='DEADLINE_EXCEEDED',
            message=f"Node '{node_name(error.node)}' of graph '{graph}' exceeded its {error.kind} timeout of "
            f'{error.timeout:g} s.',
        )
    if isinstance(error, NodeCancelledError):
        return GenkitError(
            status='CANCELLED', message=f"Node '{node_name(error.node)}' of graph '{graph}' cancelled itself."
        )
    if isinstance(error, InvalidUpdateError):
        return GenkitError(
            status='INVALID_ARGUMENT',
            message=f"Graph '{graph}': {str(error).splitlines()[0]} Two nodes of one step wrote the same key: "
            'give it a reducer with Annotated[type, reducer], or let only one node write it.',
        )
    return store_error(error, graph)


def store_error(error: Exception, graph: str) -> Exception:
    """The error that a caller gets for an error of a checkpoint store's driver."""
    kind = type(error)
    if kind.__module__.split('.')[0] not in ('psycopg', 'psycopg_pool', 'sqlite3', 'aiosqlite'):
        return error
    if any(base.__name__ == 'DataError' for base in kind.__mro__):
        return GenkitError(
            status='INVALID_ARGUMENT', message=f"The checkpoint store cannot hold the state of graph '{graph}': {error}"
        )
    # Not the driver's text: it may repeat the connection string.
    return GenkitError(
        status='UNAVAILABLE',
        message=f"The checkpoint store of graph '{graph}' failed ({kind.__name__}). Try again later.",
    )
