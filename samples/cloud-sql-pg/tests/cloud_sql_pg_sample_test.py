# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it: once with the server that it starts, then with one that is there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]


def run(*arguments, dsn=''):
    command = [sys.executable, str(HERE / 'main.py'), *arguments]
    environment = {**os.environ, 'GENKITX_PG_DSN': dsn}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


def found(done):
    return re.findall(r'[KOG]-\d00', done.stdout)


def test_filters_on_columns_and_json_with_a_server_of_its_own():
    done = run('something for XR-7', '--mode', 'hybrid', '--max-price', '40', '--in-stock', '--material', 'aluminium')
    assert done.returncode == 0, done.stderr
    assert '8 products written, 0 were there.' in done.stdout
    assert 'Columns: sku, category, price, in_stock; the other keys are JSON.' in done.stdout
    assert 'Vector indexes: sample_productsgenkitvectorindex (hnsw).' in done.stdout
    assert found(done) == ['K-200']


@pytest.fixture
def dsn():
    """A server in another process, which ends with it."""
    code = 'import database\nwith database.database() as dsn:\n    print(dsn, flush=True)\n    input()'
    command = [sys.executable, '-c', code]
    environment = {**os.environ, 'GENKITX_PG_DSN': ''}
    with subprocess.Popen(
        command, cwd=HERE, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process.stdout.readline().strip()
        process.communicate('\n', timeout=60)
    assert process.returncode == 0


def test_a_server_that_is_there(dsn):
    first = run('hot water for tea', '--category', 'kitchen', '--category', 'outdoor', '-k', '2', dsn=dsn)
    assert first.returncode == 0, first.stderr
    assert sorted(found(first)) == ['K-100', 'O-200']
    second = run('XR-7', '--mode', 'text', '--drop', dsn=dsn)
    assert '0 products written, 8 were there.' in second.stdout
    assert found(second) == ['K-200']
