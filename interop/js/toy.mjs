// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0
// The embedder by itself.
import { serve } from './serve.mjs';
import { embed } from './embedder.mjs';

serve({ embed: ({ text, dimensions }) => embed(text, dimensions) });
