/* Draws one card as an EHR would, and sends what the reader does with it as feedback. */

import { capitalised, el, icon, outward, pretty } from "./dom.js";
import { complaint, post } from "./hookcall.js";
import { markdown } from "./markdown.js";

const LEVELS = new Set(["info", "warning", "critical"]);

function subjectOf(card, labels) {
  const subject = Object.values(card.extension ?? {}).map((value) => value?.subject).find((value) => typeof value === "string");
  return subject ? labels[subject] ?? subject : "";
}

function meta(card, labels) {
  const level = LEVELS.has(card.indicator) ? card.indicator : "none";
  const about = subjectOf(card, labels);
  const source = card.source?.label ? outward(card.source.url, card.source.label) : el("span", {}, "not named");
  return el("p", { class: "card-meta" },
    el("span", { class: "indicator", "data-indicator": level }, capitalised(String(card.indicator ?? "no indicator"))),
    about ? el("span", {}, "About ", el("strong", {}, about)) : "",
    el("span", { class: "quiet" }, "Source: ", source));
}

function links(card) {
  const listed = card.links ?? [];
  if (!listed.length) return null;
  return el("ul", { class: "card-links", "aria-label": "Links" }, listed.map((link) => el("li", {},
    link.type === "smart" ? `${link.label} (SMART app, not started here)` : outward(link.url, link.label ?? link.url))));
}

function actionRow(action) {
  const what = action.resource ?? (action.resourceId ? { delete: action.resourceId } : null);
  return el("div", { class: "action" },
    el("p", {}, el("span", { class: "tag" }, action.type ?? "action"), ` ${action.description ?? ""}`),
    what ? el("details", { open: true }, el("summary", {}, action.resource?.resourceType ?? "Resource"), el("pre", { class: "code", tabindex: "0" }, pretty(what))) : "");
}

/** One drawn card. `session` has the service, override reasons, order names and `apply(actions)`. */
export function cardView(card, session) {
  const level = LEVELS.has(card.indicator) ? card.indicator : "none";
  const told = el("p", { class: "card-told", role: "status" });
  const applied = el("div", { class: "card-applied" });
  const controls = [];

  const tell = (text, bad = false) => {
    told.textContent = text;
    told.classList.toggle("bad", bad);
  };
  const lock = (locked) => controls.forEach((control) => { control.disabled = locked; });

  async function feedback(content) {
    lock(true);
    tell("Sending feedback…");
    const body = { feedback: [{ card: card.uuid, ...content, outcomeTimestamp: new Date().toISOString() }] };
    const answer = await post(`/cds-services/${encodeURIComponent(session.service.id)}/feedback`, JSON.stringify(body));
    if (answer.ok) return true;
    lock(false);
    tell(`The feedback was not recorded: ${answer.failure ?? `the service answered ${answer.status}`}. ${complaint(answer).join(" ")}`, true);
    return false;
  }

  async function accept(suggestion) {
    const sent = await feedback({ outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }] });
    if (!sent) return;
    const actions = suggestion.actions ?? [];
    const changed = session.apply(actions);
    tell(`Accepted: ${suggestion.label}. Feedback recorded.${actions.length ? "" : " This suggestion changes nothing by itself."}`);
    applied.replaceChildren(...actions.map(actionRow));
    if (changed) applied.append(el("p", { class: "quiet" }, "The orders or the record of this session have changed accordingly."));
  }

  async function override(reasons, select, comment) {
    const content = { outcome: "overridden" };
    const reason = select?.value ? reasons[Number(select.value)] : undefined;
    const said = comment.value.trim();
    if (reason || said) {
      content.overrideReason = {};
      if (reason) content.overrideReason.reason = reason;
      if (said) content.overrideReason.userComment = said;
    }
    if (await feedback(content)) tell(`Overridden${reason ? `: ${reason.display}` : ""}. Feedback recorded.${reason ? " Fire again to see whether the card is silenced." : ""}`);
  }

  function suggestions() {
    const offered = card.suggestions ?? [];
    if (!offered.length) return null;
    const buttons = offered.map((suggestion) => el("button", { type: "button", class: suggestion.isRecommended ? "suggestion recommended" : "suggestion", onclick: () => accept(suggestion), disabled: !(suggestion.uuid && card.uuid) },
      suggestion.label, suggestion.isRecommended ? el("span", { class: "quiet" }, " recommended") : ""));
    controls.push(...buttons);
    return el("div", { class: "card-suggestions", role: "group", "aria-label": "Suggestions" }, buttons);
  }

  function overriding() {
    if (!card.uuid) return el("p", { class: "quiet" }, "This card has no uuid, so it takes no feedback.");
    const reasons = card.overrideReasons ?? [];
    const select = reasons.length ? el("select", { "aria-label": "Reason for not following this card" },
      el("option", { value: "" }, "Choose a reason…"), reasons.map((reason, index) => el("option", { value: index }, reason.display ?? reason.code))) : null;
    const comment = el("input", { type: "text", maxlength: "300", placeholder: "Comment (optional)", "aria-label": "Comment (optional)" });
    const button = el("button", { type: "button", class: "plain", onclick: () => override(reasons, select, comment) }, "Override");
    controls.push(...[select, comment, button].filter(Boolean));
    return el("div", { class: "card-override", role: "group", "aria-label": "Not following this card" }, select, comment, button);
  }

  return el("article", { class: "card", "data-indicator": level },
    el("h3", { class: "card-summary" }, icon(level), el("span", {}, el("span", { class: "sr" }, `${card.indicator}: `), card.summary ?? "(no summary)")),
    meta(card, session.labels),
    card.detail ? el("div", { class: "card-detail" }, markdown(card.detail, card.links)) : "",
    links(card), suggestions(), overriding(), told, applied);
}
