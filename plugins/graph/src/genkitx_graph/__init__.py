# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Graph workflows for Genkit, on LangGraph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genkitx_graph.checkpoints import Checkpoints, MemoryCheckpoints, PostgresCheckpoints, SqliteCheckpoints
from genkitx_graph.conversation import ToolAnswer, generate
from genkitx_graph.define import Graph, define_graph
from genkitx_graph.interrupts import interrupt, step
from genkitx_graph.mermaid import Edge, Structure
from genkitx_graph.results import (
    END,
    START,
    Finish,
    GraphEvent,
    Interrupted,
    Next,
    PendingInterrupt,
    ResumeRequest,
    Snapshot,
    ThreadOptions,
)
from genkitx_graph.retry import Retry
from genkitx_graph.state_graph import StateGraph, define_state_graph
from genkitx_graph.threads import Threads

if TYPE_CHECKING:
    from langgraph.types import Command, Overwrite, Send

    from genkitx_graph.serializer import JsonSerializer

__all__ = [
    'END',
    'START',
    'Checkpoints',
    'Command',
    'Edge',
    'Finish',
    'Graph',
    'GraphEvent',
    'Interrupted',
    'JsonSerializer',
    'MemoryCheckpoints',
    'Next',
    'Overwrite',
    'PendingInterrupt',
    'PostgresCheckpoints',
    'ResumeRequest',
    'Retry',
    'Send',
    'Snapshot',
    'SqliteCheckpoints',
    'StateGraph',
    'Structure',
    'ThreadOptions',
    'Threads',
    'ToolAnswer',
    'define_graph',
    'define_state_graph',
    'generate',
    'interrupt',
    'step',
]


def __getattr__(name: str) -> Any:
    # These load the engine, which takes about a second: only for who asks for them.
    if name in ('Command', 'Overwrite', 'Send'):
        import langgraph.types

        return getattr(langgraph.types, name)
    if name == 'JsonSerializer':
        from genkitx_graph.serializer import JsonSerializer

        return JsonSerializer
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
