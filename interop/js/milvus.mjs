// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// The SDK that the JS plugin for Milvus is built on, with the rows that the plugin writes.
import { serve } from './serve.mjs';
import { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { embed } from './embedder.mjs';

/** A call succeeds with a status that may say otherwise. */
function checked(answer) {
  const status = answer.status ?? answer;
  if (status.error_code !== 'Success') throw new Error(`${status.error_code}: ${status.reason}`);
  return answer;
}

async function connected(address, work) {
  const client = new MilvusClient({ address });
  try {
    return checked(await work(client));
  } finally {
    await client.closeConnection();
  }
}

serve({
  insert: async ({ address, name, documents }) => {
    const data = documents.map(({ text, metadata }) => ({ vector: embed(text), document: text, metadata }));
    await connected(address, (client) => client.insert({ collection_name: name, data }));
  },
  search: async ({ address, name, query, limit, filter }) => {
    const answer = await connected(address, (client) =>
      client.search({
        collection_name: name,
        data: embed(query),
        limit,
        filter,
        output_fields: ['document', 'metadata'],
      })
    );
    return answer.results.map(({ document, metadata, score }) => ({ document, metadata, score }));
  },
  describe: async ({ address, name }) => {
    const { schema } = await connected(address, (client) => client.describeCollection({ collection_name: name }));
    return schema.fields.map((field) => [field.name, field.data_type, field.is_primary_key, field.autoID]);
  },
});
