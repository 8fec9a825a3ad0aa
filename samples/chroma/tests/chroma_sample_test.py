# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it."""

import re
import subprocess
import sys
from pathlib import Path

MAIN = Path(__file__).parents[1] / 'main.py'


def run(folder, *arguments):
    command = [sys.executable, str(MAIN), '--data', str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def ids(done):
    return re.findall(r'inc-\d', done.stdout)


def test_searching_deleting_and_showing(tmp_path):
    found = run(tmp_path, 'login trouble', '--since', '2024', '--tag', 'queue', '--pattern', 'links? came')
    assert found.returncode == 0, found.stderr
    assert '6 reports written, 0 were there.\n2 of 6 by their metadata.' in found.stdout
    assert ids(found) == ['inc-6']

    deleted = run(tmp_path, '--delete-before', '2024', '--show', 'inc-1', '--show', 'inc-2')
    assert deleted.returncode == 1
    assert '0 reports written, 6 were there.\n1 deleted.' in deleted.stdout
    assert 'inc-1  is not there\ninc-2  [payments, 2025]' in deleted.stdout

    wrong = run(tmp_path, '--pattern', '[')
    assert (wrong.returncode, 'Traceback' in wrong.stderr) == (1, False)
    assert wrong.stderr.startswith('INVALID_ARGUMENT: chroma/incidents: ')
    assert '1 reports written, 5 were there.' in wrong.stdout
