"""Part B: real photographs of which the material in the middle is known, clicked there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synesthesia.impact.crop_refine import refine_with_crop
from synesthesia.impact.modal.strike import strike
from synesthesia.impact.modal.things import MATERIALS
from training.impact.compared import Compared
from training.impact.features import Photo, opened, photos
from training.impact.intervals import mean, over_scenes, share_of
from training.impact.sound_judge import FORCE_N, MALLET, SECONDS, SoundJudge

if TYPE_CHECKING:
    from synesthesia.vision.backbone import PatchEncoder

SETS = ("trashnet", "caltech101", "imagenet-sample", "tiny-imagenet")
SEED = 3
ALL_NAMES = "of all materials"


@dataclass(frozen=True)
class Answer:
    """What is said of one photograph. sure: share of the likeliest material; said: by way of telling, the material's
    number."""

    photo: Photo
    silent: bool
    sure: float
    said: dict[str, int] = field(default_factory=dict)


def answer(encoder: PatchEncoder, compared: Compared, judge: SoundJudge, photo: Photo, picture: Any,
           candidates: Sequence[int]) -> Answer:  # fmt: skip
    """A click in the middle. Every way of telling chooses among all materials and among the candidates."""
    grid, adapter = encoder.encode(picture), compared.adapter
    x, y = grid.width_px / 2, grid.height_px / 2
    row, col = grid.cell(x, y)
    near = refine_with_crop(adapter, encoder.textures, picture, grid, adapter.read(grid), x, y)
    shares = adapter.shares(near)[0].numpy()
    guess = compared.guess(near)
    sounds = {
        "sound with the state": strike(
            guess.thing, guess.place, force_n=FORCE_N, mallet=MALLET, seconds=SECONDS, seed=SEED,
            properties=guess.properties,
        ).waveform
    }  # fmt: skip
    if compared.direct is not None:
        sounds["sound without it"] = compared.direct.sound(grid, row, col, FORCE_N, MALLET, SECONDS, SEED)
    said = {}
    for among, numbers in ((ALL_NAMES, range(len(MATERIALS))), (f"of {len(candidates)}", candidates)):
        said[f"code, {among}"] = max(numbers, key=lambda k: float(shares[k]))
        for name, sound in sounds.items():
            said[f"{name}, {among}"] = judge.heard(sound, numbers)
    if compared.names is not None:
        said[f"object's name, {ALL_NAMES}"] = compared.names.named(grid, row, col)
    return Answer(photo, float(adapter.solid(near)[0]) < adapter.threshold, float(shares.max()), said)


def photographs(
    data: Path, encoder: PatchEncoder, compared: Compared, judge: SoundJudge, most: int, seed: int
) -> dict[str, Any]:  # fmt: skip
    """All figures of part B. most: photographs of each set, drawn."""
    random = np.random.default_rng(seed)
    figures: dict[str, Any] = {}
    for source in SETS:
        found = [photo for photo in photos(data, source, "val") if photo.material >= 0]
        chosen = [found[k] for k in sorted(random.permutation(len(found))[:most].tolist())]
        if not chosen:
            continue
        candidates = sorted({photo.material for photo in found})
        answers = []
        for photo, picture in zip(chosen, opened(data, chosen), strict=True):
            answers.append(answer(encoder, compared, judge, photo, picture, candidates))
            print(f"\r{source}: {len(answers)}/{len(chosen)} ", end="", flush=True)
        print()
        figures[source] = photo_figures(answers)
        direct = [a for a in answers if a.photo.weight >= 1]
        if 0 < len(direct) < len(answers) and source != "trashnet":
            figures[f"{source}, surest labels"] = photo_figures(direct)
    return figures


def photo_figures(answers: Sequence[Answer]) -> dict[str, Any]:
    right = [a.photo.material for a in answers]
    common = Counter(right).most_common(1)[0][0]
    figures: dict[str, Any] = {
        "always the commonest": share_of([material == common for material in right]),
        "silent": share_of([a.silent for a in answers]),
        "how sure it is of the code": over_scenes(np.array([a.sure for a in answers]), np.arange(len(answers)), mean),
    }
    for way in answers[0].said:
        figures[way] = share_of([a.said[way] == a.photo.material for a in answers])
    spoken = [a for a in answers if not a.silent]
    if spoken:
        figures["code, where it sounds"] = share_of([a.said[f"code, {ALL_NAMES}"] == a.photo.material for a in spoken])
    figures["confusion"] = confusion(right, [a.said[f"code, {ALL_NAMES}"] for a in answers])
    return figures


def confusion(right: Sequence[int], said: Sequence[int]) -> dict[str, dict[str, int]]:
    """Right name -> said name -> how often."""
    table: dict[str, Counter[str]] = {}
    for true, named in zip(right, said, strict=True):
        table.setdefault(MATERIALS[true], Counter())[MATERIALS[named]] += 1
    return {name: dict(row.most_common()) for name, row in sorted(table.items())}
