# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""`genkit:path` where a span of the bridge stands between two of Genkit's.

Genkit builds a path from a variable of its own, which knows Genkit's spans only. Here the path above is read from the
parent's attribute, and a span processor mends the paths of Genkit's spans below a span of the bridge.
"""

from __future__ import annotations

import functools
from typing import Any, Final
from urllib.parse import quote

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider

PATH: Final = 'genkit:path'
QUALIFIED_PATH: Final = 'genkit:qualifiedPath'

_watched: TracerProvider | None = None


def path_attributes(above: trace.Span, name: str, kind: str, subtype: str | None = None) -> dict[str, str]:
    """The path attributes of a span to be started, in Genkit's form `/{name,t:type,s:subtype}`.

    Args:
        above: Its parent.
        name: Its name.
        kind: Its type.
        subtype: Its subtype, if it has one.
    """
    _watch()
    path = _path(above) + _segment(name, kind, subtype)
    return {PATH: path, QUALIFIED_PATH: path}


@functools.lru_cache(maxsize=512)
def _segment(name: str, kind: str, subtype: str | None) -> str:
    detail = f',s:{subtype}' if subtype else ''
    return f'/{{{quote(name, safe="")},t:{kind}{detail}}}'


def _path(span: Any) -> str:
    attributes = getattr(span, 'attributes', None)
    return str(attributes.get(PATH, '')) if attributes else ''


class _Paths(SpanProcessor):
    """Gives a span the path of its parent, where Genkit gave it that of a span farther up."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        given = _path(span)
        above = _path(trace.get_current_span(parent_context)) if given else ''
        start, _, last = given.rpartition('/')
        if above and start != above:
            path = f'{above}/{last}'
            span.set_attributes({PATH: path, QUALIFIED_PATH: path})


def _watch() -> None:
    global _watched  # noqa: PLW0603 - the provider is the process's own
    provider = trace.get_tracer_provider()
    if provider is not _watched and isinstance(provider, TracerProvider):
        _watched = provider
        provider.add_span_processor(_Paths())
