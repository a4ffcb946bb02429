"""What is struck where a reading leaves several things open, and the coarse grid on which that is decided."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torchaudio.functional import melscale_fbanks

from synesthesia.impact.coarse_spectrogram import BANDS, HIGH_HZ, LOW_HZ, SECONDS, distances_db, levels_db, moments
from synesthesia.impact.hypotheses import Hypothesis, mode_hypothesis, modes_of, sample
from synesthesia.impact.mbr import DRAWS, FORCE_N, MALLET, NEAR, SOLIDS, candidates, select, subsample
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.strike import sound
from synesthesia.impact.modal.things import MATERIALS, SHAPES, MaterialName, PhysicalObject, ShapeName, StrikePoint
from synesthesia.impact.physics_net import PhysicsPosterior
from synesthesia.impact.predictor import ImpactPredictor
from synesthesia.impact.render import StrikeParams, render_impact
from tests.impact.modal.bodies import THINGS, of_material
from tests.impact.tiny import a_grid, a_reading, an_adapter, log

RATE_HZ = 16_000
FIRST, ANY = 1.0, 0.05  # of the largest share: only the likeliest, nearly all
BOTTLE, BAR = THINGS["bottle"], THINGS["bar"]


@pytest.fixture(scope="module")
def adapter() -> ImpactPredictor:
    return an_adapter()


def between(adapter: ImpactPredictor, first: PhysicalObject, second: PhysicalObject, share: float) -> PhysicsPosterior:
    """Surely one of two things of different shapes, of one material, the first by `share`."""
    sure = a_reading(adapter, first, spread=0.3)
    other = a_reading(adapter, second, spread=0.3)
    shape = torch.full((len(SHAPES),), 1e-9)
    shape[SHAPES.index(first.shape)], shape[SHAPES.index(second.shape)] = share, 1 - share
    is_second = (torch.arange(len(SHAPES)) == SHAPES.index(second.shape))[None, :, None]
    parts = tuple(torch.where(is_second, b, a) for a, b in zip(sure.by_shape, other.by_shape, strict=True))
    return replace(sure, codes=codes(adapter, {first.material: 1.0}), shape=log(shape), by_shape=parts)


def codes(adapter: ImpactPredictor, materials: dict[MaterialName, float]) -> torch.Tensor:
    """(1, K) of a reading that says these materials."""
    named, _ = adapter.net.codebook.called()
    shares = torch.zeros(len(named))
    for name, share in materials.items():
        own = named == MATERIALS.index(name)
        shares = shares + share * own / own.sum()
    return log(shares)


@pytest.mark.parametrize("near", [FIRST, ANY])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_certain_is_struck(adapter: ImpactPredictor, shape: ShapeName, near: float) -> None:
    thing = of_material(THINGS[shape], "wood")
    read = between(adapter, thing, of_material(BOTTLE if shape == "bar" else BAR, "wood"), 1.0)
    found = select(adapter, read, 0, near)
    assert found == mode_hypothesis(adapter, read, 0)
    assert (found.thing.material, found.thing.shape) == ("wood", shape)
    assert found.thing.size_m == pytest.approx(thing.size_m, rel=0.1)


@pytest.mark.parametrize(("share", "struck"), [(0.75, "bottle"), (0.25, "bar")])
def test_of_two_things_the_likelier_is_struck(adapter: ImpactPredictor, share: float, struck: str) -> None:
    read = between(adapter, of_material(BOTTLE, "glass"), of_material(BAR, "glass"), share)
    assert select(adapter, read, 0).thing.shape == struck


def test_three_of_five_alike_outweigh_the_likeliest(adapter: ImpactPredictor) -> None:
    """Metal has the largest share, but the rest of the doubt is of what thuds: that is what sounds least far."""
    doubt: dict[MaterialName, float] = {"metal": 0.4, "fabric": 0.2, "leather": 0.2, "rubber": 0.2}
    read = replace(a_reading(adapter, of_material(THINGS["plate"], "metal"), spread=0.3), codes=codes(adapter, doubt))
    assert mode_hypothesis(adapter, read, 0).thing.material == select(adapter, read, 0, FIRST).thing.material == "metal"
    assert select(adapter, read, 0, ANY).thing.material in ("fabric", "leather", "rubber")


def test_the_answer_has_the_least_mean_distance(adapter: ImpactPredictor) -> None:
    read = adapter.read(a_grid(seed=7))
    for patch in (3, 20, 41):
        states, weights = subsample(sample(adapter, read, patch, DRAWS, torch.Generator().manual_seed(0)))
        told = candidates(adapter, read, patch, ANY)
        heard = levels_db(modes_of([*states, *told], FORCE_N, MALLET, RATE_HZ), RATE_HZ)
        means = [
            sum(float(weight * distances_db(truth[None], answer[None]))
                for weight, truth in zip(weights, heard[: len(states)], strict=True)) / DRAWS
            for answer in heard[len(states) :]
        ]  # fmt: skip
        assert select(adapter, read, patch, ANY) == told[means.index(min(means))]
        assert min(means) < sum(means) / len(means)


def test_only_the_likeliest_material_where_that_is_asked(adapter: ImpactPredictor) -> None:
    read = adapter.read(a_grid(seed=7))
    first = [mode_hypothesis(adapter, read, patch).thing.material for patch in range(0, 48, 6)]
    assert [select(adapter, read, patch, FIRST).thing.material for patch in range(0, 48, 6)] == first
    assert [select(adapter, read, patch, ANY).thing.material for patch in range(0, 48, 6)] != first


def test_nothing_is_struck_that_hardly_anything_speaks_for(adapter: ImpactPredictor) -> None:
    """Dull things together outweigh metal, but none of them has half of its share."""
    for rest in (0.9 * NEAR, 1.1 * NEAR):
        one = 1 / (1 + 4 * rest)
        dull: list[MaterialName] = ["fabric", "leather", "rubber", "paper"]
        doubt: dict[MaterialName, float] = {"metal": one, **dict.fromkeys(dull, one * rest)}
        read = replace(a_reading(adapter, THINGS["plate"], spread=0.3), codes=codes(adapter, doubt))
        likely = {guess.thing.material for guess in candidates(adapter, read, 0, NEAR)}
        assert likely == ({"metal"} if rest < NEAR else {"metal", *dull})
        assert (select(adapter, read, 0).thing.material == "metal") == (rest < NEAR)
    read = between(adapter, of_material(BOTTLE, "glass"), of_material(BAR, "glass"), 0.6)
    assert {guess.thing.shape for guess in candidates(adapter, read, 0, NEAR)} == {"bottle", "bar"}


def test_every_blow_strikes_the_same_state_and_shows_it(adapter: ImpactPredictor) -> None:
    read = adapter.read(a_grid(seed=7))
    for patch in (0, 11, 33):
        found = select(adapter, read, patch)
        for hit in (
            StrikeParams(8.0, "wood", 0.5, 1),
            StrikeParams(40.0, "metal", 0.5, 2),
            StrikeParams(0.5, "finger", 0.5, 3),
        ):
            told = render_impact(adapter, read, patch, hit, RATE_HZ)[1]
            assert (told.material, told.shape, told.size_m) == (
                found.thing.material,
                found.thing.shape,
                found.thing.size_m,
            )
            assert (told.state.code, told.state.size_m.value) == (found.code, told.size_m)
            assert told.state.thickness_m.value == told.thickness_m
        larger = render_impact(adapter, read, patch, StrikeParams(8.0, "wood", 0.5, 1, size_factor=0.5), RATE_HZ)[1]
        assert larger.state == told.state and larger.what_if


def test_few_full_bodies_speak_for_many(adapter: ImpactPredictor) -> None:
    read = between(adapter, of_material(THINGS["solid"], "wood"), of_material(BAR, "wood"), 0.7)
    states = sample(adapter, read, 0, DRAWS, torch.Generator().manual_seed(0))
    full = sum(guess.thing.shape == "solid" for guess in states)
    kept, weights = subsample(states)
    assert SOLIDS < full < DRAWS and len(kept) == len(weights) == DRAWS - full + SOLIDS
    is_full = torch.tensor([guess.thing.shape == "solid" for guess in kept])
    assert float(weights[is_full].sum()) == pytest.approx(full) and (weights[~is_full] == 1).all()
    none = [guess for guess in states if guess.thing.shape != "solid"]
    assert subsample(none)[0] == none


def sampled_db(waveform: torch.Tensor) -> torch.Tensor:
    """(samples,) -> (MOMENTS, BANDS) mean square in each band around each moment, from a spectrum of 25 ms."""
    spectra = torch.stft(
        waveform, 1024, 16, 400, torch.hann_window(400), center=True, pad_mode="constant", return_complex=True
    )  # fmt: skip
    bands = melscale_fbanks(513, LOW_HZ, HIGH_HZ, BANDS, RATE_HZ, norm=None, mel_scale="slaney")
    power = 2 * (spectra.abs().square().T @ bands) / (1024 * torch.hann_window(400).square().sum())
    return 10 * torch.log10(power[(moments()[0] * RATE_HZ / 16).round().long()].clamp(min=1e-14))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_coarse_grid_follows_the_samples(adapter: ImpactPredictor, shape: ShapeName) -> None:
    """Of cells within 40 dB of the loudest the median within 3 dB, nine in ten within 10; the loudest within 7."""
    for material in ("metal", "wood", "ceramic", "stone", "plastic", "rubber"):
        guess = Hypothesis(0, of_material(THINGS[shape], material), StrikePoint(0.4, 0.6), Properties.of([material]))
        struck = modes_of([guess], FORCE_N, MALLET, RATE_HZ)
        told = levels_db(struck, RATE_HZ)[0]
        heard = sampled_db(sound(struck, SECONDS, RATE_HZ, 5)[0].float())
        loud = heard > heard.max() - 40
        apart = (told - heard)[loud]
        assert abs(float(apart.median())) < 3, (material, float(apart.median()))
        assert float(apart.abs().quantile(0.9)) < 10, (material, float(apart.abs().quantile(0.9)))
        assert abs(float(told.max() - heard.max())) < 7, material


def test_distances_on_the_grid(adapter: ImpactPredictor) -> None:
    generator = torch.Generator().manual_seed(0)
    one = -30 * torch.rand(1, len(moments()[0]), BANDS, generator=generator)
    assert float(distances_db(one, one)) == 0
    assert float(distances_db(one, one - 3)) == pytest.approx(3, abs=1e-4)
    silent = torch.full_like(one, -140)
    floor = float((one - (one.max() - 60)).square().mean(dim=2)[0] @ moments()[1]) ** 0.5
    assert float(distances_db(one, silent)) == pytest.approx(floor, rel=1e-4), "nothing counts below 60 dB"
    assert moments()[1].sum() == pytest.approx(1.0, abs=1e-6)
    both = torch.cat([one, silent])
    assert distances_db(both, torch.cat([one, one, silent])).shape == (2, 3)
