# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Retrievers, indexers and rerankers: building them, calling them, and the documents they pass."""

from genkitx.retrieval.action import Options
from genkitx.retrieval.documents import (
    RankedDocument,
    copy_document,
    document_data,
    document_data_type,
    document_from_data,
    document_from_dict,
    document_id,
    document_to_dict,
    embedding_documents,
    plain_text,
    read_document,
    text_document,
)
from genkitx.retrieval.indexer import IndexerRef, index, indexer, indexer_ref
from genkitx.retrieval.reranker import (
    CommonRerankerOptions,
    RerankerRef,
    RerankerResponse,
    rerank,
    reranker,
    reranker_ref,
)
from genkitx.retrieval.retriever import (
    CommonRetrieverOptions,
    RetrieverRef,
    RetrieverResponse,
    retrieve,
    retriever,
    retriever_ref,
    simple_retriever,
)

__all__ = [
    'CommonRerankerOptions',
    'CommonRetrieverOptions',
    'IndexerRef',
    'Options',
    'RankedDocument',
    'RerankerRef',
    'RerankerResponse',
    'RetrieverRef',
    'RetrieverResponse',
    'copy_document',
    'document_data',
    'document_data_type',
    'document_from_data',
    'document_from_dict',
    'document_id',
    'document_to_dict',
    'embedding_documents',
    'index',
    'indexer',
    'indexer_ref',
    'plain_text',
    'read_document',
    'rerank',
    'reranker',
    'reranker_ref',
    'retrieve',
    'retriever',
    'retriever_ref',
    'simple_retriever',
    'text_document',
]
