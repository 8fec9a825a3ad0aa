# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""What the documentation site adds to `docs/`: the packages' READMEs, and a page of reference for each package.

MkDocs calls these functions (`hooks` in `mkdocs.yml`). Pages link to each other as on a forge, by the paths of the repository;
here such links are led to the site's pages.
"""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

# The command `mkdocs` does not look for modules in the workspace.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.check_consistency.syntax import all_imports
from tools.workspace import Member, Workspace

_LINK: Final = re.compile(r'(\]\()([^)\s]+)(\))')

# Public names of the core that belong to a subpackage, in the order of the page.
_CORE_PARTS: Final = ('', 'filters', 'stores', 'local', 'middleware', 'embedding', 'lifecycle', 'testing')


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Lists the packages' pages in the navigation."""
    workspace = Workspace(Path(config.config_file_path).parent)
    pages = {'Packages': readme_page, 'Reference': reference_page}
    for section in cast('list[dict[str, Any]]', cast('Any', config).nav):
        for title in section.keys() & pages.keys():
            section[title] = [{member.folder: pages[title](member)} for member in workspace.packages]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are not in `docs/`."""
    workspace = Workspace(Path(config.config_file_path).parent)
    for member in workspace.packages:
        _add(files, config, readme_page(member), workspace.text(f'{member.rel}/README.md'))
        _add(files, config, reference_page(member), reference(workspace, member))
        for name in workspace.files:
            if name.startswith(f'{member.rel}/docs/'):
                _add(
                    files,
                    config,
                    f'plugins/{member.folder}/{posixpath.basename(name)}',
                    (workspace.root / name).read_bytes(),
                )
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Leads links between files of the repository to pages of the site.

    Raises:
        PluginError: If a link leads to a file that is not in the repository.
    """
    workspace = Workspace(Path(config.config_file_path).parent)
    here = page.file.src_uri
    origin = _origins(workspace).get(here, f'docs/{here}')

    def lead(match: re.Match[str]) -> str:
        target, _, anchor = match[2].partition('#')
        if not target or re.match(r'[a-z][a-z0-9+.-]*:|/', target):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), target))
        found = _page_of(workspace, path)
        if found is None or files.get_file_from_path(found) is None:
            raise PluginError(f'{origin}: the link to {target} leads to no page of the site')
        relative = posixpath.relpath(found, posixpath.dirname(here) or '.')
        return f'{match[1]}{relative}{"#" + anchor if anchor else ""}{match[3]}'

    return _outside_code(markdown, lead)


def readme_page(member: Member) -> str:
    """Returns where a package's README is in the site."""
    return f'plugins/{member.folder}.md'


def reference_page(member: Member) -> str:
    """Returns where a package's reference is in the site."""
    return f'reference/{member.folder}.md'


def reference(workspace: Workspace, member: Member) -> str:
    """Returns the page of a package's public names, for mkdocstrings to fill."""
    lines = [f'# {member.expected_name}: reference', '']
    for part in _CORE_PARTS if member.kind == 'core' else ('',):
        module = f'{member.import_name}.{part}' if part else member.import_name
        lines += [f'## `{module}`', '']
        lines += _entries(workspace, member, part, module)
    return '\n'.join(lines)


def _entries(workspace: Workspace, member: Member, part: str, module: str) -> Iterator[str]:
    """Reads `__all__`, or the public definitions of a module without, from its source: nothing is imported."""
    base = f'{member.rel}/src/{member.import_name}/{part}'.rstrip('/')
    tree = workspace.module(f'{base}.py' if workspace.has(f'{base}.py') else f'{base}/__init__.py')
    if tree is None:
        raise PluginError(f'no module {base}')
    origins = {one.bound: one.module for one in all_imports(tree)}
    for name in _public(tree):
        origin = origins.get(name, member.import_name)
        foreign = origin.split('.')[0] != member.import_name
        yield f'### `{name}`\n\nThe same as `{origin}.{name}`.\n' if foreign else f'::: {module}.{name}\n'


def _public(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == '__all__':
            return ast.literal_eval(node.value)
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith('_')]


def _origins(workspace: Workspace) -> dict[str, str]:
    return {readme_page(member): f'{member.rel}/README.md' for member in workspace.packages}


def _page_of(workspace: Workspace, path: str) -> str | None:
    """The site's page for a path of the repository; None if it has none."""
    if path.startswith('docs/'):
        return path.removeprefix('docs/')
    for page, origin in _origins(workspace).items():
        folder = posixpath.dirname(origin)
        if path in {origin, folder}:
            return page
        if path.startswith(f'{folder}/docs/'):
            return f'{page.removesuffix(".md")}/{posixpath.basename(path)}'
    return None


def _outside_code(markdown: str, replace: Any) -> str:
    parts = re.split(r'(^```.*?^```$|`[^`\n]*`)', markdown, flags=re.MULTILINE | re.DOTALL)
    return ''.join(part if number % 2 else _LINK.sub(replace, part) for number, part in enumerate(parts))


def _add(files: Files, config: MkDocsConfig, path: str, content: str | bytes) -> None:
    files.append(File.generated(config, path, content=content))
