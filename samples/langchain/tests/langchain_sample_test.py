# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it, without a key, and with the strict Groq of that plugin's tests."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

MAIN = Path(__file__).parents[1] / 'main.py'
sys.path.insert(0, str(Path(__file__).parents[3] / 'plugins' / 'groq' / 'tests'))

from groq_server import KEY, Reply, ScriptedGroq, completion  # noqa: E402


@pytest.fixture
def run(tmp_path):
    def run(*arguments, **environment):
        command = [sys.executable, str(MAIN), '--data', str(tmp_path / 'new' / 'index'), *arguments]
        environment = {**os.environ, 'GROQ_API_KEY': '', **environment}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)

    return run


def test_both_ways_without_a_key(run):
    done = run('Which penguin is the tallest?')
    assert (done.returncode, done.stderr) == (0, '')
    first, second = done.stdout.split('\n\nGenkit in LangChain, langchain/quoter:\n')
    _, found = first.split('LangChain in Genkit, langchain/quoter:\n')
    for lines in (found.splitlines(), second.splitlines()):
        assert lines[0].startswith('  emperor: ')  # What was found: by words, and by meaning.
        assert lines[2] == '  The emperor penguin is the tallest of all penguins.'


async def test_a_served_model_answers_and_judges(run):
    async with ScriptedGroq().running() as server:
        said = ('It is the emperor.', 'The emperor penguin.', 'It is short.\nY', 'Not quite.\nN')
        server.script += [Reply(body=completion(one)) for one in said]
        done = await asyncio.to_thread(run, GROQ_API_KEY=KEY, GROQ_BASE_URL=server.url)
    assert (done.returncode, done.stderr) == (0, '')
    assert '  It is the emperor.\n\nGenkit in LangChain, groq/openai/gpt-oss-20b:\n' in done.stdout
    assert done.stdout.endswith('  The emperor penguin.\n\nconciseness: yes\ncorrectness: no\n')
    assert server.bodies[1]['messages'][0]['content'].startswith(
        'Answer in a sentence, from this:\nThe emperor penguin'
    )
    assert 'The emperor penguin.' in str(server.bodies[2]['messages'])
