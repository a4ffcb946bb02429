"""The evaluation of the path "tap" on synthetic scenes: scores of an oracle posterior, and files of a random one."""

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
from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.mbr import select
from synesthesia.impact.modal.objects import PhysicalObject, StrikePoint
from synesthesia.impact.physics_net import PhysicsPosterior
from synesthesia.impact.predictor import ImpactPredictor
from synesthesia.impact.render import StrikeParams, render_impact
from synesthesia.ui.impact import case_study
from synesthesia.vision.grid import PatchGrid
from tests.impact.tiny import posterior_for, random_grid, tiny_physics_net
from tools.blender.ground_truth import write_shard
from training.impact.baselines import ObjectNameBaseline, usual_objects
from training.impact.case_study import read_cases
from training.impact.codebook import codebook_statistics
from training.impact.evaluate import ImpactEvaluation, evaluate
from training.impact.held_out_photos import confusion
from training.impact.held_out_renders import count_pixels, evaluate_renders, score_click
from training.impact.methods import SECONDS, Methods, TrueStrike
from training.impact.render_reader import RenderedScene, decode_scene, read_objects
from training.impact.report import report
from training.impact.sound_classifier import SoundClassifier, standard_strike

PX, CELLS = 64, 8
BELL = PhysicalObject("metal", "bowl", 0.31, 0.9, 0.55, 0.004)
PAD = PhysicalObject("rubber", "solid", 0.12, 0.8, 0.5, 0.048)
SETTINGS = {"seed": 0, "px": PX, "samples": 1, "count": 2}


def scene_files(
    index: int, split: str, objects: list[PhysicalObject], columns: list[int], variant: str = "steel",
    kind: str = "bowl",
) -> dict[str, bytes]:  # fmt: skip
    """Object k fills columns[k] columns of the picture, one after the other from the left; the rest is empty."""
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

    rows = [asdict(one) | {"kind": kind, "variant": variant, "seed": 0, "liquid": False} for one in objects]
    metadata = {"things": rows, "index": index, "split": split}
    normals = np.full((PX, PX, 3), 128, np.uint8)
    return {"webp": stored(picture, "WEBP"), "i.png": stored(indexed, "PNG"), "n.png": stored(normals, "PNG"),
            "json": json.dumps(metadata).encode()}  # fmt: skip


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


class RandomEncoder:
    """Random features, different for every picture."""

    def encode(self, picture: Image.Image) -> PatchGrid:
        grid = random_grid(CELLS, CELLS, seed=int(np.asarray(picture).sum()) % 1000)
        return replace(grid, width_px=picture.width, height_px=picture.height)

    encode_stage_maps = encode


class OraclePredictor(ImpactPredictor):
    """Predicts one object everywhere, struck at its centre."""

    def __init__(self, item: PhysicalObject) -> None:
        super().__init__(tiny_physics_net())
        self.item = item

    def predict(self, grid: PatchGrid) -> PhysicsPosterior:
        one = posterior_for(self, self.item, StrikePoint(), spread=0.3)
        return one.rows(torch.zeros(grid.rows * grid.cols, dtype=torch.long))


class Hum:
    """A direct method that answers every strike with the same sound."""

    def sound(self, *strike: Any) -> np.ndarray:
        return np.sin(np.arange(round(strike[5] * 16_000)) / 3).astype(np.float32)


def methods_for(predictor: ImpactPredictor) -> Methods:
    return Methods(RandomEncoder(), predictor, usual_objects([replace(BELL, size_m=0.1), PAD]))  # type: ignore[arg-type]


def a_scene(objects: list[PhysicalObject], columns: list[int], variant: str = "steel") -> RenderedScene:
    return decode_scene(scene_files(900, "val", objects, columns, variant))


@cache
def figures_when_predicting(item: PhysicalObject) -> dict[str, Any]:
    """Figures of a picture of the bell."""
    return evaluate_renders([a_scene([BELL], [PX])], methods_for(OraclePredictor(item)), 0)


def test_the_right_object_scores_fully_and_sounds_closer_than_its_name() -> None:
    figures = figures_when_predicting(BELL)
    assert figures["pixels"]["all"]["value"] == 1 and figures["pixels"]["materials"] == 1
    state, sound = figures["state"]["objects"], figures["sound"]["objects"]
    for share in ("material", "shape", "size within 1.5", "size in its 90 % interval", "thickness within 2"):
        assert state[share]["value"] == 1, share
    assert state["silent"]["value"] == 0 and state["hollowness, mean error"]["value"] < 0.1
    distances = {method: cell["lsd_db"]["value"] for method, cell in sound.items()}
    assert distances["truth again"] < distances["tap"] < 0.85 * distances["template"]
    assert distances["template"] == distances["template, true name"]
    assert sound["tap"]["below template"]["value"] == pytest.approx(1 - distances["tap"] / distances["template"])


def test_another_object_scores_nothing_and_sounds_further_away() -> None:
    wrong, right = figures_when_predicting(PAD), figures_when_predicting(BELL)
    assert wrong["pixels"]["all"]["value"] == 0 and wrong["state"]["objects"]["size within 1.5"]["value"] == 0
    sounds = [figures["sound"]["objects"]["tap"] for figures in (wrong, right)]
    assert sounds[0]["lsd_db"]["value"] > 1.5 * sounds[1]["lsd_db"]["value"]
    assert sounds[0]["decay, median factor"]["value"] > 1.5 > sounds[1]["decay, median factor"]["value"]


def test_pixels_are_counted_by_surface_and_without_an_object_apart() -> None:
    """32 columns are metal, 20 rubber, 12 empty; metal is predicted everywhere, and nowhere silence."""
    methods, grid = methods_for(OraclePredictor(BELL)), RandomEncoder().encode(Image.new("RGB", (PX, PX)))
    for variant, row in (("steel", 0), ("galvanised", 1)):
        scene = a_scene([BELL, PAD], [32, 20], variant)
        counts = count_pixels(scene, methods, grid, methods.predictor.predict(grid))
        metal, rubber = MATERIALS.index("metal"), MATERIALS.index("rubber")
        assert counts.count[row, [metal, rubber]].tolist() == [32 * PX, 20 * PX] and counts.count[1 - row].sum() == 0
        assert counts.right[row, [metal, rubber]].tolist() == [32 * PX, 0] and counts.predicted[metal] == 52 * PX
        assert counts.silent.tolist() == [[0, 12 * PX], [0, 52 * PX]]


def test_small_objects_are_not_clicked_and_grounds_are_marked() -> None:
    methods, grid = methods_for(OraclePredictor(BELL)), RandomEncoder().encode(Image.new("RGB", (PX, PX)))
    posterior = methods.predictor.predict(grid)
    few = scene_files(900, "val", [BELL], [1])
    array = np.asarray(Image.open(io.BytesIO(few["i.png"]))).copy()
    array[59:, :, 0] = 0
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    assert score_click(decode_scene(few | {"i.png": out.getvalue()}), 0, methods, grid, posterior, 0) is None
    floor = decode_scene(scene_files(900, "val", [BELL], [9], kind="floor"))
    click = score_click(floor, 0, methods, grid, posterior, 0)
    assert click is not None and click.ground


def test_the_evaluated_sound_is_the_products_own() -> None:
    predictor, grid = ImpactPredictor(tiny_physics_net()), random_grid()
    posterior, truth = predictor.predict(grid), TrueStrike(2, 3, BELL, StrikePoint(), 5.0, "wood")
    patch = 2 * grid.cols + 3
    own = select(predictor, posterior, patch)
    ours = truth.sound(own.item, own.point, own.properties)
    theirs, _ = render_impact(predictor, posterior, patch, StrikeParams(5.0, "wood", SECONDS, seed=2), 16_000)
    assert np.allclose(ours[:-400], theirs[:-400])


def test_usual_objects_have_the_usual_shape_and_median_extents(renders: Path) -> None:
    odd = PhysicalObject("metal", "plate", 2.0, 1.0, 0.01, 0.02)
    usual = usual_objects([*read_objects(renders, "train"), odd])
    bell = usual[MATERIALS.index("metal")]
    assert (bell.shape, bell.size_m, bell.thickness_m) == ("bowl", 0.14, 0.004)
    assert usual[MATERIALS.index("rubber")].shape == "solid"


def test_an_objects_name_gives_the_material_of_the_likeliest_class_that_has_one() -> None:
    layer = torch.nn.Linear(12, 3)
    grid = random_grid()
    torch.nn.init.zeros_(layer.weight)
    layer.bias.data.copy_(torch.tensor([9.0, 1.0, 2.0]))
    assert ObjectNameBaseline(layer, torch.tensor([-1, 4, 6])).predict(grid, 1, 2) == 6
    layer.weight.data[1] = 100 * grid.crop_features[1, 2, 1].float()
    assert ObjectNameBaseline(layer, torch.tensor([-1, 4, 6])).predict(grid, 1, 2) == 4


def test_the_sound_classifier_tells_metal_from_rubber_at_any_level() -> None:
    objects = [replace(one, size_m=factor * one.size_m) for one in (BELL, PAD) for factor in (0.8, 0.9, 1.1)]
    classifier = SoundClassifier.of([(one, StrikePoint(0.4, 0.6)) for one in objects])
    for one in (BELL, PAD):
        sound = standard_strike(one, StrikePoint(), 50)
        assert MATERIALS[classifier.predict(0.1 * sound)] == one.material
    metal, rubber = MATERIALS.index("metal"), MATERIALS.index("rubber")
    assert classifier.predict(standard_strike(BELL, StrikePoint(), 50), [rubber]) == rubber != metal


def test_codes_are_counted_by_their_majority_material() -> None:
    book = tiny_physics_net().codebook
    book.material_shares.zero_()
    book.material_shares[:, 1] = 0.25
    book.material_shares[:, 0] = 0.75
    book.material_shares[3, :2] = torch.tensor([0.0, 1.0])
    book.usage.zero_()
    book.usage[2], book.usage[3] = 0.5, 0.5
    figures = codebook_statistics(book)
    assert (
        figures["in use"] == 2 and figures["perplexity"] == pytest.approx(2) and figures["materials with a code"] == 2
    )
    assert figures["mean purity"] == pytest.approx(0.875)
    assert figures["by name"]["wood"] == {"codes": 1, "share": 0.5, "purity": pytest.approx(0.75)}


def test_confusion_counts_predictions_by_true_name() -> None:
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


def test_all_parts_of_two_scenes_are_written(renders: Path, tmp_path: Path) -> None:
    cases, checkpoint, out = tmp_path / "cases", tmp_path / "tap", tmp_path / "out"
    cases.mkdir()
    checkpoint.mkdir()
    for ending, content in scene_files(1, "case", [BELL], [40]).items():
        (cases / f"rubber_bell.{ending}").write_bytes(content)
    config = ImpactEvaluation(renders, write_data(tmp_path / "data"), cases, checkpoint, None, out, "A,C",
                              classifier_strikes=2, clicks=3, threads=1)  # fmt: skip
    (checkpoint.parent / "manifest.json").write_text("{}")
    usual = usual_objects(read_objects(renders, "train"))
    methods = Methods(RandomEncoder(), ImpactPredictor(tiny_physics_net()), usual, direct=Hum())  # type: ignore[arg-type]
    evaluate(config, methods)
    figures = evaluate(replace(config, part="B,D,E"), methods)
    kept = json.loads((out / "figures.json").read_text())
    assert set(kept) == set("ABCDE") and kept == json.loads(json.dumps(figures))
    assert kept["A"]["scenes"] == 2 and kept["A"]["state"]["objects"]["silent"]["n"] == 3
    for cell in (
        kept["A"]["pixels"]["all"],
        kept["A"]["sound"]["objects"]["tap"]["lsd_db"],
        kept["B"]["trashnet"]["silent"],
    ):
        assert cell["low"] <= cell["value"] <= cell["high"]
    assert kept["A"]["tap against direct"]["objects"]["distance below"]["n"] == 3
    assert kept["B"]["trashnet"]["code, of 2"]["n"] == 4
    assert kept["E"]["n"] == 3 and kept["E"]["in a row"]["clean"]
    listed = json.loads((checkpoint.parent / "manifest.json").read_text())["files"]
    assert listed[f"{checkpoint.name}/case_study.json"]["sha256"] == sha256(checkpoint / "case_study.json")
    page = case_study.read_cases(checkpoint / "case_study.json")
    assert page is not None and page.n == 1 and page.rows[0].title == "rubber bell" and page.rows[0].right == "metal"
    table = (out / "table.md").read_text()
    assert table == report(kept) and all(line.count("|") >= 3 for line in table.splitlines() if line.startswith("|"))


def test_a_folder_without_a_case_study_raises(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--case-study"):
        read_cases(tmp_path)


def test_parts_are_chosen_by_letters() -> None:
    assert ImpactEvaluation(Path("r"), part="a,C").parts == "AC"
    with pytest.raises(UserError, match="no part X"):
        _ = ImpactEvaluation(Path("r"), part="A,X").parts
