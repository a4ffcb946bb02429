"""Log-mel -> waveform behind one small protocol, so that codecs don't care which vocoder speaks.

`IstftVocoder` is the project's own: ConvNeXt blocks at frame rate and an inverse STFT as the last layer (Vocos,
Siuzdak 2023), far cheaper on a CPU than upsampling convolutions. `HifiGanVocoder` is transformers' `SpeechT5HifiGan`,
the class of AudioLDM's own vocoder. `GriffinLim` is the baseline without any training.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.audio.mel import LogMel, MelConfig, mel_filters
from synesthesia.audio.mel_match import MelMatch
from synesthesia.core.errors import UserError

if TYPE_CHECKING:
    from transformers import SpeechT5HifiGan


class Vocoder(Protocol):
    """Log-mel (B, T, 64) -> waveform (B, T * 160) in [-1, 1]."""

    def __call__(self, mel: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class IstftConfig:
    bands: int = 64
    width: int = 256
    hidden: int = 768
    blocks: int = 6
    fft_samples: int = 1024
    hop_samples: int = 160
    mel_mean: float = -5.0
    mel_std: float = 2.5
    match_rounds: int = 3  # of `MelMatch` after the network, outside training


class FrameBlock(nn.Module):
    """ConvNeXt block over frames: depthwise 7, norm, widen, narrow, scaled residual. (B, T, C) -> (B, T, C)."""

    def __init__(self, width: int, hidden: int, scale: float) -> None:
        super().__init__()
        self.spread = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, hidden)
        self.narrow = nn.Linear(hidden, width)
        self.scale = nn.Parameter(torch.full((width,), scale))

    def forward(self, x: Tensor) -> Tensor:
        y = self.spread(x.transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.narrow(F.gelu(self.widen(self.norm(y))))


class IstftVocoder(nn.Module):
    """Log-mel (B, T, 64) -> waveform (B, T * hop). Frame t is centred on sample t * hop, as in `LogMel`."""

    window: Tensor

    def __init__(self, config: IstftConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or IstftConfig()
        self.embed = nn.Conv1d(config.bands, config.width, 7, padding=3)
        self.norm = nn.LayerNorm(config.width)
        self.blocks = nn.ModuleList(
            FrameBlock(config.width, config.hidden, 1.0 / config.blocks) for _ in range(config.blocks)
        )
        self.last_norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, config.fft_samples + 2)
        self.register_buffer("window", torch.hann_window(config.fft_samples), persistent=False)
        self.match = MelMatch(config.match_rounds)

    def forward(self, mel: Tensor) -> Tensor:
        """The network's waveform while training, outside it the same with its bands brought to the mel's levels."""
        waveform = self.network(mel)
        return waveform if self.training else self.match(waveform, mel)

    def network(self, mel: Tensor) -> Tensor:
        config = self.config
        assert mel.ndim == 3 and mel.shape[2] == config.bands, (
            f"mel must be (B, T, {config.bands}), got {tuple(mel.shape)}"
        )
        x = torch.cat([mel, mel[:, -1:]], dim=1)  # (B, T + 1, bands): T hops lie between T + 1 frame centres
        x = ((x - config.mel_mean) / config.mel_std).transpose(1, 2)
        x = self.norm(self.embed(x).transpose(1, 2))  # (B, T + 1, C)
        for block in self.blocks:
            x = block(x)
        x = self.head(self.last_norm(x)).float()  # (B, T + 1, fft + 2)
        log_magnitude, phase = x.transpose(1, 2).chunk(2, dim=1)  # (B, fft/2 + 1, T + 1) each
        magnitude = log_magnitude.exp().clamp(max=300.0)  # a full-scale sine reaches 256
        spectrum = torch.complex(magnitude * phase.cos(), magnitude * phase.sin())
        return torch.istft(spectrum, config.fft_samples, config.hop_samples, window=self.window)  # (B, T * hop)

    def save(self, folder: Path, half: bool = True) -> None:
        """config.json and model.safetensors (fp16 unless told otherwise)."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(asdict(self.config), indent=1) + "\n", encoding="utf-8")
        dtype = torch.float16 if half else torch.float32
        state = {name: value.detach().to(dtype).contiguous() for name, value in self.state_dict().items()}
        save_file(state, folder / "model.safetensors")

    @classmethod
    def load(cls, folder: Path) -> IstftVocoder:
        """From a folder with config.json and model.safetensors. UserError when a file is missing."""
        return cls.read(folder / "config.json", folder / "model.safetensors")

    @classmethod
    def read(cls, config_path: Path, tensors_path: Path) -> IstftVocoder:
        """From the two files. UserError when one is missing."""
        vocoder = cls(IstftConfig(**_read_config(config_path, tensors_path)))
        vocoder.load_state_dict({name: value.float() for name, value in load_file(tensors_path).items()})
        return vocoder.eval().requires_grad_(False)


class HifiGanVocoder(nn.Module):
    """transformers' `SpeechT5HifiGan` with AudioLDM's rates; it gives T * 160 + 32 samples, the excess is cut off."""

    def __init__(self, model: SpeechT5HifiGan, hop_samples: int = 160) -> None:
        super().__init__()
        self.model, self.hop_samples = model, hop_samples

    def forward(self, mel: Tensor) -> Tensor:
        assert mel.ndim == 3, f"mel must be (B, T, bands), got {tuple(mel.shape)}"
        waveform = self.model(mel)  # (B, T * hop + excess)
        wanted = mel.shape[1] * self.hop_samples
        excess = waveform.shape[-1] - wanted
        assert excess >= 0, (
            f"the vocoder gave {waveform.shape[-1]} samples for {mel.shape[1]} frames, fewer than {wanted}"
        )
        return waveform[:, excess // 2 : excess // 2 + wanted]

    @classmethod
    def read(cls, config_path: Path, tensors_path: Path) -> HifiGanVocoder:
        """From the two files as transformers saves them, weight norm included. UserError when one is missing."""
        from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig  # seconds to import, and only the hub needs it

        config = SpeechT5HifiGanConfig.from_dict(_read_config(config_path, tensors_path))
        model = SpeechT5HifiGan(config)
        missing, unexpected = model.load_state_dict(_plain_names(load_file(tensors_path)), strict=False)
        if unexpected or set(missing) - {"mean", "scale"}:
            raise UserError(f"The file {tensors_path} doesn't hold the vocoder that {config_path} describes.")
        return cls(model.eval().requires_grad_(False))


def _read_config(config_path: Path, tensors_path: Path) -> dict[str, Any]:
    """The config as a dict, once both files are known to be there."""
    for path in (config_path, tensors_path):
        if not path.is_file():
            raise UserError(f"The vocoder's file {path} is missing.")
    config: dict[str, Any] = json.loads(config_path.read_text(encoding="utf-8"))
    return config


def _plain_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Float tensors by name, with pairs of weight norm (direction `_v`, length `_g`) multiplied out."""
    plain = {name: value.float() for name, value in state.items() if not name.endswith(("weight_g", "weight_v"))}
    for name in state:
        if name.endswith("weight_v"):
            direction, length = state[name].float(), state[name[:-1] + "g"].float()
            plain[name[:-2]] = direction * length / direction.flatten(1).norm(dim=1).view(-1, 1, 1)
    return plain


class GriffinLim(nn.Module):
    """The untrained baseline: least-squares magnitudes from the mel, phases by fast Griffin-Lim (Perraudin 2013)."""

    def __init__(
        self, config: MelConfig | None = None, rounds: int = 32, momentum: float = 0.99, seed: int = 0
    ) -> None:
        super().__init__()
        self.log_mel = LogMel(config)
        self.rounds, self.momentum, self.seed = rounds, momentum, seed
        self.register_buffer("inverse", torch.linalg.pinv(mel_filters(self.log_mel.config)), persistent=False)

    @torch.no_grad()
    def forward(self, mel: Tensor) -> Tensor:
        assert mel.ndim == 3, f"mel must be (B, T, bands), got {tuple(mel.shape)}"
        config, window = self.log_mel.config, self.log_mel.window
        mel = torch.cat([mel, mel[:, -1:]], dim=1)
        magnitude = (mel.exp() @ self.inverse).clamp(min=0.0).transpose(1, 2)  # (B, F, T + 1)
        generator = torch.Generator().manual_seed(self.seed)
        angle = torch.rand(magnitude.shape, generator=generator) * 2 * torch.pi
        phase, before = torch.polar(torch.ones_like(angle), angle), torch.zeros_like(magnitude, dtype=torch.complex64)
        for _ in range(self.rounds):
            waveform = torch.istft(magnitude * phase, config.fft_samples, config.hop_samples, window=window)
            rebuilt = torch.stft(waveform, config.fft_samples, config.hop_samples, window=window, return_complex=True)
            phase = rebuilt - before * (self.momentum / (1 + self.momentum))
            phase = phase / phase.abs().clamp(min=1e-12)
            before = rebuilt
        return torch.istft(magnitude * phase, config.fft_samples, config.hop_samples, window=window)
