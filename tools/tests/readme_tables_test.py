# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""The generated tables: what they say of an option, what they ask of a page, and when they are out of date."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import genkitx_convex
import pytest
from genkitx.filters import FilterSupport
from genkitx.stores import Capabilities, RetrieverOptions
from pydantic import BaseModel, Field

from tools.readme_tables.options import Option, options_of
from tools.readme_tables.pages import END, filled
from tools.readme_tables.run import main, run
from tools.readme_tables.stores import capability_table, lacking, stores_of
from tools.workspace import Workspace

Colour = Literal['red', 'green']


@dataclass
class Base:
    """A base.

    Attributes:
        name: Its name.
        size: Its size
            in bytes.
    """

    name: str
    size: int | None = None


@dataclass
class Child(Base):
    """A child.

    Attributes:
        colour: Its colour, `red | green`.
    """

    colour: Colour = 'red'
    more: Mapping[str, Any] = field(default_factory=dict)


class Config(BaseModel):
    """Options.

    Attributes:
        depth: How deep.
    """

    depth: int
    ratio: float | None = Field(default=0.5, description='How much.')
    silent: bool = False


def call(first: Sequence[str | int], *, then: Callable[[int], str] | None = None) -> None:
    """Calls.

    Args:
        first: The first.
        then: What comes then.
    """


def test_options_of_a_settings_class_its_own_first():
    assert options_of(Child) == [
        Option('name', 'str', 'required', 'Its name.'),
        Option('colour', "'red' or 'green'", "'red'", 'Its colour, `red | green`.'),
        Option('more', 'Mapping[str, Any]', '{}', ''),
        Option('size', 'int', 'None', 'Its size in bytes.'),
    ]


def test_options_of_a_pydantic_model():
    assert options_of(Config) == [
        Option('depth', 'int', 'required', 'How deep.'),
        Option('ratio', 'float or None', '0.5', 'How much.'),
        Option('silent', 'bool', 'False', ''),
    ]


def test_options_of_a_function():
    assert options_of(call) == [
        Option('first', 'Sequence[str or int]', 'required', 'The first.'),
        Option('then', 'callable', 'None', 'What comes then.'),
    ]


def test_what_has_no_options():
    with pytest.raises(TypeError, match='give a class or a function'):
        options_of(3)


def test_a_store_is_asked_and_not_believed():
    table = capability_table({'': Capabilities(filters=FilterSupport(string_order=False), max_k=16384)})
    assert '| order on numbers (`$gt` `$gte` `$lt` `$lte`) | yes |' in table
    assert '| order on strings | no |' in table
    assert '| largest `k` | 16,384 |' in table
    # Convex refuses `$and` by code, not by the list of its operators.
    convex = stores_of(genkitx_convex)
    assert '| `$and` | no | yes |' in capability_table(convex)
    assert lacking(convex) == {'namespace', 'mode'}


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Fills a page of a workspace of its own, in which the module `acme` has `Config` and `Child`."""
    acme = types.ModuleType('acme')
    acme.__dict__.update(Config=Config, Child=Child, Wide=RetrieverOptions)
    monkeypatch.setitem(sys.modules, 'acme', acme)

    def page(text):
        (tmp_path / 'page.md').write_text(text)
        return filled(Workspace(tmp_path), 'page.md', None)

    return page


def test_a_page_is_filled_and_stays_as_it_is(page):
    start = f'# Title\n\n<!-- options acme.Child -->\n{END}\n\nWords.\n\n<!-- stores -->\n{END}\n'
    once = page(start)
    assert once.text.startswith('# Title\n\n<!-- options acme.Child -->\n\n| Option | Type | Default | Meaning |\n')
    assert "| `colour` | `'red' or 'green'` | `'red'` | Its colour, `red \\| green`. |" in once.text
    assert f'\n\n{END}\n\nWords.\n' in once.text
    assert page(once.text).text == once.text


def test_an_option_without_words_is_named(page):
    findings = page(f'<!-- options acme.Config -->\n{END}\n\n<!-- stores -->\n{END}\n').findings
    assert [finding.message for finding in findings] == ['acme.Config: nothing says what silent means']


@pytest.mark.parametrize(
    ('marker', 'words'),
    [
        ('options acme.Missing', 'Missing'),
        ('options missing_package.Config', 'missing_package'),
        ('capabilities acme', 'has no store'),
    ],
)
def test_a_marker_that_leads_nowhere(page, marker, words):
    result = page(f'<!-- {marker} -->\nkept\n{END}\n\n<!-- stores -->\n{END}\n')
    assert words in result.findings[0].message
    assert 'kept' in result.text


def test_a_table_that_a_page_must_have(page):
    assert [finding.message for finding in page('# Title\n').findings] == ['no table "stores"']


def test_this_workspace_is_up_to_date(capsys):
    assert main(['--check']) == 0, capsys.readouterr().out


def test_a_stale_table_is_shown_and_then_written(tmp_path, capsys):
    (tmp_path / 'docs').mkdir()
    page = tmp_path / 'docs/stores.md'
    page.write_text(f'# Stores\n\n<!-- stores -->\n\nof yesterday\n\n{END}\n')
    assert run(Workspace(tmp_path), check=True) == 1
    shown = capsys.readouterr().out
    assert '+++ docs/stores.md (generated)' in shown
    assert '\n-of yesterday\n+| Store |' in shown
    assert 'of yesterday' in page.read_text()
    assert run(Workspace(tmp_path), check=False) == 0
    assert '| Store |' in page.read_text()
    assert run(Workspace(tmp_path), check=True) == 0
