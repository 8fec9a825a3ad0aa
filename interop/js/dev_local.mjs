// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// The plugin @genkit-ai/dev-local-vectorstore: an index in a JSON file.
import { serve } from './serve.mjs';
import { devLocalVectorstore } from '@genkit-ai/dev-local-vectorstore';
import { EMBEDDER, app, index, retrieve } from './app.mjs';

const NAME = 'devLocalVectorstore/docs';
const ai = app(devLocalVectorstore([{ indexName: 'docs', embedder: EMBEDDER }]));

// Its files are in the working directory.
serve({
  index: ({ directory, ...args }) => (process.chdir(directory), index(ai, NAME, args)),
  retrieve: ({ directory, ...args }) => (process.chdir(directory), retrieve(ai, NAME, args)),
});
