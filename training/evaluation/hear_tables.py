"""Figures of `evaluate_hear` from the verdicts of single clicks: by source, kind and for all, as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from synesthesia.evaluation.intervals import ConfidenceInterval, wilson
from training.common.hear_cases import by_group
from training.common.report import table_header, table_row
from training.evaluation.click_set import Click
from training.evaluation.judges import OURS, OUTSIDE, Verdict
from training.evaluation.systems import TITLES

SHARES = {  # (judge, field of its verdicts) of the columns
    "ours top-1": (OURS, "top1"),
    "ours top-5": (OURS, "top5"),
    "outside top-1": (OUTSIDE, "top1"),
    "outside top-5": (OUTSIDE, "top5"),
    "top-1, generic skipped": (OUTSIDE, "lenient1"),
    "top-5, generic skipped": (OUTSIDE, "lenient5"),
}


@dataclass
class ClickResult:
    """verdicts: by system and judge; seconds: by system, of those that are generated."""

    click: Click
    verdicts: dict[str, dict[str, Verdict]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """For the JSON file."""
        case, click = self.click.case, self.click
        return {
            "picture": case.file.name, "source": case.source, "label": case.label, "accepted": sorted(case.accepted),
            "x": click.x, "y": click.y, "presence": click.presence, "wish": click.wish, "verdicts": self.verdicts,
        }  # fmt: skip


def figures_by_group(results: Sequence[ClickResult]) -> dict[str, dict[str, dict[str, Any]]]:
    """group (all, kinds, sources) -> system -> share by column (a `ConfidenceInterval`), and median seconds a sound."""
    groups = by_group(results, lambda result: result.click.case)
    return {group: _by_system(members) for group, members in groups.items()}


def _by_system(results: list[ClickResult]) -> dict[str, dict[str, Any]]:
    verdicts: dict[str, dict[str, list[Verdict]]] = defaultdict(lambda: defaultdict(list))
    seconds = defaultdict(list)
    for result in results:
        for system, by_judge in result.verdicts.items():
            for judge, found in by_judge.items():
                verdicts[system][judge].append(found)
        for system, cost in result.seconds.items():
            seconds[system].append(cost)
    figures: dict[str, dict[str, Any]] = {}
    for system, by_judge in verdicts.items():
        figures[system] = {
            title: wilson(sum(getattr(found, name) for found in by_judge[judge]), len(by_judge[judge]))
            for title, (judge, name) in SHARES.items() if judge in by_judge
        }  # fmt: skip
        if seconds[system]:
            figures[system]["seconds"] = float(np.median(seconds[system]))
    return figures


def table(groups: dict[str, dict[str, dict[str, Any]]]) -> str:
    """As markdown: n and shares with 95 % intervals, first by our judge, then by the outside one."""
    parts = []
    for group, systems in groups.items():
        lines = [f"**{group}**", "", table_header("sound", "n", *_titles(OURS), "n", *_titles(OUTSIDE), "s a sound")]
        for system, figures in systems.items():
            cells = [*_cells(figures, OURS), *_cells(figures, OUTSIDE)]
            seconds = f"{figures['seconds']:.2f}" if "seconds" in figures else ""
            lines.append(table_row(TITLES.get(system, system.replace("_", " ")), *cells, seconds))
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _titles(judge: str) -> list[str]:
    return [title for title, (of, _) in SHARES.items() if of == judge]


def _cells(figures: dict[str, Any], judge: str) -> list[object]:
    shares: list[ConfidenceInterval | None] = [figures.get(title) for title in _titles(judge)]
    if shares[0] is None:
        return [""] * (len(shares) + 1)
    return [shares[0].n, *(_short(share) for share in shares)]


def _short(share: ConfidenceInterval | None) -> str:
    return f"{share.value:.2f} [{share.low:.2f}, {share.high:.2f}]" if share else ""
