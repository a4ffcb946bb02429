"""Distances between a recording and its reconstruction that don't compare waveforms: spectra, harmonicity, modulation
lines, texture statistics.

- `log_spectral_distance`: fine (4,096 samples) and coarse (256 samples) spectra.
- `harmonicity_db`: harmonics-to-noise ratio by autocorrelation (Boersma 1993).
- `modulation_lines_db`: buzz of a vocoder at its frame rate and its multiples.
- `TextureStatistics`: envelope moments, modulation power, correlations between bands (McDermott and Simoncelli 2011).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

RATE_HZ = 16_000
FLOOR_DB = -70.0  # below a recording's loudest bin or frame: what lies lower isn't compared
FRAME_RATE_HZ = 100.0
LINE_BAND_HZ = (1500.0, 4000.0)
LINE_HZ, NEAR_HZ, FAR_HZ = 1.0, 4.0, 20.0  # half a line's width; its neighbourhood on either side


def log_spectral_distance(sound: Tensor, recording: Tensor, size: int) -> float:
    """Two waveforms (n,) -> root mean square difference in dB of their spectra, both floored at FLOOR_DB."""
    window = torch.hann_window(size)
    powers = [
        torch.stft(x, size, size // 4, window=window, return_complex=True).abs().square() for x in (sound, recording)
    ]
    floor = powers[1].max().clamp(min=1e-12) * 10 ** (FLOOR_DB / 10)
    levels = [10 * (power + floor).log10() for power in powers]
    return float((levels[0] - levels[1]).square().mean(dim=0).sqrt().mean())


def harmonicity_db(sound: Tensor, lowest_hz: float = 80.0, highest_hz: float = 1000.0, size: int = 1024) -> Tensor:
    """(n,) -> (T,) harmonics-to-noise ratio of frames of 64 ms every 16 ms, clipped to -10..30 dB: the largest
    autocorrelation among the periods, over that of the window."""
    window = torch.hann_window(size)
    frames = sound.unfold(0, size, size // 4)
    frames = (frames - frames.mean(dim=1, keepdim=True)) * window

    def autocorrelation(x: Tensor) -> Tensor:
        both = torch.fft.irfft(torch.fft.rfft(x, 2 * size).abs().square())
        return both[..., : size // 2]

    of_window = autocorrelation(window)
    r = autocorrelation(frames) / of_window
    r = r / r[:, :1].clamp(min=1e-9)
    periods = r[:, int(RATE_HZ / highest_hz) : int(RATE_HZ / lowest_hz) + 1]
    best = periods.amax(dim=1).clamp(1e-3, 1 - 1e-3)
    return (10 * (best / (1 - best)).log10()).clamp(-10.0, 30.0)


def harmonicity_error_db(sound: Tensor, recording: Tensor) -> float:
    """(n,) each -> mean absolute difference of `harmonicity_db` over the recording's audible frames (-40 dB)."""
    size = 1024
    energy = recording.unfold(0, size, size // 4).square().sum(dim=1)
    audible = energy > 1e-4 * energy.max()
    return float((harmonicity_db(sound) - harmonicity_db(recording))[audible].abs().mean())


def band_envelope(sound: Tensor, low_hz: float, high_hz: float) -> Tensor:
    """(n,) -> (n,) Hilbert envelope of a band with sharp edges."""
    spectrum = torch.fft.fft(sound)
    hz = torch.fft.fftfreq(len(sound), 1 / RATE_HZ)
    return torch.fft.ifft(torch.where((hz >= low_hz) & (hz < high_hz), 2 * spectrum, 0)).abs()


def modulation_lines_db(sound: Tensor, multiples: int = 4) -> list[float]:
    """(n,) -> level at 100, 200, ... Hz of the envelope's spectrum (1.5 to 4 kHz) over the neighbourhood, in dB."""
    envelope = band_envelope(sound, *LINE_BAND_HZ)
    envelope = (envelope - envelope.mean()) * torch.hann_window(len(envelope))
    power = torch.fft.rfft(envelope).abs().square()
    hz = torch.fft.rfftfreq(len(envelope), 1 / RATE_HZ)
    floor = power.max() * 1e-12 + 1e-20
    found = []
    for line in FRAME_RATE_HZ * torch.arange(1, multiples + 1):
        away = (hz - line).abs()
        level = power[away <= LINE_HZ].mean()
        around = power[(away >= NEAR_HZ) & (away <= FAR_HZ)].mean()
        found.append(float(10 * ((level + floor) / (around + floor)).log10()))
    return found


class TextureStatistics:
    """Waveform (n,) -> statistics of cochlear envelopes by group: `moments`, `modulation`, `correlations`."""

    groups = ("moments", "modulation", "correlations")

    def __init__(self, bands: int = 24, low_hz: float = 50.0, high_hz: float = 7600.0) -> None:
        erb = [21.4 * math.log10(1 + 0.00437 * hz) for hz in (low_hz, high_hz)]
        self.edges_hz = (10 ** (torch.linspace(erb[0], erb[1], bands + 2) / 21.4) - 1) / 0.00437
        self.modulation_hz = 2.0 ** torch.arange(-1, 8.0)  # 0.5 to 128 Hz, octaves around these

    def envelopes(self, sound: Tensor) -> Tensor:
        """(n,) -> (bands, n // 40) compressed envelopes at 400 Hz: half-cosine bands on the ERB scale, power 0.3."""
        spectrum = torch.fft.fft(sound)
        hz = torch.fft.fftfreq(len(sound), 1 / RATE_HZ)
        erb, edges = 21.4 * (1 + 0.00437 * hz.abs()).log10(), 21.4 * (1 + 0.00437 * self.edges_hz).log10()
        away = (erb[None] - edges[1:-1, None]) / (edges[1] - edges[0])
        gains = torch.where((hz > 0) & (away.abs() < 1), 2 * (away * torch.pi / 2).cos(), 0)
        envelope = torch.fft.ifft(spectrum[None] * gains).abs()
        smooth = torch.fft.irfft(torch.fft.rfft(envelope)[:, : len(sound) // 80 + 1], n=2 * (len(sound) // 80)) / 40
        return smooth.clamp(min=0.0) ** 0.3

    def __call__(self, sound: Tensor) -> dict[str, Tensor]:
        envelopes = self.envelopes(sound)
        mean = envelopes.mean(dim=1).clamp(min=1e-4)
        centred = envelopes - mean[:, None]
        deviation = centred.square().mean(dim=1).sqrt().clamp(min=1e-5)
        unit = centred / deviation[:, None]
        moments = torch.stack([mean.log(), (deviation / mean).log(), unit.pow(3).mean(1), unit.pow(4).mean(1).log()])
        power = torch.fft.rfft(unit * torch.hann_window(unit.shape[1])).abs().square()
        hz = torch.fft.rfftfreq(unit.shape[1], 1 / 400)
        octaves = [power[:, (hz >= m / 2**0.5) & (hz < m * 2**0.5)].sum(1) for m in self.modulation_hz]
        modulation = (torch.stack(octaves) / power.sum(1).clamp(min=1e-9) + 1e-3).log()
        rows, columns = torch.triu_indices(len(unit), len(unit), 1)
        near = columns - rows <= 8
        correlations = (unit @ unit.T / unit.shape[1])[rows[near], columns[near]]
        return {"moments": moments.flatten(), "modulation": modulation.flatten(), "correlations": correlations}
