"""Agreement of generated sounds with held-out pictures: an independent classifier, clicks on the picture's centre.

    python -m training.evaluation.evaluate_hear --data DIR                      # everything (half an hour on one core)
    python -m training.evaluation.evaluate_hear --data DIR --rows flow mlp text --per-label 2
    python -m training.evaluation.evaluate_hear --data DIR --rows generator     # the generator alone, in minutes
    python -m training.evaluation.evaluate_hear --data DIR --rows flow language sides layers

Rows of the main table: flow, flow without retrieval, mlp, the text baseline (the vision network's label for the
picture, then a random *training recording* of that label), the retrieval bound (true label, held-out recording),
shuffled clicks and random; `language` and its variants as the mean of both channels. Other rows: `prior` (the prior
alone, before any sound), `generator` (true condition instead of a picture), `pairs` (two pictures side by side, a click
on each), `presence`, `copies`; of the path `language` `sides` (which channel is louder, and where the tokens attend)
and `layers` (linear probes of each layer of the thinker; reads --seen). Pictures are of split val; Frechet distances
are to held-out recordings. Writes JSON and a table to --out.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from synesthesia.core import checkpoints, presets
from synesthesia.evaluation.frechet import frechet_distance
from synesthesia.evaluation.intervals import ConfidenceInterval
from training.common.cli import run
from training.common.report import table_header, table_row, write_json
from training.evaluation.ablations import copies, generator_alone, pairs, presence, prior_alone
from training.evaluation.click_set import ClickSet, ClickSettings
from training.evaluation.systems import SYSTEMS, System, Systems

Ablation = Literal["prior", "generator", "copies", "pairs", "presence", "sides", "layers"]
Row = Literal[System, Ablation]
ALL: tuple[Row, ...] = (*SYSTEMS, *get_args(Ablation))
Figures = dict[str, Any]


@dataclass(frozen=True)
class HearEvaluation(ClickSettings):
    out: Path = Path("runs/evaluate_hear")
    rows: tuple[Row, ...] = ALL
    pairs: int = 60
    alone_per_label: int = 4  # of the row `generator`
    threads: int = 1
    seen: Path = Path("runs/language_path/seen")  # what `training.vlm_to_sound.train --stage see` wrote


def evaluate_row(row: Row, config: HearEvaluation, clicks: ClickSet, systems: Systems) -> Figures:
    """Figures of one row, printed as they come."""
    if row in SYSTEMS:
        agreement, latency = systems.evaluate(row)
        distance = frechet_distance(agreement.embeddings, clicks.real)
        print(f"{row:24} top-1 {agreement.top1}  top-5 {agreement.top5}  Frechet {distance:.2f}  {latency:.2f} s")
        return {row: {**agreement.figures, "frechet": distance, "seconds": latency}}
    if row == "prior":
        shares = prior_alone(clicks)
        for source, share in shares.items():
            print(f"prior, {source:18} top-1 {share}  n = {share.n}")
        return {f"prior: {source}": {"top1": asdict(share)} for source, share in shares.items()}
    if row == "generator":
        alone = generator_alone(clicks, config.alone_per_label)
        for name, agreement in alone.items():
            print(f"{name:24} top-1 {agreement.top1}  top-5 {agreement.top5}")
        return {f"alone: {name}": agreement.figures for name, agreement in alone.items()}
    if row == "pairs":
        halves = pairs(clicks, config.pairs)
        print(f"pairs: both right {halves['both']}, worse side {halves['worse_side']}, n = {halves['both'].n}")
        return {"pairs": {name: asdict(share) for name, share in halves.items()}}
    if row == "sides":
        return systems.language.side_figures(config.guidance)
    if row == "layers":
        return systems.language.layer_figures(config.seen, clicks.cases, config.seed)
    figures = copies(clicks) if row == "copies" else presence(clicks)
    print(row, figures)
    return {row: figures}


def table(figures: Figures) -> str:
    """The figures as markdown: top-1 and top-5 agreement with 95 % intervals, n, distance, seconds."""
    lines = [table_header("sound", "n", "top-1", "top-5", "Fréchet", "s a sound")]
    for name, cell in figures.items():
        if isinstance(cell, dict) and "top1" in cell:
            shares = [ConfidenceInterval(**cell[key]) if key in cell else "" for key in ("top1", "top5")]
            numbers = [f"{cell[key]:.2f}" if key in cell else "" for key in ("frechet", "seconds")]
            lines.append(table_row(name.replace("_", " "), cell["top1"]["n"], *shares, *numbers))
    return "\n".join(lines) + "\n"


def main(config: HearEvaluation) -> Figures:
    """Adds the rows to figures.json and table.md in `out`; returns all figures there."""
    torch.set_num_threads(config.threads)
    clicks = ClickSet(config)
    systems = Systems(clicks)
    file = config.out / "figures.json"
    figures: Figures = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    figures["cases"] = {"pictures": len(clicks.cases), "labels": len(clicks.labels), "seconds": config.seconds}
    generator = clicks.pipeline.generator
    parts = (("flow", generator.flow), ("mlp", generator.mlp), ("prior", clicks.pipeline.prior))
    figures["parameters"] = {name: sum(p.numel() for p in net.parameters()) for name, net in parts if net}
    for row in config.rows:
        figures |= evaluate_row(row, config, clicks, systems)
        write_json(file, figures)
        (config.out / "table.md").write_text(table(figures), encoding="utf-8")
    print(f"weights {checkpoints.fingerprint(presets.embedded().used_by('flow'))[:12]}")
    return figures


if __name__ == "__main__":
    run(main, HearEvaluation, __doc__)
