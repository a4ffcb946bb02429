"""Markdown tables of the figures of `evaluate`: targets first, then each part."""

from __future__ import annotations

from typing import Any

from training.impact.intervals import format_interval

AGAINST = ("A", "tap against direct", "objects")
# Name, keys of the figure, target.
TARGETS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("material of a pixel, held-out renders", ("A", "pixels", "all"), ">= 0.80"),
    ("size within 1.5", ("A", "state", "objects", "size within 1.5"), ">= 0.75"),
    ("log-spectral distance below the template's", ("A", "sound", "objects", "tap", "below template"), ">= 0.30"),
    ("decay within 1.5", ("A", "sound", "objects", "tap", "decay within 1.5"), ">= 0.70"),
    ("distance below the direct method's", (*AGAINST, "distance below"), "> 0"),
    ("decay within 1.5, more often than the direct method", (*AGAINST, "decay within 1.5, more often"), "> 0"),
    ("TrashNet, by the sound without a state", ("B", "trashnet", "sound without it, of all materials"), ""),
    ("TrashNet, by the sound with the state", ("B", "trashnet", "sound with the state, of all materials"), "more"),
    ("TrashNet, centre click", ("B", "trashnet", "code, of all materials"), ">= 0.70"),
    ("TrashNet, among its five", ("B", "trashnet", "code, of 5"), ">= 0.70"),
)
PIXELS = ("all", "training surfaces", "held-out surfaces", "always the commonest", "silent without an object",
          "silent on an object")  # fmt: skip


def lookup(figures: dict[str, Any], keys: tuple[str, ...]) -> Any:
    """The value at a path of keys, None where there is none."""
    for key in keys:
        if not isinstance(figures, dict) or key not in figures:
            return None
        figures = figures[key]
    return figures


def table(columns: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *(f"| {' | '.join(row)} |" for row in rows)]


def interval_row(name: str, cell: dict[str, Any]) -> list[str]:
    return [name, format_interval(cell), str(cell["n"])]


def report(figures: dict[str, Any]) -> str:
    """All parts that the figures hold."""
    sections = {("A",): pixels, ("A", "state"): states, ("A", "sound"): sounds, ("B",): photos, ("C",): codes,
                ("D",): cases, ("E",): latency}  # fmt: skip
    parts = [part(found) for keys, part in sections.items() if (found := lookup(figures, keys))]
    return "\n\n".join("\n".join(lines) for lines in (targets(figures), *parts) if lines) + "\n"


def targets(figures: dict[str, Any]) -> list[str]:
    rows = [[*interval_row(name, cell), goal] for name, keys, goal in TARGETS if (cell := lookup(figures, keys))]
    if study := lookup(figures, ("D",)):
        nearer = str(study["nearer than text"])
        rows.append(["case study, closer than the path over text", nearer, str(study["n"]), "all"])
    if timed := lookup(figures, ("E",)):
        series = timed["in a row"]
        clean = "all" if series["clean"] else "not all"
        rows.append(["click to sound, median ms", f"{timed['click, median ms']:.0f}", str(timed["n"]), "<= 150"])
        rows.append(["strikes in a row without artefacts", clean, str(series["n"]), "all"])
    return table(["", "reached, 95 %", "n", "target"], rows) if rows else []


def pixels(part: dict[str, Any]) -> list[str]:
    figures = part["pixels"]
    cells = {name: figures[name] for name in PIXELS if name in figures} | figures["by material"]
    rows = [interval_row(name, cell) for name, cell in cells.items()]
    rows.append([f"mean over {figures['materials']} materials", f"{figures['mean over materials']:.3f}", ""])
    return table([f"pixels of {part['scenes']} held-out renders", "share right", "scenes"], rows)


def states(groups: dict[str, Any]) -> list[str]:
    quantities = next(iter(groups.values()))
    rows = [[name, *(format_interval(cells[name]) for cells in groups.values())] for name in quantities]
    rows.append(["n", *(str(cells["silent"]["n"]) for cells in groups.values())])
    return table(["one click per object", *groups], rows)


def sounds(groups: dict[str, Any]) -> list[str]:
    rows = [
        [f"{group}: {method}", format_interval(cell["lsd_db"], 2), format_interval(cell["below template"]),
         format_interval(cell["level_free_db"], 2), format_interval(cell["decay within 1.5"]),
         format_interval(cell["decay, median factor"], 2), str(cell["lsd_db"]["n"])]
        for group, methods in groups.items()
        for method, cell in methods.items()
    ]  # fmt: skip
    return table(["sound, against the truth", "log-spectral distance, dB", "below template's", "without level, dB",
                  "decay within 1.5", "decay, median factor", "n"], rows)  # fmt: skip


def photos(sources: dict[str, Any]) -> list[str]:
    rows = [
        [source, *interval_row(way, cell)]
        for source, ways in sources.items()
        for way, cell in ways.items()
        if isinstance(cell, dict) and "value" in cell
    ]
    for true, predicted in (lookup(sources, ("trashnet", "confusion")) or {}).items():
        counts = ", ".join(f"{name} {count}" for name, count in predicted.items())
        rows.append(["trashnet", f"predicted for {true}", counts, str(sum(predicted.values()))])
    return table(["photographs", "way of prediction", "share right", "n"], rows)


def codes(figures: dict[str, Any]) -> list[str]:
    summary = (
        f"{figures['in use']} of {figures['codes']} codes in use, perplexity {figures['perplexity']:.1f}, mean purity "
        f"{figures['mean purity']:.3f}, {figures['materials with a code']} materials have a code."
    )
    rows = [[name, str(row["codes"]), f"{row['share']:.3f}", f"{row['purity']:.3f}"]
            for name, row in figures["by name"].items()]  # fmt: skip
    return [summary, "", *table(["name", "codes", "share of use", "purity"], rows)]


def cases(figures: dict[str, Any]) -> list[str]:
    rows = [
        [row["title"], row["right"], row["named"], row["template"], row["state"],
         *(f"{row[f'lsd_{method}_db']:.2f}" for method in ("tap", "text", "template", "again")),
         ", ".join(f"{row[f'decay_{method}_factor']:.2f}" for method in ("tap", "text", "template"))]
        for row in figures["rows"]
    ]  # fmt: skip
    return table(["case", "right", "over text", "template", "state", "tap, dB", "text, dB", "template, dB",
                  "truth again, dB", "decay factor: tap, text, template"], rows)  # fmt: skip


def latency(figures: dict[str, Any]) -> list[str]:
    series = figures["in a row"]
    rows = [[name, f"{value:.2f}"] for name, value in figures.items() if isinstance(value, float)]
    rows += [[f"{series['n']} strikes in a row: {name}", f"{series[name]:.2g}"]
             for name in ("loudest sample", "first sample", "last sample", "different")]  # fmt: skip
    return table([f"latency, {figures['threads']} threads, n = {figures['n']}", ""], rows)
