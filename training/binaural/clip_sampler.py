"""Endless training clips: recordings convolved with binaural responses, a second source, diffuse noise, filtering."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import fftconvolve

from synesthesia.binaural.hrtf import HRTF, RATE_HZ
from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF
from synesthesia.localization.localizer import ELEVATION_EDGES_DEG
from training.binaural.hrtf_augmentation import interpolated_hrtfs, symmetric_hrtfs
from training.binaural.hrtf_data import load_hrtfs, load_measured_responses
from training.binaural.response_bank import ResponseBank, build_bank
from training.common.audio_data import SoundStore, place_in_canvas

INTERPOLATED, SYMMETRIC = 90, 30  # augmented HRTFs
REFERENCE = 12  # times the reference HRTF stands among them
SCALES = (0.96, 1.0, 1.04)  # sizes of the measured heads
NOISE_SHARE = 0.12  # of sources that are noise, steady or in bursts, white to brown, instead of a recording


@dataclass(frozen=True)
class ClipBatch:
    """waveform: (B, 2, n); azimuth: (B, 2) degrees, the louder source first, the second nan when there is one;
    elevation: (B,) band of the louder; sounds: (B, 2) rows of the store, -1 where there is no second."""

    waveform: Tensor
    azimuth: Tensor
    elevation: Tensor
    sounds: np.ndarray

    def mirrored(self, which: Tensor) -> ClipBatch:
        """Ears swapped for the clips of `which` (B,) bool."""
        waveform = torch.where(which[:, None, None], self.waveform.flip(1), self.waveform)
        azimuth = torch.where(which[:, None], -self.azimuth, self.azimuth)
        return ClipBatch(waveform, azimuth, self.elevation, self.sounds)

    def to(self, device: torch.device) -> ClipBatch:
        return ClipBatch(self.waveform.to(device), self.azimuth.to(device), self.elevation.to(device), self.sounds)


class ClipSampler:
    """Draws batches of excerpts of `rows` of the store through responses of the bank."""

    def __init__(
        self, store: SoundStore, rows: list[int], responses: ResponseBank, rng: np.random.Generator,
        noise_share: float = 0.0,
    ) -> None:  # fmt: skip
        self.store, self.responses, self.rng, self.noise_share = store, responses, rng, noise_share
        self.rows = np.array(rows)
        labels = [store.clips[i].label for i in rows]
        weight = np.array([labels.count(label) ** -0.5 for label in labels])
        self.probability = weight / weight.sum()

    def sounds(self, rows: np.ndarray, samples: int) -> Tensor:
        """(B,) rows -> (B, samples) excerpts that are not silent, RMS 1; `noise_share` of them noise instead."""
        noise = self.rng.random(len(rows)) < self.noise_share
        made = [
            noise_burst(samples, self.rng) if is_noise else self._sound(int(row), samples)
            for is_noise, row in zip(noise, rows, strict=True)
        ]
        return torch.from_numpy(np.stack(made))

    def choose(self, count: int, unlike: np.ndarray | None = None) -> np.ndarray:
        """(count,) rows, rare labels oversampled; with other labels than the rows of `unlike`."""
        rows = self.rng.choice(self.rows, size=count, p=self.probability)
        if unlike is None:
            return rows
        for _ in range(20):
            same = [i for i, row in enumerate(rows) if self._label(row) == self._label(unlike[i])]
            if not same:
                break
            rows[same] = self.rng.choice(self.rows, size=len(same), p=self.probability)
        return rows

    def _label(self, row: int) -> str:
        return self.store.clips[int(row)].label

    def _sound(self, row: int, samples: int) -> np.ndarray:
        whole = self.store.waveform(row)
        loudest = np.abs(whole).max()
        for _ in range(6):
            sound = place_in_canvas(whole, samples, self.rng)
            if np.sqrt(np.square(sound).mean()) > 0.02 * loudest:
                break
        return (sound / max(float(np.sqrt(np.square(sound).mean())), 1e-4)).astype(np.float32)

    def draw(self, count: int, seconds: float, second_share: float) -> ClipBatch:
        rng, samples = self.rng, int(seconds * RATE_HZ)
        first = self.responses.draw(rng, count)
        sounds = np.full((count, 2), -1)
        sounds[:, 0] = self.choose(count)
        binaural = self._render(self.sounds(sounds[:, 0], samples), first)
        azimuth = torch.full((count, 2), float("nan"))
        azimuth[:, 0] = torch.from_numpy(self.responses.azimuth_deg[first])
        two = np.flatnonzero(rng.random(count) < second_share)
        if len(two):
            others = self.responses.companion(rng, first[two])
            level = torch.from_numpy(10 ** (rng.uniform(-8, 0, (len(two), 1, 1)) / 20)).float()
            sounds[two, 1] = self.choose(len(two), unlike=sounds[two, 0])
            binaural[two] = binaural[two] + level * self._render(self.sounds(sounds[two, 1], samples), others)
            azimuth[two, 1] = torch.from_numpy(self.responses.azimuth_deg[others])
        band = np.digitize(self.responses.elevation_deg[first], ELEVATION_EDGES_DEG)
        return ClipBatch(self._degrade(binaural), azimuth, torch.from_numpy(band), sounds)

    def _render(self, sounds: Tensor, rows: np.ndarray) -> Tensor:
        """(B, n) through responses -> (B, 2, n), RMS 1 at the louder ear."""
        made = fftconvolve(sounds[:, None].expand(-1, 2, -1), self.responses.responses(rows))[..., : sounds.shape[1]]
        level = made.square().mean(dim=2, keepdim=True).amax(dim=1, keepdim=True).sqrt()
        return made / level.clamp(min=1e-4)

    def _degrade(self, binaural: Tensor) -> Tensor:
        """Diffuse noise at -3 to 30 dB, low-passes and narrow bands, unequal microphones, hiss: on a share each."""
        rng, count, samples = self.rng, len(binaural), binaural.shape[2]
        snr_db = np.where(rng.random(count) < 0.45, rng.uniform(-3, 30, count), 60.0)
        noise = self.responses.noise(rng, count, samples)  # (B, 2, n), RMS 1
        level = binaural.square().mean(dim=(1, 2)).sqrt().numpy() * 10 ** (-snr_db / 20)
        binaural = binaural + noise * torch.from_numpy(level).float()[:, None, None]
        spectrum = torch.fft.rfft(binaural) * self._filters(count, samples)
        binaural = torch.fft.irfft(spectrum, n=samples)
        mismatch = torch.from_numpy(10 ** (rng.normal(0, 0.4, (count, 2, 1)) / 20)).float()
        hiss = 10 ** torch.from_numpy(rng.uniform(-70, -35, (count, 1, 1)) / 20).float()
        return binaural * mismatch + hiss * torch.randn(binaural.shape)

    def _filters(self, count: int, samples: int) -> Tensor:
        """(count, 2, F) gains: low-passes on one clip in eight, narrow bands on one in twenty, and on half the clips
        microphones whose responses differ smoothly, by about a decibel."""
        rng = self.rng
        share = torch.linspace(0, 1, samples // 2 + 1).clamp(min=1e-3)  # of the Nyquist frequency
        octaves = share.log2()
        kind = torch.from_numpy(rng.random((count, 1)))
        cutoff = torch.from_numpy(np.exp2(rng.uniform(-4.5, -1.0, (count, 1)))).float()
        low_pass = 1 / (1 + (share / cutoff) ** 8)
        center = torch.from_numpy(rng.uniform(-5.0, -0.5, (count, 1))).float()
        width = torch.from_numpy(rng.uniform(0.2, 0.6, (count, 1))).float()
        band_pass = torch.exp(-(((octaves - center) / width) ** 2)) + 10 ** (-50 / 20)
        gain = torch.where(kind < 0.12, low_pass, torch.where(kind < 0.17, band_pass, torch.ones(())))
        waves = torch.arange(1, 6)[:, None] * octaves * (torch.pi / 10)  # (5, F), half a wave to two and a half
        size = rng.normal(0.0, 0.12, (count, 2, 5)) * (rng.random((count, 1, 1)) < 0.5)  # nepers, 1 dB together
        phase = torch.from_numpy(rng.uniform(0, 2 * np.pi, (count, 2, 5))).float()
        amplitude = torch.from_numpy(size).float()
        cosine = torch.einsum("bek,kf->bef", amplitude * phase.cos(), waves.cos())
        mismatch = cosine - torch.einsum("bek,kf->bef", amplitude * phase.sin(), waves.sin())
        return gain[:, None] * mismatch.exp()


def noise_burst(samples: int, rng: np.random.Generator) -> np.ndarray:
    """(samples,) noise with a slope of 0 to -6 dB an octave, RMS 1; half the time in bursts."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum *= np.linspace(0, 1, len(spectrum)).clip(min=0.005) ** -rng.uniform(0.0, 1.0)
    noise = np.fft.irfft(spectrum, samples)
    if rng.random() < 0.5:
        times = np.arange(samples) / RATE_HZ
        beat = np.cos(2 * np.pi * (rng.uniform(1.0, 12.0) * times + rng.random()))
        noise *= np.exp(rng.uniform(1.0, 4.0) * (beat - 1.0))
    return (noise / max(float(np.sqrt(np.square(noise).mean())), 1e-6)).astype(np.float32)


def training_responses(data: Path, reference: Path, count: int, cache: Path, seed: int) -> ResponseBank:
    """The bank of the training HRTFs in three sizes, of augmented ones, of raw measurements, and of the reference HRTF.

    reference: folder of a `SphericalHarmonicHRTF`.
    """
    measured = [named.hrtf for scale in SCALES for named in load_hrtfs(data, "train", scale)]
    rng = np.random.default_rng(seed + 1)
    hrtfs: list[HRTF] = [*measured, *interpolated_hrtfs(measured, INTERPOLATED, rng)]
    hrtfs += symmetric_hrtfs(measured, SYMMETRIC, rng)
    hrtfs += [SphericalHarmonicHRTF.load(reference)] * REFERENCE
    raw = [one for scale in SCALES for one in load_measured_responses(data, "train", scale)]
    return build_bank(hrtfs, raw, count, cache, seed)
