"""Does a two-channel clip come from a head at all? What a pair of ears can't produce, and what then is to be doubted.

Below 400 Hz the ears are less than a quarter of a wavelength apart and hear nearly the same, in any room (Cook et al.
1955 for the diffuse field; Lindevald and Benade 1986 for heads); above 3 kHz a head that delays a sound also shadows
it. Microphones far apart, artificial delays and a channel turned upside down break one rule or the other.
"""

from __future__ import annotations

import numpy as np

from synesthesia.binaural.hrtf import RATE_HZ

LOW_HZ, HIGH_HZ = (80.0, 300.0), (3_000.0, 7_500.0)
ENOUGH = 1e-3  # of the clip's power must lie in a range before anything is said about it
UNRELATED = 0.25  # coherence below it
TOO_EVEN_DB = 0.5  # mean difference of level between the ears above 3 kHz
LEAD_S = 150e-6  # what leads by more comes from a side, where a head casts a shadow
SEGMENT = 1024

UNLIKE = "The two channels have little in common even at low frequencies, so they may not be the two ears of one head."
INVERTED = "One channel seems to be upside down (inverted polarity), so the direction is likely to be wrong."
DELAYED = "The channels differ in time but not in level, as no head makes them: the direction is a guess."


def implausibility(waveform: np.ndarray, delay_s: float) -> str:
    """(2, n) at 16 kHz and the delay between its ears -> one sentence about why no head may have heard this, or
    nothing."""
    spectra = np.fft.rfft(_segments(waveform))  # (2, segments, F)
    hz = np.fft.rfftfreq(SEGMENT, 1 / RATE_HZ)
    left, right = np.square(np.abs(spectra)).sum(axis=1)
    cross = (spectra[0].conj() * spectra[1]).sum(axis=0)
    low = (hz >= LOW_HZ[0]) & (hz <= LOW_HZ[1])
    high = (hz >= HIGH_HZ[0]) & (hz <= HIGH_HZ[1])
    power = float((left + right).sum())
    if float((left + right)[low].sum()) > ENOUGH * power:
        together = cross[low].sum() / np.sqrt(left[low].sum() * right[low].sum() + 1e-30)
        if abs(together) < UNRELATED:
            return UNLIKE
        if together.real < -UNRELATED:
            return INVERTED
    if float((left + right)[high].sum()) > ENOUGH * power and abs(delay_s) > LEAD_S:
        heard = high & (left + right > 1e-2 * (left + right)[high].max())
        if float(np.abs(10 * np.log10((right[heard] + 1e-30) / (left[heard] + 1e-30))).mean()) < TOO_EVEN_DB:
            return DELAYED
    return ""


def _segments(waveform: np.ndarray) -> np.ndarray:
    """(2, n) -> (2, segments, SEGMENT), half overlapping, under a Hann window; what is shorter is filled up."""
    short = max(0, SEGMENT - waveform.shape[1])
    cut = np.lib.stride_tricks.sliding_window_view(np.pad(waveform, ((0, 0), (0, short))), SEGMENT, axis=1)
    return cut[:, :: SEGMENT // 2] * np.hanning(SEGMENT).astype(np.float32)
