"""What the path `language` adds to `evaluate_hear`: its sounds at the same clicks, which ear is louder where, where the
audio head looks, what each layer of the thinker knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synesthesia.core.presets import Preset
from synesthesia.evaluation.intervals import Estimate, bootstrap, wilson
from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.ui.vlm_to_sound.attention_overlay import NEAR, times_even
from synesthesia.vision.grid import PatchGrid
from synesthesia.vlm_to_sound.generate import TAKES, GeneratedStereo, Sampling, TokenGenerator
from synesthesia.vlm_to_sound.pipeline import VlmToSoundPipeline
from synesthesia.vlm_to_sound.thinker import ImageInput
from synesthesia.vlm_to_sound.vision_tower import blocks
from training.common.hear_cases import Case
from training.vlm_to_sound.layer_probes import TAUGHT, states_of_all, taught_readers
from training.vlm_to_sound.pictures import SeenStore

Look = tuple[np.ndarray, int, int]  # (R, C) that sums to 1, and the clicked patch
SIDES = (0.15, 0.85)  # of the picture's width: where a click is left, where right
MARGINS = {"box": 0.0, "near": NEAR}  # of the picture around the clicked patch: training asks for the second


@dataclass(frozen=True)
class Sides:
    """Of clicks at the left and at the right. louder: the ear on the clicked side is; sooner: it is also told to lead;
    difference_db: by how much it is louder, median."""

    louder: Estimate
    sooner: Estimate
    difference_db: float


class LanguageRows:
    """The loaded path, and the pictures of the evaluation."""

    def __init__(
        self, path: TokenGenerator, hearing: ImageToSoundPipeline, grids: Sequence[PatchGrid], seconds: float
    ) -> None:
        self.path, self.hearing, self.grids, self.seconds = path, hearing, grids, seconds
        self.middles: list[GeneratedStereo] = []

    def speak(self, grid: PatchGrid, row: int, col: int, seed: int, takes: int, sampling: Sampling) -> GeneratedStereo:
        wanted = self.hearing.wish(grid).voices[row * grid.cols + col]
        return self.path.speak(
            self.path.think(grid, row, col), grid, seconds=self.seconds, seed=seed, takes=takes, sampling=sampling,
            wanted=wanted,
        )  # fmt: skip

    def clicks(self, name: str, guidance: float) -> list[Tensor]:
        """(n,) the mean of both ears of a click in the middle of every picture. name: of the row, see below."""
        sampling = {
            "language": Sampling(guidance=guidance),
            "language_one_take": Sampling(guidance=guidance),
            "language_plainly_guided": Sampling(guidance=guidance, free=0.0),
            "language_unguided": Sampling(guidance=1.0),
        }[name]
        takes = TAKES if name == "language" else 1
        spoken = [
            self.speak(grid, grid.rows // 2, grid.cols // 2, number, takes, sampling)
            for number, grid in enumerate(self.grids)
        ]
        if name == "language":
            self.middles = spoken
        return [torch.from_numpy(one.waveform).mean(dim=0) for one in spoken]

    def sides(self, guidance: float) -> tuple[Sides, list[Look]]:
        """Two clicks a picture, one take each; and where the head looked."""
        louder, sooner, by_db, looks = [], [], [], []
        for number, grid in enumerate(self.grids):
            for place in SIDES:
                row, col = grid.rows // 2, int(place * grid.cols)
                spoken = self.speak(grid, row, col, number, 1, Sampling(guidance=guidance))
                left, right = np.sqrt((spoken.waveform.astype(np.float64) ** 2).mean(axis=1) + 1e-12)
                side = 1 if place > 0.5 else -1
                by_db.append(side * 20 * np.log10(right / left))
                louder.append(by_db[-1] > 0)
                sooner.append(side * spoken.lead_s > 0)
                looks.append((spoken.looks, row, col))
        return Sides(wilson(sum(louder), len(louder)), wilson(sum(sooner), len(sooner)), float(np.median(by_db))), looks

    def attention(self, at_sides: list[Look]) -> dict[str, Estimate]:
        """How often its even share the head looks at what was clicked, and near it: on the clicks in the middle, whose
        sounds are made, and on those at the sides."""
        grids = self.grids if self.middles else []
        middles = [
            (spoken.looks, grid.rows // 2, grid.cols // 2) for spoken, grid in zip(self.middles, grids, strict=True)
        ]
        rng = np.random.default_rng(0)
        return {
            f"{where}, {kind}": bootstrap(
                np.array([times_even(looks, (row, col), margin) for looks, row, col in found]),
                lambda x: float(x.mean()), rng,
            )
            for where, found in (("middle", middles), ("sides", at_sides)) if found
            for kind, margin in MARGINS.items()
        }  # fmt: skip

    def side_figures(self, guidance: float) -> dict[str, object]:
        """What the row `sides` reports and prints."""
        sides, looks = self.sides(guidance)
        figures: dict[str, object] = {
            "sides": {"louder": asdict(sides.louder), "sooner": asdict(sides.sooner), "db": sides.difference_db}
        }
        print(f"sides: louder {sides.louder}, sooner {sides.sooner}, by {sides.difference_db:.1f} dB", flush=True)
        for where, estimate in self.attention(looks).items():
            figures[f"attention: {where}"] = asdict(estimate)
            print(f"attention, {where}: {estimate} times its even share, n = {estimate.n}", flush=True)
        return figures

    def layer_figures(self, seen: Path, cases: Sequence[Case], seed: int) -> dict[str, object]:
        """What the row `layers` reports and prints."""
        figures: dict[str, object] = {}
        for number, estimate in enumerate(self.layers(seen, cases, seed)):
            figures[f"thinker, layer {number}"] = {"top1": asdict(estimate)}
            print(f"thinker, layer {number}: top-1 {estimate}", flush=True)
        return figures

    def layers(self, seen: Path, cases: Sequence[Case], seed: int) -> list[Estimate]:
        """Top-1 of a linear reader of each layer at the clicks in the middle, by the picture's labels."""
        names, hits = list(self.hearing.voice.ear.labels), []
        readers = taught_readers(self.path.thinker, SeenStore(seen), TAUGHT, seed)
        for case, grid in zip(cases, self.grids, strict=True):
            pixels, (rows, cols) = blocks(grid)
            row, col = grid.rows // 2, grid.cols // 2
            box = torch.tensor([[col / cols, row / rows, (col + 1) / cols, (row + 1) / rows]])
            states = states_of_all(self.path.thinker, [ImageInput(pixels, rows, cols)], box)[:, 0]
            said = [names[int(reader(state).argmax())] for reader, state in zip(readers, states, strict=True)]
            hits.append([label in case.accepted for label in said])
        return [wilson(int(column.sum()), len(column)) for column in np.array(hits).T]


def loaded(preset: Preset, hearing: ImageToSoundPipeline, grids: Sequence[PatchGrid], seconds: float) -> LanguageRows:
    """With the preset's own models. UserError when they have not been trained."""
    thinking = VlmToSoundPipeline(preset)
    thinking.require()
    return LanguageRows(thinking.path(hearing), hearing, grids, seconds)
