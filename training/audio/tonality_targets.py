"""What the vocoder's network learns to predict, measured on the waveform: tonality, frequencies, magnitudes, envelopes.

- Tonality: phase coherence over six hops (60 ms). The phase that a partial gains between frames t - 3 and t + 3 follows
  from the instantaneous frequencies at both ends and in the middle (Simpson's rule); the cosine of the difference is 1
  for a sinusoid, also a gliding one, and about 0 for noise: its windows at that distance share almost nothing. At a lag
  of one hop noise would look tonal, for a bin is a narrow filter. What is left of noise's coherence, 0.11, comes from
  the frame in the middle and is subtracted. Clicks are coherent, too; their small energy at both ends tells them apart.
  One cosine says little: it is averaged over 3 bins and 5 frames, weighted by power.
- Instantaneous frequency: spectral reassignment (Auger and Flandrin 1995).
- Log-magnitude of the 1024-sample spectrum, and log-energies of a 128-sample one, five a frame.
- Of synthetic mixtures, whose tones are known, tonality is the tones' share of the power.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.audio.fine_envelope import FineEnvelope
from synesthesia.audio.mel import MelConfig

REACH = 3  # frames from the centre to either end of the coherence
GLIDES = (0, -2, 2, -4, 4, -6, 6)  # bins from the centre to either end that are tried
STEEPNESS_PENALTY = 0.15  # of a bin of glide, in units of the log-magnitude's sum over four frames
SNAP = 2  # bins within which the ends are moved to a peak
NOISE_COHERENCE = 0.11  # weighted mean of the raw coherence on white noise
MAGNITUDE_FLOOR = 1e-4  # of an STFT bin, before the logarithm; a full-scale sine has 256
OFFSET_LIMIT = 2.0  # bins


@dataclass(frozen=True)
class Targets:
    """tonality: (B, T, F) noisy, 1 for tones and 0 on average for noise; weight: (B, T, F) of a bin's power within its
    neighbourhood, mean about 1; offset: (B, T, F) instantaneous frequency minus the bin's, in bins; log_magnitude:
    (B, T, F); envelope: (B, T, 5 * bands) log-energies."""

    tonality: Tensor
    weight: Tensor
    offset: Tensor
    log_magnitude: Tensor
    envelope: Tensor


class TonalityTargets(nn.Module):
    """Waveform (B, n) -> `Targets` with T = n // hop frames, centred as those of `LogMel`."""

    windows: Tensor

    def __init__(self, config: MelConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MelConfig()
        size = config.fft_samples
        angle = 2 * torch.pi * torch.arange(size) / size
        windows = torch.stack([0.5 - 0.5 * angle.cos(), torch.pi / size * angle.sin()])  # Hann and its derivative
        self.register_buffer("windows", windows, persistent=False)
        self.envelope = FineEnvelope()

    @torch.no_grad()
    def forward(self, waveform: Tensor) -> Targets:
        """Of recordings."""
        spectrum, offset = self._spectra(waveform)
        log_magnitude = (spectrum.abs() + MAGNITUDE_FLOOR).log()
        tonality = (self._coherence(spectrum, offset, log_magnitude) - NOISE_COHERENCE) / (1 - NOISE_COHERENCE)
        return self._targets(waveform, tonality, offset, log_magnitude, smooth=True)

    @torch.no_grad()
    def of_mixture(self, tones: Tensor, rest: Tensor) -> Targets:
        """Of synthetic tones with something else, (B, n) each."""
        _, offset = self._spectra(tones)
        mixed = tones + rest
        log_magnitude = (self._spectra(mixed)[0].abs() + MAGNITUDE_FLOOR).log()
        tonal, other = (self._spectra(x)[0].abs().square() for x in (tones, rest))
        tonality = tonal / (tonal + other + MAGNITUDE_FLOOR**2)
        return self._targets(mixed, tonality, offset, log_magnitude, smooth=False)

    def _targets(
        self, waveform: Tensor, tonality: Tensor, offset: Tensor, log_magnitude: Tensor, smooth: bool
    ) -> Targets:
        power = log_magnitude.mul(2).exp()
        around = F.avg_pool2d(power[:, None], (1, 5), 1, (0, 2), count_include_pad=False)
        around = F.avg_pool2d(around, (17, 1), 1, (8, 0), count_include_pad=False)[:, 0]
        weight = power / (around + 4 * MAGNITUDE_FLOOR**2)
        if smooth:
            tonality = self._mean(weight * tonality) / self._mean(weight).clamp(min=1e-6)
        tonality, weight, offset, log_magnitude = (x.transpose(1, 2) for x in (tonality, weight, offset, log_magnitude))
        return Targets(tonality, weight, offset, log_magnitude, self.envelope(waveform))

    @staticmethod
    def _mean(x: Tensor) -> Tensor:
        """(B, F, T) -> its mean over 3 bins and 5 frames."""
        return F.avg_pool2d(x[:, None], (3, 5), 1, (1, 2), count_include_pad=False)[:, 0]

    def _spectra(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """(B, n) -> complex spectrum with phases at the window's centre; frequency offset in bins; (B, F, T)."""
        config = self.config
        assert waveform.ndim == 2, f"waveform must be (B, n), got {tuple(waveform.shape)}"
        spectrum, derived = (
            torch.stft(waveform, config.fft_samples, config.hop_samples, window=window, return_complex=True)[:, :, :-1]
            for window in self.windows
        )
        power = spectrum.real.square() + spectrum.imag.square() + 1e-12
        slope = (derived.imag * spectrum.real - derived.real * spectrum.imag) / power
        offset = (-slope * config.fft_samples / (2 * torch.pi)).clamp(-OFFSET_LIMIT, OFFSET_LIMIT)
        signs = 1.0 - 2.0 * (torch.arange(spectrum.shape[1], device=spectrum.device) % 2)
        return spectrum * signs[:, None], offset

    def _coherence(self, spectrum: Tensor, offset: Tensor, log_magnitude: Tensor) -> Tensor:
        """(B, F, T) cosine between the phase gained over 2 * REACH frames along the loudest straight glide and what the
        frequencies predict. Frames near the ends, where it can't be measured, repeat their neighbour."""
        bins, frames = log_magnitude.shape[1:]
        inner = frames - 2 * REACH
        if inner < 1:
            return torch.full_like(log_magnitude, NOISE_COHERENCE)
        glide = self._glide(log_magnitude, inner)  # (B, F, inner)
        _, loudest = F.max_pool1d(
            log_magnitude.transpose(1, 2).flatten(0, 1), 2 * SNAP + 1, 1, SNAP, return_indices=True
        )
        loudest = loudest.unflatten(0, (-1, frames)).transpose(1, 2)  # (B, F, T) bin
        centre = torch.arange(bins, device=spectrum.device)[None, :, None]
        phases, places, powers = [], [], []
        for side in (-1, 0, 1):
            span = slice(REACH * (side + 1), REACH * (side + 1) + inner)
            bin_ = loudest[:, :, span].gather(1, (centre + side * glide).clamp(0, bins - 1))
            real, imaginary = (x[:, :, span].gather(1, bin_) for x in (spectrum.real, spectrum.imag))
            places.append(bin_ + offset[:, :, span].gather(1, bin_))
            powers.append(real.square() + imaginary.square() + 1e-12)
            phases.append(torch.atan2(imaginary, real) if side else None)
        assert phases[0] is not None and phases[2] is not None
        mean_bin = (places[0] + 4 * places[1] + places[2]) / 6
        predicted = 2 * torch.pi * 2 * REACH * self.config.hop_samples / self.config.fft_samples * mean_bin
        lasting = ((powers[0] * powers[2]).sqrt() / powers[1]).clamp(max=1.0)
        return F.pad((phases[2] - phases[0] - predicted).cos() * lasting, (REACH, REACH), mode="replicate")

    @staticmethod
    def _glide(log_magnitude: Tensor, inner: int) -> Tensor:
        """(B, F, inner) bins from each bin to the ends of the loudest of straight lines through it."""
        bins, steepest = log_magnitude.shape[1], max(GLIDES)
        padded = F.pad(log_magnitude, (0, 0, steepest, steepest), mode="replicate")

        def line(shift: int, frame: int) -> Tensor:
            return padded[:, steepest + shift : steepest + shift + bins, REACH + frame : REACH + frame + inner]

        best = torch.full_like(line(0, 0), -torch.inf)
        chosen = torch.zeros_like(best, dtype=torch.long)
        for shift in GLIDES:
            score = line(shift, REACH) + line(-shift, -REACH) + line(shift // 2, 1) + line(-shift // 2, -1)
            score = score - STEEPNESS_PENALTY * abs(shift)
            chosen.masked_fill_(score > best, shift)
            best = torch.maximum(best, score)
        return chosen
