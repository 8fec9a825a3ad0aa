# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Checks shell commands without running them: packages, extras, modules, programs and paths must exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement

from tools.workspace import CORE, Workspace, get

_PROGRAMS: Final = {'cd', 'curl', 'docker', 'export', 'genkit', 'npm', 'npx', 'pip', 'pipx', 'python', 'uv', 'uvicorn'}
"""What a reader is expected to have, or to get by a line before."""

_OWN: Final = ('packages/', 'plugins/', 'samples/', 'docs/', 'tools/', 'benchmarks/', '.ci/')
_TAKES_VALUE: Final = {'--package', '--with', '--group', '--extra', '--python'}
_OPERATORS: Final = {'&&', '||', '|', ';', '&', '>', '>>'}


class Shell:
    """The commands of one page, in order: a command may use what an earlier one made.

    Args:
        workspace: The workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = ''
        self._members = {member.expected_name: member for member in workspace.members}
        self._made: dict[str, str] = {}

    def errors(self, block: str) -> Iterator[str]:
        """Yields what is wrong with the commands of a block. Every block starts in the root of the workspace."""
        self._folder = ''
        for line in re.sub(r'\\\n', ' ', block).split('\n'):
            try:
                lexer = shlex.shlex(line, posix=True, punctuation_chars='&|;>')
                lexer.whitespace_split = True
                words = list(lexer)
            except ValueError as error:
                yield f'{line!r} is no command: {error}'
                continue
            for command in _commands(words):
                yield from self._command(command)

    def _command(self, words: list[str]) -> Iterator[str]:
        while words and re.match(r'[A-Z_]+=', words[0]):
            words = words[1:]
        if not words:
            return
        program, rest = words[0], words[1:]
        if program == 'cd':
            self._folder = rest[0].rstrip('/') + '/' if rest else ''
        yield from (f'no file or folder {path}' for path in words if not self._exists(path))
        if '/' not in program and program not in _PROGRAMS:
            yield f'{program} is no program that a reader has'
        elif program == 'uv' and rest[:1] == ['run']:
            yield from self._uv_run(rest[1:])
        elif program in {'pip', 'pipx', 'uv'} and 'install' in rest[:2]:
            yield from self._install(rest[rest.index('install') + 1 :])
        elif program == 'python':
            yield from self._python(rest)

    def _uv_run(self, words: list[str]) -> Iterator[str]:
        while words and words[0].startswith('-'):
            if words[0] == '--package' and words[1] not in self._members and words[1] not in self._made:
                yield f'no package {words[1]} in the workspace'
            words = words[2 if words[0] in _TAKES_VALUE else 1 :]
        if not words or words[0].endswith('.py'):
            return
        if words[0] == 'python':
            yield from self._python(words[1:])
        elif not Path(sys.executable).with_name(words[0]).exists():
            yield f'{words[0]} is not installed by the workspace'

    def _python(self, words: list[str]) -> Iterator[str]:
        if words[:1] != ['-m']:
            return
        module = words[1]
        if module == 'pip' and words[2:3] == ['install']:
            yield from self._install(words[3:])
        elif importlib.util.find_spec(module) is None:
            yield f'no module {module}'
        if module == 'tools.new_plugin' and len(words) > 3:
            self._made[f'{CORE}-{words[3]}'] = f'plugins/{words[3]}'

    def _install(self, words: list[str]) -> Iterator[str]:
        for word in words:
            if word.startswith('-'):
                continue
            try:
                wanted = Requirement(word)
            except InvalidRequirement:
                yield f'{word!r} is no requirement'
                continue
            member = self._members.get(wanted.name)
            if member is None and wanted.name.startswith(CORE) and wanted.name not in self._made:
                yield f'no package {wanted.name} in the workspace'
            extras: dict[str, list[str]] = get(member.project, 'optional-dependencies', default={}) if member else {}
            if member is not None:
                yield from (f'{wanted.name} has no extra {extra}' for extra in sorted(wanted.extras - set(extras)))

    def _exists(self, word: str) -> bool:
        path = self._folder + word.removeprefix('./') if word.startswith('./') else word
        if not path.startswith(_OWN):
            return True
        made = any(path == folder or path.startswith(f'{folder}/') for folder in self._made.values())
        return made or (self._workspace.root / path).exists()


def _commands(words: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for word in words:
        if word in _OPERATORS:
            yield command
            command = []
        else:
            command.append(word)
    yield command
