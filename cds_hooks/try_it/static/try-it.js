/* The try-it page: choices on the left, the answer in the middle, the wire on the right. */

import { cardView } from "./cards.js";
import { combobox } from "./combobox.js";
import { byId, el, icon, plural, pretty } from "./dom.js";
import { complaint, draft, hookCall, post, takesOrders } from "./hookcall.js";
import { nameOf, patientFacts, patientName, recordLists } from "./record.js";
import { verdicts } from "./verdicts.js";

const ORDER_TYPES = new Set(["MedicationRequest", "ServiceRequest", "NutritionOrder", "DeviceRequest"]);

const state = { choices: null, patient: null, data: null, service: null, orders: [], edited: false, made: 0, turn: 0 };

const addressOf = (service) => `/cds-services/${encodeURIComponent(service.id)}`;
const reference = (resource) => `${resource.resourceType}/${resource.id}`;
const labels = () => Object.fromEntries(state.orders.map((order) => [reference(order.resource), order.label]));

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

function newOrder(sample) {
  return { label: sample.name, resource: draft(sample.resource, `draft-${++state.made}`, state.patient.id) };
}

function samplesByName() {
  const usual = state.patient?.orders ?? [];
  const rank = (order) => (usual.includes(order.id) ? usual.indexOf(order.id) : usual.length);
  return [...state.choices.orders].sort((one, other) => rank(one) - rank(other));
}

function orderRow(order, index) {
  const replace = (sample) => {
    state.orders[index] = { label: sample.name, sample: sample.id, resource: draft(sample.resource, order?.resource.id ?? `draft-${++state.made}`, state.patient.id) };
    ordersChanged();
  };
  const field = combobox({ label: `Order ${index + 1}`, value: order?.label ?? "", placeholder: "Search by drug name", options: samplesByName(), onchoose: replace });
  const remove = el("button", { type: "button", class: "plain remove", "aria-label": `Remove order ${index + 1}`, onclick: () => { state.orders.splice(index, 1); ordersChanged(); } }, "×");
  return el("div", { class: "order-row" }, field, order ? remove : "");
}

function drawOrders() {
  const takes = takesOrders(state.service);
  byId("orders-step").hidden = !takes;
  byId("orders").replaceChildren(...(state.orders.length ? state.orders.map(orderRow) : [orderRow(null, 0)]));
  byId("add-order").hidden = !state.orders.length;
}

function ordersChanged() {
  drawOrders();
  clearAnswer();
  writeRequest();
}

function chooseService(service) {
  state.service = service;
  byId("service").value = service.id;
  byId("service-hint").textContent = service.title;
  drawOrders();
  clearAnswer();
  writeRequest();
}

const serviceFor = (wanted) => state.choices.services.find((service) => service.id === wanted || service.hook === wanted);

async function choosePatient(id, { hook, orders } = {}) {
  const patient = state.choices.patients.find((known) => known.id === id) ?? state.choices.patients[0];
  const turn = ++state.turn;
  const data = await getJson(`/try-it/patients/${encodeURIComponent(patient.id)}`).catch((error) => fail(error));
  if (!data || turn !== state.turn) return;
  Object.assign(state, { patient, data, made: 0 });
  const wanted = (orders?.length ? orders : patient.orders.slice(0, 1));
  state.orders = wanted.map((name) => state.choices.orders.find((order) => order.id === name)).filter(Boolean).map((sample) => ({ ...newOrder(sample), sample: sample.id }));
  markChosen(patient.id);
  drawChart();
  chooseService(serviceFor(hook) ?? serviceFor(patient.hook) ?? state.choices.services[0]);
}

function markChosen(id) {
  const input = document.querySelector(`input[name=patient][value="${CSS.escape(id)}"]`);
  input.checked = true;
  const [list, row] = [byId("patients"), input.closest("label")];
  const above = row.offsetTop;
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
  const orders = takesOrders(state.service) ? state.orders.map((order) => order.resource) : [];
  const call = hookCall({ service: state.service, patientId: state.patient.id, data: state.data, orders });
  byId("request").value = pretty(call);
  byId("request-line").textContent = `POST ${addressOf(state.service)}`;
  markEdited(false);
  const samples = state.orders.map((order) => order.sample).filter(Boolean);
  const here = new URLSearchParams([["patient", state.patient.id], ["hook", state.service.hook], ...samples.map((sample) => ["order", sample])]);
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

function noCard() {
  return el("p", { class: "no-card" }, el("strong", {}, "No card. That is not the same as safe:"),
    " it means only that no rule of this service had something to show for what was sent. See below what was checked, and what was not.");
}

function drawCards(body) {
  const session = { service: state.service, labels: labels(), apply: applyActions };
  const views = body.cards.map((card) => cardView(card, session));
  byId("answer").replaceChildren(...(views.length ? views : [noCard()]), verdicts(body, { ...state.choices, labels: session.labels, cards: views.length }));
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

/** Does to the orders of the session what the accepted suggestion says; true where they changed. */
function applyActions(actions) {
  const before = pretty(state.orders);
  for (const { type, resource, resourceId } of actions) {
    const target = resourceId ?? (resource && reference(resource));
    const at = state.orders.findIndex((order) => reference(order.resource) === target);
    if (type === "delete" && at >= 0) state.orders.splice(at, 1);
    else if (type === "update" && at >= 0) state.orders[at] = { label: nameOf(resource), resource };
    else if (type === "create" && ORDER_TYPES.has(resource?.resourceType)) {
      state.orders.push({ label: nameOf(resource), resource: { ...resource, id: resource.id ?? `draft-${++state.made}` } });
    }
  }
  if (pretty(state.orders) === before) return false;
  drawOrders();
  writeRequest();
  byId("stale").hidden = false;
  return true;
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
  return choosePatient(hash.get("patient"), { hook: hash.get("hook"), orders: hash.getAll("order") });
}

function listen() {
  byId("choose").addEventListener("submit", fire);
  byId("service").addEventListener("change", (event) => chooseService(serviceFor(event.target.value)));
  byId("add-order").addEventListener("click", () => {
    byId("orders").append(orderRow(null, state.orders.length));
    byId("add-order").hidden = true;
    byId("orders").lastElementChild.querySelector("input").focus();
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
  byId("patients").replaceChildren(...patients.map(patientRow));
  byId("service").replaceChildren(...services.map((service) => el("option", { value: service.id }, service.hook)));
  listen();
  await fromAddress();
  byId("try").removeAttribute("aria-busy");
}

start().catch(fail);
