"""Mel vocoders behind one protocol: Vocos-style ISTFT network, HiFi-GAN and Griffin-Lim; peak and fades after them.

`IstftVocoder` is the project's own: ConvNeXt blocks at frame rate and an inverse STFT as the last layer (Vocos,
Siuzdak 2023), far cheaper on a CPU than upsampling convolutions. `HifiGanVocoder` is transformers' `SpeechT5HifiGan`,
the class of AudioLDM's own vocoder. `GriffinLim` is the baseline without any training.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.audio.mel import LogMel, MelConfig, mel_filters
from synesthesia.core.errors import UserError
from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint

if TYPE_CHECKING:
    from transformers import SpeechT5HifiGan

PEAK = 0.89  # -1 dBFS, as the training sounds
FADE_S = 0.004  # of either end
MAX_GAIN = 20.0  # of one round of `MelMatch`, up or down
FOLDER, TRAINED_BY = "The vocoder's folder", "training.audio.train_vocoder"  # for the error of a missing file


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
    match_rounds: int = 3  # of `MelMatch` after the network, in evaluation mode


class MelMatch(nn.Module):
    """Iterative magnitude correction: (waveform (B, T * hop), log-mel (B, T, bands)) -> waveform of the same shape.

    A vocoder trained for minutes gets phases about right and band levels only approximately. Each round measures the
    mel of the waveform, multiplies every STFT bin by the missing gain of its bands, and resynthesises: phases and fine
    structure stay the vocoder's, the mel becomes the input's. A round costs about 2 ms per second of sound. No weights.
    """

    spread: Tensor

    def __init__(self, rounds: int, config: MelConfig | None = None) -> None:
        super().__init__()
        self.rounds = rounds
        self.log_mel = LogMel(config)
        filters = self.log_mel.filters  # (F, bands)
        self.register_buffer("spread", filters / filters.sum(dim=1, keepdim=True).clamp(min=1e-8), persistent=False)

    def forward(self, waveform: Tensor, mel: Tensor) -> Tensor:
        config, window = self.log_mel.config, self.log_mel.window
        assert waveform.shape == (mel.shape[0], mel.shape[1] * config.hop_samples), (
            f"waveform {tuple(waveform.shape)} and mel {tuple(mel.shape)} differ in length"
        )
        if waveform.shape[1] <= config.fft_samples // 2:  # too short for a centred STFT
            return waveform
        target = torch.cat([mel, mel[:, -1:]], dim=1).exp()  # (B, T + 1, bands)
        for _ in range(self.rounds):
            spectrum = torch.stft(
                waveform, config.fft_samples, config.hop_samples, window=window, return_complex=True
            )  # (B, F, T + 1)
            present = (spectrum.abs().transpose(1, 2) @ self.log_mel.filters).clamp(min=config.clamp)
            gain = (target / present).clamp(1.0 / MAX_GAIN, MAX_GAIN).log() @ self.spread.T  # (B, T + 1, F)
            spectrum = spectrum * gain.exp().transpose(1, 2)
            waveform = torch.istft(spectrum, config.fft_samples, config.hop_samples, window=window)
        return waveform


class FrameBlock(nn.Module):
    """ConvNeXt block over frames: depthwise 7, norm, expand, project, scaled residual. (B, T, C) -> (B, T, C)."""

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
        """The network's waveform in training mode; in evaluation mode corrected by `MelMatch`."""
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
        """Writes config.json and model.safetensors (fp16, or fp32 with half=False)."""
        dtype = torch.float16 if half else torch.float32
        save_checkpoint(folder, self.config, {name: value.to(dtype) for name, value in self.state_dict().items()})

    @classmethod
    def load(cls, folder: Path) -> IstftVocoder:
        """Reads what `save` wrote. UserError when a file is missing."""
        fields, tensors = load_checkpoint(folder, what=FOLDER, trained_by=TRAINED_BY)
        vocoder = cls(IstftConfig(**fields))
        vocoder.load_state_dict(tensors)
        return vocoder.eval().requires_grad_(False)


class HifiGanVocoder(nn.Module):
    """transformers' `SpeechT5HifiGan` with AudioLDM's rates; its T * 160 + 32 samples are trimmed at both ends."""

    def __init__(self, model: SpeechT5HifiGan, hop_samples: int = 160) -> None:
        super().__init__()
        self.model, self.hop_samples = model, hop_samples

    def forward(self, mel: Tensor) -> Tensor:
        assert mel.ndim == 3, f"mel must be (B, T, bands), got {tuple(mel.shape)}"
        waveform = self.model(mel)  # (B, T * hop + excess)
        length = mel.shape[1] * self.hop_samples
        excess = waveform.shape[-1] - length
        assert excess >= 0, (
            f"the vocoder gave {waveform.shape[-1]} samples for {mel.shape[1]} frames, fewer than {length}"
        )
        return waveform[:, excess // 2 : excess // 2 + length]

    @classmethod
    def load(cls, folder: Path) -> HifiGanVocoder:
        """From a folder as transformers saves it, weight norm included. UserError when a file is missing."""
        from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig  # seconds to import, and only the hub needs it

        fields, tensors = load_checkpoint(folder, what=FOLDER, trained_by=TRAINED_BY)
        model = SpeechT5HifiGan(SpeechT5HifiGanConfig.from_dict(fields))
        missing, unexpected = model.load_state_dict(_without_weight_norm(tensors), strict=False)
        if unexpected or set(missing) - {"mean", "scale"}:
            raise UserError(f"The weights in {folder} don't hold the vocoder that its config.json describes.")
        return cls(model.eval().requires_grad_(False))


def _without_weight_norm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Float tensors by name, with the pairs of weight norm (direction `_v`, length `_g`) multiplied out."""
    plain = {name: value.float() for name, value in state.items() if not name.endswith(("weight_g", "weight_v"))}
    for name in state:
        if name.endswith("weight_v"):
            direction, length = state[name].float(), state[name[:-1] + "g"].float()
            plain[name[:-2]] = direction * length / direction.flatten(1).norm(dim=1).view(-1, 1, 1)
    return plain


class GriffinLim(nn.Module):
    """Baseline without training: least-squares magnitudes from the mel, phases by fast Griffin-Lim (Perraudin 2013)."""

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
        phase, previous = torch.polar(torch.ones_like(angle), angle), torch.zeros_like(magnitude, dtype=torch.complex64)
        for _ in range(self.rounds):
            waveform = torch.istft(magnitude * phase, config.fft_samples, config.hop_samples, window=window)
            rebuilt = torch.stft(waveform, config.fft_samples, config.hop_samples, window=window, return_complex=True)
            phase = rebuilt - previous * (self.momentum / (1 + self.momentum))
            phase = phase / phase.abs().clamp(min=1e-12)
            previous = rebuilt
        return torch.istft(magnitude * phase, config.fft_samples, config.hop_samples, window=window)


def peak_normalise(waveform: Tensor) -> Tensor:
    """(..., n) without offset, the peak of all channels at -1 dBFS; level differences between channels are kept."""
    waveform = waveform - waveform.mean(dim=-1, keepdim=True)
    return waveform * (PEAK / waveform.abs().max().clamp(min=1e-4))


def fade_edges(waveform: Tensor, samples: int, *, begin: bool = True, end: bool = True) -> Tensor:
    """(..., n) with linear fades of `samples` at its ends, or of half its length if that is shorter."""
    count = waveform.shape[-1]
    width = min(count // 2, samples)
    ramp, envelope = torch.linspace(0.0, 1.0, width), torch.ones(count)
    if begin:
        envelope[:width] = ramp
    if end:
        envelope[count - width :] = ramp.flip(0)
    return waveform * envelope


def finish(waveform: Tensor, rate_hz: int) -> Tensor:
    """(..., n) peak-normalised with both ends faded, so that sounds can be compared and looped."""
    return fade_edges(peak_normalise(waveform), round(FADE_S * rate_hz))
