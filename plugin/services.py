"""Binds the rules to CDS Hooks: services, prefetch templates, guideline pages. The only file that knows both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL

import msgspec

from cds_hooks import content
from cds_hooks import service as host
from cds_hooks.errors import CodesTrouble, Trouble
from cds_hooks.signoff import read_book
from plugin import samples, vocabulary
from plugin.artefacts import Release
from plugin.cards import Frame, cards_of, guideline_link, source_of, subject_of
from plugin.desk import TerminologyDesk
from plugin.desk.problems import refusal
from plugin.diagnosis import relevant
from plugin.engine import Judged, judge
from plugin.evidence import BIBLIOGRAPHY
from plugin.fhir.reader import read
from plugin.fhir.references import references
from plugin.fhir.types import AnyResource
from plugin.fingerprint import content_hash, fingerprint
from plugin.guideline_text import DISCLAIMER, INTRO, OVERRIDE_REASONS, SILENCES, SUPPRESSIONS, TEXTS
from plugin.hooks import HOOKS
from plugin.ids import uuid5
from plugin.needs import TYPES, keys_of, template
from plugin.originals import Originals
from plugin.pages import basis_of, extra_pages, questions
from plugin.pages.silences import WORDS
from plugin.patient import Order, Patient
from plugin.published import Published
from plugin.rule import Policy, Rule, Status
from plugin.rules import RULES
from plugin.suppression import Situation, drug_label, memos, silenced, without_silent, without_unsigned
from plugin.text import reference_of
from plugin.thresholds import TABLE, Limits
from plugin.vocabulary import terminology

VERSION = "0.1.0"

_PROBLEM_LIST = "problem-list-item-create"
_USAGE = (
    "Works from prefetch alone, and fetches what was not sent where the FHIR server is registered and a token comes "
    "with the call. Every key is optional: what is still missing or cannot be read is named on the card{needed}. R4 "
    "resources."
)
_NEEDED = "; without a single one the answer is 412"


class Dystonia:
    """The plugin for one site: rules, figures and addresses in force."""

    def __init__(self, site: host.Site) -> None:
        """``site`` is what the operator configured."""
        self.site = site
        self.limits = _limits(site)
        self.policy = Policy(site.jurisdiction, _switched_off(site), frozenset(site.prophylaxis_order_sets))
        book = read_book(site.signoff)
        self.prints = {rule.id: fingerprint(rule, self.limits, self.policy) for rule in RULES}
        self.standings = {rule.id: book.standing(rule.id, self.prints[rule.id]) for rule in RULES}
        self.unsigned = frozenset(rule for rule, standing in self.standings.items() if not standing.signed)
        self.silent = self.unsigned if site.unsigned == "silent" else frozenset()
        self.silent_mode = _silent_mode(site)
        self.expected = _expected(site)
        self.ruleset = f"{VERSION}+{self._content_hash()[:12]}"
        base = site.canonical.rstrip("/"), site.public_url
        self.release = Release(*base, self.ruleset, self.limits, self.policy, self.standings)
        self.namespace = uuid5(NAMESPACE_URL.bytes, site.canonical)
        self.orderable = _orderable()

    def _content_hash(self) -> str:
        """One hash over rules, figures, wording and codes: what decides an answer."""
        told = {
            "version": VERSION,
            "codes": terminology().content_hash,
            "jurisdiction": self.site.jurisdiction,
            "suppressions-off": sorted(self.policy.off),
            "prophylaxis-order-sets": sorted(self.site.prophylaxis_order_sets),
            "expected": sorted(self.expected),
            "silent": sorted(self.silent),
            "silent-mode": sorted(self.silent_mode),
        }
        return content_hash([*self.prints.values()], self.limits, told)

    def evaluate(self, call: host.HookCall) -> host.Answer:
        """Judge one call; pure but for the call itself."""
        hook = HOOKS[call.service.hook]
        about = call.bundles.get(hook.field)
        drafts = about if hook.orders else None
        types = call.service.resource_types
        patient, orders, strange = read(
            call.patient_id,
            call.now,
            call.prefetch,
            drafts,
            self.limits,
            types=types,
            expected=[key for key in self.expected if key in types],
            entered=about if drafts is None else None,
        )
        subjects: list[Order | None] = [*_chosen(orders, call)] if drafts is not None else [None]
        judged = judge(
            patient,
            sorted(subjects, key=lambda order: order.reference if order is not None else ""),
            call.service.hook,
            RULES,
            self.limits,
            policy=self.policy,
            deadline=call.deadline,
            relevant=call.service.hook != _PROBLEM_LIST or _is_relevant(about, patient),
        )
        told = without_silent(without_unsigned(judged, self.silent), self.silent_mode)
        judged = silenced(told, self._situation(call))
        cards, quiet = cards_of(judged, self._frame(call))
        results = [result for one in judged for result in _results(one, quiet)]
        subjects_named = [subject for one in judged if (subject := _subject(one))]
        unmapped, unsigned = strange.told(call.patient_id), self._unsigned(judged)
        return host.Answer(cards, results, subjects_named, unmapped, _memos(judged), unsigned)

    def _frame(self, call: host.HookCall) -> Frame:
        return Frame(
            self.site.public_url,
            self.site.canonical,
            self.namespace,
            (call.client, call.service.id, call.hook_instance, call.patient_id),
            Originals(call.body, call.context, call.fetched),
            self.orderable,
            call.options.show_evidence_support,
            call.options.alert_non_serious,
            self.unsigned,
        )

    def _unsigned(self, judged: Sequence[Judged]) -> Sequence[str]:
        """The rules that found something here and that nobody of the site signed off as they are."""
        found = {rule.id for one in judged for rule, _ in one.found}
        return sorted(found & self.unsigned)

    def _situation(self, call: host.HookCall) -> Situation:
        return Situation(
            call.service.hook,
            call.user_id,
            call.now,
            self.limits,
            call.memory,
            call.options.filter_out_repeated_alerts,
            self.policy.off,
        )


def _memos(judged: Sequence[Judged]) -> list[host.Memo]:
    return [host.Memo(memo.subject, memo.rule, memo.state, memo.digest) for memo in memos(judged)]


def _limits(site: host.Site) -> Limits:
    """The figures in force; a site's own that are unknown or out of bounds are trouble told in a sentence."""
    try:
        return Limits(**site.thresholds)
    except ValueError as error:
        raise Trouble(f"DYSTONIA_CDS_THRESHOLDS: {error}") from None


def _switched_off(site: host.Site) -> frozenset[str]:
    """The suppressions that the site switched off; an unknown one is trouble told in a sentence."""
    unknown = sorted(set(site.suppressions_off) - SUPPRESSIONS)
    if unknown:
        known = ", ".join(sorted(SUPPRESSIONS))
        raise Trouble(f"DYSTONIA_CDS_SUPPRESSIONS_OFF: got {', '.join(unknown)}, expected any of {known}.")
    return frozenset(site.suppressions_off)


def _silent_mode(site: host.Site) -> frozenset[str]:
    """The rules that show nothing: all of them in silent mode; an unknown one is trouble told in a sentence."""
    known = {rule.id for rule in RULES}
    unknown = sorted(set(site.silent_rules) - known)
    if unknown:
        expected = ", ".join(sorted(known))
        raise Trouble(f"DYSTONIA_CDS_SILENT_RULES: got {', '.join(unknown)}, expected any of {expected}.")
    return frozenset(known if site.silent else site.silent_rules)


def _expected(site: host.Site) -> tuple[str, ...]:
    """The keys whose absence is told; an unknown one is trouble told in a sentence, because nothing would be told."""
    unknown = sorted(set(site.expected_keys) - TYPES.keys())
    if unknown:
        raise Trouble(f"DYSTONIA_CDS_EXPECTED_KEYS: got {', '.join(unknown)}, expected any of {', '.join(TYPES)}.")
    return site.expected_keys


def _chosen(orders: list[Order], call: host.HookCall) -> list[Order]:
    """At order-select the selected drafts are judged, the others are context.

    A selection that fits none is ignored, unless orders of other kinds alone are selected.
    """
    if call.service.hook != "order-select" or not call.selections:
        return orders
    wanted = {selection.strip("/").split("/_history/", 1)[0] for selection in call.selections}
    bare = {selection.rsplit("/", 1)[-1] for selection in wanted}
    chosen = [order for order in orders if order.reference in wanted or (order.id and order.id in bare)]
    kinds = {selection.rpartition("/")[0].rpartition("/")[2] for selection in wanted}
    return chosen or (orders if kinds & {"MedicationRequest", ""} else [])


def _is_relevant(entered: host.Prefetched | None, patient: Patient) -> bool:
    """Whether a condition being entered is one that the rules are about, or one that cannot be read and may be."""
    if entered is None or relevant(patient):
        return entered is not None
    lost = {gap.reference for gap in patient.gaps.get("conditions", ())}
    return bool(entered.unreadable) or any(f"Condition/{one.id}" in lost for one in entered.resources)


def _subject(judged: Judged) -> host.Subject | None:
    order = judged.case.order
    if order is None:
        return None
    return host.Subject(order.reference, drug_label(judged.case))


def _results(judged: Judged, quiet: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Verdicts in the shape of the contract; fields without a value are left out."""
    subject = subject_of(judged.case)
    about = {"subject": subject} if subject else {}
    results = []
    for rule, verdict in judged.verdicts:
        result: dict[str, Any] = {"rule": rule.id, "status": str(verdict.status), **about}
        if verdict.status is Status.NOT_CHECKED:
            result["reason"] = verdict.reason
        if verdict.finding is not None:
            result["indicator"] = verdict.finding.indicator.word
        if verdict.inputs and (inputs := [one for one in dict.fromkeys(verdict.inputs) if reference_of(one)]):
            result["inputs"] = inputs
        if verdict.finding is not None and (why := verdict.suppressed or quiet.get((subject, rule.id))):
            result["suppressed"] = why
        results.append(result)
    return results


def _orderable() -> dict[str, dict[str, str]]:
    """The LOINC coding by which each analyte is ordered."""
    found = {}
    for coding in terminology().members("orderable-labs"):
        analyte = terminology().analyte(coding.system, coding.code) or coding.code
        found[analyte] = {"system": coding.system, "code": coding.code, "display": coding.display or analyte}
    return found


def _service(hook: str, evaluate: Callable[[host.HookCall], host.Answer]) -> host.Service:
    about, keys = HOOKS[hook], keys_of(hook)
    return host.Service(
        f"dystonia-{hook}",
        hook,
        about.title,
        f"Judges {about.judges} for drug-induced dystonia and for low calcium and magnesium, by {about.looks_at}.",
        _USAGE.format(needed="" if about.orders else _NEEDED),
        {key: template(key) for key in keys},
        {key: TYPES[key] for key in keys},
        evaluate,
        (about.field,) if about.field else (),
        not about.orders,
    )


def _threshold_rows(rule: Rule, limits: Limits) -> tuple[tuple[str, str, str, str], ...]:
    return tuple(
        (name.replace("_", " "), f"{getattr(limits, name):f}", TABLE[name].unit, TABLE[name].source)
        for name in rule.thresholds
    )


def _meanings(rule: Rule) -> tuple[str, ...]:
    return tuple(WORDS[name] for name in rule.thresholds)


def _bounds(rule: Rule) -> tuple[tuple[str, str, str], ...]:
    figures = (TABLE[name] for name in rule.thresholds)
    return tuple((f"{one.value:f}", f"{one.lowest:f}", f"{one.highest:f}") for one in figures)


def _page(rule: Rule, own: Dystonia) -> host.GuidelinePage:
    text = TEXTS[rule.id]
    sources = tuple(
        content.Citation(**{name: getattr(BIBLIOGRAPHY[key], name) for name in content.Citation.__slots__})
        for key in text.sources
    )
    return host.GuidelinePage(
        rule.id,
        rule.version,
        text.title,
        text.group,
        text.question,
        rule.ceiling.word,
        rule.hooks,
        text.summary_example,
        text.looks_for,
        text.levels,
        _threshold_rows(rule, own.limits),
        text.missing_data,
        text.suppressions,
        text.options,
        tuple(OVERRIDE_REASONS[code] for code in text.overrides),
        sources,
        text.strength,
        tuple(statement.text for statement in text.seed),
        text.not_covered,
        max((source.date_read for source in sources), default=""),
        min((source.review_by for source in sources), default=""),
        own.prints[rule.id],
        own.standings[rule.id],
        _bounds(rule),
        msgspec.convert(basis_of(rule, own.limits), content.Basis, from_attributes=True),
        _meanings(rule),
    )


def _sample(patient: samples.SamplePatient) -> host.SamplePatient:
    build: Callable[[datetime], Mapping[str, Any]] = patient.build
    told = (patient.id, patient.name, patient.story, patient.shows, patient.hook)
    return host.SamplePatient(*told, patient.orders, build, patient.refills, patient.conditions)


def _codes_in_force(site: host.Site) -> TerminologyDesk:
    """Puts the site's codes into force; raises CodesTrouble with all that is wrong where they cannot be used."""
    desk = TerminologyDesk(site.terminology, site.snapshot)
    loaded = desk.load()
    if loaded.terminology is None:
        raise CodesTrouble(refusal(loaded.problems), loaded.problems)
    vocabulary.use(loaded.terminology)
    return desk


def _counts() -> dict[str, int | str]:
    """How much is loaded, for those who operate the service; the site's map with its version, if there is one."""
    own = terminology().overlay
    counts: dict[str, int | str] = {"rules": len(RULES), "valuesets": len(terminology().resources())}
    if own.version:
        counts["siteMap"] = len(own.drugs) + len(own.analytes) + len(own.conditions) + len(own.names)
        counts["siteMapVersion"] = own.version
    return counts


def _incomplete(site: host.Site) -> Mapping[str, Any]:
    """What stands on the host's own cards about calls that were not judged: they are cards of R-DQ-08."""
    rule = next(one for one in RULES if one.id == "R-DQ-08")
    told = {"id": rule.id, "version": rule.version, "indicator": rule.ceiling.word}
    return {
        "source": source_of(rule.id, site.public_url, site.canonical),
        "links": [guideline_link(rule.id, site.public_url)],
        "extension": {"org.dystonia-cds": {"rules": [told]}},
    }


def dystonia(site: host.Site) -> host.Plugin:
    """The plugin as the host loads it: codes read, pages made, rules bound to hooks."""
    desk = _codes_in_force(site)
    own = Dystonia(site)
    published = Published(site.canonical, own.release)
    pages = extra_pages(own.limits)
    return host.Plugin(
        "Dystonia CDS",
        VERSION,
        own.ruleset,
        AnyResource,
        tuple(_service(hook, own.evaluate) for hook in HOOKS),
        tuple(_page(rule, own) for rule in RULES),
        tuple(INTRO),
        tuple(DISCLAIMER),
        tuple(_sample(patient) for patient in samples.PATIENTS),
        tuple(host.SampleOrder(order.id, order.name, order.resource, order.fields) for order in samples.ORDERS),
        tuple(host.OverrideReason(code, display) for code, display in OVERRIDE_REASONS.items()),
        _counts(),
        published.artefacts,
        desk,
        published.member,
        tuple(host.SampleCondition(one.id, one.name, one.resource) for one in samples.CONDITIONS),
        SILENCES,
        msgspec.convert(questions(pages), tuple[content.Question, ...], from_attributes=True),
        msgspec.convert(pages, tuple[content.ExtraPage, ...], from_attributes=True),
        references,
        _incomplete(site),
    )


PLUGIN = dystonia
