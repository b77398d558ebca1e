"""The words by which a text names a condition, and the words that deny it."""

from typing import Final

from fhir_json import INGREDIENTS, copyright_of, header
from tables import Row, SourceError, read, read_unique

from valuesets.release.layout import Json

KINDS: Final = frozenset(
    {
        "concept", "concept-in-reaction", "name", "name-ever", "nothing", "site", "lesion", "drug", "drug-denied",
        "denied-before", "denied-after", "uncertain-before", "uncertain-after", "suspected-before", "suspected-after",
        "probable-before", "aside-before", "aside-after", "past-before", "past-after", "relative", "break",
    }
)  # fmt: skip
SHORTEST_STEM: Final = 6  # letters, as text matching looks for the start of a word
_PURPOSE: Final = (
    "Words that name a condition for which no code is confirmed, or which the clinical specification reads from texts; "
    "and names of coded conditions, for records in words alone. A match by words never makes a card critical."
)
_PROPERTIES: Final = (
    ("kind", "code", "What the phrase is: a concept, a place of a lesion, a denial and so on."),
    ("phrase", "string", "The whole words; an asterisk ends a stem, and capitals count."),
    ("concept", "code", "Key of a condition."),
)


def condition_words() -> Json:
    """The CodeSystem of all phrases. Raises SourceError for an unknown kind, or a concept row without concepts."""
    rows = read_unique("condition_words", "kind", "phrase")
    for row in rows:
        means = row["kind"] in ("concept", "concept-in-reaction", "name", "name-ever", "site")
        if row["kind"] not in KINDS or means != bool(row["concepts"]):
            raise SourceError(f"condition_words.csv: {row['kind']} {row['phrase']!r} has a wrong kind or concepts")
        if (
            means
            and len(row["phrase"].split()[0].partition("*")[0]) < SHORTEST_STEM
            and "*" in row["phrase"].split()[0]
        ):
            raise SourceError(f"condition_words.csv: {row['phrase']!r} needs a stem of {SHORTEST_STEM} letters or more")
    title = "Words for conditions"
    fields = header(
        "CodeSystem", "condition-words", title, "Words for conditions and for their absence.", "draft", _PURPOSE
    )
    return fields | {
        "copyright": copyright_of([INGREDIENTS]),
        "caseSensitive": True,
        "content": "complete",
        "property": [{"code": code, "description": text, "type": kind} for code, kind, text in _PROPERTIES],
        "concept": [_concept(number, row) for number, row in enumerate(rows, 1)],
    }


def _concept(number: int, row: Row) -> Json:
    properties = [{"code": "kind", "valueCode": row["kind"]}, {"code": "phrase", "valueString": row["phrase"]}]
    properties += [{"code": "concept", "valueCode": key} for key in row["concepts"].split()]
    return {"code": f"{row['kind']}-{number}", "property": properties}


def check_condition_keys() -> None:
    """Refuse a condition of conditions.csv without a row of value_sets.csv, and the other way round."""
    listed = {row["id"].removeprefix("condition-") for row in read("value_sets") if row["id"].startswith("condition-")}
    used = {row["concept"] for row in read("conditions")}
    if listed != used:
        raise SourceError(f"value_sets.csv and conditions.csv: {sorted(listed ^ used)} stand in one of them only")
