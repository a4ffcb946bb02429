"""From a state to the blow: seeds, force, what ifs, and an envelope that is told before there are samples."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from synesthesia.core.results import Impact
from synesthesia.impact.hypotheses import clamp_to_valid, mode_hypothesis, sample
from synesthesia.impact.mbr import select
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.things import MATERIALS, SHAPES, MaterialName, PhysicalObject
from synesthesia.impact.predictor import ImpactPredictor
from synesthesia.impact.render import DOUBTS, FADE_S, StrikeParams, counterfactual, fade_out, render_impact
from tests.impact.modal.bodies import THINGS, core_seconds, of_material
from tests.impact.tiny import a_grid, a_reading, an_adapter

RATE_HZ = 16_000
USUAL = StrikeParams(8.0, "wood", 1.0, seed=5)
PLATE, BOTTLE = THINGS["plate"], THINGS["bottle"]


@pytest.fixture(scope="module")
def adapter() -> ImpactPredictor:
    return an_adapter()


def struck(adapter: ImpactPredictor, thing: PhysicalObject, **changed: object) -> tuple[np.ndarray, Impact]:
    return render_impact(adapter, a_reading(adapter, thing), 0, replace(USUAL, **changed), RATE_HZ)  # type: ignore[arg-type]


def level_db(waveform: np.ndarray) -> float:
    return 10 * math.log10(float(np.square(waveform, dtype=np.float64).mean()))


def t60_s(waveform: np.ndarray) -> float:
    """From the slope of the energy still to come between -5 and -25 dB (Schroeder 1965)."""
    left = np.cumsum(np.square(waveform[::-1], dtype=np.float64))[::-1]
    decibels = 10 * np.log10(left / left[0] + 1e-15)
    return 3 * (int(np.argmax(decibels < -25)) - int(np.argmax(decibels < -5))) / RATE_HZ


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("material", ["metal", "fabric", "liquid"])
def test_a_blow_keeps_the_contract(adapter: ImpactPredictor, shape: str, material: MaterialName) -> None:
    waveform, told = struck(adapter, of_material(THINGS[shape], material), seconds=1.234)  # type: ignore[index]
    assert waveform.dtype == np.float32 and waveform.shape == (round(1.234 * RATE_HZ),)
    assert np.isfinite(waveform).all() and 1e-4 < np.abs(waveform).max() <= 1
    assert waveform[-1] == 0
    assert (told.material, told.what_if) == (material, False)
    assert told.shape == select(adapter, a_reading(adapter, of_material(THINGS[shape], material)), 0).thing.shape  # type: ignore[index]
    assert told.size_m == told.state.size_m.value and told.thickness_m == pytest.approx(told.state.thickness_m.value)
    assert told.frequencies_hz.shape == told.t60_s.shape == told.gains.shape
    assert {part.dtype for part in (told.frequencies_hz, told.t60_s, told.gains, told.envelope)} == {np.dtype("f4")}
    assert told.envelope.shape == told.envelope_low.shape == told.envelope_high.shape == (123,)
    assert told.frame_s == 0.01
    assert (told.envelope_low <= told.envelope).all() and (told.envelope <= told.envelope_high).all()
    assert (told.envelope_low >= 0).all() and np.isfinite(told.envelope_high).all()
    if material != "liquid":
        assert (np.diff(told.frequencies_hz) >= 0).all()


@pytest.mark.parametrize("material", ["metal", "wood", "plastic", "cardboard"])
def test_same_seed_same_samples_other_seed_another_blow(adapter: ImpactPredictor, material: MaterialName) -> None:
    thing = of_material(PLATE, material)
    (first, said), (again, _), (other, also) = (struck(adapter, thing, seed=seed) for seed in (1, 1, 2**47))
    assert np.array_equal(first, again)
    assert 0.5 < np.corrcoef(first, other)[0, 1] < 0.9999
    assert abs(level_db(first) - level_db(other)) < 2
    assert said.state == also.state and np.array_equal(said.frequencies_hz, also.frequencies_hz)
    assert np.array_equal(said.envelope_high, also.envelope_high), "what a place may be does not hang on the seed"
    assert not np.array_equal(said.gains, also.gains)


@pytest.mark.parametrize("material", MATERIALS)
def test_harder_is_louder(adapter: ImpactPredictor, material: MaterialName) -> None:
    levels, told = [], []
    for force in (0.5, 2.0, 8.0, 32.0):
        waveform, said = struck(adapter, of_material(BOTTLE, material), force_n=force)
        levels.append(level_db(waveform))
        told.append(level_db(said.envelope))
    assert (np.diff(levels) > 3).all() and (np.diff(told) > 3).all()


def test_what_if_it_were_rubber_or_glass(adapter: ImpactPredictor) -> None:
    seen = struck(adapter, of_material(PLATE, "wood"))
    (thud, soft), (ring, hard) = (struck(adapter, of_material(PLATE, "wood"), material=name)
                                  for name in ("rubber", "glass"))  # fmt: skip
    assert (soft.material, hard.material) == ("rubber", "glass") and soft.what_if and hard.what_if
    assert soft.state == hard.state == seen[1].state and not seen[1].what_if
    assert hard.t60_s[0] > 5 * soft.t60_s[0] and np.median(hard.t60_s) > 2 * np.median(soft.t60_s)
    assert t60_s(ring) > 3 * t60_s(thud)
    assert t60_s(seen[0]) < t60_s(ring)
    assert (soft.size_m, soft.thickness_m) == (hard.size_m, hard.thickness_m)


def test_what_if_of_its_own_material_changes_nothing_but_the_word(adapter: ImpactPredictor) -> None:
    (seen, _), (same, told) = (struck(adapter, BOTTLE, material=name) for name in ("", "glass"))
    assert np.array_equal(seen, same) and told.what_if


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_as_large_halves_the_lowest_frequencies(adapter: ImpactPredictor, shape: str) -> None:
    thing = of_material(replace(THINGS[shape], size_m=0.25), "plastic")  # type: ignore[index]
    (_, once), (_, twice) = (struck(adapter, thing, size_factor=factor) for factor in (1.0, 2.0))
    assert twice.size_m == pytest.approx(2 * once.size_m) and twice.what_if
    assert twice.thickness_m == pytest.approx(2 * once.thickness_m)
    low, lower = (told.frequencies_hz[told.gains > 0][:6] for told in (once, twice))
    assert low[0] > 40 and len(low) == len(lower) == 6
    assert 2 * lower == pytest.approx(low, rel=1e-3)


def test_nothing_becomes_larger_or_smaller_than_things_are(adapter: ImpactPredictor) -> None:
    for factor, size in ((4.0, 2.0), (0.25, 0.03)):
        thing = replace(PLATE, size_m=1.5 if factor > 1 else 0.05)
        waveform, told = struck(adapter, thing, size_factor=factor)
        assert told.size_m == pytest.approx(size) and waveform.any()
        assert told.thickness_m / told.size_m == pytest.approx(
            told.state.thickness_m.value / told.state.size_m.value, rel=1e-3
        )


def test_the_envelope_follows_the_sound(adapter: ImpactPredictor) -> None:
    """Median over the frames that are heard within 3 dB, for nine things in ten."""
    apart = []
    for shape in SHAPES:
        for material in MATERIALS[:-1]:  # a liquid's bubbles come when they come
            waveform, told = struck(adapter, of_material(THINGS[shape], material))
            frames = waveform[:-320].reshape(-1, 160).astype(np.float64)  # without what was faded
            measured = np.sqrt(np.square(frames).mean(axis=1))
            heard = measured > measured.max() * 1e-3
            apart.append(np.median(np.abs(20 * np.log10(told.envelope[: len(measured)][heard] / measured[heard]))))
    assert np.median(apart) < 1.8 and np.quantile(apart, 0.9) < 3, np.round(np.sort(apart)[-10:], 1)


def test_the_band_is_as_wide_as_the_doubt(adapter: ImpactPredictor) -> None:
    def width_db(spread: float) -> float:
        told = render_impact(adapter, a_reading(adapter, BOTTLE, spread=spread), 0, USUAL, RATE_HZ)[1]
        return float(np.median(20 * np.log10(told.envelope_high[:20] / told.envelope_low[:20])))

    assert width_db(4.0) > 1.3 * width_db(0.3) > 0.1


def test_the_band_holds_most_of_what_the_place_may_be(adapter: ImpactPredictor) -> None:
    """Of other draws than those it was made from."""
    from synesthesia.impact.render import envelopes

    read = a_reading(adapter, BOTTLE, spread=1.5)
    told = render_impact(adapter, read, 0, USUAL, RATE_HZ)[1]
    random = torch.Generator().manual_seed(77)
    others = envelopes(sample(adapter, read, 0, 60, random), USUAL, 100, RATE_HZ).numpy()
    inside = ((others >= told.envelope_low * 0.999) & (others <= told.envelope_high * 1.001))[:, :15]
    assert 0.6 < inside.mean() < 0.99, inside.mean()


def test_doubts_are_drawn_as_often_as_they_are_likely(adapter: ImpactPredictor) -> None:
    read, random = a_reading(adapter, BOTTLE), torch.Generator().manual_seed(1)
    guesses = sample(adapter, read, 0, 300, random)
    share = np.mean([guess.thing.material == "glass" for guess in guesses])
    glass = adapter.net.codebook.called()[0] == MATERIALS.index("glass")
    assert abs(share - float(read.codes[0].exp()[glass].sum())) < 0.06
    sizes = np.array([guess.thing.size_m for guess in guesses])
    low, high = (float(value) for value in (np.quantile(sizes, 0.05), np.quantile(sizes, 0.95)))
    state = adapter.state(read, 0, mode_hypothesis(adapter, read, 0)).size_m
    assert low == pytest.approx(state.low, rel=0.1) and high == pytest.approx(state.high, rel=0.1)


def test_a_random_net_strikes_every_place(adapter: ImpactPredictor) -> None:
    read = adapter.read(a_grid(seed=4))
    for patch in range(0, 48, 5):
        for hit in (USUAL, replace(USUAL, material="metal", size_factor=4.0), replace(USUAL, size_factor=0.25)):
            waveform, told = render_impact(adapter, read, patch, hit, RATE_HZ)
            assert np.isfinite(waveform).all() and 0 < np.abs(waveform).max() <= 1
            assert np.isfinite(told.t60_s).all() and (told.t60_s > 0).all()


def test_likeliest_takes_medians_and_the_codes_own_properties(adapter: ImpactPredictor) -> None:
    guess = mode_hypothesis(adapter, a_reading(adapter, BOTTLE, spread=0.3), 0)
    assert (guess.thing.material, guess.thing.shape) == ("glass", "bottle")
    assert float(guess.properties.youngs_modulus_pa) == pytest.approx(70e9, rel=0.02)
    same = counterfactual(guess, USUAL)
    assert same == guess
    other = counterfactual(guess, replace(USUAL, material="wood"))
    assert float(other.properties.density) == float(Properties.of(["wood"]).density)


def test_possible_things() -> None:
    odd = clamp_to_valid(PhysicalObject("wood", "bowl", 9.0, 0.1, 0.5, 3.0))
    assert odd == PhysicalObject("wood", "bowl", 2.0, 0.1, 0.1, 0.1)
    assert clamp_to_valid(PhysicalObject("wood", "bar", 0.2, 1.0, 0.5, 0.001)).thickness_m == pytest.approx(0.1)
    for thing in THINGS.values():
        kept = clamp_to_valid(thing)
        assert (kept.size_m, kept.middle, kept.least) == (thing.size_m, thing.middle, thing.least)


def test_a_sound_that_still_rings_is_brought_to_zero() -> None:
    ones = np.ones(RATE_HZ, dtype=np.float32)
    out = fade_out(ones, RATE_HZ)
    count = round(FADE_S * RATE_HZ)
    assert out[-1] == 0 and (np.diff(out[-count:]) < 0).all() and np.array_equal(out[:-count], ones[:-count])
    assert np.abs(np.diff(out)).max() < 0.01 and ones.all()
    assert fade_out(np.ones(3, np.float32), RATE_HZ)[-1] == 0


def test_a_blow_is_made_in_time(adapter: ImpactPredictor) -> None:
    """On one core, the doubts of its envelope included."""
    assert DOUBTS >= 12
    for shape in SHAPES:
        read = a_reading(adapter, THINGS[shape])
        hit = replace(USUAL, seconds=1.5)
        assert core_seconds(lambda: render_impact(adapter, read, 0, hit, RATE_HZ)) < 0.2, shape  # noqa: B023
