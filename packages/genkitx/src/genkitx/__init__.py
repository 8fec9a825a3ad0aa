# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Retrieval, model-level middleware and plugin foundations for Genkit in Python."""

from genkitx.app import Genkit, GenkitMixin
from genkitx.client import FlowStream, run_flow, stream_flow
from genkitx.client_header import get_client_header, set_client_header
from genkitx.context import api_key
from genkitx.embedding import using
from genkitx.filters import Filter, evaluate, field, parse_filter
from genkitx.middleware.augment_with_context import augment_with_context
from genkitx.middleware.call_time import as_middleware
from genkitx.middleware.chain import CallNext, MiddlewareAction, ModelMiddleware, RunOpts, wrap, wrap_background
from genkitx.middleware.download_request_media import download_request_media
from genkitx.middleware.fallback import fallback
from genkitx.middleware.plugin import CoreMiddleware
from genkitx.middleware.retry import retry
from genkitx.middleware.simulate_constrained_generation import simulate_constrained_generation
from genkitx.middleware.simulate_system_prompt import simulate_system_prompt
from genkitx.middleware.validate_support import validate_support
from genkitx.models import ActionFnArg, background_model, model, raise_if_failed
from genkitx.rag import Rag, RagConfig, retriever_tool
from genkitx.retrieval import (
    CommonRerankerOptions,
    CommonRetrieverOptions,
    IndexerRef,
    RankedDocument,
    RerankerRef,
    RetrieverRef,
    document_id,
    embedding_documents,
    index,
    indexer,
    indexer_ref,
    rerank,
    reranker,
    reranker_ref,
    retrieve,
    retriever,
    retriever_ref,
    simple_retriever,
)
from genkitx.retrieval.report import IndexFailure, IndexProgress, IndexReport
from genkitx.stores import VectorCollection

__all__ = [
    'ActionFnArg',
    'CallNext',
    'CommonRerankerOptions',
    'CommonRetrieverOptions',
    'CoreMiddleware',
    'Filter',
    'FlowStream',
    'Genkit',
    'GenkitMixin',
    'IndexFailure',
    'IndexProgress',
    'IndexReport',
    'IndexerRef',
    'MiddlewareAction',
    'ModelMiddleware',
    'Rag',
    'RagConfig',
    'RankedDocument',
    'RerankerRef',
    'RetrieverRef',
    'RunOpts',
    'VectorCollection',
    'api_key',
    'as_middleware',
    'augment_with_context',
    'background_model',
    'document_id',
    'download_request_media',
    'embedding_documents',
    'evaluate',
    'fallback',
    'field',
    'get_client_header',
    'index',
    'indexer',
    'indexer_ref',
    'model',
    'parse_filter',
    'raise_if_failed',
    'rerank',
    'reranker',
    'reranker_ref',
    'retrieve',
    'retriever',
    'retriever_ref',
    'retriever_tool',
    'retry',
    'run_flow',
    'set_client_header',
    'simple_retriever',
    'simulate_constrained_generation',
    'simulate_system_prompt',
    'stream_flow',
    'using',
    'validate_support',
    'wrap',
    'wrap_background',
]
