// Copyright 2026 The genkitx authors
// SPDX-License-Identifier: Apache-2.0

// Renders the little Markdown that answers and passages need. It makes elements and text nodes, never markup: whatever a
// document or a model writes stays text.

const FENCE = /^ {0,3}(```|~~~)/;
const HEADING = /^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/;
const ITEM = /^\s{0,6}([-*+]|\d{1,3}[.)])\s+(.*)$/;
const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\[(\d{1,2}(?:, ?\d{1,2})*)\](?!\()/g;

export function element(name, { className, text, ...rest } = {}, ...children) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  for (const [key, value] of Object.entries(rest)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/**
 * Returns text as an element.
 * @param text The text.
 * @param lines Whether the ends of its lines count. In Markdown files they do not: there they only wrap.
 * @param cite Makes an element of the number of a passage, or null where there is no such passage.
 */
export function prose(text, { lines: keep = false, cite = () => null } = {}) {
  const root = element('div', { className: keep ? 'prose lines' : 'prose' });
  const lines = text.split('\n');
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) at += 1;
    else at = block(root, lines, at, cite);
  }
  return root;
}

/** Makes the only child of a place equal to a new one. What did not change stays, so that it keeps the focus, and clicks. */
export function update(place, fresh) {
  if (place.firstChild) morph(place.firstChild, fresh);
  else place.append(fresh);
}

function morph(old, fresh) {
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  after.forEach((node, at) => {
    const was = before[at];
    if (!was) old.append(node);
    else if (was.isEqualNode(node)) return;
    else if (node.firstChild && was.cloneNode().isEqualNode(node.cloneNode())) morph(was, node);
    else was.replaceWith(node);
  });
  for (const extra of before.slice(after.length)) extra.remove();
}

/** Appends the block that starts at a line, and returns the line after it. */
function block(root, lines, start, cite) {
  const fence = lines[start].match(FENCE);
  if (fence) {
    let end = start + 1;
    while (end < lines.length && !lines[end].trimStart().startsWith(fence[1])) end += 1;
    root.append(element('pre', {}, element('code', { text: lines.slice(start + 1, end).join('\n') })));
    return end + 1;
  }
  const heading = lines[start].match(HEADING);
  if (heading) {
    root.append(inline(element('p', { className: 'heading' }), heading[1], cite));
    return start + 1;
  }
  if (ITEM.test(lines[start])) return list(root, lines, start, cite);
  const plain = (line) => line.trim() && !FENCE.test(line) && !HEADING.test(line) && !ITEM.test(line);
  let end = start + 1;
  while (end < lines.length && plain(lines[end])) end += 1;
  const table = lines[start].trimStart().startsWith('|');
  const paragraph = lines.slice(start, end).join('\n');
  root.append(table ? element('pre', { text: paragraph }) : inline(element('p'), paragraph, cite));
  return end;
}

function list(root, lines, start, cite) {
  const ordered = /\d/.test(lines[start].match(ITEM)[1]);
  const node = element(ordered ? 'ol' : 'ul', ordered ? { start: parseInt(lines[start].trim(), 10) } : {});
  let at = start;
  while (at < lines.length && lines[at].trim() && !FENCE.test(lines[at])) {
    const item = lines[at].match(ITEM);
    if (item && /\d/.test(item[1]) !== ordered) break;
    if (item) node.append(inline(element('li'), item[2], cite));
    else inline(node.lastChild, ` ${lines[at].trim()}`, cite);
    at += 1;
  }
  root.append(node);
  return at;
}

function inline(node, text, cite) {
  let last = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, strong, numbers] = match;
    const made = code ? [element('code', { text: code })] : strong ? [inline(element('strong'), strong, cite)] : citations(numbers, cite);
    if (!made) continue;
    node.append(text.slice(last, match.index), ...made);
    last = match.index + whole.length;
  }
  node.append(text.slice(last));
  return node;
}

function citations(numbers, cite) {
  const made = numbers.split(',').map((number) => cite(Number(number)));
  return made.includes(null) ? null : made;
}
