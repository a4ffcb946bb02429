"""Physical quantities as text: two significant figures in the fitting unit, such as "21 cm", "13 to 34 cm"."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synesthesia.core.results import Estimate

Unit = tuple[float, str]  # its size in the quantity's SI unit, its symbol
LENGTHS: tuple[Unit, ...] = ((1.0, "m"), (0.01, "cm"), (0.001, "mm"))
PRESSURES: tuple[Unit, ...] = ((1e9, "GPa"), (1e6, "MPa"), (1e3, "kPa"))
TIMES: tuple[Unit, ...] = ((1.0, "s"), (1e-3, "ms"))
DENSITIES: tuple[Unit, ...] = ((1.0, "kg/m³"),)
FREQUENCIES: tuple[Unit, ...] = ((1e3, "kHz"), (1.0, "Hz"))


def unit_for(value: float, units: tuple[Unit, ...]) -> Unit:
    """The largest unit of which there is at least one, else the smallest."""
    return next((unit for unit in units if two_figures(value) >= unit[0]), units[-1])


def two_figures(value: float) -> float:
    return float(f"{value:.2g}")


def amount(value: float, units: tuple[Unit, ...], unit: Unit | None = None) -> str:
    scale, symbol = unit or unit_for(value, units)
    return f"{decimal(value / scale)} {symbol}".rstrip()


def decimal(value: float) -> str:
    """Two significant figures, never in exponent notation: 0.31, 21, 650."""
    rounded = two_figures(value)
    return f"{rounded:.0f}" if abs(rounded) >= 10 else f"{rounded:g}"


def span(estimate: Estimate, units: tuple[Unit, ...]) -> str:
    """From low to high, with one unit where both have the same: 13 to 34 cm; 8 mm to 1.2 cm."""
    low, high = unit_for(estimate.low, units), unit_for(estimate.high, units)
    if low == high:
        return f"{decimal(estimate.low / low[0])} to {amount(estimate.high, units, high)}"
    return f"{amount(estimate.low, units, low)} to {amount(estimate.high, units, high)}"


def share(value: float) -> str:
    return f"{value:.2f}"


def length(metres: float) -> str:
    return amount(metres, LENGTHS)
