"""The sample of the mutation tests and the interval of its share; `make mutation` tries the mutants themselves."""

from __future__ import annotations

import pytest

from scripts.mutants import Mutant
from scripts.mutation import interval, sample

EVERYTHING = [Mutant(f"plugin.a.x_f__mutmut_{number}", "plugin/a.py") for number in range(1000)]


@pytest.mark.parametrize("count", [1, 7, 300, 1000])
def test_each_stretch_of_the_list_has_one_in_the_sample(count: int) -> None:
    numbers = [int(mutant.name.rpartition("_")[2]) for mutant in sample(EVERYTHING, count, seed=1)]
    assert [1000 * n // count <= number < 1000 * (n + 1) // count for n, number in enumerate(numbers)] == [True] * count


def test_a_seed_is_a_sample() -> None:
    assert sample(EVERYTHING, 50, seed=1) == sample(EVERYTHING, 50, seed=1)
    assert sample(EVERYTHING, 50, seed=1) != sample(EVERYTHING, 50, seed=2)


@pytest.mark.parametrize(
    ("noticed", "tried", "low", "high"),
    [(85, 100, 0.767, 0.907), (600, 600, 0.994, 1.0), (0, 10, 0.0, 0.278)],
)
def test_the_interval_of_a_share(noticed: int, tried: int, low: float, high: float) -> None:
    assert interval(noticed, tried) == pytest.approx((low, high), abs=0.001)


def test_the_function_of_a_mutant() -> None:
    assert Mutant("plugin.a.xǁChartǁago__mutmut_12", "plugin/a.py").function == "plugin.a.xǁChartǁago"
