"""Reconstruction metrics: mel distance, multi-resolution STFT distance, SI-SDR.

Waveforms are (B, n) at 16 kHz; each metric gives one number per sound, (B,).
"""

from __future__ import annotations

import torch
from torch import Tensor

from synesthesia.audio.mel import LogMel

RESOLUTIONS = ((2048, 512), (1024, 256), (512, 128), (256, 64), (128, 32))  # FFT and hop in samples


def _check(generated: Tensor, reference: Tensor) -> None:
    assert generated.ndim == 2 and generated.shape == reference.shape, (
        f"need two (B, n), got {tuple(generated.shape)}, {tuple(reference.shape)}"
    )


def mel_distance(generated: Tensor, reference: Tensor, log_mel: LogMel | None = None) -> Tensor:
    """Mean absolute difference of the natural log-mels, (B,). One unit is 8.7 dB."""
    _check(generated, reference)
    log_mel = log_mel or LogMel()
    return (log_mel(generated) - log_mel(reference)).abs().mean(dim=(1, 2))


def stft_distance(generated: Tensor, reference: Tensor) -> Tensor:
    """Spectral convergence plus mean absolute log-magnitude difference, averaged over five resolutions, (B,).

    Yamamoto et al. 2020 (Parallel WaveGAN). Magnitudes are clamped at 1e-3, so that silent cells contribute nothing.
    """
    _check(generated, reference)
    total = torch.zeros(len(generated))
    for fft, hop in RESOLUTIONS:
        window = torch.hann_window(fft)
        a, b = (torch.stft(x, fft, hop, window=window, return_complex=True).abs() for x in (generated, reference))
        convergence = (a - b).square().sum(dim=(1, 2)).sqrt() / b.square().sum(dim=(1, 2)).sqrt().clamp(min=1e-3)
        logarithm = (a.clamp(min=1e-3).log() - b.clamp(min=1e-3).log()).abs().mean(dim=(1, 2))
        total += convergence + logarithm
    return total / len(RESOLUTIONS)


def si_sdr_db(generated: Tensor, reference: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio in dB, (B,) (Le Roux 2019).

    It compares waveforms sample by sample: a codec that keeps phases can score well, one that generates phases (every
    mel vocoder) is far below 0 dB however good it sounds. Identity gives about 80 dB or more; silence gives nan.
    """
    _check(generated, reference)
    generated, reference = (
        generated - generated.mean(dim=1, keepdim=True),
        reference - reference.mean(dim=1, keepdim=True),
    )
    energy = reference.square().sum(dim=1)
    target = (generated * reference).sum(dim=1, keepdim=True) / energy[:, None].clamp(min=1e-12) * reference
    ratio = target.square().sum(dim=1) / (generated - target).square().sum(dim=1).clamp(min=1e-12)
    return torch.where(energy > 1e-10, 10 * torch.log10(ratio.clamp(min=1e-12)), torch.full_like(energy, torch.nan))
