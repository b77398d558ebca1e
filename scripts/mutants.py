"""The mutants of plugin/ as mutmut makes them: a copy of the tree whose functions carry their changed versions."""

from __future__ import annotations

import ast
import difflib
import hashlib
import json
import shutil
from importlib.metadata import version
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "mutation"
TREE = WORK / "tree"
COPIED = ("cds_hooks", "plugin", "valuesets", "tests", "scripts", "docs", "benchmarks")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "NOTICE", "LICENSE")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.db")


class Mutant(NamedTuple):
    """One changed version of one function; ``name`` is what mutmut calls it."""

    name: str
    path: str

    @property
    def function(self) -> str:
        return self.name.partition("__mutmut_")[0]


def build() -> list[Mutant]:
    """Copy the tree, change plugin/ in the copy, and name all mutants in the order of their files."""
    for folder in COPIED:
        shutil.rmtree(TREE / folder, ignore_errors=True)
        shutil.copytree(ROOT / folder, TREE / folder, ignore=LEFT_OUT)
    for name in FILES:
        shutil.copy(ROOT / name, TREE / name)
    paths = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "plugin").rglob("*.py"))
    with Pool(2) as pool:
        return [mutant for found in pool.map(_changed, paths, chunksize=1) for mutant in found]


def _changed(path: str) -> list[Mutant]:
    source = (ROOT / path).read_text("utf-8")
    key = hashlib.sha256(f"{version('mutmut')}\n{path}\n{source}".encode()).hexdigest()
    kept = WORK / "made" / f"{key}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(_made(path, source)), "utf-8")
    made = json.loads(kept.read_text("utf-8"))
    (TREE / path).write_text(made["code"], "utf-8")
    return [Mutant(name, path) for name in made["names"]]


def _made(path: str, source: str) -> dict[str, object]:
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.format_utils import get_mutant_name

    made = mutate_file_contents(path, source)
    return {"code": made.code, "names": [get_mutant_name(Path(path), name) for name in made.mutant_names]}


def difference(mutant: Mutant) -> str:
    """The changed lines of one mutant, old and new."""
    code = (TREE / mutant.path).read_text("utf-8")
    functions = {node.name: node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)}
    name = mutant.name.rpartition(".")[2]
    original = functions[f"{name.partition('__mutmut_')[0]}__mutmut_orig"]
    texts = [(ast.get_source_segment(code, node) or "").splitlines()[1:] for node in (original, functions[name])]
    lines = difflib.unified_diff(*texts, lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
