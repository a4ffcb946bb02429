"""How far a made sound lies from the real one: mel distance, multi-resolution STFT distance, SI-SDR.

Waveforms are (B, n) at 16 kHz, one number per sound comes back, (B,).
"""

from __future__ import annotations

import torch
from torch import Tensor

from synesthesia.audio.mel import LogMel

RESOLUTIONS = ((2048, 512), (1024, 256), (512, 128), (256, 64), (128, 32))  # FFT and hop in samples


def _check(made: Tensor, real: Tensor) -> None:
    assert made.ndim == 2 and made.shape == real.shape, f"need two (B, n), got {tuple(made.shape)}, {tuple(real.shape)}"


def mel_distance(made: Tensor, real: Tensor, log_mel: LogMel | None = None) -> Tensor:
    """Mean absolute difference of the natural log-mels, (B,). One unit is 8.7 dB."""
    _check(made, real)
    log_mel = log_mel or LogMel()
    return (log_mel(made) - log_mel(real)).abs().mean(dim=(1, 2))


def stft_distance(made: Tensor, real: Tensor) -> Tensor:
    """Spectral convergence plus mean absolute log-magnitude difference, averaged over five resolutions, (B,).

    Yamamoto et al. 2020 (Parallel WaveGAN). Magnitudes are clamped at 1e-3, so that silence differs by nothing.
    """
    _check(made, real)
    total = torch.zeros(len(made))
    for fft, hop in RESOLUTIONS:
        window = torch.hann_window(fft)
        a, b = (torch.stft(x, fft, hop, window=window, return_complex=True).abs() for x in (made, real))
        convergence = (a - b).square().sum(dim=(1, 2)).sqrt() / b.square().sum(dim=(1, 2)).sqrt().clamp(min=1e-3)
        logarithm = (a.clamp(min=1e-3).log() - b.clamp(min=1e-3).log()).abs().mean(dim=(1, 2))
        total += convergence + logarithm
    return total / len(RESOLUTIONS)


def si_sdr_db(made: Tensor, real: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio in dB, (B,) (Le Roux 2019).

    It asks for the very waveform: a codec that keeps phases can score, one that invents phases (every mel vocoder)
    lies far below 0 dB however good it sounds. Identity gives about 80 dB or more; silence gives nan.
    """
    _check(made, real)
    made, real = made - made.mean(dim=1, keepdim=True), real - real.mean(dim=1, keepdim=True)
    energy = real.square().sum(dim=1)
    target = (made * real).sum(dim=1, keepdim=True) / energy[:, None].clamp(min=1e-12) * real
    ratio = target.square().sum(dim=1) / (made - target).square().sum(dim=1).clamp(min=1e-12)
    return torch.where(energy > 1e-10, 10 * torch.log10(ratio.clamp(min=1e-12)), torch.full_like(energy, torch.nan))
