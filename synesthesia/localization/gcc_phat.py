"""The plain baseline beside the model: one delay for the whole clip, looked up among a head's delays in front.

Generalised cross-correlation with phase transform (Knapp and Carter 1976) gives the interaural time difference (ITD);
the answer is the frontal azimuth at which a reference head has the nearest one. It can't tell front from back, knows
nothing of level, and takes the louder of two sources: all that a learned localiser must add.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synesthesia.binaural.hrtf import HRTF

LONGEST_ITD_S = 1e-3
MARGIN = 8  # the correlation is cut out this many times further than the longest delay
FINER = 16  # the correlation is interpolated this many times finer than the sample rate


def itd_s(waveform: np.ndarray, rate_hz: int) -> float:
    """(2, n), left ear first -> seconds by which the right ear leads: positive for a source on the right."""
    assert waveform.ndim == 2 and waveform.shape[0] == 2, f"waveform must be (2, n), got {waveform.shape}"
    size = 1 << int(np.ceil(np.log2(2 * waveform.shape[1])))
    left, right = np.fft.rfft(waveform, size)
    cross = left * right.conj()  # its correlation peaks at the delay of the left ear
    cross /= np.maximum(np.abs(cross), 1e-12 + 1e-3 * np.abs(cross).mean())
    coarse = np.fft.irfft(cross, size)
    reach = int(LONGEST_ITD_S * rate_hz)
    near = coarse[np.arange(-MARGIN * reach, MARGIN * reach)]  # the rest is too far off to matter between samples
    fine = np.fft.irfft(np.fft.rfft(near), len(near) * FINER)
    lags = np.arange(-reach * FINER, reach * FINER + 1)
    return float(lags[fine[lags + MARGIN * reach * FINER].argmax()] / (rate_hz * FINER))


@dataclass(frozen=True)
class ItdTable:
    """A reference head's delays over the front half. azimuth_deg: (N,); itd_s: (N,)."""

    azimuth_deg: np.ndarray
    itd_s: np.ndarray

    @staticmethod
    def of(head: HRTF, step_deg: float = 1.0) -> ItdTable:
        """Measured with the very same correlation, on the head's own responses at elevation 0."""
        azimuth = np.arange(-90.0, 90.0 + step_deg / 2, step_deg)
        responses = head.responses(azimuth, np.zeros_like(azimuth))  # (N, 2, taps)
        return ItdTable(azimuth, np.array([itd_s(response, head.rate_hz) for response in responses]))

    def azimuth(self, itd: float) -> float:
        """The frontal azimuth in degrees whose delay is nearest; the middle of them when several are."""
        away = np.abs(self.itd_s - itd)
        return float(self.azimuth_deg[away <= away.min() + 1e-9].mean())
