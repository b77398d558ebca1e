/* Reads FHIR resources just enough to name them to a person. */

import { el, plural } from "./dom.js";

const HOUR = 3600e3;
const DAY = 24 * HOUR;
const YEAR = 365.2425 * DAY;

const KEYS = {
  encounter: "Encounter",
  conditions: "Conditions",
  medications: "Medication requests",
  medicationStatements: "Medication statements",
  medicationAdministrations: "Administrations",
  medicationDispenses: "Dispenses",
  allergies: "Allergies and intolerances",
  observations: "Results",
  familyHistory: "Family history",
  serviceRequests: "Requests",
  diagnosticReports: "Reports",
  procedures: "Procedures",
};

const conceptText = (concept) => concept?.text ?? concept?.coding?.find((coding) => coding.display)?.display ?? concept?.coding?.[0]?.code;

const quantity = (value) => (value ? `${value.value} ${value.unit ?? value.code ?? "(no unit)"}` : "");

function route(concept) {
  return (conceptText(concept) ?? "").replace(/ route$/i, "").toLowerCase();
}

function how(dosage) {
  if (!dosage) return "";
  const dose = quantity(dosage.doseAndRate?.[0]?.doseQuantity ?? dosage.dose);
  return dosage.text ?? [dose, route(dosage.route)].filter(Boolean).join(" ");
}

export function nameOf(resource) {
  const concept = resource.medicationCodeableConcept ?? resource.medication?.concept ?? resource.code ?? resource.type?.[0];
  return conceptText(concept) ?? resource.medicationReference?.display ?? resource.class?.display ?? resource.resourceType;
}

function when(resource) {
  return resource.effectiveDateTime ?? resource.recordedDate ?? resource.authoredOn ?? resource.whenHandedOver ?? resource.period?.start;
}

export function ago(moment, now = Date.now()) {
  const past = now - Date.parse(moment);
  if (Number.isNaN(past)) return "";
  if (past < 1.5 * HOUR) return `${Math.max(1, Math.round(past / 60e3))} min ago`;
  if (past < 2 * DAY) return `${Math.round(past / HOUR)} h ago`;
  if (past < 0.3 * YEAR) return `${Math.round(past / DAY)} days ago`;
  return past < 2 * YEAR ? `${Math.round((past / YEAR) * 12)} months ago` : `${Math.round(past / YEAR)} years ago`;
}

function line(resource) {
  const value = quantity(resource.valueQuantity);
  const reaction = resource.reaction?.flatMap((entry) => entry.manifestation ?? []).map(conceptText).join(", ");
  const extra = [value, how(resource.dosageInstruction?.[0] ?? resource.dosage), reaction].filter(Boolean).join(" · ");
  const date = when(resource);
  return el("li", {}, nameOf(resource), extra ? el("strong", {}, ` ${extra}`) : "", date ? el("span", { class: "quiet" }, ` ${ago(date)}`) : "");
}

export function resourcesOf(value) {
  if (value?.resourceType === "Bundle") return (value.entry ?? []).map((entry) => entry.resource).filter(Boolean);
  return value?.resourceType ? [value] : [];
}

/** The record with the patient under another id, so that the service has never met this patient. */
export function underId(value, from, to) {
  if (typeof value === "string") return value === from ? to : value === `Patient/${from}` ? `Patient/${to}` : value;
  if (Array.isArray(value)) return value.map((entry) => underId(entry, from, to));
  return value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, underId(entry, from, to)])) : value;
}

const same = (resource, target) => `${resource?.resourceType}/${resource?.id}` === target;

/** The record after an action: a resource changed or taken out, or a new one in the list that holds its type. */
export function changed(data, { type, resource, resourceId }, types) {
  const target = resourceId ?? `${resource?.resourceType}/${resource?.id}`;
  const entries = (bundle, change) => ({ ...bundle, entry: change(bundle.entry ?? []), ...("total" in bundle ? { total: change(bundle.entry ?? []).length } : {}) });
  const each = (change) => Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value?.resourceType === "Bundle" ? entries(value, (list) => change(list, key)) : value]));
  if (type === "delete") return each((list) => list.filter((entry) => !same(entry.resource, target)));
  if (type === "update") return each((list) => list.map((entry) => (same(entry.resource, target) ? { ...entry, resource } : entry)));
  const key = Object.keys(types).find((name) => types[name] === resource?.resourceType && data[name]?.resourceType === "Bundle");
  return key ? each((list, name) => (name === key ? [...list, { resource }] : list)) : data;
}

const named = (keys) => keys.map((key) => (KEYS[key] ?? key).toLowerCase()).join(", ");

/** The lists of a record under their names; empty and failed searches are told apart. */
export function recordLists(data) {
  const keys = Object.keys(data).filter((key) => key !== "patient");
  const failed = keys.filter((key) => data[key]?.resourceType === "OperationOutcome");
  const filled = keys.filter((key) => !failed.includes(key) && resourcesOf(data[key]).length);
  const empty = keys.filter((key) => !failed.includes(key) && !filled.includes(key));
  const lists = filled.flatMap((key) => [el("h3", {}, KEYS[key] ?? key), el("ul", {}, resourcesOf(data[key]).map(line))]);
  if (failed.length) lists.push(el("p", { class: "bad" }, `Search failed: ${named(failed)}.`));
  if (empty.length) lists.push(el("p", { class: "quiet" }, `Searched, nothing found: ${named(empty)}.`));
  return lists;
}

export function patientName(patient) {
  const name = patient?.name?.[0];
  return name ? name.text ?? [(name.family ?? "").toUpperCase(), (name.given ?? []).join(" ")].filter(Boolean).join(", ") : "Name unknown";
}

export function patientFacts(patient) {
  const years = (Date.now() - Date.parse(patient?.birthDate)) / YEAR;
  const age = Number.isNaN(years) ? "age unknown" : years < 2 ? plural(Math.floor(years * 12), "month") : plural(Math.floor(years), "year");
  return [patient?.gender ?? "sex unknown", age, patient?.birthDate ? `born ${patient.birthDate}` : ""].filter(Boolean).join(" · ");
}
