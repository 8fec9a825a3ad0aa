# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Reads what a class or a function takes: names, types, defaults, and descriptions from docstrings and pydantic fields."""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import griffe
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

REQUIRED: Final = 'required'

_WORDS: Final = {
    'AuthToken': 'str or callable',
    'ClientParamsSource': 'params or callable',
    'EmbedderArgument': 'str, EmbedderRef, Action or callable',
    'Entrypoint': 'callable',
    'BeforeFinish': 'callable',
    'FilterField': 'dict or Filter',
}
"""Names of types that say little to a reader, in words."""

_UPSTREAM: Final = {
    'version': "Id of the model to send instead of the one in the model's name.",
    'temperature': 'How much chance there is in the answer.',
    'max_output_tokens': 'Most tokens to generate.',
    'top_k': 'Sample from the k likeliest tokens.',
    'top_p': 'Sample from the likeliest tokens that add up to this probability.',
    'stop_sequences': 'Texts that end the answer.',
    'api_key': 'Key of this request.',
}
"""What genkit's own fields of every model's config mean; genkit describes none of them."""


@dataclass(frozen=True)
class Option:
    """One row of a table: an option's name, its type, its default as text, and what it means (empty if nothing says)."""

    name: str
    type: str
    default: str
    meaning: str


def options_of(subject: Any) -> list[Option]:
    """Returns the options of a settings class, a pydantic model, a plugin class or a function.

    Raises:
        TypeError: If it is none of these.
    """
    if inspect.isclass(subject) and issubclass(subject, BaseModel):
        return list(_of_model(subject))
    if inspect.isclass(subject) and dataclasses.is_dataclass(subject):
        return list(_of_dataclass(subject))
    if inspect.isclass(subject) or inspect.isfunction(subject):
        return list(_of_signature(cast('Any', subject)))
    raise TypeError(f'{subject!r} has no options: give a class or a function')


def _of_model(model: type[BaseModel]) -> Iterator[Option]:
    described = _described(model, 'attributes')
    for name, field in model.model_fields.items():
        default = REQUIRED if field.is_required() else _default(field.get_default(call_default_factory=True))
        owner = _owner(model, name)
        fallback = _UPSTREAM.get(name, '') if owner.__module__.startswith('genkit.') else ''
        meaning = field.description or described.get(name) or fallback
        yield Option(name, _annotation(owner, name, default), default, _one_line(meaning))


def _of_dataclass(settings: type[Any]) -> Iterator[Option]:
    described = _described(settings, 'attributes')
    fields = dataclasses.fields(settings)
    # The name leads; what every store's settings have comes after what is this store's own.
    for field in sorted(
        fields, key=lambda one: (one.name != 'name', one.name not in vars(settings).get('__annotations__', {}))
    ):
        default = REQUIRED
        if field.default is not dataclasses.MISSING:
            default = _default(field.default)
        elif field.default_factory is not dataclasses.MISSING:
            default = _default(field.default_factory())
        kind = _annotation(_owner(settings, field.name), field.name, default)
        yield Option(field.name, kind, default, described.get(field.name, ''))


def _of_signature(subject: Callable[..., Any]) -> Iterator[Option]:
    described = _described(subject, 'parameters')
    function = cast('Any', subject).__init__ if inspect.isclass(subject) else subject
    namespace = vars(sys.modules[function.__module__])
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == 'self':
            continue
        default = REQUIRED if parameter.default is parameter.empty else _default(parameter.default)
        kind = _in_words(str(parameter.annotation), namespace, default)
        yield Option(parameter.name, kind, default, described.get(parameter.name, ''))


def _described(subject: Any, section: Literal['parameters', 'attributes']) -> dict[str, str]:
    """The descriptions in a docstring's `Args` or `Attributes`; a class's own before those of its bases."""
    found: dict[str, str] = {}
    for one in reversed(inspect.getmro(subject)) if inspect.isclass(subject) else (subject,):
        own = cast('str | None', vars(one).get('__doc__') if inspect.isclass(one) else subject.__doc__)
        for part in griffe.parse_google(griffe.Docstring(inspect.cleandoc(own or '')), warnings=False):
            if part.kind.value == section:
                found |= {item.name: _one_line(item.description) for item in part.value}
    return found


def _one_line(text: str) -> str:
    words = ' '.join(text.split())
    return f'{words}.' if words and words[-1] not in '.:!?' else words


def _owner(subject: type[Any], name: str) -> type[Any]:
    """The class that declares an annotated name."""
    return next((one for one in inspect.getmro(subject) if name in inspect.get_annotations(one)), subject)


def _annotation(owner: type[Any], name: str, default: str) -> str:
    declared = inspect.get_annotations(owner).get(name, '')
    text = declared if isinstance(declared, str) else inspect.formatannotation(declared)
    return _in_words(text, vars(sys.modules[owner.__module__]), default)


def _in_words(annotation: str, namespace: dict[str, Any], default: str) -> str:
    words = _Words(namespace).visit(ast.parse(annotation, mode='eval').body)
    return words.removesuffix(' or None') if default == 'None' else words


class _Words(ast.NodeVisitor):
    """Writes an annotation for a reader: `A | B` as `A or B`, names without their modules, literals by their values.

    Args:
        namespace: The names of the annotation's module: an alias of a literal is shown by its values.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace

    def visit_Name(self, node: ast.Name) -> str:
        if node.id in _WORDS:
            return _WORDS[node.id]
        value = self._namespace.get(node.id)
        if typing.get_origin(value) is Literal:
            return ' or '.join(repr(one) for one in typing.get_args(value))
        return node.id

    def visit_Attribute(self, node: ast.Attribute) -> str:
        return node.attr

    def visit_Constant(self, node: ast.Constant) -> str:
        return '...' if node.value is ... else repr(node.value)

    def visit_BinOp(self, node: ast.BinOp) -> str:
        return f'{self.visit(node.left)} or {self.visit(node.right)}'

    def visit_Subscript(self, node: ast.Subscript) -> str:
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        words = [self.visit(one) for one in inner]
        outer = self.visit(node.value)
        if outer == 'Callable':
            return 'callable'
        return ' or '.join(words) if outer == 'Literal' else f'{outer}[{", ".join(words)}]'

    def visit_List(self, node: ast.List) -> str:
        return f'[{", ".join(self.visit(one) for one in node.elts)}]'

    def generic_visit(self, node: ast.AST) -> str:
        return ast.unparse(node)


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return REQUIRED
    if isinstance(value, enum.Enum):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and value == _like_new(value):
        return f'{type(value).__name__}()'
    return repr(value)


def _like_new(value: Any) -> Any:
    try:
        return type(value)()
    except TypeError:
        return None
