# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The application over HTTP, as a process of its own."""

import asyncio
import os
import re
import shutil
import signal
import subprocess

import httpx
import pytest
from genkit import GenkitError
from genkitx import run_flow, stream_flow
from rag_web_server import CATS, HERE, TRAINS, chapters, upload_of


async def names(server):
    return [file['name'] for file in (await run_flow(server.api('overview')))['files']]


async def upload(server, name, content):
    return await stream_flow(server.api('upload'), upload_of(name, content)).output


async def ask(server, text, **options):
    """Returns what was streamed, and the result."""
    asked = stream_flow(server.api('ask'), {'text': text, **options})
    return [piece async for piece in asked.stream], await asked.output


async def test_from_upload_to_delete(plain):
    sent = stream_flow(plain.api('upload'), upload_of('cats.md', CATS + chapters(250)))
    steps = [step async for step in sent.stream]
    done = [step['done'] for step in steps]
    assert (len(done), done[-1]) == (3, 252)
    assert done == sorted(done)
    assert {(step['total'], step['failed']) for step in steps} == {(252, 0)}
    assert (await sent.output)['passages'] == 252
    await upload(plain, 'trains.txt', TRAINS)
    overview = await run_flow(plain.api('overview'))
    assert [(file['name'], file['passages']) for file in overview['files']] == [('cats.md', 252), ('trains.txt', 1)]
    assert 'model' not in overview

    pieces, answer = await ask(plain, 'What does a cat eat?', k=3)
    assert [list(piece) for piece in pieces] == [['passages']]
    assert answer['passages'] == pieces[0]['passages']
    assert 'GROQ_API_KEY' in answer['note']
    assert 'text' not in answer
    best = answer['passages'][0]
    assert (best['number'], best['file'], best['heading']) == (1, 'cats.md', 'Food')
    assert 'A cat eats meat' in best['text']
    scores = [passage['score'] for passage in answer['passages']]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)

    await upload(plain, 'cats.md', CATS.replace('meat', 'fish'))
    _, answer = await ask(plain, 'What does a cat eat?', k=20)
    found = ' '.join(passage['text'] for passage in answer['passages'])
    assert 'eats fish' in found
    assert 'eats meat' not in found
    assert 'Chapter' not in found

    for name in ('cats.md', 'trains.txt'):
        await run_flow(plain.api('delete'), {'name': name})
    assert await names(plain) == []
    with pytest.raises(GenkitError, match=r'cats\.md is not indexed'):
        await run_flow(plain.api('delete'), {'name': 'cats.md'})
    _, answer = await ask(plain, 'What does a cat eat?')
    assert answer['passages'] == []
    assert 'Nothing is indexed' in answer['note']


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('photo.png', b'\x89PNG', 'not a text file'),
        ('photo.md', b'\x89PNG\0\1', 'is a binary file'),
        ('latin.txt', 'Grüße'.encode('latin-1'), r'is not UTF-8 text \(byte 2\)'),
        ('wide.txt', 'Grüße'.encode('utf-16'), 'is UTF-16 text'),
        ('empty.md', b'', 'is empty'),
        ('blank.md', b' \n\t\n', 'is empty'),
        ('large.md', b'a' * 400_001, 'is too large: 400 kB, the limit is 400 kB'),
        ('headings.md', b'# a\nb\n' * 10_001, 'more than 10,000 passages'),
        ('../../etc/passwd.md', b'a', 'is a path'),
        ('..\\windows.md', b'a', 'is a path'),
        ('bad\nname.md', b'a', 'invisible characters'),
        ('dm.\u202eexe.md', b'a', 'invisible characters'),
        ('a' * 300 + '.md', b'a', '1 to 200 characters'),
        ('', b'a', '1 to 200 characters'),
    ],
)
async def test_files_that_are_refused(plain, name, content, message):
    before = await names(plain)
    with pytest.raises(GenkitError, match=message) as caught:
        await upload(plain, name, content)
    assert caught.value.status == 'INVALID_ARGUMENT'
    assert str(HERE) not in str(caught.value.details)
    assert await names(plain) == before


async def test_requests_that_are_refused(plain):
    url = plain.api('upload')
    json = {'Content-Type': 'application/json'}

    async def endless():
        for _ in range(1000):
            yield b'a' * 1000

    async with httpx.AsyncClient() as client:
        for body, headers, code, message in (
            (b'{', json, 400, 'is not JSON'),
            (b'\xff', json, 400, 'is not JSON'),
            (b'[' * 100_000, json, 400, 'is not JSON'),
            (b'{"data":{"name":1}}', json, 500, 'validation error'),
            (b'{"data":{"name":"a.md","content":"?"}}', json, 500, 'not base64'),
            (b'{}', {'Content-Type': 'text/plain'}, 415, 'are JSON'),
            (b'{}', {**json, 'Origin': 'http://evil.example'}, 403, 'Another site'),
            (b'{}', {**json, 'Origin': 'null'}, 403, 'Another site'),
            (b'{}', {**json, 'Host': 'evil.example'}, 421, 'that name'),
            (b'a' * 600_000, json, 413, 'too large'),
            (endless(), json, 413, 'too large'),
        ):
            response = await client.post(url, content=body, headers=headers)
            assert (response.status_code, message in response.json()['message']) == (code, True), response.text
        for question in (' ', 'a' * 2001):
            response = await client.post(plain.api('ask'), json={'data': {'text': question}})
            assert '1 to 2000 characters' in response.json()['message']
        assert (await client.get(plain.base, headers={'Host': 'evil.example'})).status_code == 421
        assert (await client.get(f'{plain.base}/../main.py')).status_code == 404
        assert (await client.get(f'{plain.base}/%2e%2e/main.py')).status_code == 404
    assert await names(plain) == []


async def test_the_page_loads_nothing_from_elsewhere(plain):
    async with httpx.AsyncClient(base_url=plain.base) as client:
        page = await client.get('/')
        policy = page.headers['content-security-policy']
        assert "default-src 'none'" in policy
        assert 'unsafe' not in policy
        assert page.headers['x-content-type-options'] == 'nosniff'
        linked = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
        assert len(linked) >= 4
        for file in {*linked, *(path.name for path in (HERE / 'static').iterdir())}:
            response = await client.get(f'/{file}')
            assert response.status_code == 200
            assert not re.search(r'https?://(?!www\.w3\.org/2000/svg)', response.text), file
            assert 'innerHTML' not in response.text


async def test_many_uploads_at_once(plain):
    files = {
        f'file-{number}.md': f'# File {number}\n\nThe secret of file {number} is {number * 7}.\n' for number in range(6)
    }
    await asyncio.gather(*(upload(plain, name, text) for name, text in files.items()))
    await asyncio.gather(*(upload(plain, 'same.md', f'# Same\n\nVersion {number}.\n') for number in range(4)))
    overview = await run_flow(plain.api('overview'))
    assert {file['name']: file['passages'] for file in overview['files']} == dict.fromkeys([*files, 'same.md'], 1)
    _, answer = await ask(plain, 'Same version', k=20)
    assert [passage['file'] for passage in answer['passages']].count('same.md') == 1
    assert len(answer['passages']) == 7
    for name in await names(plain):
        await run_flow(plain.api('delete'), {'name': name})


async def test_an_upload_that_is_stopped_leaves_nothing(plain):
    await upload(plain, 'book.md', '# Book\n\nThe old edition.\n')
    async with stream_flow(plain.api('upload'), upload_of('book.md', chapters(1500))) as sent:
        assert (await sent.stream.__anext__())['done'] < 1500
    # What was stopped would be done before a later upload of as many passages is.
    overview = await run_flow(plain.api('overview'))
    assert [file['passages'] for file in overview['files']] == [1]
    await upload(plain, 'other.md', chapters(1500))
    _, answer = await ask(plain, 'What does the book say? Chapter?', k=20)
    found = {passage['text'] for passage in answer['passages'] if passage['file'] == 'book.md'}
    assert found <= {'# Book\n\nThe old edition.'}
    overview = await run_flow(plain.api('overview'))
    assert {file['name']: file['passages'] for file in overview['files']} == {'book.md': 1, 'other.md': 1500}
    for name in await names(plain):
        await run_flow(plain.api('delete'), {'name': name})


async def test_an_answer_is_streamed(scripted):
    await upload(scripted, 'cats.md', CATS)
    pieces, answer = await ask(scripted, 'What does a cat eat?')
    assert (await run_flow(scripted.api('overview')))['model'] == 'scripted/librarian'
    assert 'passages' in pieces[0]
    texts = [piece['text'] for piece in pieces[1:]]
    assert len(texts) > 10
    assert answer['text'] == ''.join(texts)
    assert 'A cat eats meat, and drinks water. [1]' in answer['text']
    assert 'note' not in answer


async def test_a_model_that_fails_halfway(scripted):
    await upload(scripted, 'cats.md', CATS)
    asked = stream_flow(scripted.api('ask'), {'text': 'break'})
    pieces = []

    async def read():
        async for piece in asked.stream:
            pieces.append(piece)  # noqa: PERF401 - what came before the failure counts

    with pytest.raises(GenkitError, match='scripted/librarian did not answer: the script ends here') as caught:
        await read()
    assert caught.value.status == 'UNAVAILABLE'
    assert 'passages' in pieces[0]
    assert '[1]' in ''.join(piece['text'] for piece in pieces[1:])


async def test_a_reader_who_leaves_stops_the_model(scripted):
    await upload(scripted, 'cats.md', CATS)
    before = scripted.output.read_text().count('The model was stopped.')
    async with stream_flow(scripted.api('ask'), {'text': 'forever'}) as asked:
        async for piece in asked.stream:
            if 'And so on' in piece.get('text', ''):
                break
    while scripted.output.read_text().count('The model was stopped.') == before:
        await asyncio.sleep(0.02)
    assert (await ask(scripted, 'What does a cat eat?'))[1]['text']


@pytest.fixture
def run(sample, capsys):
    """Runs the sample in this process, for what ends before anything is served."""
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments):
        try:
            code = sample.main.main(arguments, choose=lambda: None)
        except SystemExit as ended:
            code = ended.code
        return code, capsys.readouterr().err

    yield run
    for one, handler in handlers.items():
        signal.signal(one, handler)


def test_an_index_or_a_port_in_use(plain, run):
    port = plain.base.rpartition(':')[2]
    code, errors = run('--port', port, '--index', str(plain.index) + '2')
    assert (code, f'Cannot listen on 127.0.0.1 port {port}' in errors) == (1, True)
    code, errors = run('--port', '0', '--index', str(plain.index))
    assert (code, 'another process has it open' in errors) == (1, True)
    code, errors = run('--port', '0', '--index', str(plain.output))
    assert (code, 'cannot be opened' in errors) == (1, True)


def test_wrong_options(run):
    for option, value in (('--port', '70000'), ('--max-kb', 'many'), ('--max-kb', '0')):
        code, errors = run(option, value)
        assert (code, 'is not a number from' in errors) == (2, True)


def test_the_script_runs_it():
    script = HERE / 'run.sh'
    assert os.access(script, os.X_OK)
    bash = shutil.which('bash')
    if bash is None:
        pytest.skip('there is no bash here')
    subprocess.run([bash, '-n', str(script)], check=True)
