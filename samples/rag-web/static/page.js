// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0

// Puts the two halves of the page together: the documents, and the questions to them.

import { run } from './api.js';
import { Asking } from './asking.js';
import { Documents } from './documents.js';

const by = (id) => document.getElementById(id);

/** Tells screen readers what happened; sighted users see it where it did. */
function announce(text) {
  by('status').textContent = text;
}

async function refresh() {
  const overview = await run('overview');
  documents.show(overview);
  asking.ready(overview);
  by('model').textContent = overview.model ?? 'Passages only';
  by('model').title = overview.model ? 'The model that answers' : 'No model is set up';
  by('model').hidden = false;
}

const asking = new Asking(announce);
const documents = new Documents(announce, refresh);

by('welcome-add').addEventListener('click', () => by('files').click());
documents.start();
