"""Spatial encoder: known-answer cues, segments, attention."""

from __future__ import annotations

import torch

from synesthesia.localization.encoder import CellFeatures, CueConfig, CueExtractor, Segments
from synesthesia.localization.localizer import (
    Localizer,
    LocalizerConfig,
)
from tests.localization.tiny import noise


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


def test_segments_reach_the_end_and_a_short_clip_has_one() -> None:
    short = Segments.sliding(3, 5, 2)
    assert (short.starts.tolist(), short.length) == ([0], 3)
    slid = Segments.sliding(10, 4, 4)
    assert slid.starts.tolist() == [0, 4, 6] and slid.centers.tolist() == [2, 6, 8]


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


def test_cross_attention_depends_on_the_query(localizer: Localizer) -> None:
    cells = localizer.encoder(localizer.cues(noise()))
    whole = Segments.whole(13)
    first = localizer.encoder.query(torch.zeros(2, 1, 16)), localizer.encoder.query(torch.randn(2, 1, 16))
    attended = [cells[0].cross_attend(whole, query[:, :, 0]) for query in first]
    assert attended[0].shape == (2, 1, 4 * 32) and not torch.allclose(attended[0], attended[1], atol=1e-3)


def test_the_encoder_stays_small() -> None:
    assert sum(p.numel() for p in Localizer(LocalizerConfig()).encoder.parameters()) < 2_000_000
