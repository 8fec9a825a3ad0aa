// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// PGVectorStore of LangChain on a table with the columns of the JS plugin for Cloud SQL, which npm does not have.
import { serve } from './serve.mjs';
import { PGVectorStore } from '@langchain/community/vectorstores/pgvector';
import { langchain } from './embedder.mjs';

async function opened({ connection, table }, work) {
  const store = new PGVectorStore(langchain, {
    postgresConnectionOptions: connection,
    tableName: table,
    columns: {
      idColumnName: 'id',
      vectorColumnName: 'embedding',
      contentColumnName: 'content',
      metadataColumnName: 'json_metadata',
    },
  });
  try {
    return await work(store);
  } finally {
    await store.end();
  }
}

serve({
  write: ({ documents, ids, ...where }) => opened(where, (store) => store.addDocuments(documents, { ids })),
  search: ({ query, k, filter, ...where }) =>
    opened(where, (store) => store.similaritySearchWithScore(query, k, filter)),
  delete: ({ ids, ...where }) => opened(where, (store) => store.delete({ ids })),
});
