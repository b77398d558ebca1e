"""What resources refer to and nobody sent: the targets that the plugin needs, and who refers to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import msgspec

from cds_hooks.fhir_access.bases import target_below
from cds_hooks.fhir_access.queries import TYPED_ID
from cds_hooks.service import Prefetched

MOST = 50
"""How many targets are read in one call."""


class Wanted(msgspec.Struct):
    """A resource to be read, and the keys that refer to it."""

    reference: str
    holders: list[Prefetched]

    @property
    def kind(self) -> str:
        """Its resource type."""
        return self.reference.partition("/")[0]

    def add(self, resource: Any) -> None:
        """Puts it beside what refers to it."""
        for holder in self.holders:
            holder.resources.append(resource)
            # In a Bundle of the context every resource has its address beside it.
            if holder.full_urls:
                holder.full_urls.append("")


def wanted_of(
    holders: Iterable[Prefetched], references: Callable[[Iterable[Any]], Iterable[str]], base: str
) -> Sequence[Wanted]:
    """At most ``MOST`` targets that are on the server and not among the data."""
    every = list(holders)
    found: dict[str, Wanted] = {}
    for holder in every:
        for spelling in references(holder.resources):
            reference = _local(spelling, base)
            if reference:
                wanted = found.setdefault(reference, Wanted(reference, []))
                if not any(one is holder for one in wanted.holders):
                    wanted.holders.append(holder)
    if not found:
        return ()
    present = {f"{one.resourceType}/{one.id}" for holder in every for one in holder.resources}
    return list(islice((one for one in found.values() if one.reference not in present), MOST))


def _local(spelling: str, base: str) -> str:
    """``Type/id`` of what is on the server itself, empty for anything else."""
    address = spelling.partition("/_history/")[0]
    if "://" in address:
        address = target_below(base, address) or ""
    return address if TYPED_ID.fullmatch(address) else ""
