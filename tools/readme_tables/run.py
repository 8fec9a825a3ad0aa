# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Fills the generated tables of all pages, or compares them with what is there."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from pathlib import Path

from tools.checks import report
from tools.readme_tables.pages import pages
from tools.workspace import Workspace, find_root

DESCRIPTION = 'Writes the tables of options and capabilities into the READMEs and docs, from the code.'


def run(workspace: Workspace, *, check: bool) -> int:
    """Writes or checks every page; returns 1 for findings and, when checking, for tables that are out of date."""
    wrong = 0
    for page in pages(workspace):
        wrong += report('readme-tables', page.findings)
        old = workspace.text(page.path)
        if page.text == old:
            continue
        if check:
            wrong += 1
            lines = (old.splitlines(keepends=True), page.text.splitlines(keepends=True))
            print(''.join(difflib.unified_diff(*lines, page.path, f'{page.path} (generated)')), end='')
        else:
            (workspace.root / page.path).write_text(page.text, encoding='utf-8')
            print(f'{page.path}: written')
    if check and wrong:
        print('Run "uv run python -m tools.readme_tables" and commit what it writes.')
    return 1 if wrong else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when every table is there, described and (with `--check`) up to date, else 1."""
    parser = argparse.ArgumentParser(prog='python -m tools.readme_tables', description=DESCRIPTION)
    parser.add_argument('--root', type=Path, help='the workspace (default: the one around the working directory)')
    parser.add_argument('--check', action='store_true', help='write nothing; show what differs and return 1')
    options = parser.parse_args(arguments)
    return run(Workspace(options.root or find_root(Path.cwd())), check=options.check)
