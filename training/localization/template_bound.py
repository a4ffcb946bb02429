"""Template-matching bound: how well other people's HRTFs can localize for a new listener, without any network.

    python -m training.localization.template_bound --data DIR                  # a minute on one core

Every direction of a validation HRTF is compared with every direction of all training HRTFs in three sizes and of
interpolated ones: ITD, level difference in 64 bands and, in the second row, the spectrum that both ears share, which is
known only when the source's own spectrum is. No noise, no room. No localizer trained on these HRTFs can be expected to
exceed these rows: the first bounds a sound of unknown spectrum, the second a white one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torchaudio.functional import melscale_fbanks

from synesthesia.binaural.geometry import angle_difference, is_front, lateral_angle
from synesthesia.binaural.hrtf import FREQUENCIES_HZ, RATE_HZ, SpectralHRTF
from training.binaural.clip_sampler import INTERPOLATED, SCALES
from training.binaural.hrtf_augmentation import interpolated_hrtfs
from training.binaural.hrtf_data import load_hrtfs
from training.common.cli import run
from training.localization.evaluate import SIDE_DEG

AZIMUTHS_DEG = np.arange(-180.0, 180.0, 3.0)
BANDS, FFT = 64, 512
SPREAD_DB, SPREAD_S = 3.0, 25e-6  # standard deviation between people in a band and in delay
INDEPENDENT = 12.0  # of 64 neighbouring bands


@dataclass(frozen=True)
class TemplateConfig:
    data: Path
    scales: tuple[float, ...] = SCALES  # sizes of the measured heads
    interpolated: int = INTERPOLATED  # HRTFs


@dataclass(frozen=True)
class Templates:
    """level_db: (N, 2, BANDS); itd_s, azimuth_deg: (N,)."""

    level_db: np.ndarray
    itd_s: np.ndarray
    azimuth_deg: np.ndarray

    @classmethod
    def of(cls, *hrtfs: SpectralHRTF) -> Templates:
        hz = np.linspace(0.0, RATE_HZ / 2, FFT // 2 + 1)
        filters = melscale_fbanks(len(hz), 50.0, 8_000.0, BANDS, RATE_HZ, norm=None, mel_scale="slaney").numpy()
        spectra = [hrtf.spectra(AZIMUTHS_DEG, np.zeros_like(AZIMUTHS_DEG)) for hrtf in hrtfs]
        log_magnitude = np.concatenate([one.log_magnitude for one in spectra])  # (N, 2, F)
        fine = np.stack([[np.interp(hz, FREQUENCIES_HZ, ear) for ear in both] for both in log_magnitude])
        level_db = 10 * np.log10(np.exp(2 * fine) @ filters + 1e-9)
        return cls(level_db, np.concatenate([one.itd_s for one in spectra]), np.tile(AZIMUTHS_DEG, len(hrtfs)))


def most_likely_azimuth(known: Templates, level_db: np.ndarray, itd_s: float, known_spectrum: bool) -> float:
    """(2, BANDS) and a delay -> the azimuth with the highest likelihood summed over all HRTFs."""
    ild = (known.level_db[:, 1] - known.level_db[:, 0]) - (level_db[1] - level_db[0])  # (N, BANDS)
    distance = INDEPENDENT * np.square(ild / SPREAD_DB).mean(axis=1) + np.square((known.itd_s - itd_s) / SPREAD_S)
    if known_spectrum:
        shared = known.level_db.mean(axis=1) - level_db.mean(axis=0)
        shared = shared - shared.mean(axis=1, keepdims=True)
        distance = distance + INDEPENDENT * np.square(shared / SPREAD_DB).mean(axis=1)
    likelihood = np.exp(-0.5 * (distance - distance.min()))
    return float(AZIMUTHS_DEG[np.argmax([likelihood[known.azimuth_deg == at].sum() for at in AZIMUTHS_DEG])])


def main(config: TemplateConfig) -> dict[str, tuple[float, ...]]:
    """Prints and returns (MAE, folded MAE, share confused) by validation HRTF and row."""
    measured = [named.hrtf for scale in config.scales for named in load_hrtfs(config.data, "train", scale)]
    known = Templates.of(*measured, *interpolated_hrtfs(measured, config.interpolated, np.random.default_rng(1)))
    distinct = np.abs(np.abs(AZIMUTHS_DEG) - 90) > SIDE_DEG
    figures: dict[str, tuple[float, ...]] = {}
    for named in load_hrtfs(config.data, "val"):
        new = Templates.of(named.hrtf)
        for known_spectrum in (False, True):
            found = np.array([
                most_likely_azimuth(known, level_db, itd_s, known_spectrum)
                for level_db, itd_s in zip(new.level_db, new.itd_s, strict=True)
            ])  # fmt: skip
            row = (
                float(np.abs(angle_difference(found, AZIMUTHS_DEG)).mean()),
                float(np.abs(lateral_angle(found) - lateral_angle(AZIMUTHS_DEG)).mean()),
                float((is_front(found) != is_front(AZIMUTHS_DEG))[distinct].mean()),
            )
            name = f"{named.name}, spectrum {'known' if known_spectrum else 'unknown'}"
            figures[name] = row
            print(f"{name:36} MAE {row[0]:.1f}  folded {row[1]:.1f}  front/back confused {row[2]:.3f}", flush=True)
    return figures


if __name__ == "__main__":
    run(main, TemplateConfig, __doc__)
