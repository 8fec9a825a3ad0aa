# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The two flows of the JS plugin: files to an index, and a prompt answered with what an index holds."""

from __future__ import annotations

import asyncio
import glob
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final, cast

import genkit
from genkit import Document, GenkitError, Message, ModelResponse, Part, Role
from genkit.model import ModelRef
from genkit.plugin_api import Action
from genkitx import raise_if_failed
from genkitx.embedding import Embedder, EmbedderArgument, Host
from genkitx.stores import VectorCollection
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from genkitx_hnsw.engines import EngineName
from genkitx_hnsw.splitter import DEFAULT_CHUNK_SIZE, DEFAULT_OVERLAP, DEFAULT_SEPARATOR, split_text
from genkitx_hnsw.store import HnswStore

INDEXER_FLOW: Final = 'HNSW Indexer'
RETRIEVER_FLOW: Final = 'HNSW Retriever'
_OPEN_INDEXES: Final = 8
"""Indexes that a retriever flow keeps in memory."""


class _FlowInput(BaseModel):
    # Built when a flow is first used: importing the package stays cheap.
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra='forbid', defer_build=True)


class HnswIndexerInput(_FlowInput):
    """Input of the flow `HNSW Indexer`, in camelCase on the wire."""

    data_path: str = Field(min_length=1, description='Glob of the text files to index, such as "docs/**/*.md"')
    index_output_path: str = Field(min_length=1, description='Directory of the index')
    chunk_size: int = Field(default=DEFAULT_CHUNK_SIZE, ge=1, description='Length at which a chunk is closed')
    chunk_overlap: int = Field(default=DEFAULT_OVERLAP, ge=0, description='Length that a chunk shares with the last')
    separator: str = Field(default=DEFAULT_SEPARATOR, description='Where a text may be split')


class HnswRetrieverInput(_FlowInput):
    """Input of the flow `HNSW Retriever`, in camelCase on the wire. A model option that is null is not sent."""

    prompt: str = Field(min_length=1, description='The question')
    index_path: str = Field(min_length=1, description='Directory of the index')
    k: int = Field(default=1, ge=1, description='Chunks to answer from')
    temperature: float | None = Field(default=0.1, description='Temperature of the model')
    max_output_tokens: int | None = Field(default=500, ge=1, description='Longest answer')
    top_k: int | None = Field(default=1, description='Sampling: the most likely tokens to choose from')
    top_p: float | None = Field(default=0, description='Sampling: their share of the probability')
    stop_sequences: list[str] | None = Field(default=[], description='Texts that end the answer')

    def config(self) -> dict[str, Any]:
        """Returns the options of the model that are not null."""
        names = ('temperature', 'max_output_tokens', 'top_k', 'top_p', 'stop_sequences')
        values = {to_camel(name): getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


def hnsw_indexer_flow(
    ai: genkit.Genkit,
    *,
    embedder: EmbedderArgument,
    embedder_options: dict[str, Any] | None = None,
    root: str | Path = '.',
    engine: EngineName = 'auto',
) -> Action[Any, Any, Any]:
    """Defines the flow `HNSW Indexer` (JS `hnswIndexer`): splits text files, embeds the chunks, and saves them as an index.

    Afterwards the index holds the chunks of these files and nothing else. Chunks that were there already are not embedded again.
    Each has the metadata `id` (its number), `source` (its file) and `chunk` (its number in the file).

    Args:
        ai: The Genkit to define it in.
        embedder: What embeds the chunks.
        embedder_options: Its options.
        root: Folder that the paths in the input are relative to and must not leave.
        engine: Which engine.

    Returns:
        The flow. It takes a `HnswIndexerInput` and returns `VectorStore saved to <path>`; what goes wrong is raised.
    """

    async def index(input: HnswIndexerInput) -> str:  # noqa: A002 - the wire's name
        folder = Path(root)
        path = await asyncio.to_thread(_inside, folder, input.index_output_path)
        documents = await asyncio.to_thread(_chunks, folder, input)
        store = HnswStore(INDEXER_FLOW, path, engine=engine)
        collection = VectorCollection(store, Embedder(embedder, Host(ai), embedder_options))
        try:
            async with store.session():
                report = await collection.add(documents, on_conflict='skip')
                report.raise_for_failures()
                await store.delete(ids=sorted(await store.ids() - set(report.ids)))
        finally:
            await store.aclose()
        return f'VectorStore saved to {input.index_output_path}'

    return _flow(ai, INDEXER_FLOW, 'Indexes text files', index)


def hnsw_retriever_flow(
    ai: genkit.Genkit,
    *,
    embedder: EmbedderArgument,
    query_embedder_options: dict[str, Any] | None = None,
    model: str | ModelRef[Any] | None = None,
    root: str | Path = '.',
    engine: EngineName = 'auto',
) -> Action[Any, Any, Any]:
    """Defines the flow `HNSW Retriever` (JS `hnswRetriever`): answers a prompt from the closest chunks of an index.

    Each chunk is said by the user and answered with "Understood" by the model, as in JS, before the prompt follows.

    Args:
        ai: The Genkit to define it in.
        embedder: What embeds the prompt.
        query_embedder_options: Its options.
        model: The model; by default that of `ai`.
        root: Folder that the index's path is relative to and must not leave.
        engine: Which engine.

    Returns:
        The flow. It takes a `HnswRetrieverInput` and returns the model's text; what goes wrong is raised.
    """
    opened: OrderedDict[Path, HnswStore] = OrderedDict()
    source = Embedder(embedder, Host(ai), query_embedder_options)

    async def retrieve(input: HnswRetrieverInput) -> str:  # noqa: A002 - the wire's name
        path = await asyncio.to_thread(_inside, Path(root), input.index_path)
        store = opened.setdefault(path, HnswStore(RETRIEVER_FLOW, path, engine=engine))
        opened.move_to_end(path)
        if len(opened) > _OPEN_INDEXES:
            opened.popitem(last=False)
        matches = await VectorCollection(store, source).search(input.prompt, k=input.k)
        if not matches:
            raise GenkitError(status='NOT_FOUND', message=f'The index {input.index_path} does not exist or is empty.')
        messages: list[Message] = []
        for match in matches:
            messages.append(Message(role=Role.USER, content=[Part.from_text(match.document.text)]))
            messages.append(Message(role=Role.MODEL, content=[Part.from_text('Understood')]))
        generate = cast('Any', ai).generate  # Its overloads name generic middleware without arguments.
        response: ModelResponse[Any] = await generate(
            model=model, messages=messages, prompt=input.prompt, config=input.config()
        )
        return raise_if_failed(response).text

    return _flow(ai, RETRIEVER_FLOW, 'Answers a prompt from an index', retrieve)


def _flow(ai: genkit.Genkit, name: str, description: str, run: Any) -> Action[Any, Any, Any]:
    flow: Any = ai.flow(name, description=description)
    return flow(run)


def _chunks(root: Path, options: HnswIndexerInput) -> list[Document]:
    documents: list[Document] = []
    for file in _files(root, options.data_path):
        source = file.relative_to(root.resolve()).as_posix()
        try:
            text = file.read_bytes().decode('utf-8')
        except UnicodeDecodeError as error:
            raise GenkitError(
                status='INVALID_ARGUMENT', message=f'{source} is not UTF-8 text: {error.reason}.'
            ) from error
        chunks = split_text(
            text, chunk_size=options.chunk_size, overlap=options.chunk_overlap, separator=options.separator
        )
        for number, chunk in enumerate(chunks):
            metadata = {'id': len(documents), 'source': source, 'chunk': number}
            documents.append(Document.from_text(chunk, metadata))
    if not documents:
        raise GenkitError(
            status='NOT_FOUND', message=f'No text to index: {options.data_path!r} matches no file that has any.'
        )
    return documents


def _files(root: Path, pattern: str) -> list[Path]:
    _inside(root, pattern)
    names = glob.glob(pattern, root_dir=root, recursive=True)
    files = [_inside(root, name) for name in sorted(names) if 'node_modules' not in Path(name).parts]
    return [file for file in files if file.is_file()]


def _inside(root: Path, name: str) -> Path:
    """Returns the path that a name means under a root, links followed."""
    base = root.resolve()
    path = (base / name).resolve()
    if not path.is_relative_to(base):
        raise GenkitError(
            status='PERMISSION_DENIED',
            message=f'The path {name!r} leads out of the folder that this flow may use (see root).',
        )
    return path
