# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Finds the places for generated tables in a page, fills them, and says what is missing."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from genkit import Plugin
from genkitx.stores import CollectionSettings, IndexerOptions, RetrieverOptions
from pydantic import BaseModel

from tools.checks import Finding
from tools.readme_tables.markdown import code, table
from tools.readme_tables.options import REQUIRED, Option, options_of
from tools.readme_tables.stores import (
    capability_table,
    comparison_table,
    lacking,
    packages_with_stores,
    plugin_class,
    stores_of,
)
from tools.workspace import Member, Workspace

END: Final = '<!-- end of table -->'
_PLACE: Final = re.compile(
    rf'^<!-- (options|capabilities|stores)(?: ([\w.]+))? -->\n(.*?)^{END}$', re.MULTILINE | re.DOTALL
)
COMPARISON: Final = 'docs/stores.md'


@dataclass(frozen=True)
class Page:
    """A page with its tables filled in, and what is wrong with it."""

    path: str
    text: str
    findings: tuple[Finding, ...]


def pages(workspace: Workspace) -> Iterator[Page]:
    """Yields every page that has generated tables."""
    for member in workspace.packages:
        yield filled(workspace, f'{member.rel}/README.md', member)
    if workspace.has(COMPARISON):
        yield filled(workspace, COMPARISON, None)


def filled(workspace: Workspace, path: str, member: Member | None) -> Page:
    """Fills the tables of one page."""
    findings: list[Finding] = []
    shown: set[str] = set()

    def fill(match: re.Match[str]) -> str:
        kind, subject = match[1], match[2] or ''
        shown.add(f'{kind} {subject}'.strip())
        try:
            body = _body(workspace, path, kind, subject, member, findings)
        except (ImportError, AttributeError, TypeError) as error:
            findings.append(Finding(path, f'the table "{kind} {subject}" cannot be made: {error}', 'mend the marker'))
            return match[0]
        opening = match[0].split('\n')[0]
        return f'{opening}\n\n{body}\n\n{END}'

    text = _PLACE.sub(fill, workspace.text(path))
    findings += (
        Finding(path, f'no table "{one}"', f'add the lines "<!-- {one} -->" and "{END}" where it belongs')
        for one in (_wanted(member) if member else ['stores'])
        if one not in shown
    )
    return Page(path, text, tuple(findings))


def _body(
    workspace: Workspace, path: str, kind: str, subject: str, member: Member | None, findings: list[Finding]
) -> str:
    if kind == 'stores':
        names = {one.folder: one.import_name for one in workspace.plugins}
        return comparison_table(dict(packages_with_stores(names)))
    if kind == 'capabilities':
        return capability_table(stores_of(_package_of(subject)))
    module, _, attribute = subject.rpartition('.')
    shown: Any = getattr(import_module(module), attribute)
    options = options_of(shown)
    for option in options:
        if not option.meaning:
            fix = 'describe it in the docstring (Args or Attributes) or by Field(description=...)'
            findings.append(Finding(path, f'{subject}: nothing says what {option.name} means', fix))
    if inspect.isclass(shown) and issubclass(shown, RetrieverOptions):
        options = _as_in(import_module(member.import_name if member else module), options)
    return table(['Option', 'Type', 'Default', 'Meaning'], map(_cells, options))


def _as_in(package: ModuleType, options: list[Option]) -> list[Option]:
    """The options of a retriever as a package's store has them: with its own `k`, without what it cannot do."""
    plugin, hidden = plugin_class(package), lacking(stores_of(package))
    k = str(plugin.default_k) if plugin else 'None'
    return [
        dataclasses.replace(one, default=k) if one.name == 'k' else one for one in options if one.name not in hidden
    ]


def _cells(option: Option) -> list[str]:
    default = option.default if option.default == REQUIRED else code(option.default)
    return [code(option.name), code(option.type), default, option.meaning]


def _package_of(subject: str) -> ModuleType:
    package = import_module(subject)
    if plugin_class(package) is None:
        raise TypeError(f'{subject} has no store')
    return package


def _wanted(member: Member) -> Iterator[str]:
    """Names the tables that a package's README must have: of the plugin, its settings, its options, its stores."""
    if member.kind == 'core':
        return
    package = import_module(member.import_name)
    for name in getattr(package, '__all__', ()):
        value = getattr(package, name)
        if inspect.isclass(value) and _is_options(value, member.kind):
            yield f'options {member.import_name}.{name}'
    if plugin_class(package) is not None:
        yield f'capabilities {member.import_name}'


def _is_options(value: type[Any], kind: str) -> bool:
    if kind == 'model' and issubclass(value, BaseModel):
        return True
    return issubclass(value, (Plugin, CollectionSettings, RetrieverOptions, IndexerOptions))
