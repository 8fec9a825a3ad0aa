# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it, with nothing changed but the address and the key."""

import os
import subprocess
import sys
from pathlib import Path

MAIN = Path(__file__).parents[1] / 'main.py'


def run(*arguments, **environment):
    clean = {key: value for key, value in os.environ.items() if not key.startswith('CONVEX_')}
    command = [sys.executable, str(MAIN), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**clean, **environment}, check=False
    )


def test_notes_are_written_once_and_found(deploy, tmp_path):
    written = run('--init', '--functions', str(tmp_path / 'convex'))
    assert written.returncode == 0, written.stderr
    deployment = deploy(project=tmp_path / 'convex')
    where = {'CONVEX_URL': deployment.url, 'CONVEX_DEPLOY_KEY': deployment.key}

    first = run(**where)
    assert first.returncode == 0, first.stderr
    assert '6 notes written, 0 were there. 6 in the table.' in first.stdout
    second = run('animals that sleep in winter', '--topic', 'garden', '--since', '2025', **where)
    assert '0 notes written, 6 were there.' in second.stdout
    assert [line.split(']')[0].split('[')[1] for line in second.stdout.splitlines() if '[' in line] == ['garden, 2025']

    wrong = run(**{**where, 'CONVEX_DEPLOY_KEY': 'wrong'})
    assert (wrong.returncode, 'Traceback' in wrong.stderr) == (1, False)
    assert 'deploy_key' in wrong.stderr


def test_without_an_address_there_is_a_message():
    done = run(CONVEX_DEPLOY_KEY='x')
    assert done.returncode == 2
    assert done.stderr == 'Set CONVEX_URL and CONVEX_DEPLOY_KEY: see the README. For the first time: --init.\n'
