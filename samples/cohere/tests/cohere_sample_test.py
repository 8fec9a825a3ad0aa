# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it, against the strict Cohere of the plugin's tests."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

MAIN = Path(__file__).parents[1] / 'main.py'
sys.path.insert(0, str(Path(__file__).parents[3] / 'plugins' / 'cohere' / 'tests'))

from cohere_server import KEY, CohereServer  # noqa: E402
from cohere_wire import body_of, citation  # noqa: E402


@pytest.fixture
async def server():
    async with CohereServer() as running:
        yield running


@pytest.fixture
def run(server, tmp_path):
    async def run(*arguments, key=KEY):
        environment = {**os.environ, 'COHERE_API_KEY': key, 'CO_API_KEY': '', 'CO_API_URL': server.base_url}
        command = [sys.executable, str(MAIN), '--data', str(tmp_path / 'new' / 'index'), *arguments]
        return await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=120, env=environment, check=False
        )

    return run


async def test_embed_rerank_and_cite(run, server):
    text = 'The emperor penguin, with 120 centimetres.'
    said = [citation(4, 'emperor penguin', 'emperor'), citation(26, '120 centimetres', 'emperor')]
    server.brain = lambda _: body_of(text, citations=said)
    done = await run('the tallest penguin of all', '--candidates', '6', '-k', '2')
    assert (done.returncode, done.stderr) == (0, '')
    assert server.refusals == []
    lines = done.stdout.splitlines()
    assert lines[0] == '6 passages embedded, 0 were there.'
    assert lines[2] == '1. 1.000  emperor: The emperor penguin is the tallest of all, up to 120 centimetres.'
    assert lines[5] == 'The emperor penguin [emperor], with 120 centimetres [emperor].'
    documents, query, ranking, chat = server.bodies
    assert (documents['input_type'], query['input_type']) == ('search_document', 'search_query')
    assert (len(ranking['documents']), ranking['top_n']) == (6, 2)
    first = chat['documents'][0]
    assert (first['id'], first['data']['title']) == ('emperor', 'Emperor penguins')
    assert lines[7] == '"emperor penguin" is from: Emperor penguins'


async def test_without_a_key_there_is_a_message(run):
    done = await run(key='')
    assert (done.returncode, done.stderr) == (2, 'Set COHERE_API_KEY to a key of Cohere; a trial key will do.\n')
