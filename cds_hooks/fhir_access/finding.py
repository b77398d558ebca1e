"""Fetching one key: a resource by its id, or a search page by page. What has come stays, whatever goes wrong later."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from cds_hooks.fhir_access.bases import target_below
from cds_hooks.fhir_access.errand import Errand, Setback
from cds_hooks.fhir_access.queries import OWNERS, Query
from cds_hooks.prefetch import OUTCOME, is_warned
from cds_hooks.service import FETCHED, Unreadable
from cds_hooks.shapes import BROKEN, Link, ReadBundle, Value

BAD_REQUEST = frozenset({400, 422})
ABSENT = frozenset({404, 405, 410, 501})
"""What a server answers to a search for a type that it does not keep."""


class Found:
    """What has come of one key so far. ``word`` says why it is not whole; at first because nobody has finished it.

    ``entries`` are the distinct entries of all pages, ``value`` a single resource. ``asked`` says that the server was
    asked for the whole and not only for what follows a first page; ``absent`` that it does not keep such data.
    """

    __slots__ = ("absent", "asked", "entries", "is_arranged", "pages", "seen", "total", "value", "word")

    def __init__(self) -> None:
        self.word = "timeout"
        self.absent = False
        self.value: Value = None
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.asked = self.is_arranged = False
        self.pages = 0
        self.entries: list[Any] = []
        self.seen: set[tuple[str, str]] = set()
        self.total: Any = None

    def add(self, page: Any) -> None:
        """Take in a page; a resource that an earlier page held is not taken twice."""
        fresh = [(one, entry) for entry in page.entry or () if (one := _identity(entry)) not in self.seen]
        self.entries += [entry for _, entry in fresh]
        self.seen.update(one for one, _ in fresh if one is not None)
        self.total = _total(page) if not self.pages else self.total
        self.pages += 1

    def bundle(self) -> ReadBundle:
        """All pages as one Bundle, which says that there is more where something is missing."""
        link = None if self.word == FETCHED else [Link(relation="next")]
        return ReadBundle(entry=self.entries, link=link, total=self.total)


async def read(errand: Errand, query: Query, found: Found) -> None:
    """Fetch one resource by its type and id."""
    try:
        value = await errand.get(query.target())
    except Setback as setback:
        found.word = setback.word
        return
    kind, _, identity = query.path.partition("/")
    if _is_asked_for(value, kind, identity):
        found.value, found.word = value, FETCHED
    else:
        found.word = "outcome" if getattr(value, "resourceType", "") == OUTCOME else "other-resource"


def _is_asked_for(value: Any, kind: str, identity: str) -> bool:
    """Whether that is what was asked for. Another Patient is not passed over: it refuses the call."""
    if isinstance(value, Unreadable):
        return value.resource_type == kind
    is_kind = getattr(value, "resourceType", "") == kind
    return is_kind and bool(value.id) and (kind == "Patient" or value.id == identity)


async def search(errand: Errand, query: Query, found: Found, first: Any = None) -> None:
    """Fetch all pages of a search; ``first`` is a page that came with the call, whose own links are followed."""
    try:
        if first is not None and await _continued(errand, first, found):
            return
        await _anew(errand, query, found)
    except Setback as setback:
        found.word = setback.word
        found.absent = setback.status in ABSENT and not found.pages


async def _continued(errand: Errand, first: Any, found: Found) -> bool:
    """Whether the pages after ``first`` could be followed to their end."""
    target = _next(errand.server.base, first)
    if not target:
        return False
    found.add(first)
    try:
        await _pages(errand, target, found)
    except Setback:
        found.clear()
        return False
    return True


async def _anew(errand: Errand, query: Query, found: Found) -> None:
    """The whole search, in the spelling of the patient's id that finds something."""
    spellings = errand.server.spellings if query.owner else ("",)
    kept: tuple[str, bool] | None = None
    for spelling in spellings:
        # Nothing found in one spelling says nothing while the other one is not answered.
        found.word, found.is_arranged = "timeout", False
        try:
            await _first(errand, query, spelling, found)
        except Setback as setback:
            # A server that does not take the second spelling has understood the first.
            if kept is None or setback.status not in BAD_REQUEST:
                raise
            found.word, found.is_arranged = kept
            return
        kept = found.word, found.is_arranged
        if any(getattr(entry.resource, "resourceType", "") != OUTCOME for entry in found.entries):
            errand.server.learn(spelling)
            return


async def _first(errand: Errand, query: Query, spelling: str, found: Found) -> None:
    whole, plain = query.target(spelling), query.target(spelling, plain=True)
    target = whole
    try:
        page = await _page(errand, target)
    except Setback as setback:
        # Some servers refuse a search that they cannot sort, instead of leaving it unsorted.
        if setback.status not in BAD_REQUEST or plain == whole:
            raise
        target = plain
        page = await _page(errand, target)
    found.clear()
    found.asked, found.word = True, "timeout"
    found.is_arranged = target == whole and not _ignored(page, query.names)
    found.add(page)
    await _follow(errand, page, found, {target})


async def _pages(errand: Errand, target: str, found: Found) -> None:
    page = await _page(errand, target)
    found.add(page)
    await _follow(errand, page, found, {target})


async def _follow(errand: Errand, page: Any, found: Found, before: set[str]) -> None:
    """The further pages. Links that lead elsewhere or in a circle, and too many of them, leave it incomplete."""
    while (target := _next(errand.server.base, page)) is not None:
        if not target or target in before:
            found.word = "loop" if target else "foreign-next"
            return
        if found.pages >= errand.pages:
            found.word = "pages"
            return
        before.add(target)
        try:
            page = await _page(errand, target)
        except Setback as setback:
            found.word = setback.word
            return
        found.add(page)
    found.word = FETCHED


async def _page(errand: Errand, target: str) -> Any:
    """One page of a search; raises :class:`Setback` for whatever is none."""
    page: Any = await errand.get(target)
    kind = getattr(page, "resourceType", "")
    if kind == OUTCOME:
        raise Setback("outcome")
    if kind != "Bundle" or not _is_searchset(page):
        raise Setback("other-resource")
    return page


def _is_searchset(page: Any) -> bool:
    """Whether a Bundle says that it is a search's answer, or says nothing of what it is."""
    try:
        return isinstance(page, ReadBundle) or page.type in (None, "searchset")
    except BROKEN:
        return False


def _total(page: Any) -> Any:
    """How many resources the server has; more than any Bundle holds where that cannot be read."""
    try:
        return page.total
    except BROKEN:
        return sys.maxsize


def _next(base: str, page: Any) -> str | None:
    """Where the next page is, below ``base``: None if there is none, empty if the link leads anywhere else."""
    url = _link(page, "next")
    return None if url is None else target_below(base, url) or ""


def _link(page: Any, relation: str) -> str | None:
    try:
        links: Iterable[Any] = page.link or ()
    except BROKEN:
        return "" if relation == "next" else None
    return next((link.url or "" for link in links if link.relation == relation), None)


def _ignored(page: Any, asked: frozenset[str]) -> bool:
    """Whether the server may have left out a part of the question: it says so, or does not say what it understood."""
    if is_warned(page.entry):
        return True
    query = (_link(page, "self") or "").partition("?")[2]
    understood = {name.partition(":")[0] for name, _ in parse_qsl(query, keep_blank_values=True)}
    wanted = {"patient" if name in OWNERS else name for name in asked} - {"_count"}
    return not wanted <= {"patient" if name in OWNERS else name for name in understood}


def _identity(entry: Any) -> tuple[str, str] | None:
    resource = entry.resource
    kind = getattr(resource, "resourceType", "") or getattr(resource, "resource_type", "")
    identity = getattr(resource, "id", "")
    return (kind, identity) if kind and identity else None
