"""Hertzian contact: its duration, and its spectrum against that of the force over time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from synesthesia.core.vocabulary import MalletName, MaterialName
from synesthesia.impact.modal.contact import FORCE_EXPONENT, MALLET_TIPS, MEAN_FORCE, ContactForce, contact_force
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import PhysicalObject
from synesthesia.impact.modal.vibration import Vibration
from tests.impact.modal.bodies import modes

BLOCK = PhysicalObject("metal", "solid", 0.3, 0.9, 0.8, 0.24)


def force_of(mallet: MalletName, material: MaterialName, force_n: float, body: Vibration | None = None) -> ContactForce:
    force = torch.tensor([force_n], dtype=torch.float64)
    return contact_force(force, MALLET_TIPS[mallet], Properties.of([material], torch.float64), body or modes(BLOCK))


def test_metal_on_metal_against_a_simulated_collision() -> None:
    """A sphere's tip on a rigid mass, m x'' = -k x^1.5 stepped in time from the speed that gives 20 N."""
    tip = MALLET_TIPS["metal"]
    stiffness = 4 / 3 * math.sqrt(tip.radius_m) / ((1 - 0.29**2) / 200e9 * 2)
    depth, mass = (20.0 / stiffness) ** (2 / 3), tip.mass_kg
    speed, x, time, step = math.sqrt(0.8 * stiffness * depth**2.5 / mass), 0.0, 0.0, 1e-7
    forces = []
    while x >= 0:
        force = stiffness * max(x, 0.0) ** 1.5
        forces.append(force)
        speed -= force / mass * step
        x += speed * step
        time += step
    found = force_of("metal", "metal", 20.0)
    assert max(forces) == pytest.approx(20.0, rel=1e-3)
    assert float(found.contact_s) == pytest.approx(time, rel=0.01)  # the block weighs 100 kg
    assert sum(forces) * step == pytest.approx(20.0 * time * MEAN_FORCE, rel=0.03)


def test_contact_shortens_with_the_sixth_root_of_force() -> None:
    soft, hard = force_of("wood", "stone", 0.5), force_of("wood", "stone", 32.0)
    assert float(soft.contact_s / hard.contact_s) == pytest.approx(2.0, rel=0.01)


def test_softer_means_longer() -> None:
    by_mallet = [float(force_of(mallet, "stone", 5.0).contact_s) for mallet in ("metal", "wood", "finger")]
    assert by_mallet == sorted(by_mallet) and 1e-4 < by_mallet[0] < 5e-4 and 3e-3 < by_mallet[2] < 2e-2
    by_material = [float(force_of("metal", name, 5.0).contact_s) for name in ("metal", "wood", "rubber", "fabric")]
    assert by_material == sorted(by_material)


def test_on_a_thin_wall_the_force_is_weaker_and_longer() -> None:
    sheet = modes(PhysicalObject("metal", "plate", 0.3, 0.9, 0.002, 0.0004))
    thick = modes(PhysicalObject("metal", "plate", 0.3, 0.9, 0.05, 0.015))
    thin_force, thick_force = force_of("metal", "metal", 10.0, sheet), force_of("metal", "metal", 10.0, thick)
    assert float(thin_force.force_n) < 0.5 * float(thick_force.force_n) < 5.0
    assert float(thin_force.contact_s) > float(thick_force.contact_s)


def test_spectrum_is_that_of_the_force() -> None:
    contact, rate = 1e-3, 4e6
    times = np.arange(round(contact * rate)) / rate
    wave = 7.0 * np.sin(np.pi * times / contact) ** FORCE_EXPONENT
    hz = np.array([0.0, 200.0, 500.0, 800.0, 1000.0, 1250.0])
    exact = np.abs([np.sum(wave * np.exp(-2j * np.pi * f * times)) / rate for f in hz])
    found = ContactForce(torch.tensor([7.0]).double(), torch.tensor([contact]).double()).spectrum_ns(
        torch.tensor(hz)[None]
    )[0]
    assert np.abs(20 * np.log10(found.numpy() / exact)).max() < 2.0
    high = np.linspace(3000.0, 20000.0, 3000)  # beyond: the mean level of the lobes
    lobes = np.array([np.abs(np.sum(wave * np.exp(-2j * np.pi * f * times)) / rate) for f in high[::10]])
    smooth = ContactForce(torch.tensor([7.0]).double(), torch.tensor([contact]).double()).spectrum_ns(
        torch.tensor(high[::10])[None]
    )
    ratio = lobes / smooth[0].numpy()
    assert 10 * np.log10(np.mean(ratio**2)) == pytest.approx(0.0, abs=1.0)
