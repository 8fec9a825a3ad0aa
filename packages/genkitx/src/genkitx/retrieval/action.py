# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""What retriever, indexer and reranker actions have in common: their metadata, options, handlers and lookup."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Final, TypeAlias, cast

import genkit
import jsonschema
from genkit import Document, GenkitError, RuntimeErrorReason
from genkit.plugin_api import Action, ActionKind, to_json_schema
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, create_model
from pydantic.alias_generators import to_camel

from genkitx.retrieval.documents import document_from_dict

ConfigSchema: TypeAlias = 'type[BaseModel] | dict[str, Any]'
"""The schema of an action's options: a pydantic model, or JSON Schema."""

Options: TypeAlias = 'Mapping[str, Any] | BaseModel | None'
"""Options of a call: a dict with Python or wire names, or an instance of the config schema."""

_DRAFT: Final = 'http://json-schema.org/draft-07/schema#'


def _as_document(value: Any) -> Any:
    if isinstance(value, Document) or not isinstance(value, Mapping):
        return value
    try:
        return document_from_dict(cast('Mapping[str, Any]', value))
    except GenkitError as error:
        raise ValueError(error.original_message) from error


WireDocument: TypeAlias = Annotated[Document, BeforeValidator(_as_document)]
"""A document as a request or a response carries it; a wrong one is a validation error."""


class WireModel(BaseModel):
    """Base of what retrieval actions take and give: camelCase on the wire, unknown keys ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Ref(BaseModel):
    """A reference to an action by name, with options that every call through it gets.

    Attributes:
        name: `<plugin>/<name>`.
        config: Options; those of a call win over them.
        version: Passed as the option `version`, unless the config has one.
        info: What to show about the action, such as its label.
        config_schema: The schema of its options.
    """

    model_config = ConfigDict(extra='forbid', frozen=True)

    name: str
    config: dict[str, Any] | None = None
    version: str | None = None
    info: dict[str, Any] | None = None
    config_schema: Any = None


def merge_options(target: object, options: Options) -> Any:
    """Puts a call's options over those of a reference."""
    if not isinstance(target, Ref) or not (target.config or target.version):
        return options
    version = {'version': target.version} if target.version else {}
    given = options.model_dump(exclude_unset=True) if isinstance(options, BaseModel) else options or {}
    return {**version, **(target.config or {}), **given}


def build_action(
    kind: ActionKind,
    name: str,
    run: Callable[[Any, Any], Awaitable[Any]],
    *,
    request: type[BaseModel],
    response: type[BaseModel] | None,
    config_schema: ConfigSchema | None,
    extra: Mapping[str, Any],
) -> Action[Any, Any, Any]:
    """Builds an action with the metadata that JS gives it.

    Args:
        kind: Retriever, indexer or reranker.
        name: The action's name.
        run: `(request, ctx)`; its annotations are set here.
        request: The request model without typed options.
        response: The response model; None leaves the output open.
        config_schema: Schema of the options.
        extra: Further metadata, such as `info`.
    """
    custom = {'customOptions': custom_options(config_schema)} if config_schema is not None else {}
    metadata: dict[str, object] = {'type': str(kind), **extra, str(kind): custom}
    typed: Any = request
    if isinstance(config_schema, type):
        typed = create_model(request.__name__, __base__=request, options=(cast('Any', config_schema | None), None))
    run.__annotations__ = {'request': typed, 'ctx': genkit.ActionRunContext}
    if response is not None:
        run.__annotations__['return'] = response
    return Action(kind=kind, name=name, fn=run, metadata=metadata)


def options_checker(name: str, config_schema: ConfigSchema | None) -> Callable[[Any], Any]:
    """Returns what checks options against a JSON Schema; a pydantic schema was checked with the request."""
    if not isinstance(config_schema, dict):
        return lambda options: options
    validator = jsonschema.Draft7Validator(config_schema)

    def check(options: Any) -> Any:
        if options is None:
            return None
        problem = next(iter(validator.iter_errors(options)), None)  # pyright: ignore[reportUnknownMemberType]
        if problem is not None:
            place = '.'.join(['options', *map(str, problem.absolute_path)])
            raise GenkitError(
                status='INVALID_ARGUMENT',
                message=f"Schema validation failed. Action '{name}', {place}: {problem.message}",
                reason=RuntimeErrorReason.INVALID_INPUT,
            )
        return options

    return check


def custom_options(config_schema: ConfigSchema) -> dict[str, Any]:
    """Returns the options' JSON Schema in the form JS publishes, so that tools show both alike."""
    if isinstance(config_schema, dict):
        return {**config_schema, '$schema': config_schema.get('$schema', _DRAFT)}
    schema = cast('dict[str, Any]', _simplify(to_json_schema(config_schema)))
    schema.pop('description', None)
    schema.setdefault('additionalProperties', True)
    return {**schema, '$schema': _DRAFT}


def _simplify(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_simplify(item) for item in cast('list[Any]', schema)]
    if not isinstance(schema, dict):
        return schema
    node = dict(cast('dict[str, Any]', schema))
    if isinstance(node.get('title'), str):
        del node['title']
    if 'default' in node and node['default'] is None:
        del node['default']
    branches = [branch for branch in node.get('anyOf', []) if branch != {'type': 'null'}]
    if len(branches) == 1 and len(branches) < len(node['anyOf']):
        del node['anyOf']
        node = {**branches[0], **node}
        node.pop('title', None)
    if isinstance(node.get('properties'), dict):
        # A property may be called `title` or `default`: only its schema is simplified, not the map of properties.
        properties = cast('dict[str, Any]', node.pop('properties'))
        simple = {key: _simplify(value) for key, value in node.items()}
        return {**simple, 'properties': {key: _simplify(value) for key, value in properties.items()}}
    return {key: _simplify(value) for key, value in node.items()}


def fit(handler: Callable[..., Any], arguments: int) -> Callable[..., Awaitable[Any]]:
    """Lets a handler be sync or async and leave out trailing arguments.

    Args:
        handler: The user's function.
        arguments: How many arguments callers give.
    """
    parameters = inspect.signature(handler).parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    takes = arguments if any(p.kind == p.VAR_POSITIONAL for p in parameters) else min(len(positional), arguments)
    required = sum(p.default is p.empty for p in positional)
    if required > arguments:
        raise TypeError(f'{getattr(handler, "__name__", handler)!r} needs {required} arguments, but gets {arguments}')

    async def call(*values: Any) -> Any:
        result = handler(*values[:takes])
        return await result if inspect.isawaitable(result) else result

    return call


def read_output(model: type[BaseModel], name: str, output: Any) -> Any:
    """Checks what a handler returned: a list of documents, a dict or a response."""
    if isinstance(output, Sequence) and not isinstance(output, str | bytes):
        output = {'documents': cast('Any', output)}
    try:
        return model.model_validate(output)
    except ValidationError as error:
        raise GenkitError(
            status='INVALID_ARGUMENT',
            message=f"Invalid output of action '{name}': {error}",
            cause=error,
            reason=RuntimeErrorReason.INVALID_OUTPUT,
        ) from error


async def resolve(
    ai: genkit.Genkit, kind: ActionKind, target: str | Ref | Action[Any, Any, Any], missing: str
) -> Action[Any, Any, Any]:
    """Finds an action by name or reference.

    Raises:
        GenkitError: NOT_FOUND, with JS's text and the name.
    """
    if isinstance(target, Action):
        return target
    name = target.name if isinstance(target, Ref) else target
    action = await ai.registry.resolve_action(kind, name)
    if action is None:
        raise GenkitError(
            status='NOT_FOUND',
            message=f"{missing}: no {kind} '{name}' is registered. Define it, or add its plugin to Genkit(plugins=[...]).",
            reason=RuntimeErrorReason.ACTION_NOT_FOUND,
        )
    return action


def info_metadata(key: str, info: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns metadata with `info` under a key, or nothing: absent keys are absent on the wire, never null."""
    return {key: dict(info)} if info is not None else {}


def kind_named(name: str) -> ActionKind:
    """Returns an action kind. Upstream has these kinds without a use of its own, so their absence is thought of."""
    return cast('ActionKind', getattr(ActionKind, name.upper(), name))
