"""Every rule there is, in one list. A new rule is one file and one line here."""

from __future__ import annotations

from plugin.rule import Rule
from plugin.rules import acute_dystonia, data_quality, low_calcium, magnesium_with_calcium, prior_reaction
from plugin.rules import (
    calcium_phosphate_pattern,
    calcium_surveillance,
    consider_22q11,
    dystonia_without_labs,
    glucose_with_new_movement,
    thyroid_excess,
    untreated_hypoparathyroidism,
)
from plugin.rules import two_dopamine_blockers as two_blockers

RULES: tuple[Rule, ...] = (
    acute_dystonia.RULE,
    two_blockers.RULE,
    prior_reaction.RULE,
    low_calcium.RULE,
    magnesium_with_calcium.RULE,
    dystonia_without_labs.RULE,
    calcium_surveillance.RULE,
    untreated_hypoparathyroidism.RULE,
    consider_22q11.RULE,
    thyroid_excess.RULE,
    glucose_with_new_movement.RULE,
    calcium_phosphate_pattern.RULE,
    *data_quality.RULES,
)
