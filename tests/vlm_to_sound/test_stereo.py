"""Parametric stereo with a noise vocoder: levels and ITD come out as they went in."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.mel import LogMel
from synesthesia.vlm_to_sound.stereo import MAX_LEVEL, MIN_LEVEL, mid_mel, render_stereo

FRAMES = 100
MIDDLE = slice(10, -10)  # frames away from the edges
FINER = 16  # times finer than a sample the ITD is resolved


def vocoder(mel: Tensor) -> Tensor:
    """(B, T, 64) -> white noise (B, 160 T), the louder the mel the louder."""
    noise = torch.randn(mel.shape[1] * 160, generator=torch.Generator().manual_seed(0))
    return 0.1 * noise * mel.mean(dim=(1, 2), keepdim=True)[:, 0].exp()


def ears(left: Tensor | float, right: Tensor | float) -> Tensor:
    """(1, 2, FRAMES, 64); either a number, or (64,) by band."""
    both = torch.zeros(1, 2, FRAMES, 64)
    both[0, 0], both[0, 1] = left, right
    return both


def difference(wave: Tensor) -> Tensor:
    """(2, n) -> (T, 64) nepers by which the right channel is louder."""
    left, right = LogMel()(wave)
    return right - left


def itd_of(wave: Tensor) -> float:
    """Seconds by which the right channel leads, from the peak of the channels' cross-correlation."""
    count = 2 * wave.shape[1]
    left, right = torch.fft.rfft(wave, count)
    correlation = torch.fft.irfft(F.pad(left * right.conj(), (0, (FINER - 1) * count // 2)), FINER * count)
    lag = int(correlation.argmax())
    return (lag if lag < FINER * count // 2 else lag - FINER * count) / (16_000 * FINER)


def test_the_common_mel_is_the_mean_power() -> None:
    assert torch.allclose(mid_mel(ears(-2.0, -2.0)), torch.tensor(-2.0))
    assert torch.allclose(mid_mel(ears(0.0, -40.0)), torch.tensor(-0.34657), atol=1e-4)
    power = mid_mel(ears(-1.0, -3.0)).mul(2).exp()
    assert torch.allclose(power, 0.5 * (torch.tensor(-2.0).exp() + torch.tensor(-6.0).exp()))


def test_one_sound_in_both_ears_is_mono() -> None:
    mels = ears(-3.0, -3.0)
    left, right = render_stereo(mels, torch.zeros(1), vocoder)[0]
    assert torch.equal(left, right)
    assert torch.allclose(left, vocoder(mid_mel(mels))[0], atol=1e-6), "and exactly the vocoder's output"


@pytest.mark.parametrize("steps", [0, 1, 6, -2, -11])
def test_the_itd_comes_out_as_requested(steps: int) -> None:
    itd_s = 50e-6 * steps
    wave = render_stereo(ears(-3.0, -3.0), torch.tensor([itd_s]), vocoder)[0]
    assert itd_of(wave) == pytest.approx(itd_s, abs=0.6 / (16_000 * FINER))
    plain = vocoder(ears(-3.0, -3.0)[:, 0])[0]
    for channel, earlier in ((wave[0], -itd_s / 2), (wave[1], itd_s / 2)):
        assert itd_of(torch.stack([plain, channel])) == pytest.approx(earlier, abs=0.6 / (16_000 * FINER))


def test_the_leading_ear_is_earlier() -> None:
    """A click arrives earlier at the right ear."""

    def click(mel: Tensor) -> Tensor:
        return F.one_hot(torch.tensor([8000]), mel.shape[1] * 160).float()

    left, right = render_stereo(ears(-3.0, -3.0), torch.tensor([500e-6]), click)[0]
    assert (int(left.argmax()), int(right.argmax())) == (8004, 7996)


def test_levels_differ_in_every_band_as_requested() -> None:
    slope = torch.linspace(-1.2, 1.8, 64)
    for itd_s in (0.0, 400e-6):
        wave = render_stereo(ears(-3.0 - slope / 2, -3.0 + slope / 2), torch.tensor([itd_s]), vocoder)[0]
        measured = difference(wave)[MIDDLE].mean(dim=0)
        assert torch.allclose(measured[1:], slope[1:], atol=0.06), "the lowest band is narrower than a window resolves"


def test_levels_stay_in_their_bands() -> None:
    louder = torch.zeros(64)
    louder[40:49] = 1.0
    measured = difference(render_stereo(ears(-3.0, -3.0 + louder), torch.zeros(1), vocoder)[0])[MIDDLE].mean(dim=0)
    middle = float((measured * torch.arange(64)).sum() / measured.sum())
    assert middle == pytest.approx(44.0, abs=0.2)
    assert torch.allclose(measured[42:47], torch.tensor(1.0), atol=0.06)
    assert torch.allclose(measured[2:38], torch.tensor(0.0), atol=0.02)


def test_levels_follow_the_time() -> None:
    mels = ears(-3.0, -3.0)
    mels[0, 0, : FRAMES // 2] += 1.0
    mels[0, 1, FRAMES // 2 :] += 1.0
    measured = difference(render_stereo(mels, torch.zeros(1), vocoder)[0])[:, 1:].mean(dim=1)
    assert torch.allclose(measured[2:40], torch.tensor(-1.0), atol=0.05)
    assert torch.allclose(measured[60:-2], torch.tensor(1.0), atol=0.05)


def test_both_ears_together_keep_the_power_of_the_mono_sound() -> None:
    mels = ears(-3.0, -1.5)
    wave = render_stereo(mels, torch.zeros(1), vocoder)[0]
    assert float(wave.square().mean() / vocoder(mid_mel(mels)).square().mean()) == pytest.approx(1.0, abs=0.01)


def test_a_silent_ear_is_clamped_to_the_lowest_gain() -> None:
    measured = difference(render_stereo(ears(-11.5, 0.0), torch.zeros(1), vocoder)[0])[MIDDLE].mean()
    assert float(measured) == pytest.approx(MAX_LEVEL - MIN_LEVEL, abs=0.03)


def test_swapped_ears_are_swapped_channels() -> None:
    mels = -3.0 + torch.randn(1, 2, FRAMES, 64, generator=torch.Generator().manual_seed(1))
    wave = render_stereo(mels, torch.tensor([300e-6]), vocoder)
    mirrored = render_stereo(mels.flip(1), torch.tensor([-300e-6]), vocoder)
    assert torch.allclose(mirrored.flip(1), wave, atol=1e-6)
    assert not torch.allclose(mirrored, wave, atol=1e-3)


def test_every_row_of_a_batch_has_its_own_levels_and_itd() -> None:
    mels = -3.0 + torch.randn(3, 2, 20, 64, generator=torch.Generator().manual_seed(1))
    itds_s = torch.tensor([0.0, 500e-6, -200e-6])
    together = render_stereo(mels, itds_s, vocoder)
    assert together.shape == (3, 2, 3200) and together.isfinite().all()
    for row in range(3):
        alone = render_stereo(mels[[row]], itds_s[[row]], vocoder)
        assert torch.allclose(together[[row]], alone, atol=1e-6)


def test_a_single_token_is_long_enough() -> None:
    assert render_stereo(torch.zeros(1, 2, 4, 64), torch.zeros(1), vocoder).shape == (1, 2, 640)


def test_one_ear_is_refused() -> None:
    with pytest.raises(AssertionError, match="mels must be"):
        render_stereo(torch.zeros(1, 1, 4, 64), torch.zeros(1), vocoder)
