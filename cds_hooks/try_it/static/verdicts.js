/* What was checked and what was not, in plain words, from any extension that carries `results`. */

import { el, plural } from "./dom.js";

const REASONS = {
  "no-result": "no result was found",
  "key-missing": "the data were not sent",
  "key-failed": "the data could not be read",
  truncated: "the list of data was cut short",
  "other-patient": "data of another patient had to be left out",
  "unit-missing": "the value has no unit",
  "unit-unknown": "the unit is not known",
  implausible: "the value is not plausible",
  stale: "the value is too old",
  "date-missing": "a date is missing",
  "drug-unrecognised": "the drug was not recognised",
  "dose-not-computable": "the dose could not be computed",
  time: "time ran out",
  overload: "the service was too busy",
  internal: "an error inside the service",
};

const GROUPS = [
  ["found", "Found and shown", (result) => result.status === "fired" && !result.suppressed],
  ["unchecked", "Not checked", (result) => result.status === "not-checked"],
  ["clear", "Checked, nothing found", (result) => result.status === "clear"],
  ["inapplicable", "Does not apply here", (result) => result.status === "not-applicable"],
];

const known = new Set(["fired", "not-checked", "clear", "not-applicable"]);

/** The first extension with a list of results, whatever it is called; null where there is none. */
export function resultsOf(body) {
  const found = Object.values(body.extension ?? {}).find((value) => Array.isArray(value?.results));
  return found ? found.results : null;
}

function why(result) {
  if (result.status !== "not-checked") return "";
  return REASONS[result.reason] ?? String(result.reason ?? "no reason given").replaceAll("-", " ");
}

function merged(results) {
  const rows = new Map();
  for (const result of results) {
    const reason = why(result);
    const row = rows.get(`${result.rule} ${reason}`) ?? { rule: result.rule, why: reason, subjects: [] };
    if (result.subject) row.subjects.push(result.subject);
    rows.set(`${result.rule} ${reason}`, row);
  }
  return [...rows.values()];
}

function ruleLink(id, rules) {
  return Object.hasOwn(rules, id) ? [el("a", { href: `/guideline/${encodeURIComponent(id)}` }, id)] : [String(id)];
}

function ruleName(id, rules) {
  return [...ruleLink(id, rules), Object.hasOwn(rules, id) ? ` ${rules[id].title}` : ""];
}

function rowOf(row, { rules, labels }) {
  const several = Object.keys(labels).length > 1;
  const about = several ? [...new Set(row.subjects.map((subject) => labels[subject] ?? subject))].join("; ") : "";
  return el("li", {}, ruleName(row.rule, rules), row.why ? el("strong", {}, `: ${row.why}`) : "", about ? el("span", { class: "quiet" }, ` (${about})`) : "");
}

function group([key, title, belongs], results, context) {
  const rows = merged(results.filter(belongs));
  if (!rows.length) return null;
  const open = key === "found" || (!context.cards && key !== "inapplicable");
  return el("details", { class: "verdict-group", "data-verdict": key, open }, el("summary", {}, `${title} `, el("span", { class: "count" }, rows.length)), el("ul", {}, rows.map((row) => rowOf(row, context))));
}

/** What fired and was silenced, in a plain list with what each silence means; nothing where all was shown. */
export function silences(results, context) {
  const quiet = (results ?? []).filter((result) => result.status === "fired" && result.suppressed);
  if (!quiet.length) return [];
  const codes = [...new Set(quiet.map((result) => String(result.suppressed)))];
  const named = (code) => [...new Set(quiet.filter((result) => String(result.suppressed) === code).map((result) => String(result.rule)))];
  const rules = (code) => named(code).flatMap((id, index) => [index ? ", " : "", ...ruleLink(id, context.rules)]);
  return [el("section", { class: "silenced", "aria-label": "Silenced" },
    el("ul", {}, codes.map((code) => el("li", {}, el("strong", {}, "Silenced: ", rules(code), ` (${code}).`), " ", meaning(code, named(code), context)))),
    el("p", {}, el("button", { type: "button", class: "plain", onclick: context.beginAgain }, "Begin again with a new patient"), el("span", { class: "quiet" }, " The same story, of whom nothing is remembered.")))];
}

/** What a silence means: the plugin's sentence, or what the page of the rule says. */
function meaning(code, rules, context) {
  return (Object.hasOwn(context.suppressions, code) && context.suppressions[code]) || rules.map((id) => context.rules[id]?.silences?.[code]).find(Boolean) || "The service gave no reason in words.";
}

/** The section under the cards. `context` has how many cards came, the rules, and the orders' names by reference. */
export function verdicts(results, context) {
  if (!results) return el("p", { class: "quiet" }, "The service gave no list of what it checked.");
  const strange = results.filter((result) => !known.has(result.status)).length;
  return el("section", { class: "verdicts" }, el("h3", {}, "What was checked"),
    GROUPS.map((entry) => group(entry, results, context)),
    strange ? el("p", { class: "quiet" }, `${plural(strange, "result")} of a kind that this page does not know.`) : "",
    results.length ? "" : el("p", { class: "quiet" }, "No rule was run."));
}
