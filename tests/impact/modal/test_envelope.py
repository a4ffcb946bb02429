"""The predicted envelope against the samples that it was not made from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from synesthesia.impact.modal.contact import MALLETS, MalletName
from synesthesia.impact.modal.envelope import CREST, predicted_envelope
from synesthesia.impact.modal.level import CEILING
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.strike import ENVELOPE_S, StruckModes, Variation, sound, struck_modes
from synesthesia.impact.modal.things import MATERIALS, SHAPES, PhysicalObject
from synesthesia.impact.modal.vibration import Body
from tests.impact.modal.bodies import THINGS, of_material

RATE_HZ = 16_000
FRAMES = 60
PLACE = torch.tensor([[0.31, 0.42]])


def modes_of(thing: PhysicalObject, force_n: float, mallet: MalletName, seed: int = 3) -> StruckModes:
    return struck_modes(
        [thing.shape], Body.of([thing]), Properties.of([thing.material]), PLACE, torch.tensor([force_n]), mallet,
        variation=Variation.drawn(1, 48, seed),
    )  # fmt: skip


def both(thing: PhysicalObject, force_n: float, mallet: MalletName) -> tuple[np.ndarray, np.ndarray]:
    """(predicted, measured), (FRAMES,) each."""
    struck = modes_of(thing, force_n, mallet)
    told = predicted_envelope(struck, FRAMES, ENVELOPE_S, RATE_HZ, seed=3)[0].numpy()
    heard = sound(struck, FRAMES * ENVELOPE_S, RATE_HZ, seed=3)[0].numpy().reshape(FRAMES, -1)
    return told, np.sqrt(np.square(heard, dtype=np.float64).mean(axis=1))


def test_it_lies_near_the_sound() -> None:
    """Of every material, every shape and every force the median over what is heard within 3 dB."""
    apart: dict[object, list[float]] = defaultdict(list)
    for shape in SHAPES:
        for material in MATERIALS[:-1]:
            for force, mallet in ((2.0, "wood"), (8.0, "metal"), (40.0, "finger")):
                told, measured = both(of_material(THINGS[shape], material), force, mallet)  # type: ignore[arg-type]
                heard = measured > 1e-3 * measured.max()
                by_db = float(np.median(np.abs(20 * np.log10(told[heard] / measured[heard]))))
                for group in (shape, material, force):
                    apart[group].append(by_db)
    medians = {group: float(np.median(found)) for group, found in apart.items()}
    assert max(medians.values()) < 3.0, medians
    assert np.median(list(medians.values())) < 1.8, medians


@pytest.mark.parametrize("mallet", MALLETS)
def test_a_soft_thing_comes_up_while_it_is_pushed(mallet: MalletName) -> None:
    """A cloth holds the mallet for 15 to 30 ms: its rustle and its click, each alone, over several blows."""
    struck = modes_of(of_material(THINGS["plate"], "fabric"), 2.0, mallet)
    assert 0.015 < float(struck.push.contact_s[0]) < 0.05
    still, nothing = replace(struck.modes, gains=torch.zeros_like(struck.modes.gains)), torch.zeros(1)
    rustle, click = (replace(struck, modes=still, **{name: nothing}) for name in ("click_gain", "noise_level"))
    for part, frames, within_db in ((rustle, 8, 2.5), (click, 2, 0.2)):
        told = predicted_envelope(part, FRAMES, ENVELOPE_S, RATE_HZ)[0, :frames].numpy()
        heard = torch.cat([sound(part, FRAMES * ENVELOPE_S, RATE_HZ, seed) for seed in range(6)])
        measured = heard.unflatten(1, (FRAMES, -1)).square().mean(dim=(0, 2)).sqrt()[:frames].numpy()
        assert np.abs(20 * np.log10(told / measured)).max() < within_db, (told, measured)
        assert part is click or told.argmax() == 1


def test_its_energy_is_the_sounds() -> None:
    for shape in SHAPES:
        for material in ("metal", "wood", "cardboard", "fabric"):
            told, measured = both(of_material(THINGS[shape], material), 4.0, "wood")  # type: ignore[arg-type]
            by_db = 10 * np.log10(np.square(told).sum() / np.square(measured).sum())
            assert abs(by_db) < 5, (shape, material, by_db)


def test_it_falls_as_a_single_mode_does() -> None:
    """One sine alone: level and slope are known by hand."""
    bar = of_material(THINGS["bar"], "metal")
    struck = modes_of(bar, 1.0, "wood")
    one = torch.zeros_like(struck.modes.gains)
    one[0, 2] = 0.1
    modes = replace(struck.modes, decays_per_s=torch.full_like(one, 7.0), gains=one)
    quiet = replace(struck, modes=modes, noise_level=torch.zeros(1), click_gain=torch.zeros(1))
    told = predicted_envelope(quiet, 100, ENVELOPE_S, RATE_HZ)[0].numpy()
    middles = (np.arange(100) + 0.5) * ENVELOPE_S
    assert told[2:] == pytest.approx(0.1 / np.sqrt(2) * np.exp(-7.0 * middles[2:]), rel=1e-3)


def test_it_is_bent_under_the_ceiling_and_rises_with_force() -> None:
    pot = PhysicalObject("metal", "hollow", 0.25, 0.9, 0.7, 0.0015)
    levels = [predicted_envelope(modes_of(pot, force, "metal"), 30, ENVELOPE_S, RATE_HZ)[0].max() for force in
              (0.5, 2.0, 8.0, 20.0, 50.0)]  # fmt: skip
    assert all(low < high for low, high in pairwise(levels))
    assert 3 < float(levels[1] / levels[0]) < 4.5
    struck = modes_of(pot, 8.0, "metal")
    louder = [
        predicted_envelope(
            replace(struck, modes=replace(struck.modes, gains=factor * struck.modes.gains), click_gain=torch.zeros(1),
                    noise_level=torch.zeros(1)), 30, ENVELOPE_S, RATE_HZ,
        )[0] for factor in (0.001, 0.1, 1000.0)
    ]  # fmt: skip
    torch.testing.assert_close(louder[1], 100 * louder[0])  # far from the knee nothing is bent
    assert 0.2 < float(louder[2].max()) <= CEILING / CREST
    torch.testing.assert_close(louder[2] / louder[2].max(), louder[0] / louder[0].max())


def test_batches_are_rows_and_any_length_will_do() -> None:
    things = [of_material(THINGS[shape], "wood") for shape in SHAPES]
    many = struck_modes(
        [thing.shape for thing in things], Body.of(things), Properties.of(["wood"] * 7), PLACE.expand(7, -1),
        torch.full((7,), 5.0), "wood",
    )  # fmt: skip
    for frames in (1, 5, 8, 9, 200):
        told = predicted_envelope(many, frames, ENVELOPE_S, RATE_HZ)
        assert told.shape == (7, frames) and torch.isfinite(told).all() and (told >= 0).all()
        torch.testing.assert_close(told[:, :1], predicted_envelope(many, 1, ENVELOPE_S, RATE_HZ))


def test_bubbles_come_when_the_seed_says() -> None:
    bowl = of_material(THINGS["bowl"], "liquid")
    struck = modes_of(bowl, 8.0, "finger")
    for seed in (3, 4):
        told = predicted_envelope(struck, FRAMES, ENVELOPE_S, RATE_HZ, seed)[0].numpy()
        frames = sound(struck, FRAMES * ENVELOPE_S, RATE_HZ, seed)[0].numpy().reshape(FRAMES, -1)
        measured = np.sqrt(np.square(frames).mean(axis=1))
        assert np.corrcoef(told, measured)[0, 1] > 0.9
        both_seeds = predicted_envelope(struck, FRAMES, ENVELOPE_S, RATE_HZ, 7 - seed)[0].numpy()
        assert not np.array_equal(told, both_seeds)
