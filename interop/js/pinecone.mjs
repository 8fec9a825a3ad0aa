// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// The plugin genkitx-pinecone.
import { serve } from './serve.mjs';
import { createPineconeIndex, deletePineconeIndex, describePineconeIndex, pinecone } from 'genkitx-pinecone';
import { EMBEDDER, app, index, retrieve } from './app.mjs';

/** The address of the service. The client takes hosts without a scheme for https; on loopback it is http. */
const client = ({ url, key }) => ({
  apiKey: key,
  controllerHostUrl: url,
  fetchApi: (target, init) => fetch(String(target).replace(/^https:\/\/127\./, 'http://127.'), init),
});

const open = ({ service, indexId, settings }) =>
  app(pinecone([{ indexId, embedder: EMBEDDER, clientParams: client(service), ...settings }]));

serve({
  index: ({ documents, options, ...where }) => index(open(where), `pinecone/${where.indexId}`, { documents, options }),
  retrieve: ({ query, options, ...where }) => retrieve(open(where), `pinecone/${where.indexId}`, { query, options }),
  create: ({ service, options }) => createPineconeIndex({ clientParams: client(service), options }),
  describe: ({ service, name }) => describePineconeIndex({ clientParams: client(service), name }),
  delete: ({ service, name }) => deletePineconeIndex({ clientParams: client(service), name }),
});
