"""How fast struck materials fall silent: d(f) = base + pi * loss_factor * f of each, from measured modes.

    python -m training.impact.fit_damping --data DIR --out synesthesia/impact/modal/materials.json      # seconds on one core

DIR/impact_modes.json holds, for each material and some sizes of object, modes' frequencies (Hz), onset powers (dB) and
times to fall by 60 dB (s). Sizes that repeat another's numbers count once. The law is fitted to log decays by weighted
absolute differences, so that neither a faint mode nor a wild one decides, and is judged on the size that was left out.

A measured decay is that of the material, of what held the thing and of the room it was recorded in. Metal, glass,
ceramic and stone lose far less within than the file says (hung freely they ring for seconds), rubber more than it
says (a room and a filter bank ring on for tens of milliseconds): for these the law in use lies half-way, in log
decay, between the measured one and pi * f times the material's own loss factor, for a thing that rests on a table.
Concrete and liquid, which the file lacks, come from the literature.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

LOWEST_HZ, HIGHEST_HZ = 50.0, 8_000.0
LONGEST_S, SHORTEST_S = 1.0, 1e-3  # longer ones in the file are hum or the end of a fit, not decays
MOST_WEIGHT = 0.1  # of one mode among those of its size
BASES_PER_S = np.geomspace(0.3, 600.0, 96)
LOSS_FACTORS = np.geomspace(1e-5, 0.3, 96)
RESAMPLES, INTERVAL = 400, (5.0, 95.0)
HALFWAY_HZ = (250.0, 4_000.0)  # where two laws are averaged
PLAIN_SLOPE_DB = -3.0  # per octave, of materials whose measured slope may as well be zero
MEASURED = {
    "wood": ("wood_hard", "wood_medium", "wood_soft"),
    "metal": ("metal",), "glass": ("glass",), "ceramic": ("ceramic",), "stone": ("stone",), "rubber": ("rubber",),
    "plastic": ("plastic_hard",), "cardboard": ("cardboard",), "paper": ("paper",), "fabric": ("fabric",),
    "leather": ("leather",),
}  # fmt: skip


CREMER = "Cremer, Heckl, Petersson 2005, Structure-Borne Sound (tables of loss factors; orders of magnitude)"
# The loss factor of the material itself, hung freely and dry.
OWN_LOSS = {
    "metal": (5e-4, CREMER + ", between steel (2e-4) and sheet or cast metals (1e-3)"),
    "glass": (1.5e-3, CREMER),
    "ceramic": (2e-3, "porcelain, as glass or a little more: " + CREMER),
    "stone": (6e-3, "Q about 170: Knopoff 1964, Q, Reviews of Geophysics 2, 625-660 (granite, limestone)"),
    "rubber": (0.1, CREMER + "; Nashif, Jones, Henderson 1985, Vibration Damping (0.05 to 0.3 of filled rubbers)"),
    "concrete": (8e-3, CREMER),
    "liquid": (
        0.5,
        "no shear stiffness: what a surface rings with are bubbles, see synesthesia/impact/modal/liquid.py",
    ),
}


@dataclass(frozen=True)
class Modes:
    """The measured modes of one thing, (N,) each: frequencies in hertz, decays in 1/s (of amplitude: ln 1000 / T60),
    weights by onset amplitude that sum to 1, onset levels in decibels."""

    frequencies_hz: np.ndarray
    decays_per_s: np.ndarray
    weights: np.ndarray
    onsets_db: np.ndarray


@dataclass(frozen=True)
class Law:
    """d(f) = base_per_s + pi * loss_factor * f, in 1/s."""

    base_per_s: float
    loss_factor: float

    def decays_per_s(self, frequencies_hz: np.ndarray) -> np.ndarray:
        return self.base_per_s + math.pi * self.loss_factor * frequencies_hz


@dataclass(frozen=True)
class Measured:
    """What the file says of one material.

    law, base_interval, loss_interval: fitted, and 5 to 95 % over resampled modes (which knows nothing of how much
    things of one material differ); modes, things: how many there are; held_out: weighted median |log2(predicted /
    measured decay)| on things left out, None with a single thing; held_out_constant: the same of one decay for all
    frequencies; slope_db_per_octave, slope_interval: how onset levels change with frequency; support_share: of the
    decay at 1 kHz, what is not the material's own loss, None where that is not known.
    """

    names: tuple[str, ...]
    modes: int
    things: int
    law: Law
    base_interval: tuple[float, float]
    loss_interval: tuple[float, float]
    held_out: float | None
    held_out_constant: float | None
    slope_db_per_octave: float
    slope_interval: tuple[float, float]
    support_share: float | None


@dataclass(frozen=True)
class Fitted:
    """What the product reads of one material. law: the one in use; slope_db_per_octave: of what it uses as noise;
    own_loss_factor: of the literature, None where the measured law is used as it is."""

    law: Law
    slope_db_per_octave: float
    source: str
    own_loss_factor: float | None
    measured: Measured | None


def modes_of(frequencies_hz: list[float], onsets_db: list[float], decay_times_s: list[float]) -> Modes:
    hz, db, seconds = (np.asarray(values, dtype=float) for values in (frequencies_hz, onsets_db, decay_times_s))
    kept = (hz >= LOWEST_HZ) & (hz <= HIGHEST_HZ)
    hz, db, seconds = hz[kept], db[kept], np.clip(seconds[kept], SHORTEST_S, LONGEST_S)
    weights = 10 ** (db / 20)
    for _ in range(20):  # one mode's share is capped, and what it loses goes to all others
        weights = np.minimum(weights / weights.sum(), max(MOST_WEIGHT, 1.0 / len(weights)))
    return Modes(hz, math.log(1000) / seconds, weights / weights.sum(), db)


def read(path: Path, names: tuple[str, ...]) -> list[Modes]:
    """One per thing that differs from all others; sizes and materials that repeat the same numbers count once."""
    materials = json.loads(path.read_text(encoding="utf-8"))["materials"]
    unlike = {tuple(size["cf"]): size for name in names for size in materials[name].values()}
    return [modes_of(size["cf"], size["op"], size["rt"]) for size in unlike.values()]


def joined(things: list[Modes]) -> Modes:
    """Every thing weighs alike, however many modes were measured of it."""
    total = [np.concatenate([getattr(thing, name) for thing in things]) for name in ("frequencies_hz", "decays_per_s")]
    weights = np.concatenate([thing.weights / len(things) for thing in things])
    return Modes(*total, weights, np.concatenate([thing.onsets_db for thing in things]))


def differences(modes: Modes) -> np.ndarray:
    """(bases * losses, N) absolute log differences between every law of the grid and the measured decays."""
    base, loss = np.meshgrid(BASES_PER_S, LOSS_FACTORS, indexing="ij")
    predicted = base.reshape(-1, 1) + math.pi * loss.reshape(-1, 1) * modes.frequencies_hz
    return np.abs(np.log(predicted / modes.decays_per_s))


def best(cost: np.ndarray) -> Law:
    base, loss = np.unravel_index(int(cost.argmin()), (len(BASES_PER_S), len(LOSS_FACTORS)))
    return Law(float(BASES_PER_S[base]), float(LOSS_FACTORS[loss]))


def fit(modes: Modes) -> Law:
    """The law of the grid with the least weighted absolute log difference: a median, not a mean, of the decays."""
    return best(differences(modes) @ modes.weights)


def resampled(modes: Modes, seed: int = 0) -> tuple[tuple[float, float], tuple[float, float]]:
    """Intervals of base_per_s and loss_factor over resampled modes (bootstrap)."""
    random, away = np.random.default_rng(seed), differences(modes)
    laws = []
    for _ in range(RESAMPLES):
        drawn = np.bincount(random.integers(0, len(modes.weights), len(modes.weights)), minlength=len(modes.weights))
        laws.append(best(away @ (drawn * modes.weights)))
    low_high = np.percentile([[law.base_per_s, law.loss_factor] for law in laws], INTERVAL, axis=0)
    return (float(low_high[0, 0]), float(low_high[1, 0])), (float(low_high[0, 1]), float(low_high[1, 1]))


def held_out(things: list[Modes]) -> tuple[float, float] | None:
    """Weighted median |log2 ratio| of a law and of one constant decay on things that the fit did not see."""
    if len(things) < 2:
        return None
    away: list[tuple[np.ndarray, np.ndarray]] = []
    weights: list[np.ndarray] = []
    for left in range(len(things)):
        seen, other = joined(things[:left] + things[left + 1 :]), things[left]
        law, constant = fit(seen), weighted_median(np.log(seen.decays_per_s), seen.weights)
        measured = np.log(other.decays_per_s)
        away.append((np.abs(np.log(law.decays_per_s(other.frequencies_hz)) - measured), np.abs(constant - measured)))
        weights.append(other.weights)
    both = [weighted_median(np.concatenate(values), np.concatenate(weights)) for values in zip(*away, strict=True)]
    return both[0] / math.log(2), both[1] / math.log(2)


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    sums = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(sums, sums[-1] / 2)])


def slope(things: list[Modes], seed: int = 0) -> tuple[float, tuple[float, float]]:
    """dB per octave at which onset levels rise, of pairs of modes of a thing (Theil 1950, Sen 1968), and its interval.

    A pair counts as much as its fainter mode's amplitude and the octaves between the two.
    """
    slopes, weights, owner = [], [], []
    for number, thing in enumerate(things):
        first, second = np.triu_indices(len(thing.weights), 1)
        octaves = np.log2(thing.frequencies_hz[second] / thing.frequencies_hz[first])
        far = np.abs(octaves) > 0.25
        first, second, octaves = first[far], second[far], octaves[far]
        share = np.minimum(thing.weights[first], thing.weights[second]) * np.abs(octaves)
        slopes.append((thing.onsets_db[second] - thing.onsets_db[first]) / octaves)
        weights.append(share / share.sum())
        owner.append((number, first, second))
    random, medians = np.random.default_rng(seed), []
    for _ in range(RESAMPLES // 4):
        drawn = []
        for number, first, second in owner:
            size = len(things[number].weights)
            times = np.bincount(random.integers(0, size, size), minlength=size)
            drawn.append(weights[number] * times[first] * times[second])
        medians.append(weighted_median(np.concatenate(slopes), np.concatenate(drawn)))
    low, high = np.percentile(medians, INTERVAL)
    return weighted_median(np.concatenate(slopes), np.concatenate(weights)), (float(low), float(high))


def halfway(first: Law, second: Law) -> Law:
    """The law through the geometric means of two at HALFWAY_HZ."""
    hz = np.array(HALFWAY_HZ)
    low, high = np.sqrt(first.decays_per_s(hz) * second.decays_per_s(hz))
    loss_factor = max(float(high - low) / (math.pi * (hz[1] - hz[0])), LOSS_FACTORS[0])
    return Law(max(float(low) - math.pi * loss_factor * hz[0], BASES_PER_S[0]), loss_factor)


def measure(path: Path, names: tuple[str, ...], own_loss_factor: float | None) -> Measured:
    things = read(path, names)
    modes = joined(things)
    law, (base, loss), away = fit(modes), resampled(modes), held_out(things)
    fall, fall_interval = slope(things)
    share = 1 - math.pi * own_loss_factor * 1_000 / law.decays_per_s(np.array(1_000.0)) if own_loss_factor else None
    return Measured(
        names, len(modes.weights), len(things), law, base, loss, away[0] if away else None, away[1] if away else None,
        fall, fall_interval, None if share is None else max(0.0, float(share)),
    )  # fmt: skip


def fitted(path: Path) -> dict[str, Fitted]:
    """Every material's law: measured, half-way to the literature's, or the literature's alone."""
    laws: dict[str, Fitted] = {}
    for name, names in MEASURED.items():
        own, source = OWN_LOSS.get(name, (None, "measured"))
        found = measure(path, names, own)
        law = halfway(found.law, Law(0.0, own)) if own else found.law
        sure = found.slope_interval[1] < 0
        laws[name] = Fitted(
            law, found.slope_db_per_octave if sure else PLAIN_SLOPE_DB,
            f"half-way between measured and: {source}" if own else source, own, found,
        )  # fmt: skip
    for name in ("concrete", "liquid"):
        own, source = OWN_LOSS[name]
        laws[name] = Fitted(
            Law(laws["stone"].law.base_per_s, own), PLAIN_SLOPE_DB, source + "; support as of stone", own, None
        )
    return laws


def short(value: object) -> object:
    """Numbers to four digits, so that the file can be read."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: short(inner) for key, inner in value.items()}
    return [short(inner) for inner in value] if isinstance(value, list | tuple) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with impact_modes.json")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    given = parser.parse_args()
    path = given.data / "impact_modes.json"
    laws = fitted(path)
    print("material   1 kHz: T60 in use, measured (s)   loss factor   off by octaves on things left out (one constant)")
    for name, found in laws.items():
        seen = found.measured
        known = [found.law, seen.law] if seen else [found.law]
        seconds = [math.log(1000) / law.decays_per_s(np.array(1_000.0)) for law in known]
        away = f"{seen.held_out:.2f} ({seen.held_out_constant:.2f})" if seen and seen.held_out is not None else ""
        print(f"{name:10} {'  '.join(f'{second:.3f}' for second in seconds):14} {found.law.loss_factor:.5f} {away}")
    meta = json.loads(path.read_text(encoding="utf-8"))["_meta"]
    rows = ",\n".join(f'  "{name}": {json.dumps(short(asdict(found)))}' for name, found in laws.items())
    about = ",\n".join(f' "{key}": {json.dumps(meta[key])}' for key in ("source", "licence"))
    given.out.write_text(f'{{\n{about},\n "materials": {{\n{rows}\n }}\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
