# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""The hook of the documentation site: which pages it adds, and where it leads links."""

from __future__ import annotations

from pathlib import Path

import pytest
from mkdocs.config.base import load_config
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from tools.docs_site import on_config, on_page_markdown, reference
from tools.workspace import Workspace, find_root


@pytest.fixture(scope='module')
def config():
    root = find_root(Path(__file__).parent)
    return load_config(str(root / 'mkdocs.yml'), plugins=[])


@pytest.fixture(scope='module')
def files(config):
    return config.plugins.on_files(Files([]), config=config)


@pytest.fixture(scope='module')
def workspace(config):
    return Workspace(Path(config.config_file_path).parent)


def test_every_package_has_its_two_pages(config, files, workspace):
    for member in workspace.packages:
        assert files.get_file_from_path(f'plugins/{member.folder}.md').content_string.startswith('# genkitx')
        assert files.get_file_from_path(f'reference/{member.folder}.md') is not None
    listed = {title: pages for section in on_config(config).nav for title, pages in section.items()}
    assert {'chroma': 'plugins/chroma.md'} in listed['Packages']
    assert {'milvus': 'reference/milvus.md'} in listed['Reference']


def test_the_reference_has_the_public_names(workspace):
    members = {member.folder: member for member in workspace.packages}
    chroma = reference(workspace, members['chroma'])
    assert '::: genkitx_chroma.ChromaCollection\n' in chroma
    assert 'ChromaFilterCompiler' not in chroma
    graph = reference(workspace, members['graph'])
    assert '### `Command`\n\nThe same as `langgraph.types.Command`.\n' in graph
    core = reference(workspace, members['genkitx'])
    assert '::: genkitx.retrieve\n' in core
    assert '::: genkitx.stores.VectorStore\n' in core


def lead(config, files, where, text):
    page = Page(None, files.get_file_from_path(where), config)
    return on_page_markdown(text, page, config, files)


@pytest.mark.parametrize(
    ('text', 'led'),
    [
        ('[a](../chroma/README.md)', '[a](chroma.md)'),
        ('[a](../chroma)', '[a](chroma.md)'),
        ('[a](../../packages/genkitx/README.md#errors)', '[a](genkitx.md#errors)'),
        ('![a](docs/triage.svg)', '![a](graph/triage.svg)'),
        ('[a](https://example.com/README.md) [b](#errors)', '[a](https://example.com/README.md) [b](#errors)'),
        (
            '`[a](nowhere.md)`\n\n```text\n[a](nowhere.md)\n```\n',
            '`[a](nowhere.md)`\n\n```text\n[a](nowhere.md)\n```\n',
        ),
    ],
)
def test_links_are_led_to_the_site(config, files, text, led):
    assert lead(config, files, 'plugins/graph.md', text) == led


@pytest.mark.parametrize('target', ['nowhere.md', '../../LICENSE', '../chroma/src'])
def test_a_link_that_leads_to_no_page_is_an_error(config, files, target):
    with pytest.raises(PluginError, match='leads to no page'):
        lead(config, files, 'plugins/graph.md', f'[a]({target})')
