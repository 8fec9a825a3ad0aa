# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""How files are cut: what a passage knows, and what is done for a file that is one long or malformed paragraph."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from markdown_it.parser_inline import ParserInline

MODULES = ('chunking', 'reading')


@pytest.fixture(scope='module')
def sample():
    """The modules of the sample; those of another sample with the same names are put back."""
    others = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
    folder = str(Path(__file__).parents[1])
    sys.path.insert(0, folder)
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    finally:
        sys.path.remove(folder)
        for name in MODULES:
            sys.modules.pop(name, None)
        sys.modules.update(others)


@pytest.fixture
def cut(sample):
    def cut(text):
        return sample.chunking.passages(sample.reading.TextFile('a.md', text, 'digest'), '/notes')

    return cut


class Watched:
    """Does what a splitter does, and keeps the sizes of what it gets."""

    def __init__(self, splitter):
        self.splitter = splitter
        self.sizes = []

    def chunks(self, text):
        """Cuts a text."""
        self.sizes.append(len(text))
        return self.splitter.chunks(text)


def test_passages_know_where_they_are_from(cut):
    text = 'Before.\n\n# Title\n\n## One\n\nText of one.\n\n```\n# no heading\n```\n\nTwo\n===\n\n> # quoted\n\n#tag\n\n# Empty\n'
    found = cut(text)
    assert [(one.metadata['heading'], one.metadata['part']) for one in found] == [
        ('', 0),
        ('One', 1),
        ('Two', 2),
        ('Empty', 3),
    ]
    where = {'root': '/notes', 'file': 'a.md', 'digest': 'digest'}
    assert all(where.items() <= one.metadata.items() for one in found)
    # A heading with nothing below it is no passage of its own.
    assert found[1].text.startswith('# Title\n\n## One')
    assert '# no heading' in found[1].text
    assert found[2].text.endswith('#tag')


@pytest.mark.parametrize('text', ['', '\n', ' \n' * 30_000])
def test_nothing_is_no_passage(cut, text):
    assert cut(text) == []


@pytest.mark.parametrize(
    'text',
    ['word ' * 50_000, 'x' * 250_000, '[' * 100_000, '**a ' * 30_000, 'ä' * 50_000],
    ids=['words', 'one word', 'brackets', 'stars', 'umlauts'],
)
def test_work_grows_with_the_text_and_nothing_is_lost(sample, cut, monkeypatch, text):
    watched = Watched(sample.chunking._splitter)
    monkeypatch.setattr(sample.chunking, '_splitter', watched)
    inline = []
    parse = ParserInline.parse
    monkeypatch.setattr(
        ParserInline, 'parse', lambda self, source, *rest: (inline.append(source), parse(self, source, *rest))
    )
    found = cut(text)
    # Both take quadratic time over what they get: the splitter gets slices, the inline parser nothing.
    assert max(watched.sizes) <= 20_000
    assert sum(watched.sizes) == len(text)
    assert inline == []
    assert max(len(one.text) for one in found) <= sample.chunking.PASSAGE
    assert ''.join(one.text for one in found).replace(' ', '') == text.replace(' ', '')
