// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// The client of genkit/beta/client.
import { serve } from './serve.mjs';
import { runFlow, streamFlow } from 'genkit/beta/client';

// The stream's own promise is rejected too when a flow fails, and nobody can wait for that one.
process.on('unhandledRejection', (error) => console.error(error));

/** Reads a stream to its end; `afterFirst` is the URL of a flow to run once the first chunk is here. */
async function stream({ url, input, headers, streamId, afterFirst }) {
  const running = streamFlow({ url, input, headers, streamId });
  const chunks = [];
  try {
    for await (const chunk of running.stream) {
      chunks.push(chunk);
      if (chunks.length === 1 && afterFirst) await runFlow({ url: afterFirst });
    }
    return { chunks, output: await running.output, streamId: await running.streamId };
  } catch (error) {
    return { chunks, error: error.message };
  }
}

serve({ run: ({ url, input, headers }) => runFlow({ url, input, headers }), stream });
