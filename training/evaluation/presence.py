"""Silence: whether silent places stay silent and sounding ones are kept, by source; AUROC and calibration error."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from synesthesia.evaluation.intervals import bootstrap, wilson
from training.common.hear_cases import by_group
from training.common.report import table_header, table_row
from training.evaluation.click_set import Click
from training.evaluation.metrics import auroc, calibration_error

BOOTSTRAP_DRAWS = 300
MIN_EACH = 10  # sounding and silent places of a group, for AUROC and calibration error
Figures = dict[str, dict[str, object]]


def presence_figures(clicks: Sequence[Click], threshold: float) -> Figures:
    """By source, kind and for all clicks, silent places included. refused: share of silent places that stay silent;
    lost: share of sounding places that fall silent. AUROC and calibration error need ten of each."""
    groups = by_group(clicks, lambda click: click.case)
    return {group: _figures(members, threshold) for group, members in groups.items()}


def _figures(clicks: list[Click], threshold: float) -> dict[str, object]:
    scores = np.array([click.presence for click in clicks])
    sounding = np.array([not click.case.silent for click in clicks])
    silent = scores < threshold
    figures: dict[str, object] = {
        "refused": wilson(int(silent[~sounding].sum()), int((~sounding).sum())),
        "lost": wilson(int(silent[sounding].sum()), int(sounding.sum())),
    }
    if min(sounding.sum(), (~sounding).sum()) >= MIN_EACH:
        cases = np.stack([scores, sounding], axis=1)
        for name, metric in (("auroc", auroc), ("calibration_error", calibration_error)):
            figures[name] = bootstrap(cases, _of_both(metric), np.random.default_rng(0), draws=BOOTSTRAP_DRAWS)
    return figures


def _of_both(metric: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[np.ndarray], float]:
    return lambda cases: metric(cases[:, 0], cases[:, 1] > 0.5)


def presence_table(figures: Figures) -> str:
    """As markdown."""
    titles = ("source", "silent: n", "stay silent", "sounding: n", "fall silent", "AUROC", "calibration error")
    lines = [table_header(*titles)]
    for group, row in figures.items():
        refused, lost = row["refused"], row["lost"]
        shown = [row.get("auroc", ""), row.get("calibration_error", "")]
        cells = [refused.n, refused if refused.n else "", lost.n, lost if lost.n else ""]  # type: ignore[attr-defined]
        lines.append(table_row(group, *cells, *shown))
    return "\n".join(lines) + "\n"
