"""Tones plus noise from a mel and what a network reads from it (spectral modelling, Serra and Smith 1990).

The tonal share of every band becomes sinusoids, the rest white noise with a fine time envelope; `MelMatch` gives each
part its share of the mel and the sum the whole. Noise is drawn with a fixed seed: a mel has one waveform.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.audio.fine_envelope import FineEnvelope
from synesthesia.audio.mel import MelConfig, white_noise, with_end_frame
from synesthesia.audio.mel_match import MAX_GAIN, MelMatch
from synesthesia.audio.sinusoidal_synthesis import WEAK, sinusoids

SHARPNESS = 1.5
AROUND = 6  # bins on either side over which the noise's level is averaged
SHARE_FLOOR = 1e-4  # of a part's power in a band
MAGNITUDE_ROUNDS = 2  # of bringing the predicted magnitudes to the mel


@dataclass(frozen=True)
class Prediction:
    """tonality: (B, T + 1, F) 0..1; offset: (B, T + 1, F) instantaneous frequency minus the bin's, in bins;
    log_magnitude: (B, T + 1, F); envelope: (B, T + 1, 5 * 16) log-energies of `FineEnvelope`."""

    tonality: Tensor
    offset: Tensor
    log_magnitude: Tensor
    envelope: Tensor


def sharpen(tonality: Tensor) -> Tensor:
    """Away from one half, by the odds to the power SHARPNESS: a conditional mean is less decided than what it is of."""
    return (SHARPNESS * tonality.logit(eps=1e-6)).sigmoid()


class ToneNoiseSynthesis(nn.Module):
    """(mel (B, T, 64), `Prediction`) -> waveform (B, T * 160). No weights."""

    white_level: Tensor

    def __init__(self, noise_rounds: int = 4, last_rounds: int = 3) -> None:
        super().__init__()
        self.noise_rounds, self.last_rounds = noise_rounds, last_rounds
        self.match, self.envelope = MelMatch(1), FineEnvelope()
        level = self.match.log_mel.filters.sum(dim=0) @ self.match.spread.T  # of a flat spectrum of ones
        self.register_buffer("white_level", level, persistent=False)

    def forward(self, mel: Tensor, prediction: Prediction) -> Tensor:
        config: MelConfig = self.match.log_mel.config
        tonality = sharpen(prediction.tonality)
        magnitude = self.magnitude(mel, prediction.log_magnitude)
        noise_magnitude = split(magnitude, tonality)
        tone_magnitude = (magnitude.square() - noise_magnitude.square()).clamp(min=0.0).sqrt()
        tones = sinusoids(tone_magnitude, prediction.offset, tonality, config.hop_samples)
        noise = self.envelope.shape(white_noise(tones.shape[1]).to(tones.device).expand_as(tones), prediction.envelope)
        if tones.shape[1] <= config.fft_samples // 2:  # too short for a centred STFT
            return tones + noise
        fine = self.fine_structure(noise_magnitude)
        noise = self.match(noise, self.part_of(mel, noise_magnitude, magnitude), self.noise_rounds, fine)
        return self.match(tones + noise, mel, self.last_rounds, strength=self.untouched_by(tones, magnitude))

    def untouched_by(self, tones: Tensor, magnitude: Tensor) -> Tensor:
        """Tones (B, 160 T) and all magnitudes (B, T + 1, F) -> (B, T + 1, F): 1 without tones, 0 where there is nothing
        else. `MelMatch` follows the mel by amplifying whatever is there, also the noise next to a tone that glides;
        where tones prevail it stays out."""
        config, window = self.match.log_mel.config, self.match.log_mel.window
        spectrum = torch.stft(tones, config.fft_samples, config.hop_samples, window=window, return_complex=True)
        of_tones, whole = (x @ self.match.log_mel.filters for x in (spectrum.abs().transpose(1, 2), magnitude))
        return (1 - of_tones / whole.clamp(min=1e-12)).clamp(min=0.0).square() @ self.match.spread.T

    def magnitude(self, mel: Tensor, log_magnitude: Tensor) -> Tensor:
        """(B, T + 1, F) predicted magnitudes, scaled to the mel (B, T, bands)."""
        target = with_end_frame(mel).exp()
        magnitude = log_magnitude.exp()
        for _ in range(MAGNITUDE_ROUNDS):
            magnitude = magnitude * self.match.log_gains(target, magnitude @ self.match.log_mel.filters).exp()
        return magnitude

    def part_of(self, mel: Tensor, part: Tensor, magnitude: Tensor) -> Tensor:
        """(B, T, bands) log-mel of a part, of its and the whole magnitudes (B, T + 1, F)."""
        of_part, whole = (x[:, :-1] @ self.match.log_mel.filters for x in (part, magnitude))
        return mel + (of_part / whole.clamp(min=1e-12)).clamp(SHARE_FLOOR, 1.0).log()

    def fine_structure(self, magnitude: Tensor) -> Tensor:
        """(B, T + 1, F) -> gains of the bins that give a flat spectrum the structure within bands."""
        level = (magnitude @ self.match.log_mel.filters) @ self.match.spread.T
        return (magnitude / level.clamp(min=1e-12) * self.white_level).clamp(1 / MAX_GAIN, MAX_GAIN)


def split(magnitude: Tensor, tonality: Tensor) -> Tensor:
    """Magnitudes and tonality (B, T + 1, F) -> magnitudes of the noise.

    Noise is smooth in frequency: under a partial there is no more of it than what the neighbourhood's geometric mean,
    valleys included, allows.
    """
    noise = (magnitude.square() * (1 - tonality)).clamp(min=1e-14)
    smooth = F.avg_pool1d(noise.log(), 2 * AROUND + 1, 1, AROUND, count_include_pad=False).exp()
    return torch.where(tonality < WEAK, magnitude, torch.minimum(noise, smooth).sqrt())
