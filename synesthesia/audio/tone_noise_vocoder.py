"""The project's vocoder: a network reads tones, their frequencies and envelopes from the mel; synthesis does the rest.

A network that writes a waveform frame by frame without memory of its phases makes every steady sound periodic at its
frame rate: rain buzzes. Here it predicts what has no phase (how tonal each bin is, its instantaneous frequency, its
magnitude, the envelope within a frame), and `ToneNoiseSynthesis` makes sinusoids and noise of that (after spectral
modelling, Serra and Smith 1990). All targets can be measured on recordings: plain regression, no adversary.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.audio.fine_envelope import BANDS, SUBFRAMES
from synesthesia.audio.mel import MelConfig, mel_filters, with_end_frame
from synesthesia.audio.noise_fluctuation import NoiseFluctuation
from synesthesia.audio.tone_noise_synthesis import Prediction, ToneNoiseSynthesis
from synesthesia.audio.vocoder import FOLDER, TRAINED_BY
from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint

OFFSET_LIMIT = 2.0  # bins
AROUND = 4  # bands on either side whose mean each band is compared with: partials stand out whatever the level


@dataclass(frozen=True)
class ToneNoiseConfig:
    bands: int = 64
    width: int = 256
    hidden: int = 768
    blocks: int = 6
    last: int = 512  # before the outputs: the combs of all pitches have more dimensions than `width`
    mel_mean: float = -5.0
    mel_std: float = 2.5
    noise_rounds: int = 4  # of `MelMatch` on the noise
    last_rounds: int = 3  # of `MelMatch` on the sum


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


class ToneNoiseVocoder(nn.Module):
    """Log-mel (B, T, 64) -> waveform (B, T * 160). Frame t is centred on sample 160 t, as in `LogMel`."""

    to_bins: Tensor
    to_envelope: Tensor

    def __init__(self, config: ToneNoiseConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ToneNoiseConfig()
        self.bins = MelConfig().fft_samples // 2 + 1
        self.embed = nn.Conv1d(2 * config.bands, config.width, 7, padding=3)
        self.norm = nn.LayerNorm(config.width)
        self.blocks = nn.ModuleList(
            FrameBlock(config.width, config.hidden, 1.0 / config.blocks) for _ in range(config.blocks)
        )
        self.last_norm = nn.LayerNorm(config.width)
        self.widen = nn.Linear(config.width, config.last)
        self.head = nn.Linear(config.last, 3 * self.bins + SUBFRAMES * BANDS)
        self.synthesis = ToneNoiseSynthesis(config.noise_rounds, config.last_rounds)
        filters = self.synthesis.match.log_mel.filters  # (F, bands)
        to_bins, coarse = self.synthesis.match.spread.T, mel_filters(MelConfig(bands=BANDS))
        to_envelope = (to_bins @ coarse) / coarse.sum(dim=0)
        self.register_buffer("to_bins", to_bins.contiguous(), persistent=False)  # (bands, F)
        self.register_buffer("to_envelope", to_envelope / to_envelope.sum(dim=0), persistent=False)  # (bands, 16)
        self.register_buffer("area", filters.sum(dim=0).log(), persistent=False)  # (bands,)
        self.register_buffer("of_bands", filters / filters.sum(dim=0), persistent=False)  # (F, bands)
        self.fluctuation = NoiseFluctuation()

    def forward(self, mel: Tensor) -> Tensor:
        return self.synthesis(mel, self.predict(with_end_frame(mel)))

    def generated(self, mel: Tensor) -> Tensor:
        """As `forward`, of a log-mel that a model made: its noise fluctuates as noise does, see `NoiseFluctuation`."""
        prediction = self.predict(with_end_frame(mel))
        tonality = prediction.tonality[:, :-1] @ self.of_bands
        return self.synthesis(self.fluctuation(mel, tonality), prediction)

    def predict(self, mel: Tensor) -> Prediction:
        """(B, T, 64) -> predictions of its T frames."""
        config = self.config
        assert mel.ndim == 3 and mel.shape[2] == config.bands, (
            f"mel must be (B, T, {config.bands}), got {tuple(mel.shape)}"
        )
        around = F.avg_pool1d(mel, 2 * AROUND + 1, 1, AROUND, count_include_pad=False)
        x = torch.cat([(mel - config.mel_mean) / config.mel_std, mel - around], dim=2).transpose(
            1, 2
        )  # (B, 2 bands, T)
        x = self.norm(self.embed(x).transpose(1, 2))  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        x = self.head(F.gelu(self.widen(self.last_norm(x)))).float()  # (B, T, 3 F + 80)
        tonality, offset, magnitude, envelope = x.split([self.bins] * 3 + [SUBFRAMES * BANDS], dim=2)
        level = mel - self.area  # log-magnitude of a bin in a flat band
        return Prediction(
            tonality.sigmoid(),
            OFFSET_LIMIT * offset.tanh(),
            level @ self.to_bins + magnitude,
            2 * (level @ self.to_envelope - 1.0).repeat(1, 1, SUBFRAMES) + envelope,  # 1: a window of 1/8
        )

    def save(self, folder: Path, half: bool = True) -> None:
        """Writes config.json and model.safetensors (fp16, or fp32 with half=False)."""
        dtype = torch.float16 if half else torch.float32
        save_checkpoint(folder, self.config, {name: value.to(dtype) for name, value in self.state_dict().items()})

    @classmethod
    def load(cls, folder: Path) -> ToneNoiseVocoder:
        """Reads what `save` wrote. UserError when a file is missing."""
        fields, tensors = load_checkpoint(folder, what=FOLDER, trained_by=TRAINED_BY)
        vocoder = cls(ToneNoiseConfig(**fields))
        vocoder.load_state_dict(tensors)
        return vocoder.eval().requires_grad_(False)
