# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it, also on an index that the JS plugin wrote, and with the strict Groq of that plugin's tests."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAIN = Path(__file__).parents[1] / 'main.py'
PLUGINS = Path(__file__).parents[3] / 'plugins'
sys.path.insert(0, str(PLUGINS / 'groq' / 'tests'))

from groq_server import KEY, ScriptedGroq  # noqa: E402


@pytest.fixture
def run(tmp_path):
    def run(*arguments, **environment):
        command = [sys.executable, str(MAIN), '--root', str(tmp_path), *arguments]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, 'GROQ_API_KEY': '', **environment},
            check=False,
        )

    return run


async def test_files_passages_and_an_answer(run, tmp_path):
    (tmp_path / 'docs').mkdir()
    (tmp_path / 'docs' / 'cats.md').write_text('Cats purr when they are content.')
    (tmp_path / 'docs' / 'trains.md').write_text('The night train to Vienna leaves at eleven.')
    done = run('index')
    assert (done.returncode, done.stdout, done.stderr) == (0, 'VectorStore saved to .sample-hnsw/docs\n', '')

    async with ScriptedGroq().running() as server:
        environment = {'GROQ_API_KEY': KEY, 'GROQ_BASE_URL': server.url}
        done = await asyncio.to_thread(run, 'ask', 'When does the train leave?', '-k', '1', **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].endswith('The night train to Vienna leaves at eleven.')
    assert done.stdout.endswith('\nHello from Groq.\n')
    assert [message['content'] for message in server.bodies[0]['messages']] == [
        'The night train to Vienna leaves at eleven.',
        'Understood',
        'When does the train leave?',
    ]


def test_an_index_of_the_js_plugin(run, tmp_path):
    index = shutil.copytree(PLUGINS / 'hnsw' / 'tests' / 'golden' / 'plugin' / 'index', tmp_path / 'js')
    fox = 'ebf676191e65'  # What JS would call the document, which it wrote without an id.
    done = run('--index', 'js', 'look', '--like', fox)
    assert done.returncode == 0, done.stderr
    about, *near = done.stdout.splitlines()
    assert about == '4 documents, 0 deleted, 64 dimensions, ip.'
    assert (len(near), near[0].split()[:2], 'quick brown fox' in near[0]) == (3, ['1.000', fox], True)

    before = (index / 'docstore.json').read_bytes()
    wrong = run('--index', 'js', 'put', 'new', 'A text of another embedder.')
    assert (wrong.returncode, 'Traceback' in wrong.stderr) == (1, False)
    assert '64 dimensions' in wrong.stderr
    assert 'a vector of 256' in wrong.stderr
    assert (index / 'docstore.json').read_bytes() == before

    assert run('--index', 'js', 'delete', fox).stdout == '3 documents are left.\n'
    assert b'quick brown fox' not in (index / 'docstore.json').read_bytes()


def test_a_document_is_replaced(run, tmp_path):
    assert run('put', 'note', 'Water is wet.').stdout == 'note is written. 1 documents.\n'
    assert run('put', 'note', 'Fire is hot.').stdout == 'note is written. 1 documents.\n'
    docstore = (tmp_path / '.sample-hnsw' / 'docs' / 'docstore.json').read_text()
    assert ('Fire is hot.' in docstore, 'Water is wet.' in docstore) == (True, False)
