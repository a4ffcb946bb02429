"""Fine time envelopes: log-energies of a short-window spectrum in 16 bands, and gains that give them to a waveform.

A window of 64 ms smears a click over 64 ms. These energies come from windows of 8 ms every 2 ms (five a mel frame).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synesthesia.audio.mel import MelConfig, mel_filters

WINDOW, HOP, SUBFRAMES, BANDS = 128, 32, 5, 16  # samples, samples, a mel frame of 160 samples
ENERGY_FLOOR = 1e-8  # of a band's mean power, before the logarithm


class FineEnvelope(nn.Module):
    """Waveform (B, n) -> log-energies (B, T, 5 * bands), T = n // 160; sub-frame j of frame t is centred on sample
    160 t + 32 j. No weights."""

    window: Tensor
    filters: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)
        filters = mel_filters(MelConfig(fft_samples=WINDOW, bands=BANDS))  # (65, bands)
        self.register_buffer("filters", filters / filters.sum(dim=0, keepdim=True), persistent=False)
        filters[0, 0] = filters[-1, -1] = 1.0  # 0 Hz and 8 kHz lie on the edges of the outer bands
        self.register_buffer("spread", filters / filters.sum(dim=1, keepdim=True), persistent=False)

    def spectrum(self, waveform: Tensor) -> Tensor:
        """(B, n) -> complex (B, 65, n // 32 + 1)."""
        return torch.stft(waveform, WINDOW, HOP, window=self.window, return_complex=True)

    def forward(self, waveform: Tensor) -> Tensor:
        energy = self.energies(self.spectrum(waveform))  # (B, n // 32 + 1, bands)
        frames = waveform.shape[1] // (HOP * SUBFRAMES)
        return energy[:, : frames * SUBFRAMES].unflatten(1, (frames, SUBFRAMES)).flatten(2)

    def energies(self, spectrum: Tensor) -> Tensor:
        power = spectrum.real.square() + spectrum.imag.square()
        return (power.transpose(1, 2) @ self.filters + ENERGY_FLOOR).log()

    def shape(self, waveform: Tensor, envelope: Tensor) -> Tensor:
        """White noise of unit variance (B, 160 T) with log-energies (B, T + 1, 5 * bands) -> (B, 160 T)."""
        spectrum = self.spectrum(waveform)  # (B, 65, 5 T + 1)
        wanted = envelope.unflatten(2, (SUBFRAMES, -1)).flatten(1, 2)[:, : spectrum.shape[2]]  # (B, 5 T + 1, bands)
        white = self.window.square().sum().log()  # the log-energy of a bin of white noise
        gain = (0.5 * (wanted - white) @ self.spread.T).exp().transpose(1, 2)
        return torch.istft(spectrum * gain, WINDOW, HOP, window=self.window, length=waveform.shape[1])
