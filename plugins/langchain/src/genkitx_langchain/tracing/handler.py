# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""LangChain runs as Genkit spans.

One span per run, with the attributes the Dev UI reads, under the span that is current when the run starts, or under the
run that started it. Genkit calls made by a run nest below it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from genkit import GenkitError, Interrupt
from genkit.plugin_api import tracer
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import LLMResult
from opentelemetry import trace

from genkitx_langchain.tracing.paths import path_attributes
from genkitx_langchain.tracing.scope import above, announce, enter, leave, running
from genkitx_langchain.tracing.values import json_attribute, usage_attributes

if TYPE_CHECKING:
    from langchain_core.callbacks import Callbacks
    from opentelemetry.util.types import AttributeValue


class GenkitTracer(BaseCallbackHandler):
    """A LangChain callback handler that writes Genkit spans (JS `GenkitTracer`).

    Give it to a chain, `config={'callbacks': [GenkitTracer()]}`, to see the chain in the Dev UI. Objects that run as Genkit
    actions have it already. It is stateless and may be shared; it never talks to LangSmith.
    """

    name = 'genkit_callback_handler'
    run_inline = True
    owns_model_runs = False

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Starts the span of a chain."""
        _start(run_id, 'chain', _name(serialized, kwargs, 'chain'), inputs, kwargs, scoped=True)

    def on_llm_start(self, serialized: Any, prompts: list[str], *, run_id: UUID, **kwargs: Any) -> None:
        """Starts the span of a text model."""
        self._on_model_start(serialized, prompts, run_id, kwargs)

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Starts the span of a chat model."""
        self._on_model_start(serialized, messages, run_id, kwargs)

    def on_tool_start(self, serialized: Any, input_str: str, *, run_id: UUID, **kwargs: Any) -> None:
        """Starts the span of a tool."""
        value = kwargs.get('inputs')
        shown = input_str if value is None else value
        _start(run_id, 'tool', _name(serialized, kwargs, 'tool'), shown, kwargs, scoped=True, alone=True)

    def on_retriever_start(self, serialized: Any, query: str, *, run_id: UUID, **kwargs: Any) -> None:
        """Starts the span of a retriever; evaluations find their context in such spans."""
        _start(run_id, 'retriever', _name(serialized, kwargs, 'retriever'), query, kwargs, scoped=True, alone=True)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Ends the span of a chain; one that streamed knows its input only now."""
        inputs = {'genkit:input': json_attribute(kwargs['inputs'], 'input')} if 'inputs' in kwargs else {}
        _end(run_id, outputs, inputs)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Ends the span of a model, with its token counts."""
        _end(run_id, response, usage_attributes(response))

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Ends the span of a tool."""
        _end(run_id, output)

    def on_retriever_end(self, documents: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Ends the span of a retriever."""
        _end(run_id, {'documents': documents})

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Ends the span of a chain that failed."""
        _fail(run_id, error)

    on_llm_error = on_chain_error
    on_tool_error = on_chain_error
    on_retriever_error = on_chain_error

    def _on_model_start(self, serialized: Any, value: Any, run_id: UUID, kwargs: Mapping[str, Any]) -> None:
        # A model's batch starts all of its runs in one context, and its stream shares the consumer's.
        single = kwargs.get('batch_size', 1) == 1
        alone = single and self.owns_model_runs and kwargs.get('parent_run_id') is None
        _start(run_id, 'model', _name(serialized, kwargs, 'model'), value, kwargs, scoped=alone, alone=alone)
        if single:
            announce(run_id)


class _ActionTracer(GenkitTracer):
    """The tracer of the bridge's actions, which are the only consumers of the models they call."""

    owns_model_runs = True


_shared: Final = _ActionTracer()


def action_callbacks() -> list[BaseCallbackHandler]:
    """Returns the handlers for what runs below the current action: none when nobody records its span."""
    return [_shared] if trace.get_current_span().is_recording() else []


def has_tracer(callbacks: Callbacks) -> bool:
    """Whether callbacks include a Genkit tracer already."""
    handlers: Iterable[Any] = getattr(callbacks, 'handlers', None) or (callbacks if isinstance(callbacks, list) else ())
    return any(isinstance(handler, GenkitTracer) for handler in handlers)


@contextlib.contextmanager
def inside(run_id: UUID | None) -> Generator[None]:
    """Makes the span of a run the current one, so that Genkit's spans nest below it."""
    run = running(run_id)
    if run is None:
        yield
        return
    with trace.use_span(run.span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
        yield


def _start(
    run_id: UUID,
    subtype: str,
    name: str,
    value: Any,
    kwargs: Mapping[str, Any],
    *,
    scoped: bool = False,
    alone: bool = False,
) -> None:
    if running(run_id) is not None or isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return  # A second tracer in the same chain, or nobody who records.
    parent = running(cast('UUID | None', kwargs.get('parent_run_id')))
    parent_span = above(parent)
    names = f'{parent.names}/{name}' if parent is not None else name
    attributes: dict[str, AttributeValue] = {
        'genkit:name': name,
        'genkit:type': 'util',
        'genkit:metadata:subtype': subtype,
        'genkit:input': json_attribute(value, 'input'),
        'langchain:path': names,
        **path_attributes(parent_span, name, 'util', subtype),
    }
    span = tracer.start_span(name, trace.set_span_in_context(parent_span), attributes=attributes)
    enter(run_id, span, names, parent, scoped=scoped, alone=alone)


def _end(run_id: UUID, value: Any, attributes: Mapping[str, AttributeValue] | None = None) -> None:
    span = leave(run_id)
    if span is not None:
        output = json_attribute(value, 'output')
        span.set_attributes({'genkit:output': output, 'genkit:state': 'success', **(attributes or {})})
        span.end()


def _fail(run_id: UUID, error: BaseException) -> None:
    span = leave(run_id)
    if span is None:
        return
    if isinstance(error, Interrupt):
        span.set_attribute('genkit:state', 'success')  # A pause, as in Genkit's own spans.
    elif isinstance(error, Exception):
        text = error.original_message if isinstance(error, GenkitError) else str(error)
        span.set_attributes({'genkit:state': 'error', 'genkit:error': text})
        span.set_status(trace.StatusCode.ERROR, str(error))
        span.record_exception(error)
    # A cancelled run is neither a success nor a failure, as in Genkit's own spans.
    span.end()


def _name(serialized: Any, kwargs: Mapping[str, Any], default: str) -> str:
    described = cast('Mapping[str, Any]', serialized or {})
    return str(kwargs.get('name') or described.get('name') or (described.get('id') or [default])[-1])
