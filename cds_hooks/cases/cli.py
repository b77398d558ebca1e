"""``dystonia-cds clinical-diff``: what a change of the rules changes for the people who read the cards."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cds_hooks.errors import Trouble

if TYPE_CHECKING:
    from cds_hooks.cases.compare import Comparison, Difference

SAME, DIFFERENT, TROUBLE = 0, 1, 2


def clinical_diff(
    rev_a: Annotated[str, typer.Argument(help="A revision of this repository, or a folder; . is the working tree.")],
    rev_b: Annotated[str, typer.Argument(help="The other one.")],
    cases: Annotated[Path, typer.Option(help="A folder of cases, such as tests/golden/cases.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Run the same cases on two sets of rules; 0: all cards and verdicts are the same, 1: some differ, 2: trouble."""
    try:
        told = _compared(rev_a, rev_b, cases)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        raise typer.Exit(TROUBLE) from None
    _print_json(told.differences) if as_json else _print(told, rev_a, rev_b)
    raise typer.Exit(DIFFERENT if told.differences else SAME)


def _compared(rev_a: str, rev_b: str, folder: Path) -> Comparison:
    from cds_hooks.cases.compare import compared
    from cds_hooks.cases.elsewhere import answers
    from cds_hooks.cases.files import read_cases
    from cds_hooks.cases.trees import tree
    from cds_hooks.plugins import plugin_name
    from cds_hooks.settings import load

    found, plugin = read_cases(folder), plugin_name(load().plugin)
    with tree(rev_a) as first, tree(rev_b) as second:
        before, after = answers(first, rev_a, found, plugin), answers(second, rev_b, found, plugin)
    return compared(before, after)


def _print_json(found: Sequence[Difference]) -> None:
    import msgspec

    for one in found:
        print(msgspec.json.encode(one).decode())


def _print(told: Comparison, rev_a: str, rev_b: str) -> None:
    from cds_hooks.cases.compare import KINDS

    found = told.differences
    by_rule: dict[str, list[Difference]] = {}
    for one in found:
        by_rule.setdefault(one.rule or "whole answers", []).append(one)
    for rule in sorted(by_rule):
        numbers = [(kind, sum(one.kind == kind for one in by_rule[rule])) for kind in KINDS]
        print(f"{rule}: " + ", ".join(f"{number} {kind}" for kind, number in numbers if number))
        for one in by_rule[rule]:
            _print_one(one)
        print()
    total = ", ".join(f"{sum(one.kind == kind for one in found)} {word}" for kind, word in _WORDS.items())
    print(f"{told.cases} cases, {rev_a} to {rev_b}: {total}.")
    if told.refused:
        print(f"{len(told.refused)} cases were refused by both and say nothing about cards: {', '.join(told.refused)}.")


_WORDS = {
    "gained": "cards gained",
    "lost": "lost",
    "changed": "changed",
    "verdict": "verdicts changed beside them",
    "answer": "answers of another status",
}


def _print_one(one: Difference) -> None:
    about = f" ({one.subject})" if one.subject else ""
    parts = f" [{', '.join(one.changed)}]" if one.changed else ""
    print(f"  {one.kind}: {one.case}{about}{parts}")
    if one.before and one.before != one.after:
        print(f"    - {one.before}")
    if one.after:
        print(f"    + {one.after}" if one.before != one.after else f"      {one.after}")
