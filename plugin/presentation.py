"""How attacks present and what images show, as rules see it. ``plugin.fhir.presentations`` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from plugin.when import When

PRESENTATIONS: Mapping[str, str] = {
    "attack duration": "attack-duration",
    "attack trigger": "attack-trigger",
    "awareness during attack": "attack-awareness",
    "interictal neurological examination": "interictal-examination",
    "response to anticonvulsant": "anticonvulsant-response",
    "aura": "attack-aura",
    **dict.fromkeys(
        ("hla-b*15:02", "hla-b*1502", "hla-b 15:02", "hla-b*15:02 allele", "hla-b*15:02 genotype",
         "hla-b*15:02 [presence]"),
        "hla-b-1502",
    ),
}  # fmt: skip
"""The kind of a presentation by the name under which an Observation tells it; a site's map may give the kind too."""


class Presentation(msgspec.Struct, frozen=True):
    """How attacks of a movement disorder present, or what an image or EEG is said to show.

    ``kind`` is one of ``PRESENTATIONS`` or "imaging". ``value`` is "kinesigenic" or "other" of a trigger, "preserved"
    or "impaired" of awareness, "normal" or "abnormal" of an examination or image ("" where the words leave it open),
    "good", "poor" or "none" of a response, "present" or "absent" of an aura, "positive" or "negative" of the allele
    HLA-B*15:02, the one test told by name; a duration is ``seconds``, with its
    comparator. ``about`` is what an image shows ("mri", "ct" or "eeg"; "brain" or "spine"), ``concepts`` the conditions
    that its conclusion names. ``problem`` is why it could not be read, as a reason of the contract: it is then neither
    present nor absent. ``noted`` says that it was read from the note of a condition.
    """

    kind: str
    value: str
    shown: str
    reference: str
    when: When | None
    seconds: Decimal | None = None
    comparator: str = ""
    about: frozenset[str] = frozenset()
    concepts: frozenset[str] = frozenset()
    status: str = ""
    provisional: bool = False
    noted: bool = False
    problem: str = ""
