"""How well the path "tap" reads a physics state off pictures that it never saw, and how near its sounds come.

    python -m training.impact.evaluate --renders DIR --data DIR --cases DIR
    python -m training.impact.evaluate --renders DIR --data DIR --part A,C --scenes 20 --out runs/quick

The figures are of what ships: `PatchEncoder.encode`, `TapAdapter.read`, `hearing.blow`. Parts:

A. Held-out renders (split val): the material of every pixel; one click a thing: size, shape, wall; its sound beside
   that of the true thing struck at the true place with the same force and mallet and another seed. Also heard: template
   (the likeliest material's name alone, struck as that material's usual thing of the training renders), the template of
   the true name, of the object's name (the path over text), the path without a state (--direct), and the truth again.
B. Photographs (--data): a click in the middle. Named by the code and, with the state and without it alike, by the
   sound: its nearest neighbours among struck training things.
C. The codebook.
D. The case study (--cases, of `tools.blender.scenes --case-study`); writes case_study.json beside the weights.
E. Speed, and blow after blow.

Distances and decay: `training.impact.measures`. Intervals are 95 %: bootstrap over scenes, Wilson's for photographs.
Prints tables; figures.json and table.md in --out keep the parts of earlier runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from synesthesia.core import presets
from synesthesia.core.checkpoints import MANIFEST
from synesthesia.core.errors import UserError
from synesthesia.impact.modal.things import MATERIALS
from synesthesia.impact.predictor import ImpactPredictor
from synesthesia.vision.backbone import PatchEncoder
from training.common.manifest import write_manifest
from training.impact.baselines import ObjectNames, Templates, told_things
from training.impact.case_study import case_study, for_page
from training.impact.codebook_figures import code_figures
from training.impact.compared import Compared, Direct
from training.impact.held_out import held_out
from training.impact.intervals import share_of
from training.impact.photographs import photographs
from training.impact.rendered import scenes
from training.impact.report import report
from training.impact.sound_judge import PER_MATERIAL, SoundJudge, blow_sound, drawn_blows
from training.impact.speed import speed

PARTS = "ABCDE"
JUDGE_CHECKED = 15  # held-out things of each material that the judge itself is tried on


@dataclass(frozen=True)
class Config:
    renders: Path
    data: Path | None = None
    cases: Path | None = None
    checkpoint: Path = Path("checkpoints/tap")
    direct: Path | None = None
    out: Path = Path("runs/evaluate_tap")
    parts: str = PARTS
    scenes: int = 200
    photos: int = 400  # of each set
    oracles: bool = False
    judged: int = PER_MATERIAL  # struck training things of each material by which a sound is judged
    clicks: int = 30  # that are timed
    seed: int = 41
    threads: int = 2


def without_state(folder: Path | None) -> Direct | None:
    if folder is None:
        return None
    from training.impact.direct import DirectPath

    return DirectPath.load(folder)


def sound_judge(config: Config) -> tuple[SoundJudge, dict[str, Any]]:
    """The judge, and how often it is right about true sounds of held-out things."""
    random = np.random.default_rng(config.seed)
    judge = SoundJudge.of(drawn_blows(told_things(config.renders, "train"), config.judged, random))
    tried = drawn_blows(told_things(config.renders, "val"), JUDGE_CHECKED, random)
    right = [
        judge.heard(blow_sound(thing, place, 10_000 + k)) == MATERIALS.index(thing.material)
        for k, (thing, place) in enumerate(tried)
    ]
    return judge, share_of(right)


def evaluate(config: Config, encoder: PatchEncoder, adapter: ImpactPredictor) -> dict[str, Any]:
    """Runs the parts that were asked for and that there is something for; returns and writes all figures."""
    torch.set_num_threads(config.threads)
    config.out.mkdir(parents=True, exist_ok=True)
    store = config.out / "figures.json"
    figures: dict[str, Any] = json.loads(store.read_text(encoding="utf-8")) if store.is_file() else {}
    compared = Compared(
        adapter, Templates.of(told_things(config.renders, "train")),
        ObjectNames.load(config.data) if config.data else None, without_state(config.direct), config.oracles,
    )  # fmt: skip
    held = islice(scenes(config.renders, "val"), config.scenes)
    for part in config.parts:
        if part == "A":
            figures[part] = held_out(encoder, held, compared, config.seed)
        elif part == "B" and config.data:
            judge, own = sound_judge(config)
            told = photographs(config.data, encoder, compared, judge, config.photos, config.seed)
            figures[part] = {"the judge itself": {"true sounds of held-out things": own}, **told}
        elif part == "C":
            figures[part] = code_figures(adapter.net.codebook)
        elif part == "D" and config.cases:
            figures[part] = case_study(encoder, compared, config.cases, config.seed)
            kept = json.dumps(for_page(figures[part]), indent=1)
            (config.checkpoint / "case_study.json").write_text(kept + "\n", encoding="utf-8")
            if (config.checkpoint.parent / MANIFEST).is_file():  # or the studio would refuse the changed file
                write_manifest(config.checkpoint.parent)
        elif part == "E":
            scene = next(scenes(config.renders, "val"))
            figures[part] = speed(encoder, adapter, scene, config.clicks, config.threads, config.seed)
        store.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        (config.out / "table.md").write_text(report(figures), encoding="utf-8")
    print(report({part: figures[part] for part in config.parts if part in figures}), flush=True)
    return figures


def parse(argv: Sequence[str] | None = None) -> Config:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renders", type=Path, required=True, help="folder of tools.blender.scenes")
    parser.add_argument("--data", type=Path, help="folder with images_manifest.csv and pairs.csv")
    parser.add_argument("--cases", type=Path, help="folder of tools.blender.scenes --case-study")
    parser.add_argument("--checkpoint", type=Path, default=Config.checkpoint)
    parser.add_argument("--direct", type=Path, help="folder of training.impact.train_direct")
    parser.add_argument("--out", type=Path, default=Config.out)
    parser.add_argument("--part", default=",".join(PARTS), help="which of them, as A,C")
    parser.add_argument("--scenes", type=int, default=Config.scenes, help="held-out ones, at most")
    parser.add_argument("--photos", type=int, default=Config.photos, help="of each set, at most")
    parser.add_argument("--oracles", action="store_true", help="also tap with a part of the state made true")
    parser.add_argument("--seed", type=int, default=Config.seed)
    parser.add_argument("--threads", type=int, default=Config.threads)
    given = vars(parser.parse_args(argv))
    parts = given.pop("part").replace(",", "").upper()
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    return Config(**given, parts=parts)


def main(argv: Sequence[str] | None = None) -> None:
    config = parse(argv)
    evaluate(config, PatchEncoder.load(presets.embedded().vision), ImpactPredictor.load(config.checkpoint))


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
