"""Whether sounds belong to held-out pictures: by the project's evaluation tagger and by an outside judge, by source.

    python -m training.evaluation.evaluate_hear --data DIR --pages runs/pages       # 150 clicks in minutes on one core
    python -m training.evaluation.evaluate_hear --data DIR --limit 20 --silent 10   # smoke run
    python -m training.evaluation.evaluate_hear --data DIR --limit 0 --silent 0 --rows product wish       # everything
    python -m training.evaluation.evaluate_hear --data DIR --sources guitars jray --splits val train
    python -m training.evaluation.evaluate_hear --data DIR --rows product mlp language sides layers pairs copies

A click is the centre of a thing's box, or of the picture; a generated sound has the settings of the page. Rows of the
table: `product` (a place that falls silent is a miss), `anyway` (told to sound anyway), `wish` (the prior's labels,
before any sound), `told` (the generator with the true label's one-hot probabilities and mean embedding), `text` (the
vision network's label for the picture, then a random training recording of it), `bound` (retrieval that knows the true
label: a random training recording of it, which our judge was trained on and the outside one wasn't), `real` (a held-out
recording of the true label), and, where named: `mlp`, `language` (mean of both ears), `without_retrieval`, `one_take`
(no choice among takes), `round_trip` (`real` through the generator's latents and the vocoder), `random`. Further rows:
`pairs`, `copies`, and of the path `language` `language_variants`, `sides` and `layers` (reads --seen).

The outside judge is right if the first of its 521 classes (top-5: one of the first five) is one of those in
`audioset_classes.csv`; in the last columns generic classes above a right one (an animal for a dog) and those of the
acoustic environment are skipped. Clicks without a class that a judge knows aren't counted for it, hence its own n.
Sources and labels come in turn, so the row `all` isn't an average over pictures. With --splits val train the pictures
of a source that the prior was trained without are all evaluated. Writes figures.json and table.md to --out, contact
sheets (worst cases first) to --pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from tqdm import tqdm

from synesthesia.core import checkpoints
from synesthesia.studio import Studio
from training.common.cli import run
from training.common.report import write_json
from training.evaluation.ablations import LanguageRows, copies, pairs
from training.evaluation.click_set import Click, ClickSet, ClickSettings
from training.evaluation.contact_sheet import Sheet, write_pages
from training.evaluation.hear_tables import ClickResult, figures_by_group, table
from training.evaluation.judges import Bench
from training.evaluation.presence import presence_figures, presence_table
from training.evaluation.systems import SYSTEMS, USUAL, System, Systems

Ablation = Literal["pairs", "copies", "language_variants", "sides", "layers"]
Row = Literal[System, Ablation]
PROGRESS_SECONDS = 20.0
Figures = dict[str, Any]


@dataclass(frozen=True)
class HearEvaluation(ClickSettings):
    out: Path = Path("runs/evaluate_hear")
    pages: Path | None = None  # folder of the contact sheets
    rows: tuple[Row, ...] = USUAL
    pairs: int = 60
    threads: int = 1
    seen: Path = Path("runs/language_path/seen")  # what `training.vlm_to_sound.train --stage see` wrote


def judge_clicks(
    clicks: ClickSet, systems: Systems, rows: Iterable[System], sheets: list[Sheet] | None
) -> list[ClickResult]:
    """Every system's sound for every click, judged. sheets: gets the product's sounds with what the judges hear."""
    results = []
    for number, case in enumerate(tqdm(clicks.cases, unit="click", mininterval=PROGRESS_SECONDS)):
        click = clicks.look(number, case)
        result = ClickResult(click)
        for system in rows:
            result.verdicts[system] = systems.verdicts(system, click)
            cost = systems.seconds(system)
            if cost is not None:
                result.seconds[system] = cost
        if sheets is not None:
            sheets.append(sheet_of(clicks, systems, click))
        results.append(result)
    return results


def sheet_of(clicks: ClickSet, systems: Systems, click: Click) -> Sheet:
    """For the contact sheet: the product's sound, also where it would stay silent."""
    silent = click.presence < clicks.pipeline.threshold
    accepted = tuple(sorted(click.case.accepted))
    return Sheet(
        click.case.image, click.x, click.y, click.case.source, accepted, click.presence, silent, click.wish,
        systems.product(click, "flow"), systems.verdicts("anyway", click),
    )  # fmt: skip


def look_at_silence(clicks: ClickSet) -> list[Click]:
    shown = tqdm(clicks.silent, unit="silent place", mininterval=PROGRESS_SECONDS)
    return [clicks.look(number, case) for number, case in enumerate(shown)]


def further_rows(config: HearEvaluation, clicks: ClickSet, results: list[ClickResult]) -> Figures:
    """Figures of the rows that are no systems."""
    figures: Figures = {}
    if "pairs" in config.rows:
        figures["pairs"] = pairs(clicks, config.pairs)
    if "copies" in config.rows:
        figures["copies"] = copies(clicks)
    if {"language_variants", "sides", "layers"} & set(config.rows):
        language = LanguageRows(clicks, results)
        if "language_variants" in config.rows:
            language.variants()
        if "sides" in config.rows:
            figures["sides"] = language.sides()
        if "layers" in config.rows:
            figures["layers"] = language.layers(config.seen)
    return figures


def main(config: HearEvaluation, studio: Studio | None = None, bench: Bench | None = None) -> Figures:
    """Writes figures.json and table.md in `out`, the contact sheets in `pages`; returns the figures. studio, bench: the
    embedded preset and both judges by default."""
    torch.set_num_threads(config.threads)
    clicks = ClickSet(config, studio, bench)
    systems, sheets = Systems(clicks), [] if config.pages else None
    rows = [row for row in SYSTEMS if row in config.rows]
    results = judge_clicks(clicks, systems, rows, sheets)
    silent = look_at_silence(clicks)
    further = further_rows(config, clicks, results)
    clicks.bench.save()
    looked_at = [result.click for result in results] + silent
    presence = presence_figures(looked_at, clicks.pipeline.threshold)
    groups = figures_by_group(results)
    figures: Figures = {
        "settings": {name: str(value) for name, value in asdict(config).items() if name not in ("data", "cache")},
        "weights": checkpoints.fingerprint(clicks.studio.preset.used_by("flow"))[:12],
        "labels": len(clicks.class_names), "judges": {judge.name: judge.key for judge in clicks.bench.judges},
        "threshold": clicks.pipeline.threshold, "groups": groups, "presence": presence, **further,
        "clicks": [result.figures() for result in results],
        "silent": [ClickResult(click).figures() for click in silent],
    }  # fmt: skip
    text = f"{table(groups)}\n{presence_table(presence)}"
    write_json(config.out / "figures.json", figures)
    (config.out / "table.md").write_text(text, encoding="utf-8")
    print(text)
    for name, value in further.items():
        print(name, value)
    if config.pages and sheets:
        print("\n".join(str(file) for file in write_pages(sheets, config.pages)))
    return figures


if __name__ == "__main__":
    run(main, HearEvaluation, __doc__)
