# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Keys in a config that is a plain dict become secrets before Genkit writes the dict into its trace.

Upstream writes the config of `generate` into a span as it came. A typed config masks its `SecretStr` fields there; a dict has no
fields, so the model's class is asked which of its keys are secrets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast, get_args

from genkit.model import ModelRef
from pydantic import BaseModel, SecretStr
from pydantic.alias_generators import to_camel


def hide_secrets(config: Any, schema: type[BaseModel]) -> Any:
    """Returns a config with the values of secret fields held as secrets; the caller's dict is not changed.

    Args:
        config: Anything; only mappings change.
        schema: The class that the config is for.
    """
    if not isinstance(config, Mapping):
        return config
    hidden = dict(cast('Mapping[str, Any]', config))
    for name, field in schema.model_fields.items():
        classes = set(_classes(field.annotation))
        # A class that is built late has no aliases yet; on the wire all names are in camelCase.
        for key in {name, field.alias, to_camel(name)} & hidden.keys():
            value = hidden[key]
            if isinstance(value, str) and SecretStr in classes:
                hidden[key] = SecretStr(value)
            for one in classes:
                if issubclass(one, BaseModel):
                    hidden[key] = hide_secrets(hidden[key], one)
    return hidden


def config_class(model: str | ModelRef[Any] | None, plugins: Iterable[Any]) -> type[BaseModel] | None:
    """Returns the class of a model's config: a reference's own, else what the plugin says that the name begins with."""
    if isinstance(model, ModelRef):
        return cast('Any', model).config_schema
    prefix, _, local = (model or '').partition('/')
    for plugin in plugins:
        ask = getattr(plugin, 'config_class', None)
        if plugin.name == prefix and callable(ask):
            return cast('type[BaseModel] | None', ask(local))
    return None


def _classes(annotation: Any) -> Iterable[type]:
    inner = get_args(annotation)
    if inner:
        for one in inner:
            yield from _classes(one)
    elif isinstance(annotation, type):
        yield annotation
