"""The filter form: what a person typed, as a filter of the store or as a sentence about what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from cds_hooks.audit import CallFilter

PAGE_SIZE = 50
INDICATORS = ("critical", "warning", "info")
OUTCOMES = {
    "answered": "Answered",
    "refused": "Refused",
    "re-sent": "The same answer sent again",
    "fired": "A rule fired",
    "silent": "Answered without a card",
    "not-checked": "Something could not be checked",
    "accepted": "A card was accepted",
    "overridden": "A card was overridden",
    "no-feedback": "Cards without feedback",
}
_TEXTS = ("rule", "indicator", "drug", "outcome", "patient")
_LONGEST = 200
_INPUT_FORMAT = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form asks for: the values to show in it again, the filter, and what was wrong with the values."""

    values: Mapping[str, str]
    where: CallFilter
    problems: list[str] = field(default_factory=list)

    @property
    def filtered(self) -> bool:
        return any(self.values.values())

    def older(self, last: str) -> str:
        """Return the query string of the page after the entry ``last``."""
        return f"{self.newest}&{urlencode({'before': last})}".lstrip("&")

    @property
    def newest(self) -> str:
        """The query string of the first page."""
        return urlencode({name: value for name, value in self.values.items() if value})


def read(params: Mapping[str, str]) -> Asked:
    """Read the query parameters of the review page; times without an offset are UTC."""
    problems: list[str] = []
    texts = {name: params.get(name, "").strip()[:_LONGEST] for name in _TEXTS}
    for name, allowed in (("indicator", INDICATORS), ("outcome", tuple(OUTCOMES))):
        if texts[name] and texts[name] not in allowed:
            problems.append(f"There is no {name} of that name. There are: {', '.join(allowed)}.")
            texts[name] = ""
    since = _moment(params, "from", problems)
    until = _moment(params, "to", problems)
    if since and until and since >= until:
        problems.append("The beginning is not before the end: nothing can lie between them.")
    where = CallFilter(
        since=since, until=until, limit=PAGE_SIZE + 1, before=params.get("before", "")[:_LONGEST], **texts
    )
    return Asked({"from": _shown(since), "to": _shown(until)} | texts, where, problems)


def _moment(params: Mapping[str, str], name: str, problems: list[str]) -> datetime | None:
    text = params.get(name, "").strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        # A date alone means the whole of that day.
        return moment + timedelta(days=1) if name == "to" and len(text) <= len("2025-01-31") else moment
    except (ValueError, OverflowError):
        problems.append(f"The time “{name}” cannot be read: expected a date such as 2025-01-31 or 2025-01-31T14:30.")
        return None


def _shown(moment: datetime | None) -> str:
    return moment.strftime(_INPUT_FORMAT) if moment else ""
