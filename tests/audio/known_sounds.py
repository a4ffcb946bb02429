"""Sounds with known answers for vocoders, and what is measured on them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

RATE_HZ = 16_000
PERIODS = 32  # of the fundamental in an analysis window
POINTS = 64  # samples a period after warping
TOP_HZ = 4000.0


def white_noise(seconds: float = 3.0) -> Tensor:
    return 0.1 * torch.randn(1, round(seconds * RATE_HZ), generator=torch.Generator().manual_seed(1))


def rain(seconds: float = 3.0) -> Tensor:
    """Noise that falls off towards high frequencies, with gusts, and drops: bursts of noise of 3 ms."""
    generator = torch.Generator().manual_seed(2)
    n = round(seconds * RATE_HZ)
    spectrum = torch.fft.rfft(torch.randn(n, generator=generator))
    noise = torch.fft.irfft(spectrum / torch.linspace(1, 64, len(spectrum)).sqrt(), n)
    gusts = 1 + 0.4 * torch.sin(2 * math.pi * 0.7 * torch.arange(n) / RATE_HZ)
    drops = torch.zeros(n)
    for place in torch.randint(0, n - 200, (round(30 * seconds),), generator=generator).tolist():
        drops[place : place + 200] += torch.randn(200, generator=generator) * torch.exp(-torch.arange(200) / 48)
    return (0.1 * (noise / noise.std() * gusts + drops))[None]


def chord(seconds: float = 3.0) -> Tensor:
    """Three steady harmonic tones, fifth and octave above 248 Hz, with a little noise, 40 dB below. All differences of
    their partials are multiples of 124 Hz, far from those of 100 Hz, the frame rate."""
    time_s = torch.arange(round(seconds * RATE_HZ), dtype=torch.float64) / RATE_HZ
    out = torch.zeros_like(time_s)
    for hz in (248.0, 372.0, 496.0):
        for number in range(1, 16):
            out += torch.sin(2 * math.pi * hz * number * time_s + number**2 + hz) / number
    out = 0.15 * out / out.std()
    noise = torch.randn(len(out), generator=torch.Generator().manual_seed(3))
    return (out + 0.01 * out.std() * noise).float()[None]


def glide(hnr_db: float, octaves_a_second: float = 0.5, seconds: float = 2.0) -> tuple[Tensor, Tensor]:
    """(1, n) a harmonic tone gliding upwards from 200 Hz in white noise; its phase (n,) in periods."""
    time_s = torch.arange(round(seconds * RATE_HZ), dtype=torch.float64) / RATE_HZ
    hz = 200 * 2 ** (octaves_a_second * time_s)
    phase = hz.cumsum(0) / RATE_HZ
    out = torch.zeros_like(time_s)
    for number in range(1, 30):
        out += torch.where(number * hz < 7000, torch.sin(2 * math.pi * number * phase + number**2) / number, 0.0)
    out = 0.15 * out / out.std()
    noise = torch.randn(len(out), generator=torch.Generator().manual_seed(4))
    return (out + 0.15 * 10 ** (-hnr_db / 20) * noise).float()[None], phase


def harmonics_to_noise_db(sound: Tensor, phase: Tensor) -> float:
    """(n,) with the phase (n,) of its fundamental in periods -> harmonics-to-noise ratio below TOP_HZ in dB.

    The sound is warped to a constant pitch; in windows of PERIODS periods a steady harmonic fills five bins, and all
    other bins hold noise alone.
    """
    even = torch.arange(int(float(phase[-1]) * POINTS)) / POINTS + float(phase[0])
    right = torch.searchsorted(phase, even.double()).clamp(1, len(phase) - 1)
    share = (even - phase[right - 1]) / (phase[right] - phase[right - 1])
    warped = sound[right - 1].double() * (1 - share) + sound[right].double() * share
    size = PERIODS * POINTS
    frames = warped[2 * size : -2 * size].unfold(0, size, size // 2) * torch.hann_window(size)
    power = torch.fft.rfft(frames).abs().square().mean(dim=0)
    highest = min(int(TOP_HZ / (RATE_HZ * float(phase[-1] - phase[-2]))), POINTS // 2 - 1)
    cells = power[PERIODS // 2 :][: highest * PERIODS].view(highest, PERIODS)  # a harmonic is in the middle of each
    of_harmonic = torch.zeros(PERIODS, dtype=torch.bool)
    of_harmonic[PERIODS // 2 - 2 : PERIODS // 2 + 3] = True
    floor = cells[:, ~of_harmonic].mean(dim=1)
    tone = float((cells[:, of_harmonic].sum(dim=1) - 5 * floor).sum())
    noise = float(PERIODS * floor.sum())
    return 10 * math.log10(max(tone, 1e-12) / max(noise, 1e-12))


def click(at: int = 8000, samples: int = 16_000) -> Tensor:
    """A burst of noise of 1 ms in a very soft background (-80 dB)."""
    generator = torch.Generator().manual_seed(5)
    out = 1e-4 * torch.randn(1, samples, generator=generator)
    out[0, at - 8 : at + 8] += 0.8 * torch.randn(16, generator=generator).sign()
    return out
