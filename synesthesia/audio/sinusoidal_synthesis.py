"""Sinusoidal synthesis (McAulay and Quatieri 1986): peaks of a spectrogram are linked to tracks of sinusoids.

A sinusoid continues its phase from frame to frame, with a frequency that glides linearly between frames: a steady tone
has no trace of the frame rate, which a network that writes the phases of every frame anew can't achieve. Tracks without
a strongly tonal frame, and tracks of less than `SHORTEST` frames, are left out: they would be musical noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

WEAK, STRONG = 0.2, 0.5  # tonality that a peak needs, and that one peak of its track needs (hysteresis)
SHORTEST = 4  # frames of a track
NEAREST = 1.5  # bins that a sinusoid may move from frame to frame
VERTEX = 0.75  # weight of the vertex of a parabola through a peak, against the instantaneous frequency
LOBE = 2  # bins on either side of a peak that belong to it
QUIETEST = 1e-3  # of the STFT magnitude: 108 dB below a full-scale sine
SEGMENTS = 1024  # rendered at a time: they fit a core's cache


@dataclass(frozen=True)
class Peaks:
    """Flat lists of N spectral peaks, sorted by sound, frame and frequency."""

    sound: Tensor  # (N,)
    frame: Tensor  # (N,)
    frequency: Tensor  # (N,) in bins
    amplitude: Tensor  # (N,) of the sinusoid
    tonality: Tensor  # (N,)
    begin_phase: Tensor  # (N,) for the peak that begins a track


def sinusoids(magnitude: Tensor, offset: Tensor, tonality: Tensor, hop: int) -> Tensor:
    """magnitude, offset (instantaneous frequency minus the bin's, in bins), tonality: (B, T + 1, F) -> (B, T * hop).

    `magnitude` is the tonal part's, of an STFT with a Hann window of 2 (F - 1) samples; `tonality`, 0..1, decides which
    peaks are sinusoids.
    """
    count, frames, bins = magnitude.shape
    peaks = find_peaks(magnitude, offset, tonality)
    before = links(peaks, bins)
    root, phase, length = tracks(peaks, before, hop, 2 * (bins - 1))
    strongest = torch.zeros_like(peaks.tonality).scatter_reduce(0, root, peaks.tonality, "amax")
    longest = torch.zeros_like(length).scatter_reduce(0, root, length, "amax")
    kept = (strongest[root] >= STRONG) & (longest[root] >= SHORTEST)
    return render(peaks, before, phase, kept, (count, frames - 1, hop), 2 * (bins - 1))


def find_peaks(magnitude: Tensor, offset: Tensor, tonality: Tensor) -> Peaks:
    """Local maxima over +-LOBE bins that are tonal enough, of (B, T, F) each."""
    window = 2 * LOBE + 1
    bins = magnitude.shape[2]
    size = 2 * (bins - 1)
    high = F.max_pool1d(magnitude, window, 1, LOBE)
    energy = F.avg_pool1d(magnitude.square(), window, 1, LOBE) * window
    found = (magnitude >= high) & (magnitude > QUIETEST) & (tonality >= WEAK)
    found[:, :, [0, -1]] = False
    sound, frame, bin_ = found.nonzero(as_tuple=True)
    log = magnitude.clamp(min=1e-9).log()
    left, centre, right = (log[sound, frame, bin_ + step] for step in (-1, 0, 1))
    vertex = (0.5 * (left - right) / (left - 2 * centre + right).clamp(max=-1e-3)).clamp(-0.5, 0.5)
    frequency = bin_ + VERTEX * vertex + (1 - VERTEX) * offset[found].clamp(-1.0, 1.0)
    amplitude = (energy[found] / (size * 0.375 * size / 4)).sqrt()  # a sinusoid's energy in all bins of one side
    scramble = (frame * 0.754877 + bin_ * 0.569840) % 1.0  # a low-discrepancy sequence: no two peaks begin alike
    return Peaks(sound, frame, frequency, amplitude, tonality[found], 2 * torch.pi * scramble)


def links(peaks: Peaks, bins: int) -> Tensor:
    """(N,) index of the peak one frame earlier that each peak continues, -1 for none: mutually nearest in frequency."""
    count = len(peaks.frame)
    if count == 0:
        return torch.zeros(0, dtype=torch.long, device=peaks.frame.device)
    wide = 4.0 * bins
    place = peaks.sound * (peaks.frame.max() + 2) + peaks.frame
    key = place.double() * wide + peaks.frequency.double()

    def nearest(step: int) -> Tensor:
        wanted = (place + step).double() * wide + peaks.frequency.double()
        right = torch.searchsorted(key, wanted)
        left = (right - 1).clamp(min=0)
        right = right.clamp(max=count - 1)
        closer = torch.where((key[left] - wanted).abs() <= (key[right] - wanted).abs(), left, right)
        return torch.where((key[closer] - wanted).abs() <= NEAREST, closer, -1)

    before, after = nearest(-1), nearest(1)
    mutual = (before >= 0) & (after[before.clamp(min=0)] == torch.arange(count, device=before.device))
    return torch.where(mutual, before, -1)


def tracks(peaks: Peaks, before: Tensor, hop: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """(first peak of the track, phase, number of frames up to here) of every peak, (N,) each, by pointer doubling."""
    begins = before < 0
    pointer = torch.where(begins, torch.arange(len(before), device=before.device), before)
    mean = (peaks.frequency + peaks.frequency[pointer]).double() / 2
    phase = torch.where(begins, 0.0, 2 * torch.pi * hop / size * mean)
    length = torch.where(begins, 0, 1)
    while True:
        further = pointer[pointer]
        if torch.equal(further, pointer):
            break
        phase, length = phase + phase[pointer], length + length[pointer]
        pointer = further
    return pointer, (phase + peaks.begin_phase[pointer]) % (2 * torch.pi), length + 1


def render(peaks: Peaks, before: Tensor, phase: Tensor, kept: Tensor, shape: tuple[int, int, int], size: int) -> Tensor:
    """Sinusoids of linear amplitude and frequency between linked peaks; a track fades in and out over one hop."""
    count, hops, hop = shape
    device = peaks.amplitude.device
    out = torch.zeros(count * hops, hop, device=device)
    time = torch.arange(hop, device=device, dtype=torch.float32)
    omega = 2 * torch.pi / size * peaks.frequency
    linked = (before >= 0) & kept
    continued = torch.zeros_like(kept)
    continued[before[linked]] = True
    begins, ends = kept & (before < 0) & (peaks.frame > 0), kept & ~continued & (peaks.frame < hops)
    source = before.clamp(min=0)
    zero = torch.zeros_like(peaks.amplitude)
    phase = phase.float()
    rows = [  # (which peaks, hop index, phase at its start, omega and amplitude at its start and at its end)
        (linked, peaks.frame - 1, phase[source], omega[source], omega, peaks.amplitude[source], peaks.amplitude),
        (begins, peaks.frame - 1, phase - omega * hop, omega, omega, zero, peaks.amplitude),
        (ends, peaks.frame, phase, omega, omega, peaks.amplitude, zero),
    ]
    for which, hop_index, *values in rows:
        chosen = which.nonzero()[:, 0]
        for part in chosen.split(SEGMENTS):
            target = peaks.sound[part] * hops + hop_index[part]
            start, first, last, quiet, loud = (value[part, None] for value in values)
            angle = start + time * (first + (last - first) / (2 * hop) * time)
            out.index_add_(0, target, angle.cos_() * (quiet + (loud - quiet) / hop * time))
    return out.view(count, hops * hop)
