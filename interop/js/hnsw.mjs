// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// HNSWLib of LangChain, in the version that the JS plugin for HNSW is built on: an index in a directory.
import { serve } from './serve.mjs';
import { HNSWLib } from '@langchain/community/vectorstores/hnswlib';
import { DIMENSIONS, langchain } from './embedder.mjs';

const load = (directory) => HNSWLib.load(directory, langchain);

async function add(store, directory, documents) {
  await store.addDocuments(documents);
  await store.save(directory);
}

serve({
  write: ({ directory, documents, space }) =>
    add(new HNSWLib(langchain, { space, numDimensions: DIMENSIONS }), directory, documents),
  append: async ({ directory, documents }) => add(await load(directory), directory, documents),
  search: async ({ directory, query, k, kind }) => {
    const filter = kind && ((document) => document.metadata.kind === kind);
    return (await load(directory)).similaritySearchWithScore(query, k, filter);
  },
});
