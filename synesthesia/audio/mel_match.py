"""Iterative magnitude correction: a waveform's mel becomes the one that is asked for; its phases stay."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synesthesia.audio.mel import LogMel, MelConfig, with_end_frame

MAX_GAIN = 20.0  # of one round, up or down


class MelMatch(nn.Module):
    """(waveform (B, T * hop), log-mel (B, T, bands)) -> waveform of the same shape.

    Each round measures the mel of the waveform, multiplies every STFT bin by the missing gain of its bands, and
    resynthesises: phases and fine structure stay, the mel becomes the input's. A round costs about 2 ms per second of
    sound. No weights.
    """

    spread: Tensor

    def __init__(self, rounds: int, config: MelConfig | None = None) -> None:
        super().__init__()
        self.rounds = rounds
        self.log_mel = LogMel(config)
        filters = self.log_mel.filters  # (F, bands)
        self.register_buffer("spread", filters / filters.sum(dim=1, keepdim=True).clamp(min=1e-8), persistent=False)

    def forward(
        self,
        waveform: Tensor,
        mel: Tensor,
        rounds: int | None = None,
        fine: Tensor | None = None,
        strength: Tensor | None = None,
    ) -> Tensor:
        """rounds: instead of the module's own; fine: (B, T + 1, F) gains of the bins that come with the first round;
        strength: (B, T + 1, F) exponents 0..1 of the gains."""
        config, window = self.log_mel.config, self.log_mel.window
        assert waveform.shape == (mel.shape[0], mel.shape[1] * config.hop_samples), (
            f"waveform {tuple(waveform.shape)} and mel {tuple(mel.shape)} differ in length"
        )
        if waveform.shape[1] <= config.fft_samples // 2:  # too short for a centred STFT
            return waveform
        target = with_end_frame(mel).exp()  # (B, T + 1, bands)
        for _ in range(self.rounds if rounds is None else rounds):
            spectrum = torch.stft(
                waveform, config.fft_samples, config.hop_samples, window=window, return_complex=True
            )  # (B, F, T + 1)
            if fine is not None:
                spectrum, fine = spectrum * fine.transpose(1, 2), None
            present = spectrum.abs().transpose(1, 2) @ self.log_mel.filters
            gains = self.log_gains(target, present)
            gains = gains if strength is None else gains * strength
            spectrum = spectrum * gains.exp().transpose(1, 2)
            waveform = torch.istft(spectrum, config.fft_samples, config.hop_samples, window=window)
        return waveform

    def log_gains(self, target: Tensor, present: Tensor) -> Tensor:
        """Magnitudes (..., bands), wanted and present -> logarithmic gains of the bins (..., F), means over bands."""
        gain = (target / present.clamp(min=self.log_mel.config.clamp)).clamp(1.0 / MAX_GAIN, MAX_GAIN)
        return gain.log() @ self.spread.T
