"""Impact pipeline through the studio, with a tiny random predictor: seeds, places, silence, scenes, caches, memory."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from synesthesia import Studio
from synesthesia.core import checkpoints, presets
from synesthesia.core.errors import UserError
from synesthesia.core.results import Heard
from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.crop_refine import refine_with_crop
from synesthesia.impact.pipeline import CACHED_CLICKS, CACHED_IMAGES, PEAK, mix_strikes
from synesthesia.impact.render import StrikeParams, render_impact
from synesthesia.services import Services
from synesthesia.vision.grid import patch_seed
from tests.impact.tiny import impact_of, strike, write_tap

pytestmark = pytest.mark.usefixtures("tiny_checkpoints")


@pytest.mark.parametrize("seconds", [1.0, 2.345, 10.0])
def test_a_click_strikes(studio: Studio, cat: Image.Image, seconds: float) -> None:
    heard = strike(studio, cat, seconds=seconds, force=12, mallet="metal")
    assert heard.waveform.shape == (1, round(seconds * 16_000)) and heard.waveform.dtype == np.float32
    assert 0 < np.abs(heard.waveform).max() <= 1 and heard.waveform[0, -1] == 0
    assert (impact_of(heard).force_n, impact_of(heard).mallet) == (12.0, "metal")
    assert not heard.silent and heard.tokens is None and 0 <= heard.presence <= 1
    assert [one.label for one in heard.evidence.labels] == [one.label for one in impact_of(heard).state.materials]
    assert set(MATERIALS) == {one.label for one in heard.evidence.labels}
    assert impact_of(heard).envelope.shape == (int(seconds * 100),)
    assert (heard.row, heard.col) == studio.look(cat).cell(200, 100)


def fresh_studio(studio: Studio) -> Studio:
    """With a predictor and caches of its own."""
    services = Services(studio.preset)
    services.vision = studio.services.vision
    return Studio(studio.preset, services)


class ImpactAlone(Services):
    @property
    def image_to_sound(self) -> None:  # type: ignore[override]
        raise AssertionError("a strike needs neither prior nor tagger nor vocoder")


def test_no_other_path_is_loaded(cat: Image.Image) -> None:
    studio = Studio(presets.embedded(), ImpactAlone(presets.embedded()))
    assert strike(studio, cat).waveform.any()
    assert studio.materials(cat).solid.shape == (16, 24)
    assert next(studio.sweep(cat, 3, path="tap", seconds=1)).row == 3
    assert studio.scene(cat, path="tap", seconds=1, stems=2).waveform.shape == (1, 16_000)
    *_, last = studio.hear_steps(cat, 200, 100, path="tap", seconds=1, anyway=True)
    assert isinstance(last, Heard) and last.blow is not None


def test_it_needs_no_mapper_of_the_preset(
    studio: Studio, cat: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tap(tmp_path, name="tap_hub")
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
    services = Services(presets.hub())
    services.vision = studio.services.earlier_vision  # that of the hub would be fetched
    other = Studio(presets.hub(), services)
    assert strike(other, cat).waveform.any()
    with pytest.raises(UserError, match=r"training\.image_to_sound\.train"):
        other.hear(cat, 200, 100)


def test_seeds_and_places(studio: Studio, cat: Image.Image) -> None:
    first, again, other, aside = (strike(studio, cat, **given) for given in (
        {"seed": 5}, {"seed": 5}, {"seed": 6}, {"seed": 5, "x": 230},
    ))  # type: ignore[arg-type]  # fmt: skip
    assert np.array_equal(first.waveform, again.waveform)
    assert not np.array_equal(first.waveform, other.waveform)
    assert impact_of(first).state == impact_of(other).state
    assert not np.array_equal(first.waveform, aside.waveform)
    theirs = strike(Studio.load("embedded"), cat, seed=5)
    assert np.array_equal(first.waveform, theirs.waveform) and first.recipe == theirs.recipe


def test_a_click_renders_the_refined_posterior_with_the_seed_of_its_patch(studio: Studio, cat: Image.Image) -> None:
    heard, grid = strike(studio, cat, seed=3, force=20, material="glass"), studio.look(cat)
    predictor = studio.services.impact.predictor
    params = StrikeParams(20.0, "wood", 1.0, patch_seed(3, grid.key, heard.row, heard.col), "glass", 1.0)
    x, y = heard.recipe.x, heard.recipe.y
    encoder = studio.services.earlier_vision
    grid = encoder.encode(cat.convert("RGB"))
    posterior, encode = predictor.predict(grid), encoder.encode_stage_maps
    near = refine_with_crop(predictor, encode, cat.convert("RGB"), grid, posterior, x, y)
    by_hand, impact = render_impact(predictor, near, 0, params, 16_000)
    assert np.array_equal(heard.waveform[0], by_hand)
    assert impact_of(heard).state == impact.state and impact_of(heard).material == "glass"
    assert heard.presence == float(predictor.solid_probability(posterior)[heard.row * grid.cols + heard.col])


@pytest.mark.parametrize("given", [{"force": 40}, {"mallet": "finger"}, {"material": "rubber"}, {"size_factor": 2}])
def test_every_setting_matters(studio: Studio, cat: Image.Image, given: dict[str, object]) -> None:
    x = a_place(studio, cat, lambda name: name not in ("rubber", "liquid"))
    plain, changed = strike(studio, cat, **x), strike(studio, cat, **x, **given)  # type: ignore[arg-type]
    assert not np.array_equal(plain.waveform, changed.waveform)
    assert impact_of(changed).what_if == bool(set(given) & {"material", "size_factor"})
    assert impact_of(changed).state == impact_of(plain).state


def a_place(studio: Studio, cat: Image.Image, accepted: Callable[[str], bool]) -> dict[str, float]:
    """x and y of the first patch whose likeliest material is accepted."""
    found, grid = studio.materials(cat), studio.look(cat)
    for row, col in np.ndindex(found.codes.shape):
        if accepted(found.names[int(found.shares[row, col].argmax())]):
            return dict(zip("xy", grid.centre(row, col), strict=True))
    raise AssertionError("no such place")


@pytest.fixture
def halfway(studio: Studio, cat: Image.Image) -> tuple[Studio, tuple[float, float], tuple[float, float]]:
    """A studio that abstains at half of the patches, a place at which it does and one at which it doesn't."""
    studio = fresh_studio(studio)
    solid, grid = studio.materials(cat).solid, studio.look(cat)
    net = studio.services.impact.predictor.net
    net.config = replace(net.config, threshold=float(np.median(solid)))
    nothing, something = (np.unravel_index(at, solid.shape) for at in (solid.argmin(), solid.argmax()))
    assert solid.min() < np.median(solid) < solid.max()
    return studio, grid.centre(*map(int, nothing)), grid.centre(*map(int, something))


def test_where_there_is_nothing_to_strike_it_is_silent(halfway, cat: Image.Image) -> None:
    studio, nothing, something = halfway
    silent = strike(studio, cat, *nothing, anyway=False)
    assert silent.silent and silent.blow is None and not silent.waveform.any() and not silent.evidence.labels
    assert silent.waveform.shape == (1, 16_000) and silent.waveform.dtype == np.float32
    anyway = strike(studio, cat, *nothing)
    assert not anyway.silent and anyway.waveform.any() and anyway.presence == silent.presence
    solid = strike(studio, cat, *something, anyway=False)
    assert not solid.silent and solid.waveform.any()


def test_scenes_strike_what_is_solid(halfway, cat: Image.Image) -> None:
    studio, _, _ = halfway
    solid = studio.materials(cat).solid
    scene = studio.scene(cat, path="tap", seconds=1, stems=3, force=30)
    assert 1 <= len(scene.stems) <= 3 and not scene.silent
    for stem in scene.stems:
        assert solid[stem.heard.row, stem.heard.col] >= studio.services.impact.threshold
        assert impact_of(stem.heard).force_n == 30
    total = sum(stem.gain * stem.heard.waveform for stem in scene.stems)
    assert np.allclose(total, scene.waveform, atol=1e-6) and np.abs(scene.waveform).max() <= PEAK + 1e-6
    assert len({stem.gain for stem in scene.stems}) == 1  # louder objects stay louder
    net = studio.services.impact.predictor.net
    net.config = replace(net.config, threshold=1.1)
    assert studio.scene(cat, path="tap", seconds=1).silent


def test_a_soft_scene_is_not_amplified(studio: Studio, cat: Image.Image) -> None:
    heard = strike(studio, cat)
    soft = replace(heard, waveform=0.1 * heard.waveform / np.abs(heard.waveform).max())
    assert np.abs(mix_strikes([soft], 16_000).waveform).max() == pytest.approx(0.1)
    loud = replace(heard, waveform=heard.waveform / np.abs(heard.waveform).max())
    assert np.abs(mix_strikes([loud, loud], 16_000).waveform).max() == pytest.approx(PEAK)
    assert mix_strikes([], 100).waveform.shape == (1, 100)


def test_sweeps_strike_along_a_row(studio: Studio, cat: Image.Image) -> None:
    row = studio.sweep(cat, 2, path="tap", seconds=1, anyway=True, mallet="finger")
    some = [next(row) for _ in range(3)]
    assert [(heard.row, heard.col) for heard in some] == [(2, 0), (2, 1), (2, 2)]
    assert all(impact_of(heard).mallet == "finger" for heard in some)


def test_the_material_map(studio: Studio, cat: Image.Image) -> None:
    found, grid = studio.materials(cat), studio.services.earlier_vision.encode(cat.convert("RGB"))
    assert found.shares.shape == (grid.rows, grid.cols, len(MATERIALS))
    heard = strike(studio, cat)
    assert found.solid[heard.row, heard.col] == pytest.approx(heard.presence)
    predictor = studio.services.impact.predictor
    probabilities = predictor.material_probabilities(predictor.predict(grid))[heard.row * grid.cols + heard.col].numpy()
    assert found.shares[heard.row, heard.col] == pytest.approx(probabilities, abs=1e-5)


def test_photographs_and_clicks_are_predicted_once(
    studio: Studio, cat: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = fresh_studio(studio)
    predictor, keys = studio.services.impact.predictor, list[str]()
    predict = predictor.predict
    monkeypatch.setattr(predictor, "predict", lambda grid: keys.append(grid.key) or predict(grid))
    for x in (20, 200, 300):
        for force in (3, 30):
            strike(studio, cat, x=x, force=force)
    whole = studio.look(cat).key
    studio.materials(cat.copy())
    assert keys.count(whole) == 1 and len(set(keys)) == len(keys) == 4
    strike(studio, cat.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert len(set(keys)) == len(keys) == 6 < CACHED_IMAGES


def test_simultaneous_callers_get_their_own_sounds(studio: Studio, cat: Image.Image) -> None:
    alone = [strike(studio, cat, x=100.0 + 50 * k, seed=k).waveform for k in range(3)]
    with ThreadPoolExecutor(3) as pool:
        calls = pool.map(lambda k: strike(studio, cat, x=100.0 + 50 * (k % 3), seed=k % 3), range(9))
        for k, heard in enumerate(calls):
            assert np.array_equal(heard.waveform, alone[k % 3])


@pytest.mark.slow
def test_memory_stays_flat(studio: Studio, cat: Image.Image) -> None:
    """Nothing of a click is kept: as many tensors live after two hundred as after a few."""

    def alive(clicks: int) -> Counter[tuple[int, ...]]:
        for number in range(clicks):
            strike(studio, cat, x=20.0 + 2 * number, y=10 + number, seed=number, material=MATERIALS[number % 13])
        gc.collect()
        return Counter(tuple(one.shape) for one in gc.get_objects() if type(one) is torch.Tensor)

    studio.services.impact.warm()  # what is cached for good
    few = alive(CACHED_CLICKS + 6)  # refined posteriors are cached for a while
    assert alive(200) == few


def test_warming_loads_the_predictor() -> None:
    class NoSoundModels:
        def require(self) -> None: ...

        def warm(self) -> None: ...

    services = Services(presets.embedded())
    services.image_to_sound = NoSoundModels()  # type: ignore[assignment]
    Studio(presets.embedded(), services).warm()
    assert "predictor" in vars(services.impact)
