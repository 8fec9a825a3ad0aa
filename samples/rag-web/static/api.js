// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0

// The wire format of Genkit's flows: {"data": input} out, events with "message", "result" or "error" in.

const HEADERS = { 'Content-Type': 'application/json', Accept: 'text/event-stream' };
const OFFLINE = 'The server cannot be reached. Is it still running?';
const CUT = 'The server stopped before it was done.';

export class FlowError extends Error {}

/** Takes the text of an event stream in any pieces, and gives out whole events. */
class Events {
  #rest = '';
  #take;

  constructor(take) {
    this.#take = take;
  }

  feed(text) {
    const lines = (this.#rest + text).split('\n\n');
    this.#rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('data: ')) this.#take(JSON.parse(line.slice(6)));
    }
  }
}

/** Makes what takes events: chunks go on, the result is kept, an error is kept until the end. */
function collector(onChunk) {
  const end = {};
  const events = new Events((event) => {
    if ('message' in event) onChunk(event.message);
    else Object.assign(end, event);
  });
  return { events, end };
}

function outcome(end) {
  if (end.error) throw new FlowError(end.error.message);
  if (!('result' in end)) throw new FlowError(CUT);
  return end.result;
}

function refusal(text) {
  try {
    return new FlowError(JSON.parse(text).message || CUT);
  } catch {
    return new FlowError(CUT);
  }
}

/** Runs a flow and returns its result; an aborted signal stops it, here and on the server. */
export async function run(flow, input, { onChunk = () => {}, signal } = {}) {
  let response;
  const { events, end } = collector(onChunk);
  try {
    response = await fetch(`api/${flow}`, { method: 'POST', headers: HEADERS, body: body(input), signal });
    if (!response.ok) throw refusal(await response.text());
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) events.feed(read.value);
  } catch (error) {
    if (error.name === 'AbortError' || error instanceof FlowError) throw error;
    throw new FlowError(response ? CUT : OFFLINE);
  }
  return outcome(end);
}

/** Runs a flow with a large input, and tells how much of it is sent: only XMLHttpRequest knows. */
export function send(flow, input, { onSent, onChunk, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const { events, end } = collector(onChunk);
    let seen = 0;
    const read = () => {
      if (request.status !== 200) return;
      const text = request.responseText;
      events.feed(text.slice(seen));
      seen = text.length;
    };
    const finish = () => {
      try {
        if (request.status !== 200) throw refusal(request.responseText);
        read();
        resolve(outcome(end));
      } catch (error) {
        reject(error);
      }
    };
    request.open('POST', `api/${flow}`);
    for (const [name, value] of Object.entries(HEADERS)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onSent(event.loaded, event.total);
    request.upload.onload = () => onSent(1, 1);
    request.onprogress = read;
    request.onload = finish;
    request.onerror = () => reject(new FlowError(request.status ? CUT : OFFLINE));
    request.onabort = () => reject(new DOMException('Stopped', 'AbortError'));
    signal.addEventListener('abort', () => request.abort());
    request.send(body(input));
  });
}

function body(input) {
  return JSON.stringify(input === undefined ? {} : { data: input });
}
