# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it, against the strict Groq of the plugin's tests."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MAIN = Path(__file__).parents[1] / 'main.py'
sys.path.insert(0, str(Path(__file__).parents[3] / 'plugins' / 'groq' / 'tests'))

from groq_server import KEY, Reply, ScriptedGroq, call, completion, error, events  # noqa: E402


@pytest.fixture
async def server():
    async with ScriptedGroq().running() as running:
        yield running


@pytest.fixture
def run(server):
    async def run(*arguments, key=KEY):
        environment = {**os.environ, 'GROQ_API_KEY': key, 'GROQ_BASE_URL': server.url}
        command = [sys.executable, str(MAIN), *map(str, arguments)]
        return await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=120, env=environment, check=False
        )

    return run


async def test_a_stream(run, server):
    server.script.append(Reply(sse=events({'content': 'A fox '}, {'content': 'came by.'})))
    done = await run('chat', 'Tell me of a fox.')
    assert (done.returncode, done.stdout) == (0, 'A fox came by.\n\n10 tokens read, 5 written.\n'), done.stderr
    assert server.bodies[0]['messages'] == [{'role': 'user', 'content': 'Tell me of a fox.'}]


async def test_a_tool(run, server):
    calls = [call('in_stock', {'product': 'kettle'}, 'a'), call('in_stock', {'product': 'yacht'}, 'b')]
    server.script += [Reply(body=completion(None, tool_calls=calls)), Reply(body=completion('Only a kettle.'))]
    done = await run('tools')
    assert (done.returncode, done.stdout) == (0, '(asked for kettle)\n(asked for yacht)\nOnly a kettle.\n'), done.stderr
    told = {one['tool_call_id']: one['content'] for one in server.bodies[1]['messages'] if one['role'] == 'tool'}
    assert '4 pieces' in told['a']
    assert 'There is no product yacht.' in told['b']


async def test_thoughts(run, server):
    server.script.append(Reply(body=completion('Five cents.', reasoning='Say x.\nThen 2x is 0.10.')))
    done = await run('reason', '--effort', 'high')
    assert (done.returncode, done.stdout) == (0, '> Say x.\n> Then 2x is 0.10.\n\nFive cents.\n'), done.stderr
    assert server.bodies[0]['reasoning_effort'] == 'high'


async def test_a_schema(run, server):
    found = {'title': 'Engine', 'day': 'Friday', 'people': ['Ada', 'Grace']}
    server.script.append(Reply(body=completion(json.dumps(found))))
    done = await run('extract')
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == found
    assert server.bodies[0]['response_format']['json_schema']['strict'] is True


async def test_speech_both_ways(run, server, tmp_path):
    server.script += [Reply(body=b'RIFF sound', headers={'content-type': 'audio/wav'}), Reply(body={'text': 'Hello.'})]
    done = await run('speak', 'Hello.', '--out', tmp_path / 'hello.wav')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'hello.wav').read_bytes() == b'RIFF sound'
    done = await run('listen', tmp_path / 'hello.wav', '--language', 'en')
    assert (done.returncode, done.stdout) == (0, 'Hello.\n'), done.stderr
    assert server.bodies[1]['file']['content'] == b'RIFF sound'


async def test_what_goes_wrong_is_a_message(run, server, tmp_path):
    missing = await run('chat', key='')
    assert (missing.returncode, 'GROQ_API_KEY' in missing.stderr) == (2, True)
    server.script.append(error('No such voice', 400))
    failed = await run('chat')
    assert (failed.returncode, failed.stderr) == (1, 'INVALID_ARGUMENT: No such voice.\n')
