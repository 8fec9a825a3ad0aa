// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// The embedder of `genkitx.testing`, equal to it in every bit: it ranks by shared words, and needs no model.

export const DIMENSIONS = 64;

/** Embeds a text. */
export function embed(text, dimensions = DIMENSIONS) {
  const bytes = new TextEncoder().encode(text).map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
  const vector = new Array(dimensions).fill(0);
  for (const token of tokens(bytes)) {
    const hash = fnv1a(token);
    vector[hash % dimensions] += hash >>> 31 ? -1 : 1;
  }
  let noise = fnv1a(bytes) || 1;
  for (let i = 0; i < dimensions; i++) {
    noise ^= noise << 13;
    noise ^= noise >>> 17;
    noise = (noise ^ (noise << 5)) >>> 0;
    vector[i] += ((noise >>> 8) / 16777216 - 0.5) * 0.0625;
  }
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => Math.fround(value / length));
}

/** Embeds a document's joined texts, a medium by its URL. */
export function embedDocument(document) {
  return embed(document.content.map((part) => part.text ?? part.media?.url ?? '').join(''));
}

function* tokens(bytes) {
  let start = 0;
  for (let i = 0; i <= bytes.length; i++) {
    const byte = bytes[i];
    if (byte >= 0x80 || (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39)) continue;
    if (i > start) yield bytes.subarray(start, i);
    start = i + 1;
  }
}

function fnv1a(bytes) {
  let hash = 2166136261;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619);
  return hash >>> 0;
}

/** The embedder in the form that LangChain wants. */
export const langchain = {
  embedDocuments: async (texts) => texts.map((text) => embed(text)),
  embedQuery: async (text) => embed(text),
};
