# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it, with every embedded store, and with the strict Pinecone and Groq of
those plugins' tests."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

MAIN = Path(__file__).parents[1] / 'main.py'
PLUGINS = Path(__file__).parents[3] / 'plugins'
WHERE = '{"file": {"$ne": "kitchen.md"}}'
CLEAN = ('GROQ_', 'COHERE_', 'CO_', 'GENKITX_PG_', 'MILVUS_', 'PINECONE_', 'CONVEX_')
NOTES = {
    'cats.md': '# Cats\n\nCats purr when they are content.\n\nA cat eats meat, and drinks water.\n',
    'deep/trains.txt': 'The night train to Vienna leaves at eleven in the evening.\n',
    'kitchen.md': '# Kitchen\n\nBread rises faster in a warm kitchen.\n\nA pan is dried on the stove.\n',
    '.hidden/secret.md': 'Nobody reads this.\n',
}


@pytest.fixture(scope='module')
def data():
    """A folder that PostgreSQL's own user may enter, where the tests run as root."""
    with tempfile.TemporaryDirectory(prefix='genkitx-sample-', ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope='module')
def notes(data):
    for name, text in NOTES.items():
        (data / 'notes' / name).parent.mkdir(parents=True, exist_ok=True)
        (data / 'notes' / name).write_text(text)
    return data / 'notes'


@pytest.fixture(scope='module')
def run(data):
    def run(*arguments, **environment):
        clean = {key: value for key, value in os.environ.items() if not key.startswith(CLEAN)}
        command = [sys.executable, str(MAIN), '--data', str(data / 'index'), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, env={**clean, **environment}, check=False
        )

    return run


@pytest.fixture(scope='module')
def answer(run, notes):
    """Asks a store; what it finds, as JSON."""

    def answer(store, **environment):
        question = 'What does a cat eat?'
        done = run(notes, question, '--store', store, '--where', WHERE, '--json', **environment)
        assert (done.returncode, done.stderr) == (0, '')
        return json.loads(done.stdout)

    return answer


@pytest.fixture(scope='module')
def expected(answer):
    """What the reference says: the store in a JSON file, which compares with everything."""
    return answer('local')


def same(found, expected):
    where = [(one['file'], one['part'], one['text']) for one in found['passages']]
    assert where == [(one['file'], one['part'], one['text']) for one in expected['passages']]
    scores = [one['score'] for one in found['passages']]
    assert scores == pytest.approx([one['score'] for one in expected['passages']], abs=1e-4)


def test_the_reference(expected):
    assert [one['file'] for one in expected['passages']] == ['cats.md', 'deep/trains.txt']
    assert 'A cat eats meat' in expected['passages'][0]['text']
    assert expected['answer'] is None


@pytest.mark.parametrize('store', ['chroma', 'milvus', 'hnsw'])
def test_embedded_stores_find_the_same(answer, expected, store):
    same(answer(store), expected)


def test_postgres_finds_the_same_and_keeps_it(answer, expected, run, notes, data):
    same(answer('postgres'), expected)
    changed = Path(shutil.copytree(notes, data / 'changed'))
    (changed / 'cats.md').write_text(NOTES['cats.md'].replace('meat', 'fish'))
    (changed / 'kitchen.md').unlink()
    done = run(changed, 'What does a cat eat?', '--store', 'postgres')
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('postgres/passages: 1 passages written, 1 were there, 2 removed.\n')
    assert ('eats fish' in done.stdout, 'eats meat' in done.stdout) == (True, False)


async def test_a_served_store_finds_the_same_and_a_model_answers(answer, expected, monkeypatch):
    monkeypatch.syspath_prepend(PLUGINS / 'pinecone' / 'tests' / 'server')
    monkeypatch.syspath_prepend(PLUGINS / 'groq' / 'tests')
    import groq_server
    import pinecone_server

    service = pinecone_server.FakePinecone()
    try:
        async with groq_server.ScriptedGroq().running() as groq:
            where = {'PINECONE_API_KEY': pinecone_server.KEY, 'PINECONE_CONTROLLER_HOST': service.url}
            served = {'GROQ_API_KEY': groq_server.KEY, 'GROQ_BASE_URL': groq.url}
            found = await asyncio.to_thread(answer, 'pinecone', **where, **served)
    finally:
        service.stop()
    same(found, expected)
    assert found['answer'] == 'Hello from Groq.'
    assert '[1]: # Cats' in str(groq.bodies[0]['messages'])


def test_a_missing_key_is_a_message(run, notes):
    done = run(notes, 'x', '--store', 'pinecone')
    assert (done.returncode, done.stderr) == (2, 'Set PINECONE_API_KEY for this store.\n')
