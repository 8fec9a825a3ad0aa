# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Checks the types of all pages' programs in one run of pyright."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tools.snippets.blocks import Block

_SETTINGS: Final = {
    'typeCheckingMode': 'standard',
    'pythonVersion': '3.11',
    # A page may show a function or a name in two ways.
    'reportRedeclaration': False,
    'reportUnusedExpression': False,
    'reportUnsupportedDunderAll': False,
}


def program(blocks: Sequence[Block]) -> str:
    """Returns a page's Python blocks as the body of one coroutine, so that `await` may stand anywhere.

    Every line keeps its number in the page, but for pages whose first line is code.
    """
    lines = ['async def page():']
    for block in blocks:
        lines += [''] * (block.line - 1 - len(lines))
        lines += [f'    {line}' if line else '' for line in block.text.rstrip('\n').split('\n')]
    return '\n'.join([*lines, '    pass', ''])


def type_errors(pages: Mapping[str, Sequence[Block]], folder: Path) -> list[str]:
    """Returns what pyright says is wrong, as `page:line: message`.

    Args:
        pages: The Python blocks of each page.
        folder: An empty folder to work in.

    Raises:
        RuntimeError: If pyright itself fails.
    """
    files = {f'page_{number}.py': path for number, path in enumerate(pages)}
    for name, path in files.items():
        (folder / name).write_text(program(pages[path]), encoding='utf-8')
    (folder / 'pyrightconfig.json').write_text(json.dumps(_SETTINGS), encoding='utf-8')
    command = [sys.executable, '-m', 'pyright', '--project', str(folder), '--outputjson']
    result = subprocess.run([*command, '--pythonpath', sys.executable], capture_output=True, text=True, check=False)
    if result.returncode not in {0, 1}:
        raise RuntimeError(f'pyright failed: {result.stdout}{result.stderr}')
    report: dict[str, Any] = json.loads(result.stdout)
    if report['summary']['filesAnalyzed'] != len(files):
        raise RuntimeError(f'pyright looked at {report["summary"]["filesAnalyzed"]} of {len(files)} pages')
    return [
        f'{files[Path(one["file"]).name]}:{one["range"]["start"]["line"] + 1}: {one["message"]}'
        for one in report['generalDiagnostics']
        if one['severity'] == 'error'
    ]
