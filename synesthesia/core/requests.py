"""The settings of one sound, checked once where they enter, so that nothing behind them has to doubt them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from synesthesia.core import checkpoints, presets
from synesthesia.core.about import VERSION
from synesthesia.core.errors import UserError
from synesthesia.core.presets import PathName, Preset
from synesthesia.core.results import Recipe
from synesthesia.impact.modal.things import MATERIALS

MAX_SEED = 2**32 - 1
MAX_QUESTION = 200  # characters


@dataclass(frozen=True)
class Settings:
    """path: "flow", "mlp", "language" or "tap"; seconds 1 to 10; the rest as in `Studio.hear`."""

    path: PathName
    seconds: float
    seed: int
    steps: int
    guidance: float
    anyway: bool
    temperature: float = 1.0
    top_k: int = 100
    force: float = 8.0
    mallet: str = "wood"
    material: str = ""
    size_factor: float = 1.0

    @property
    def samples(self) -> int:
        return round(self.seconds * presets.SAMPLE_RATE_HZ)

    @property
    def channels(self) -> int:
        return 2 if self.path == "language" else 1

    @staticmethod
    def checked(
        path: str, seconds: float, seed: int, steps: int, guidance: float, anyway: bool, temperature: float = 1.0,
        top_k: int = 100, force: float = 8.0, mallet: str = "wood", material: str = "", size_factor: float = 1.0,
    ) -> Settings:  # fmt: skip
        """UserError with one sentence that names the setting, its range and what was given."""
        way = "flow" if path == "direct" else path
        if way not in presets.PATHS:
            raise UserError(f"There is no path '{path}'; choose 'direct' (= 'flow'), 'mlp', 'language' or 'tap'.")
        if mallet not in presets.MALLETS:
            raise UserError(f"There is no mallet '{mallet}'; choose {_one_of(presets.MALLETS)}.")
        if material not in ("", *MATERIALS):
            raise UserError(f"There is no material '{material}'; leave it empty, or choose {_one_of(MATERIALS)}.")
        return Settings(
            path=way,
            seconds=number("The duration in seconds", seconds, presets.MIN_SECONDS, presets.MAX_SECONDS),
            seed=whole("The seed", seed, 0, MAX_SEED),
            steps=whole("The number of steps", steps, 1, presets.MAX_STEPS),
            guidance=number("The guidance", guidance, 0.0, presets.MAX_GUIDANCE),
            anyway=bool(anyway),
            temperature=number("The temperature", temperature, 0.0, presets.MAX_TEMPERATURE),
            top_k=whole("The number of codes to draw from (top-k)", top_k, 1, presets.MAX_TOP_K),
            force=number("The force in newtons", force, presets.MIN_FORCE_N, presets.MAX_FORCE_N),
            mallet=mallet,
            material=material,
            size_factor=number("The size factor", size_factor, presets.MIN_SIZE_FACTOR, presets.MAX_SIZE_FACTOR),
        )

    def recipe(self, preset: Preset, picture_sha256: str, x: float, y: float) -> Recipe:
        """With the weights that are on disk now."""
        return Recipe(
            preset=preset.name,
            picture_sha256=picture_sha256,
            weights_sha256=checkpoints.fingerprint(preset.used_by(self.path)),
            x=float(x),
            y=float(y),
            path=self.path,
            seconds=self.seconds,
            seed=self.seed,
            steps=self.steps,
            guidance=self.guidance,
            anyway=self.anyway,
            version=VERSION,
            temperature=self.temperature,
            top_k=self.top_k,
            force=self.force,
            mallet=self.mallet,
            material=self.material,
            size_factor=self.size_factor,
        )


def number(what: str, value: float, low: float, high: float) -> float:
    """UserError unless `low` <= value <= `high`; `what` begins its sentence."""
    try:
        given = float(value)
        if isinstance(value, (bool, str)):
            raise TypeError
    except (TypeError, ValueError):
        raise UserError(f"{what} must be a number from {_plain(low)} to {_plain(high)}.") from None
    if not (math.isfinite(given) and low <= given <= high):
        raise UserError(f"{what} must lie between {_plain(low)} and {_plain(high)}, but {_plain(given)} was given.")
    return given


def whole(what: str, value: int, low: int, high: int) -> int:
    given = number(what, value, low, high)
    if given != int(given):
        raise UserError(f"{what} must be a whole number, but {given:g} was given.")
    return int(given)


def place(x: float, y: float) -> tuple[float, float]:
    """UserError when either is no number; whether they lie on the photograph only the photograph knows."""
    try:
        if any(isinstance(given, (bool, str)) for given in (x, y)):
            raise TypeError
        return float(x), float(y)
    except (TypeError, ValueError):
        raise UserError("The place must be two numbers, x and y, in pixels of the photograph.") from None


def inside(x: float, y: float, width_px: int, height_px: int) -> None:
    """UserError unless the place lies on the photograph, in the words of `PatchGrid.cell`."""
    if not (0 <= x < width_px and 0 <= y < height_px):  # also refuses NaN
        raise UserError(
            f"The click ({x:g}, {y:g}) lies outside the photograph, which is {width_px} x {height_px} pixels."
        )


def asked(text: str) -> str:
    """A question without the space around it. UserError when nothing remains, or too much."""
    question = text.strip()
    if not question:
        raise UserError("Type a question first.")
    if len(question) > MAX_QUESTION:
        raise UserError(f"A question may have up to {MAX_QUESTION} characters, but this one has {len(question)}.")
    return question


def _one_of(names: Sequence[str]) -> str:
    """'finger', 'wood' or 'metal'."""
    quoted = [f"'{name}'" for name in names]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _plain(value: float) -> str:
    """A number as a person writes it: 4294967295, not 4.29497e+09."""
    return f"{value:.0f}" if math.isfinite(value) and value == int(value) and abs(value) < 1e12 else f"{value:g}"
