"""Fit the compact head to the measured training heads, and measure it against heads that it never saw.

    python -m training.binaural.train_sh_hrtf --data DIR --out checkpoints/head               # half a minute on one core
    python -m training.binaural.train_sh_hrtf --data DIR --out runs/head --order 4 --heads 2  # CPU smoke run

A least-squares fit in closed form: there is nothing to resume, and the seed only draws the intervals. Every ear of
every measurement is a row, weighted by the piece of sphere it stands for.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from scipy.spatial import cKDTree

from synesthesia.binaural.geometry import sphere, unit_vector, wrap
from synesthesia.binaural.hrtf import Spectra, in_band
from synesthesia.binaural.measured_hrtf import MeasuredHRTF
from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF, SphericalHarmonicHRTFConfig, ear_directions
from synesthesia.binaural.sphere_hrtf import SphereHRTF, ear_angles, ray_delay_s
from synesthesia.evaluation.intervals import Estimate, bootstrap
from training.binaural.measured_heads import NamedHead, load_heads
from training.common.run_state import JsonlLog

DB = 20 / np.log(10)  # decibels of one neper
FRONT_DEG = np.arange(-75.0, 76.0, 15.0)  # azimuths compared with their mirror images in the back


class HasSpectra(Protocol):
    def spectra(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> Spectra: ...


@dataclass(frozen=True)
class Config:
    data: Path
    out: Path
    order: int = SphericalHarmonicHRTFConfig.order
    heads: int = 0  # training heads to use, 0: all
    runs: Path | None = None  # for the log
    seed: int = 0


def rows(head: MeasuredHRTF) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Directions (2 M, 3) as the ears see them, log magnitudes (2 M, F), excess delays (2 M,), weights (2 M,).

    A row's weight is the area around it, by the distance of its four nearest neighbours.
    """
    azimuth, elevation, measured = head.azimuth_deg, head.elevation_deg, head.measured
    points = unit_vector(azimuth, elevation)
    distance, _ = cKDTree(points).query(points, k=min(5, len(points)))
    area = np.repeat(distance[:, 1:].mean(axis=1) ** 2, 2)
    excess_s = (measured.delay_s - ray_delay_s(ear_angles(azimuth, elevation))).ravel()
    log_magnitude = measured.log_magnitude.reshape(len(area), -1)
    return ear_directions(azimuth, elevation).reshape(-1, 3), log_magnitude, excess_s, area


def fit(heads: list[MeasuredHRTF], config: SphericalHarmonicHRTFConfig) -> SphericalHarmonicHRTF:
    """The compact head of several measured ones."""
    directions, log_magnitude, excess_s, weights = (
        np.concatenate(part) for part in zip(*map(rows, heads), strict=True)
    )
    return SphericalHarmonicHRTF.fit(config, directions, log_magnitude, excess_s, weights)


def spectral_distortion_db(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Two (..., F) natural log magnitudes -> (...,) root mean square of their difference over BAND_HZ in dB."""
    return DB * np.sqrt(np.square((a - b)[..., in_band()]).mean(axis=-1))


def errors(model: HasSpectra, head: MeasuredHRTF) -> tuple[float, float]:
    """Mean spectral distortion in dB (one gain for the whole head taken off) and mean error of the ITD in us."""
    guess, truth = model.spectra(head.azimuth_deg, head.elevation_deg), head.measured
    gain = (guess.log_magnitude - truth.log_magnitude)[..., in_band()].mean()
    distortion = spectral_distortion_db(guess.log_magnitude - gain, truth.log_magnitude)
    return float(distortion.mean()), 1e6 * float(np.abs(guess.itd_s - truth.itd_s).mean())


def front_minus_back(model: HasSpectra) -> np.ndarray:
    """(azimuths, 2, F) log magnitude in front minus that of the mirror image behind, at ear height."""
    level = np.zeros_like(FRONT_DEG)
    front, back = (model.spectra(azimuth, level).log_magnitude for azimuth in (FRONT_DEG, wrap(180.0 - FRONT_DEG)))
    return front - back


def front_back_db(model: HasSpectra) -> float:
    """Mean spectral distance of front and back in dB: what a listener can tell them apart by."""
    difference = front_minus_back(model)
    return float(spectral_distortion_db(difference, np.zeros_like(difference)).mean())


def front_back_likeness(model: HasSpectra, head: MeasuredHRTF) -> float:
    """Correlation of the front-minus-back spectra of two heads: whether the difference is the right one."""
    pair = [front_minus_back(one)[..., in_band()].ravel() for one in (model, head)]
    return float(np.corrcoef(*pair)[0, 1])


def apart_db(a: MeasuredHRTF, b: MeasuredHRTF) -> float:
    """Spectral distortion between two people over the sphere above -40 degrees, one gain taken off."""
    azimuth, elevation = sphere(400)
    azimuth, elevation = azimuth[elevation > -40], elevation[elevation > -40]
    one, other = (head.spectra(azimuth, elevation).log_magnitude for head in (a, b))
    gain = (one - other)[..., in_band()].mean()
    return float(spectral_distortion_db(one - gain, other).mean())


def evaluate(model: SphericalHarmonicHRTF, heads: list[NamedHead], log: JsonlLog, name: str, seed: int) -> None:
    """Writes the errors of the compact and the spherical head over measured heads, with intervals over heads."""
    ball = SphereHRTF()
    compact = np.array([errors(model, named.head) for named in heads])  # (H, 2)
    round_head = np.array([errors(ball, named.head) for named in heads])
    front_back = np.array([front_back_db(named.head) for named in heads])
    likeness = np.array([front_back_likeness(model, named.head) for named in heads])

    def over_heads(values: np.ndarray) -> Estimate:
        return bootstrap(values, lambda drawn: float(drawn.mean()), np.random.default_rng(seed), 10_000)

    log.write(
        heads=name, n=len(heads),
        distortion_db=str(over_heads(compact[:, 0])), distortion_sphere_db=str(over_heads(round_head[:, 0])),
        distortion_gain_db=str(over_heads(round_head[:, 0] - compact[:, 0])),
        itd_us=str(over_heads(compact[:, 1])), itd_sphere_us=str(over_heads(round_head[:, 1])),
        itd_gain_us=str(over_heads(round_head[:, 1] - compact[:, 1])),
        front_back_db=front_back_db(model), front_back_measured_db=str(over_heads(front_back)),
        front_back_correlation=str(over_heads(likeness)),
    )  # fmt: skip


def main(config: Config) -> SphericalHarmonicHRTF:
    """Fits, saves, loads back and measures; gives the head that was loaded back."""
    log = JsonlLog(config.runs)
    heads = load_heads(config.data)
    train = [named for named in heads if named.split == "train"][: config.heads or None]
    held_out = [named for named in heads if named.split == "val"]
    fit([named.head for named in train], SphericalHarmonicHRTFConfig(order=config.order)).save(config.out)
    model = SphericalHarmonicHRTF.load(config.out)
    evaluate(model, train, log, "train", config.seed)
    if held_out:
        evaluate(model, held_out, log, "val", config.seed)
        for named in held_out:
            distortion_db, itd_us = errors(model, named.head)
            log.write(head=named.name, distortion_db=distortion_db, itd_us=itd_us)
        between = [apart_db(one.head, other.head) for one in held_out for other in train]
        log.write(between_people_db=float(np.mean(between)), pairs=len(between))
    return model


def parse() -> Config:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--order", type=int, default=Config.order, help="of the spherical harmonics")
    parser.add_argument("--heads", type=int, default=Config.heads, help="training heads to use, 0: all")
    parser.add_argument("--runs", type=Path, default=None, help="folder of log.jsonl")
    parser.add_argument("--seed", type=int, default=Config.seed, help="of the intervals")
    return Config(**vars(parser.parse_args()))


if __name__ == "__main__":
    main(parse())
