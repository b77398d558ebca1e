"""The invented patients, each of whom shows one thing, in the order in which a visitor meets them."""

from __future__ import annotations

from plugin.samples.entering import ENTERING
from plugin.samples.limits import LIMITS
from plugin.samples.models import SamplePatient
from plugin.samples.opening import OPENING
from plugin.samples.ordering import ORDERING
from plugin.samples.refilling import REFILLING

PATIENTS: tuple[SamplePatient, ...] = (*ORDERING, *LIMITS, *REFILLING, *OPENING, *ENTERING)
