# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it, against the strict Pinecone of the plugin's tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MAIN = Path(__file__).parents[1] / 'main.py'
sys.path.insert(0, str(Path(__file__).parents[3] / 'plugins' / 'pinecone' / 'tests' / 'server'))

from pinecone_server import KEY, FakePinecone  # noqa: E402


@pytest.fixture
def service():
    running = FakePinecone()
    yield running
    running.stop()


def run(*arguments, key=''):
    environment = {**os.environ, 'PINECONE_API_KEY': key}
    environment.pop('PINECONE_CONTROLLER_HOST', None)
    command = [sys.executable, str(MAIN), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


def test_namespaces_filters_and_waiting(service):
    service.create('genkitx-sample', 256).delay = 0.3  # Writes show that late.
    first = run('contract', '--customer', 'globex', '--since', '2025', '--host', service.url, key=KEY)
    assert (first.returncode, first.stderr) == (0, '')
    assert 'genkitx-sample: 256 dimensions, cosine, Ready.' in first.stdout
    assert 'acme: 3 notes written, 0 were there. 3 in the namespace.' in first.stdout
    assert 'globex: 2 notes written, 0 were there. 2 in the namespace.' in first.stdout
    # The filter and the namespace leave one note; without them a note on contracts would be closer.
    assert next(line for line in first.stdout.splitlines() if '[' in line).endswith('must be given back.')
    assert first.stdout.count('[') == 1

    second = run('--forget', '--customer', 'globex', '--host', service.url, key=KEY)
    assert second.returncode == 0, second.stderr
    assert 'globex: 0 notes written, 2 were there.' in second.stdout
    assert (
        len(service.indexes['genkitx-sample'].records('acme')),
        len(service.indexes['genkitx-sample'].records('globex')),
    ) == (3, 0)


def test_the_index_is_made_and_dropped(service):
    done = run('--drop', '--host', service.url, key=KEY)
    assert done.returncode == 0, done.stderr
    assert 'The index genkitx-sample is deleted.' in done.stdout
    assert [path for path in service.paths() if path.startswith(('POST /indexes', 'DELETE /indexes'))] == [
        'POST /indexes',
        'DELETE /indexes/genkitx-sample',
    ]


def test_without_a_key_or_with_a_wrong_one_there_is_a_message(service):
    missing = run()
    assert missing.returncode == 2
    assert 'PINECONE_API_KEY' in missing.stderr
    wrong = run('--host', service.url, key='wrong')
    assert (wrong.returncode, 'Traceback' in wrong.stderr) == (1, False)
    assert wrong.stderr.startswith('UNAUTHENTICATED: ')
