/* What a hook is about: orders, prescriptions to refill or problems, chosen from samples by name. */

import { combobox } from "./combobox.js";
import { el } from "./dom.js";

const KINDS = {
  draftOrders: { title: "Orders", one: "Order", param: "order", placeholder: "Search by drug name" },
  medications: { title: "Prescriptions to refill", one: "Prescription", param: "refill", placeholder: "Search by drug name" },
  conditions: { title: "Problems being entered", one: "Problem", param: "problem", placeholder: "Search by name" },
};

// A longer name is cut in the field, so it stands in full below it.
const SHORT = 24;

/** The words for a field of the context; a field that this page does not know is spoken of as orders. */
export const kindOf = (field) => KINDS[field] ?? KINDS.draftOrders;

export const FIELDS = Object.keys(KINDS);

/** The samples of a field, those that suit the patient first. */
export function offered(choices, patient, field) {
  const usual = patient?.items[field] ?? [];
  const rank = (item) => (usual.includes(item.id) ? usual.indexOf(item.id) : usual.length);
  return [...(choices.items[field] ?? [])].sort((one, other) => rank(one) - rank(other));
}

/** One row: a field to search in, and a button that takes the item away. `item` is null for an empty row. */
export function itemRow({ field, item, index, options, onchoose, onremove }) {
  const { one, placeholder } = kindOf(field);
  const label = `${one} ${index + 1}`;
  const input = combobox({ label, value: item?.label ?? "", placeholder, none: `No ${one.toLowerCase()} of that name.`, options, onchoose });
  const remove = el("button", { type: "button", class: "plain remove", "aria-label": `Remove ${label.toLowerCase()}`, onclick: onremove }, "×");
  const whole = item && item.label.length > SHORT ? el("p", { class: "quiet item-name" }, item.label) : "";
  return el("div", { class: "order-row" }, input, item ? remove : "", whole);
}
