// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// A Genkit app with plugins and the embedder `toy/hash`.
import { Document, genkit } from 'genkit';
import { DIMENSIONS, embedDocument } from './embedder.mjs';

export const EMBEDDER = 'toy/hash';

/** Makes the app. */
export function app(...plugins) {
  const ai = genkit({ plugins });
  ai.defineEmbedder({ name: EMBEDDER, info: { dimensions: DIMENSIONS } }, async (documents) => ({
    embeddings: documents.map((one) => ({ embedding: embedDocument(one) })),
  }));
  return ai;
}

/** Indexes documents that came as JSON. */
export async function index(ai, indexer, { documents, options }) {
  await ai.index({ indexer, documents: documents.map((one) => new Document(one)), options: options ?? undefined });
}

/** Retrieves documents as JSON. */
export async function retrieve(ai, retriever, { query, options }) {
  return ai.retrieve({ retriever, query, options: options ?? undefined });
}
