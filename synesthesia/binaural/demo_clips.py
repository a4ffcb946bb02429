"""Binaural demo clips with a known direction: synthetic sounds rendered through an HRTF.

None is a recording. Some were made with the project's own generator (`training.binaural.make_demo_clips`), the rest is
synthesised here; each is broadband or rich in onsets, which localization needs: pink noise in bursts, clicks, a babble
of voices (glottal pulses through formants, Klatt 1980), a bouncing ball.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import lfilter

from synesthesia.binaural.hrtf import HRTF, RATE_HZ
from synesthesia.binaural.render import add_noise, limit_peak, render
from synesthesia.binaural.room import Room
from synesthesia.core.requests import DemoClipRequest

FOLDER = Path(__file__).with_name("sounds")
GENERATED = {"dog": "dog", "bird": "bird", "rain": "rain", "clock": "clock_tick"}  # sound: the generator's label
SECONDS = 2.5
SAMPLES = round(SECONDS * RATE_HZ)
RMS = 0.08  # of every sound before rendering
ROOMS: dict[str, Room | None] = {
    "none": None,
    "small": Room((4.2, 3.4, 2.6), t60_s=0.3),  # an office
    "large": Room((11.0, 8.0, 4.0), t60_s=0.9),  # a lecture hall
}


def noise_bursts(rng: np.random.Generator) -> np.ndarray:
    """Pink noise, a quarter of a second on and 0.15 s off."""
    times_s = _times_s()
    gate = np.clip(40 * np.minimum(times_s % 0.4, 0.25 - times_s % 0.4), 0.0, 1.0)  # ramps of 25 ms
    return _pink(SAMPLES, rng) * gate


def clicks(rng: np.random.Generator) -> np.ndarray:
    """Eight short wooden ticks a second."""
    tick = rng.standard_normal(160) * np.exp(-np.arange(160) / 18)
    return np.convolve(_pulses(np.arange(0.05, SECONDS - 0.02, 0.125)), tick)[:SAMPLES]


def babble(rng: np.random.Generator) -> np.ndarray:
    """Three voices of random vowels of a fifth of a second, with pauses."""
    return np.sum([_voice(pitch_hz, rng) for pitch_hz in (105.0, 150.0, 215.0)], axis=0)


def generated(name: str, _: np.random.Generator) -> np.ndarray:
    """One of GENERATED, from its file."""
    sound, _ = soundfile.read(FOLDER / f"{name}.ogg", dtype="float64")
    return np.resize(sound, SAMPLES)


def bouncing_ball(rng: np.random.Generator) -> np.ndarray:
    """Two sequences of hits, each one sooner and softer than the last."""
    gaps = 0.34 * 0.8 ** np.arange(12)
    hits_s = 0.04 + np.concatenate([[0.0], np.cumsum(gaps)])[:-1]
    strength = 0.84 ** np.arange(len(hits_s))
    ring_s = np.arange(RATE_HZ // 4) / RATE_HZ
    body = sum(np.sin(2 * np.pi * hz * ring_s) * np.exp(-ring_s / fall) for hz, fall in
               ((190, 0.04), (460, 0.03), (1130, 0.015), (2470, 0.008)))  # fmt: skip
    body = body + 2.0 * rng.standard_normal(len(ring_s)) * np.exp(-ring_s / 0.002)
    both = np.concatenate([hits_s, hits_s + 1.28])
    return np.convolve(_pulses(both, np.concatenate([strength, strength])), body)[:SAMPLES]


SOUNDS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    **{name: partial(generated, name) for name in GENERATED},
    "babble": babble, "ball": bouncing_ball, "noise": noise_bursts, "clicks": clicks,
}  # fmt: skip


def render_demo_clip(clip: DemoClipRequest, hrtf: HRTF) -> np.ndarray:
    """(2, SAMPLES) float32 at RATE_HZ, left ear first; the same request gives the same samples."""
    rng = np.random.default_rng(clip.seed)
    binaural = render(
        synthesize(clip.sound, rng), hrtf, clip.azimuth_deg, clip.elevation_deg, ROOMS[clip.room], rng=rng
    )
    return limit_peak(add_noise(binaural, clip.snr_db, rng, hrtf))


def synthesize(sound: str, rng: np.random.Generator) -> np.ndarray:
    """(SAMPLES,) float32 mono of one of SOUNDS."""
    made = SOUNDS[sound](rng)
    return (made * (RMS / np.sqrt(np.mean(made**2)))).astype(np.float32)


def _times_s() -> np.ndarray:
    return np.arange(SAMPLES) / RATE_HZ


def _pulses(at_s: np.ndarray, strength: np.ndarray | float = 1.0) -> np.ndarray:
    train = np.zeros(SAMPLES)
    inside = at_s < SECONDS
    np.add.at(train, np.round(at_s[inside] * RATE_HZ).astype(int), np.broadcast_to(strength, at_s.shape)[inside])
    return train


def _pink(samples: int, rng: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(samples, 1 / RATE_HZ), 60.0)), samples)


def _voice(pitch_hz: float, rng: np.random.Generator) -> np.ndarray:
    """Glottal pulses with a drifting pitch, filtered by the formants of one random vowel after another."""
    drift = np.interp(np.arange(SAMPLES), np.linspace(0, SAMPLES, 12), rng.uniform(0.85, 1.2, 12))
    beats = np.floor(np.cumsum(pitch_hz * drift) / RATE_HZ)
    pulses = lfilter([1.0], [1.0, -0.8], np.diff(beats, prepend=0.0))  # glottal spectra fall towards high frequencies
    source = pulses + 0.015 * rng.standard_normal(SAMPLES)
    voiced, start = np.zeros(SAMPLES), 0
    while start < SAMPLES:
        length = round(rng.uniform(0.12, 0.26) * RATE_HZ)
        piece = source[start : start + length]
        if rng.random() < 0.8:  # else a pause
            formants = (rng.uniform(300, 800), rng.uniform(900, 2300), rng.uniform(2400, 3300), rng.uniform(3600, 5200))
            vowel = sum(_formant(piece, hz, 60 + 0.04 * hz) for hz in formants)
            voiced[start : start + length] += vowel * np.hanning(len(piece))
        start += length
    return voiced


def _formant(sound: np.ndarray, hz: float, width_hz: float) -> np.ndarray:
    """A two-pole resonance with gain 1 at its peak, about."""
    radius = np.exp(-np.pi * width_hz / RATE_HZ)
    return lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * hz / RATE_HZ), radius**2], sound)
