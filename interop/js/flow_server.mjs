// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// Flows served by @genkit-ai/express, the same as those of flow_server.py.
import { serve } from './serve.mjs';
import { createRequire } from 'node:module';

// The package of the server hands its CommonJS form to ES modules as well. Genkit has to be taken in the same form, else the
// server does not know Genkit's errors as such, and tells nobody what they say.
const require = createRequire(import.meta.url);
const { expressHandler } = require('@genkit-ai/express');
const express = require('express');
const { UserFacingError, genkit, z } = require('genkit');
const { InMemoryStreamManager } = require('genkit/beta');
const { apiKey } = require('genkit/context');

const ai = genkit({});
let letGo;

const echo = ai.defineFlow({ name: 'echo', inputSchema: z.any() }, async (input) => ({ got: input ?? 'nothing' }));

const count = ai.defineFlow(
  { name: 'count', inputSchema: z.object({ to: z.number(), text: z.string() }), streamSchema: z.any() },
  async ({ to, text }, { sendChunk }) => {
    for (let number = 0; number < to; number++) sendChunk({ number, text });
    return { text: text.repeat(to) };
  }
);

const hold = ai.defineFlow({ name: 'hold', streamSchema: z.string() }, async (_, { sendChunk }) => {
  const released = new Promise((resolve) => (letGo = resolve));
  sendChunk('first');
  await released;
  sendChunk('second');
  return 'end';
});

const release = ai.defineFlow({ name: 'release' }, async () => letGo());

const fail = ai.defineFlow({ name: 'fail', inputSchema: z.boolean(), streamSchema: z.any() }, async (known, { sendChunk }) => {
  sendChunk(1);
  if (known) throw new UserFacingError('NOT_FOUND', 'no fox “here”', { page: 3 });
  throw new Error('the flow broke');
});

const app = express();
app.use(express.json());
for (const flow of [echo, count, hold, release, fail]) app.post(`/${flow.__action.name}`, expressHandler(flow));
app.post('/locked', expressHandler(echo, { contextProvider: apiKey('sesame') }));
app.post('/kept', expressHandler(count, { streamManager: new InMemoryStreamManager() }));

serve({
  start: () =>
    new Promise((resolve) => {
      const server = app.listen(0, '127.0.0.1', () => resolve(server.address().port));
    }),
});
