"""Training of the localizer on synthetic sounds and a spherical HRTF: targets, mirroring, companions, overfitting."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synesthesia.binaural.hrtf import HRTF
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.localization.encoder import SpatialEncoderConfig
from synesthesia.localization.localizer import Localizer, LocalizerConfig
from tests.training_common.tiny_sounds import tiny_sounds
from training.binaural.clip_sampler import ClipSampler, noise_burst
from training.binaural.response_bank import APART_DEG, GROUP, ResponseBank, build_bank
from training.binaural.targets import LOUDER_SHARE, azimuth_target
from training.common.audio_data import SoundStore, read_manifest
from training.localization.calibrate import calibrated
from training.localization.losses import localizer_loss, pair_loss

TINY = LocalizerConfig(encoder=SpatialEncoderConfig(widths=(8, 8, 16), heads=2, token=32), hidden=32)


@pytest.fixture(scope="module")
def responses(tmp_path_factory: pytest.TempPathFactory) -> ResponseBank:
    hrtfs: list[HRTF] = [SphereHRTF()]
    cache = tmp_path_factory.mktemp("cache")
    made = build_bank(hrtfs, [], 2 * GROUP, cache, seed=3)
    again = build_bank(hrtfs, [], 2 * GROUP, cache, seed=3)  # from the cache
    assert np.array_equal(made.reverberant, again.reverberant) and np.array_equal(made.azimuth_deg, again.azimuth_deg)
    return made


@pytest.fixture(scope="module")
def sampler(responses: ResponseBank, tmp_path_factory: pytest.TempPathFactory) -> ClipSampler:
    folder = tmp_path_factory.mktemp("sounds")
    clips = read_manifest(tiny_sounds(folder))
    rows = [i for i, clip in enumerate(clips) if clip.split == "train"]
    return ClipSampler(SoundStore(folder, clips, folder / "cache"), rows, responses, np.random.default_rng(0))


def test_a_companion_stands_elsewhere_in_the_same_room(responses: ResponseBank) -> None:
    rng = np.random.default_rng(0)
    rows = responses.draw(rng, 40)
    others = responses.companion(rng, rows)
    assert (rows // GROUP == others // GROUP).all()
    away = np.abs((responses.azimuth_deg[rows] - responses.azimuth_deg[others] + 180) % 360 - 180)
    assert (away >= APART_DEG).all()


def test_batches_have_labels_and_mirror(sampler: ClipSampler) -> None:
    batch = sampler.draw(6, 0.3, second_share=1.0)
    assert batch.waveform.shape == (6, 2, 4800) and batch.waveform.isfinite().all()
    assert batch.azimuth.isfinite().all()
    turned = batch.mirrored(torch.tensor([True] + [False] * 5))
    assert torch.equal(turned.waveform[0], batch.waveform[0].flip(0))
    assert torch.equal(turned.azimuth[0], -batch.azimuth[0]) and torch.equal(turned.azimuth[1:], batch.azimuth[1:])


def test_the_pair_loss_ignores_the_order() -> None:
    azimuths = LocalizerConfig().azimuths_deg
    truth = torch.tensor([[30.0, -90.0], [170.0, 10.0]])
    bells = [azimuth_target(truth[:, [i]], azimuths).clamp(min=1e-9).log() for i in (0, 1)]
    straight, crossed = torch.stack(bells, dim=1), torch.stack(bells[::-1], dim=1)  # (2, 2, bins) logits
    right = pair_loss(straight, truth, azimuths)
    assert torch.allclose(pair_loss(crossed, truth, azimuths), right)
    assert right < pair_loss(straight, truth + 20.0, azimuths) - 1.0
    assert float(pair_loss(straight[:0], truth[:0], azimuths)) == 0.0


def test_noise_bursts_are_normalised_and_differ() -> None:
    made = [noise_burst(4000, np.random.default_rng(seed)) for seed in (0, 1)]
    for sound in made:
        assert sound.shape == (4000,) and np.sqrt(np.square(sound).mean()) == pytest.approx(1.0, rel=1e-3)
    assert not np.allclose(made[0], made[1])


def test_targets_are_bells_around_each_source() -> None:
    azimuths = LocalizerConfig().azimuths_deg
    target = azimuth_target(torch.tensor([[179.0, float("nan")], [-40.0, 60.0]]), azimuths)
    assert torch.allclose(target.sum(dim=1), torch.ones(2))
    assert azimuths[target[0].argmax()] in (178.0, -180.0) and target[0, 0] > 0.1  # it wraps
    near_first = (azimuths + 40).abs() < 20
    assert azimuths[target[1].argmax()] == -40.0  # the louder one
    assert azimuths[target[1].masked_fill(near_first, 0).argmax()] == 60.0
    assert float(target[1][near_first].sum()) == pytest.approx(LOUDER_SHARE, abs=1e-3)


def test_one_batch_overfits(sampler: ClipSampler) -> None:
    torch.manual_seed(0)
    localizer = Localizer(TINY).train()
    batch = sampler.draw(6, 0.3, second_share=0.3)
    optimiser = torch.optim.Adam(localizer.parameters(), 1e-2)
    losses = []
    for _ in range(40):
        loss, azimuth = localizer_loss(localizer, batch, bf16=False)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(azimuth))
        if losses[-1] < 0.75 * losses[0]:
            break
    assert losses[-1] < 0.75 * losses[0], losses


def test_calibration_stays_in_range(sampler: ClipSampler) -> None:
    config = calibrated(Localizer(TINY).eval(), sampler, clips=40)
    assert 0.4 < config.temperature < 3 and 0.5 <= config.interval_mass <= 1.0
