"""Binaural rendering: a mono sound convolved with HRTFs, still or moving, with or without a room, with diffuse noise.

All results carry the HRTF's pre-delay of 1 ms, are as long as the sound, and never exceed PEAK.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

from synesthesia.binaural.diffuse import diffuse_noise
from synesthesia.binaural.hrtf import HRTF, RATE_HZ
from synesthesia.binaural.room import Room, room_response, sample_listener_pose

PEAK = 0.89  # -1 dBFS
HOP_S = 0.04  # a moving source takes a new direction this often


def render(
    sound: np.ndarray,
    hrtf: HRTF,
    azimuth_deg: float,
    elevation_deg: float = 0.0,
    room: Room | None = None,
    distance_m: float = 1.5,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """sound (n,) at RATE_HZ -> (2, n) float32. In a room, `rng` (default: seed 0) draws listener pose and tail.

    UserError when the source does not fit into the room.
    """
    if room is None:
        response = hrtf.responses(np.array([azimuth_deg]), np.array([elevation_deg]))[0]
    else:
        rng = rng or np.random.default_rng(0)
        listener_m, yaw_deg = sample_listener_pose(room, azimuth_deg, elevation_deg, distance_m, rng)
        response = room_response(
            hrtf, room, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, distance_m=distance_m,
            listener_m=listener_m, yaw_deg=yaw_deg, rng=rng,
        )  # fmt: skip
    return limit_peak(convolve(sound, response))


def render_moving(sound: np.ndarray, hrtf: HRTF, times_s: np.ndarray, azimuths_deg: np.ndarray) -> np.ndarray:
    """sound (n,) and a track of azimuths (K,) at times (K,) -> (2, n) float32, at elevation 0.

    Azimuths are interpolated the short way round; before the first and after the last time the source stands still.
    """
    assert sound.ndim == 1 and len(times_s) == len(azimuths_deg) > 0, "one sound, one azimuth a time"
    samples, hop = len(sound), round(HOP_S * RATE_HZ)
    frames = -(-samples // hop) + 1  # frame k rises over hop k - 1 and falls over hop k
    padded = np.zeros((frames + 1) * hop, dtype=np.float32)
    padded[hop : hop + samples] = sound
    fade = np.sin(0.5 * np.pi * (np.arange(2 * hop) + 0.5) / hop) ** 2
    pieces = np.lib.stride_tricks.sliding_window_view(padded, 2 * hop)[::hop] * fade.astype(np.float32)  # (F, 2 hop)
    middle_s = np.arange(frames) * hop / RATE_HZ
    azimuth = np.interp(middle_s, times_s, np.unwrap(np.asarray(azimuths_deg, dtype=np.float64), period=360.0))
    responses = hrtf.responses(azimuth, np.zeros(frames))  # (F, 2, taps)
    rendered = _fft_convolve(pieces[:, None], responses)  # (F, 2, 2 hop + taps - 1)
    length = rendered.shape[2]
    out = np.zeros((2, frames * hop + length), dtype=np.float32)
    for frame in range(frames):
        out[:, frame * hop : frame * hop + length] += rendered[frame]
    return limit_peak(out[:, hop : hop + samples])


def add_noise(
    binaural: np.ndarray,
    snr_db: float,
    rng: np.random.Generator,
    hrtf: HRTF | None = None,
    slope_db_octave: float = -3.0,
) -> np.ndarray:
    """(2, n) -> (2, n) with diffuse noise, `snr_db` below the mean power of both ears over the clip.

    The noise is pink by default and filtered by `hrtf`. Silence stays silence.
    """
    noise = diffuse_noise(binaural.shape[1], rng, hrtf, slope_db_octave)
    power = np.mean(binaural.astype(np.float64) ** 2) / 10 ** (snr_db / 10)
    gain = np.sqrt(power / max(float(np.mean(noise.astype(np.float64) ** 2)), 1e-20))
    return limit_peak(binaural + np.float32(gain) * noise)


def limit_peak(binaural: np.ndarray) -> np.ndarray:
    """(2, n) -> (2, n) float32, both ears turned down together when either exceeds PEAK."""
    peak = float(np.abs(binaural).max(initial=0.0))
    return (binaural * (PEAK / peak) if peak > PEAK else binaural).astype(np.float32, copy=False)


def convolve(sound: np.ndarray, response: np.ndarray) -> np.ndarray:
    """(n,) with (2, taps) -> (2, n): the tail after the sound's end is cut."""
    assert sound.ndim == 1, f"one mono sound (n,), got {sound.shape}"
    return _fft_convolve(sound.astype(np.float32), response)[:, : len(sound)]


def _fft_convolve(sound: np.ndarray, response: np.ndarray) -> np.ndarray:
    """(..., n) with (..., taps), broadcast -> (..., n + taps - 1)."""
    full = sound.shape[-1] + response.shape[-1] - 1
    length = fft.next_fast_len(full, real=True)
    return fft.irfft(fft.rfft(sound, length) * fft.rfft(response, length), length)[..., :full]
