"""Minimum-Bayes-risk selection of a hypothesis, and the coarse spectrogram that its distance is computed on."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torchaudio.functional import melscale_fbanks

from synesthesia.core.vocabulary import MATERIALS, SHAPES, MaterialName, ShapeName
from synesthesia.impact.mbr import (
    BANDS,
    HIGH_HZ,
    LOW_HZ,
    MAX_SOLIDS,
    MIN_RATIO,
    REFERENCE_FORCE_N,
    REFERENCE_MALLET,
    SAMPLES,
    SECONDS,
    candidates,
    expected_spectrogram_db,
    frame_times,
    log_spectral_distances_db,
    select,
    subsample,
)
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import PhysicalObject, StrikePoint
from synesthesia.impact.modal.strike import synthesize
from synesthesia.impact.physics_net import PhysicsPosterior
from synesthesia.impact.predictor import (
    Hypothesis,
    ImpactPredictor,
    excite_hypotheses,
    mode_hypothesis,
    sample_hypotheses,
)
from synesthesia.impact.render import StrikeParams, render_impact
from tests.impact.modal.bodies import OBJECTS, of_material
from tests.impact.tiny import normalised_log, posterior_for, random_grid

RATE_HZ = 16_000
FIRST, ANY = 1.0, 0.05  # of the largest probability: only the likeliest, nearly all
BOTTLE, BAR = OBJECTS["bottle"], OBJECTS["bar"]


def between(
    predictor: ImpactPredictor, first: PhysicalObject, second: PhysicalObject, share: float
) -> PhysicsPosterior:
    """Certainly one of two objects of different shapes, of one material; the first with probability `share`."""
    sure = posterior_for(predictor, first, spread=0.3)
    other = posterior_for(predictor, second, spread=0.3)
    shape = torch.full((len(SHAPES),), 1e-9)
    shape[SHAPES.index(first.shape)], shape[SHAPES.index(second.shape)] = share, 1 - share
    is_second = (torch.arange(len(SHAPES)) == SHAPES.index(second.shape))[None, :, None]
    parts = tuple(torch.where(is_second, b, a) for a, b in zip(sure.by_shape, other.by_shape, strict=True))
    return replace(sure, codes=codes(predictor, {first.material: 1.0}), shape=normalised_log(shape), by_shape=parts)


def codes(predictor: ImpactPredictor, materials: dict[MaterialName, float]) -> torch.Tensor:
    """(1, K) log probabilities of codes of these materials."""
    named, _ = predictor.net.codebook.majority_material()
    shares = torch.zeros(len(named))
    for name, share in materials.items():
        own = named == MATERIALS.index(name)
        shares = shares + share * own / own.sum()
    return normalised_log(shares)


@pytest.mark.parametrize("min_ratio", [FIRST, ANY])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_certain_object_is_selected(predictor: ImpactPredictor, shape: ShapeName, min_ratio: float) -> None:
    item = of_material(OBJECTS[shape], "wood")
    posterior = between(predictor, item, of_material(BOTTLE if shape == "bar" else BAR, "wood"), 1.0)
    found = select(predictor, posterior, 0, min_ratio)
    assert found == mode_hypothesis(predictor, posterior, 0)
    assert (found.item.material, found.item.shape) == ("wood", shape)
    assert found.item.size_m == pytest.approx(item.size_m, rel=0.1)


@pytest.mark.parametrize(("share", "struck"), [(0.75, "bottle"), (0.25, "bar")])
def test_the_likelier_of_two_objects_is_selected(predictor: ImpactPredictor, share: float, struck: str) -> None:
    posterior = between(predictor, of_material(BOTTLE, "glass"), of_material(BAR, "glass"), share)
    assert select(predictor, posterior, 0).item.shape == struck


def test_several_similar_sounds_outweigh_the_likeliest(predictor: ImpactPredictor) -> None:
    """Metal is the likeliest, but the other materials all thud: one of them has the least expected distance."""
    probabilities: dict[MaterialName, float] = {"metal": 0.4, "fabric": 0.2, "leather": 0.2, "rubber": 0.2}
    posterior = replace(
        posterior_for(predictor, of_material(OBJECTS["plate"], "metal"), spread=0.3),
        codes=codes(predictor, probabilities),
    )
    assert mode_hypothesis(predictor, posterior, 0).item.material == "metal"
    assert select(predictor, posterior, 0, FIRST).item.material == "metal"
    assert select(predictor, posterior, 0, ANY).item.material in ("fabric", "leather", "rubber")


def test_the_selected_candidate_has_the_least_mean_distance(predictor: ImpactPredictor) -> None:
    posterior = predictor.predict(random_grid(seed=7))
    for patch in (3, 20, 41):
        samples, weights = subsample(
            sample_hypotheses(predictor, posterior, patch, SAMPLES, torch.Generator().manual_seed(0))
        )
        options = candidates(predictor, posterior, patch, ANY)
        levels = expected_spectrogram_db(
            excite_hypotheses([*samples, *options], REFERENCE_FORCE_N, REFERENCE_MALLET, RATE_HZ), RATE_HZ
        )
        means = [
            sum(float(weight * log_spectral_distances_db(reference[None], option[None]))
                for weight, reference in zip(weights, levels[: len(samples)], strict=True)) / SAMPLES
            for option in levels[len(samples) :]
        ]  # fmt: skip
        assert select(predictor, posterior, patch, ANY) == options[means.index(min(means))]
        assert min(means) < sum(means) / len(means)


def test_a_ratio_of_one_keeps_the_likeliest_material(predictor: ImpactPredictor) -> None:
    posterior = predictor.predict(random_grid(seed=7))
    first = [mode_hypothesis(predictor, posterior, patch).item.material for patch in range(0, 48, 6)]
    assert [select(predictor, posterior, patch, FIRST).item.material for patch in range(0, 48, 6)] == first
    assert [select(predictor, posterior, patch, ANY).item.material for patch in range(0, 48, 6)] != first


def test_unlikely_materials_are_no_candidates(predictor: ImpactPredictor) -> None:
    """Dull materials together outweigh metal, but none of them is half as likely."""
    for rest in (0.9 * MIN_RATIO, 1.1 * MIN_RATIO):
        one = 1 / (1 + 4 * rest)
        dull: list[MaterialName] = ["fabric", "leather", "rubber", "paper"]
        probabilities: dict[MaterialName, float] = {"metal": one, **dict.fromkeys(dull, one * rest)}
        posterior = replace(
            posterior_for(predictor, OBJECTS["plate"], spread=0.3), codes=codes(predictor, probabilities)
        )
        likely = {hypothesis.item.material for hypothesis in candidates(predictor, posterior, 0, MIN_RATIO)}
        assert likely == ({"metal"} if rest < MIN_RATIO else {"metal", *dull})
        assert (select(predictor, posterior, 0).item.material == "metal") == (rest < MIN_RATIO)
    posterior = between(predictor, of_material(BOTTLE, "glass"), of_material(BAR, "glass"), 0.6)
    assert {hypothesis.item.shape for hypothesis in candidates(predictor, posterior, 0, MIN_RATIO)} == {"bottle", "bar"}


def test_every_strike_selects_the_same_state_and_reports_it(predictor: ImpactPredictor) -> None:
    posterior = predictor.predict(random_grid(seed=7))
    for patch in (0, 11, 33):
        found = select(predictor, posterior, patch)
        for params in (
            StrikeParams(8.0, "wood", 0.5, 1),
            StrikeParams(40.0, "metal", 0.5, 2),
            StrikeParams(0.5, "finger", 0.5, 3),
        ):
            impact, item = render_impact(predictor, posterior, patch, params, RATE_HZ)[1], found.item
            assert (impact.material, impact.shape, impact.size_m) == (item.material, item.shape, item.size_m)
            assert (impact.state.code, impact.state.size_m.value) == (found.code, impact.size_m)
            assert impact.state.thickness_m.value == impact.thickness_m
        smaller = StrikeParams(8.0, "wood", 0.5, 1, size_factor=0.5)
        changed = render_impact(predictor, posterior, patch, smaller, RATE_HZ)[1]
        assert changed.state == impact.state and changed.what_if


def test_few_solid_bodies_represent_all(predictor: ImpactPredictor) -> None:
    posterior = between(predictor, of_material(OBJECTS["solid"], "wood"), of_material(BAR, "wood"), 0.7)
    samples = sample_hypotheses(predictor, posterior, 0, SAMPLES, torch.Generator().manual_seed(0))
    solids = sum(hypothesis.item.shape == "solid" for hypothesis in samples)
    kept, weights = subsample(samples)
    assert MAX_SOLIDS < solids < SAMPLES and len(kept) == len(weights) == SAMPLES - solids + MAX_SOLIDS
    is_solid = torch.tensor([hypothesis.item.shape == "solid" for hypothesis in kept])
    assert float(weights[is_solid].sum()) == pytest.approx(solids) and (weights[~is_solid] == 1).all()
    none = [hypothesis for hypothesis in samples if hypothesis.item.shape != "solid"]
    assert subsample(none)[0] == none


def sampled_db(waveform: torch.Tensor) -> torch.Tensor:
    """(samples,) -> (FRAMES, BANDS) decibels of the mean square in each band, from spectra of 25 ms."""
    spectra = torch.stft(
        waveform, 1024, 16, 400, torch.hann_window(400), center=True, pad_mode="constant", return_complex=True
    )  # fmt: skip
    bands = melscale_fbanks(513, LOW_HZ, HIGH_HZ, BANDS, RATE_HZ, norm=None, mel_scale="slaney")
    power = 2 * (spectra.abs().square().T @ bands) / (1024 * torch.hann_window(400).square().sum())
    return 10 * torch.log10(power[(frame_times()[0] * RATE_HZ / 16).round().long()].clamp(min=1e-14))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_expected_spectrogram_follows_the_samples(predictor: ImpactPredictor, shape: ShapeName) -> None:
    """Of cells within 40 dB of the loudest the median within 3 dB, nine in ten within 10; the loudest within 7."""
    for material in ("metal", "wood", "ceramic", "stone", "plastic", "rubber"):
        hypothesis = Hypothesis(
            0, of_material(OBJECTS[shape], material), StrikePoint(0.4, 0.6), Properties.of([material])
        )
        excited = excite_hypotheses([hypothesis], REFERENCE_FORCE_N, REFERENCE_MALLET, RATE_HZ)
        expected = expected_spectrogram_db(excited, RATE_HZ)[0]
        levels = sampled_db(synthesize(excited, SECONDS, RATE_HZ, 5)[0].float())
        loud = levels > levels.max() - 40
        apart = (expected - levels)[loud]
        assert abs(float(apart.median())) < 3, (material, float(apart.median()))
        assert float(apart.abs().quantile(0.9)) < 10, (material, float(apart.abs().quantile(0.9)))
        assert abs(float(expected.max() - levels.max())) < 7, material


def test_log_spectral_distances() -> None:
    generator = torch.Generator().manual_seed(0)
    one = -30 * torch.rand(1, len(frame_times()[0]), BANDS, generator=generator)
    assert float(log_spectral_distances_db(one, one)) == 0
    assert float(log_spectral_distances_db(one, one - 3)) == pytest.approx(3, abs=1e-4)
    silent = torch.full_like(one, -140)
    floor = float((one - (one.max() - 60)).square().mean(dim=2)[0] @ frame_times()[1]) ** 0.5
    assert float(log_spectral_distances_db(one, silent)) == pytest.approx(floor, rel=1e-4), "nothing counts below 60 dB"
    assert frame_times()[1].sum() == pytest.approx(1.0, abs=1e-6)
    both = torch.cat([one, silent])
    assert log_spectral_distances_db(both, torch.cat([one, one, silent])).shape == (2, 3)
