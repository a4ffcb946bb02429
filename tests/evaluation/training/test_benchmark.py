"""The benchmark's own arithmetic: a miss is called a miss. Its figures are measured by running it."""

from __future__ import annotations

from training.evaluation.benchmark import SIZE_PX, Row, photographs, table


def test_a_miss_is_called_a_miss() -> None:
    rows = [Row("a", 0.5, "s", 1.0), Row("b", 1.5, "s", 1.0), Row("c", 6.0, "s", 5.0, at_least=True)]
    assert [row.held for row in rows] == [True, False, True]
    lines = table(rows).splitlines()[-3:]
    assert ["MISSED" in line for line in lines] == [False, True, False]
    assert not Row("c", 4.0, "s", 5.0, at_least=True).held


def test_photographs_are_new_ones() -> None:
    made = photographs(9)
    assert {picture.size for picture in made} == {SIZE_PX}
    assert len({picture.tobytes() for picture in made}) == 9
