"""The benchmark's own arithmetic: missed targets are marked. Its figures are measured by running it."""

from __future__ import annotations

from training.evaluation.benchmark import SIZE_PX, BenchmarkRow, photographs, table


def test_missed_targets_are_marked() -> None:
    rows = [
        BenchmarkRow("a", 0.5, "s", 1.0),
        BenchmarkRow("b", 1.5, "s", 1.0),
        BenchmarkRow("c", 6.0, "s", 5.0, at_least=True),
    ]
    assert [row.held for row in rows] == [True, False, True]
    lines = table(rows).splitlines()[-3:]
    assert ["MISSED" in line for line in lines] == [False, True, False]
    assert not BenchmarkRow("c", 4.0, "s", 5.0, at_least=True).held


def test_photographs_are_new_ones() -> None:
    made = photographs(9)
    assert {picture.size for picture in made} == {SIZE_PX}
    assert len({picture.tobytes() for picture in made}) == 9
