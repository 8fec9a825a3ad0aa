# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""LangChain and Genkit, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genkitx_langchain.background import close
from genkitx_langchain.convert import (
    to_genkit_document,
    to_genkit_messages,
    to_langchain_document,
    to_langchain_messages,
)
from genkitx_langchain.evaluators import CRITERIA, Evaluators, parse_verdict
from genkitx_langchain.plugin import LangChain

if TYPE_CHECKING:
    from genkitx_langchain.to_genkit.models import ChatModelSettings
    from genkitx_langchain.to_langchain.chat import ChatGenkit
    from genkitx_langchain.to_langchain.embeddings import GenkitEmbeddings
    from genkitx_langchain.to_langchain.retrievers import GenkitReranker, GenkitRetriever
    from genkitx_langchain.to_langchain.runnables import GenkitFlow, GenkitPrompt, GenkitTool, genkit_tool
    from genkitx_langchain.to_langchain.vector_store import GenkitVectorStore
    from genkitx_langchain.tracing.handler import GenkitTracer

__all__ = [
    'CRITERIA',
    'ChatGenkit',
    'ChatModelSettings',
    'Evaluators',
    'GenkitEmbeddings',
    'GenkitFlow',
    'GenkitPrompt',
    'GenkitReranker',
    'GenkitRetriever',
    'GenkitTool',
    'GenkitTracer',
    'GenkitVectorStore',
    'LangChain',
    'close',
    'genkit_tool',
    'parse_verdict',
    'to_genkit_document',
    'to_genkit_messages',
    'to_langchain_document',
    'to_langchain_messages',
]

# These subclass LangChain's classes, which takes most of a second to load: only for who asks for them.
_LAZY = {
    'ChatGenkit': 'to_langchain.chat',
    'ChatModelSettings': 'to_genkit.models',
    'GenkitEmbeddings': 'to_langchain.embeddings',
    'GenkitFlow': 'to_langchain.runnables',
    'GenkitPrompt': 'to_langchain.runnables',
    'GenkitReranker': 'to_langchain.retrievers',
    'GenkitRetriever': 'to_langchain.retrievers',
    'GenkitTool': 'to_langchain.runnables',
    'GenkitTracer': 'tracing.handler',
    'GenkitVectorStore': 'to_langchain.vector_store',
    'genkit_tool': 'to_langchain.runnables',
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module

    return getattr(import_module(f'{__name__}.{_LAZY[name]}'), name)
