"""The figures of `evaluate_tap` as markdown: what was aimed at beside what is reached, then the parts."""

from __future__ import annotations

from typing import Any

from training.impact.intervals import shown

BESIDE = ("A", "with the state, beside without", "things")
# What it is, where its figure lies, what was aimed at.
AIMS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("material of a pixel, held-out renders", ("A", "pixels", "all"), ">= 0.80"),
    ("size within 1.5", ("A", "state", "things", "size within 1.5"), ">= 0.75"),
    ("log-spectral distance below the template's", ("A", "sound", "things", "tap", "below template"), ">= 0.30"),
    ("decay within 1.5", ("A", "sound", "things", "tap", "decay within 1.5"), ">= 0.70"),
    ("distance below that without a state", (*BESIDE, "distance below"), "> 0"),
    ("decay within 1.5, more often than without a state", (*BESIDE, "decay within 1.5, more often"), "> 0"),
    ("TrashNet, by the sound without a state", ("B", "trashnet", "sound without it, of all materials"), ""),
    ("TrashNet, by the sound with the state", ("B", "trashnet", "sound with the state, of all materials"), "more"),
    ("TrashNet, centre click", ("B", "trashnet", "code, of all materials"), ">= 0.70"),
    ("TrashNet, among its five", ("B", "trashnet", "code, of 5"), ">= 0.70"),
)
PIXELS = ("all", "shown surfaces", "held-out surfaces", "always the commonest", "silent where nothing is",
          "silent where something is")  # fmt: skip


def found(figures: dict[str, Any], path: tuple[str, ...]) -> Any:
    """What lies at a path of keys, None where nothing does."""
    for key in path:
        if not isinstance(figures, dict) or key not in figures:
            return None
        figures = figures[key]
    return figures


def report(figures: dict[str, Any]) -> str:
    """All parts that the figures hold."""
    parts = (aims, pixels, states, sounds, photographs, codes, cases, speed)
    return "\n\n".join("\n".join(lines) for lines in (part(figures) for part in parts) if lines) + "\n"


def aims(figures: dict[str, Any]) -> list[str]:
    lines = ["| | reached, 95 % | n | aim |", "|---|---|---|---|"]
    for name, path, aim in AIMS:
        cell = found(figures, path)
        if cell:
            lines.append(f"| {name} | {shown(cell)} | {cell['n']} | {aim} |")
    if study := found(figures, ("D",)):
        lines.append(
            f"| case study, nearer than the path over text | {study['nearer than text']} | {study['n']} | all |"
        )
    if quick := found(figures, ("E",)):
        row = quick["in a row"]
        lines.append(f"| click to blow, median ms | {quick['blow, median ms']:.0f} | {quick['n']} | <= 150 |")
        lines.append(f"| blows in a row that are clean | {'all' if row['clean'] else 'not all'} | {row['n']} | all |")
    return lines if len(lines) > 2 else []


def pixels(figures: dict[str, Any]) -> list[str]:
    told = found(figures, ("A", "pixels"))
    if not told:
        return []
    lines = [f"| pixels of {figures['A']['scenes']} held-out renders | share right | scenes |", "|---|---|---|"]
    lines += [f"| {name} | {shown(told[name])} | {told[name]['n']} |" for name in PIXELS if name in told]
    lines += [f"| {name} | {shown(cell)} | {cell['n']} |" for name, cell in told["by material"].items()]
    return [*lines, f"| mean over {told['materials']} materials | {told['mean over materials']:.3f} | |"]


def states(figures: dict[str, Any]) -> list[str]:
    told = found(figures, ("A", "state"))
    if not told:
        return []
    names = list(told)
    lines = [f"| one click a thing | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for row in told[names[0]]:
        lines.append(f"| {row} | {' | '.join(shown(told[name][row]) for name in names)} |")
    return [*lines, f"| n | {' | '.join(str(told[name]['silent']['n']) for name in names)} |"]


def sounds(figures: dict[str, Any]) -> list[str]:
    told = found(figures, ("A", "sound"))
    if not told:
        return []
    lines = ["| sound, beside the truth's | log-spectral distance, dB | below template's | without level, dB "
             "| decay within 1.5 | off by, median | n |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for group, paths in told.items():
        for path, cell in paths.items():
            lines.append(
                f"| {group}: {path} | {shown(cell['lsd_db'], 2)} | {shown(cell['below template'])} "
                f"| {shown(cell['level_free_db'], 2)} | {shown(cell['decay within 1.5'])} "
                f"| {shown(cell['decay, median factor'], 2)} | {cell['lsd_db']['n']} |"
            )
    return lines


def photographs(figures: dict[str, Any]) -> list[str]:
    told = found(figures, ("B",))
    if not told:
        return []
    lines = ["| photographs | way of telling | share right | n |", "|---|---|---|---|"]
    for source, ways in told.items():
        lines += [f"| {source} | {way} | {shown(cell)} | {cell['n']} |" for way, cell in ways.items()
                  if isinstance(cell, dict) and "value" in cell]  # fmt: skip
    for right, said in (found(told, ("trashnet", "confusion")) or {}).items():
        counts = ", ".join(f"{name} {count}" for name, count in said.items())
        lines.append(f"| trashnet | what {right} is taken for | {counts} | {sum(said.values())} |")
    return lines


def codes(figures: dict[str, Any]) -> list[str]:
    told = found(figures, ("C",))
    if not told:
        return []
    lines = [
        f"{told['in use']} of {told['codes']} codes in use, perplexity {told['perplexity']:.1f}, mean purity "
        f"{told['mean purity']:.3f}, {told['materials with a code']} materials have a code.",
        "", "| name | codes | share of use | purity |", "|---|---|---|---|",
    ]  # fmt: skip
    for name, row in told["by name"].items():
        lines.append(f"| {name} | {row['codes']} | {row['share']:.3f} | {row['purity']:.3f} |")
    return lines


def cases(figures: dict[str, Any]) -> list[str]:
    told = found(figures, ("D",))
    if not told:
        return []
    lines = ["| case | right | over text | template | state | tap, dB | text, dB | template, dB | truth again, dB "
             "| decay off: tap, text, template |", f"|{'---|' * 10}"]  # fmt: skip
    for row in told["rows"]:
        factors = ", ".join(f"{row[f'decay_{path}_factor']:.2f}" for path in ("tap", "text", "template"))
        distances = " | ".join(f"{row[f'lsd_{path}_db']:.2f}" for path in ("tap", "text", "template", "again"))
        lines.append(
            f"| {row['title']} | {row['right']} | {row['named']} | {row['template']} | {row['state']} | {distances} "
            f"| {factors} |"
        )
    return lines


def speed(figures: dict[str, Any]) -> list[str]:
    told = found(figures, ("E",))
    if not told:
        return []
    lines = [f"| speed, {told['threads']} threads, n = {told['n']} | |", "|---|---|"]
    lines += [f"| {name} | {value:.2f} |" for name, value in told.items() if isinstance(value, float)]
    row = told["in a row"]
    lines += [f"| {row['n']} blows in a row: {name} | {row[name]:.2g} |"
              for name in ("loudest sample", "first sample", "last sample", "different")]  # fmt: skip
    return lines
