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
from plugin.rules import (
    acquired_dystonia,
    cortical_malformation,
    drug_induced_dystonia,
    genes_by_phenotype,
    infant_posturing,
    kinesigenic_pattern,
    kinesigenic_red_flags,
    tethered_cord_suspected,
    wilson_disease,
)
from plugin.rules import two_dopamine_blockers as two_blockers
from plugin.rules import (
    botulinum_toxin_reference,
    deep_brain_stimulation_reference,
    genetic_treatment_reference,
    levodopa_trial_reference,
    pkd_anticonvulsant,
    tethered_cord_referral,
)

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
    botulinum_toxin_reference.RULE,
    deep_brain_stimulation_reference.RULE,
    levodopa_trial_reference.RULE,
    pkd_anticonvulsant.RULE,
    tethered_cord_referral.RULE,
    genetic_treatment_reference.RULE,
    kinesigenic_red_flags.RULE,
    kinesigenic_pattern.RULE,
    acquired_dystonia.RULE,
    tethered_cord_suspected.RULE,
    cortical_malformation.RULE,
    genes_by_phenotype.RULE,
    infant_posturing.RULE,
    drug_induced_dystonia.RULE,
    wilson_disease.RULE,
    kinesigenic_pattern.ALIKE,
    *data_quality.RULES,
)
