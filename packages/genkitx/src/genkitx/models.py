# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Model actions with middleware: the factories for plugins and for `Genkit.define_model`."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, cast, get_args, get_origin, get_type_hints

from genkit import GenkitError
from genkit.model import BackgroundAction, ModelInfo, ModelRequest, ModelResponse, Operation
from genkit.model import background_model as _upstream_background_model  # pyright: ignore[reportUnknownVariableType]
from genkit.model import model as _upstream_model  # pyright: ignore[reportUnknownVariableType]
from genkit.plugin_api import Action, ActionRunContext, StatusCodes, StatusName
from opentelemetry import trace
from pydantic import BaseModel

from genkitx.middleware.augment_with_context import augment_with_context, strip_default_context_middleware
from genkitx.middleware.chain import (
    CallNext,
    MiddlewareAction,
    ModelMiddleware,
    running_registry,
    wrap,
    wrap_background,
)
from genkitx.middleware.simulate_constrained_generation import render_instructions, simulate_constrained


@dataclass(frozen=True)
class TraceIds:
    """Ids of the model's span, in OpenTelemetry's hex form (32 and 16 digits; all zeros when tracing is off)."""

    trace_id: str
    span_id: str


class ActionFnArg(ActionRunContext[Any]):
    """The one options object of an `api_version='v2'` runner (JS `ActionFnArg`).

    Is upstream's `ActionRunContext` (`context`, `abort_signal`, `send_chunk`, `init`, `input_stream`), so runners
    annotated with that class fit too, plus:

    Attributes:
        registry: The registry of the Genkit that runs the model; None for a plugin's model on a plain upstream Genkit.
        trace: Ids of the model's span.
    """

    registry: Any
    trace: TraceIds

    @property
    def on_chunk(self) -> Callable[[Any], None] | None:
        """The caller's chunk callback, or None when the caller does not stream."""
        return self.streaming_callback

    @property
    def streaming_requested(self) -> bool:
        """Whether the caller streams."""
        return self.is_streaming


OutputT = TypeVar('OutputT')

ModelFn: TypeAlias = Callable[[ModelRequest[Any], ActionFnArg], Awaitable[ModelResponse[Any]]]
ModelFnV1: TypeAlias = Callable[[ModelRequest[Any], Callable[[Any], None] | None], Awaitable[ModelResponse[Any]]]
RequestFn: TypeAlias = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
AnyModelFn: TypeAlias = ModelFn | ModelFnV1 | RequestFn
StartFn: TypeAlias = Callable[[ModelRequest[Any], ActionFnArg], Awaitable[Operation]]
OperationFn: TypeAlias = Callable[[Operation, ActionRunContext[Any]], Awaitable[Operation]]
ApiVersion: TypeAlias = Literal['v1', 'v2']


def model(
    name: str,
    fn: AnyModelFn,
    *,
    use: Sequence[ModelMiddleware] | None = None,
    api_version: ApiVersion = 'v2',
    info: ModelInfo | None = None,
    config_schema: type[BaseModel] | dict[str, object] | None = None,
    metadata: dict[str, object] | None = None,
    description: str | None = None,
    registry: Any = None,
) -> MiddlewareAction:
    """Build a model action with JS's chain around the runner, without registering it.

    For a plugin's `init` and `resolve`; the action keeps its chain on a plain upstream Genkit too. The chain, from
    the outside: `use`; `augment_with_context` unless the model supports context; simulation of constrained output
    where the model cannot do it; the runner.

    Args:
        name: Full name of the model, `<plugin>/<id>` for a plugin.
        fn: The runner: `async (request, ctx)` with an `ActionFnArg`, or `async (request)`. Its request annotation
            (`ModelRequest` or `ModelRequest[Config]`) decides what the request is parsed as.
        use: Middleware of this model, outermost first.
        api_version: `'v2'`, or `'v1'` for a runner `async (request, send_chunk)` whose second argument is the chunk
            callback, None when the caller does not stream.
        info: Label, versions and capabilities.
        config_schema: Class or JSON schema of the model's config.
        metadata: Further action metadata.
        description: Shown in the Dev UI; default: the runner's docstring.
        registry: Given to the runner as `ctx.registry`.

    Raises:
        GenkitError: INVALID_ARGUMENT for a request annotation that is not a `ModelRequest`, an unknown `api_version`,
            or a model that declares `longRunning` (use `background_model`).
        TypeError: If the runner is not async, or a middleware has the wrong shape.
    """
    action = _upstream_model(
        name,
        cast('Any', _runner(name, fn, api_version, ModelResponse)),
        config_schema=config_schema,
        metadata=metadata,
        info=info,
        description=description,
    )
    wrapped = wrap(action, model_chain(supports_of(action), use))
    wrapped.registry = registry
    return wrapped


def background_model(
    name: str,
    start: StartFn,
    check: OperationFn,
    *,
    cancel: OperationFn | None = None,
    use: Sequence[ModelMiddleware] | None = None,
    label: str | None = None,
    info: ModelInfo | None = None,
    config_schema: type[BaseModel] | dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    description: str | None = None,
    registry: Any = None,
) -> BackgroundAction[Any]:
    """Build a background model whose start runs through the same chain as `model`.

    Arguments are those of upstream's `background_model`, plus `use` and `registry` as in `model`.
    """
    action = _upstream_background_model(
        name,
        cast('Any', _runner(name, cast('Any', start), 'v2', Operation)),
        check,
        cancel=cancel,
        label=label,
        info=info,
        config_schema=config_schema,
        metadata=metadata,
        description=description,
    )
    wrapped = wrap_background(action, model_chain(supports_of(action.start_action), use))
    cast('MiddlewareAction', wrapped.start_action).registry = registry
    return wrapped


def model_chain(supports: Mapping[str, Any], use: Sequence[ModelMiddleware] | None = None) -> list[ModelMiddleware]:
    """The whole chain of a model: `use` between the built-in elements that fit its capabilities.

    Args:
        supports: Capabilities as in action metadata, camelCase keys.
        use: The user's middleware, outermost first.
    """
    chain: list[ModelMiddleware] = [strip_default_context_middleware, *(use or ())]
    if not supports.get('context'):
        chain.append(augment_with_context())
    constrained: object = supports.get('constrained')
    if not constrained or constrained == 'none':
        chain.append(_simulate_always)
    elif constrained == 'no-tools':
        chain.append(_simulate_with_tools)
    return chain


def supports_of(action: Action[Any, Any, Any, Any]) -> dict[str, Any]:
    """The capabilities a model action declares, `{}` when it declares none."""
    described = action.metadata.get('model')
    supports: object = cast('dict[str, object]', described).get('supports') if isinstance(described, dict) else None
    return cast('dict[str, Any]', supports) if isinstance(supports, dict) else {}


async def _simulate_always(request: ModelRequest[Any], call_next: CallNext) -> ModelResponse[Any]:
    return await call_next(simulate_constrained(request, render_instructions))


async def _simulate_with_tools(request: ModelRequest[Any], call_next: CallNext) -> ModelResponse[Any]:
    return await (call_next(simulate_constrained(request, render_instructions)) if request.tools else call_next())


def _runner(name: str, fn: AnyModelFn, api_version: str, returns: type) -> Callable[..., Awaitable[Any]]:
    """Adapt the author's runner to upstream's `(request, ctx)`, keeping its annotations and docstring."""
    if api_version not in ('v1', 'v2'):
        raise GenkitError(
            status='INVALID_ARGUMENT', message=f"Model '{name}': api_version must be 'v1' or 'v2', got {api_version!r}."
        )
    call = cast('Callable[..., Awaitable[Any]]', fn)
    if not (inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, '__call__', None))):  # noqa: B004
        raise TypeError(f"Model '{name}': the runner must be an async function.")
    takes_context = _positional_count(call) != 1

    async def runner(request: Any, ctx: ActionRunContext[Any]) -> Any:
        if not takes_context:
            return await call(request)
        if api_version == 'v1':
            return await call(request, ctx.streaming_callback)
        return await call(request, _fn_arg(ctx))

    hints = _hints(call)
    runner.__annotations__ = {
        'request': _request_class(name, call, hints),
        'ctx': ActionRunContext,
        'return': hints.get('return', returns),
    }
    runner.__doc__ = call.__doc__ if inspect.isfunction(call) or inspect.ismethod(call) else None
    return runner


def _fn_arg(ctx: ActionRunContext[Any]) -> ActionFnArg:
    """Upstream's context, re-classed: a copy, so that whatever it carries arrives."""
    arg = ActionFnArg.__new__(ActionFnArg)
    arg.__dict__.update(ctx.__dict__)
    span = trace.get_current_span().get_span_context()
    arg.registry = running_registry.get()
    arg.trace = TraceIds(format(span.trace_id, '032x'), format(span.span_id, '016x'))
    return arg


def _positional_count(fn: Callable[..., Any]) -> int:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in kinds for parameter in inspect.signature(fn).parameters.values())


def _hints(fn: Callable[..., Any]) -> dict[str, Any]:
    target = fn if inspect.isfunction(fn) or inspect.ismethod(fn) else getattr(fn, '__call__', fn)  # noqa: B004
    try:
        return get_type_hints(target, include_extras=True)
    except (NameError, TypeError, AttributeError):
        # Names only known to a type checker: the runner still works, its request is then a plain ModelRequest.
        return {}


def _request_class(name: str, fn: Callable[..., Any], hints: dict[str, Any]) -> Any:
    first = next(iter(inspect.signature(fn).parameters), None)
    annotation = hints.get(first) if first else None
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if annotation is None or annotation is Any:
        return ModelRequest
    if isinstance(annotation, type) and issubclass(annotation, ModelRequest):
        return cast('Any', annotation)
    raise GenkitError(
        status='INVALID_ARGUMENT',
        message=(
            f"Model '{name}': the request parameter must be annotated as ModelRequest or ModelRequest[YourConfig], "
            f'got {annotation!r}.'
        ),
    )


def raise_if_failed(response: ModelResponse[OutputT]) -> ModelResponse[OutputT]:
    """Returns the response of `ai.generate` or of a prompt, or raises the error in it.

    `ai.generate` reports a failure in `response.error` and does not raise (as JS does), so code that does not look takes a failure
    for an empty answer.

    Raises:
        GenkitError: With the status and message of `response.error`.
    """
    if response.error is None:
        return response
    error = response.error
    name = getattr(error.status, 'value', error.status)
    known = isinstance(name, str) and name in StatusCodes.__members__ and name != 'OK'
    status = cast('StatusName', name if known else 'INTERNAL')
    raise GenkitError(status=status, message=error.message, details=error.details)
