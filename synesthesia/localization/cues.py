"""Two ears -> what differs between them: levels in mel bands and the phase between the ears, frame by frame.

Mel magnitudes carry no fine-structure time difference (it is below 0.8 ms, a frame is 10 ms), so the interaural phase
of every band is taken from the cross-spectrum before magnitudes are formed; its length over three frames is the
interaural coherence, which tells direct sound from reverberation (Faller and Merimaa 2004). Level is removed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks

SILENCE = 1e-5  # magnitude
RANGE = 9.0  # nepers below the loudest cell that still count, 78 dB


@dataclass(frozen=True)
class CueConfig:
    sample_rate_hz: int = 16_000
    fft_samples: int = 512
    hop_samples: int = 160
    bands: int = 64
    low_hz: float = 50.0
    high_hz: float = 8_000.0

    @property
    def frames_per_second(self) -> float:
        return self.sample_rate_hz / self.hop_samples


@dataclass(frozen=True)
class Cues:
    """All (B, C, T, K). level: C = 2, left and right, log magnitude relative to the loudest cell of both, -RANGE..0;
    ild: C = 1, right minus left in nepers; phase: C = 3, cosine and sine of the phase by which the right ear leads,
    and the coherence 0..1."""

    level: Tensor
    ild: Tensor
    phase: Tensor

    def mirrored(self) -> Cues:
        """What a head turned left for right would have heard: ears swapped."""
        cos, sin, coherence = self.phase.split(1, dim=1)
        return Cues(self.level.flip(1), -self.ild, torch.cat([cos, -sin, coherence], dim=1))


class BinauralCues(nn.Module):
    """Waveform (B, 2, n) at the config's rate, left ear first -> Cues with T = 1 + n / hop frames."""

    window: Tensor
    filters: Tensor

    def __init__(self, config: CueConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("window", torch.hann_window(config.fft_samples), persistent=False)
        filters = melscale_fbanks(
            config.fft_samples // 2 + 1, config.low_hz, config.high_hz, config.bands, config.sample_rate_hz,
            norm=None, mel_scale="slaney",
        )  # (F, K)  # fmt: skip
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waveform: Tensor) -> Cues:
        assert waveform.ndim == 3 and waveform.shape[1] == 2, f"waveform must be (B, 2, n), got {tuple(waveform.shape)}"
        config, count = self.config, len(waveform)
        spectrum = torch.stft(
            waveform.flatten(0, 1), config.fft_samples, config.hop_samples, window=self.window,
            pad_mode="constant", return_complex=True,
        ).unflatten(0, (count, 2)).transpose(2, 3)  # (B, 2, T, F)  # fmt: skip
        left, right = spectrum.unbind(1)
        power = (spectrum.real.square() + spectrum.imag.square()) @ self.filters  # (B, 2, T, K)
        magnitude = power.clamp(min=SILENCE**2).sqrt()
        loudest = magnitude.amax(dim=(1, 2, 3), keepdim=True)
        level = (magnitude / loudest).log().clamp(min=-RANGE)
        ild = level[:, 1:] - level[:, :1]
        cross = right * left.conj()  # its phase is positive where the right ear leads
        real, imag = _three_frames(cross.real @ self.filters), _three_frames(cross.imag @ self.filters)  # (B, T, K)
        size = (real.square() + imag.square()).sqrt()
        both = (_three_frames(power[:, 0]) * _three_frames(power[:, 1])).sqrt()
        floor = (loudest[:, 0] * torch.tensor(-RANGE).exp()) ** 2
        phase = torch.stack([real / (size + floor), imag / (size + floor), size / (both + floor)], dim=1)
        return Cues(level, ild, phase)


def _three_frames(x: Tensor) -> Tensor:
    """(B, T, K) averaged over each frame and its neighbours."""
    return F.avg_pool1d(F.pad(x.transpose(1, 2), (1, 1), mode="replicate"), 3, 1).transpose(1, 2)
