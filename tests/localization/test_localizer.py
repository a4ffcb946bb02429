"""The localiser on a tiny random configuration: mirror symmetry, attention that sums to one, arcs and peaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synesthesia.binaural.geometry import within
from synesthesia.core.errors import UserError
from synesthesia.localization.cues import BinauralCues, CueConfig
from synesthesia.localization.encoder import Cells, SpatialEncoderConfig, Stretches
from synesthesia.localization.localizer import (
    Localizer,
    LocalizerConfig,
    both_pairs,
    mirror,
    peak,
    shortest_arc,
    two_peaks,
)

TINY = LocalizerConfig(extractor=SpatialEncoderConfig(widths=(4, 4, 8), heads=2, token=16), hidden=16)


@pytest.fixture(scope="module")
def localiser() -> Localizer:
    torch.manual_seed(0)
    made = Localizer(TINY).eval().requires_grad_(False)
    for grown in (made.extractor.refine, made.deeper.second):  # they add nothing at first
        torch.nn.init.normal_(grown.weight)
    return made


def noise(samples: int = 8000, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(2, 2, samples, generator=torch.Generator().manual_seed(seed))


def delayed(lead_samples: int, samples: int = 16_000) -> torch.Tensor:
    """(1, 2, n) noise whose right ear leads by so many samples."""
    sound = torch.randn(samples + 40, generator=torch.Generator().manual_seed(1))
    return torch.stack([sound[20 : 20 + samples], sound[20 + lead_samples : 20 + lead_samples + samples]])[None]


def test_the_phase_turns_with_the_lead_of_the_right_ear() -> None:
    cues = BinauralCues(CueConfig())(delayed(4))  # 0.25 ms
    cos, sin, coherence = cues.phase[0].mean(dim=1)
    assert (coherence[:30] > 0.95).all()  # one source: the ears agree
    band_hz = (cues_filters() * torch.linspace(0, 8000, 257)[:, None]).sum(0) / cues_filters().sum(0)
    low = band_hz < 900
    expected = 2 * torch.pi * band_hz[low] * 4 / 16_000
    assert torch.allclose(torch.atan2(sin[low], cos[low]), expected, atol=0.15)


def cues_filters() -> torch.Tensor:
    return BinauralCues(CueConfig()).filters


def test_cues_mirror_when_the_ears_are_swapped() -> None:
    read = BinauralCues(CueConfig())
    there, back = read(noise()).mirrored(), read(noise().flip(1))
    for name in ("level", "ild", "phase"):
        assert torch.allclose(getattr(there, name), getattr(back, name), atol=1e-5), name


def test_the_level_of_a_clip_does_not_matter() -> None:
    read = BinauralCues(CueConfig())
    assert torch.allclose(read(noise()).level, read(4 * noise()).level, atol=1e-4)


def test_swapping_the_ears_mirrors_the_answer_exactly(localiser: Localizer) -> None:
    there, back = localiser.symmetric(noise(), track=(5, 3)), localiser.symmetric(noise().flip(1), track=(5, 3))
    assert there.share.shape == (2, 180) and torch.allclose(there.share.sum(dim=1), torch.ones(2), atol=1e-5)
    assert torch.allclose(back.share, mirror(there.share), atol=1e-6)
    assert there.track is not None and back.track is not None
    assert torch.allclose(back.track, mirror(there.track), atol=1e-6)
    turned = mirror(back.pair)
    either = [torch.allclose(one, two, atol=1e-5) for one in (turned, turned.flip(1)) for two in (there.pair,)]
    assert any(either) and torch.allclose(there.pair.sum(dim=2), torch.ones(2, 2), atol=1e-5)
    azimuths = TINY.azimuths_deg.numpy()
    assert peak(back.share[0].numpy(), azimuths) == pytest.approx(-peak(there.share[0].numpy(), azimuths), abs=1e-3)


def test_attention_is_a_distribution_over_the_stretch(localiser: Localizer) -> None:
    cells = localiser.extractor(localiser.cues(noise()))
    sliding = Stretches.sliding(13, 5, 3)
    answer = localiser.read(cells, sliding)
    for weights in (answer.level_map, answer.phase_map):
        assert weights.shape == (2, len(sliding.starts), 5, 16)
        assert torch.allclose(weights.sum(dim=(2, 3)), torch.ones(2, len(sliding.starts)), atol=1e-4)
    assert answer.token.shape == (2, len(sliding.starts), 16)


def test_a_stretch_is_pooled_as_if_the_rest_were_not_there(localiser: Localizer) -> None:
    level, phase = localiser.extractor(localiser.cues(noise()))
    part = tuple(Cells(c.values[:, 3:8], c.scores[:, 3:8], c.keys[:, 3:8], c.more[:, 3:8]) for c in (level, phase))
    alone = localiser.read((part[0], part[1]), Stretches.whole(5))
    among = localiser.read((level, phase), Stretches.sliding(13, 5, 3))
    assert torch.allclose(among.azimuth[:, 1], alone.azimuth[:, 0], atol=1e-5)


def test_stretches_reach_the_end_and_a_short_clip_has_one() -> None:
    short = Stretches.sliding(3, 5, 2)
    assert (short.starts.tolist(), short.length) == ([0], 3)
    slid = Stretches.sliding(10, 4, 4)
    assert slid.starts.tolist() == [0, 4, 6] and slid.middles.tolist() == [2, 6, 8]


def test_the_shortest_arc_holds_its_mass_and_may_wrap() -> None:
    azimuths = np.arange(180) * 2.0 - 180
    bell = np.exp(-0.5 * (((azimuths - 178 + 180) % 360 - 180) / 6) ** 2)
    bell /= bell.sum()
    low, high = shortest_arc(bell, azimuths, 0.9)
    assert low > 160 and high < -160 and within(180.0, low, high) and not within(0.0, low, high)
    held = sum(p for p, a in zip(bell, azimuths, strict=True) if within(a, low, high))
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


def test_two_looks_at_a_pair_are_averaged_source_by_source() -> None:
    one, other = torch.eye(6)[[1, 4]][None], torch.eye(6)[[4, 1]][None]  # (1, 2, 6)
    assert torch.equal(both_pairs(one, other), one) and torch.equal(both_pairs(other, one), other)


def test_what_was_found_decides_what_is_looked_at_again(localiser: Localizer) -> None:
    cells = localiser.extractor(localiser.cues(noise()))
    whole = Stretches.whole(13)
    first = localiser.extractor.question(torch.zeros(2, 1, 16)), localiser.extractor.question(torch.randn(2, 1, 16))
    seen = [cells[0].pool_again(whole, query[:, :, 0]) for query in first]
    assert seen[0].shape == (2, 1, 4 * 32) and not torch.allclose(seen[0], seen[1], atol=1e-3)


def test_save_and_load(localiser: Localizer, tmp_path: Path) -> None:
    localiser.save(tmp_path)
    again = Localizer.load(tmp_path)
    assert again.config == TINY
    assert torch.allclose(again(noise()).azimuth, localiser(noise()).azimuth, atol=2e-2)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(UserError, match="incomplete"):
        Localizer.load(tmp_path)


def test_the_extractor_stays_small() -> None:
    assert sum(p.numel() for p in Localizer(LocalizerConfig()).extractor.parameters()) < 2_000_000
