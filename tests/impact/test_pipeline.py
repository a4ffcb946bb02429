"""The path "tap" through the whole studio, with a tiny random adapter: seeds, places, silence, scenes, memory, and no
other path's models."""

from __future__ import annotations

import gc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from synesthesia import Studio
from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from synesthesia.core.results import Heard
from synesthesia.image_to_sound.pipeline import own_seed
from synesthesia.impact.crop_refine import refine_with_crop
from synesthesia.impact.modal.things import MATERIALS
from synesthesia.impact.pipeline import KEPT_LOOKS, KEPT_READINGS, PEAK, struck_together
from synesthesia.impact.render import StrikeParams, render_impact
from tests.impact.tiny import strike, struck, write_eyes_and_tap, write_tap


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    write_eyes_and_tap(folder)
    return folder


@pytest.fixture(autouse=True)
def here(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tiny))


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio.load("embedded")


@pytest.mark.parametrize("seconds", [1.0, 2.345, 10.0])
def test_a_click_strikes(studio: Studio, cat: Image.Image, seconds: float) -> None:
    heard = strike(studio, cat, seconds=seconds, force=12, mallet="metal")
    assert heard.waveform.shape == (1, round(seconds * 16_000)) and heard.waveform.dtype == np.float32
    assert 0 < np.abs(heard.waveform).max() <= 1 and heard.waveform[0, -1] == 0
    assert (struck(heard).force_n, struck(heard).mallet) == (12.0, "metal")
    assert not heard.silent and heard.tokens is None and 0 <= heard.presence <= 1
    assert [one.label for one in heard.evidence.labels] == [one.label for one in struck(heard).state.materials]
    assert set(MATERIALS) == {one.label for one in heard.evidence.labels}
    assert struck(heard).envelope.shape == (int(seconds * 100),)
    assert (heard.row, heard.col) == studio.look(cat).cell(200, 100)


def test_no_other_path_is_loaded(cat: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a blow needs neither prior nor ear nor vocoder")

    monkeypatch.setattr(Studio, "_ears", refuse)
    monkeypatch.setattr(Studio, "_require_mapper", refuse)
    monkeypatch.setattr("synesthesia.image_to_sound.pipeline.Hearing.load", refuse)
    studio = Studio.load("embedded")
    assert strike(studio, cat).waveform.any()
    assert studio.materials(cat).solid.shape == (16, 24)
    assert next(studio.sweep(cat, 3, path="tap", seconds=1)).row == 3
    assert studio.scene(cat, path="tap", seconds=1, stems=2).waveform.shape == (1, 16_000)
    *_, last = studio.hear_steps(cat, 200, 100, path="tap", seconds=1, anyway=True)
    assert isinstance(last, Heard) and last.blow is not None


def test_it_sounds_where_no_mapper_is_trained_for_the_preset(
    studio: Studio, cat: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tap(tmp_path, name="tap_hub")
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
    other = Studio.load("hub")
    monkeypatch.setattr(other, "_eyes", studio._eyes)  # those of the hub would be fetched
    assert strike(other, cat).waveform.any()
    with pytest.raises(UserError, match=r"training\.train_mapper"):
        other.hear(cat, 200, 100)


def test_seeds_and_places(studio: Studio, cat: Image.Image) -> None:
    first, again, other, aside = (strike(studio, cat, **given) for given in (
        {"seed": 5}, {"seed": 5}, {"seed": 6}, {"seed": 5, "x": 230},
    ))  # type: ignore[arg-type]  # fmt: skip
    assert np.array_equal(first.waveform, again.waveform)
    assert not np.array_equal(first.waveform, other.waveform)
    assert struck(first).state == struck(other).state
    assert not np.array_equal(first.waveform, aside.waveform)
    theirs = strike(Studio.load("embedded"), cat, seed=5)
    assert np.array_equal(first.waveform, theirs.waveform) and first.recipe == theirs.recipe


def test_the_blow_is_that_of_the_adapter_with_the_places_own_seed(studio: Studio, cat: Image.Image) -> None:
    heard, grid, adapter = strike(studio, cat, seed=3, force=20, material="glass"), studio.look(cat), None
    adapter = studio._tapping.adapter()
    hit = StrikeParams(20.0, "wood", 1.0, own_seed(3, grid.key, heard.row, heard.col), "glass", 1.0)
    x, y = heard.recipe.x, heard.recipe.y
    near = refine_with_crop(adapter, studio._eyes().textures, cat.convert("RGB"), grid, adapter.read(grid), x, y)
    by_hand, said = render_impact(adapter, near, 0, hit, 16_000)
    assert np.array_equal(heard.waveform[0], by_hand)
    assert struck(heard).state == said.state and struck(heard).material == "glass"
    assert heard.presence == float(adapter.solid(adapter.read(grid))[heard.row * grid.cols + heard.col])


@pytest.mark.parametrize("given", [{"force": 40}, {"mallet": "finger"}, {"material": "rubber"}, {"size_factor": 2}])
def test_every_setting_matters(studio: Studio, cat: Image.Image, given: dict[str, object]) -> None:
    x = place_of(studio, cat, lambda name: name not in ("rubber", "liquid"))
    plain, changed = strike(studio, cat, **x), strike(studio, cat, **x, **given)  # type: ignore[arg-type]
    assert not np.array_equal(plain.waveform, changed.waveform)
    assert struck(changed).what_if == bool(set(given) & {"material", "size_factor"})
    assert struck(changed).state == struck(plain).state


def place_of(studio: Studio, cat: Image.Image, wanted: object) -> dict[str, float]:
    """x and y of some place that is taken for such a material."""
    found, grid = studio.materials(cat), studio.look(cat)
    for row, col in np.ndindex(found.codes.shape):
        if wanted(found.names[int(found.shares[row, col].argmax())]):  # type: ignore[operator]
            return dict(zip("xy", grid.centre(row, col), strict=True))
    raise AssertionError("no such place")


@pytest.fixture
def halfway(cat: Image.Image) -> tuple[Studio, tuple[float, float], tuple[float, float]]:
    """A studio that abstains at half of the places, one at which it does and one at which it doesn't."""
    studio = Studio.load("embedded")
    solid, grid = studio.materials(cat).solid, studio.look(cat)
    net = studio._tapping.adapter().net
    net.config = replace(net.config, threshold=float(np.median(solid)))
    nothing, something = (np.unravel_index(at, solid.shape) for at in (solid.argmin(), solid.argmax()))
    assert solid.min() < np.median(solid) < solid.max()
    return studio, grid.centre(*map(int, nothing)), grid.centre(*map(int, something))


def test_where_there_is_nothing_to_strike_it_is_silent(halfway, cat: Image.Image) -> None:
    studio, nothing, something = halfway
    silent = strike(studio, cat, *nothing, anyway=False)
    assert silent.silent and silent.blow is None and not silent.waveform.any() and not silent.evidence.labels
    assert silent.waveform.shape == (1, 16_000) and silent.waveform.dtype == np.float32
    told_to = strike(studio, cat, *nothing)
    assert not told_to.silent and told_to.waveform.any() and told_to.presence == silent.presence
    solid = strike(studio, cat, *something, anyway=False)
    assert not solid.silent and solid.waveform.any()


def test_scenes_strike_what_is_solid(halfway, cat: Image.Image) -> None:
    studio, _, _ = halfway
    solid = studio.materials(cat).solid
    scene = studio.scene(cat, path="tap", seconds=1, stems=3, force=30)
    assert 1 <= len(scene.stems) <= 3 and not scene.silent
    for stem in scene.stems:
        assert solid[stem.heard.row, stem.heard.col] >= studio._tapping.adapter().threshold
        assert struck(stem.heard).force_n == 30
    total = sum(stem.gain * stem.heard.waveform for stem in scene.stems)
    assert np.allclose(total, scene.waveform, atol=1e-6) and np.abs(scene.waveform).max() <= PEAK + 1e-6
    assert len({stem.gain for stem in scene.stems}) == 1  # louder things stay louder
    studio._tapping.adapter().net.config = replace(studio._tapping.adapter().net.config, threshold=1.1)
    assert studio.scene(cat, path="tap", seconds=1).silent


def test_a_soft_scene_is_not_raised(studio: Studio, cat: Image.Image) -> None:
    heard = strike(studio, cat)
    soft = replace(heard, waveform=0.1 * heard.waveform / np.abs(heard.waveform).max())
    assert np.abs(struck_together([soft], 16_000).waveform).max() == pytest.approx(0.1)
    loud = replace(heard, waveform=heard.waveform / np.abs(heard.waveform).max())
    assert np.abs(struck_together([loud, loud], 16_000).waveform).max() == pytest.approx(PEAK)
    assert struck_together([], 100).waveform.shape == (1, 100)


def test_sweeps_strike_along_a_row(studio: Studio, cat: Image.Image) -> None:
    row = studio.sweep(cat, 2, path="tap", seconds=1, anyway=True, mallet="finger")
    some = [next(row) for _ in range(3)]
    assert [(heard.row, heard.col) for heard in some] == [(2, 0), (2, 1), (2, 2)]
    assert all(struck(heard).mallet == "finger" for heard in some)


def test_the_material_map(studio: Studio, cat: Image.Image) -> None:
    found, grid = studio.materials(cat), studio.look(cat)
    assert found.shares.shape == (grid.rows, grid.cols, len(MATERIALS))
    heard = strike(studio, cat)
    assert found.solid[heard.row, heard.col] == pytest.approx(heard.presence)
    adapter = studio._tapping.adapter()
    read = adapter.shares(adapter.read(grid))[heard.row * grid.cols + heard.col].numpy()
    assert found.shares[heard.row, heard.col] == pytest.approx(read, abs=1e-5)


def test_a_photograph_is_read_once_and_a_place_is_looked_at_closer_once(
    cat: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = Studio.load("embedded")
    adapter, times = studio._tapping.adapter(), []
    read = adapter.read
    monkeypatch.setattr(adapter, "read", lambda grid: times.append(grid.key) or read(grid))
    for x in (20, 200, 300):
        for force in (3, 30):
            strike(studio, cat, x=x, force=force)
    whole = studio.look(cat).key
    studio.materials(cat.copy())
    assert times.count(whole) == 1 and len(set(times)) == len(times) == 4
    strike(studio, cat.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert len(set(times)) == len(times) == 6 < KEPT_READINGS


def test_people_at_once_hear_their_own(studio: Studio, cat: Image.Image) -> None:
    alone = [strike(studio, cat, x=100.0 + 50 * k, seed=k).waveform for k in range(3)]
    with ThreadPoolExecutor(3) as pool:
        calls = pool.map(lambda k: strike(studio, cat, x=100.0 + 50 * (k % 3), seed=k % 3), range(9))
        for k, heard in enumerate(calls):
            assert np.array_equal(heard.waveform, alone[k % 3])


def test_memory_stays_flat(studio: Studio, cat: Image.Image) -> None:
    """Nothing of a click is kept: the same tensors live after two hundred as after a few."""

    def alive(clicks: int) -> Counter[tuple[int, ...]]:
        for number in range(clicks):
            strike(studio, cat, x=20.0 + 2 * number, y=10 + number, seed=number, material=MATERIALS[number % 13])
        gc.collect()
        return Counter(tuple(one.shape) for one in gc.get_objects() if type(one) is torch.Tensor)

    studio._tapping.warm()  # tables that are kept for good
    few = alive(KEPT_LOOKS + 6)  # looks at places that are kept for a while
    assert alive(200) == few


def test_warming_loads_the_adapter(cat: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    studio = Studio.load("embedded")
    monkeypatch.setattr(studio, "_require_mapper", lambda: None)
    monkeypatch.setattr(studio, "_ears", lambda: None)
    studio.warm()
    assert studio._tapping._adapter is not None
