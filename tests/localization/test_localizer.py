"""Localizer network on a tiny random configuration: mirror symmetry, attention, intervals, checkpoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synesthesia.binaural.geometry import in_arc
from synesthesia.core.errors import UserError
from synesthesia.localization.encoder import CellFeatures, CueConfig, CueExtractor, Segments, SpatialEncoderConfig
from synesthesia.localization.localizer import (
    Localizer,
    LocalizerConfig,
    average_pairs,
    mirror,
    peak,
    shortest_arc,
    two_peaks,
)

TINY = LocalizerConfig(encoder=SpatialEncoderConfig(widths=(4, 4, 8), heads=2, token=16), hidden=16)


@pytest.fixture(scope="module")
def localizer() -> Localizer:
    torch.manual_seed(0)
    made = Localizer(TINY).eval().requires_grad_(False)
    for layer in (made.encoder.output, made.residual.second):  # zero at initialisation
        torch.nn.init.normal_(layer.weight)
    return made


def noise(samples: int = 8000, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(2, 2, samples, generator=torch.Generator().manual_seed(seed))


def delayed(lead_samples: int, samples: int = 16_000) -> torch.Tensor:
    """(1, 2, n) noise whose right ear leads by so many samples."""
    sound = torch.randn(samples + 40, generator=torch.Generator().manual_seed(1))
    return torch.stack([sound[20 : 20 + samples], sound[20 + lead_samples : 20 + lead_samples + samples]])[None]


def test_the_phase_turns_with_the_lead_of_the_right_ear() -> None:
    cues = CueExtractor(CueConfig())(delayed(4))  # 0.25 ms
    cos, sin, coherence = cues.phase[0].mean(dim=1)
    assert (coherence[:30] > 0.95).all()  # one source: the ears agree
    band_hz = (cues_filters() * torch.linspace(0, 8000, 257)[:, None]).sum(0) / cues_filters().sum(0)
    low = band_hz < 900
    expected = 2 * torch.pi * band_hz[low] * 4 / 16_000
    assert torch.allclose(torch.atan2(sin[low], cos[low]), expected, atol=0.15)


def cues_filters() -> torch.Tensor:
    return CueExtractor(CueConfig()).filters


def test_cues_mirror_when_the_ears_are_swapped() -> None:
    read = CueExtractor(CueConfig())
    there, back = read(noise()).mirrored(), read(noise().flip(1))
    for name in ("level", "ild", "phase"):
        assert torch.allclose(getattr(there, name), getattr(back, name), atol=1e-5), name


def test_the_level_of_a_clip_does_not_matter() -> None:
    read = CueExtractor(CueConfig())
    assert torch.allclose(read(noise()).level, read(4 * noise()).level, atol=1e-4)


def test_swapping_the_ears_mirrors_the_prediction_exactly(localizer: Localizer) -> None:
    there, back = localizer.predict(noise(), track=(5, 3)), localizer.predict(noise().flip(1), track=(5, 3))
    assert there.distribution.shape == (2, 180) and torch.allclose(
        there.distribution.sum(dim=1), torch.ones(2), atol=1e-5
    )
    assert torch.allclose(back.distribution, mirror(there.distribution), atol=1e-6)
    assert there.track is not None and back.track is not None
    assert torch.allclose(back.track, mirror(there.track), atol=1e-6)
    turned = mirror(back.pair)
    either = [torch.allclose(one, two, atol=1e-5) for one in (turned, turned.flip(1)) for two in (there.pair,)]
    assert any(either) and torch.allclose(there.pair.sum(dim=2), torch.ones(2, 2), atol=1e-5)
    azimuths = TINY.azimuths_deg.numpy()
    assert peak(back.distribution[0].numpy(), azimuths) == pytest.approx(
        -peak(there.distribution[0].numpy(), azimuths), abs=1e-3
    )


def test_attention_is_a_distribution_over_the_segment(localizer: Localizer) -> None:
    cells = localizer.encoder(localizer.cues(noise()))
    sliding = Segments.sliding(13, 5, 3)
    output = localizer.forward_segments(cells, sliding)
    for weights in (output.level_map, output.phase_map):
        assert weights.shape == (2, len(sliding.starts), 5, 16)
        assert torch.allclose(weights.sum(dim=(2, 3)), torch.ones(2, len(sliding.starts)), atol=1e-4)
    assert output.token.shape == (2, len(sliding.starts), 16)


def test_a_segment_is_pooled_independently_of_the_rest(localizer: Localizer) -> None:
    level, phase = localizer.encoder(localizer.cues(noise()))
    part = tuple(
        CellFeatures(c.values[:, 3:8], c.scores[:, 3:8], c.keys[:, 3:8], c.query_values[:, 3:8]) for c in (level, phase)
    )
    alone = localizer.forward_segments((part[0], part[1]), Segments.whole(5))
    among = localizer.forward_segments((level, phase), Segments.sliding(13, 5, 3))
    assert torch.allclose(among.azimuth[:, 1], alone.azimuth[:, 0], atol=1e-5)


def test_segments_reach_the_end_and_a_short_clip_has_one() -> None:
    short = Segments.sliding(3, 5, 2)
    assert (short.starts.tolist(), short.length) == ([0], 3)
    slid = Segments.sliding(10, 4, 4)
    assert slid.starts.tolist() == [0, 4, 6] and slid.centers.tolist() == [2, 6, 8]


def test_the_shortest_arc_holds_its_mass_and_may_wrap() -> None:
    azimuths = np.arange(180) * 2.0 - 180
    bell = np.exp(-0.5 * (((azimuths - 178 + 180) % 360 - 180) / 6) ** 2)
    bell /= bell.sum()
    low, high = shortest_arc(bell, azimuths, 0.9)
    assert low > 160 and high < -160 and in_arc(180.0, low, high) and not in_arc(0.0, low, high)
    held = sum(p for p, a in zip(bell, azimuths, strict=True) if in_arc(a, low, high))
    assert 0.9 <= held < 0.97
    flat_low, flat_high = shortest_arc(np.full(180, 1 / 180), azimuths, 0.5)
    assert (flat_high - flat_low) % 360 == pytest.approx(180, abs=2.1)


def test_of_two_sources_the_one_with_the_larger_share_comes_first() -> None:
    azimuths = np.arange(180) * 2.0 - 180
    pair = np.stack([np.exp(-0.5 * ((azimuths - at) / 4) ** 2) for at in (-75, 31)])
    pair /= pair.sum(axis=1, keepdims=True)
    share = 0.4 * pair[0] + 0.6 * pair[1]
    assert two_peaks(pair, share, azimuths) == pytest.approx((31, -75), abs=0.5)
    assert two_peaks(pair[::-1], share, azimuths) == pytest.approx((31, -75), abs=0.5)


def test_pairs_are_averaged_source_by_source() -> None:
    one, other = torch.eye(6)[[1, 4]][None], torch.eye(6)[[4, 1]][None]  # (1, 2, 6)
    assert torch.equal(average_pairs(one, other), one) and torch.equal(average_pairs(other, one), other)


def test_cross_attention_depends_on_the_query(localizer: Localizer) -> None:
    cells = localizer.encoder(localizer.cues(noise()))
    whole = Segments.whole(13)
    first = localizer.encoder.query(torch.zeros(2, 1, 16)), localizer.encoder.query(torch.randn(2, 1, 16))
    attended = [cells[0].cross_attend(whole, query[:, :, 0]) for query in first]
    assert attended[0].shape == (2, 1, 4 * 32) and not torch.allclose(attended[0], attended[1], atol=1e-3)


def test_save_and_load(localizer: Localizer, tmp_path: Path) -> None:
    localizer.save(tmp_path)
    again = Localizer.load(tmp_path)
    assert again.config == TINY
    assert torch.allclose(again(noise()).azimuth, localizer(noise()).azimuth, atol=2e-2)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(UserError, match="incomplete"):
        Localizer.load(tmp_path)


def test_the_encoder_stays_small() -> None:
    assert sum(p.numel() for p in Localizer(LocalizerConfig()).encoder.parameters()) < 2_000_000
