"""The clinical diff: what differs between two sets of rules, in words, numbers and exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.cases.compare import Difference, differences
from cds_hooks.cases.files import read_cases
from cds_hooks.errors import CallTrouble
from tests.support.rows import row
from tests.support.server import environment

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
NOW, LATER = "2026-11-22T10:00:00Z", "2027-01-01T00:00:00Z"

# A set of rules of a few lines: one card for each draft whose id is in SHOWN.
TOY = """
from typing import Any

from cds_hooks.service import Answer, HookCall, Plugin, Service, Site
from toy import Resource

SHOWN, SUMMARY = {"t1": "info"}, "A draft"


def judge(call: HookCall) -> Answer:
    found = [(f"Thing/{one.id}", SHOWN.get(one.id)) for one in call.bundles["draftOrders"].resources]
    results = [{"rule": "T-1", "subject": subject, **said(level)} for subject, level in found]
    return Answer([card(subject, level) for subject, level in found if level], results)


def said(level: str | None) -> dict[str, str]:
    return {"status": "fired", "indicator": level} if level else {"status": "clear"}


def card(subject: str, level: str) -> dict[str, Any]:
    ours = {"rules": [{"id": "T-1", "version": "1.0.0", "indicator": level}], "subject": subject}
    return {
        "uuid": "5f3c1c1e-0000-4000-8000-000000000001",
        "summary": SUMMARY,
        "indicator": level,
        "source": {"label": "Toy", "topic": {"system": "urn:toy", "code": "T-1"}},
        "extension": {"org.dystonia-cds": ours},
    }


def PLUGIN(site: Site) -> Plugin:
    service = Service("toy", "order-sign", "Toy", "A toy.", "", {}, {}, judge, ("draftOrders",))
    return Plugin("Toy", "1", "1+0123456789ab", Resource, (service,))
"""


def rules(folder: Path, text: str = TOY) -> Path:
    """A folder with the host and a set of toy rules."""
    shutil.copytree(ROOT / "cds_hooks", folder / "cds_hooks", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests" / "contract" / "toy.py", folder / "toy.py")
    (folder / "toyrules.py").write_text(text)
    return folder


def case(title: str = "A case", now: str = NOW, thing: str = "t1", **more: Any) -> Json:
    drawn = {"resourceType": "Thing", "id": thing, "subject": {"reference": "Patient/p1"}}
    drafts = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": drawn}]}
    context = {"userId": "Practitioner/u1", "patientId": "p1", "draftOrders": drafts}
    asked = {"hook": "order-sign", "hookInstance": "4f9a6b8e-1d8b-4a1e-9f0a-0b6c1c1d2e3f", "context": context}
    return {"title": title, "now": now, "call": asked, **more}


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    folder = tmp_path / "cases"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "draft.json").write_text(json.dumps(case()))
    (folder / "other.json").write_text(json.dumps(case("Another", thing="t2")))
    return folder


def diff(tmp_path: Path, *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    settings = environment(tmp_path / "data", DYSTONIA_CDS_PLUGIN="toyrules:PLUGIN")
    return subprocess.run(
        [sys.executable, "-m", "cds_hooks.cli", "clinical-diff", *map(str, arguments)],
        env=settings,
        cwd=cwd or ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_differs_from_itself(tmp_path: Path, cases: Path) -> None:
    one = rules(tmp_path / "one")
    done = diff(tmp_path, one, one, "--cases", cases)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(
        "0 cards gained, 0 lost, 0 changed, 0 verdicts changed beside them, 0 answers of another status.\n"
    )
    assert diff(tmp_path, one, one, "--cases", cases, "--json").stdout == ""


CHANGES = [
    row("a card gained", '{"t1": "info"}', '{"t1": "info", "t2": "info"}',
        [("other", "gained", "", "info: A draft", [])]),
    row("a card lost", '{"t1": "info"}', "{}", [("below/draft", "lost", "info: A draft", "", [])]),
    row("a graver card", '{"t1": "info"}', '{"t1": "warning"}',
        [("below/draft", "changed", "info: A draft", "warning: A draft", ["level", "rules"])]),
    row("another wording", '"A draft"', '"Another draft"',
        [("below/draft", "changed", "info: A draft", "info: Another draft", ["summary"])]),
    row("another verdict without a card", '{"status": "clear"}', '{"status": "not-checked", "reason": "stale"}',
        [("other", "verdict", "clear", "not checked: stale", [])]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), CHANGES)
def test_differences_between_folders(tmp_path: Path, cases: Path, old: str, new: str, expected: list[Any]) -> None:
    assert TOY.count(old) == 1
    one, two = rules(tmp_path / "one"), rules(tmp_path / "two", TOY.replace(old, new))
    done = diff(tmp_path, one, two, "--cases", cases, "--json")
    assert done.returncode == 1, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    told = [(f["case"], f["kind"], f.get("before", ""), f.get("after", ""), f.get("changed", [])) for f in found]
    assert told == expected
    assert {one["rule"] for one in found} == {"T-1"}


def test_what_is_printed_for_people(tmp_path: Path, cases: Path) -> None:
    one, two = rules(tmp_path / "one"), rules(tmp_path / "two", TOY.replace('"A draft"', '"Another draft"'))
    done = diff(tmp_path, one, two, "--cases", cases)
    assert done.stdout.splitlines() == [
        "T-1: 1 changed",
        "  changed: below/draft (Thing/t1) [summary]",
        "    - info: A draft",
        "    + info: Another draft",
        "",
        f"2 cases, {one} to {two}: 0 cards gained, 0 lost, 1 changed, 0 verdicts changed beside them, 0 answers of "
        "another status.",
    ]


def git(folder: Path, *arguments: str) -> None:
    names = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@x.example"}
    names |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@x.example"}
    subprocess.run(["git", *arguments], cwd=folder, env={**os.environ, **names}, capture_output=True, check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose rules were reworded after the tag ``first``."""
    folder = rules(tmp_path / "repository")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "First")
    git(folder, "tag", "first")
    (folder / "toyrules.py").write_text(TOY.replace('"A draft"', '"Another draft"'))
    return folder


def test_revisions_and_the_working_tree(tmp_path: Path, cases: Path, repository: Path) -> None:
    done = diff(tmp_path, "first", ".", "--cases", cases, cwd=repository)
    assert done.returncode == 1, done.stderr
    assert "+ info: Another draft" in done.stdout
    assert diff(tmp_path, "first", "HEAD", "--cases", cases, cwd=repository).returncode == 0
    git(repository, "commit", "-qam", "Second")
    assert diff(tmp_path, "first", "HEAD", "--cases", cases, cwd=repository).returncode == 1
    assert diff(tmp_path, "HEAD", ".", "--cases", cases, cwd=repository).returncode == 0


def test_the_repository_is_only_read(tmp_path: Path, cases: Path, repository: Path) -> None:
    before = sorted(path.name for path in (repository / ".git").iterdir())
    diff(tmp_path, "first", ".", "--cases", cases, cwd=repository)
    assert sorted(path.name for path in (repository / ".git").iterdir()) == before


TROUBLE = [
    row("an unknown revision", ("nowhere", "."), "'nowhere' is neither a folder nor a revision of "),
    row("an option for git", ("--", "--output=x", "."), "'--output=x' is neither a folder nor a revision"),
    row("a folder without rules", ("cases", "."), "cases holds no folder cds_hooks"),
]


@pytest.mark.parametrize(("names", "words"), TROUBLE)
def test_trouble_is_one_sentence_and_exit_code_2(
    tmp_path: Path, cases: Path, repository: Path, names: tuple[str, ...], words: str
) -> None:
    shutil.copytree(cases, repository / "cases")
    done = diff(tmp_path, "--cases", cases, *names, cwd=repository)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_no_repository(tmp_path: Path, cases: Path) -> None:
    one = rules(tmp_path / "one")
    done = diff(tmp_path, "HEAD", one, "--cases", cases, cwd=tmp_path)
    assert done.returncode == 2
    assert "is in no git repository" in done.stderr


def test_rules_that_cannot_be_loaded(tmp_path: Path, cases: Path) -> None:
    one, two = rules(tmp_path / "one"), rules(tmp_path / "two", "import nowhere\n")
    done = diff(tmp_path, one, two, "--cases", cases)
    assert done.returncode == 2
    assert f"The cases cannot be run on {two}: " in done.stderr
    assert "nowhere" in done.stderr


BROKEN = [
    row("no JSON", "{", "is not a case: "),
    row("no call", json.dumps({"title": "A", "now": NOW}), "missing required field `call`"),
    row("a field that is none", json.dumps(case(colour="red")), "unknown field `colour`"),
    row("no title", json.dumps(case(" ")), "its title is empty"),
    row("no offset", json.dumps(case(now="2026-11-22T10:00:00")), "now has no offset"),
    row("no hook", json.dumps({**case(), "call": {}}), "call names no hook"),
    row("an earlier call that is later", json.dumps(case(before=[{"now": LATER, "call": {"hook": "x"}}])),
        "something before it is later than its now"),
    row("an earlier call without hook", json.dumps(case(before=[{"now": NOW, "call": {}}])), "before[0].call names no"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), BROKEN)
def test_a_broken_case_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(CallTrouble) as trouble:
        read_cases(tmp_path)
    assert words in str(trouble.value)
    assert str(path) in str(trouble.value)


def test_no_case(tmp_path: Path) -> None:
    with pytest.raises(CallTrouble, match="holds no case"):
        read_cases(tmp_path)
    with pytest.raises(CallTrouble, match="does not exist"):
        read_cases(tmp_path / "nowhere")


def test_what_both_refuse_is_told(tmp_path: Path, cases: Path) -> None:
    refused = case("Refused")
    refused["call"]["context"].pop("patientId")
    (cases / "refused.json").write_text(json.dumps(refused))
    one = rules(tmp_path / "one")
    done = diff(tmp_path, one, one, "--cases", cases)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1 cases were refused by both and say nothing about cards: refused."


def test_another_status_is_a_difference() -> None:
    refused = {"status": 412, "body": {}}
    answered = {"status": 200, "body": {"cards": [], "extension": {}}}
    assert differences({"a": answered}, {"a": refused}) == [Difference("a", "answer", "", "", "200", "412")]
    assert differences({"a": refused}, {"a": refused}) == []
