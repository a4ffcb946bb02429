"""The whole evaluation of clicks on tiny models and made-up data, its tables and its contact sheets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from synesthesia.studio import Studio
from synesthesia.vision.grid import PatchGrid
from tests.training_common.tiny_clicks import tiny_clicks
from training.common.hear_cases import HeldOutPicture
from training.evaluation.audioset_classes import AcceptedClasses
from training.evaluation.click_set import Click
from training.evaluation.contact_sheet import CELL_PX, Sheet, page, write_pages
from training.evaluation.evaluate_hear import HearEvaluation, main
from training.evaluation.hear_tables import ClickResult, figures_by_group, table
from training.evaluation.judges import OURS, OUTSIDE, Bench, Verdict
from training.evaluation.presence import presence_figures, presence_table

RIGHT = Verdict(True, True, True, True, 0.9, (("Dog", 0.9), ("Bark", 0.1)))
WRONG = Verdict(False, False, False, True, 0.1, (("Animal", 0.9), ("Dog", 0.1)))
ROWS = ("product", "anyway", "wish", "told", "bound", "real", "mlp", "without_retrieval", "one_take", "round_trip",
        "random")  # fmt: skip


class AlwaysDog:
    """A judge who hears a dog in everything, and knows no clock."""

    key, names = "", ("dog", "rain")

    def __init__(self, name: str) -> None:
        self.name = name

    def scores(self, waveform: Tensor) -> Tensor:
        assert waveform.ndim == 1 and waveform.isfinite().all()
        return torch.tensor([0.9, 0.1])

    def accepted(self, labels: Iterable[str]) -> AcceptedClasses:
        return AcceptedClasses(frozenset(labels) & frozenset(self.names), frozenset())


def click(presence: float = 0.5, *accepted: str, source: str = "bsds", number: int = 0) -> Click:
    case = HeldOutPicture(Path("a.png"), "a", source, frozenset(accepted))
    grid = PatchGrid(torch.zeros(2, 2, 4), torch.zeros(4), torch.zeros(2, 2, 1, 4), 20, 20, "key")
    return Click(number, case, grid, 10.0, 10.0, (1, 1), presence, (("dog", 0.8), ("rain", 0.2)))


def test_every_system_is_judged_on_every_click(
    tiny_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNESTHESIA_CHECKPOINTS", str(tiny_checkpoints))
    config = HearEvaluation(
        tiny_clicks(tmp_path / "data"), cache=tmp_path / "cache", out=tmp_path / "out", pages=tmp_path / "pages",
        rows=ROWS, seconds=1.0, steps=1,
    )  # fmt: skip
    bench = Bench((AlwaysDog(OURS), AlwaysDog(OUTSIDE)))  # type: ignore[arg-type]
    figures = main(config, Studio.load("embedded"), bench)
    everything = figures["groups"]["all"]
    assert set(everything) == set(ROWS)
    assert everything["wish"]["ours top-1"].n == 5, "labels need no judge"
    assert everything["anyway"]["outside top-1"].n == 4, "the clock can't be judged"
    assert everything["anyway"]["outside top-1"].value == 0.5 and everything["anyway"]["seconds"] > 0
    assert figures["groups"]["weather"]["real"]["ours top-1"].value == 0.0
    assert figures["presence"]["all"]["refused"].n == 2 and figures["presence"]["all"]["lost"].n == 5
    written = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert len(written["clicks"]) == 5 and written["clicks"][0]["verdicts"]["product"] is not None
    assert "prior's wish" in (tmp_path / "out" / "table.md").read_text()
    assert [file.name for file in (tmp_path / "pages").iterdir()] == ["page_01.png"]


def test_shares_are_counted_by_judge_and_group() -> None:
    results = [
        ClickResult(click(0.5, "dog"), {"product": {OURS: RIGHT, OUTSIDE: WRONG}}, {"product": 2.0}),
        ClickResult(click(0.5, "dog", source="dtd"), {"product": {OURS: WRONG}}, {"product": 4.0}),
    ]
    groups = figures_by_group(results)
    assert list(groups) == ["all", "scenes", "materials", "bsds", "dtd"]
    assert groups["all"]["product"]["ours top-1"].value == 0.5 and groups["all"]["product"]["seconds"] == 3.0
    assert groups["all"]["product"]["outside top-1"].n == 1
    assert groups["all"]["product"]["top-5, generic skipped"].value == 1.0
    assert "| product (silence is a miss) | 2 | 0.50 [0.09, 0.91] |" in table(groups)
    assert "outside top-1" not in groups["dtd"]["product"]


def test_silence_is_counted_on_both_sides() -> None:
    sounding = [click(0.3 + 0.05 * i, "dog", number=i) for i in range(12)]
    silent = [click(0.05 * i, number=i) for i in range(12)]
    figures = presence_figures(sounding + silent, threshold=0.4)
    assert figures["all"]["refused"].value == pytest.approx(8 / 12)  # type: ignore[attr-defined]
    assert figures["all"]["lost"].value == pytest.approx(2 / 12)  # type: ignore[attr-defined]
    assert 0.7 < figures["all"]["auroc"].value < 1.0  # type: ignore[attr-defined]
    assert "auroc" not in presence_figures(sounding, 0.4)["all"]
    assert presence_table(figures).count("\n") == 2 + len(figures)


def sheet(silent: bool, verdicts: dict[str, Verdict]) -> Sheet:
    image = Image.fromarray(np.full((300, 200, 3), 128, np.uint8))
    return Sheet(image, 50.0, 60.0, "bsds", ("dog",), 0.3, silent, (("dog", 0.8),), torch.randn(16_000), verdicts)


def test_the_worst_cases_come_first(tmp_path: Path) -> None:
    good, bad, quiet = (
        sheet(False, {OURS: RIGHT, OUTSIDE: RIGHT}), sheet(False, {OURS: WRONG}), sheet(True, {OURS: WRONG})
    )  # fmt: skip
    assert quiet.goodness < bad.goodness < good.goodness
    assert page([good, bad]).size == (3 * CELL_PX[0], CELL_PX[1])
    files = write_pages([good] * 22, tmp_path)
    assert [file.name for file in files] == ["page_01.png", "page_02.png"]
