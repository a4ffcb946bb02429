"""Linear damping law of each material, d(f) = base + pi * loss_factor * f, fitted to measured modes.

    python -m training.impact.fit_damping --data DIR --out synesthesia/impact/modal/materials.json    # seconds

DIR/impact_modes.json holds, for each material and some sizes of object, modes' frequencies (Hz), onset powers (dB) and
T60 (s). Sizes that repeat another's numbers count once. The law is fitted to log decays by weighted least absolute
deviations, which is robust against faint modes and outliers, and is validated by leaving one size out.

A measured decay includes the support of the object and the room of the recording. Metal, glass, ceramic and stone have
much less internal damping than measured (freely suspended they ring for seconds), rubber has more (a room and a filter
bank ring for tens of milliseconds): for these the law in use is half-way, in log decay, between the measured one and
pi * f times the material's own loss factor, as for an object that rests on a table. Concrete and liquid, which the file
lacks, come from the literature.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from training.common.cli import run

LOWEST_HZ, HIGHEST_HZ = 50.0, 8_000.0
LONGEST_S, SHORTEST_S = 1.0, 1e-3  # longer ones in the file are hum or limits of a fit, not decays
MAX_WEIGHT = 0.1  # of one mode among those of its size
BASES_PER_S = np.geomspace(0.3, 600.0, 96)
LOSS_FACTORS = np.geomspace(1e-5, 0.3, 96)
RESAMPLES, INTERVAL = 400, (5.0, 95.0)
HALFWAY_HZ = (250.0, 4_000.0)  # at which two laws are averaged
DEFAULT_SLOPE_DB = -3.0  # per octave, of materials whose measured slope may be zero
MEASURED = {
    "wood": ("wood_hard", "wood_medium", "wood_soft"),
    "metal": ("metal",), "glass": ("glass",), "ceramic": ("ceramic",), "stone": ("stone",), "rubber": ("rubber",),
    "plastic": ("plastic_hard",), "cardboard": ("cardboard",), "paper": ("paper",), "fabric": ("fabric",),
    "leather": ("leather",),
}  # fmt: skip


CREMER = "Cremer, Heckl, Petersson 2005, Structure-Borne Sound (tables of loss factors; orders of magnitude)"
# Loss factor of the material itself, freely suspended and dry.
OWN_LOSS = {
    "metal": (5e-4, CREMER + ", between steel (2e-4) and sheet or cast metals (1e-3)"),
    "glass": (1.5e-3, CREMER),
    "ceramic": (2e-3, "porcelain, as glass or a little more: " + CREMER),
    "stone": (6e-3, "Q about 170: Knopoff 1964, Q, Reviews of Geophysics 2, 625-660 (granite, limestone)"),
    "rubber": (0.1, CREMER + "; Nashif, Jones, Henderson 1985, Vibration Damping (0.05 to 0.3 of filled rubbers)"),
    "concrete": (8e-3, CREMER),
    "liquid": (
        0.5,
        "no shear stiffness: what a surface rings with are bubbles, see synesthesia/impact/modal/modal_bank.py",
    ),
}


@dataclass(frozen=True)
class MeasuredModes:
    """Measured modes of one object, (N,) each: frequencies in hertz, decays in 1/s (of amplitude: ln 1000 / T60),
    weights by onset amplitude that sum to 1, onset levels in decibels."""

    frequencies_hz: np.ndarray
    decays_per_s: np.ndarray
    weights: np.ndarray
    onsets_db: np.ndarray


@dataclass(frozen=True)
class LinearDamping:
    """d(f) = base_per_s + pi * loss_factor * f, in 1/s."""

    base_per_s: float
    loss_factor: float

    def decays_per_s(self, frequencies_hz: np.ndarray) -> np.ndarray:
        return self.base_per_s + math.pi * self.loss_factor * frequencies_hz


@dataclass(frozen=True)
class MeasuredDamping:
    """Measurements of one material.

    law, base_interval, loss_interval: fitted, and 5 to 95 % over resampled modes (without the variation between objects
    of one material); modes, things: numbers of modes and objects; held_out: weighted median |log2(predicted / measured
    decay)| on objects left out, None with a single object; held_out_constant: the same for one decay at all hertz;
    slope_db_per_octave, slope_interval: of onset levels over frequency; support_share: of the decay at 1 kHz, what is
    not the material's own loss, None where that is unknown.
    """

    names: tuple[str, ...]
    modes: int
    things: int
    law: LinearDamping
    base_interval: tuple[float, float]
    loss_interval: tuple[float, float]
    held_out: float | None
    held_out_constant: float | None
    slope_db_per_octave: float
    slope_interval: tuple[float, float]
    support_share: float | None


@dataclass(frozen=True)
class FittedDamping:
    """An entry of materials.json. law: the one in use; slope_db_per_octave: of the residual noise; own_loss_factor:
    from the literature, None where the measured law is used as it is."""

    law: LinearDamping
    slope_db_per_octave: float
    source: str
    own_loss_factor: float | None
    measured: MeasuredDamping | None


def modes_of(frequencies_hz: list[float], onsets_db: list[float], decay_times_s: list[float]) -> MeasuredModes:
    hz, db, seconds = (np.asarray(values, dtype=float) for values in (frequencies_hz, onsets_db, decay_times_s))
    kept = (hz >= LOWEST_HZ) & (hz <= HIGHEST_HZ)
    hz, db, seconds = hz[kept], db[kept], np.clip(seconds[kept], SHORTEST_S, LONGEST_S)
    weights = 10 ** (db / 20)
    for _ in range(20):  # one mode's share is capped, the rest is redistributed
        weights = np.minimum(weights / weights.sum(), max(MAX_WEIGHT, 1.0 / len(weights)))
    return MeasuredModes(hz, math.log(1000) / seconds, weights / weights.sum(), db)


def read(path: Path, names: tuple[str, ...]) -> list[MeasuredModes]:
    """One per distinct object: sizes and materials that repeat the same numbers count once."""
    materials = json.loads(path.read_text(encoding="utf-8"))["materials"]
    unlike = {tuple(size["cf"]): size for name in names for size in materials[name].values()}
    return [modes_of(size["cf"], size["op"], size["rt"]) for size in unlike.values()]


def joined(objects: list[MeasuredModes]) -> MeasuredModes:
    """All objects weigh the same, however many modes they have."""
    parts = [(one.frequencies_hz, one.decays_per_s, one.weights / len(objects), one.onsets_db) for one in objects]
    hz, decays, weights, onsets = (np.concatenate(part) for part in zip(*parts, strict=True))
    return MeasuredModes(hz, decays, weights, onsets)


def differences(modes: MeasuredModes) -> np.ndarray:
    """(bases * losses, N) absolute log differences between each law of the grid and the measured decays."""
    base, loss = np.meshgrid(BASES_PER_S, LOSS_FACTORS, indexing="ij")
    predicted = base.reshape(-1, 1) + math.pi * loss.reshape(-1, 1) * modes.frequencies_hz
    return np.abs(np.log(predicted / modes.decays_per_s))


def best(cost: np.ndarray) -> LinearDamping:
    base, loss = np.unravel_index(int(cost.argmin()), (len(BASES_PER_S), len(LOSS_FACTORS)))
    return LinearDamping(float(BASES_PER_S[base]), float(LOSS_FACTORS[loss]))


def fit(modes: MeasuredModes) -> LinearDamping:
    """Grid search for the law of least weighted absolute log difference."""
    return best(differences(modes) @ modes.weights)


def resampled(modes: MeasuredModes, seed: int = 0) -> tuple[tuple[float, float], tuple[float, float]]:
    """Bootstrap intervals of base_per_s and loss_factor over modes."""
    random, count = np.random.default_rng(seed), len(modes.weights)
    times = [np.bincount(random.integers(0, count, count), minlength=count) for _ in range(RESAMPLES)]
    costs = differences(modes) @ (np.stack(times, axis=1) * modes.weights[:, None])  # (laws, RESAMPLES)
    laws = [best(cost) for cost in costs.T]
    low_high = np.percentile([[law.base_per_s, law.loss_factor] for law in laws], INTERVAL, axis=0)
    return (float(low_high[0, 0]), float(low_high[1, 0])), (float(low_high[0, 1]), float(low_high[1, 1]))


def held_out(objects: list[MeasuredModes]) -> tuple[float, float] | None:
    """Leave-one-object-out: weighted median |log2 ratio| of a law and of one constant decay."""
    if len(objects) < 2:
        return None
    away: list[tuple[np.ndarray, np.ndarray]] = []
    weights: list[np.ndarray] = []
    for left in range(len(objects)):
        rest, other = joined(objects[:left] + objects[left + 1 :]), objects[left]
        law, constant = fit(rest), weighted_median(np.log(rest.decays_per_s), rest.weights)
        measured = np.log(other.decays_per_s)
        away.append((np.abs(np.log(law.decays_per_s(other.frequencies_hz)) - measured), np.abs(constant - measured)))
        weights.append(other.weights)
    both = [weighted_median(np.concatenate(values), np.concatenate(weights)) for values in zip(*away, strict=True)]
    return both[0] / math.log(2), both[1] / math.log(2)


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    return float(np.quantile(values, 0.5, weights=weights, method="inverted_cdf"))


def slope(objects: list[MeasuredModes], seed: int = 0) -> tuple[float, tuple[float, float]]:
    """Theil-Sen slope of onset levels in dB per octave (Theil 1950, Sen 1968), from pairs of modes of one object, and
    its interval. A pair is weighted by its fainter mode's amplitude and the octaves between the two."""
    slopes, weights, owner = [], [], []
    for number, one in enumerate(objects):
        first, second = np.triu_indices(len(one.weights), 1)
        octaves = np.log2(one.frequencies_hz[second] / one.frequencies_hz[first])
        far = np.abs(octaves) > 0.25
        first, second, octaves = first[far], second[far], octaves[far]
        share = np.minimum(one.weights[first], one.weights[second]) * np.abs(octaves)
        slopes.append((one.onsets_db[second] - one.onsets_db[first]) / octaves)
        weights.append(share / share.sum())
        owner.append((number, first, second))
    random, medians = np.random.default_rng(seed), []
    for _ in range(RESAMPLES // 4):
        drawn = []
        for number, first, second in owner:
            size = len(objects[number].weights)
            times = np.bincount(random.integers(0, size, size), minlength=size)
            drawn.append(weights[number] * times[first] * times[second])
        medians.append(weighted_median(np.concatenate(slopes), np.concatenate(drawn)))
    low, high = np.percentile(medians, INTERVAL)
    return weighted_median(np.concatenate(slopes), np.concatenate(weights)), (float(low), float(high))


def halfway(first: LinearDamping, second: LinearDamping) -> LinearDamping:
    """The law through the geometric means of two laws at HALFWAY_HZ."""
    hz = np.array(HALFWAY_HZ)
    low, high = np.sqrt(first.decays_per_s(hz) * second.decays_per_s(hz))
    loss_factor = max(float(high - low) / (math.pi * (hz[1] - hz[0])), LOSS_FACTORS[0])
    return LinearDamping(max(float(low) - math.pi * loss_factor * hz[0], BASES_PER_S[0]), loss_factor)


def measure(path: Path, names: tuple[str, ...], own_loss_factor: float | None) -> MeasuredDamping:
    objects = read(path, names)
    modes = joined(objects)
    law, (base, loss), away = fit(modes), resampled(modes), held_out(objects)
    fall, fall_interval = slope(objects)
    share = 1 - math.pi * own_loss_factor * 1_000 / law.decays_per_s(np.array(1_000.0)) if own_loss_factor else None
    return MeasuredDamping(
        names, len(modes.weights), len(objects), law, base, loss, away[0] if away else None, away[1] if away else None,
        fall, fall_interval, None if share is None else max(0.0, float(share)),
    )  # fmt: skip


def fitted(path: Path) -> dict[str, FittedDamping]:
    """The law of each material: measured, half-way to the literature, or from the literature alone."""
    laws: dict[str, FittedDamping] = {}
    for name, names in MEASURED.items():
        own, source = OWN_LOSS.get(name, (None, "measured"))
        found = measure(path, names, own)
        law = halfway(found.law, LinearDamping(0.0, own)) if own else found.law
        slope_db = found.slope_db_per_octave if found.slope_interval[1] < 0 else DEFAULT_SLOPE_DB
        source = f"half-way between measured and: {source}" if own else source
        laws[name] = FittedDamping(law, slope_db, source, own, found)
    for name in ("concrete", "liquid"):
        own, source = OWN_LOSS[name]
        law = LinearDamping(laws["stone"].law.base_per_s, own)
        laws[name] = FittedDamping(law, DEFAULT_SLOPE_DB, source + "; support as of stone", own, None)
    return laws


def short(value: object) -> object:
    """Numbers rounded to four significant digits."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: short(inner) for key, inner in value.items()}
    return [short(inner) for inner in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class DampingConfig:
    data: Path  # folder with impact_modes.json
    out: Path  # the JSON file to write


def main(config: DampingConfig) -> None:
    path = config.data / "impact_modes.json"
    laws = fitted(path)
    print("material   1 kHz: T60 in use, measured (s)   loss factor   octaves off on objects left out (one constant)")
    for name, found in laws.items():
        rest = found.measured
        known = [found.law, rest.law] if rest else [found.law]
        seconds = [math.log(1000) / law.decays_per_s(np.array(1_000.0)) for law in known]
        away = f"{rest.held_out:.2f} ({rest.held_out_constant:.2f})" if rest and rest.held_out is not None else ""
        print(f"{name:10} {'  '.join(f'{second:.3f}' for second in seconds):14} {found.law.loss_factor:.5f} {away}")
    meta = json.loads(path.read_text(encoding="utf-8"))["_meta"]
    rows = ",\n".join(f'  "{name}": {json.dumps(short(asdict(found)))}' for name, found in laws.items())
    about = ",\n".join(f' "{key}": {json.dumps(meta[key])}' for key in ("source", "licence"))
    config.out.write_text(f'{{\n{about},\n "materials": {{\n{rows}\n }}\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    run(main, DampingConfig, __doc__)
