/* A field with a list that narrows while one types; works with mouse, touch and keyboard alone. */

import { el } from "./dom.js";

let count = 0;

const matches = (name, typed) => typed.toLowerCase().split(/\s+/).every((word) => name.toLowerCase().includes(word));

/** `options` are {id, name}; `none` is said where nothing matches; `onchoose` gets the chosen one. Returns the element. */
export function combobox({ label, value, placeholder, none, options, onchoose }) {
  const id = `combobox-${++count}`;
  let shown = [];
  let active = -1;

  const list = el("ul", { class: "combobox-list", id: `${id}-list`, role: "listbox", tabindex: "-1", "aria-label": label, hidden: true });
  const input = el("input", {
    id, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder, "aria-label": label,
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
    onfocus: () => { input.select(); open(""); }, onclick: () => { if (list.hidden) open(""); },
    oninput: () => open(input.value), onblur: restore, onkeydown: key,
  });
  input.value = value;
  input.title = value;

  function open(typed) {
    shown = options.filter((option) => matches(option.name, typed.trim()));
    list.replaceChildren(...shown.map(row));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    move(typed.trim() && shown.length ? 0 : -1);
    if (!shown.length) sayNone();
  }

  function row(option, index) {
    return el("li", {
      id: `${id}-${index}`, role: "option", "aria-selected": "false",
      onmousedown: (event) => event.preventDefault(), onclick: () => choose(option),
    }, option.name);
  }

  /** Said as an option that cannot be chosen: a list box holds nothing else, and so it is read out. */
  function sayNone() {
    const said = el("li", { id: `${id}-none`, class: "quiet combobox-none", role: "option", "aria-disabled": "true", "aria-selected": "false" }, none);
    list.append(said);
    input.setAttribute("aria-activedescendant", said.id);
  }

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function restore() {
    input.value = value;
    input.title = value;
    close();
  }

  function move(to) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = to;
    if (active < 0) return input.removeAttribute("aria-activedescendant");
    const row = list.children[active];
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", row.id);
  }

  function choose(option) {
    value = option.name;
    restore();
    onchoose(option);
  }

  function key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (list.hidden) open("");
      if (shown.length) move((Math.max(active, step < 0 ? 0 : -1) + step + shown.length) % shown.length);
    } else if (event.key === "Enter" && !list.hidden) {
      event.preventDefault();
      if (active >= 0) choose(shown[active]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      restore();
    }
  }

  return el("div", { class: "combobox" }, input, list);
}
