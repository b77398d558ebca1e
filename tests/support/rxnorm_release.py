"""Writes RxNorm release folders in the true format: fields ended by bars, each relation in both directions."""

from __future__ import annotations

from pathlib import Path
from random import Random

_INVERSE = {
    "has_ingredient": "ingredient_of",
    "has_ingredients": "ingredients_of",
    "has_precise_ingredient": "precise_ingredient_of",
    "has_part": "part_of",
    "consists_of": "constitutes",
    "tradename_of": "has_tradename",
    "form_of": "has_form",
    "contains": "contained_in",
    "has_dose_form": "dose_form_of",
    "has_doseformgroup": "doseformgroup_of",
    "quantified_form_of": "has_quantified_form",
    "isa": "inverse_isa",
}
_BOSS = ("NUM_VALUE", "NUM_UNIT", "DENOM_VALUE", "DENOM_UNIT")
INVENTED = 90_000_000
"""Codes from here on are ours: RxNorm has none so high."""


class Release:
    """The tables of a release in the making; ``source`` and ``target`` are codes."""

    def __init__(self) -> None:
        self.tables: dict[str, list[str]] = {"RXNCONSO": [], "RXNREL": [], "RXNSAT": []}
        self._forms: dict[str, int] = {}
        self._next = INVENTED

    def new(self) -> int:
        """An invented code."""
        self._next += 1
        return self._next

    def add(self, table: str, *fields: object) -> None:
        """One line; every field is ended by a bar, the last one too."""
        self.tables.setdefault(table, []).append("".join(f"{field}|" for field in fields))

    def concept(self, rxcui: int, tty: str, name: str, suppress: str = "N", source: str = "RXNORM") -> int:
        """RXCUI|LAT|TS|LUI|STT|SUI|ISPREF|RXAUI|SAUI|SCUI|SDUI|SAB|TTY|CODE|STR|SRL|SUPPRESS|CVF"""
        atom = 1000 + len(self.tables["RXNCONSO"])
        fields = [rxcui, "ENG", *[""] * 5, atom, "", rxcui, "", source, tty, rxcui, name, "", suppress, "4096"]
        self.add("RXNCONSO", *fields)
        return rxcui

    def relation(self, source: int, rela: str, target: int) -> None:
        """RXCUI1|RXAUI1|STYPE1|REL|RXCUI2|RXAUI2|STYPE2|RELA|RUI|SRUI|SAB|SL|DIR|RG|SUPPRESS|CVF

        The line reads backwards: its second concept has the relation to its first.
        """
        for second, name, first in ((source, rela, target), (target, _INVERSE[rela], source)):
            tail = [7000 + len(self.tables["RXNREL"]), "", "RXNORM", *[""] * 4, "4096"]
            self.add("RXNREL", first, "", "CUI", "RO", second, "", "CUI", name, *tail)

    def attribute(self, rxcui: int, name: str, value: str, suppress: str = "N", source: str = "RXNORM") -> None:
        """RXCUI|LUI|SUI|RXAUI|STYPE|CODE|ATUI|SATUI|ATN|SAB|ATV|SUPPRESS|CVF"""
        self.add("RXNSAT", rxcui, "", "", 1000, "AUI", rxcui, "", "", name, source, value, suppress, "4096")

    def boss(self, rxcui: int, value: str, unit: str, per: str = "1", per_unit: str = "EACH") -> None:
        """The four attributes of a component's strength."""
        for part, told in zip(_BOSS, (value, unit, per, per_unit), strict=True):
            self.attribute(rxcui, f"RXN_BOSS_STRENGTH_{part}", told)

    def retired(self, old: int, new: int, tty: str, name: str) -> None:
        """RXAUI|AUI|STR|ARCHIVED|CREATED|UPDATED|CODE|IS_BRAND|LAT|LAST_RELEASED|SAUI|VSAB|RXCUI|SAB|TTY|MERGED_TO"""
        dates = ["01/01/2020"] * 3
        self.add("RXNATOMARCHIVE", 1, "", name, *dates, old, "", "ENG", "", "", "", old, "RXNORM", tty, new)

    def form(self, name: str, group: bool = False) -> int:
        """The code of a dose form or of a group of them, made when it is first asked for."""
        if name not in self._forms:
            self._forms[name] = self.concept(self.new(), "DFG" if group else "DF", name)
        return self._forms[name]

    def component(self, rxcui: int, name: str, ingredient: int) -> int:
        """A component (SCDC): an ingredient with its strength, which is in the name."""
        self.concept(rxcui, "SCDC", name)
        self.relation(rxcui, "has_ingredient", ingredient)
        return rxcui

    def drug(self, rxcui: int, name: str, dose_form: str, *components: int) -> int:
        """A clinical drug (SCD)."""
        self.concept(rxcui, "SCD", name)
        for component in components:
            self.relation(rxcui, "consists_of", component)
        self.relation(rxcui, "has_dose_form", self.form(dose_form))
        return rxcui

    def write(self, folder: Path, shuffle: Random | None = None) -> Path:
        """The folder ``rrf`` in ``folder``, its lines in the order in which they were added or in another."""
        rrf = folder / "rrf"
        rrf.mkdir(parents=True)
        for table, lines in self.tables.items():
            ordered = shuffle.sample(lines, len(lines)) if shuffle else lines
            (rrf / f"{table}.RRF").write_text("".join(f"{line}\n" for line in ordered), encoding="utf-8")
        return folder


def excerpt() -> Release:
    """A few drugs as RxNorm describes them. Codes below ``INVENTED`` are RxNorm's; the rest of each is its pattern."""
    release = Release()
    _haloperidol(release)
    _combinations(release)
    _packs(release)
    _old_codes(release)
    _packages(release)
    return release


def _haloperidol(release: Release) -> None:
    release.concept(5093, "IN", "haloperidol")
    release.concept(5093, "SY", "an old spelling of haloperidol")
    release.concept(5093, "IN", "HALOPERIDOL of another source", source="MMSL")
    release.concept(26420, "PIN", "haloperidol decanoate")
    release.relation(26420, "form_of", 5093)
    release.concept(151839, "BN", "Haldol")
    release.relation(151839, "tradename_of", 5093)
    release.component(316030, "haloperidol 5 MG", 5093)
    release.boss(316030, "5", "MG")
    release.drug(310672, "haloperidol 5 MG Oral Tablet", "Oral Tablet", 316030)
    release.component(316031, "haloperidol 5 MG/ML", 5093)
    release.attribute(316031, "RXN_STRENGTH", "5 MG/ML")
    plain = release.drug(release.new(), "haloperidol 5 MG/ML Injection", "Injection", 316031)
    release.concept(1719646, "SCD", "1 ML haloperidol 5 MG/ML Injection")
    release.relation(1719646, "quantified_form_of", plain)
    release.relation(1719646, "consists_of", 316031)
    release.relation(1719646, "has_dose_form", release.form("Injection"))
    release.component(859866, "haloperidol decanoate 50 MG/ML", 5093)
    release.relation(859866, "has_precise_ingredient", 26420)
    release.boss(859866, "50", "MG", "1", "ML")
    release.drug(859867, "haloperidol decanoate 50 MG/ML Injectable Solution", "Injectable Solution", 859866)
    release.concept(859868, "SBDC", "haloperidol decanoate 50 MG/ML [Haldol]")
    release.relation(859868, "tradename_of", 859866)
    release.concept(859869, "SBD", "haloperidol decanoate 50 MG/ML Injectable Solution [Haldol]")
    for rela, target in (("tradename_of", 859867), ("consists_of", 859868), ("has_ingredient", 151839)):
        release.relation(859869, rela, target)
    release.relation(859869, "has_dose_form", release.form("Injectable Solution"))
    release.concept(1160301, "SCDG", "haloperidol Pill")
    release.relation(1160301, "has_ingredient", 5093)
    release.relation(1160301, "has_doseformgroup", release.form("Pill", group=True))


def _combinations(release: Release) -> None:
    """Promethazine with codeine, which is none of ours; and a brand that others carry too."""
    codeine = release.concept(release.new(), "IN", "codeine")
    release.concept(8745, "IN", "promethazine")
    release.concept(214444, "MIN", "codeine / promethazine")
    release.relation(214444, "has_part", codeine)
    release.relation(214444, "has_part", 8745)
    parts = [
        release.component(release.new(), "codeine phosphate 2 MG/ML", codeine),
        release.component(release.new(), "promethazine hydrochloride 1.25 MG/ML", 8745),
    ]
    name = "codeine phosphate 2 MG/ML / promethazine hydrochloride 1.25 MG/ML Oral Solution"
    drug = release.drug(release.new(), name, "Oral Solution", *parts)
    release.relation(drug, "has_ingredients", 214444)
    release.concept(6915, "IN", "metoclopramide")
    release.component(328464, "metoclopramide 10 MG", 6915)
    release.drug(311666, "metoclopramide 10 MG Oral Tablet", "Oral Tablet", 328464)
    alone = release.drug(release.new(), "codeine phosphate 2 MG/ML Oral Solution", "Oral Solution", parts[0])
    for brand, targets in (("Gastrovane", (311666,)), ("Tussarin", (drug, alone))):
        for target in targets:
            branded = release.concept(release.new(), "SBD", f"something [{brand}]")
            release.relation(branded, "tradename_of", target)


def _packs(release: Release) -> None:
    """A pack of two strengths of a drug that we know by name only, and a pack of one strength."""
    cariprazine = release.concept(release.new(), "IN", "cariprazine")
    release.concept(1741746, "GPCK", "{1 (cariprazine 1.5 MG Oral Capsule) / 6 (cariprazine 3 MG Oral Capsule) } Pack")
    for rxcui, amount in ((1667660, "1.5 MG"), (1667668, "3 MG")):
        component = release.component(release.new(), f"cariprazine {amount}", cariprazine)
        release.drug(rxcui, f"cariprazine {amount} Oral Capsule", "Oral Capsule", component)
        release.relation(1741746, "contains", rxcui)
    release.concept(3264, "IN", "dexamethasone")
    component = release.component(release.new(), "dexamethasone 1.5 MG", 3264)
    tablet = release.drug(release.new(), "dexamethasone 1.5 MG Oral Tablet", "Oral Tablet", component)
    release.concept(759481, "GPCK", "{51 (dexamethasone 1.5 MG Oral Tablet) } Pack")
    release.relation(759481, "contains", tablet)


def _packages(release: Release) -> None:
    """NDCs, all invented: labellers from 99990 on are nobody's."""
    other = release.drug(release.new(), "something else 1 MG Oral Tablet", "Oral Tablet")
    for rxcui, ndc, suppress in (
        (310672, "99990000101", "N"),
        (310672, "99990000102", "N"),  # another package of the same product
        (859867, "99990000201", "N"),
        (859869, "99990000202", "N"),  # by its brand as well
        (310672, "99990000301", "O"),
        (311666, "99990000301", "N"),  # given to another drug since
        (310672, "99990000401", "N"),
        (311666, "99990000401", "N"),  # said of two drugs at once
        (310672, "99990000501", "N"),
        (other, "99990000501", "N"),
        (310672, "99990000601", "O"),
        (other, "99990000601", "N"),
        (310672, "99990000701", "O"),  # off the market
        (310672, "9999-0008-01", "N"),  # not of eleven digits
        (310672, "99990000001", "N"),
        (859867, "99990000002", "N"),  # two products of one ingredient under one number
    ):
        release.attribute(rxcui, "NDC", ndc, suppress)
    release.attribute(310672, "NDC", "99990000901", source="MTHSPL")


OLD = INVENTED + 5_000_000
"""Retired codes: one for haloperidol 5 MG tablets, the next one after a second move, the third one split in two."""


def _old_codes(release: Release) -> None:
    release.concept(199319, "SCD", "haloperidol 1.5 MG Oral Tablet", suppress="O")
    release.retired(OLD, OLD + 1, "SCD", "Haloperidol 5 MG Tablet")
    release.retired(OLD + 1, 310672, "SCD", "Haloperidol 5 MG Tab")
    release.retired(OLD + 2, 310672, "SCD", "Haloperidol or metoclopramide")
    release.retired(OLD + 2, 311666, "SCD", "Haloperidol or metoclopramide")
    release.add("RXNCUI", OLD + 5, "20AA_200106F", "20AA_200203F", 1, 311666)
    release.add("RXNCUI", OLD + 6, "20AA_200106F", "20AA_200203F", 2, 311666)
    release.add("RXNCUI", OLD + 6, "20AA_200106F", "20AA_200203F", 2, 310672)
    release.add("RXNCUI", OLD + 7, "20AA_200106F", "20AA_200203F", 1, OLD + 7)  # given up, without another
    doubted = release.component(OLD + 3, "haloperidol 7 MG", 5093)
    release.boss(doubted, "70", "MG")
    release.drug(OLD + 4, "haloperidol 7 MG Oral Tablet", "Oral Tablet", doubted)
    release.concept(OLD + 8, "SCD", "2 ML haloperidol 5 MG/ML Injection", suppress="O")
    release.relation(OLD + 8, "quantified_form_of", 1719646)
