"""Impact requests: refused input with its sentence, recipes, command line, info."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synesthesia import Studio, cli
from synesthesia.core import checkpoints, presets, recipe
from synesthesia.core.errors import UserError
from synesthesia.core.requests import ImpactRequest, settings_of
from synesthesia.core.vocabulary import MALLETS
from synesthesia.impact.modal import contact
from synesthesia.services import Services
from tests.impact.tiny import impact_of, strike
from tests.tiny import damaged_copy
from training.common.manifest import write_manifest

pytestmark = pytest.mark.usefixtures("tiny_checkpoints")


class NoServices(Services):
    @property
    def vision(self) -> None:  # type: ignore[override]
        raise AssertionError("the models come after the place")

    image_to_sound = vlm_to_sound = impact = vision  # type: ignore[assignment]


@pytest.mark.parametrize("path", ["flow", "mlp", "language", "tap"])
def test_a_click_outside_is_refused_before_models_are_loaded(path: str, studio: Studio, cat: Image.Image) -> None:
    """With the sentence of the grid, which would refuse it later."""
    grid, fresh = studio.look(cat), Studio(presets.embedded(), NoServices(presets.embedded()))
    for x, y in ((451, 20), (-1, 20), (20, 300), (float("nan"), 20)):
        with pytest.raises(UserError) as later:
            grid.cell(x, y)
        for call in (fresh.hear, fresh.hear_steps):
            with pytest.raises(UserError) as caught:
                call(cat, x, y, path=path)
            assert str(caught.value) == str(later.value) and "451 x 300" in str(caught.value)


def test_an_untrained_predictor_names_its_command(
    cat: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
    for name in ("embedded", "hub"):
        studio = Studio.load(name)
        for call in (
            lambda s: s.hear(cat, 5, 5, path="tap"), lambda s: s.hear_steps(cat, 5, 5, path="tap"),
            lambda s: s.materials(cat), lambda s: s.scene(cat, path="tap"), lambda s: s.sweep(cat, 0, path="tap"),
        ):  # fmt: skip
            with pytest.raises(UserError) as caught:
                call(studio)
            assert studio.preset.impact.train_command in str(caught.value) and "\n" not in str(caught.value)
    assert "checkpoints/tap_hub" in presets.hub().impact.train_command


def test_a_damaged_predictor_is_refused(
    tiny: Path, cat: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = damaged_copy(tiny, tmp_path / "checkpoints", "tap/model.safetensors")
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(folder))
    studio = Studio.load("embedded")
    for _ in range(2):
        with pytest.raises(UserError, match=r"tap/model\.safetensors is damaged"):
            strike(studio, cat)


def test_recipes(studio: Studio, cat: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Through a file and the command line: the same samples."""
    import soundfile

    heard = strike(studio, cat, seed=4, force=12.5, mallet="metal", material="glass", size_factor=0.5)
    wanted = recipe.from_json(recipe.to_json(heard.recipe))
    assert (wanted.path, wanted.force, wanted.mallet, wanted.material, wanted.size_factor) == (
        "tap", 12.5, "metal", "glass", 0.5,
    )  # fmt: skip
    studio.check_recipe(cat, wanted)
    cat.save(tmp_path / "cat.png")
    (tmp_path / "r.json").write_text(recipe.to_json(heard.recipe))
    given = ["hear", tmp_path / "cat.png", "--recipe", tmp_path / "r.json", "--out", tmp_path / "a.wav", "--json"]
    assert cli.main([str(one) for one in given]) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["recipe"] == json.loads((tmp_path / "r.json").read_text())
    assert output["blow"] == json.loads(json.dumps(impact_of(heard).to_dict()))
    samples, rate_hz = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert rate_hz == 16_000
    assert np.abs(samples - np.round(np.clip(heard.waveform[0], -1, 1) * 32767)).max() <= 1


def test_a_recipe_depends_on_vision_and_predictor_alone(
    tiny: Path, studio: Studio, cat: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = strike(studio, cat).recipe
    folder = tmp_path / "checkpoints"
    shutil.copytree(tiny, folder)
    (folder / "ear").mkdir()
    (folder / "ear" / "model.safetensors").write_bytes(b"another tagger")
    write_manifest(folder)
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(folder))
    studio.check_recipe(cat, wanted)
    (folder / "tap" / "model.safetensors").write_bytes(b"another predictor")
    write_manifest(folder)
    with pytest.raises(UserError, match="other weights"):
        studio.check_recipe(cat, wanted)


def test_the_command_line(studio: Studio, cat: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import soundfile

    cat.save(tmp_path / "cat.png")
    call = ["hear", str(tmp_path / "cat.png"), "--x", "200", "--y", "100", "--path", "tap", "--anyway", "--out",
            str(tmp_path / "a.wav")]  # fmt: skip
    assert cli.main([*call, "--force", "12", "--mallet", "metal", "--material", "rubber", "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["seconds"] == 1.5 and soundfile.info(tmp_path / "a.wav").frames == 24_000
    of = output["blow"]
    assert (of["force_n"], of["mallet"], of["material"], of["what_if"]) == (12.0, "metal", "rubber", True)
    assert set(of["state"]["size_m"]) == {"value", "low", "high"} and of["contact_s"] > 0
    assert of["state"]["materials"][0].keys() == {"label", "score"} and of["frames"] == 150
    assert of["modes"] and all(mode["gain"] > 0 and mode["t60_s"] > 0 for mode in of["modes"])
    assert not any("envelope" in name for name in of)
    assert cli.main([*call, "--size-factor", "2", "--seconds", "1"]) == 0
    assert "struck with 8 N (wood)" in capsys.readouterr().out
    assert soundfile.info(tmp_path / "a.wav").frames == 16_000


def test_info_lists_the_predictor(studio: Studio) -> None:
    listed = {one.role: one for one in studio.info().checkpoints}
    assert listed["physics adapter"].present and listed["physics adapter"].where == "checkpoints/tap"
    assert "Apache-2.0" in listed["physics adapter"].licence and listed["physics adapter"].megabytes > 0
    assert "tap" in studio.info().paths and len(listed) == len(studio.info().checkpoints)
    assert not {one.role: one for one in Studio.load("hub").info().checkpoints}["physics adapter"].present


def test_the_requests_bounds_are_those_of_the_synthesis() -> None:
    """Requests are checked without torch, so the limits are defined twice."""
    force = settings_of(ImpactRequest)["force"]
    assert (force.low, force.high) == (contact.MIN_FORCE_N, contact.MAX_FORCE_N)
    assert set(contact.MALLET_TIPS) == set(MALLETS)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"force": 51}, "The force in newtons must lie between 0.5 and 50, but 51 was given."),
        ({"mallet": "hammer"}, "There is no mallet 'hammer'; choose 'finger', 'wood' or 'metal'."),
        ({"material": "gold"}, "There is no material 'gold'; leave it empty, or choose 'wood', 'metal',"),
        ({"size_factor": 5}, "The size factor must lie between 0.25 and 4, but 5 was given."),
    ],
)
def test_bad_settings_name_the_bounds(studio: Studio, cat: Image.Image, given: dict[str, object], words: str) -> None:
    with pytest.raises(UserError) as caught:
        strike(studio, cat, **given)
    assert str(caught.value).startswith(words)
