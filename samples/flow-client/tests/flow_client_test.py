# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it, against its own server and against one that runs already."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[1]
CLEAN = {key: value for key, value in os.environ.items() if key not in ('FLOW_KEY', 'GENKIT_ENV')} | {'COLUMNS': '400'}


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(HERE / 'main.py'), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=CLEAN | environment,
    )


@pytest.fixture(scope='module')
def server() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, str(HERE / 'server.py'), '--with-parent'],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=CLEAN | {'FLOW_KEY': 'sesame'},
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_every_kind_of_call():
    done = command('Cats purr. Cats purr and sleep all day! Dogs bark.', '--sentences', '2', '--caller', 'Ann')
    assert (done.returncode, done.stderr) == (0, '')
    _, unary, stream, errors, key = done.stdout.split('\n\n')
    assert unary.splitlines()[-1] == '  1 sentences left out'
    assert '  Cats purr.\n' in unary
    assert [line[:4] for line in stream.splitlines()[1:4]] == ['  1.', '  2.', '  3.']
    assert '  2. Cats purr and sleep all day! (6 words)' in stream
    assert '  10 words; the longest sentence: Cats purr and sleep all day!' in stream
    assert [line.split()[0] for line in errors.splitlines()[1:]] == ['INVALID_ARGUMENT'] * 2 + ['NOT_FOUND']
    assert 'INVALID_ARGUMENT There is no sentence in this text.' in errors
    refused = [line.split()[0] for line in key.splitlines()[1:3]]
    assert refused == ['UNAUTHENTICATED', 'PERMISSION_DENIED']
    assert "the right key: Caller(name='Ann', has_key=True)" in key


def test_a_server_that_runs_already(server: str):
    wrong = command('--url', server + '/', FLOW_KEY='other')
    assert wrong.returncode == 1
    assert wrong.stderr.startswith('PERMISSION_DENIED')
    assert 'Traceback' not in wrong.stderr
    assert '30 words; the longest sentence: The train reached Hamburg' in wrong.stdout


def test_wrong_use():
    unreachable = command('--url', 'http://127.0.0.1:1', '--key', 'k')
    assert unreachable.returncode == 1
    assert unreachable.stderr.startswith('UNAVAILABLE')
    keyless = command('--url', 'http://127.0.0.1:1')
    assert keyless.returncode == 2
    assert '--url needs the key' in keyless.stderr
