/* Builds the hook call that an EHR would send for the choices made, and sends it. */

const TIMEOUT_MS = 20000;
const USUAL_BUNDLES = { "order-select": ["draftOrders"], "order-sign": ["draftOrders"], "medication-refill": ["medications"], "problem-list-item-create": ["conditions"] };

export function uuid() {
  if (globalThis.crypto?.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The field of the context that holds what this service is asked about; empty where it takes nothing. */
export const fieldOf = (service) => (service.bundles.length ? service.bundles : USUAL_BUNDLES[service.hook] ?? [])[0] ?? "";

/** A sample as this patient's own resource: an order becomes a draft, anything else stays as it is. */
export function draft(resource, id, patientId) {
  const own = { ...resource, id, subject: { reference: `Patient/${patientId}` } };
  return resource.resourceType === "MedicationRequest" ? { ...own, status: "draft", intent: "order" } : own;
}

function collection(resources) {
  return { resourceType: "Bundle", type: "collection", entry: resources.map((resource) => ({ resource })) };
}

export function hookCall({ service, patientId, data, items }) {
  const context = { userId: "Practitioner/example", patientId };
  const field = fieldOf(service);
  if (data.encounter) context.encounterId = data.encounter.id;
  else if (service.hook.startsWith("encounter-")) context.encounterId = `${patientId}-visit`;
  if (service.hook === "order-select") context.selections = items.map((item) => `${item.resourceType}/${item.id}`);
  if (field) context[field] = collection(items);
  const prefetch = Object.fromEntries(Object.keys(service.prefetch).filter((key) => key in data).map((key) => [key, data[key]]));
  return { hook: service.hook, hookInstance: uuid(), context, prefetch };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Posts text; never throws. `failure` stands where there is no answer at all. */
export async function post(address, body) {
  const started = performance.now();
  const took = () => Math.round((performance.now() - started) * 10) / 10;
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body,
      cache: "no-store",
      signal: AbortSignal.timeout?.(TIMEOUT_MS),
    });
    const text = await response.text();
    return { status: response.status, ok: response.ok, headers: response.headers, text, json: parsed(text), ms: took() };
  } catch (error) {
    return { failure: error?.name === "TimeoutError" ? `no answer within ${TIMEOUT_MS / 1000} s` : "the service could not be reached", ms: took() };
  }
}

/** What the service says about a refusal, from an OperationOutcome or whatever else it sent. */
export function complaint(answer) {
  const issues = answer.json?.resourceType === "OperationOutcome" ? answer.json.issue ?? [] : [];
  const said = issues.map((issue) => issue.diagnostics ?? issue.details?.text ?? issue.code).filter(Boolean);
  return said.length ? said : answer.text && answer.json === undefined ? [answer.text.slice(0, 300)] : [];
}
