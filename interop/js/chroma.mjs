// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// The plugin genkitx-chromadb, in the version that npm has: it works with the Genkit of its time, which it brings along.
import { serve } from './serve.mjs';
import { createRequire } from 'node:module';
import { DIMENSIONS, embedDocument } from './embedder.mjs';

const require = createRequire(import.meta.url);
const plugin = require('genkitx-chromadb');
const itsOwn = createRequire(require.resolve('genkitx-chromadb'));
const { configureGenkit, genkitPlugin } = itsOwn('@genkit-ai/core');
const { defineEmbedder } = itsOwn('@genkit-ai/ai/embedder');
const { Document, index, retrieve } = itsOwn('@genkit-ai/ai/retriever');

const toy = genkitPlugin('toy', async () => ({
  embedders: [
    defineEmbedder({ name: 'toy/hash', info: { dimensions: DIMENSIONS } }, async (documents) => ({
      embeddings: documents.map((one) => ({ embedding: embedDocument(one) })),
    })),
  ],
}));
configureGenkit({ plugins: [toy(), plugin.chroma([])], logLevel: 'error', enableTracingAndMetrics: false });

const settings = ({ url, name, create }) => ({
  collectionName: name,
  embedder: 'toy/hash',
  clientParams: { path: url },
  createCollectionIfMissing: create ?? false,
});

serve({
  index: async ({ documents, ...where }) => {
    await index({ indexer: plugin.chromaIndexer(settings(where)), documents: documents.map((one) => new Document(one)) });
  },
  retrieve: ({ query, options, ...where }) => retrieve({ retriever: plugin.chromaRetriever(settings(where)), query, options }),
  create: async ({ url, name, metadata }) => {
    await plugin.createChromaCollection({ name, metadata, clientParams: { path: url } });
  },
  delete: ({ url, name }) => plugin.deleteChromaCollection({ name, clientParams: { path: url } }),
});
