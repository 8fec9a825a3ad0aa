# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""`GenkitEmbeddings`: a Genkit embedder as LangChain embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import genkit
from genkit import Document, GenkitError
from genkitx.embedding import DEFAULT_BATCH, Embedder, EmbedderArgument, Host
from langchain_core.embeddings import Embeddings

from genkitx_langchain.background import background


class _Given(Host):
    """The Genkit that was given; without one, that of the running call."""

    def current(self) -> genkit.Genkit | None:
        return self.attached or super().current()


class GenkitEmbeddings(Embeddings):
    """A Genkit embedder as LangChain embeddings.

    Args:
        embedder: A name, a reference, an embedder action or an async function.
        ai: The Genkit in which a name is found.
        options: Options for documents.
        query_options: Options for queries; by default the same.
        batch_size: Texts in one call of the embedder.
    """

    def __init__(
        self,
        embedder: EmbedderArgument,
        ai: genkit.Genkit | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        query_options: Mapping[str, Any] | None = None,
        batch_size: int = DEFAULT_BATCH,
    ) -> None:
        self._embedder = Embedder(embedder, _Given(ai), options, query_options, batch_size)

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embeds texts, in batches, in order."""
        vectors: list[list[float]] = []
        size = self._embedder.batch_size
        for start in range(0, len(texts), size):
            batch = [Document.from_text(text) for text in texts[start : start + size]]
            for embeddings in await self._embedder.embed_batch(batch):
                if len(embeddings) != 1:
                    raise GenkitError(
                        status='FAILED_PRECONDITION',
                        message=f'{self._embedder.label} gives several vectors a text; LangChain takes one.',
                    )
                vectors.append(embeddings[0].embedding)
        return vectors

    async def aembed_query(self, text: str) -> list[float]:
        """Embeds a query."""
        return await self._embedder.embed_query(Document.from_text(text))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embeds texts, in batches, in order."""
        return background.run(lambda: self.aembed_documents(texts))

    def embed_query(self, text: str) -> list[float]:
        """Embeds a query."""
        return background.run(lambda: self.aembed_query(text))
