"""What a key is after fetching: what came is held against what was asked, and joined with what the call brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cds_hooks.prefetch import KEY_FAILED, TRUNCATED, Key, Reader, is_warned
from cds_hooks.service import FETCHED, KeyState, Prefetched, Unreadable

if TYPE_CHECKING:
    from cds_hooks.fhir_access.finding import Found


def judged(reader: Reader, key: Key, found: Found, before: Prefetched, *, restricted: bool) -> Prefetched:
    """The state of ``key`` now. ``restricted`` says that the token shows only a part of such data."""
    if found.absent:
        return told(before, found.word)
    if found.value is None and not found.pages:
        return unanswered(before, found.word)
    if not key.search:
        alone = reader.value(found.value, key.resource_type, search=False)
        return told(alone, FETCHED if alone.state is KeyState.SATISFIED else "unusable")
    made = told(reader.value(found.bundle(), key.resource_type, search=True), found.word)
    _doubt(made, found, restricted=restricted)
    if found.asked:
        _keep(before, made)
    return made


def told(key: Prefetched, word: str) -> Prefetched:
    """``key`` with the word for what became of fetching it."""
    key.fetch = word
    return key


def unanswered(before: Prefetched, word: str) -> Prefetched:
    """Asked for in vain: what came with the call stays, and what was missing could not be read."""
    if before.state is KeyState.MISSING:
        before.state, before.reason = KeyState.FAILED, KEY_FAILED
    return told(before, word)


def _doubt(made: Prefetched, found: Found, *, restricted: bool) -> None:
    """Whatever shows that less was searched than was asked makes the result one that failed."""
    is_cut_off = made.reason == TRUNCATED
    if found.asked and made.foreign:
        _fail(made, "ignored")
    elif restricted:
        _fail(made, "restricted")
    elif is_cut_off and (is_warned(found.entries) or (found.asked and not found.is_arranged)):
        # The newest come first only where the server sorted: a part of an unsorted result says nothing of any time.
        _fail(made, made.fetch if made.fetch != FETCHED else "ignored")
    elif made.state is KeyState.FAILED and made.fetch == FETCHED:
        made.fetch = "total" if is_cut_off else "outcome"


def _fail(made: Prefetched, word: str) -> None:
    made.state, made.reason, made.fetch = KeyState.FAILED, KEY_FAILED, word


def _keep(before: Prefetched, made: Prefetched) -> None:
    """Adds what only the call brought; of a resource that came twice the fetched one counts."""
    known = {_identity(one) for one in (*made.resources, *made.unreadable)}
    made.resources += [one for one in before.resources if _identity(one) not in known]
    is_whole = made.state is KeyState.SATISFIED
    made.unreadable += [one for one in before.unreadable if _identity(one) not in known and (one.id or not is_whole)]
    made.foreign += before.foreign


def _identity(resource: Any) -> tuple[str, str] | int:
    kind = resource.resource_type if isinstance(resource, Unreadable) else resource.resourceType
    return (kind, resource.id) if resource.id else id(resource)
