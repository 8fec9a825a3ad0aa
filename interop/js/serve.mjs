// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// Answers calls that come as lines of JSON on standard input, with one line of JSON each on standard output.
import { createInterface } from 'node:readline';

// Standard output is for the answers: what a package prints goes to the log. Import this file first.
for (const name of ['log', 'info', 'debug', 'warn']) console[name] = console.error;

/** Serves `{name: async (args) => result}` until the input ends. A call is `{name, args}`. */
export async function serve(calls) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { name, args } = JSON.parse(line);
    let answer;
    try {
      answer = { result: (await calls[name](args)) ?? null };
    } catch (error) {
      answer = { error: String(error?.message ?? error) };
    }
    process.stdout.write(JSON.stringify(answer) + '\n');
  }
  process.exit();
}
