"""The benchmarks hold what they measure to the bounds that they name."""

from __future__ import annotations

import pytest

from tests.benchmarks.__main__ import BENCHMARKS, main
from tests.benchmarks.measures import Figure, Report, Spent, ratios


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("x", 2.0, at_most=2.0), True),
        (Figure("x", 2.1, at_most=2.0), False),
        (Figure("x", 3.0, at_least=3), True),
        (Figure("x", 2.9, at_least=3), False),
        (Figure("x", 99.0), True),
    ],
)
def test_a_figure_is_held_to_its_bound(figure: Figure, met: bool) -> None:  # noqa: FBT001 (a parameter of the table)
    assert figure.met is met
    line = Report("name", "about", [figure]).line()["figures"][0]
    assert line.get("met", True) is met


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    subjects, floors = [Spent(2, 1), Spent(9, 9), Spent(6, 3)], [Spent(1, 1), Spent(9, 1), Spent(2, 1)]
    assert ratios(subjects, floors) == Spent(2, 3)


async def test_an_unknown_benchmark_is_a_mistake_that_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert await main(["nosuch"]) == 2
    said = capsys.readouterr().err
    assert "nosuch" in said
    assert all(name in said for name in BENCHMARKS)
