# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Writes a plugin from templates and tells the workspace about it."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from packaging.version import Version

from tools.workspace import CORE, Workspace, find_root, get

TEMPLATES = Path(__file__).parent / 'templates'
SUFFIX = '.tmpl'
DESCRIPTIONS = {'store': '{} vector store for Genkit in Python', 'model': '{} models for Genkit in Python'}
DEPENDENCIES: dict[str, Sequence[str]] = {'store': (), 'model': ('httpx>=0.28.1', 'pydantic>=2.10.5')}
# What the table of packages in the root README says, by kind.
ROW_KINDS = {'store': 'vector store', 'model': 'models'}


def write_plugin(root: Path, kind: str, folder: str) -> list[Path]:
    """Writes the plugin and adds it to the root `pyproject.toml` and README.

    Args:
        root: The workspace.
        kind: `store` or `model`.
        folder: The plugin's folder below `plugins/`, which gives every other name.

    Returns:
        The files that were written or changed.

    Raises:
        ValueError: For a name that is taken or cannot be one, and for a root that is not as expected; nothing is written.
    """
    if not re.fullmatch(r'[a-z][a-z0-9]*(-[a-z0-9]+)*', folder):
        raise ValueError(f'{folder!r} is no plugin name: use lower-case letters, digits and single hyphens')
    target = root / 'plugins' / folder
    if target.exists():
        raise ValueError(f'{target.relative_to(root)} exists already')
    names = _names(Workspace(root), kind, folder)
    files = {target / 'LICENSE': (root / 'LICENSE').read_text(encoding='utf-8')}
    files[target / 'src' / names['module'] / 'py.typed'] = ''
    for base in (TEMPLATES / 'common', TEMPLATES / kind):
        for template in sorted(base.rglob(f'*{SUFFIX}')):
            place = template.relative_to(base).as_posix().removesuffix(SUFFIX)
            place = re.sub(r'^src/', f'src/{names["module"]}/', place)
            files[target / place] = render(template.read_text(encoding='utf-8'), names)
    pyproject = root / 'pyproject.toml'
    files[pyproject] = add_to_pyproject(pyproject.read_text(encoding='utf-8'), kind, folder)
    readme = root / 'README.md'
    files[readme] = add_to_readme(readme.read_text(encoding='utf-8'), kind, folder, names)
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding='utf-8')
    _tidy(root, target)
    return list(files)


def _names(workspace: Workspace, kind: str, folder: str) -> dict[str, str]:
    core = workspace.core
    if core is None:
        raise ValueError(f'there is no packages/{CORE} in {workspace.root}')
    version = Version(core.version)
    title = ''.join(part.capitalize() for part in folder.split('-'))
    snake = folder.replace('-', '_')
    return {
        'folder': folder,
        'snake': snake,
        'Name': title,
        'NAME': snake.upper(),
        'dist': f'{CORE}-{folder}',
        'module': f'{CORE}_{snake}',
        # The first release of a plugin is on the minor of the core that it needs.
        'version': f'{version.major}.{version.minor}.0',
        'core_bounds': f'>={version.major}.{version.minor},<{version.major}.{version.minor + 1}',
        'requires_python': str(get(workspace.config, 'project', 'requires-python', default='')),
        'description': DESCRIPTIONS[kind].format(title),
        'summary': f'the {kind} plugin for {title}',
        'dependencies': ''.join(f'\n  "{line}",' for line in DEPENDENCIES[kind]),
    }


def render(text: str, names: dict[str, str]) -> str:
    """Fills the `{{names}}` of a template in.

    Raises:
        ValueError: For a name that is not known.
    """

    def fill(match: re.Match[str]) -> str:
        if match.group(1) not in names:
            raise ValueError(f'the template asks for {match.group()}, which nobody gives')
        return names[match.group(1)]

    return re.sub(r'\{\{(\w+)\}\}', fill, text)


def add_to_pyproject(text: str, kind: str, folder: str) -> str:
    """Adds a plugin to the root's dependencies, sources and kinds, each in its alphabetical place."""
    name = f'{CORE}-{folder}'
    text = _insert(text, 'dependencies = [', f'  "{name}",')
    text = _insert(text, '[tool.uv.sources]', f'{name} = {{ workspace = true }}')
    return _insert(text, '[tool.genkitx.plugins]', f'{folder} = "{kind}"')


def _insert(text: str, header: str, line: str) -> str:
    lines = text.split('\n')
    if header not in lines:
        raise ValueError(f'the root pyproject.toml has no line {header!r}')

    def key(entry: str) -> str:
        match = re.search(r'[\w-]+', entry)
        return match.group() if match else ''

    index = lines.index(header) + 1
    while index < len(lines) and re.match(r'\s*"?[\w]', lines[index]) and key(lines[index]) < key(line):
        index += 1
    return '\n'.join([*lines[:index], line, *lines[index:]])


def add_to_readme(text: str, kind: str, folder: str, names: dict[str, str]) -> str:
    """Adds a plugin to the README: as a row after the table's last plugin, or as a line at the end."""
    lines = text.rstrip('\n').split('\n')
    rows = [index for index, line in enumerate(lines) if line.startswith('|') and f'{CORE}-' in line]
    if not rows:
        return '\n'.join([*lines, '', f'- `{names["dist"]}`: {names["description"]}.', ''])
    columns = lines[rows[-1]].count('|') - 1
    cells = [f'[`{names["dist"]}`](plugins/{folder})', ROW_KINDS[kind], names['description']]
    cells = (cells + [''] * columns)[:columns]
    lines.insert(rows[-1] + 1, f'| {" | ".join(cells)} |')
    return '\n'.join([*lines, ''])


def _tidy(root: Path, target: Path) -> None:
    """Sorts imports and names and wraps lines, which depend on how long the plugin's name is."""
    configuration = ['--config', str(root / 'pyproject.toml'), '--quiet', str(target)]
    for command in (['check', '--select', 'I,RUF022', '--fix'], ['format']):
        subprocess.run([sys.executable, '-m', 'ruff', *command, *configuration], cwd=root, check=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes a plugin; returns 0, or 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog='python -m tools.new_plugin', description='Makes a new plugin that works.')
    parser.add_argument('kind', choices=sorted(DESCRIPTIONS), help='what the plugin is for')
    parser.add_argument('name', help='its folder, such as acme: the distribution is genkitx-acme')
    parser.add_argument('--root', type=Path, help='the workspace (default: the one around the working directory)')
    options = parser.parse_args(arguments)
    try:
        root: Path = options.root or find_root(Path.cwd())
        files = write_plugin(root, options.kind, options.name)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    for file in files:
        print(file.relative_to(root))
    print(f'\nNext: uv sync, uv run python -m tools.readme_tables, uv run pytest plugins/{options.name}')
    return 0


def copy_workspace(source: Path, target: Path) -> None:
    """Copies what is in version control, or would be after `git add`, to an empty folder."""
    for name in Workspace(source).files:
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, file)
