"""Findings -> cards: one per draft order, one about the patient, at most three, most severe first (D.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from plugin.engine import Judged
from plugin.evidence import BIBLIOGRAPHY
from plugin.guideline_text import OVERRIDE_REASONS, TEXTS
from plugin.ids import uuid5, written
from plugin.originals import Originals
from plugin.patient import Gap, Medication
from plugin.rule import SUGGESTION_MARK, Case, Fact, Finding, Indicator, Option, Rule, Status, Verdict, evidence_of
from plugin.rules import data_quality
from plugin.suggestions import Builder
from plugin.text import matched, plain, reference_of

MOST_CARDS = 3
LONGEST_SUMMARY = 139
_MOST_SUGGESTIONS = 6
_MOST_REASONS = 9
_MOST_SOURCES = 4
_LONGEST_LABEL = 60
_MOST_FURTHER = 8
_UNCONFIRMED = "that only one source gives"
_HELPS_TO_GIVE = frozenset({"cover", "dose", "reduce", "shorten"})
_LABEL = "Dystonia CDS guideline"
_PURPOSE = "Decision support for prescribers and pharmacists, to be judged independently; no card never means safe."

Json = dict[str, Any]
Quiet = dict[tuple[str, str], str]


class Frame(msgspec.Struct, frozen=True):
    """What every card of one call shares.

    ``namespace`` is the uuid that all others are made from; ``identity`` is (client, service, hookInstance, patient).
    """

    public_url: str
    canonical: str
    namespace: bytes
    identity: tuple[str, ...]
    originals: Originals
    orderable: Mapping[str, Mapping[str, str]]
    show_sources: bool = True
    show_info: bool = True
    unsigned: frozenset[str] = frozenset()


class _Part(msgspec.Struct, frozen=True):
    rule: Rule
    verdict: Verdict
    finding: Finding


class _Draft(msgspec.Struct):
    """A card before it is written: what was found, the notes about data, and what is shown by a link only."""

    judged: Judged
    parts: list[_Part]
    notes: list[_Part]
    linked: list[_Part]

    @property
    def leader(self) -> _Part:
        return (self.parts or self.notes)[0]

    @property
    def indicator(self) -> Indicator:
        return self.leader.finding.indicator


def cards_of(judged: Sequence[Judged], frame: Frame) -> tuple[list[Json], Quiet]:
    """The cards, and why the findings by (subject, rule) that fired stand on none of them.

    "alert-non-serious": the client wants no info cards. "on-request": a finding that is only ever a link or a line on a
    card that stands for other reasons, and there is none; "notes-only": the same of a note about data. "three-cards":
    the third card only says that this order has findings too.
    """
    found = [(one, _found(one)) for one in judged]
    drafts = [draft for one, parts in found if (draft := _draft(one, parts)) is not None]
    quiet = Quiet()
    shown = []
    for draft in drafts:
        kept = draft if frame.show_info else _serious(draft, quiet)
        if kept is not None:
            shown.append(kept)
    # The order of the drafts in the call must not matter.
    shown.sort(key=lambda draft: (-draft.indicator, draft.leader.rule.rank, subject_of(draft.judged.case)))
    cards = [
        _card(draft, frame, shown[MOST_CARDS:] if place == MOST_CARDS - 1 else [])
        for place, draft in enumerate(shown[:MOST_CARDS])
    ]
    placed, further = _places(shown[:MOST_CARDS]), {subject_of(draft.judged.case) for draft in shown[MOST_CARDS:]}
    for one, parts in found:
        subject = subject_of(one.case)
        for part in parts:
            if (subject, part.rule.id) not in placed:
                quiet.setdefault((subject, part.rule.id), _reason(part, subject in further))
    return cards, quiet


def _places(drafts: Sequence[_Draft]) -> set[tuple[str, str]]:
    """The subject and rule of everything that stands on these cards."""
    return {
        (subject_of(draft.judged.case), part.rule.id)
        for draft in drafts
        for part in (*draft.parts, *draft.notes, *draft.linked)
    }


def _reason(part: _Part, further: bool) -> str:
    """Why a finding that nothing silenced stands on no card."""
    if further:
        return "three-cards"
    return "notes-only" if part.rule.about_data else "on-request"


def _serious(draft: _Draft, quiet: Quiet) -> _Draft | None:
    """Without info cards: a warning stays whole, notes about what could not be checked stay, the rest is left out."""
    if not draft.parts or draft.indicator > Indicator.INFO:
        return draft
    subject = subject_of(draft.judged.case)
    quiet.update({(subject, part.rule.id): "alert-non-serious" for part in (*draft.parts, *draft.linked)})
    alone = [note for note in draft.notes if note.verdict.alone]
    if alone and data_quality.may_stand_alone(draft.judged.case):
        return _Draft(draft.judged, [], draft.notes, [])
    return None


def subject_of(case: Case) -> str:
    """The reference of the order that a case is about; empty for the patient."""
    return case.order.reference if case.order is not None else ""


def _found(judged: Judged) -> list[_Part]:
    return [
        _Part(rule, verdict, verdict.finding)
        for rule, verdict in judged.found
        if verdict.finding is not None and verdict.status is Status.FIRED and not verdict.suppressed
    ]


def _waits(finding: Finding) -> bool:
    """Whether a finding is only ever a link or a line on the card of others."""
    return finding.by_link or bool(finding.beside)


def _draft(judged: Judged, found: Sequence[_Part]) -> _Draft | None:
    linked = [part for part in found if part.finding.by_link]
    parts = [part for part in found if not part.rule.about_data and not _waits(part.finding)]
    notes = [part for part in found if part.rule.about_data]
    notes.sort(key=lambda part: (not part.verdict.alone, part.rule.rank))
    parts.sort(key=lambda part: (-part.finding.indicator, part.rule.rank))
    if parts:
        standing = {part.rule.id for part in parts}
        lines = [part for part in found if standing.intersection(part.finding.beside)]
        return _Draft(judged, [*parts, *sorted(lines, key=lambda part: part.rule.rank)], notes, linked)
    alone = any(note.verdict.alone for note in notes) and data_quality.may_stand_alone(judged.case)
    return _Draft(judged, [], notes, linked) if alone else None


def _card(draft: _Draft, frame: Frame, further: Sequence[_Draft]) -> Json:
    case = draft.judged.case
    every = [*draft.parts, *draft.notes]
    rules = tuple(part.rule.id for part in every)
    linked = tuple(part.rule.id for part in draft.linked)
    uuid = _uuid(draft, [*every, *draft.linked], frame)
    builder = Builder(case, uuid, frame.originals, frame.orderable, f"{frame.canonical}{SUGGESTION_MARK}")
    against = [part for part in draft.parts if part.finding.against]
    for part in (*draft.parts, *draft.linked):
        builder.add(_options(part, bool(against)), part.rule.id)
    card: Json = {
        "uuid": written(uuid),
        "summary": _summary(draft),
        "detail": _detail(draft, builder, further, frame),
        "indicator": draft.indicator.word,
        "source": source_of(draft.leader.rule.id, frame.public_url, frame.canonical),
        "overrideReasons": _override_reasons(tuple(p.rule.id for p in against) or rules, frame.canonical),
        "links": _links(rules, linked, frame.public_url, frame.show_sources),
        "extension": {"org.dystonia-cds": _extension(draft, [*every, *draft.linked])},
    }
    if builder.found:
        card["suggestions"] = builder.found[:_MOST_SUGGESTIONS]
        card["selectionBehavior"] = "at-most-one"
    return card


def _options(part: _Part, against: bool) -> tuple[Option, ...]:
    """What a finding offers; beside one that speaks against the drug itself, nothing that helps to give it."""
    options = part.finding.options
    if not against or part.finding.against:
        return options
    return tuple(one for one in options if one.kind not in _HELPS_TO_GIVE)


def _uuid(draft: _Draft, every: Sequence[_Part], frame: Frame) -> bytes:
    """Other values give another card; how long ago they were does not, so that a repeated call gives the same one."""
    evidence = sorted([text for part in every for text in evidence_of(part.rule, part.verdict)])
    return uuid5(frame.namespace, "\n".join((*frame.identity, subject_of(draft.judged.case), *evidence)))


def _summary(draft: _Draft) -> str:
    text = draft.leader.finding.summary if draft.parts else _incomplete(draft)
    return text if len(text) <= LONGEST_SUMMARY else text[: LONGEST_SUMMARY - 1].rstrip() + "…"


def _incomplete(draft: _Draft) -> str:
    """What could not be checked, as many of the reasons as fit, and how many more there are."""
    told = [note.finding.summary.split(data_quality.SEPARATOR) for note in draft.notes if note.verdict.alone]
    shorts = list(dict.fromkeys(short for one in told for short in one))
    beginning = f"Dystonia check incomplete for {_drug_words(draft.judged.case)}: "
    for count in range(len(shorts), 1, -1):
        more = [f"{len(shorts) - count} more"] if count < len(shorts) else []
        text = f"{beginning}{data_quality.SEPARATOR.join([*shorts[:count], *more])}."
        if len(text) <= LONGEST_SUMMARY:
            return text
    return f"{beginning}{shorts[0]}{f'; {len(shorts) - 1} more' if len(shorts) > 1 else ''}."


def _drug_words(case: Case) -> str:
    medication = case.medication
    names = [item.name for item in medication.ingredients if item.tier] or [
        item.name for item in medication.ingredients
    ]
    return " + ".join(names[:2]) or medication.stem or "this order"


def _detail(draft: _Draft, builder: Builder, further: Sequence[_Draft], frame: Frame) -> str:
    """Plain Markdown that reads well as text: bold words and bullets, nothing else."""
    facts = list(dict.fromkeys(fact.text for part in draft.parts for fact in part.finding.facts))
    why = [text for part in draft.parts for text in part.finding.why]
    watch = list(dict.fromkeys(text for part in draft.parts for text in part.finding.watch))
    notes = [text for part in draft.parts for text in part.finding.notes]
    notes += [text for part in draft.notes for text in part.finding.notes] + builder.notes
    medication = draft.judged.case.medication
    how = matched(medication.matched_by) or (f"matched by a code {_UNCONFIRMED}" if medication.single_source else "")
    notes += [f"Drug {how}: {plain(medication.label, _LONGEST_LABEL)}."] if how else []
    if not draft.parts:
        why = ["Not everything needed to judge this order could be read. What could be judged gave no finding."]
    blocks = [
        _block("Why now", [*why, *facts]),
        _block("Also found", _also(draft)),
        _block("What to watch", watch),
        _block("Reference, not an order", [text for part in draft.parts for text in part.finding.reference]),
        _block("Missing, limited or not used", list(dict.fromkeys(notes))),
        _block("Further orders with findings", [_further(other) for other in further]),
        _block("Basis", _bases((*draft.parts, *draft.notes), frame)),
        _PURPOSE,
    ]
    return "\n\n".join(block for block in blocks if block)


def _also(draft: _Draft) -> list[str]:
    """What else was found, as its own card would say it: the summary of a card is the leading rule's alone.

    Beside a finding that speaks against the drug, nothing that helps to give it. A finding behind a link is told where
    an option of the card is due to it.
    """
    against = any(part.finding.against for part in draft.parts)
    others = [part for part in draft.parts[1:] if not _waits(part.finding)]
    kept = (one for one in others if all(option in _options(one, against) for option in one.finding.options))
    referred = [f"{part.finding.summary} (reference)" for part in draft.linked if part.finding.options]
    return [*(f"{part.finding.summary} ({part.finding.indicator.word})" for part in kept), *referred]


def _bases(parts: Sequence[_Part], frame: Frame) -> list[str]:
    """What each rule rests on, and which of them nobody of the site signed off as they are."""
    told = [_basis(part.rule.id, part.rule.version, part.rule.about_data, frame.show_sources) for part in parts]
    unsigned = [part.rule.id for part in parts if part.rule.id in frame.unsigned]
    named = f": {', '.join(unsigned)}" if len(unsigned) < len(parts) else ""
    return [*told, f"Not yet signed off by this site{named}."] if unsigned else told


def _block(title: str, lines: Sequence[str]) -> str:
    return f"**{title}**\n\n" + "\n".join([f"- {line}" for line in lines]) if lines else ""


def _further(draft: _Draft) -> str:
    case = draft.judged.case
    named = case.medication.ingredients or case.medication.stem
    return f"{_drug_words(case) if named else plain(subject_of(case))} ({draft.indicator.word})"


@lru_cache(maxsize=256)
def _basis(rule: str, version: str, about_data: bool, show_sources: bool) -> str:
    text = TEXTS[rule]
    basis = f"{rule} version {version}: {text.title}."
    if about_data or not show_sources:
        return basis
    labels = [BIBLIOGRAPHY[key].label for key in text.evidence][:_MOST_SOURCES]
    cited = f" Sources: {'; '.join(labels)}." if labels else ""
    strength = text.strength.split(". ", 1)[0].rstrip(".")
    return f"{basis} Evidence: {strength}.{cited}"


# What depends on the rules alone is written once per set of rules: it is a third of the work of a card.
@lru_cache(maxsize=1024)
def _override_reasons(rules: tuple[str, ...], canonical: str) -> list[Json]:
    codes = list(dict.fromkeys(code for rule in rules for code in TEXTS[rule].overrides))
    if "other" in codes:
        codes = [code for code in codes if code != "other"] + ["other"]
    system = f"{canonical}/CodeSystem/override-reasons"
    return [{"code": code, "system": system, "display": OVERRIDE_REASONS[code]} for code in codes[:_MOST_REASONS]]


@lru_cache(maxsize=1024)
def source_of(rule: str, public_url: str, canonical: str) -> Json:
    """Whose guidance a card is, and the rule that set its indicator."""
    topic = {"system": f"{canonical}/CodeSystem/rules", "code": rule}
    return {"label": _LABEL, "url": f"{public_url}/guideline", "topic": topic}


def guideline_link(rule: str, public_url: str) -> Json:
    """The link to a rule's page."""
    label = f"Guideline {rule}: why, limits and sources"
    return {"label": label, "type": "absolute", "url": f"{public_url}/guideline/{rule}"}


@lru_cache(maxsize=1024)
def _links(rules: tuple[str, ...], linked: tuple[str, ...], public_url: str, show_sources: bool) -> list[Json]:
    """The guideline page of each rule, then pages on request, which are told by rule ids alone what else was found."""
    links = [guideline_link(rule, public_url) for rule in rules]
    found = ",".join(rules)
    links += [
        {
            "label": f"More: {TEXTS[rule].title}",
            "type": "absolute",
            "url": f"{public_url}/guideline/{rule}?with={found}",
        }
        for rule in linked
    ]
    return links + _sources(rules) if show_sources else links


def _sources(rules: tuple[str, ...]) -> list[Json]:
    """The leading sources of each rule that have an address, labelled by author and year."""
    keys = dict.fromkeys(key for rule in rules for key in TEXTS[rule].evidence)
    known = [BIBLIOGRAPHY[key] for key in keys if BIBLIOGRAPHY[key].url][:_MOST_SOURCES]
    return [{"label": source.label, "url": source.url, "type": "absolute"} for source in known]


def _recognised(case: Case) -> dict[Fact, None]:
    """How the ordered drug was recognised, how sure that is, and what else it holds that no rule looks at."""
    medication = case.medication
    words = _drug_words(case)
    if not medication.matched_by:
        return {}
    told = f"{words[:1].upper()}{words[1:]} matched by {medication.matched_by}"
    told += f" {_UNCONFIRMED}" if medication.single_source else ""
    told += f"; further ingredients, judged by no rule: {_further_names(medication)}" if medication.further else ""
    return {Fact(told, subject_of(case)): None}


def _further_names(medication: Medication) -> str:
    names = [plain(name, _LONGEST_LABEL) for name in medication.further[:_MOST_FURTHER]]
    left = len(medication.further) - len(names)
    return ", ".join([*names, *([f"{left} more"] if left else [])])


def _extension(draft: _Draft, every: Sequence[_Part]) -> Json:
    facts = {fact: None for part in every for fact in part.finding.facts} | _recognised(draft.judged.case)
    extension: Json = {
        "rules": [
            {"id": part.rule.id, "version": part.rule.version, "indicator": part.finding.indicator.word}
            for part in every
        ],
        "facts": [_told(fact) for fact in facts],
        "missing": missing_of(draft.judged.case),
    }
    subject = subject_of(draft.judged.case)
    if subject:
        extension["subject"] = subject
    return {name: value for name, value in extension.items() if value}


def _told(fact: Fact) -> Json:
    reference = reference_of(fact.reference)
    return {"text": fact.text, "reference": reference} if reference else {"text": fact.text}


def missing_of(case: Case) -> list[Json]:
    """What was missing, failed or left out, by prefetch key."""
    gaps: list[Gap] = [gap for told in case.patient.gaps.values() for gap in told]
    order = case.order
    if order is not None and order.dose.unreadable and (gap := order.dose.gap(order.reference)) is not None:
        gaps.append(gap)
    shown = dict.fromkeys((gap.input, gap.reason) for gap in gaps if gap.alone or gap.reason != "key-missing")
    return [{"input": name, "reason": reason} for name, reason in shown]
