// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0

// The documents: uploads with their progress, and the list of what is indexed.

import { run, send } from './api.js';
import { element } from './prose.js';

const AT_ONCE = 2;
const SURE_FOR = 4000;

const by = (id) => document.getElementById(id);

export class Documents {
  #announce;
  #refresh;
  #limits = null;
  #waiting = [];
  #running = 0;

  /**
   * @param announce Tells screen readers a sentence.
   * @param refresh Asks the server for the state of things, and shows it.
   */
  constructor(announce, refresh) {
    this.#announce = announce;
    this.#refresh = refresh;
  }

  start() {
    const input = by('files');
    input.addEventListener('change', () => {
      this.#add(input.files);
      input.value = '';
    });
    this.#listenForDrops();
    this.#update();
  }

  /** Shows the list of what is indexed. */
  show({ files, max_bytes: maxBytes, suffixes }) {
    this.#limits = { maxBytes };
    by('files').accept = suffixes.join(',');
    by('limits').textContent = `${suffixes.join(', ')} · up to ${readable(maxBytes)} each`;
    by('count').textContent = files.length ? `(${files.length})` : '';
    // A button that somebody is on keeps the focus.
    const held = document.activeElement?.closest('#indexed li')?.dataset.name;
    by('indexed').replaceChildren(...files.map((file) => this.#row(file)));
    if (held !== undefined) {
      const row = [...by('indexed').children].find((one) => one.dataset.name === held);
      (row?.querySelector('button') ?? by('files')).focus();
    }
  }

  #row(file) {
    const details = `${count(file.passages)} · ${readable(file.size)}`;
    const button = element('button', { className: 'quiet small', type: 'button', text: 'Delete', 'aria-label': `Delete ${file.name}` });
    button.addEventListener('click', () => this.#delete(file.name, button));
    const words = element('div', {}, element('p', { className: 'name', text: file.name }), element('p', { className: 'details', text: details }));
    const row = element('li', {}, element('div', { className: 'line' }, words, button));
    row.dataset.name = file.name;
    return row;
  }

  /** The first click asks, the second deletes. */
  async #delete(name, button) {
    if (!button.classList.contains('sure')) {
      const reset = () => {
        button.classList.remove('sure');
        button.textContent = 'Delete';
        button.setAttribute('aria-label', `Delete ${name}`);
      };
      button.classList.add('sure');
      button.textContent = 'Really delete?';
      button.setAttribute('aria-label', `Really delete ${name}?`);
      button.addEventListener('blur', reset, { once: true });
      setTimeout(reset, SURE_FOR);
      return;
    }
    button.disabled = true;
    try {
      await run('delete', { name });
      this.#announce(`${name} is deleted.`);
      by('files').focus();
    } catch (error) {
      this.#trouble(error);
    }
    await this.#update();
  }

  async #update() {
    try {
      await this.#refresh();
      by('trouble').hidden = true;
    } catch (error) {
      this.#trouble(error);
    }
  }

  #trouble(error) {
    by('trouble').textContent = error.message;
    by('trouble').hidden = false;
  }

  #listenForDrops() {
    const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
    const mark = (on) => by('drop').classList.toggle('over', on);
    // Anywhere on the page will do: a file that misses the box would otherwise replace the page.
    window.addEventListener('dragover', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      mark(true);
    });
    window.addEventListener('dragleave', (event) => {
      if (!event.relatedTarget) mark(false);
    });
    window.addEventListener('drop', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      mark(false);
      this.#add(event.dataTransfer.files);
    });
  }

  #add(files) {
    for (const file of files) {
      const upload = new Upload(file);
      by('uploads').append(upload.row);
      this.#waiting.push(upload);
    }
    this.#next();
  }

  #next() {
    while (this.#running < AT_ONCE && this.#waiting.length) {
      const upload = this.#waiting.shift();
      if (upload.stopped) continue;
      this.#running += 1;
      this.#handle(upload).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  async #handle(upload) {
    try {
      const indexed = await upload.run(this.#limits);
      upload.row.remove();
      this.#announce(`${indexed.name} is indexed: ${count(indexed.passages)}.`);
      await this.#update();
    } catch (error) {
      if (error.name === 'AbortError') return;
      upload.fail(error.message);
      this.#announce(`${upload.file.name} was not indexed: ${error.message}`);
    }
  }
}

/** A file on its way, with its row on the page. */
class Upload {
  #abort = new AbortController();
  #state = element('p', { className: 'details', text: 'Waiting' });
  #bar = element('progress', { max: 1, value: 0 });
  #button;

  constructor(file) {
    this.file = file;
    this.#bar.setAttribute('aria-label', `Progress of ${file.name}`);
    this.#button = element('button', { className: 'quiet small', type: 'button', text: 'Cancel', 'aria-label': `Cancel ${file.name}` });
    this.#button.addEventListener('click', () => {
      this.#abort.abort();
      this.row.remove();
    });
    const words = element('div', {}, element('p', { className: 'name', text: file.name }), this.#state);
    this.row = element('li', {}, element('div', { className: 'line' }, words, this.#button), this.#bar);
  }

  get stopped() {
    return this.#abort.signal.aborted;
  }

  async run(limits) {
    if (limits && this.file.size > limits.maxBytes) {
      throw new Error(`It is too large: ${readable(this.file.size)}, the limit is ${readable(limits.maxBytes)}.`);
    }
    const content = await base64(this.file);
    this.#abort.signal.throwIfAborted();
    return send('upload', { name: this.file.name, content }, {
      onSent: (sent, total) => this.#sent(sent, total),
      onChunk: ({ done, total }) => this.#step(`Indexing: ${done} of ${count(total)}`, done / total),
      signal: this.#abort.signal,
    });
  }

  fail(message) {
    this.#state.textContent = message;
    this.#state.classList.add('bad');
    this.#bar.remove();
    this.#button.textContent = 'Dismiss';
    this.#button.setAttribute('aria-label', `Dismiss the message about ${this.file.name}`);
  }

  #sent(sent, total) {
    // What the server does before its first step has no measure.
    if (sent === total) this.#step('Reading', null);
    else this.#step(`Uploading: ${Math.floor((100 * sent) / total)} %`, sent / total);
  }

  #step(text, part) {
    this.#state.textContent = text;
    if (part === null) this.#bar.removeAttribute('value');
    else this.#bar.value = part;
  }
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1));
    reader.onerror = () => reject(new Error('It cannot be read. Is it a folder, or has it gone?'));
    reader.readAsDataURL(file);
  });
}

function count(passages) {
  return passages === 1 ? '1 passage' : `${passages} passages`;
}

function readable(size) {
  if (size < 1000) return `${size} bytes`;
  return size < 1_000_000 ? `${Math.round(size / 1000)} kB` : `${Number((size / 1_000_000).toFixed(1))} MB`;
}
