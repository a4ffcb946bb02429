"""KL autoencoder of log-mels: diffusers' `AutoencoderKL` in AudioLDM's shape, latents `[B, 8, T/4, 16]`.

The hub preset puts AudioLDM's own autoencoder behind the same class: its config has no `mel_mean` and `mel_std`, which
then are 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from synesthesia.nn.checkpoint_file import WEIGHTS, load_checkpoint, save_checkpoint

if TYPE_CHECKING:
    from diffusers import AutoencoderKL

TIME_STRIDE = 4  # mel frames per latent frame


@dataclass(frozen=True)
class VaeConfig:
    """Size of the autoencoder, and mean and deviation by which it normalises a log-mel."""

    channels: tuple[int, ...] = (24, 48, 96)  # per resolution; one more than the number of halvings
    latent_channels: int = 8
    norm_groups: int = 8
    mel_mean: float = -5.0
    mel_std: float = 2.5
    scaling_factor: float = 1.0  # 1 / deviation of the raw latents, set when training ends

    def build(self) -> AutoencoderKL:
        from diffusers import AutoencoderKL  # seconds to import

        blocks = len(self.channels)
        return AutoencoderKL(
            in_channels=1,
            out_channels=1,
            down_block_types=("DownEncoderBlock2D",) * blocks,
            up_block_types=("UpDecoderBlock2D",) * blocks,
            block_out_channels=self.channels,
            layers_per_block=1,
            latent_channels=self.latent_channels,
            norm_num_groups=self.norm_groups,
            mid_block_add_attention=False,
            sample_size=64,
            scaling_factor=self.scaling_factor,
        )


class MelVae(nn.Module):
    """Log-mel (B, T, 64) <-> scaled latents (B, 8, T/4, 16). T is a multiple of 4."""

    def __init__(self, vae: AutoencoderKL, mel_mean: float = 0.0, mel_std: float = 1.0) -> None:
        super().__init__()
        self.vae = vae
        self.mel_mean, self.mel_std = mel_mean, mel_std

    @property
    def scaling_factor(self) -> float:
        return float(self.vae.config.scaling_factor)

    def encode(self, mel: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """(B, T, 64) log-mel -> (B, 8, T/4, 16) scaled latents: the posterior's mode, or a sample with a generator."""
        assert mel.ndim == 3, f"mel must be (B, T, bands), got {tuple(mel.shape)}"
        assert mel.shape[1] % TIME_STRIDE == 0, f"mel frames must be a multiple of {TIME_STRIDE}, got {mel.shape[1]}"
        posterior = self.vae.encode(((mel - self.mel_mean) / self.mel_std)[:, None]).latent_dist
        latents = posterior.mode() if generator is None else posterior.sample(generator)
        return latents * self.scaling_factor

    def decode(self, latents: Tensor) -> Tensor:
        """(B, 8, F, 16) scaled latents -> (B, 4 F, 64) log-mel."""
        assert latents.ndim == 4, f"latents must be (B, C, F, bins), got {tuple(latents.shape)}"
        mel = self.vae.decode(latents / self.scaling_factor).sample.squeeze(1)  # (B, 4 F, 64)
        return mel * self.mel_std + self.mel_mean

    def save(self, folder: Path, exact: bool = False) -> None:
        """Writes config.json (diffusers' own, with mel_mean and mel_std) and model.safetensors: in eight bits, or
        exact, as diffusers itself reads it."""
        config = {key: value for key, value in self.vae.config.items() if not key.startswith("_")}
        config = {"_class_name": "AutoencoderKL", **config, "mel_mean": self.mel_mean, "mel_std": self.mel_std}
        save_checkpoint(folder, config, self.vae.state_dict(), quantise=not exact)

    @classmethod
    def load(cls, folder: Path, weights_file: str = WEIGHTS) -> MelVae:
        """Reads what `save` wrote, or AudioLDM's folder. UserError when a file is missing."""
        config, tensors = load_checkpoint(
            folder, what="The mel autoencoder's folder", trained_by="training.audio.train_vae",
            weights_file=weights_file, quantised=True,
        )  # fmt: skip
        mel_mean, mel_std = config.pop("mel_mean", 0.0), config.pop("mel_std", 1.0)
        from diffusers import AutoencoderKL

        vae = AutoencoderKL.from_config(config)
        vae.load_state_dict(tensors)
        return cls(vae, mel_mean, mel_std).eval().requires_grad_(False)
