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


def test_the_index_is_made_a_customer_forgotten_and_the_index_dropped(service):
    done = run('--forget', '--customer', 'globex', '--drop', '--host', service.url, key=KEY)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.endswith('The notes of globex are deleted.\nThe index genkitx-sample is deleted.\n')
    changes = [path for path in service.paths() if path.startswith(('POST /indexes', 'POST /vectors/delete', 'DELETE'))]
    assert changes == ['POST /indexes', 'POST /vectors/delete', 'DELETE /indexes/genkitx-sample']
    assert [body['namespace'] for body in service.bodies('/vectors/delete')] == ['globex']


def test_without_a_key_there_is_a_message():
    done = run()
    assert done.returncode == 2
    assert done.stderr == 'Set PINECONE_API_KEY, or give --host with the address of an emulator.\n'
