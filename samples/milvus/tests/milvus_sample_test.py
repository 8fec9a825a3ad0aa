# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it."""

import os
import re
import subprocess
import sys
from pathlib import Path

MAIN = Path(__file__).parents[1] / 'main.py'


def run(folder, *arguments):
    command = [sys.executable, str(MAIN), '--data', str(folder / 'new' / 'milvus.db'), *arguments]
    clean = {key: value for key, value in os.environ.items() if not key.startswith('MILVUS_')}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=clean, check=False)


def found(done):
    return re.findall(r'^  \S+  \[(\w+), \d\]  (AL-\d+)', done.stdout, re.MULTILINE)


def test_partitions_words_and_ranges(tmp_path):
    first = run(tmp_path, 'AL-7731', '--mode', 'hybrid', '--site', 'oslo', '--site', 'turin', '--level', '2')
    assert (first.returncode, first.stderr) == (0, '')
    assert 'oslo: 2 alarms written, 0 were there. 2 in the partition.' in first.stdout
    assert found(first)[0] == ('oslo', 'AL-7731')
    assert 'berlin' not in {site for site, _ in found(first)}

    second = run(tmp_path, 'The conveyor does not move.', '--above', '0.5', '-k', '10')
    assert (second.returncode, second.stderr) == (0, '')
    assert 'turin: 0 alarms written, 3 were there. 3 in the partition.' in second.stdout
    assert found(second) == [('turin', 'AL-2210')]  # Eight are there, and k is ten.
