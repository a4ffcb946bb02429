"""Latent audio codec (AudioLDM): log-mel, autoencoder and vocoder; waveform <-> the latents that are generated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.audio.hifigan_vocoder import HifiGanVocoder
from synesthesia.audio.mel import LogMel
from synesthesia.audio.tone_noise_vocoder import ToneNoiseVocoder
from synesthesia.audio.vae import TIME_STRIDE, MelVae
from synesthesia.audio.vocoder import Vocoder
from synesthesia.core import checkpoints
from synesthesia.core.presets import CodecConfig, Weights


class LatentCodec(nn.Module):
    """Waveform (B, n) at 16 kHz <-> latents (B, 8, F, 16), F latent frames of 640 samples (40 ms)."""

    def __init__(self, mel: LogMel, vae: MelVae | Callable[[], MelVae], vocoder: Vocoder) -> None:
        """vae: the autoencoder, or a function that loads it: mappers with their own latents never need it, and
        diffusers takes seconds to import."""
        super().__init__()
        self.mel, self.vocoder = mel, vocoder
        self._vae: MelVae | None = vae if isinstance(vae, MelVae) else None
        self._load_vae = None if isinstance(vae, MelVae) else vae

    @property
    def vae(self) -> MelVae:
        if self._vae is None:
            assert self._load_vae is not None
            self._vae = self._load_vae()
        return self._vae

    @property
    def sample_rate_hz(self) -> int:
        return self.mel.config.sample_rate_hz

    @property
    def samples_per_latent(self) -> int:
        return self.mel.config.hop_samples * TIME_STRIDE

    def frames(self, samples: int) -> int:
        """Latent frames that cover this many samples."""
        return -(-samples // self.samples_per_latent)

    @torch.no_grad()
    def encode(self, waveform: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """(B, n) in [-1, 1] -> scaled latents (B, 8, frames(n), 16); the last frame is padded with silence."""
        assert waveform.ndim == 2, f"waveform must be (B, n), got {tuple(waveform.shape)}"
        length = max(self.frames(waveform.shape[1]), 1) * self.samples_per_latent
        return self.vae.encode(self.mel(F.pad(waveform, (0, length - waveform.shape[1]))), generator)

    @torch.no_grad()
    def decode_mel(self, latents: Tensor) -> Tensor:
        """(B, 8, F, 16) -> log-mel (B, 4 F, 64)."""
        return self.vae.decode(latents)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """(B, 8, F, 16) -> waveform (B, 640 F) in [-1, 1]."""
        return self.vocoder(self.decode_mel(latents)).clamp(-1.0, 1.0)

    @classmethod
    def load(cls, config: CodecConfig) -> LatentCodec:
        """The codec of a preset. UserError when its weights are missing, damaged or can't be fetched."""
        vocoder = ToneNoiseVocoder if config.vocoder == "tone_noise" else HifiGanVocoder
        loaded = vocoder.load(checkpoints.files(config.vocoder_weights)[0].parent)
        return cls(LogMel(), lambda: MelVae.load(*_located(config.vae_weights)), loaded).eval()

    @classmethod
    def from_folders(cls, vae: Path, vocoder: Path) -> LatentCodec:
        """From the folders of `training.audio.train_vae` and `train_vocoder`. UserError when a file is missing."""
        return cls(LogMel(), MelVae.load(vae), ToneNoiseVocoder.load(vocoder)).eval().requires_grad_(False)


def _located(weights: Weights) -> tuple[Path, str]:
    """(folder, name of the safetensors file) of a model, checked or fetched."""
    _, tensors = checkpoints.files(weights)
    return tensors.parent, tensors.name
