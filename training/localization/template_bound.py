"""How far other people's heads can tell where a sound stood for a new listener: a lookup without any network.

    python -m training.localization.template_bound --data DIR                  # a minute on one core

Every direction of a validation head is compared with every direction of all training heads in three sizes and of varied
ones: time difference, level difference in 64 bands and, in the second row, the spectrum that both ears share, which is
known only when the source's own spectrum is. No noise, no room. What the rows miss, no localiser trained on these heads
can be expected to know; the first is about what a sound of unknown colour leaves, the second a white one.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torchaudio.functional import melscale_fbanks

from synesthesia.binaural.geometry import difference, fold, is_front
from synesthesia.binaural.hrtf import FREQUENCIES_HZ, RATE_HZ
from training.binaural.measured_heads import load_heads
from training.binaural.varied_heads import Speaking, varied
from training.localization.evaluate import SIDE_DEG

AZIMUTHS_DEG = np.arange(-180.0, 180.0, 3.0)
BANDS, FFT = 64, 512
SPREAD_DB, SPREAD_S = 3.0, 25e-6  # how much people differ in a band and in delay
INDEPENDENT = 12.0  # of 64 neighbouring bands


@dataclass(frozen=True)
class Templates:
    """level_db: (N, 2, BANDS); itd_s, azimuth_deg: (N,)."""

    level_db: np.ndarray
    itd_s: np.ndarray
    azimuth_deg: np.ndarray

    @staticmethod
    def of(head: Speaking) -> Templates:
        spectra = head.spectra(AZIMUTHS_DEG, np.zeros_like(AZIMUTHS_DEG))
        hz = np.linspace(0.0, RATE_HZ / 2, FFT // 2 + 1)
        filters = melscale_fbanks(len(hz), 50.0, 8_000.0, BANDS, RATE_HZ, norm=None, mel_scale="slaney").numpy()
        fine = np.stack([[np.interp(hz, FREQUENCIES_HZ, ear) for ear in both] for both in spectra.log_magnitude])
        level_db = 10 * np.log10(np.exp(2 * fine) @ filters + 1e-9)
        return Templates(level_db, spectra.itd_s, AZIMUTHS_DEG)

    def joined(self, other: Templates) -> Templates:
        return Templates(
            np.concatenate([self.level_db, other.level_db]), np.concatenate([self.itd_s, other.itd_s]),
            np.concatenate([self.azimuth_deg, other.azimuth_deg]),
        )  # fmt: skip


def guess(known: Templates, level_db: np.ndarray, itd_s: float, coloured: bool) -> float:
    """(2, BANDS) and a delay -> the likeliest azimuth over all heads."""
    ild = (known.level_db[:, 1] - known.level_db[:, 0]) - (level_db[1] - level_db[0])  # (N, BANDS)
    unlike = INDEPENDENT * np.square(ild / SPREAD_DB).mean(axis=1) + np.square((known.itd_s - itd_s) / SPREAD_S)
    if not coloured:
        shared = known.level_db.mean(axis=1) - level_db.mean(axis=0)
        shared = shared - shared.mean(axis=1, keepdims=True)
        unlike = unlike + INDEPENDENT * np.square(shared / SPREAD_DB).mean(axis=1)
    likely = np.exp(-0.5 * (unlike - unlike.min()))
    return float(AZIMUTHS_DEG[np.argmax([likely[known.azimuth_deg == at].sum() for at in AZIMUTHS_DEG])])


def main(data: Path, scales: tuple[float, ...] = (0.96, 1.0, 1.04), count: int = 90) -> dict[str, tuple[float, ...]]:
    """Prints and returns (MAE, folded MAE, share confused) by validation head and row."""
    measured = [named.head for scale in scales for named in load_heads(data, "train", scale)]
    known = Templates.of(measured[0])
    for head in [*measured[1:], *varied(measured, count, np.random.default_rng(1))]:
        known = known.joined(Templates.of(head))
    figures = {}
    telling = np.abs(np.abs(AZIMUTHS_DEG) - 90) > SIDE_DEG
    for named in load_heads(data, "val"):
        new = Templates.of(named.head)
        for coloured in (True, False):
            said = np.array([guess(known, *pair, coloured) for pair in zip(new.level_db, new.itd_s, strict=True)])
            wrong = (is_front(said) != is_front(AZIMUTHS_DEG))[telling]
            row = (
                float(np.abs(difference(said, AZIMUTHS_DEG)).mean()),
                float(np.abs(fold(said) - fold(AZIMUTHS_DEG)).mean()),
                float(wrong.mean()),
            )
            name = f"{named.name}, spectrum {'unknown' if coloured else 'known'}"
            figures[name] = row
            print(f"{name:36} MAE {row[0]:.1f}  folded {row[1]:.1f}  front/back confused {row[2]:.3f}", flush=True)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    main(parser.parse_args().data)
