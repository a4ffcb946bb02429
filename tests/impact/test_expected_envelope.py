"""The expected envelope against that of the synthesised samples."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from synesthesia.core.vocabulary import MALLETS, MATERIALS, SHAPES, MalletName, MaterialName
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import PhysicalObject
from synesthesia.impact.modal.strike import CEILING, ENVELOPE_S, ExcitedModes, Variation, excite_modes, synthesize
from synesthesia.impact.modal.vibration import Body
from synesthesia.impact.render import CREST, expected_envelope
from tests.impact.modal.bodies import OBJECTS, of_material

RATE_HZ = 16_000
FRAMES = 60
POINT = torch.tensor([[0.31, 0.42]])


def modes_of(items: list[PhysicalObject], force_n: float, mallet: MalletName, seed: int = 3) -> ExcitedModes:
    count = len(items)
    return excite_modes(
        [item.shape for item in items], Body.of(items), Properties.of([item.material for item in items]),
        POINT.expand(count, -1), torch.full((count,), force_n), mallet, variation=Variation.sample(1, 48, seed),
    )  # fmt: skip


def both(items: list[PhysicalObject], force_n: float, mallet: MalletName) -> tuple[np.ndarray, np.ndarray]:
    """(predicted, measured), (B, FRAMES) each."""
    excited = modes_of(items, force_n, mallet)
    predicted = expected_envelope(excited, FRAMES, ENVELOPE_S, RATE_HZ, seed=3).numpy()
    frames = synthesize(excited, FRAMES * ENVELOPE_S, RATE_HZ, seed=3).numpy().reshape(len(items), FRAMES, -1)
    return predicted, np.sqrt(np.square(frames, dtype=np.float64).mean(axis=2))


def test_it_is_close_to_the_sound() -> None:
    """For every material, shape and force the median over the audible frames is within 3 dB."""
    apart: dict[object, list[float]] = defaultdict(list)
    items = [of_material(OBJECTS[shape], material) for shape in SHAPES for material in MATERIALS[:-1]]
    strikes: tuple[tuple[float, MalletName], ...] = ((2.0, "wood"), (8.0, "metal"), (40.0, "finger"))
    for force, mallet in strikes:
        for item, predicted, measured in zip(items, *both(items, force, mallet), strict=True):
            audible = measured > 1e-3 * measured.max()
            by_db = float(np.median(np.abs(20 * np.log10(predicted[audible] / measured[audible]))))
            for group in (item.shape, item.material, force):
                apart[group].append(by_db)
    medians = {group: float(np.median(found)) for group, found in apart.items()}
    assert max(medians.values()) < 3.0, medians
    assert np.median(list(medians.values())) < 1.8, medians


@pytest.mark.parametrize("mallet", MALLETS)
def test_a_soft_object_builds_up_during_contact(mallet: MalletName) -> None:
    """On cloth the contact lasts 15 to 50 ms: its noise and its click, each alone, over several strikes."""
    excited = modes_of([of_material(OBJECTS["plate"], "fabric")], 2.0, mallet)
    assert 0.015 < float(excited.contact.contact_s[0]) < 0.05
    still, nothing = replace(excited.modes, gains=torch.zeros_like(excited.modes.gains)), torch.zeros(1)
    noise, click = (replace(excited, modes=still, **{name: nothing}) for name in ("click_gain", "noise_level"))
    for part, frames, within_db in ((noise, 8, 2.5), (click, 2, 0.2)):
        predicted = expected_envelope(part, FRAMES, ENVELOPE_S, RATE_HZ)[0, :frames].numpy()
        heard = torch.cat([synthesize(part, FRAMES * ENVELOPE_S, RATE_HZ, seed) for seed in range(6)])
        measured = heard.unflatten(1, (FRAMES, -1)).square().mean(dim=(0, 2)).sqrt()[:frames].numpy()
        assert np.abs(20 * np.log10(predicted / measured)).max() < within_db, (predicted, measured)
        assert part is click or predicted.argmax() == 1


def test_its_energy_is_that_of_the_sound() -> None:
    materials: tuple[MaterialName, ...] = ("metal", "wood", "cardboard", "fabric")
    items = [of_material(OBJECTS[shape], material) for shape in SHAPES for material in materials]
    for item, predicted, measured in zip(items, *both(items, 4.0, "wood"), strict=True):
        by_db = 10 * np.log10(np.square(predicted).sum() / np.square(measured).sum())
        assert abs(by_db) < 5, (item, by_db)


def test_it_decays_as_a_single_mode_does() -> None:
    """One sine alone: level and slope have a closed form."""
    bar = of_material(OBJECTS["bar"], "metal")
    excited = modes_of([bar], 1.0, "wood")
    one = torch.zeros_like(excited.modes.gains)
    one[0, 2] = 0.1
    modes = replace(excited.modes, decays_per_s=torch.full_like(one, 7.0), gains=one)
    quiet = replace(excited, modes=modes, noise_level=torch.zeros(1), click_gain=torch.zeros(1))
    predicted = expected_envelope(quiet, 100, ENVELOPE_S, RATE_HZ)[0].numpy()
    middles = (np.arange(100) + 0.5) * ENVELOPE_S
    assert predicted[2:] == pytest.approx(0.1 / np.sqrt(2) * np.exp(-7.0 * middles[2:]), rel=1e-3)


def test_it_is_limited_and_rises_with_force() -> None:
    pot = PhysicalObject("metal", "hollow", 0.25, 0.9, 0.7, 0.0015)
    levels = [expected_envelope(modes_of([pot], force, "metal"), 30, ENVELOPE_S, RATE_HZ)[0].max() for force in
              (0.5, 2.0, 8.0, 20.0, 50.0)]  # fmt: skip
    assert all(low < high for low, high in pairwise(levels))
    assert 3 < float(levels[1] / levels[0]) < 4.5
    excited = modes_of([pot], 8.0, "metal")
    excited = replace(excited, click_gain=torch.zeros(1), noise_level=torch.zeros(1))
    gains = excited.modes.gains
    louder = [
        expected_envelope(
            replace(excited, modes=replace(excited.modes, gains=factor * gains)), 30, ENVELOPE_S, RATE_HZ
        )[0] for factor in (0.001, 0.1, 1000.0)
    ]  # fmt: skip
    torch.testing.assert_close(louder[1], 100 * louder[0])  # far from the knee nothing is limited
    assert 0.2 < float(louder[2].max()) <= CEILING / CREST
    torch.testing.assert_close(louder[2] / louder[2].max(), louder[0] / louder[0].max())


def test_batches_are_rows_and_any_length_works() -> None:
    items = [of_material(OBJECTS[shape], "wood") for shape in SHAPES]
    many = excite_modes(
        [item.shape for item in items], Body.of(items), Properties.of(["wood"] * 7), POINT.expand(7, -1),
        torch.full((7,), 5.0), "wood",
    )  # fmt: skip
    for frames in (1, 5, 8, 9, 200):
        predicted = expected_envelope(many, frames, ENVELOPE_S, RATE_HZ)
        assert predicted.shape == (7, frames) and torch.isfinite(predicted).all() and (predicted >= 0).all()
        torch.testing.assert_close(predicted[:, :1], expected_envelope(many, 1, ENVELOPE_S, RATE_HZ))


def test_bubbles_start_when_the_seed_says() -> None:
    bowl = of_material(OBJECTS["bowl"], "liquid")
    excited = modes_of([bowl], 8.0, "finger")
    for seed in (3, 4):
        predicted = expected_envelope(excited, FRAMES, ENVELOPE_S, RATE_HZ, seed)[0].numpy()
        frames = synthesize(excited, FRAMES * ENVELOPE_S, RATE_HZ, seed)[0].numpy().reshape(FRAMES, -1)
        measured = np.sqrt(np.square(frames).mean(axis=1))
        assert np.corrcoef(predicted, measured)[0, 1] > 0.9
        other_seed = expected_envelope(excited, FRAMES, ENVELOPE_S, RATE_HZ, 7 - seed)[0].numpy()
        assert not np.array_equal(predicted, other_seed)
