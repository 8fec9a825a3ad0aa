// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// The plugin genkitx-pinecone.
import { serve } from './serve.mjs';
import {
  configurePineconeIndexer,
  configurePineconeRetriever,
  createPineconeIndex,
  deletePineconeIndex,
  describePineconeIndex,
} from 'genkitx-pinecone';
import { EMBEDDER, app, index, retrieve } from './app.mjs';

// One app for all indexes: the first use of each takes a second.
const ai = app();
const known = new Set();

/** The address of the service. The client takes hosts without a scheme for https; on loopback it is http. */
const client = ({ url, key }) => ({
  apiKey: key,
  controllerHostUrl: url,
  fetchApi: (target, init) => fetch(String(target).replace(/^https:\/\/127\./, 'http://127.'), init),
});

function opened({ service, indexId, settings }) {
  if (!known.has(indexId)) {
    const params = { indexId, embedder: EMBEDDER, clientParams: client(service), ...settings };
    configurePineconeRetriever(ai, params);
    configurePineconeIndexer(ai, params);
    known.add(indexId);
  }
  return `pinecone/${indexId}`;
}

serve({
  index: ({ documents, options, ...where }) => index(ai, opened(where), { documents, options }),
  retrieve: ({ query, options, ...where }) => retrieve(ai, opened(where), { query, options }),
  create: ({ service, options }) => createPineconeIndex({ clientParams: client(service), options }),
  describe: ({ service, name }) => describePineconeIndex({ clientParams: client(service), name }),
  delete: ({ service, name }) => deletePineconeIndex({ clientParams: client(service), name }),
});
