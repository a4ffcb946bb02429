"""Whole strikes: the sound, and how it changes with force, mallet, strike point, seed and object."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from synesthesia.core.errors import UserError
from synesthesia.core.vocabulary import MALLETS, MATERIALS, SHAPES, MalletName, MaterialName, ShapeName
from synesthesia.impact.modal import materials, solids
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.modal_bank import sample_bubbles
from synesthesia.impact.modal.objects import PhysicalObject, StrikePoint
from synesthesia.impact.modal.strike import (
    CEILING,
    KNEE,
    MODE_COUNT,
    StruckSound,
    Variation,
    a_weighting,
    excite_modes,
    soft_limit_peak,
    strike,
    synthesize,
)
from synesthesia.impact.modal.vibration import Body
from tests.impact.modal.bodies import OBJECTS, core_seconds, of_material, scaled

POINT = StrikePoint(0.31, 0.42)


def hit(
    item: PhysicalObject, force_n: float = 5.0, seed: int = 0, mallet: str = "wood", point: StrikePoint = POINT
) -> StruckSound:
    return strike(item, point, force_n=force_n, mallet=mallet, seconds=0.6, seed=seed)  # type: ignore[arg-type]


def hits(item: PhysicalObject, forces_n: tuple[float, ...], mallet: MalletName) -> np.ndarray:
    """(len(forces_n), samples) of `hit`, in one batch."""
    count = len(forces_n)
    excited = excite_modes(
        [item.shape] * count, Body.of([item] * count), Properties.of([item.material] * count),
        torch.tensor([[POINT.along, POINT.across]] * count), torch.tensor(forces_n), mallet,
        variation=Variation.sample(1, MODE_COUNT, 0),
    )  # fmt: skip
    return synthesize(excited, 0.6).numpy()


def level_db(struck: StruckSound) -> float:
    return 10 * math.log10(float(np.square(struck.waveform, dtype=np.float64).mean()))


def centroid_hz(struck: StruckSound) -> float:
    power = np.abs(np.fft.rfft(struck.waveform)) ** 2
    return float((power * np.fft.rfftfreq(len(struck.waveform), 1 / 16_000)).sum() / power.sum())


def t60_s(struck: StruckSound) -> float:
    """From the slope of the backward-integrated energy between -5 and -25 dB (Schroeder 1965)."""
    left = np.cumsum(np.square(struck.waveform[::-1], dtype=np.float64))[::-1]
    decibels = 10 * np.log10(left / left[0] + 1e-15)
    return 3 * (int(np.argmax(decibels < -25)) - int(np.argmax(decibels < -5))) / 16_000


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("material", MATERIALS)
def test_every_object_sounds_at_any_size_and_never_clips(shape: ShapeName, material: MaterialName) -> None:
    for size, mallet, force in ((0.03, "metal", 50.0), (0.3, "finger", 0.5), (2.0, "wood", 50.0)):
        item = scaled(of_material(OBJECTS[shape], material), size / OBJECTS[shape].size_m)
        struck = hit(item, force, mallet=mallet)
        assert struck.waveform.dtype == np.float32 and len(struck.waveform) == 9600
        assert np.isfinite(struck.waveform).all()
        assert 1e-4 < float(np.abs(struck.waveform).max()) <= CEILING  # -80 dBFS at half a newton


@pytest.mark.parametrize("material", [name for name in MATERIALS if name != "liquid"])
def test_louder_with_force_by_about_six_decibels(material: MaterialName) -> None:
    forces = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 50.0)
    for shape in ("plate", "bottle"):
        for mallet in MALLETS:
            item = of_material(OBJECTS[shape], material)  # type: ignore[index]
            waveforms = hits(item, forces, mallet)
            steps = np.diff(10 * np.log10(np.square(waveforms, dtype=np.float64).mean(axis=1)))
            assert (steps > 0).all(), (shape, mallet, steps)
            free = (np.abs(waveforms).max(axis=1) < KNEE)[1:-1]
            assert ((steps[:-1] > 4.5) & (steps[:-1] < 9.5))[free].all(), (shape, mallet, steps)


def test_liquid_is_louder_with_force() -> None:
    levels = [level_db(hit(of_material(OBJECTS["bowl"], "liquid"), force)) for force in (0.5, 2.0, 8.0, 32.0)]
    assert all(high > low + 6 for low, high in pairwise(levels))


def test_hard_struck_metal_is_loudest_and_soft_fabric_is_audible() -> None:
    pot = PhysicalObject("metal", "hollow", 0.25, 0.9, 0.7, 0.0015)
    loud = hit(pot, 50.0, mallet="metal")
    assert -4.0 < 20 * math.log10(float(np.abs(loud.waveform).max())) <= -1.0
    cushion = PhysicalObject("fabric", "solid", 0.4, 0.9, 0.4, 0.16)
    soft = hit(cushion, 5.0, mallet="finger")
    assert -45.0 < 20 * math.log10(float(np.abs(soft.waveform).max())) < -20.0
    assert level_db(hit(cushion, 50.0)) < level_db(hit(pot, 50.0, mallet="wood")) - 6


def test_the_limiter_is_one_monotonic_factor() -> None:
    ramp = torch.linspace(0.01, 30.0, 500)[:, None] * torch.tensor([1.0, -0.5])
    out = soft_limit_peak(ramp)
    torch.testing.assert_close(out[:, 0], -2 * out[:, 1])
    assert (out[:, 0].diff() > 0).all() and float(out.abs().max()) < CEILING
    under = ramp[:, 0] < KNEE
    torch.testing.assert_close(out[under], ramp[under])
    assert torch.equal(soft_limit_peak(torch.zeros(2, 5)), torch.zeros(2, 5))


def test_a_weighting_at_known_frequencies() -> None:
    """IEC 61672-1, table 3."""
    found = 20 * torch.log10(a_weighting(torch.tensor([63.0, 250.0, 1000.0, 4000.0, 8000.0], dtype=torch.float64)))
    torch.testing.assert_close(found, torch.tensor([-26.2, -8.6, 0.0, 1.0, -1.1]).double(), rtol=0.0, atol=0.1)


@pytest.mark.parametrize("material", ["metal", "glass", "ceramic", "stone"])
def test_a_harder_mallet_is_brighter_on_hard_objects(material: MaterialName) -> None:
    item = PhysicalObject(material, "plate", 0.25, 0.8, 0.03, 0.0075)
    finger, wood, metal = (centroid_hz(hit(item, mallet=mallet)) for mallet in ("finger", "wood", "metal"))
    assert 1.2 * finger < wood < metal / 1.1


def test_decay_times_of_materials() -> None:
    seconds = {name: t60_s(hit(PhysicalObject(name, "plate", 0.25, 0.8, 0.03, 0.0075))) for name in MATERIALS}
    assert seconds["metal"] > seconds["glass"] > 2 * seconds["wood"] > 2 * seconds["plastic"]
    assert seconds["rubber"] < 0.1 and seconds["metal"] > 0.5 and 0.05 < seconds["wood"] < 0.2


def test_larger_objects_sound_lower() -> None:
    """The frequency with a tenth of the energy below it; the median also depends on what radiates best."""

    def low_hz(struck: StruckSound) -> float:
        power = np.cumsum(np.abs(np.fft.rfft(struck.waveform)) ** 2)
        return float(np.fft.rfftfreq(len(struck.waveform), 1 / 16_000)[np.searchsorted(power, 0.1 * power[-1])])

    for shape in ("plate", "bar", "bowl", "hollow", "bottle", "tube"):
        item = OBJECTS[shape]  # type: ignore[index]
        assert low_hz(hit(scaled(item, 2.0))) < 0.9 * low_hz(hit(item)), shape


def test_the_node_of_a_bar_silences_its_first_mode() -> None:
    bar = PhysicalObject("metal", "bar", 0.5, 0.06, 0.02, 0.01)
    body, properties = Body.of([bar] * 2), Properties.of(["metal"] * 2)
    point = torch.tensor([[0.2242, 0.5], [0.5, 0.5]])
    found = excite_modes(["bar", "bar"], body, properties, point, torch.full((2,), 5.0), "wood").modes.gains
    assert float(found[0, 0]) < 0.01 * float(found[1, 0])
    assert float(found[0, 1]) > 0.1 * float(found[1, 0])


def test_same_seed_same_samples_other_seed_another_strike() -> None:
    for material in ("metal", "wood", "plastic", "cardboard", "fabric"):
        item = of_material(OBJECTS["plate"], material)
        first, again, other = hit(item), hit(item), hit(item, seed=1)
        assert np.array_equal(first.waveform, again.waveform)
        alike = float(np.corrcoef(first.waveform, other.waveform)[0, 1])
        assert 0.5 < alike < 0.9999, (material, alike)
        assert abs(level_db(first) - level_db(other)) < 2.0


def test_gains_vary_by_no_more_than_a_decibel() -> None:
    drawn = Variation.sample(2, 500, seed=4)
    assert float(drawn.gains_db.abs().max()) == 1.0 and float(drawn.gains_db.std()) > 0.3
    assert float((drawn.hardness - 1).abs().max()) < 0.3


def test_the_sound_starts_at_zero_and_peaks_after_the_force() -> None:
    for shape in SHAPES:
        struck = hit(OBJECTS[shape], mallet="finger")
        peak = int(np.abs(struck.waveform).argmax())
        assert peak > 0.3 * struck.contact_s * 16_000, shape  # the force peaks half-way
        assert float(np.abs(struck.waveform[0])) < 0.05 * float(np.abs(struck.waveform).max())


def test_envelope_and_modes_belong_to_the_sound() -> None:
    struck = hit(OBJECTS["bowl"])
    assert struck.envelope.shape == (60,)
    assert float(np.square(struck.envelope).mean()) == pytest.approx(float(np.square(struck.waveform).mean()), rel=1e-4)
    power = np.abs(np.fft.rfft(struck.waveform))
    heard = np.fft.rfftfreq(len(struck.waveform), 1 / 16_000)[power.argmax()]
    assert float((struck.modes.frequencies_hz - heard).abs().min()) < 5.0
    assert struck.modes.gains.shape == (1, 48)


def test_bubbles_follow_minnaert_and_rise() -> None:
    found = sample_bubbles(5.0, 0.1, 16_000, seed=2)
    radii = 3.26 / found.modes.frequencies_hz
    assert float(radii.min()) >= 0.44e-3 and float(radii.max()) <= 5.1e-3
    torch.testing.assert_close(found.modes.decays_per_s, 0.13 / radii + 0.0072 * radii**-1.5, rtol=1e-5, atol=0.0)
    assert (found.rise_per_s > 0).all() and (found.starts_s >= 0).all() and float(found.starts_s.max()) < 0.4
    assert not torch.equal(sample_bubbles(5.0, 0.1, 16_000, seed=3).modes.frequencies_hz, found.modes.frequencies_hz)


def test_a_whole_strike_has_a_gradient() -> None:
    """Of the samples with respect to extents, material shares, point and force; against finite differences."""
    weight = torch.randn(1, 800, generator=torch.Generator().manual_seed(5), dtype=torch.float64)

    def value(at: Tensor) -> Tensor:
        body = Body(*(part[None] for part in at[:4]))
        shares = torch.softmax(torch.cat([at[4:7], torch.full((len(MATERIALS) - 3,), -4.0).double()]), dim=0)
        found = excite_modes(["plate"], body, Properties.blend(shares[None]), at[None, 7:9], at[9:10], "wood")
        return (synthesize(found, 0.05) * weight).sum() * 100

    start = torch.tensor([0.21, 0.77, 0.03, 0.0063, 1.0, 0.4, 0.2, 0.3, 0.41, 5.0], dtype=torch.float64)
    point = start.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(value(point), point)
    assert torch.isfinite(gradient).all()
    for i in (0, 1, 3, 4, 5, 6, 7, 8, 9):
        step = torch.zeros_like(start)
        step[i] = 1e-7
        difference = float(value(start + step) - value(start - step)) / 2e-7
        assert float(gradient[i]) == pytest.approx(difference, rel=1e-3, abs=1e-5 * float(gradient.abs().max())), i


def test_gradients_stay_finite_without_audible_modes() -> None:
    """A steel ball of 4 cm rings above 60 kHz only."""
    item = PhysicalObject("metal", "solid", 0.04, 1.0, 1.0, 0.04)
    size = torch.tensor([item.size_m], requires_grad=True)
    body = replace(Body.of([item]), size_m=size)
    found = excite_modes(
        ["solid"], body, Properties.of(["metal"]), torch.tensor([[0.5, 0.5]]), torch.tensor([5.0]), "metal"
    )
    assert float(found.modes.gains.detach().abs().max()) == 0.0
    waveform = synthesize(found, 0.1)
    assert float(waveform.detach().abs().max()) > 1e-3  # it clicks
    waveform.square().sum().backward()
    assert size.grad is not None and torch.isfinite(size.grad).all()


def test_given_properties_are_used() -> None:
    damped = replace(Properties.of(["metal"]), base_per_s=torch.tensor([200.0]))
    item = of_material(OBJECTS["plate"], "metal")
    damped_sound = strike(item, POINT, force_n=5.0, mallet="wood", seconds=0.6, properties=damped)
    assert t60_s(damped_sound) < 0.1 < t60_s(hit(item))


def test_invalid_arguments_are_refused() -> None:
    item = OBJECTS["plate"]
    for changed in ({"force_n": 0.1}, {"force_n": 80.0}, {"mallet": "brick"}, {"seconds": 0.0}):
        with pytest.raises(UserError):
            strike(item, POINT, **{"force_n": 5.0, "mallet": "wood", "seconds": 1.0, **changed})  # type: ignore[arg-type]
    for bad in (replace(item, size_m=5.0), replace(item, least=0.9), replace(item, thickness_m=0.0)):
        with pytest.raises(UserError):
            hit(bad)


def test_a_strike_is_synthesised_in_time() -> None:
    for shape in SHAPES:
        assert core_seconds(lambda: strike(OBJECTS[shape], POINT, force_n=5.0, mallet="wood")) < 0.15, shape  # noqa: B023


def test_matrices_cached_in_inference_mode_allow_gradients() -> None:
    solids._symmetries.cache_clear()
    materials._columns.cache_clear()
    body = Body.of([PhysicalObject("wood", "solid", 0.2, 0.8, 0.6, 0.12)])
    at, force = torch.tensor([[0.3, 0.4]]), torch.tensor([8.0])
    with torch.inference_mode():
        excite_modes(["solid"], body, Properties.of(["wood"]), at, force, "wood")
    at.requires_grad_()
    excite_modes(["solid"], body, Properties.of(["wood"]), at, force, "wood").modes.gains.square().sum().backward()
    assert at.grad is not None and bool((at.grad != 0).any())
