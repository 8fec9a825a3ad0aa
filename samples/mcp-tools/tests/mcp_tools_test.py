# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The sample as a stranger runs it, and its provider against a real MCP server that is killed, silent, or not there."""

import asyncio
import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))

from genkit import GenkitError, Message, ModelRequest, ModelResponse, Part  # noqa: E402
from genkitx import Genkit  # noqa: E402
from mcp import StdioServerParameters  # noqa: E402
from mcp_provider import McpTools  # noqa: E402

KEYS = re.compile(r'^  /dynamic-action-provider/notes:tool/(\w+)\((.*?)\)', re.MULTILINE)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def server(folder: Path, pid_file: Path) -> StdioServerParameters:
    script = str(HERE / 'notes_server.py')
    return StdioServerParameters(command=sys.executable, args=[script, str(folder), '--pid-file', str(pid_file)])


async def output(notes: McpTools, tool: str, /, **arguments: Any) -> Any:
    tools = (await notes.list_tools())['tool']
    action = next(each for each in tools if each.name == tool)
    return (await action.run(arguments)).response.output


async def failure(awaitable: Awaitable[Any]) -> str:
    with pytest.raises(GenkitError) as caught:
        await awaitable
    return f'{caught.value.status}: {caught.value.original_message}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / 'notes').mkdir()
    (tmp_path / 'notes' / 'cats.md').write_text('# Cats\n\nCats purr when they are content.\n')
    (tmp_path / 'secret.md').write_text('# Secret\n')
    return tmp_path / 'notes'


def test_the_sample_runs(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, '-W', 'error', str(HERE / 'main.py')],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=120,
        env={'PATH': '', 'HOME': str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert 'Traceback' not in done.stderr
    listing, ran, generated, failed, recovered = done.stdout.split('\n\n')
    assert dict(KEYS.findall(listing)) == {
        'list_notes': '',
        'search_notes': 'words, limit',
        'read_note': 'name',
        'add_note': 'name, text',
    }
    assert ran.splitlines()[1].startswith('  boiler:5: If the pressure is too low')
    calls = [line.split('(')[0] for line in generated.splitlines() if line.startswith('  calls')]
    assert calls == ['  calls search_notes', '  calls read_note']
    assert 'The note "boiler" says: If the pressure is too low' in generated
    assert failed.count('  UNKNOWN: ') == 2
    assert recovered.strip().endswith('4 notes, from a new process')
    assert list((tmp_path / '.genkit' / 'runtimes').iterdir()) == []


def test_a_folder_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    spec = importlib.util.spec_from_file_location('mcp_tools_main', HERE / 'main.py')
    assert spec is not None
    assert spec.loader is not None
    sample = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sample)
    monkeypatch.setattr(sys, 'argv', ['main.py', str(tmp_path / 'missing')])
    with pytest.raises(SystemExit) as ended:
        sample.main()
    assert ended.value.code == 2
    assert 'is no folder' in capsys.readouterr().err


async def test_tools_and_their_failures(folder: Path, tmp_path: Path):
    pid_file = tmp_path / 'pid'
    ai = Genkit()
    async with McpTools(ai, 'notes', server(folder, pid_file)) as notes:
        # Another event loop has a server of its own, which ends with the loop.
        there = await asyncio.to_thread(asyncio.run, output(notes, 'read_note', name='cats'))
        assert there['result'].startswith('# Cats')
        assert not alive(int(pid_file.read_text()))
        # Whoever comes while the server starts waits for the same one.
        assert await asyncio.gather(*(output(notes, 'read_note', name='cats') for _ in range(3))) == [there] * 3

        assert await output(notes, 'add_note', name='pets/dogs', text='Dogs\nbark.') == {
            'name': 'pets/dogs',
            'words': 2,
        }
        assert (folder / 'pets' / 'dogs.md').read_text() == 'Dogs\nbark.'
        for name in ('../secret', '/etc/passwd', 'cats.md', 'missing'):
            assert (await failure(output(notes, 'read_note', name=name))).startswith('UNKNOWN: ')
        assert 'already is a note' in await failure(output(notes, 'add_note', name='cats', text='x'))
        assert 'limit' in await failure(output(notes, 'search_notes', words='x', limit=0))

        # A model hears of a failure through the response.
        async def careless(request: ModelRequest) -> ModelResponse[Any]:
            assert sorted(each.name for each in request.tools or ()) == ['read_note']
            part = Part.from_tool_request(name='read_note', input={'name': 'missing'}, ref='1')
            return ModelResponse(message=Message(role='model', content=[part]), finish_reason='stop')

        ai.define_model('careless', careless)
        response = await ai.generate(model='careless', prompt='q', tools=['notes:tool/read_note'])
        assert response.error is not None
        assert "There is no note 'missing'" in (response.error.message or '')

        # A lost call that writes is not sent again; the next one finds a new server.
        writing = next(each for each in (await notes.list_tools())['tool'] if each.name == 'add_note')
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
        lost = await failure(writing.run({'name': 'fish', 'text': 'Fish swim.'}))
        assert lost.startswith('UNAVAILABLE: ')
        assert not (folder / 'fish.md').exists()
        await writing.run({'name': 'fish', 'text': 'Fish swim.'})
        assert (folder / 'fish.md').exists()

        # Closed by another task than the one that opened it.
        last = int(pid_file.read_text())
        assert alive(last)
        await asyncio.create_task(notes.aclose())
        assert not alive(last)


async def test_servers_that_do_not_answer(tmp_path: Path):
    ai = Genkit()
    gone = StdioServerParameters(command=str(tmp_path / 'no-such-server'))
    async with McpTools(ai, 'gone', gone) as notes:
        assert 'did not start: [Errno 2] No such file' in await failure(notes.list_tools())
        # Its tools are missing from the list; the rest of the list is there.
        listed = await ai.registry.list_actions()
        assert [key for key in listed if 'gone' in key] == ['/dynamic-action-provider/gone']
    ended = StdioServerParameters(command=sys.executable, args=['-c', 'pass'])
    async with McpTools(ai, 'ended', ended) as notes:
        assert 'did not start: Connection closed' in await failure(notes.list_tools())
    pid_file = tmp_path / 'pid'
    script = f'import os, sys; open({str(pid_file)!r}, "w").write(str(os.getpid())); sys.stdin.read()'
    silent = StdioServerParameters(command=sys.executable, args=['-c', script])
    async with McpTools(ai, 'silent', silent, timeout=3.0) as notes:
        assert 'did not answer within 3 s' in await failure(notes.list_tools())
        assert not alive(int(pid_file.read_text()))
