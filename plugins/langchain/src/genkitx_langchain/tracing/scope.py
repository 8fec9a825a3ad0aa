# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What the current span is while LangChain runs.

A handler hears that a run starts and ends, but not when LangChain leaves the run's code for a while: a stream hands over
to its consumer in the same context, a batch starts all of its runs at once, and an asynchronous run reports its end from
a task of its own. So no run's span is made current. A `Scope` is, which finds the span when it is asked for: LangChain
itself knows in which run the code at hand belongs.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

from langchain_core.runnables.config import var_child_runnable_config
from opentelemetry import context, trace

_MOST_RUNS: Final = 10_000
"""Runs in memory; the oldest, which never ended, are ended beyond that."""


@dataclass(eq=False)
class Run:
    """A LangChain run with its span.

    Attributes:
        span: Its span.
        names: Its name and those of the runs above, as JS writes `langchain:path`.
        around: The span that was current when it started.
        inner: What is current inside it.
        parent: The run that started it.
        scoped: Whether `inner` is a scope that counts it.
        children: The runs it started that have not ended.
    """

    span: trace.Span
    names: str
    around: trace.SpanContext
    inner: trace.Span
    parent: Run | None
    scoped: bool = False
    children: set[UUID] = field(default_factory=set[UUID])


def _on_span(method: str) -> Any:
    """A method of `Scope` that is its span's."""

    def call(self: Scope, *args: Any, **kwargs: Any) -> None:
        getattr(self.resolve(), method)(*args, **kwargs)

    return call


class Scope(trace.Span):
    """The current span for the code of the runs that started in it.

    Args:
        outer: What was current before, and is again for code outside these runs.
    """

    def __init__(self, outer: trace.Span) -> None:
        self.outer = outer
        self.alone: Run | None = None
        self.running = 0

    def resolve(self) -> trace.Span:
        """Returns the span of the run whose code this is, or the one outside."""
        if self.running:
            run = _innermost()
            if run is not None and run.inner is self:
                return run.span
            if self.alone is not None and self.alone.span.is_recording():
                return self.alone.span
        return real_span(self.outer)

    @property
    def attributes(self) -> Any:
        """Those of the span."""
        return getattr(self.resolve(), 'attributes', None)

    def end(self, end_time: int | None = None) -> None:
        """Does nothing: who started the span ends it."""

    def get_span_context(self) -> trace.SpanContext:
        """That of the span."""
        return self.resolve().get_span_context()

    def is_recording(self) -> bool:
        """Whether the span records."""
        return self.resolve().is_recording()

    set_attributes = _on_span('set_attributes')
    set_attribute = _on_span('set_attribute')
    add_event = _on_span('add_event')
    add_link = _on_span('add_link')
    update_name = _on_span('update_name')
    set_status = _on_span('set_status')
    record_exception = _on_span('record_exception')


_runs: OrderedDict[UUID, Run] = OrderedDict()
# Reentrant: the garbage collector may end a generator, and with it a run, at any moment, in any thread.
_lock = threading.RLock()
_model_run: ContextVar[UUID | None] = ContextVar('genkitx_langchain_model_run', default=None)


def real_span(span: trace.Span) -> trace.Span:
    """Returns the span that a scope stands for, or the span itself."""
    return span.resolve() if isinstance(span, Scope) else span


def running(run_id: UUID | None) -> Run | None:
    """Returns a run that has not ended."""
    return None if run_id is None else _runs.get(run_id)


def above(parent: Run | None) -> trace.Span:
    """Returns the span under which a run starts: its parent's, unless something of Genkit's started in between."""
    current = trace.get_current_span()
    here = real_span(current)
    if parent is None:
        return here
    around = here.get_span_context()
    return parent.span if current is parent.inner or around == parent.around or not around.is_valid else here


def enter(run_id: UUID, span: trace.Span, names: str, parent: Run | None, *, scoped: bool, alone: bool) -> None:
    """Keeps a run that starts.

    Args:
        run_id: Its id.
        span: Its span.
        names: Its names, for `langchain:path`.
        parent: The run that started it.
        scoped: Make a scope current that knows its code.
        alone: In this context nothing but its own code runs until it ends, so LangChain need not be asked.
    """
    current = trace.get_current_span()
    run = Run(span, names, real_span(current).get_span_context(), current, parent)
    oldest: UUID | None = None
    with _lock:
        if scoped:
            run.inner = _scope(current, run if alone else None)
            run.scoped = True
        if parent is not None:
            parent.children.add(run_id)
        _runs[run_id] = run
        if len(_runs) > _MOST_RUNS:
            oldest = next(iter(_runs))
    if oldest is not None:
        abandon(oldest)


def leave(run_id: UUID) -> trace.Span | None:
    """Forgets a run that ends, and returns its span.

    What it started and still runs ends with it: LangChain does not say that the call of a model was cancelled.
    """
    with _lock:
        run = _runs.pop(run_id, None)
        if run is None:
            return None
        if run.parent is not None:
            run.parent.children.discard(run_id)
        if run.scoped:
            cast('Scope', run.inner).running -= 1
        children = list(run.children)
    for child in children:
        abandon(child)
    scope = run.inner
    if isinstance(scope, Scope) and not scope.running and trace.get_current_span() is scope:
        context.attach(trace.set_span_in_context(scope.outer))
    return run.span


def abandon(run_id: UUID) -> None:
    """Ends the span of a run of which nothing more will be heard; it neither succeeded nor failed."""
    span = leave(run_id)
    if span is not None:
        span.end()


def announce(run_id: UUID) -> None:
    """Remembers a model's run for the call that follows in this context: LangChain tells a stream no run of its own."""
    _model_run.set(run_id)


def announced() -> UUID | None:
    """Returns the model's run that was announced in this context, once."""
    run_id = _model_run.get()
    _model_run.set(None)
    return run_id


def _scope(current: trace.Span, alone: Run | None) -> Scope:
    scope = current if isinstance(current, Scope) else None
    if scope is None or alone is not None:
        while isinstance(current, Scope) and not current.running:
            current = current.outer  # Left over by an asynchronous run.
        scope = Scope(current)
        scope.alone = alone
        context.attach(trace.set_span_in_context(scope))
    scope.running += 1
    return scope


def _innermost() -> Run | None:
    config = var_child_runnable_config.get()
    return running(getattr(config.get('callbacks'), 'parent_run_id', None)) if config else None
