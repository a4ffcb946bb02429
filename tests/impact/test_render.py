"""Impact rendering: seeds, force, counterfactuals, and an envelope that is predicted before there are samples."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from synesthesia.core.results import Impact
from synesthesia.core.vocabulary import MATERIALS, SHAPES, MaterialName
from synesthesia.impact.mbr import select
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import PhysicalObject
from synesthesia.impact.predictor import ImpactPredictor, clamp_to_valid, mode_hypothesis, sample_hypotheses
from synesthesia.impact.render import (
    BAND_SAMPLES,
    FADE_S,
    StrikeParams,
    counterfactual,
    expected_envelopes,
    fade_out,
    render_impact,
)
from tests.impact.modal.bodies import OBJECTS, core_seconds, of_material
from tests.impact.tiny import posterior_for, random_grid

RATE_HZ = 16_000
USUAL = StrikeParams(8.0, "wood", 1.0, seed=5)
PLATE, BOTTLE = OBJECTS["plate"], OBJECTS["bottle"]


def struck(predictor: ImpactPredictor, item: PhysicalObject, **changed: object) -> tuple[np.ndarray, Impact]:
    return render_impact(predictor, posterior_for(predictor, item), 0, replace(USUAL, **changed), RATE_HZ)  # type: ignore[arg-type]


def level_db(waveform: np.ndarray) -> float:
    return 10 * math.log10(float(np.square(waveform, dtype=np.float64).mean()))


def t60_s(waveform: np.ndarray) -> float:
    """From the slope of the backward-integrated energy between -5 and -25 dB (Schroeder 1965)."""
    left = np.cumsum(np.square(waveform[::-1], dtype=np.float64))[::-1]
    decibels = 10 * np.log10(left / left[0] + 1e-15)
    return 3 * (int(np.argmax(decibels < -25)) - int(np.argmax(decibels < -5))) / RATE_HZ


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("material", ["metal", "fabric", "liquid"])
def test_a_strike_keeps_the_contract(predictor: ImpactPredictor, shape: str, material: MaterialName) -> None:
    waveform, impact = struck(predictor, of_material(OBJECTS[shape], material), seconds=1.234)  # type: ignore[index]
    assert waveform.dtype == np.float32 and waveform.shape == (round(1.234 * RATE_HZ),)
    assert np.isfinite(waveform).all() and 1e-4 < np.abs(waveform).max() <= 1
    assert waveform[-1] == 0
    assert (impact.material, impact.what_if) == (material, False)
    assert (
        impact.shape == select(predictor, posterior_for(predictor, of_material(OBJECTS[shape], material)), 0).item.shape
    )  # type: ignore[index]
    assert impact.size_m == impact.state.size_m.value and impact.thickness_m == pytest.approx(
        impact.state.thickness_m.value
    )
    assert impact.frequencies_hz.shape == impact.t60_s.shape == impact.gains.shape
    assert {part.dtype for part in (impact.frequencies_hz, impact.t60_s, impact.gains, impact.envelope)} == {
        np.dtype("f4")
    }
    assert impact.envelope.shape == impact.envelope_low.shape == impact.envelope_high.shape == (123,)
    assert impact.frame_s == 0.01
    assert (impact.envelope_low <= impact.envelope).all() and (impact.envelope <= impact.envelope_high).all()
    assert (impact.envelope_low >= 0).all() and np.isfinite(impact.envelope_high).all()
    if material != "liquid":
        assert (np.diff(impact.frequencies_hz) >= 0).all()


@pytest.mark.parametrize("material", ["metal", "wood", "plastic", "cardboard"])
def test_same_seed_same_samples_other_seed_another_strike(predictor: ImpactPredictor, material: MaterialName) -> None:
    item = of_material(PLATE, material)
    (first, impact), (again, _), (other, also) = (struck(predictor, item, seed=seed) for seed in (1, 1, 2**47))
    assert np.array_equal(first, again)
    assert 0.5 < np.corrcoef(first, other)[0, 1] < 0.9999
    assert abs(level_db(first) - level_db(other)) < 2
    assert impact.state == also.state and np.array_equal(impact.frequencies_hz, also.frequencies_hz)
    assert np.array_equal(impact.envelope_high, also.envelope_high), "the band does not depend on the seed"
    assert not np.array_equal(impact.gains, also.gains)


@pytest.mark.parametrize("material", MATERIALS)
def test_harder_is_louder(predictor: ImpactPredictor, material: MaterialName) -> None:
    levels, predicted = [], []
    for force in (0.5, 2.0, 8.0, 32.0):
        waveform, impact = struck(predictor, of_material(BOTTLE, material), force_n=force)
        levels.append(level_db(waveform))
        predicted.append(level_db(impact.envelope))
    assert (np.diff(levels) > 3).all() and (np.diff(predicted) > 3).all()


def test_counterfactual_materials(predictor: ImpactPredictor) -> None:
    as_predicted, impact = struck(predictor, of_material(PLATE, "wood"))
    (thud, soft), (ring, hard) = (struck(predictor, of_material(PLATE, "wood"), material=name)
                                  for name in ("rubber", "glass"))  # fmt: skip
    assert (soft.material, hard.material) == ("rubber", "glass") and soft.what_if and hard.what_if
    assert soft.state == hard.state == impact.state and not impact.what_if
    assert hard.t60_s[0] > 5 * soft.t60_s[0] and np.median(hard.t60_s) > 2 * np.median(soft.t60_s)
    assert t60_s(ring) > 3 * t60_s(thud)
    assert t60_s(as_predicted) < t60_s(ring)
    assert (soft.size_m, soft.thickness_m) == (hard.size_m, hard.thickness_m)


def test_the_counterfactual_of_the_same_material_changes_only_the_flag(predictor: ImpactPredictor) -> None:
    (predicted, _), (same, impact) = (struck(predictor, BOTTLE, material=name) for name in ("", "glass"))
    assert np.array_equal(predicted, same) and impact.what_if


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_as_large_halves_the_lowest_frequencies(predictor: ImpactPredictor, shape: str) -> None:
    item = of_material(replace(OBJECTS[shape], size_m=0.25), "plastic")  # type: ignore[index]
    (_, once), (_, twice) = (struck(predictor, item, size_factor=factor) for factor in (1.0, 2.0))
    assert twice.size_m == pytest.approx(2 * once.size_m) and twice.what_if
    assert twice.thickness_m == pytest.approx(2 * once.thickness_m)
    low, lower = (impact.frequencies_hz[impact.gains > 0][:6] for impact in (once, twice))
    assert low[0] > 40 and len(low) == len(lower) == 6
    assert 2 * lower == pytest.approx(low, rel=1e-3)


def test_counterfactual_sizes_are_bounded(predictor: ImpactPredictor) -> None:
    for factor, size in ((4.0, 2.0), (0.25, 0.03)):
        item = replace(PLATE, size_m=1.5 if factor > 1 else 0.05)
        waveform, impact = struck(predictor, item, size_factor=factor)
        assert impact.size_m == pytest.approx(size) and waveform.any()
        assert impact.thickness_m / impact.size_m == pytest.approx(
            impact.state.thickness_m.value / impact.state.size_m.value, rel=1e-3
        )


def test_the_envelope_follows_the_sound(predictor: ImpactPredictor) -> None:
    """Median over the audible frames within 3 dB, for nine objects in ten."""
    apart = []
    for shape in SHAPES:
        for material in MATERIALS[:-1]:  # the bubbles of a liquid start at random
            waveform, impact = struck(predictor, of_material(OBJECTS[shape], material))
            frames = waveform[:-320].reshape(-1, 160).astype(np.float64)  # without the fade
            measured = np.sqrt(np.square(frames).mean(axis=1))
            heard = measured > measured.max() * 1e-3
            apart.append(np.median(np.abs(20 * np.log10(impact.envelope[: len(measured)][heard] / measured[heard]))))
    assert np.median(apart) < 1.8 and np.quantile(apart, 0.9) < 3, np.round(np.sort(apart)[-10:], 1)


def test_the_band_widens_with_the_posterior(predictor: ImpactPredictor) -> None:
    def width_db(spread: float) -> float:
        impact = render_impact(predictor, posterior_for(predictor, BOTTLE, spread=spread), 0, USUAL, RATE_HZ)[1]
        return float(np.median(20 * np.log10(impact.envelope_high[:20] / impact.envelope_low[:20])))

    assert width_db(4.0) > 1.3 * width_db(0.3) > 0.1


def test_the_band_holds_most_samples(predictor: ImpactPredictor) -> None:
    """Of other samples than those it was computed from."""
    posterior = posterior_for(predictor, BOTTLE, spread=1.5)
    impact = render_impact(predictor, posterior, 0, USUAL, RATE_HZ)[1]
    random = torch.Generator().manual_seed(77)
    others = expected_envelopes(sample_hypotheses(predictor, posterior, 0, 60, random), USUAL, 100, RATE_HZ).numpy()
    inside = ((others >= impact.envelope_low * 0.999) & (others <= impact.envelope_high * 1.001))[:, :15]
    assert 0.6 < inside.mean() < 0.99, inside.mean()


def test_samples_follow_the_posterior(predictor: ImpactPredictor) -> None:
    posterior, random = posterior_for(predictor, BOTTLE), torch.Generator().manual_seed(1)
    hypotheses = sample_hypotheses(predictor, posterior, 0, 300, random)
    share = np.mean([hypothesis.item.material == "glass" for hypothesis in hypotheses])
    glass = predictor.net.codebook.majority_material()[0] == MATERIALS.index("glass")
    assert abs(share - float(posterior.codes[0].exp()[glass].sum())) < 0.06
    sizes = np.array([hypothesis.item.size_m for hypothesis in hypotheses])
    low, high = (float(value) for value in (np.quantile(sizes, 0.05), np.quantile(sizes, 0.95)))
    state = predictor.physics_state(posterior, 0, mode_hypothesis(predictor, posterior, 0)).size_m
    assert low == pytest.approx(state.low, rel=0.1) and high == pytest.approx(state.high, rel=0.1)


def test_a_random_net_sounds_at_every_patch(predictor: ImpactPredictor) -> None:
    posterior = predictor.predict(random_grid(seed=4))
    for patch in range(0, 48, 5):
        for params in (USUAL, replace(USUAL, material="metal", size_factor=4.0), replace(USUAL, size_factor=0.25)):
            waveform, impact = render_impact(predictor, posterior, patch, params, RATE_HZ)
            assert np.isfinite(waveform).all() and 0 < np.abs(waveform).max() <= 1
            assert np.isfinite(impact.t60_s).all() and (impact.t60_s > 0).all()


def test_the_mode_has_median_extents_and_the_properties_of_its_code(predictor: ImpactPredictor) -> None:
    hypothesis = mode_hypothesis(predictor, posterior_for(predictor, BOTTLE, spread=0.3), 0)
    assert (hypothesis.item.material, hypothesis.item.shape) == ("glass", "bottle")
    assert float(hypothesis.properties.youngs_modulus_pa) == pytest.approx(70e9, rel=0.02)
    same = counterfactual(hypothesis, USUAL)
    assert same == hypothesis
    other = counterfactual(hypothesis, replace(USUAL, material="wood"))
    assert float(other.properties.density) == float(Properties.of(["wood"]).density)


def test_invalid_extents_are_clamped() -> None:
    odd = clamp_to_valid(PhysicalObject("wood", "bowl", 9.0, 0.1, 0.5, 3.0))
    assert odd == PhysicalObject("wood", "bowl", 2.0, 0.1, 0.1, 0.1)
    assert clamp_to_valid(PhysicalObject("wood", "bar", 0.2, 1.0, 0.5, 0.001)).thickness_m == pytest.approx(0.1)
    for item in OBJECTS.values():
        kept = clamp_to_valid(item)
        assert (kept.size_m, kept.middle, kept.least) == (item.size_m, item.middle, item.least)


def test_a_sound_that_still_rings_fades_out() -> None:
    ones = np.ones(RATE_HZ, dtype=np.float32)
    out = fade_out(ones, RATE_HZ)
    count = round(FADE_S * RATE_HZ)
    assert out[-1] == 0 and (np.diff(out[-count:]) < 0).all() and np.array_equal(out[:-count], ones[:-count])
    assert np.abs(np.diff(out)).max() < 0.01 and ones.all()
    assert fade_out(np.ones(3, np.float32), RATE_HZ)[-1] == 0


def test_a_strike_is_rendered_in_time(predictor: ImpactPredictor) -> None:
    """On one core, the envelope's band included."""
    assert BAND_SAMPLES >= 12
    for shape in SHAPES:
        posterior = posterior_for(predictor, OBJECTS[shape])
        params = replace(USUAL, seconds=1.5)
        assert core_seconds(lambda: render_impact(predictor, posterior, 0, params, RATE_HZ)) < 0.2, shape  # noqa: B023
