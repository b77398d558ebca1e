/* The try-it page: choices on the left, the answer in the middle, the wire on the right. */

import { cardView } from "./cards.js";
import { byId, el, icon, plural, pretty } from "./dom.js";
import { complaint, draft, fieldOf, hookCall, post, uuid } from "./hookcall.js";
import { FIELDS, itemRow, kindOf, offered } from "./items.js";
import { changed, nameOf, patientFacts, patientName, recordLists, underId } from "./record.js";
import { resultsOf, silences, verdicts } from "./verdicts.js";

const ORDER_TYPES = new Set(["MedicationRequest", "ServiceRequest", "NutritionOrder", "DeviceRequest"]);
const NEW_ORDERS = FIELDS[0];

const state = { choices: null, patient: null, data: null, service: null, items: {}, edited: false, made: 0, turn: 0, visit: newVisit() };

/** A visit has patients of its own, so that the service remembers nothing of them from an earlier one. */
function newVisit() {
  return uuid().slice(0, 6);
}

const addressOf = (service) => `/cds-services/${encodeURIComponent(service.id)}`;
const reference = (resource) => `${resource.resourceType}/${resource.id}`;
const field = () => fieldOf(state.service);
const items = () => state.items[field()] ?? [];
const labels = () => Object.fromEntries(items().map((item) => [reference(item.resource), item.label]));
const patientId = () => state.data.patient.id;

async function getJson(address) {
  const response = await fetch(address, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return response.json();
}

/* ---- choices ---------------------------------------------------------------------------------------------- */

function patientRow(patient) {
  const input = el("input", { type: "radio", name: "patient", value: patient.id, onchange: () => choosePatient(patient.id) });
  return el("label", { class: "patient" }, input, el("span", {}, el("strong", {}, patient.name), el("span", { class: "quiet" }, patient.shows)));
}

/** The patients under the hook that each one is best seen with. */
function patientGroups(patients) {
  const hooks = [...new Set(patients.map((patient) => patient.hook))];
  return hooks.flatMap((hook) => [el("p", { class: "patient-group" }, hook), ...patients.filter((patient) => patient.hook === hook).map(patientRow)]);
}

function newItem(sample, id) {
  return { label: sample.name, sample: sample.id, resource: draft(sample.resource, id ?? `draft-${++state.made}`, patientId()) };
}

function rowOf(item, index) {
  return itemRow({
    field: field(), item, index, options: offered(state.choices, state.patient, field()),
    onchoose: (sample) => { state.items[field()][index] = newItem(sample, item?.resource.id); itemsChanged(); },
    onremove: () => { state.items[field()].splice(index, 1); itemsChanged(); },
  });
}

function drawItems() {
  const kind = kindOf(field());
  byId("items-step").hidden = !field();
  byId("items-title").textContent = kind.title;
  byId("items").replaceChildren(...(items().length ? items().map(rowOf) : [rowOf(null, 0)]));
  byId("add-item").textContent = `+ Add another ${kind.one.toLowerCase()}`;
  byId("add-item").hidden = !items().length;
}

function itemsChanged() {
  drawItems();
  clearAnswer();
  writeRequest();
}

function chooseService(service) {
  state.service = service;
  byId("service").value = service.id;
  byId("service-hint").textContent = service.title;
  itemsChanged();
}

const serviceFor = (wanted) => state.choices.services.find((service) => service.id === wanted || service.hook === wanted);

/** The items of each field: those of the address, or the first one that suits the patient. */
function firstItems(patient, wanted) {
  const chosen = (name) => (wanted[name]?.length ? wanted[name] : patient.items[name].slice(0, 1));
  const known = (name, id) => state.choices.items[name].find((sample) => sample.id === id);
  return Object.fromEntries(FIELDS.map((name) => [name, chosen(name).map((id) => known(name, id)).filter(Boolean).map((sample) => newItem(sample))]));
}

async function choosePatient(id, { hook, wanted = {} } = {}) {
  const patient = state.choices.patients.find((known) => known.id === id) ?? state.choices.patients[0];
  const turn = ++state.turn;
  const data = await getJson(`/try-it/patients/${encodeURIComponent(patient.id)}`).catch((error) => fail(error));
  if (!data || turn !== state.turn) return;
  Object.assign(state, { patient, made: 0, data: underId(data, patient.id, `${patient.id}-${state.visit}`) });
  state.items = firstItems(patient, wanted);
  markChosen(patient.id);
  drawChart();
  chooseService(serviceFor(hook) ?? serviceFor(patient.hook) ?? state.choices.services[0]);
}

/** The same story told of somebody new, of whom nothing is remembered; the choices stay. */
async function beginAgain() {
  state.visit = newVisit();
  const wanted = Object.fromEntries(FIELDS.map((name) => [name, (state.items[name] ?? []).map((item) => item.sample).filter(Boolean)]));
  await choosePatient(state.patient.id, { hook: state.service.hook, wanted });
  byId("fire").focus();
}

function markChosen(id) {
  const input = document.querySelector(`input[name=patient][value="${CSS.escape(id)}"]`);
  input.checked = true;
  const [list, row] = [byId("patients"), input.closest("label")];
  const above = row.offsetTop - list.firstElementChild.offsetHeight;
  if (above < list.scrollTop || above + row.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = above;
}

function drawChart() {
  byId("chart").hidden = false;
  byId("chart-name").textContent = patientName(state.data.patient);
  byId("chart-facts").textContent = patientFacts(state.data.patient);
  byId("chart-story").textContent = state.patient.story;
  byId("chart-shows").replaceChildren(el("span", { class: "quiet" }, "Expect: "), state.patient.shows);
  byId("chart-lists").replaceChildren(...recordLists(state.data));
}

/* ---- request ---------------------------------------------------------------------------------------------- */

function writeRequest() {
  const call = hookCall({ service: state.service, patientId: patientId(), data: state.data, items: items().map((item) => item.resource) });
  byId("request").value = pretty(call);
  byId("request-line").textContent = `POST ${addressOf(state.service)}`;
  markEdited(false);
  const chosen = items().map((item) => item.sample).filter(Boolean);
  const here = new URLSearchParams([["patient", state.patient.id], ["hook", state.service.hook], ...chosen.map((sample) => [kindOf(field()).param, sample])]);
  history.replaceState(null, "", `#${here}`);
}

function markEdited(edited) {
  state.edited = edited;
  byId("request-reset").hidden = !edited;
  noteRequest(edited ? "Edited by you: what stands here is what will be sent." : "You may edit the request before you fire it.");
}

function noteRequest(text, bad = false) {
  const note = byId("request-note");
  note.textContent = text;
  note.classList.toggle("bad", bad);
  byId("request").setAttribute("aria-invalid", String(bad));
}

function editedIsJson() {
  try {
    JSON.parse(byId("request").value);
    return true;
  } catch (error) {
    byId("request-pane").open = true;
    noteRequest(`This is not JSON, so it was not sent: ${error.message}`, true);
    byId("request").focus();
    return false;
  }
}

/* ---- answer ----------------------------------------------------------------------------------------------- */

function clearAnswer() {
  byId("answer").replaceChildren(el("p", { class: "empty" }, "Press ", el("strong", {}, "Fire"), " to ask the service."));
  byId("answer-line").replaceChildren();
  byId("stale").hidden = true;
  byId("response").textContent = "";
  byId("response-line").textContent = "no answer yet";
}

function failure(title, reasons) {
  return el("div", { class: "failure", role: "alert" }, el("p", { class: "card-summary" }, icon("critical"), el("span", {}, title)),
    el("p", {}, "This is not an all clear: nothing can be concluded for the patient."), reasons.length ? el("ul", {}, reasons.map((reason) => el("li", {}, reason))) : "");
}

function auditLine(answer) {
  const id = answer.headers?.get("X-Audit-Id");
  const kept = answer.headers?.get("X-Audit-State");
  const parts = [`${answer.ms} ms`];
  if (kept) parts.push(`audit: ${kept}`);
  if (id && kept !== "off" && kept !== "failed") parts.push(el("a", { href: `/review/${encodeURIComponent(id)}` }, "see the audit case"));
  return parts.flatMap((part, index) => (index ? [" · ", part] : [part]));
}

function noCard(results) {
  const quiet = results?.some((result) => result.suppressed);
  const means = quiet ? " something was found, and silenced for the reason told below." : " it means only that no rule of this service had something to show for what was sent. See below what was checked, and what was not.";
  return el("p", { class: "no-card" }, el("strong", {}, "No card. That is not the same as safe:"), means);
}

function drawCards(body) {
  const session = { service: state.service, labels: labels(), apply: applyActions };
  const views = body.cards.map((card) => cardView(card, session));
  const context = { ...state.choices, labels: session.labels, cards: views.length, beginAgain };
  const results = resultsOf(body);
  byId("answer").replaceChildren(...(views.length ? views : [noCard(results)]), ...silences(results, context), verdicts(results, context));
}

function drawAnswer(answer) {
  byId("response-line").textContent = answer.failure ? "no answer" : `${answer.status} in ${answer.ms} ms`;
  byId("response").textContent = answer.failure ? "" : answer.json === undefined ? answer.text : pretty(answer.json);
  const readable = answer.ok && Array.isArray(answer.json?.cards);
  const headline = answer.failure ? "No answer" : readable ? plural(answer.json.cards.length, "card") : `Error ${answer.status}`;
  byId("answer-line").replaceChildren(el("strong", {}, headline), " · ", ...auditLine(answer));
  if (readable) return drawCards(answer.json);
  const title = answer.failure ? `The call failed: ${answer.failure}.` : answer.ok ? "The answer could not be read." : `The service refused the call with status ${answer.status}.`;
  byId("answer").replaceChildren(failure(title, complaint(answer)));
}

function showAnswer() {
  const title = byId("answer-title");
  const { top } = title.getBoundingClientRect();
  title.focus({ preventScroll: true });
  if (top < 0 || top > window.innerHeight * 0.6) title.scrollIntoView({ block: "start" });
}

async function fire(event) {
  event.preventDefault();
  if (!state.service || (state.edited && !editedIsJson())) return;
  if (!state.edited) writeRequest();
  const button = byId("fire");
  const turn = state.turn;
  button.disabled = true;
  clearAnswer();
  byId("answer").replaceChildren(el("p", { class: "empty" }, "Waiting for the service…"));
  const answer = await post(addressOf(state.service), byId("request").value);
  button.disabled = false;
  if (turn !== state.turn) return;
  try {
    drawAnswer(answer);
  } catch (error) {
    byId("answer").replaceChildren(failure("The answer could not be drawn.", [error.message]));
  }
  showAnswer();
}

/** Does to the orders and the record of the session what the accepted suggestion says; true where they changed. */
function applyActions(actions) {
  const before = pretty([state.items, state.data]);
  actions.forEach(applyAction);
  if (pretty([state.items, state.data]) === before) return false;
  drawItems();
  drawChart();
  writeRequest();
  byId("stale").hidden = false;
  return true;
}

function applyAction(action) {
  const { type, resource, resourceId } = action;
  const target = resourceId ?? (resource && reference(resource));
  const list = Object.values(state.items).find((held) => held.some((item) => reference(item.resource) === target));
  const at = list?.findIndex((item) => reference(item.resource) === target);
  if (type === "create") return applyNew(resource && { ...resource, id: resource.id ?? `draft-${++state.made}` });
  if (!list) state.data = changed(state.data, action, state.service.prefetch);
  else if (type === "delete") list.splice(at, 1);
  else if (type === "update") list[at] = { label: nameOf(resource), resource };
}

function applyNew(resource) {
  if (ORDER_TYPES.has(resource?.resourceType)) state.items[NEW_ORDERS].push({ label: nameOf(resource), resource });
  else state.data = changed(state.data, { type: "create", resource }, state.service.prefetch);
}

/* ---- start ------------------------------------------------------------------------------------------------ */

async function copy(event) {
  const from = byId(event.currentTarget.dataset.copy);
  const button = event.currentTarget;
  try {
    await navigator.clipboard.writeText(from.value ?? from.textContent);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function fail(error) {
  byId("answer").replaceChildren(failure("The page could not load what it needs.", [error.message]));
}

function fromAddress() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const wanted = Object.fromEntries(FIELDS.map((name) => [name, hash.getAll(kindOf(name).param)]));
  return choosePatient(hash.get("patient"), { hook: hash.get("hook"), wanted });
}

function listen() {
  byId("choose").addEventListener("submit", fire);
  byId("service").addEventListener("change", (event) => chooseService(serviceFor(event.target.value)));
  byId("add-item").addEventListener("click", () => {
    byId("items").append(rowOf(null, items().length));
    byId("add-item").hidden = true;
    byId("items").lastElementChild.querySelector("input").focus();
  });
  byId("request").addEventListener("input", () => markEdited(true));
  byId("request-reset").addEventListener("click", writeRequest);
  document.querySelectorAll("[data-copy]").forEach((button) => button.addEventListener("click", copy));
  window.addEventListener("hashchange", fromAddress);
}

async function start() {
  if (window.matchMedia("(max-width: 1100px)").matches) document.querySelectorAll(".pane").forEach((pane) => { pane.open = false; });
  state.choices = await getJson("/try-it/data");
  const { patients, services } = state.choices;
  if (!patients.length || !services.length) throw new Error("The service has no sample patients or no hooks.");
  byId("patients").replaceChildren(...patientGroups(patients));
  byId("service").replaceChildren(...services.map((service) => el("option", { value: service.id }, service.hook)));
  listen();
  await fromAddress();
  byId("try").removeAttribute("aria-busy");
}

start().catch(fail);
