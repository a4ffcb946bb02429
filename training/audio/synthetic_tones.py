"""Synthetic tones with noise and clicks, whose tonal part is known exactly: gliding, trembling, struck tones, chords.

Recordings seldom hold a clean glide or a clean chord, and the vocoder shall keep them. Every draw comes from `rng`.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from training.common.audio_data import SAMPLE_RATE_HZ

HIGHEST_HZ = 7800.0
MOST_PARTIALS = 40
MOST_TONES = 3


def smooth_curve(samples: int, every: int, rng: np.random.Generator) -> np.ndarray:
    """(samples,) through normal deviates `every` samples apart, linear between them."""
    points = rng.standard_normal(samples // every + 2)
    return np.interp(np.arange(samples) / every, np.arange(len(points)), points)


def pitch(samples: int, rng: np.random.Generator) -> np.ndarray:
    """(samples,) fundamental frequency in Hz: steady, gliding by up to two octaves a second, trembling or wandering."""
    seconds = np.arange(samples) / SAMPLE_RATE_HZ
    base = 2 ** rng.uniform(np.log2(60), np.log2(2000))
    octaves = np.zeros(samples)
    kind = rng.integers(0, 5)
    if kind in (1, 4):
        octaves = rng.uniform(-2.0, 2.0) * (seconds - seconds[-1] / 2)
    if kind in (2, 4):
        octaves = octaves + rng.uniform(0.1, 1.0) / 12 * np.sin(
            2 * np.pi * rng.uniform(3, 8) * seconds + rng.uniform(0, 6)
        )
    if kind == 3:
        octaves = rng.uniform(0.02, 0.3) * smooth_curve(samples, int(rng.uniform(0.08, 0.5) * SAMPLE_RATE_HZ), rng)
    return base * 2**octaves


def loudness(samples: int, rng: np.random.Generator) -> np.ndarray:
    """(samples,) envelope: constant, swelling, struck and decaying, or on and off."""
    kind = rng.integers(0, 4)
    seconds = np.arange(samples) / SAMPLE_RATE_HZ
    if kind == 1:
        return 10 ** (0.4 * smooth_curve(samples, int(rng.uniform(0.05, 0.4) * SAMPLE_RATE_HZ), rng))
    since = seconds - rng.uniform(0.0, 0.7) * seconds[-1]
    if kind == 2:
        return np.where(since >= 0, np.exp(-since.clip(0) / rng.uniform(0.05, 1.0)), 0.0)
    if kind == 3:
        rise_s = rng.uniform(0.002, 0.05)
        return np.clip(since / rise_s, 0, 1) * np.clip((rng.uniform(0.1, 0.8) - since) / rise_s, 0, 1)
    return np.ones(samples)


def tone(samples: int, rng: np.random.Generator) -> np.ndarray:
    """(samples,) partials over one pitch, harmonic or stretched, with a random spectral slope and formants."""
    hz = pitch(samples, rng)
    stretch = rng.uniform(1.0, 1.6) if rng.random() < 0.2 else 1.0
    most = 1 if rng.random() < 0.15 else MOST_PARTIALS
    slope, ripple = rng.uniform(-2.0, 0.0), rng.uniform(0.0, 1.0)
    phase = 2 * np.pi * np.cumsum(hz) / SAMPLE_RATE_HZ
    out = np.zeros(samples, np.float32)
    for number in range(1, most + 1):
        ratio = number**stretch
        if hz.min() * ratio > HIGHEST_HZ:
            break
        audible = np.clip((HIGHEST_HZ - hz * ratio) / 200.0, 0.0, 1.0)
        level = number**slope * np.exp(ripple * rng.standard_normal())
        out += (level * audible).astype(np.float32) * np.sin(ratio * phase + rng.uniform(0, 2 * np.pi)).astype(
            np.float32
        )
    return out * loudness(samples, rng).astype(np.float32)


def coloured_noise(samples: int, rng: np.random.Generator) -> np.ndarray:
    """(samples,) Gaussian noise with a random spectral slope and bumps, steady or fluctuating, of unit power."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    octaves = np.log2(np.linspace(1, 512, len(spectrum)))
    bumps = np.interp(np.linspace(0, 1, len(spectrum)), np.linspace(0, 1, 12), rng.standard_normal(12))
    noise = np.fft.irfft(spectrum * 2 ** (rng.uniform(-1.2, 0.3) * octaves + rng.uniform(0, 1.5) * bumps), samples)
    if rng.random() < 0.5:
        noise = noise * loudness(samples, rng)
    return noise / max(float(noise.std()), 1e-6)


def clicks(samples: int, rng: np.random.Generator) -> np.ndarray:
    """(samples,) a few impulses or bursts of 1 to 10 ms that decay at once."""
    out = np.zeros(samples)
    for place in rng.integers(0, samples - 400, rng.integers(1, 12)):
        decay = rng.uniform(1.0, 60.0)
        out[place : place + 400] += rng.uniform(0.1, 1.0) * rng.standard_normal(400) * np.exp(-np.arange(400) / decay)
    return out


def mixture(samples: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """(tones, rest), (samples,) each: up to three tones, noise 60 to -10 dB below them; or noise and clicks alone."""
    tones = np.zeros(samples, np.float32)
    if rng.random() < 0.85:
        for _ in range(rng.integers(1, MOST_TONES + 1)):
            tones += rng.uniform(0.2, 1.0) * tone(samples, rng)
        tones /= max(float(tones.std()), 1e-6)
    rest = 10 ** (rng.uniform(-60, 10) / 20) * coloured_noise(samples, rng)
    if rng.random() < 0.3:
        rest = rest + rng.uniform(0.5, 10.0) * clicks(samples, rng)
    gain = 10 ** (rng.uniform(-30, -1) / 20) / max(float(np.abs(tones + rest).max()), 1e-6)
    return torch.from_numpy((gain * tones).astype(np.float32)), torch.from_numpy((gain * rest).astype(np.float32))
