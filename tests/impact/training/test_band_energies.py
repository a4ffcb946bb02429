"""Band energies in closed form: they agree with the samples, and their gradient moves a frequency to its target."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.core.vocabulary import MalletName, MaterialName, ShapeName
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import PhysicalObject
from synesthesia.impact.modal.strike import ExcitedModes, excite_modes, synthesize
from synesthesia.impact.modal.vibration import Body
from training.impact.band_energies import (
    BANDS,
    HIGH_HZ,
    LOW_HZ,
    POINTS,
    TIMES,
    SinesAndNoise,
    band_energies,
    band_of,
    edges_s,
    energy_distance_db,
    noise_frequencies,
    noise_spectrum,
    scale_to_power,
    sines_and_noise,
)  # fmt: skip

NARROW = 0.5  # bands
CASES: tuple[tuple[MaterialName, ShapeName, float, MalletName], ...] = (
    ("metal", "bowl", 0.2, "metal"), ("glass", "bottle", 0.25, "wood"), ("wood", "solid", 0.4, "wood"),
    ("plastic", "hollow", 0.3, "finger"), ("paper", "plate", 0.3, "finger"), ("stone", "solid", 0.5, "metal"),
    ("rubber", "solid", 0.1, "wood"), ("liquid", "solid", 0.2, "finger"),
)  # fmt: skip


def excite(case: tuple[MaterialName, ShapeName, float, MalletName], force_n: float = 3.0) -> ExcitedModes:
    material, shape, size, mallet = case
    item = PhysicalObject(material, shape, size, 0.6, 0.4, 0.4 * size if shape in ("solid", "plate") else 0.003)
    return excite_modes(
        [shape],
        Body.of([item]),
        Properties.of([material]),
        torch.tensor([[0.3, 0.4]]),
        torch.tensor([force_n]),
        mallet,
    )


def measured(waveform: Tensor) -> Tensor:
    """(samples,) -> (TIMES,) mean square of each time segment."""
    ends = (edges_s() * SAMPLE_RATE_HZ).round().long().tolist()
    return torch.stack([waveform[a:b].square().mean() for a, b in pairwise(ends)])


def sines(hz: float, decay: float = 30.0, gain: float = 0.1) -> SinesAndNoise:
    one = torch.ones(1, 1)
    return SinesAndNoise(hz * one, decay * one, gain * one, 0 * one, torch.zeros(1, 1, POINTS), one, 0 * one)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_energies_agree_with_the_samples(case: tuple[MaterialName, ShapeName, float, MalletName]) -> None:
    excited = excite(case)
    energies = band_energies(sines_and_noise(excited, seed=4), NARROW)[0].sum(dim=0)
    true = measured(synthesize(excited, 1.0, seed=4)[0])
    audible = true > 1e-5 * true.max()
    apart = 10 * (energies / true).log10()[audible]
    assert int(audible.sum()) >= 4
    assert float(apart.mean().abs()) < 1.5, apart
    assert float(apart.abs().max()) < 6.0, apart  # modes beat, noise is chance: no stretch is exactly its mean


def test_energies_are_in_the_bands_of_the_samples() -> None:
    """The share of each sixth of the mel scale, over one second."""
    for case in (CASES[0], CASES[4]):
        excited = excite(case)
        wave = synthesize(excited, 1.0)[0].double()
        power = torch.fft.rfft(wave).abs().square()
        where = (band_of(torch.fft.rfftfreq(len(wave), 1 / SAMPLE_RATE_HZ)) / (BANDS / 6)).floor().clamp(0, 5).long()
        true = torch.zeros(6, dtype=torch.float64).index_add_(0, where, power)
        energies = (band_energies(sines_and_noise(excited, seed=0), 0.3)[0] * edges_s().diff()).sum(dim=1)
        near = torch.zeros(6).index_add_(0, (torch.arange(BANDS) / (BANDS / 6)).floor().long(), energies)
        assert torch.allclose((near / near.sum()).double(), true / true.sum(), atol=0.1), (near / near.sum(), true)


def test_a_sine_is_in_its_band_and_keeps_its_power() -> None:
    found = band_energies(sines(1000.0), NARROW)[0]
    assert abs(float(band_of(torch.tensor(1000.0))) - float(found[:, 0].argmax())) <= 0.5
    mean = 0.5 * 0.1**2 * (1 - math.exp(-60 * 0.008)) / (60 * 0.008)  # of exp(-60 t) over the first 8 ms
    assert float(found[:, 0].sum()) == pytest.approx(mean, rel=0.02)
    assert found.shape == (BANDS, TIMES)


def test_bands_cover_the_range() -> None:
    ends = band_of(torch.tensor([LOW_HZ, HIGH_HZ]))
    assert ends.tolist() == pytest.approx([-0.5, BANDS - 0.5], abs=1e-4)
    hz, wide = noise_frequencies()
    assert float(wide.sum()) == pytest.approx(HIGH_HZ - LOW_HZ, rel=1e-4) and bool((hz.diff() > 0).all())


def test_a_noise_has_the_given_power() -> None:
    spectrum = scale_to_power(noise_spectrum(torch.tensor([500.0]), torch.tensor([-6.0])), torch.tensor([0.04]))
    assert float(spectrum.sum()) == pytest.approx(0.04, rel=1e-4)
    per_hz = spectrum[0] / noise_frequencies()[1]
    low, corner, high = (int((noise_frequencies()[0] - hz).abs().argmin()) for hz in (120.0, 500.0, 6000.0))
    assert per_hz[low] < per_hz[corner] and per_hz[high] < per_hz[corner]


def test_distance_in_decibels() -> None:
    loud, soft = (band_energies(sines(700.0, 1.0, gain), 8.0) for gain in (0.2, 0.1))
    assert float(energy_distance_db(loud, loud)[0]) == 0.0
    assert float(energy_distance_db(soft, loud)[0]) == pytest.approx(6.02, abs=0.1)
    silence, inaudible = (band_energies(sines(700.0, 1.0, gain), 8.0) for gain in (0.0, 1e-6))
    assert float(energy_distance_db(silence, loud)[0]) > 30 * float(energy_distance_db(loud + inaudible, loud)[0])


def test_wide_kernels_lead_a_frequency_to_its_target() -> None:
    target, octaves = sines(1000.0), torch.tensor(1.0, requires_grad=True)
    optimiser = torch.optim.Adam([octaves], lr=0.03)
    for step in range(120):
        width = 6.0 * (0.5 / 6.0) ** (step / 120)
        made = sines(1000.0)
        moved = SinesAndNoise(
            made.hz * 2**octaves, *(getattr(made, name) for name in list(SinesAndNoise.__dataclass_fields__)[1:])
        )
        loss = energy_distance_db(band_energies(moved, width), band_energies(target, width)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert abs(float(octaves.detach())) < 0.05
