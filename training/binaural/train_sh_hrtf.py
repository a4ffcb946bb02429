"""Fit the spherical-harmonic HRTF to the measured training HRTFs, and compare it with HRTFs that were held out.

    python -m training.binaural.train_sh_hrtf --data DIR --out checkpoints/head               # 30 s on one core
    python -m training.binaural.train_sh_hrtf --data DIR --out runs/head --order 4 --heads 2  # CPU smoke run

Least squares in closed form: there is nothing to resume, and the seed only draws the bootstrap. Every ear of every
measurement is a row, weighted by its share of the sphere. The ITD table of the GCC-PHAT baseline is written beside the
HRTF; `python -m training.common.manifest` lists both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from synesthesia.binaural.geometry import fibonacci_sphere, unit_vector, wrap
from synesthesia.binaural.hrtf import SpectralHRTF, band_mask
from synesthesia.binaural.measured_hrtf import MeasuredHRTF
from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF, SphericalHarmonicHRTFConfig, ear_directions
from synesthesia.binaural.sphere_hrtf import SphereHRTF, ear_angles, woodworth_delay_s
from synesthesia.evaluation.intervals import ConfidenceInterval
from synesthesia.localization.pipeline import ItdTable
from training.binaural.hrtf_data import NamedHRTF, load_hrtfs
from training.common.cli import run
from training.common.report import mean_interval
from training.common.run_state import JsonlLog

DB = 20 / np.log(10)  # decibels of one neper
FRONT_DEG = np.arange(-75.0, 76.0, 15.0)  # azimuths compared with their mirror images in the back


@dataclass(frozen=True)
class FitConfig:
    data: Path
    out: Path
    order: int = SphericalHarmonicHRTFConfig.order  # of the spherical harmonics
    heads: int = 0  # training HRTFs to use, 0: all
    runs: Path | None = None  # folder of log.jsonl
    seed: int = 0  # of the bootstrap
    draws: int = 10_000  # of the bootstrap


def regression_rows(hrtf: MeasuredHRTF) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Directions (2 M, 3) relative to the ear, log magnitudes (2 M, F), excess delays (2 M,), weights (2 M,).

    A row's weight is the area around it, by the distance of its four nearest neighbours.
    """
    azimuth, elevation, measured = hrtf.azimuth_deg, hrtf.elevation_deg, hrtf.measured_spectra
    points = unit_vector(azimuth, elevation)
    distance, _ = cKDTree(points).query(points, k=min(5, len(points)))
    area = np.repeat(distance[:, 1:].mean(axis=1) ** 2, 2)
    excess_s = (measured.delay_s - woodworth_delay_s(ear_angles(azimuth, elevation))).ravel()
    log_magnitude = measured.log_magnitude.reshape(len(area), -1)
    return ear_directions(azimuth, elevation).reshape(-1, 3), log_magnitude, excess_s, area


def fit(hrtfs: list[MeasuredHRTF], config: SphericalHarmonicHRTFConfig) -> SphericalHarmonicHRTF:
    """One HRTF for several measured ones."""
    directions, log_magnitude, excess_s, weights = (
        np.concatenate(part) for part in zip(*map(regression_rows, hrtfs), strict=True)
    )
    return SphericalHarmonicHRTF.fit(config, directions, log_magnitude, excess_s, weights)


def spectral_distortion_db(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Two (..., F) natural log magnitudes -> (...,) root mean square of their difference over BAND_HZ in dB."""
    return DB * np.sqrt(np.square((a - b)[..., band_mask()]).mean(axis=-1))


def errors(model: SpectralHRTF, hrtf: MeasuredHRTF) -> tuple[float, float]:
    """Mean spectral distortion in dB (one gain per HRTF removed) and mean ITD error in microseconds."""
    predicted, truth = model.spectra(hrtf.azimuth_deg, hrtf.elevation_deg), hrtf.measured_spectra
    gain = (predicted.log_magnitude - truth.log_magnitude)[..., band_mask()].mean()
    distortion = spectral_distortion_db(predicted.log_magnitude - gain, truth.log_magnitude)
    return float(distortion.mean()), 1e6 * float(np.abs(predicted.itd_s - truth.itd_s).mean())


def front_minus_back(model: SpectralHRTF) -> np.ndarray:
    """(azimuths, 2, F) log magnitude in front minus that of the mirror image behind, at ear height."""
    level = np.zeros_like(FRONT_DEG)
    front, back = (model.spectra(azimuth, level).log_magnitude for azimuth in (FRONT_DEG, wrap(180.0 - FRONT_DEG)))
    return front - back


def front_back_db(model: SpectralHRTF) -> float:
    """Mean spectral distance of front and back in dB."""
    difference = front_minus_back(model)
    return float(spectral_distortion_db(difference, np.zeros_like(difference)).mean())


def front_back_correlation(model: SpectralHRTF, hrtf: MeasuredHRTF) -> float:
    """Correlation of the front-minus-back spectra of two HRTFs."""
    pair = [front_minus_back(one)[..., band_mask()].ravel() for one in (model, hrtf)]
    return float(np.corrcoef(*pair)[0, 1])


def between_subjects_db(a: MeasuredHRTF, b: MeasuredHRTF) -> float:
    """Spectral distortion between two people over the sphere above -40 degrees, one gain removed."""
    azimuth, elevation = fibonacci_sphere(400)
    azimuth, elevation = azimuth[elevation > -40], elevation[elevation > -40]
    one, other = (hrtf.spectra(azimuth, elevation).log_magnitude for hrtf in (a, b))
    gain = (one - other)[..., band_mask()].mean()
    return float(spectral_distortion_db(one - gain, other).mean())


def evaluate(model: SphericalHarmonicHRTF, hrtfs: list[NamedHRTF], log: JsonlLog, name: str, config: FitConfig) -> None:
    """Logs the errors of the model and of the sphere over measured HRTFs, with intervals over HRTFs."""
    sphere = SphereHRTF()
    of_model = np.array([errors(model, named.hrtf) for named in hrtfs])  # (H, 2)
    of_sphere = np.array([errors(sphere, named.hrtf) for named in hrtfs])
    front_back = np.array([front_back_db(named.hrtf) for named in hrtfs])
    correlation = np.array([front_back_correlation(model, named.hrtf) for named in hrtfs])

    def interval(values: np.ndarray) -> ConfidenceInterval:
        return mean_interval(values, np.random.default_rng(config.seed), config.draws)

    log.write(
        heads=name, n=len(hrtfs),
        distortion_db=str(interval(of_model[:, 0])), distortion_sphere_db=str(interval(of_sphere[:, 0])),
        distortion_gain_db=str(interval(of_sphere[:, 0] - of_model[:, 0])),
        itd_us=str(interval(of_model[:, 1])), itd_sphere_us=str(interval(of_sphere[:, 1])),
        itd_gain_us=str(interval(of_sphere[:, 1] - of_model[:, 1])),
        front_back_db=front_back_db(model), front_back_measured_db=str(interval(front_back)),
        front_back_correlation=str(interval(correlation)),
    )  # fmt: skip


def main(config: FitConfig) -> SphericalHarmonicHRTF:
    """Fits, saves, loads back and evaluates; returns the HRTF as loaded back."""
    log = JsonlLog(config.runs)
    hrtfs = load_hrtfs(config.data)
    train = [named for named in hrtfs if named.split == "train"][: config.heads or None]
    held_out = [named for named in hrtfs if named.split == "val"]
    fit([named.hrtf for named in train], SphericalHarmonicHRTFConfig(order=config.order)).save(config.out)
    model = SphericalHarmonicHRTF.load(config.out)
    ItdTable.of(model).save(config.out)
    evaluate(model, train, log, "train", config)
    if held_out:
        evaluate(model, held_out, log, "val", config)
        for named in held_out:
            distortion_db, itd_us = errors(model, named.hrtf)
            log.write(head=named.name, distortion_db=distortion_db, itd_us=itd_us)
        between = [between_subjects_db(one.hrtf, other.hrtf) for one in held_out for other in train]
        log.write(between_people_db=float(np.mean(between)), pairs=len(between))
    return model


if __name__ == "__main__":
    run(main, FitConfig, __doc__)
