"""Modes of shapes with known frequencies, and scaling laws of every shape."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from synesthesia.core.vocabulary import SHAPES, ShapeName
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import PhysicalObject
from synesthesia.impact.modal.solids import solid
from synesthesia.impact.modal.strike import SHAPE_MODES, body_modes
from synesthesia.impact.modal.vibration import (
    Body,
    cantilever_roots,
    cantilever_shape,
    free_roots,
    free_shape,
    mode_indices,
    subsample_modes,
)
from tests.impact.modal.bodies import OBJECTS, POINT, lowest_hz, modes, of_material, scaled

STEEL_E, STEEL_RHO, STEEL_NU = 200e9, 7850.0, 0.29


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_size_halves_every_frequency(shape: ShapeName) -> None:
    item = OBJECTS[shape]
    torch.testing.assert_close(
        2 * modes(scaled(item, 2.0)).frequencies_hz, modes(item).frequencies_hz, rtol=1e-9, atol=0.0
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_frequencies_go_with_the_root_of_stiffness_over_density(shape: ShapeName) -> None:
    item = OBJECTS[shape]
    body, properties = Body.of([item], torch.float64), Properties.of([item.material], torch.float64)
    stiffer = replace(properties, youngs_modulus_pa=8 * properties.youngs_modulus_pa, density=2 * properties.density)
    there, here = (SHAPE_MODES[shape](body, p, POINT).frequencies_hz for p in (stiffer, properties))
    ratio = (there / here)[0]
    off = (ratio - 2.0).abs() > 1e-9
    assert int(off.sum()) == (1 if shape == "bottle" else 0)  # the air in its neck does not depend on the glass


def test_steel_bar_by_hand() -> None:
    bar = PhysicalObject("metal", "bar", 0.3, 0.1, 0.02, 0.006)
    by_hand = 4.730041**2 / (2 * math.pi * math.sqrt(12)) * (0.006 / 0.3**2) * math.sqrt(STEEL_E / STEEL_RHO)
    assert 340 < by_hand < 350
    first, second, _ = lowest_hz(bar, 3)
    assert float(first) == pytest.approx(by_hand, rel=0.005)
    assert float(first) < by_hand  # shear and rotary inertia only lower it
    assert float(second / first) == pytest.approx((7.853205 / 4.730041) ** 2, rel=0.01)


def test_timoshenko_lowers_a_thick_bar() -> None:
    """An exact Timoshenko free-free beam, h / L = 0.2, nu = 0.29, shear 5/6: from its frequency equation below."""
    bar = PhysicalObject("metal", "bar", 0.3, 0.2, 0.2, 0.06)
    euler = 4.730041**2 / (2 * math.pi * math.sqrt(12)) * (0.06 / 0.09) * math.sqrt(STEEL_E / STEEL_RHO)
    assert float(lowest_hz(bar, 1)) / euler == pytest.approx(_timoshenko(0.2) / 4.730041**2, rel=0.02)


def _timoshenko(flat: float) -> float:
    """First root b of Huang's 1961 equation of the free-free beam (symmetric modes), h / L = flat; b = 22.37 if
    thin."""
    r2, s2 = flat**2 / 12, flat**2 / 12 * 2 * (1 + STEEL_NU) / (5 / 6)

    def off(b: float) -> float:
        root = math.sqrt((r2 - s2) ** 2 + 4 / b**2)
        alpha, beta = (math.sqrt((sign * (r2 + s2) + root) / 2) for sign in (-1, 1))
        # Free end: bending moment and shear force vanish. w = cosh(b alpha x) + c cos(b beta x), x from the middle.
        turn_a = (alpha**2 + s2) / alpha  # of the section, per w'
        turn_b = (beta**2 - s2) / beta
        moment = [turn_a * alpha * math.cosh(b * alpha / 2), -turn_b * beta * math.cos(b * beta / 2)]
        shear = [(alpha - turn_a) * math.sinh(b * alpha / 2), (turn_b - beta) * math.sin(b * beta / 2)]
        return moment[0] * shear[1] - moment[1] * shear[0]

    low, high = 15.0, 22.37
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if off(low) * off(middle) > 0 else (low, middle)
    return middle


def test_square_free_plate_against_leissa() -> None:
    """Leissa 1973, table C.1: omega a^2 sqrt(rho h / D) of a free square plate with Poisson's ratio 0.3."""
    body = Body.of([PhysicalObject("glass", "plate", 0.4, 1.0, 0.001, 0.0004)], torch.float64)
    properties = replace(Properties.of(["glass"], torch.float64), poisson=torch.tensor([0.3], dtype=torch.float64))
    found = SHAPE_MODES["plate"](body, properties, POINT)
    rigidity = 70e9 * 0.0004**3 / (12 * (1 - 0.3**2))
    numbers = 2 * math.pi * found.frequencies_hz[0].sort().values * 0.4**2 * math.sqrt(2480 * 0.0004 / rigidity)
    leissa = torch.tensor([13.489, 19.789, 24.432, 35.024, 35.024, 61.526], dtype=torch.float64)
    torch.testing.assert_close(numbers[:6], leissa, rtol=0.06, atol=0.0)
    torch.testing.assert_close(numbers[1:3], leissa[1:3], rtol=0.01, atol=0.0)  # the ring and the cross


def test_glass_plate_by_hand() -> None:
    """A long narrow plate lies between a beam, which curls across, and a wide plate, which does not."""
    beam = 22.373 / (2 * math.pi * 0.5**2) * math.sqrt(70e9 * 0.004**2 / (12 * 2480))
    found = float(lowest_hz(PhysicalObject("glass", "plate", 0.5, 0.1, 0.008, 0.004), 1))
    assert beam < found < beam / math.sqrt(1 - 0.23**2)


def test_wood_plates_are_softer_across_the_grain() -> None:
    square = PhysicalObject("wood", "plate", 0.3, 1.0, 0.02, 0.006)
    isotropic = 22.373 / (2 * math.pi * 0.3**2) * math.sqrt(11e9 * 0.006**2 / (12 * (1 - 0.35**2) * 650))
    hz = modes(square).frequencies_hz[0]
    assert float((hz / isotropic - 1).abs().min()) < 0.05  # bending along the grain
    assert float((hz / (isotropic * math.sqrt(0.1)) - 1).abs().min()) < 0.05  # and across it


def test_ball_against_lamb() -> None:
    """omega R / c_s: torsion 2.501 and 3.865 for any Poisson's ratio; spheroidal n = 2: 2.640 at 0.25 (Lamb 1882)."""
    properties = replace(Properties.of(["stone"], torch.float64), poisson=torch.tensor([0.25], dtype=torch.float64))
    ball = Body.of([PhysicalObject("stone", "solid", 0.2, 1.0, 1.0, 0.2)], torch.float64)
    slow = math.sqrt(50e9 / (2 * 1.25) / 2700)
    numbers = solid(ball, properties, POINT).frequencies_hz[0].sort().values * 2 * math.pi * 0.1 / slow
    torch.testing.assert_close(numbers[:5], torch.full((5,), 2.501).double(), rtol=1e-3, atol=0.0)
    torch.testing.assert_close(numbers[5:10], torch.full((5,), 2.640).double(), rtol=1e-3, atol=0.0)
    assert int(((numbers - 3.865).abs() < 2e-3).sum()) == 7


def test_long_ellipsoid_has_low_bending_modes() -> None:
    """A thin one bends far below a ball of its volume, about as a bar of its length and mean thickness does."""
    long, ball = (
        PhysicalObject("stone", "solid", 0.4, 0.2, 0.2, 0.08),
        PhysicalObject("stone", "solid", 0.137, 1.0, 1.0, 0.137),
    )
    assert float(lowest_hz(long, 1)) < 0.55 * float(lowest_hz(ball, 1))


def test_wine_glass_against_french() -> None:
    """French 1983: f = t / (2 pi R^2) sqrt(3 E / (5 rho) (1 + 4/3 (R / H)^4)) for the two-wave mode."""
    glass = PhysicalObject("glass", "bowl", 0.1, 0.7, 0.7, 0.0015)
    radius = 0.5 * (0.07 - 0.0015)
    bend = 3 * 70e9 / (5 * 2480) * (1 + 4 / 3 * (radius / 0.1) ** 4)
    by_hand = 0.0015 / (2 * math.pi * radius**2) * math.sqrt(bend)
    low, high = lowest_hz(glass, 2)
    assert float((low + high) / 2) == pytest.approx(by_hand, rel=0.05)
    assert 1.0 < float(high / low) < 1.01  # the pair that beats


def test_tube_against_hoppe_and_beam() -> None:
    tube = PhysicalObject("metal", "tube", 1.0, 0.08, 0.08, 0.002)
    radius = 0.039
    ring = 2 * 3 / math.sqrt(5) / (2 * math.pi * radius**2)
    ring *= math.sqrt(STEEL_E * 0.002**2 / (12 * STEEL_RHO * (1 - STEEL_NU**2)))
    hz = modes(tube).frequencies_hz[0]
    assert float((hz / ring - 1).abs().min()) < 0.002
    gyration = math.sqrt((0.04**2 + 0.038**2) / 4)
    beam = 4.730041**2 / (2 * math.pi) * gyration * math.sqrt(STEEL_E / STEEL_RHO)
    assert 0.9 < float(hz.min()) / beam < 1.0


def test_bottle_hums_at_helmholtz() -> None:
    bottle = OBJECTS["bottle"]
    found = modes(bottle)
    air = found.extra_decays_per_s[0] > 0
    assert int(air.sum()) == 1
    assert 90 < float(found.frequencies_hz[0][air]) < 250  # a wine bottle's is about 110 Hz


def test_beam_ends_are_free_or_clamped() -> None:
    numbers = torch.arange(1, 12, dtype=torch.float64)
    along = torch.linspace(0, 1, 20001, dtype=torch.float64)
    for roots, shape in ((free_roots(numbers), free_shape), (cantilever_roots(numbers), cantilever_shape)):
        values = shape(roots, along)
        torch.testing.assert_close(values.square().mean(dim=0), torch.ones(11).double(), rtol=2e-3, atol=0.0)
        torch.testing.assert_close(values[-1].abs(), torch.full((11,), 2.0).double(), rtol=1e-5, atol=0.0)
        step = along[1]
        bend = (values[0] - 2 * values[1] + values[2]) / step**2 / roots**2
        if shape is free_shape:
            assert float(bend.abs().max()) < 0.02  # no moment at a free end
        else:
            assert float(values[0].abs().max()) < 1e-9 and float((values[1] / step / roots).abs().max()) < 0.01


def test_a_bar_struck_at_a_node_does_not_move_there() -> None:
    bar = OBJECTS["bar"]
    node = 0.2242  # of the first bending mode: Fletcher and Rossing, section 2.15
    found = modes(bar, torch.tensor([[node, 0.5]], dtype=torch.float64))
    first = found.frequencies_hz[0].argmin()
    assert float(found.point_values[0, first]) < 2e-3
    assert float(modes(bar, torch.tensor([[0.5, 0.5]], dtype=torch.float64)).point_values[0, first]) > 1.0


def test_torsion_is_only_excited_beside_the_middle_line() -> None:
    ruler = PhysicalObject("metal", "bar", 0.3, 0.3, 0.01, 0.003)
    there, middle = (modes(ruler, torch.tensor([[0.1, y]]).double()) for y in (0.9, 0.5))
    turning = (there.point_values - middle.point_values)[0].abs() > 1e-9
    assert int(turning.sum()) == 24
    assert float(middle.point_values[0][turning].max()) == 0.0


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_agree_with_differences(shape: ShapeName) -> None:
    """Of frequencies and mode shapes with respect to extents, material and strike point."""
    item = OBJECTS[shape]
    body, properties = Body.of([item], torch.float64), Properties.of([item.material], torch.float64)
    start = torch.cat([
        torch.stack([body.size_m, body.middle, body.least, body.thickness_m]),
        torch.stack([properties.youngs_modulus_pa / 1e9, properties.density / 1e3, properties.poisson]),
        POINT.T,
    ])[:, 0]  # fmt: skip

    def value(at: Tensor) -> Tensor:
        size, middle, least, thickness, stiff, dense, poisson, along, across = at[:, None]
        there = replace(properties, youngs_modulus_pa=stiff * 1e9, density=dense * 1e3, poisson=poisson)
        found = SHAPE_MODES[shape](Body(size, middle, least, thickness), there, torch.stack([along, across], dim=1))
        low = found.frequencies_hz[0] < 4 * found.frequencies_hz[0].min()
        return (
            found.frequencies_hz[0, low].log() + 0.1 * found.point_values[0, low] ** 2
        ).sum() + found.mass_kg.log().sum()

    point = start.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(value(point), point)
    assert torch.isfinite(gradient).all()
    for i in range(len(start)):
        step = torch.zeros_like(start)
        step[i] = 1e-5 * start[i]
        difference = (value(start + step) - value(start - step)) / (2 * step[i])
        assert float(gradient[i]) == pytest.approx(float(difference), rel=2e-3, abs=2e-3 / float(start[i])), i


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [0.03, 2.0])
def test_extreme_sizes_stay_finite(shape: ShapeName, size: float) -> None:
    for material in ("metal", "fabric"):
        found = modes(of_material(scaled(OBJECTS[shape], size / OBJECTS[shape].size_m), material))
        for values in (found.frequencies_hz, found.point_values, found.mean_square, found.wavenumbers_per_m):
            assert torch.isfinite(values).all()
        assert (found.frequencies_hz > 0).all() and (found.mean_square > 0).all()


def test_a_batch_mixes_shapes() -> None:
    items = [OBJECTS["plate"], OBJECTS["bar"], OBJECTS["solid"], OBJECTS["bar"]]
    body, properties = Body.of(items), Properties.of([item.material for item in items])
    point = POINT.float().expand(4, -1)
    mixed = body_modes([item.shape for item in items], body, properties, point, 20, 8000.0)
    for row, item in enumerate(items):
        alone = body_modes([item.shape], body.rows([row]), properties.rows([row]), point[:1], 20, 8000.0)
        torch.testing.assert_close(mixed.frequencies_hz[row], alone.frequencies_hz[0])
        torch.testing.assert_close(mixed.point_values[row], alone.point_values[0], rtol=1e-4, atol=1e-4)


def test_few_modes_represent_many() -> None:
    sheet = PhysicalObject("metal", "plate", 2.0, 0.8, 0.0005, 0.001)
    found = modes(sheet)
    inside = (found.frequencies_hz >= 20) & (found.frequencies_hz <= 8000)
    total = float((found.multiplicity * inside).sum())
    expected = 0.5 * 2.0 * 1.6 * math.sqrt(STEEL_RHO * 0.001 / (STEEL_E * 0.001**3 / (12 * (1 - STEEL_NU**2)))) * 8000
    assert total == pytest.approx(expected, rel=0.2)  # modal density of a plate: Cremer and Heckl
    few = subsample_modes(found, 48, 8000.0)
    assert float(few.multiplicity.sum()) == pytest.approx(total, rel=1e-9)
    hz = few.frequencies_hz[0]
    assert (hz.diff() > 0).all() and float(hz[-1]) > 4000


def test_few_modes_are_all_kept() -> None:
    found = modes(PhysicalObject("metal", "bar", 0.3, 0.1, 0.02, 0.006))
    kept = subsample_modes(found, 48, 8000.0)
    inside = found.frequencies_hz[(found.frequencies_hz >= 20) & (found.frequencies_hz <= 8000)].sort().values
    count = len(inside)
    assert count < 48
    torch.testing.assert_close(kept.frequencies_hz[0, :count], inside)
    assert (kept.multiplicity[0, count:] == 0).all() and (kept.multiplicity[0, :count] == 1).all()


def test_indices_count_every_number_once() -> None:
    numbers, counts = mode_indices(1, 10, 20, 1.3, torch.zeros(1).double())
    assert numbers[:10].tolist() == list(range(1, 11)) and (numbers.diff() > 0).all()
    assert float(counts.sum()) == pytest.approx(float(numbers[-1] + counts[-1] / 2 - 0.5), abs=0.6)
