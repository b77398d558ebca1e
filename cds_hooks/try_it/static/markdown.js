/* The little of Markdown that cards need: paragraphs, bullets, bold, and links that the card itself lists. */

import { el, outward } from "./dom.js";

const INLINE = /\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/g;
const BULLET = /^\s*[-*+]\s+/;
const HEADING = /^#{1,6}\s+/;

function inline(text, known) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(text.slice(from, match.index));
    const [whole, bold, label, address] = match;
    if (bold) parts.push(el("strong", {}, bold));
    else parts.push(known.has(address) ? outward(address, label) : whole);
    from = match.index + whole.length;
  }
  parts.push(text.slice(from));
  return parts;
}

function block(lines, known) {
  const blocks = [];
  let list = null;
  let paragraph = null;
  for (const line of lines) {
    if (BULLET.test(line)) {
      paragraph = null;
      if (!list) blocks.push((list = el("ul")));
      list.append(el("li", {}, inline(line.replace(BULLET, ""), known)));
    } else if (list && /^\s+\S/.test(line)) {
      list.lastElementChild.append(" ", ...inline(line.trim(), known));
    } else if (HEADING.test(line)) {
      list = paragraph = null;
      blocks.push(el("p", {}, el("strong", {}, inline(line.replace(HEADING, ""), known))));
    } else {
      list = null;
      if (paragraph) paragraph.append(" ", ...inline(line.trim(), known));
      else blocks.push((paragraph = el("p", {}, inline(line.trim(), known))));
    }
  }
  return blocks;
}

/** Nodes for a card's detail. `links` are the card's own; no other address becomes a link. */
export function markdown(text, links = []) {
  const known = new Set(links.map((link) => link?.url));
  return String(text).split(/\r?\n\s*\r?\n/).flatMap((part) => block(part.split(/\r?\n/).filter((line) => line.trim()), known));
}
