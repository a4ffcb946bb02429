"""Batches for the vocoder: (log-mels, targets) of recordings, also resampled, of round trips, of synthetic tones."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.mel import LatentSpace, LogMel, MelPatches
from synesthesia.audio.vae import MelVae
from training.audio.synthetic_tones import mixture
from training.audio.tonality_targets import Targets, TonalityTargets
from training.common.audio_data import HOP, CropSampler

OCTAVES = 0.7  # at most, of resampling up or down
GRAIN = 640  # samples: lengths that a fast Fourier transform likes
POOL, FRESH = 192, 3  # crops that are kept; that every draw replaces


@dataclass(frozen=True)
class Shares:
    """Of the crops. The rest are recordings as they are."""

    resampled: float = 0.3  # in pitch and speed
    decoded: float = 0.2  # mels out of a latent space with noise on the latents
    synthetic: float = 0.3
    rough: float = 0.2  # of the others' mels: blurred or noisy ones, a generator's other faults


def latent_spaces(vae: Path | None, sampler: CropSampler) -> list[LatentSpace]:
    """Latent spaces of the generators: the fitted patch transform, and the autoencoder if there is one."""
    patches = MelPatches()
    patches.fit(sampler.mel_crops(200, 256)[0])
    return [patches] if vae is None else [patches, MelVae.load(vae)]


def roughen(mels: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """(B, T, 64) -> the same with noise on a share of the log-mels, half of these blurred over 3 frames and 3 bands."""
    rough = mels.clone()
    for i in np.flatnonzero(rng.random(len(mels)) < share):
        if rng.random() < 0.5:
            rough[i] = F.avg_pool2d(mels[i][None, None], 3, 1, 1, count_include_pad=False)[0, 0]
        rough[i] += float(rng.uniform(0.0, 0.3)) * torch.randn(mels.shape[1:])
    return rough


def resampled_crops(sampler: CropSampler, count: int, samples: int, rng: np.random.Generator) -> Tensor:
    """(count, samples) crops played faster or slower, all at one speed, resampled by the Fourier transform."""
    length = max(1, round(samples * 2 ** rng.uniform(-OCTAVES, OCTAVES) / GRAIN)) * GRAIN
    spectrum = torch.fft.rfft(sampler.wave_crops(count, length)[0])
    wanted = samples // 2 + 1
    spectrum = F.pad(spectrum, (0, max(0, wanted - spectrum.shape[1])))[:, :wanted]
    waves = torch.fft.irfft(spectrum, n=samples) * (samples / length)
    return waves / waves.abs().amax(dim=1, keepdim=True).clamp(min=1.0)


class VocoderBatches:
    """draw() -> (mels (B, T, 64), `Targets`) out of a pool of crops, in which every draw replaces the oldest ones.

    Measuring the targets takes as long as a step of training; so a crop is used about `batch / FRESH` times.
    `vae`: folder of the autoencoder whose round trips are learned as well; `noise`: on the latents, see `Shares`.
    """

    def __init__(
        self, sampler: CropSampler, vae: Path | None, batch: int, frames: int, shares: Shares, noise: float,
        rng: np.random.Generator, pool: int = POOL,
    ) -> None:  # fmt: skip
        self.sampler, self.samples, self.shares, self.noise, self.rng = sampler, frames * HOP, shares, noise, rng
        self.batch, self.spaces = batch, latent_spaces(vae, sampler)
        self.log_mel, self.targets = LogMel(), TonalityTargets()
        self.makers = {
            self._resampled: shares.resampled, self._decoded: shares.decoded, self._synthetic: shares.synthetic,
        }  # fmt: skip
        self.makers[self._plain] = 1.0 - sum(self.makers.values())
        assert self.makers[self._plain] >= 0, f"shares {shares} sum to more than 1"
        self.pool = [part[:0].clone() for part in self._fresh()]
        self.oldest, self.size = 0, pool
        while len(self.pool[0]) < min(pool, 4 * batch):
            self._grow()

    def draw(self) -> tuple[Tensor, Targets]:
        if len(self.pool[0]) < self.size:
            self._grow()
        else:
            places = torch.arange(self.oldest, self.oldest + FRESH) % self.size
            for part, fresh in zip(self.pool, self._fresh(), strict=True):
                part[places] = fresh
            self.oldest = (self.oldest + FRESH) % self.size
        chosen = torch.from_numpy(self.rng.choice(len(self.pool[0]), self.batch, replace=False))
        mels, *targets = (part[chosen] for part in self.pool)
        return mels, Targets(*targets)

    def _grow(self) -> None:
        self.pool = [torch.cat(both)[: self.size] for both in zip(self.pool, self._fresh(), strict=True)]

    @torch.no_grad()
    def _fresh(self) -> list[Tensor]:
        """FRESH crops of one kind: mels and the fields of their targets."""
        kind = self.rng.choice(len(self.makers), p=list(self.makers.values()))
        mels, targets = list(self.makers)[kind](FRESH)
        return [mels, *(getattr(targets, field.name) for field in fields(Targets))]

    def _plain(self, count: int) -> tuple[Tensor, Targets]:
        waves = self.sampler.wave_crops(count, self.samples)[0]
        return roughen(self.log_mel(waves), self.shares.rough, self.rng), self.targets(waves)

    def _resampled(self, count: int) -> tuple[Tensor, Targets]:
        waves = resampled_crops(self.sampler, count, self.samples, self.rng)
        return roughen(self.log_mel(waves), self.shares.rough, self.rng), self.targets(waves)

    def _synthetic(self, count: int) -> tuple[Tensor, Targets]:
        pairs = [mixture(self.samples, self.rng) for _ in range(count)]
        tones, rest = (torch.stack(part) for part in zip(*pairs, strict=True))
        return roughen(self.log_mel(tones + rest), self.shares.rough, self.rng), self.targets.of_mixture(tones, rest)

    def _decoded(self, count: int) -> tuple[Tensor, Targets]:
        """Noise of up to `noise` of the latents' deviation stands for a generator's errors."""
        waves = self.sampler.wave_crops(count, self.samples)[0]
        space = self.spaces[self.rng.integers(len(self.spaces))]
        latents = space.encode(self.log_mel(waves))
        level = self.noise * torch.from_numpy(self.rng.random((count, 1, 1, 1)).astype(np.float32))
        return space.decode(latents + level * torch.randn_like(latents)), self.targets(waves)
