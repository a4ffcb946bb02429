"""The evaluation of the path "tap" on made-up scenes: what a reading that knows the truth must get, and what a random
one must write down."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from synesthesia.core.checkpoints import sha256
from synesthesia.core.errors import UserError
from synesthesia.impact.mbr import select
from synesthesia.impact.modal.things import MATERIALS, PhysicalObject, StrikePoint
from synesthesia.impact.physics_net import PhysicsPosterior
from synesthesia.impact.predictor import ImpactPredictor
from synesthesia.impact.render import StrikeParams, render_impact
from synesthesia.ui.impact import case_study as tap_cases
from synesthesia.vision.grid import PatchGrid
from tests.impact.tiny import a_grid, a_net, a_reading
from tools.blender.truth import write_shard
from training.impact.baselines import ObjectNames, Templates, told_things
from training.impact.case_study import read_cases
from training.impact.codebook_figures import code_figures
from training.impact.compared import SECONDS, Click, Compared, struck
from training.impact.evaluate import Config, evaluate, parse
from training.impact.held_out import clicked, held_out, pixels_of
from training.impact.photographs import confusion
from training.impact.rendered import unpacked
from training.impact.report import report
from training.impact.sound_judge import SoundJudge, blow_sound

PX, CELLS = 64, 8
BELL = PhysicalObject("metal", "bowl", 0.31, 0.9, 0.55, 0.004)
PAD = PhysicalObject("rubber", "solid", 0.12, 0.8, 0.5, 0.048)
SETTINGS = {"seed": 0, "px": PX, "samples": 1, "count": 2}


def scene_files(index: int, split: str, things: list[PhysicalObject], columns: list[int], variant: str = "steel",
                kind: str = "bowl") -> dict[str, bytes]:  # fmt: skip
    """Thing k fills columns[k] columns of the picture, one after the other from the left; the rest is nothing."""
    indexed = np.zeros((PX, PX, 3), np.uint8)
    indexed[..., 1:] = 128
    left = 0
    for number, width in enumerate(columns, start=1):
        indexed[:, left : left + width, 0] = number
        left += width
    picture = np.random.default_rng(index).integers(0, 255, (PX, PX, 3)).astype(np.uint8)

    def stored(array: np.ndarray, kind: str) -> bytes:
        out = io.BytesIO()
        Image.fromarray(array).save(out, kind)
        return out.getvalue()

    rows = [asdict(thing) | {"kind": kind, "variant": variant, "seed": 0, "liquid": False} for thing in things]
    told = {"things": rows, "index": index, "split": split}
    return {"webp": stored(picture, "WEBP"), "i.png": stored(indexed, "PNG"),
            "n.png": stored(np.full((PX, PX, 3), 128, np.uint8), "PNG"), "json": json.dumps(told).encode()}  # fmt: skip


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    folder = tmp_path / "renders"
    folder.mkdir()
    usual = [replace(BELL, size_m=size) for size in (0.1, 0.14, 0.4)]
    files = [(0, scene_files(0, "train", usual, [20, 20, 20])), (1, scene_files(1, "train", [PAD], [40]))]
    write_shard(folder / "scenes-00000.tar", files, SETTINGS)
    files = [(900, scene_files(900, "val", [BELL], [PX])), (901, scene_files(901, "val", [BELL, PAD], [32, 20]))]
    write_shard(folder / "scenes-00009.tar", files, SETTINGS)
    return folder


class Eyes:
    """An encoder whose features are drawn anew for every picture."""

    def encode(self, picture: Image.Image) -> PatchGrid:
        grid = a_grid(CELLS, CELLS, seed=int(np.asarray(picture).sum()) % 1000)
        return replace(grid, width_px=picture.width, height_px=picture.height)

    textures = encode


class Knowing(ImpactPredictor):
    """Takes every place for one thing, the middle of it."""

    def __init__(self, thing: PhysicalObject) -> None:
        super().__init__(a_net())
        self.thing = thing

    def read(self, grid: PatchGrid) -> PhysicsPosterior:
        one = a_reading(self, self.thing, StrikePoint(), spread=0.3)
        return one.rows(torch.zeros(grid.rows * grid.cols, dtype=torch.long))


def compared(adapter: ImpactPredictor) -> Compared:
    return Compared(adapter, Templates.of([replace(BELL, size_m=0.1), PAD]))


def a_scene(things: list[PhysicalObject], columns: list[int], variant: str = "steel") -> Any:
    return unpacked(scene_files(900, "val", things, columns, variant))


@cache
def taken_for(thing: PhysicalObject) -> dict[str, Any]:
    """Figures of a picture of the bell whose every place is taken for this thing."""
    return held_out(Eyes(), [a_scene([BELL], [PX])], compared(Knowing(thing)), 0)  # type: ignore[arg-type]


def test_who_knows_the_thing_is_right_about_it_and_sounds_nearer_than_its_name() -> None:
    figures = taken_for(BELL)
    assert figures["pixels"]["all"]["value"] == 1 and figures["pixels"]["materials"] == 1
    state, sound = figures["state"]["things"], figures["sound"]["things"]
    for share in ("material", "shape", "size within 1.5", "size in its 90 % interval", "thickness within 2"):
        assert state[share]["value"] == 1, share
    assert state["silent"]["value"] == 0 and state["hollowness, mean error"]["value"] < 0.1
    distances = {path: cell["lsd_db"]["value"] for path, cell in sound.items()}
    assert distances["truth again"] < distances["tap"] < 0.85 * distances["template"]
    assert distances["template"] == distances["template, true name"]
    assert sound["tap"]["below template"]["value"] == pytest.approx(1 - distances["tap"] / distances["template"])


def test_who_takes_it_for_another_is_wrong_and_sounds_further() -> None:
    wrong, right = taken_for(PAD), taken_for(BELL)
    assert wrong["pixels"]["all"]["value"] == 0 and wrong["state"]["things"]["size within 1.5"]["value"] == 0
    sounds = [figures["sound"]["things"]["tap"] for figures in (wrong, right)]
    assert sounds[0]["lsd_db"]["value"] > 1.5 * sounds[1]["lsd_db"]["value"]
    assert sounds[0]["decay, median factor"]["value"] > 1.5 > sounds[1]["decay, median factor"]["value"]


def test_pixels_are_counted_by_surface_and_where_nothing_is_apart() -> None:
    """32 columns are metal, 20 rubber, 12 nothing; all is taken for metal, and nowhere is silence."""
    adapter, grid = Knowing(BELL), Eyes().encode(Image.new("RGB", (PX, PX)))
    for variant, row in (("steel", 0), ("galvanised", 1)):
        found = pixels_of(a_scene([BELL, PAD], [32, 20], variant), compared(adapter), grid, adapter.read(grid))
        metal, rubber = MATERIALS.index("metal"), MATERIALS.index("rubber")
        assert found.count[row, [metal, rubber]].tolist() == [32 * PX, 20 * PX] and found.count[1 - row].sum() == 0
        assert found.right[row, [metal, rubber]].tolist() == [32 * PX, 0] and found.said[metal] == 52 * PX
        assert found.silent.tolist() == [[0, 12 * PX], [0, 52 * PX]]


def test_what_is_hardly_seen_is_not_clicked_and_grounds_are_told_apart() -> None:
    adapter, grid = Knowing(BELL), Eyes().encode(Image.new("RGB", (PX, PX)))
    few = scene_files(900, "val", [BELL], [1])
    array = np.asarray(Image.open(io.BytesIO(few["i.png"]))).copy()
    array[59:, :, 0] = 0
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    scene = unpacked(few | {"i.png": out.getvalue()})
    assert clicked(scene, 0, Eyes(), compared(adapter), grid, adapter.read(grid), 0) is None  # type: ignore[arg-type]
    floor = unpacked(scene_files(900, "val", [BELL], [9], kind="floor"))
    found = clicked(floor, 0, Eyes(), compared(adapter), grid, adapter.read(grid), 0)  # type: ignore[arg-type]
    assert found is not None and found.ground


def test_the_sound_that_is_measured_is_the_products_own() -> None:
    adapter, grid = ImpactPredictor(a_net()), a_grid()
    read, click = adapter.read(grid), Click(2, 3, BELL, StrikePoint(), 5.0, "wood")
    patch = 2 * grid.cols + 3
    guess = select(adapter, read, patch)
    ours = struck(guess.thing, guess.place, click, guess.properties)
    theirs, _ = render_impact(adapter, read, patch, StrikeParams(5.0, "wood", SECONDS, seed=2), 16_000)
    assert np.allclose(ours[:-400], theirs[:-400])


def test_templates_are_the_usual_shape_and_its_median_extents(renders: Path) -> None:
    odd = PhysicalObject("metal", "plate", 2.0, 1.0, 0.01, 0.02)
    usual = Templates.of([*told_things(renders, "train"), odd]).things
    bell = usual[MATERIALS.index("metal")]
    assert (bell.shape, bell.size_m, bell.thickness_m) == ("bowl", 0.14, 0.004)
    assert usual[MATERIALS.index("rubber")].shape == "solid"


def test_an_objects_name_tells_the_likeliest_class_that_has_a_material() -> None:
    layer = torch.nn.Linear(12, 3)
    grid = a_grid()
    torch.nn.init.zeros_(layer.weight)
    layer.bias.data.copy_(torch.tensor([9.0, 1.0, 2.0]))
    assert ObjectNames(layer, torch.tensor([-1, 4, 6])).named(grid, 1, 2) == 6
    layer.weight.data[1] = 100 * grid.closer[1, 2, 1].float()
    assert ObjectNames(layer, torch.tensor([-1, 4, 6])).named(grid, 1, 2) == 4


def test_the_judge_knows_metal_from_rubber_however_loud() -> None:
    things = [replace(thing, size_m=factor * thing.size_m) for thing in (BELL, PAD) for factor in (0.8, 0.9, 1.1)]
    judge = SoundJudge.of([(thing, StrikePoint(0.4, 0.6)) for thing in things])
    for thing in (BELL, PAD):
        sound = blow_sound(thing, StrikePoint(), 50)
        assert MATERIALS[judge.heard(0.1 * sound)] == thing.material
    metal, rubber = MATERIALS.index("metal"), MATERIALS.index("rubber")
    assert judge.heard(blow_sound(BELL, StrikePoint(), 50), [rubber]) == rubber != metal


def test_codes_are_counted_by_what_they_are_called() -> None:
    book = a_net().codebook
    book.votes.zero_()
    book.votes[:, 1] = 0.25
    book.votes[:, 0] = 0.75
    book.votes[3, :2] = torch.tensor([0.0, 1.0])
    book.weight.zero_()
    book.weight[2], book.weight[3] = 0.5, 0.5
    told = code_figures(book)
    assert told["in use"] == 2 and told["perplexity"] == pytest.approx(2) and told["materials with a code"] == 2
    assert told["mean purity"] == pytest.approx(0.875)
    assert told["by name"]["wood"] == {"codes": 1, "share": 0.5, "purity": pytest.approx(0.75)}


def test_confusion_counts_what_each_is_taken_for() -> None:
    assert confusion([1, 1, 0], [1, 0, 0]) == {"metal": {"metal": 1, "wood": 1}, "wood": {"wood": 1}}


def write_data(folder: Path) -> Path:
    """Four photographs: TrashNet's metal and glass, two each."""
    folder.mkdir()
    rows = []
    for number, label in enumerate(("metal", "metal", "glass", "glass")):
        Image.new("RGB", (80, 60), (40 * number, 90, 20)).save(folder / f"{number}.png")
        rows.append({"path": f"{number}.png", "label": label, "source": "trashnet", "licence": "", "split": "val"})
    pairs = [{"source": "trashnet", "label": name, "sound_label": "", "material_label": name, "weight": 1,
              "n_images": 2} for name in ("metal", "glass")]  # fmt: skip
    for name, table in (("images_manifest.csv", rows), ("pairs.csv", pairs)):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(table[0]))
            writer.writeheader()
            writer.writerows(table)
    return folder


class Humming:
    """A path without a state that answers everything with one sound."""

    def sound(self, *told: Any) -> np.ndarray:
        return np.sin(np.arange(round(told[5] * 16_000)) / 3).astype(np.float32)


def test_all_parts_of_two_scenes_are_written_down(
    renders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    cases, checkpoint, out = tmp_path / "cases", tmp_path / "tap", tmp_path / "out"
    cases.mkdir()
    checkpoint.mkdir()
    for ending, data in scene_files(1, "case", [BELL], [40]).items():
        (cases / f"rubber_bell.{ending}").write_bytes(data)
    monkeypatch.setattr(ObjectNames, "load", staticmethod(lambda data: None))
    monkeypatch.setattr("training.impact.evaluate.without_state", lambda folder: Humming())
    config = Config(renders, write_data(tmp_path / "data"), cases, checkpoint, None, out, judged=2, clicks=3, threads=1)
    (checkpoint.parent / "manifest.json").write_text("{}")
    adapter = ImpactPredictor(a_net())
    evaluate(replace(config, parts="AC"), Eyes(), adapter)  # type: ignore[arg-type]
    figures = evaluate(replace(config, parts="BDE"), Eyes(), adapter)  # type: ignore[arg-type]
    kept = json.loads((out / "figures.json").read_text())
    assert set(kept) == set("ABCDE") and kept == json.loads(json.dumps(figures))
    assert kept["A"]["scenes"] == 2 and kept["A"]["state"]["things"]["silent"]["n"] == 3
    for cell in (
        kept["A"]["pixels"]["all"],
        kept["A"]["sound"]["things"]["tap"]["lsd_db"],
        kept["B"]["trashnet"]["silent"],
    ):
        assert cell["low"] <= cell["value"] <= cell["high"]
    assert kept["A"]["with the state, beside without"]["things"]["distance below"]["n"] == 3
    assert kept["B"]["trashnet"]["code, of 2"]["n"] == 4
    assert kept["E"]["n"] == 3 and kept["E"]["in a row"]["clean"]
    listed = json.loads((checkpoint.parent / "manifest.json").read_text())["files"]
    assert listed[f"{checkpoint.name}/case_study.json"]["sha256"] == sha256(checkpoint / "case_study.json")
    page = tap_cases.read_cases(checkpoint / "case_study.json")
    assert page is not None and page.n == 1 and page.rows[0].title == "rubber bell" and page.rows[0].right == "metal"
    table = (out / "table.md").read_text()
    assert table == report(kept) and all(line.count("|") >= 3 for line in table.splitlines() if line.startswith("|"))


def test_a_folder_without_a_case_study_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--case-study"):
        read_cases(tmp_path)


def test_parts_are_chosen_by_letters(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse(["--renders", "r", "--part", "a,C"]).parts == "AC"
    with pytest.raises(SystemExit):
        parse(["--renders", "r", "--part", "A,X"])
    assert "no part X" in capsys.readouterr().err
