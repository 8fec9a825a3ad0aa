# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Checks the types of all pages' programs in one run of pyright."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
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


# A page is read as in a notebook, where these may stand outside of a function. Where they may not (in a function that is not
# asynchronous) the compiler says so.
_NOTEBOOK: Final = (
    '"await" allowed only within async function',
    'Use of "async" not allowed outside of async function',
)


def program(blocks: Sequence[Block]) -> str:
    """Returns a page's Python blocks as one module in which every line has its number in the page."""
    lines: list[str] = []
    for block in blocks:
        lines += [''] * (block.line - 1 - len(lines))
        lines += block.text.rstrip('\n').split('\n')
    return '\n'.join([*lines, ''])


def type_errors(pages: Mapping[str, Sequence[Block]], folder: Path) -> list[str]:
    """Returns what pyright says is wrong, as `page:line: message`.

    Args:
        pages: The Python blocks of each page.
        folder: An empty folder to work in.

    Raises:
        RuntimeError: If pyright itself fails.
    """
    files = {f'page_{number}.py': path for number, path in enumerate(pages)}
    wrong = [error for path, blocks in pages.items() for block in blocks for error in _not_compiled(path, block)]
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
    return wrong + [
        f'{files[Path(one["file"]).name]}:{one["range"]["start"]["line"] + 1}: {one["message"]}'
        for one in report['generalDiagnostics']
        if one['severity'] == 'error' and not one['message'].startswith(_NOTEBOOK)
    ]


def _not_compiled(path: str, block: Block) -> Iterator[str]:
    try:
        compile('\n' * (block.line - 1) + block.text, path, 'exec', flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        yield f'{path}:{error.lineno}: {error.msg}'
