# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What nodes return and what a caller gets: transitions, pauses, snapshots, events."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, Literal

from genkit import GenkitError
from pydantic import BaseModel, ConfigDict, Field, model_serializer
from pydantic.alias_generators import to_camel
from typing_extensions import TypeVar

from genkitx_graph.schemas import to_json

START = '__start__'
"""Where a graph of declared edges begins: `graph.add_edge(START, 'first')`."""
END = '__end__'
"""Where it ends: `graph.add_edge('last', END)`."""

StateT = TypeVar('StateT', default=Any)
OutputT = TypeVar('OutputT', default=Any)


class _Wire(BaseModel):
    """Snake case in Python, camelCase on the wire."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra='forbid',
        defer_build=True,  # Importing this package must cost nothing.
    )


def _shown(value: Any) -> Any:
    """A value for a trace: what is not JSON is refused elsewhere, with a better message than a trace can give."""
    try:
        return to_json(value, 'The value')
    except GenkitError:
        return repr(value)


class Next(_Wire, Generic[StateT]):
    """A transition: go on with `state` at `node`. JS: `{state, nextNode}`.

    Args:
        state: The whole new state; it replaces the old one.
        node: Name of the node that runs next.
    """

    state: StateT
    node: str = Field(alias='nextNode')

    def __init__(self, state: Any = None, node: str | None = None, **data: Any) -> None:
        """Takes `Next(state, 'node')`, by position or by name."""
        super().__init__(**{'state': state, **({'node': node} if node is not None else {}), **data})

    @model_serializer(mode='plain')
    def _serialize(self) -> dict[str, Any]:
        return {'state': _shown(self.state), 'nextNode': self.node}


class Finish(_Wire, Generic[OutputT]):
    """The end of a run, where a plain output could be mistaken for a transition or the state changes at the end.

    Attributes:
        output: The graph's output.
        state: The final state, as `before_finish` and the last checkpoint see it. Unset: the state that the node got.
    """

    output: OutputT
    state: Any = None

    def __init__(self, output: Any = None, **data: Any) -> None:
        """Takes `Finish(output)` or `Finish(output, state=state)`."""
        super().__init__(**{'output': output, **data})

    @model_serializer(mode='plain')
    def _serialize(self) -> dict[str, Any]:
        return {'output': _shown(self.output), 'state': _shown(self.state)}


class PendingInterrupt(_Wire):
    """One question that a paused run waits for.

    Attributes:
        id: Names the question in `answers`.
        value: What the node passed to `interrupt`.
        response_schema: JSON schema of the answer, where the node gave one.
        node: The node that asks.
    """

    id: str
    value: Any = None
    response_schema: dict[str, Any] | None = None
    node: str | None = None


class Interrupted(_Wire):
    """Result of a run that paused: answer with `graph.resume(thread_id, answer)`.

    Attributes:
        status: Always `interrupted`.
        thread_id: The paused thread.
        checkpoint_id: The checkpoint it paused at.
        interrupts: The open questions; empty where the run stopped at a breakpoint (`interrupt_before`, `_after`).
        next: Nodes that run when the thread goes on.
    """

    status: Literal['interrupted'] = 'interrupted'
    thread_id: str
    checkpoint_id: str
    interrupts: list[PendingInterrupt]
    next: list[str] = Field(default_factory=list)


Status = Literal['completed', 'interrupted', 'failed', 'pending']


class Snapshot(_Wire):
    """A thread's state at one checkpoint.

    Attributes:
        thread_id: The thread.
        checkpoint_id: The checkpoint; pass it to `resume` or `update_state` to branch off here.
        parent_id: The checkpoint before it.
        created_at: ISO 8601 time.
        step: The engine's step number, -1 for the input of a run.
        status: `completed`; `interrupted` (waits for an answer or at a breakpoint); `failed` (a node raised;
            `resume` runs it again); `pending` (stopped in between, or an older checkpoint).
        state: The state as JSON data; a node's type parses it.
        next: Nodes that run next.
        interrupts: Open questions.
        errors: Messages of failed nodes by node name.
    """

    thread_id: str
    checkpoint_id: str
    parent_id: str | None = None
    created_at: str | None = None
    step: int | None = None
    status: Status
    state: Any = None
    next: list[str] = Field(default_factory=list)
    interrupts: list[PendingInterrupt] = Field(default_factory=list[PendingInterrupt])
    errors: dict[str, str] = Field(default_factory=dict)


class GraphEvent(_Wire):
    """A stream event that says which node it comes from.

    Attributes:
        graph: Name of the graph, of the inner one inside a subgraph.
        node: Name of the node.
        step: The engine's step number.
        type: `start`, `chunk`, `end`, `interrupt` or `error`.
        data: The chunk; at the end `{'next': [...], 'update': ...}`; the error's message.
    """

    graph: str
    node: str
    step: int
    type: Literal['start', 'chunk', 'end', 'interrupt', 'error']
    data: Any = None


class ThreadOptions(_Wire):
    """How to run: `init` of the executor.

    Attributes:
        thread_id: Run on this thread; default a fresh, unguessable id per run.
        events: Stream `GraphEvent`s instead of the nodes' raw chunks.
    """

    thread_id: str | None = None
    events: bool = False


class ResumeRequest(_Wire):
    """Input of the action `<graph>/resume`.

    Attributes:
        thread_id: The thread to go on with.
        answer: The answer to its one open question.
        answers: Answers by interrupt id, where several are open.
        checkpoint_id: Go on from this checkpoint instead of the latest one.
        events: Stream `GraphEvent`s instead of the nodes' raw chunks.
    """

    thread_id: str
    answer: Any = None
    answers: dict[str, Any] | None = None
    checkpoint_id: str | None = None
    events: bool = False
