"""Bring a vocoder's waveform to the log-mel it was asked for: a few rounds of correcting each band's magnitude.

A vocoder trained for minutes gets phases about right and band levels only nearly. Each round measures the waveform's
own mel, multiplies every STFT bin by what its bands lack, and resynthesises: phases and fine structure stay the
vocoder's, the mel becomes the asked one. A round costs about 2 ms per second of sound, and nothing is learned.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synesthesia.audio.mel import LogMel, MelConfig

LARGEST_GAIN = 20.0  # per round, up or down


class MelMatch(nn.Module):
    """(waveform (B, T * hop), log-mel (B, T, bands)) -> waveform of the same shape."""

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
        wanted = torch.cat([mel, mel[:, -1:]], dim=1).exp()  # (B, T + 1, bands)
        for _ in range(self.rounds):
            spectrum = torch.stft(
                waveform, config.fft_samples, config.hop_samples, window=window, return_complex=True
            )  # (B, F, T + 1)
            present = (spectrum.abs().transpose(1, 2) @ self.log_mel.filters).clamp(min=config.clamp)
            gain = (wanted / present).clamp(1.0 / LARGEST_GAIN, LARGEST_GAIN).log() @ self.spread.T  # (B, T + 1, F)
            spectrum = spectrum * gain.exp().transpose(1, 2)
            waveform = torch.istft(spectrum, config.fft_samples, config.hop_samples, window=window)
        return waveform
