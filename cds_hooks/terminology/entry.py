"""Something unmapped as the plugin's desk is asked about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cds_hooks.audit.terms import UnmappedRow


class Entry(msgspec.Struct, frozen=True):
    """Fills ``cds_hooks.terminology.desk.Unmapped``."""

    position: str
    system: str
    code: str
    text: str
    understood: bool = False


def entry_of(row: UnmappedRow) -> Entry:
    """A row of the inbox as the desk is asked about it."""
    return Entry(row.position, row.system, row.code, row.text)
