// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0

// The question, the answer as it is written, and the passages that it cites.

import { run } from './api.js';
import { element, prose, update } from './prose.js';

const by = (id) => document.getElementById(id);

export class Asking {
  #announce;
  #abort = null;
  #passages = [];
  #written = '';
  #drawing = 0;
  #cameFrom = null;

  /** @param announce Tells screen readers a sentence. */
  constructor(announce) {
    this.#announce = announce;
    by('ask').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#ask(by('question').value.trim());
    });
    by('question').addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      by('ask').requestSubmit();
    });
    by('stop').addEventListener('click', () => this.#abort?.abort());
  }

  /** Shows whether there is anything to ask. */
  ready({ files, longest_question: longest }) {
    by('question').maxLength = longest;
    by('welcome').hidden = files.length > 0 || !by('result').hidden;
    by('send').disabled = this.#abort !== null;
  }

  async #ask(question) {
    if (!question || this.#abort) return;
    this.#abort = new AbortController();
    this.#begin(question);
    try {
      const result = await run('ask', { text: question }, { onChunk: (piece) => this.#take(piece), signal: this.#abort.signal });
      this.#finish(result);
    } catch (error) {
      if (error.name === 'AbortError') this.#say('note', 'Stopped.');
      else this.#say('problem', error.message);
    } finally {
      this.#abort = null;
      this.#draw();
      by('answer').setAttribute('aria-busy', 'false');
      by('send').disabled = false;
      by('stop').hidden = true;
      if (document.activeElement === document.body) by('question').focus();
    }
  }

  #begin(question) {
    this.#written = '';
    this.#passages = [];
    by('asked').textContent = question;
    for (const id of ['note', 'problem', 'answer', 'welcome', 'passages-title']) by(id).hidden = true;
    by('answer').replaceChildren();
    by('passages').replaceChildren();
    by('answer').setAttribute('aria-busy', 'true');
    by('result').hidden = false;
    by('send').disabled = true;
    by('stop').hidden = false;
    this.#announce('Searching.');
  }

  #take({ passages, text }) {
    if (passages?.length) {
      this.#passages = passages;
      by('passages').replaceChildren(...passages.map((passage) => this.#card(passage)));
      by('passages-title').hidden = false;
    }
    if (text) {
      this.#written += text;
      // Models write faster than screens show.
      this.#drawing ||= requestAnimationFrame(() => this.#draw());
    }
  }

  #draw() {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = 0;
    by('answer').hidden = !this.#written;
    update(by('answer'), prose(this.#written, { lines: true, cite: (number) => this.#cite(number) }));
  }

  #finish({ passages, text, note }) {
    if (note) this.#say('note', note);
    const found = `${passages.length} passages`;
    this.#announce(text ? `Answered, with ${found}. ${text}` : `${found}. ${note ?? ''}`);
  }

  #say(id, text) {
    by(id).textContent = text;
    by(id).hidden = false;
    if (id === 'note') this.#announce(text);
  }

  #cite(number) {
    const passage = this.#passages[number - 1];
    if (!passage) return null;
    const label = `Passage ${number}: ${place(passage)}`;
    const link = element('a', { className: 'cite', text: String(number), href: `#passage-${number}`, title: place(passage), 'aria-label': label });
    link.addEventListener('click', (event) => {
      event.preventDefault();
      this.#cameFrom = link;
      highlight(number);
    });
    return link;
  }

  #card(passage) {
    const score = element('span', { className: 'score', title: 'Similarity to the question, 1 is the most' });
    const meter = element('meter', { min: 0, max: 1, value: Math.max(0, passage.score), 'aria-hidden': 'true' });
    score.append(meter, ` ${passage.score.toFixed(2)}`);
    const where = element('p', { className: 'where' }, element('span', { className: 'number', text: `[${passage.number}]` }));
    where.append(element('span', { className: 'file', text: passage.file }));
    if (passage.heading) where.append(element('span', { className: 'section', text: passage.heading }));
    where.append(score);
    const back = element('button', { className: 'quiet small back', type: 'button', text: 'Back to the answer', hidden: '' });
    back.addEventListener('click', () => this.#back());
    return element('li', { className: 'passage', id: `passage-${passage.number}`, tabindex: '-1' }, where, prose(body(passage), { lines: passage.file.endsWith('.txt') }), back);
  }

  #back() {
    (this.#cameFrom?.isConnected ? this.#cameFrom : by('asked')).focus();
  }
}

/** Marks one passage, and goes there. */
function highlight(number) {
  for (const card of by('passages').children) {
    const cited = card.id === `passage-${number}`;
    card.classList.toggle('cited', cited);
    card.querySelector('.back').hidden = !cited;
    if (!cited) continue;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    card.focus({ preventScroll: true });
    card.scrollIntoView({ behavior: still ? 'auto' : 'smooth', block: 'nearest' });
  }
}

function place({ file, heading }) {
  return heading ? `${file}, ${heading}` : file;
}

/** A passage starts with its heading, which is shown above it already. */
function body({ text, heading }) {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.trim() && !/^ {0,3}#{1,6} /.test(line));
  return heading && start > 0 && lines.slice(0, start).some((line) => line.includes(heading)) ? lines.slice(start).join('\n') : text;
}
