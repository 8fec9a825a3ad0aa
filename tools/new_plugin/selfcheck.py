# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Proves that a new plugin of each kind passes everything: makes both in a copy of the workspace, and checks them.

Run as `uv run python -m tools.new_plugin.selfcheck`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from pathlib import Path

from tools.check_consistency.run import REGISTRY
from tools.new_plugin.scaffold import copy_workspace, write_plugin
from tools.workspace import Workspace, find_root

# Two words, because the names of folder, distribution and module then all differ.
PLUGINS = {'fresh-store': 'store', 'fresh-model': 'model'}


def main() -> int:
    """Runs all steps in a copy of the workspace; returns 1 if one of them failed."""
    with tempfile.TemporaryDirectory(prefix='genkitx-scaffold-') as scratch:
        root = Path(scratch).resolve() / 'workspace'
        root.mkdir()
        copy_workspace(find_root(Path.cwd()), root)
        before = consistency(root)
        for folder, kind in PLUGINS.items():
            write_plugin(root, kind, folder)
        new = sorted(consistency(root) - before)
        for finding in new:
            print(finding)
        python = str(environment(root))
        tables = _step('tables', root, python, '-m', 'tools.readme_tables')
        _commit(root)
        folders = [f'plugins/{folder}' for folder in PLUGINS]
        packages = [option for folder in PLUGINS for option in ('--package', f'genkitx-{folder}')]
        results = [
            not new,
            tables,
            _step('lint', root, python, '-m', 'ruff', 'check', *folders),
            _step('format', root, python, '-m', 'ruff', 'format', '--check', *folders),
            _step('types', root, python, '-m', 'pyright', *(f'{folder}/src' for folder in folders)),
            _step('tests', root, python, '-m', 'pytest', '-q', *folders),
            _step('release', root, python, '-m', 'tools.release_check', *packages),
        ]
    return 0 if all(results) else 1


def consistency(root: Path) -> set[str]:
    """Returns what the consistency checks find in a workspace."""
    workspace = Workspace(root)
    return {
        f'{finding.path}: [{check.name}] {finding.message}'
        for check in REGISTRY.checks.values()
        for finding in check.find(workspace)
    }


def environment(root: Path) -> Path:
    """Makes a virtual environment that sees the copy's packages first and then everything of the running one."""
    folder = root / '.venv'
    venv.create(folder, symlinks=os.name != 'nt')
    variables = {'base': str(folder), 'platbase': str(folder)}
    packages = Path(sysconfig.get_path('purelib', 'venv', vars=variables))
    sources = [str(path) for path in sorted([*root.glob('packages/*/src'), *root.glob('plugins/*/src')])]
    installed = [path for path in sys.path if path.endswith('site-packages')]
    (packages / 'workspace.pth').write_text('\n'.join([*sources, *installed, '']), encoding='utf-8')
    return Path(sysconfig.get_path('scripts', 'venv', vars=variables)) / ('python.exe' if os.name == 'nt' else 'python')


def _commit(root: Path) -> None:
    identity = ['-c', 'user.name=Scaffold', '-c', 'user.email=scaffold@example.invalid']
    for command in (['init', '-q'], ['add', '.'], ['commit', '-qm', 'everything']):
        subprocess.run(['git', *identity, *command], cwd=root, check=True)


def _step(name: str, root: Path, *command: str) -> bool:
    print(f'--- {name}', flush=True)
    start = time.monotonic()
    kept = {key: value for key, value in os.environ.items() if key not in {'VIRTUAL_ENV', 'PYTHONPATH'}}
    code = subprocess.run(command, cwd=root, env=kept, check=False).returncode
    print(f'--- {name}: {"ok" if code == 0 else "FAILED"} in {time.monotonic() - start:.0f} s', flush=True)
    return code == 0


if __name__ == '__main__':
    sys.exit(main())
