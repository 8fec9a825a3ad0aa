# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Runs all benchmarks, one after the other, and writes RESULTS.md: `uv run --group bench python benchmarks/run.py`.

Names of benchmarks run only these, and keep the rest of RESULTS.md as it is: `run.py chroma hnsw`. The machine should do nothing
else meanwhile. `--quick` only shows that they work.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from report import ROWS_FILE, Row

HERE = Path(__file__).parent
RESULTS = HERE / 'RESULTS.md'
ROWS = HERE / 'results.json'
PACKAGES = (
    *(
        'genkit',
        'chromadb',
        'asyncpg',
        'pgvector',
        'pymilvus',
        'milvus-lite',
        'pinecone',
        'voyager',
        'hnswlib',
        'convex',
    ),
    *('groq', 'cohere', 'langchain-core', 'langgraph', 'langchain-chroma', 'langchain-postgres', 'langchain-milvus'),
)
HEAD = ('case', 'ours', 'raw', 'speed', 'over raw', 'peers (speed of ours to theirs)', 'goal')

INTRODUCTION = """# Benchmarks

Written by `uv run --group bench python benchmarks/run.py`; not a test, and nothing fails by it. *Raw* is the vendor's own client (or
the barest loop) doing the same work: the same rows, batches and settings, interleaved with ours in one process. *Speed* is how many
times as fast as that ours is: 1 is equal, more is better. Times are medians. On a shared machine two runs differ by a tenth or more, so
only larger differences mean anything.
"""


def main() -> int:
    """Entry point."""
    known = sorted(file.stem.removeprefix('bench_') for file in HERE.glob('bench_*.py'))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', choices=[*known, []], metavar='NAME', help=f'which: {", ".join(known)}')
    parser.add_argument('--quick', action='store_true', help='few rows and runs: whether they work; writes no files')
    arguments = parser.parse_args()
    names = arguments.names or known
    kept = json.loads(ROWS.read_text(encoding='utf-8')) if ROWS.exists() else {}
    failed: list[str] = []
    for name in names:
        rows, seconds = run(name, quick=arguments.quick)
        if rows is None:
            failed.append(name)
            continue
        kept[name] = {'seconds': round(seconds), 'rows': rows}
    if arguments.quick:
        print(f'\nNothing is written. Failed: {", ".join(failed) or "none"}')
        return 1 if failed else 0
    ROWS.write_text(json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + '\n', encoding='utf-8')
    RESULTS.write_text(render(kept), encoding='utf-8')
    print(f'\nWritten: {RESULTS}')
    if failed:
        print(f'Failed, their old rows are kept: {", ".join(failed)}', file=sys.stderr)
    return 1 if failed else 0


def run(name: str, *, quick: bool) -> tuple[list[dict[str, object]] | None, float]:
    """Runs one benchmark and returns its rows, or None if it failed, and the seconds it took."""
    print(f'\n=== {name}', flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, 'rows')
        file.touch()
        started = time.perf_counter()
        command = [sys.executable, str(HERE / f'bench_{name}.py'), *(['--quick'] if quick else [])]
        done = subprocess.run(command, env={**os.environ, ROWS_FILE: str(file)}, check=False)
        rows = [json.loads(line) for line in file.read_text(encoding='utf-8').splitlines()]
    return None if done.returncode else rows, time.perf_counter() - started


def render(results: dict[str, dict[str, list[dict[str, object]]]]) -> str:
    """Returns RESULTS.md."""
    text = [INTRODUCTION, machine()]
    areas: dict[str, list[dict[str, object]]] = {}
    for result in results.values():
        for one in result['rows']:
            areas.setdefault(str(one['area']), []).append(one)
    for area, lines in areas.items():
        text.append(f'\n## {area}\n')
        rows = [Row(**one) for one in lines if 'note' not in one]  # pyright: ignore[reportArgumentType]
        if rows:
            text += ['| ' + ' | '.join(HEAD) + ' |', '|' + '---|' * len(HEAD)]
            text += ['| ' + ' | '.join(row.cells) + ' |' for row in rows]
        notes = [f'- {one["note"]}' for one in lines if 'note' in one]
        text += ['', *notes] if notes else []
    return '\n'.join(text) + '\n'


def machine() -> str:
    """Describes where it ran: processor, memory, system, versions."""
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30 if hasattr(os, 'sysconf') else 0
    today = datetime.datetime.now(datetime.timezone.utc).date()
    versions = ', '.join(f'{name} {found}' for name in PACKAGES if (found := _version(name)))
    return (
        f'Measured on {today}: {_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()} '
        f'{platform.release()}, Python {platform.python_version()}.\n\n{versions}.\n'
    )


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')), platform.machine())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ''


if __name__ == '__main__':
    sys.exit(main())
