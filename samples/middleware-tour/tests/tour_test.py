# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The tour as a stranger makes it: what it prints comes from what the middlewares did."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[1]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Wide, so that no line is wrapped; without the environment's keys and proxies.
    environment = {'PATH': '', 'COLUMNS': '300'}
    return subprocess.run(
        [sys.executable, str(HERE / 'main.py'), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment,
    )


@pytest.fixture(scope='module')
def stops() -> dict[str, str]:
    """The output of the whole tour, by stop."""
    done = command()
    assert done.returncode == 0, done.stderr
    assert done.stderr == ''
    pieces = re.split(r'^(\w+) ─+$', done.stdout, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def section(text: str, start: str) -> str:
    """What a stop prints between a sentence that starts like this and the next one."""
    return next(part for part in text.split('\n\n') if part.strip().startswith(start))


def test_every_stop_is_made(stops):
    assert len(stops) == 9


def test_retry(stops):
    patient = section(stops['retry'], 'With it')
    assert patient.count('model got') == 3
    assert 'Retry 1 of 3 in 20ms' in patient
    assert 'Retry 2 of 3 in 40ms' in patient
    assert 'answer  This is call 3.' in patient
    assert section(stops['retry'], 'A wrong request').count('model got') == 1
    assert 'answer  This is call 2.' in section(stops['retry'], 'The same function')


def test_fallback(stops):
    shared = section(stops['fallback'], 'The first substitute')
    assert (shared.count('model got'), shared.count("'temperature': 0.5")) == (2, 2)
    assert "NOT_FOUND: Model 'no-such-model' not found" in shared
    assert section(stops['fallback'], 'isolate_config').count("'temperature': 0.5") == 1
    assert 'error  INVALID_ARGUMENT' in section(stops['fallback'], 'A wrong request')


def test_validate_support(stops):
    refused = section(stops['validate_support'], 'A picture')
    assert 'model got' not in refused
    assert re.findall(r'does not support ([\w ]+)', refused) == ['media', 'tool use', 'multiple messages']


def test_download_request_media(stops):
    text = stops['download_request_media']
    fed = section(text, 'With it')
    assert re.search(r'before .*http://127\.0\.0\.1:\d+/picture\.png', fed)
    assert 'data:image/png;base64,' in fed
    assert 'answer  A picture of 8 x 6 pixels.' in fed
    refused = section(text, 'Too large')
    assert 'model got' not in refused
    assert re.findall(r'error  ([A-Z_]+):', refused) == ['INVALID_ARGUMENT', 'NOT_FOUND', 'PERMISSION_DENIED']
    guarded = section(text, 'Without allow=')
    assert 'error  PERMISSION_DENIED' in guarded
    assert 'server  got 0 requests' in guarded


def test_prompts(stops):
    assert 'error  INVALID_ARGUMENT: unknown role "system"' in section(stops['simulate_system_prompt'], 'Without it')
    assert 'answer  I got user, model, user.' in section(stops['simulate_system_prompt'], 'With it')
    own = section(stops['augment_with_context'], 'Put it into use=')
    assert '- [4]: The library opens at nine.' in own
    assert '(2) Books are lent for three weeks.' in own
    assert 'answer  The question has 1 parts.' in section(stops['augment_with_context'], 'A model that takes')


def test_simulate_constrained_generation(stops):
    text = stops['simulate_constrained_generation']
    assert 'parsed  None' in section(text, 'A model that claims')
    built_in = section(text, 'Any other model')
    assert 'conform to the following schema' in built_in
    assert "parsed  Dish(name='pancakes', minutes=20)" in built_in


def test_retrieval(stops):
    fenced = section(stops['Rag'], 'Any other')
    fence = re.search(r'line "end ([0-9a-f]{16})"', fenced)
    assert fence is not None
    assert (fenced.count(f'| begin {fence[1]}'), fenced.count(f'| end {fence[1]}')) == (2, 2)
    assert 'end 0123456789abcdef' in fenced
    assert 'I got 1 documents' in section(stops['Rag'], 'Options')
    searched = stops['retriever_tool']
    assert 'calls search_devLocalVectorstore_library({"query": "For how long may I keep a book?"})' in searched
    assert 'answer  It says: Books are lent for three weeks' in searched


def test_names_and_code():
    done = command('no-such-stop')
    assert (done.returncode, done.stdout) == (2, '')
    assert "there is no stop 'no-such-stop'" in done.stderr
    shown = command('simulate_system_prompt', '--code')
    assert 'use=[stage.before, simulate_system_prompt()]' in shown.stdout
    assert 'model got' in shown.stdout
