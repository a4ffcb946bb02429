"""Clips for training, drawn without end: recordings heard by two ears, in rooms, beside another sound, in noise."""

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
from training.binaural.measured_heads import load_heads, load_measured
from training.binaural.response_bank import Bank, bank
from training.binaural.varied_heads import symmetrical, varied
from training.common.audio_data import SoundStore
from training.common.crop_placing import place_in_canvas

VARIED = 90  # heads between two measured ones, with larger or smaller outer ears
SYMMETRICAL = 30  # heads alike on both sides
COMPACT = 12  # times the page's own head stands among them
SCALES = (0.96, 1.0, 1.04)  # heads are larger and smaller than the few that were measured
HISS_SHARE = 0.12  # of sources that are noise, steady or in bursts, white to brown, rather than a recording


@dataclass(frozen=True)
class Batch:
    """waveform: (B, 2, n); azimuth: (B, 2) degrees, the louder source first, the second nan when there is one;
    elevation: (B,) band of the louder; sounds: (B, 2) rows of the store, -1 where there is no second."""

    waveform: Tensor
    azimuth: Tensor
    elevation: Tensor
    sounds: np.ndarray

    def mirrored(self, which: Tensor) -> Batch:
        """Ears swapped for the clips of `which` (B,) bool."""
        waveform = torch.where(which[:, None, None], self.waveform.flip(1), self.waveform)
        azimuth = torch.where(which[:, None], -self.azimuth, self.azimuth)
        return Batch(waveform, azimuth, self.elevation, self.sounds)


class Scenes:
    """Draws clips: excerpts of some recordings through responses of some heads."""

    def __init__(
        self, store: SoundStore, rows: list[int], responses: Bank, rng: np.random.Generator, hiss_share: float = 0.0
    ) -> None:
        self.store, self.responses, self.rng, self.hiss_share = store, responses, rng, hiss_share
        self.rows = np.array(rows)
        labels = [store.clips[i].label for i in rows]
        weight = np.array([labels.count(label) ** -0.5 for label in labels])
        self.probability = weight / weight.sum()

    def sounds(self, rows: np.ndarray, samples: int) -> Tensor:
        """(B,) rows -> (B, samples) excerpts with sound in them, RMS 1; `hiss_share` of them noise instead."""
        hiss = self.rng.random(len(rows)) < self.hiss_share
        made = [
            hiss_burst(samples, self.rng) if noise else self._sound(int(row), samples)
            for noise, row in zip(hiss, rows, strict=True)
        ]
        return torch.from_numpy(np.stack(made))

    def choose(self, count: int, unlike: np.ndarray | None = None) -> np.ndarray:
        """(count,) rows, rare labels oftener than they occur; with other labels than the rows of `unlike`."""
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

    def draw(self, count: int, seconds: float, second_share: float) -> Batch:
        rng, samples = self.rng, int(seconds * RATE_HZ)
        first = self.responses.draw(rng, count)
        sounds = np.full((count, 2), -1)
        sounds[:, 0] = self.choose(count)
        heard = self._through(self.sounds(sounds[:, 0], samples), first)
        azimuth = torch.full((count, 2), float("nan"))
        azimuth[:, 0] = torch.from_numpy(self.responses.azimuth_deg[first])
        two = np.flatnonzero(rng.random(count) < second_share)
        if len(two):
            others = self.responses.companion(rng, first[two])
            level = torch.from_numpy(10 ** (rng.uniform(-8, 0, (len(two), 1, 1)) / 20)).float()
            sounds[two, 1] = self.choose(len(two), unlike=sounds[two, 0])
            heard[two] = heard[two] + level * self._through(self.sounds(sounds[two, 1], samples), others)
            azimuth[two, 1] = torch.from_numpy(self.responses.azimuth_deg[others])
        heard = self._spoiled(heard)
        band = np.digitize(self.responses.elevation_deg[first], ELEVATION_EDGES_DEG)
        return Batch(heard, azimuth, torch.from_numpy(band), sounds)

    def _through(self, sounds: Tensor, rows: np.ndarray) -> Tensor:
        """(B, n) through responses -> (B, 2, n), as loud as it was at the louder ear."""
        made = fftconvolve(sounds[:, None].expand(-1, 2, -1), self.responses.responses(rows))[..., : sounds.shape[1]]
        level = made.square().mean(dim=2, keepdim=True).amax(dim=1, keepdim=True).sqrt()
        return made / level.clamp(min=1e-4)

    def _spoiled(self, heard: Tensor) -> Tensor:
        """Diffuse noise at -3 to 30 dB, dull and narrow bands, unequal microphones, hiss: on a share each."""
        rng, count, samples = self.rng, len(heard), heard.shape[2]
        snr_db = np.where(rng.random(count) < 0.45, rng.uniform(-3, 30, count), 60.0)
        noise = self.responses.noise(rng, count, samples)  # (B, 2, n), RMS 1
        level = heard.square().mean(dim=(1, 2)).sqrt().numpy() * 10 ** (-snr_db / 20)
        heard = heard + noise * torch.from_numpy(level).float()[:, None, None]
        spectrum = torch.fft.rfft(heard) * self._colour(count, samples)
        heard = torch.fft.irfft(spectrum, n=samples)
        mismatch = torch.from_numpy(10 ** (rng.normal(0, 0.4, (count, 2, 1)) / 20)).float()
        hiss = 10 ** torch.from_numpy(rng.uniform(-70, -35, (count, 1, 1)) / 20).float()
        return heard * mismatch + hiss * torch.randn(heard.shape)

    def _colour(self, count: int, samples: int) -> Tensor:
        """(count, 2, F) gains: low-passes on one clip in eight, narrow bands on one in twenty, and on half the clips
        microphones whose curves differ smoothly, by about a decibel."""
        rng = self.rng
        share = torch.linspace(0, 1, samples // 2 + 1).clamp(min=1e-3)  # of the Nyquist frequency
        octaves = share.log2()
        kind = torch.from_numpy(rng.random((count, 1)))
        cut = torch.from_numpy(np.exp2(rng.uniform(-4.5, -1.0, (count, 1)))).float()
        dull = 1 / (1 + (share / cut) ** 8)
        middle = torch.from_numpy(rng.uniform(-5.0, -0.5, (count, 1))).float()
        width = torch.from_numpy(rng.uniform(0.2, 0.6, (count, 1))).float()
        narrow = torch.exp(-(((octaves - middle) / width) ** 2)) + 10 ** (-50 / 20)
        shape = torch.where(kind < 0.12, dull, torch.where(kind < 0.17, narrow, torch.ones(())))
        waves = torch.arange(1, 6)[:, None] * octaves * (torch.pi / 10)  # (5, F), half a wave to two and a half
        size = rng.normal(0.0, 0.12, (count, 2, 5)) * (rng.random((count, 1, 1)) < 0.5)  # nepers, 1 dB together
        turn = torch.from_numpy(rng.uniform(0, 2 * np.pi, (count, 2, 5))).float()
        made = torch.from_numpy(size).float()
        cosine = torch.einsum("bek,kf->bef", made * turn.cos(), waves.cos())
        uneven = cosine - torch.einsum("bek,kf->bef", made * turn.sin(), waves.sin())
        return shape[:, None] * uneven.exp()


def hiss_burst(samples: int, rng: np.random.Generator) -> np.ndarray:
    """(samples,) noise with a slope of 0 to -6 dB an octave, RMS 1; half the time it comes in bursts."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum *= np.linspace(0, 1, len(spectrum)).clip(min=0.005) ** -rng.uniform(0.0, 1.0)
    noise = np.fft.irfft(spectrum, samples)
    if rng.random() < 0.5:
        times = np.arange(samples) / RATE_HZ
        beat = np.cos(2 * np.pi * (rng.uniform(1.0, 12.0) * times + rng.random()))
        noise *= np.exp(rng.uniform(1.0, 4.0) * (beat - 1.0))
    return (noise / max(float(np.sqrt(np.square(noise).mean())), 1e-6)).astype(np.float32)


def all_responses(data: Path, compact: Path, count: int, cache: Path, seed: int) -> Bank:
    """The bank of the training heads in three sizes, of varied ones between them, of symmetrical ones, of their raw
    measurements, and of the page's own compact head."""
    measured_heads = [named.head for scale in SCALES for named in load_heads(data, "train", scale)]
    rng = np.random.default_rng(seed + 1)
    heads: list[HRTF] = [*measured_heads, *varied(measured_heads, VARIED, rng)]
    heads += symmetrical(measured_heads, SYMMETRICAL, rng)
    heads += [SphericalHarmonicHRTF.load(compact)] * COMPACT
    measured = [one for scale in SCALES for one in load_measured(data, "train", scale)]
    return bank(heads, measured, count, cache, seed)
