"""What an RxNorm name says by its fixed grammar: "1 ML haloperidol 5 MG/ML Injection [Haldol]"."""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from valuesets.release.shape import phrase_of

_NUMBER: Final = r"\d+(?:\.\d+)?"
_COMPONENT: Final = re.compile(
    rf"(?P<name>.+?) (?P<value>{_NUMBER}) (?P<unit>[A-Z]+)"
    rf"(?:/(?:(?P<per>{_NUMBER}) )?(?P<per_unit>[A-Z]+))?(?P<rest> .+)?"
)
_QUANTITY: Final = re.compile(rf"{_NUMBER} (?:ML|HR|ACTUAT|MG) ")
_BRAND: Final = re.compile(r" \[[^\]]+\]$")
_UNITS: Final = {"HR": "h", "GM": "g"}
_WHOLE: Final = frozenset({"", "1", "EACH"})  # how a release writes "per tablet"


class Parsed(msgspec.Struct, frozen=True):
    """A name taken apart; ``amounts`` are in the order of ``components``, "" for one without strength."""

    components: tuple[str, ...]
    amounts: tuple[str, ...]
    dose_form: str


def amount(value: str, unit: str, per: str = "", per_unit: str = "") -> str:
    """An amount in the data's notation, "5 mg/ml" or "2 mg/15 ml"; "" where a part cannot be read.

    Units come as RxNorm writes them ("MG", "ML", "HR"); a denominator of 1 is not written.
    """
    try:
        number = _plain(value)
        divisor = _plain(per) if per else "1"
    except ArithmeticError:
        return ""
    if per_unit.upper() in _WHOLE:
        return f"{number} {_unit(unit)}" if divisor == "1" else ""
    return f"{number} {_unit(unit)}/{'' if divisor == '1' else divisor + ' '}{_unit(per_unit)}"


def _plain(number: str) -> str:
    value = Decimal(number)
    if not value.is_finite() or value <= 0:
        raise ArithmeticError
    return f"{value.normalize():f}"


def _unit(unit: str) -> str:
    return _UNITS.get(unit.upper(), unit.lower())


def written_amount(text: str) -> str:
    """The amount of a text such as "5 MG/ML" (RXN_STRENGTH), or ""."""
    parsed = parse(f"x {text}", ())
    return parsed.amounts[0] if len(parsed.amounts) == 1 and not parsed.dose_form else ""


def parse(name: str, forms: Collection[str]) -> Parsed:
    """Take a name apart; ``forms`` are the known dose forms, which tell where a name without strength ends.

    The brand and the quantity ("1 ML", "24 HR") are left out. What does not fit the grammar stays part of a component.
    """
    bare = _QUANTITY.sub("", _BRAND.sub("", name), count=1) if _QUANTITY.match(name) else _BRAND.sub("", name)
    components, amounts, dose_form = [], [], ""
    for part in bare.split(" / "):
        found = _COMPONENT.fullmatch(part)
        if found is None:
            components.append(part)
            amounts.append("")
        else:
            components.append(found["name"])
            amounts.append(amount(found["value"], found["unit"], found["per"] or "", found["per_unit"] or ""))
            dose_form = (found["rest"] or "").strip()
    if not dose_form:
        dose_form = max((form for form in forms if components[-1].endswith(f" {form}")), key=len, default="")
        components[-1] = components[-1].removesuffix(f" {dose_form}") if dose_form else components[-1]
    return Parsed(tuple(components), tuple(amounts), dose_form)


def named(parsed: Parsed, identities: Mapping[str, str]) -> dict[str, set[str]]:
    """The ingredients of ours among the components, by their exact names, each with its amounts ("" for none)."""
    found: dict[str, set[str]] = {}
    for component, written in zip(parsed.components, parsed.amounts, strict=True):
        identity = identities.get(phrase_of(component))
        if identity is not None:
            found.setdefault(identity, set()).add(written)
    return found
