"""Pages, samples and artefacts are those that are kept; `scripts/golden.py --write` keeps them anew."""

from __future__ import annotations

import pytest

from tests.golden import kept

PARTS = [(name, part) for name in kept.KEPT for part in kept.kept(name)]


@pytest.mark.parametrize(("name", "part"), PARTS, ids=str)
def test_it_is_as_kept(name: str, part: str) -> None:
    assert kept.made(name).get(part) == kept.kept(name)[part]


@pytest.mark.parametrize("name", kept.KEPT)
def test_nothing_is_there_that_is_not_kept(name: str) -> None:
    assert list(kept.made(name)) == list(kept.kept(name))
