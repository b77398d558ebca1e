/* Small helpers to build pages from nodes. Text is only ever set as text. */

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  critical: [["path", { d: "M8 2h8l6 6v8l-6 6H8l-6-6V8z" }], "M12 7v6M12 16.6v.4"],
  warning: [["path", { d: "M12 2.5 23 21.5H1z" }], "M12 9.5v5M12 17.8v.4"],
  info: [["circle", { cx: 12, cy: 12, r: 10.5 }], "M12 11v6M12 7v.4"],
  none: [["circle", { cx: 12, cy: 12, r: 10.5 }], "M7.5 12h9"],
};

export const byId = (id) => document.getElementById(id);

/** Makes an element: attributes by name, `on…` as listeners, children as nodes or text. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

function svg(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/** The shape of an indicator: an octagon, a triangle or a disc. */
export function icon(level) {
  const [[tag, shape], sign] = ICONS[level] ?? ICONS.none;
  const made = svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" });
  made.append(svg(tag, { class: "icon-shape", ...shape }), svg("path", { class: "icon-sign", d: sign }));
  return made;
}

/** An address that a link may lead to: http or https, nothing else. */
export function safeAddress(address) {
  try {
    const url = new URL(address);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/** A link to another page in a new tab, or mere text where the address is not safe. */
export function outward(address, label) {
  const href = typeof address === "string" ? safeAddress(address) : null;
  return href ? el("a", { href, target: "_blank", rel: "noopener noreferrer" }, label) : el("span", {}, label);
}

export const capitalised = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export const pretty = (value) => JSON.stringify(value, null, 2);
