"""The figures of `evaluate_hear` as a table."""

from __future__ import annotations

from typing import Any


def table(figures: dict[str, Any]) -> str:
    """The figures as markdown: top-1 and top-5 agreement with 95 % intervals, n, distance, seconds."""

    def share(cell: dict[str, float]) -> str:
        return f"{cell['value']:.3f} [{cell['low']:.3f}, {cell['high']:.3f}]"

    lines = ["| sound | n | top-1 | top-5 | Fréchet | s a sound |", "|---|---|---|---|---|---|"]
    for name, cell in figures.items():
        if isinstance(cell, dict) and "top1" in cell:
            distance, seconds = (f"{cell[key]:.2f}" if key in cell else "" for key in ("frechet", "seconds"))
            lines.append(
                f"| {name.replace('_', ' ')} | {cell['top1']['n']} | {share(cell['top1'])} "
                f"| {share(cell['top5']) if 'top5' in cell else ''} | {distance} | {seconds} |"
            )
    return "\n".join(lines) + "\n"
