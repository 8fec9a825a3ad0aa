# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Importing the package and making the plugin loads no LangChain and does no I/O."""

import subprocess
import sys

import genkitx_langchain
import pytest
from genkit import GenkitError
from genkitx import Genkit
from genkitx_langchain import LangChain
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.tools import tool


def _python(code: str) -> str:
    return subprocess.run([sys.executable, '-c', code], check=True, capture_output=True, text=True).stdout.strip()


def test_import_loads_no_langchain():
    code = """
import sys
import genkitx_langchain
from genkitx_langchain import LangChain
LangChain()
print([name for name in ('langchain_core', 'langsmith', 'langgraph', 'genkitx_langchain.tracing.handler') if name in sys.modules])
"""
    assert _python(code) == '[]'


def test_all_names_exist():
    for name in genkitx_langchain.__all__:
        assert getattr(genkitx_langchain, name) is not None


def test_unknown_name():
    with pytest.raises(AttributeError, match='nonsense'):
        _ = genkitx_langchain.nonsense


async def test_actions_are_listed_and_resolved():
    @tool
    def add(a: int, b: int) -> int:
        """Adds."""
        return a + b

    plugin = LangChain(embedders={'fake': DeterministicFakeEmbedding(size=4)}, tools=[add])
    rows = await plugin.list_actions()
    assert {(row.action_type, row.name) for row in rows} == {
        ('embedder', 'langchain/fake'),
        ('tool.v2', 'langchain/add'),
    }
    ai = Genkit(plugins=[plugin])
    assert await ai.registry.resolve_action('embedder', 'langchain/fake')
    assert await ai.registry.resolve_action('embedder', 'langchain/other') is None


def test_bad_names_are_refused():
    with pytest.raises(GenkitError, match='plugin name'):
        LangChain(name='a/b')
    with pytest.raises(GenkitError, match='empty name'):
        LangChain(embedders={'': DeterministicFakeEmbedding(size=4)})
