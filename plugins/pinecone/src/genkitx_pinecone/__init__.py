# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Pinecone as a vector store for Genkit."""

from genkitx_pinecone.admin import (
    PineconeIndexInfo,
    PodSpec,
    ServerlessSpec,
    create_pinecone_index,
    delete_pinecone_index,
    describe_pinecone_index,
)
from genkitx_pinecone.client import ClientParams
from genkitx_pinecone.options import Metric, PineconeIndex, PineconeRetrieverOptions, SparseEncoder, SparseVector
from genkitx_pinecone.plugin import (
    Pinecone,
    configure_pinecone_indexer,
    configure_pinecone_retriever,
    pinecone_indexer_ref,
    pinecone_retriever_ref,
)
from genkitx_pinecone.store import PineconeStore

__all__ = [
    'ClientParams',
    'Metric',
    'Pinecone',
    'PineconeIndex',
    'PineconeIndexInfo',
    'PineconeRetrieverOptions',
    'PineconeStore',
    'PodSpec',
    'ServerlessSpec',
    'SparseEncoder',
    'SparseVector',
    'configure_pinecone_indexer',
    'configure_pinecone_retriever',
    'create_pinecone_index',
    'delete_pinecone_index',
    'describe_pinecone_index',
    'pinecone_indexer_ref',
    'pinecone_retriever_ref',
]
