"""Linear probing of the vision networks (Alain and Bengio 2016): which sound a held-out picture makes.

    python -m training.vision.evaluate --data DIR --run runs/vision [--labels-only runs/labels_only/labels.safetensors]

Rows: the image teacher (upper bound), the student after each stage, a network trained on the labels alone, and the
same network at random. Columns: accuracy on each set's held-out pictures with a Wilson 95 % interval; pairs of
held-out pictures pasted side by side, each half classified from its own features, right only when both are; and the
1,000 classes taught by the teacher's logits, without a probe. Probes see training pictures only.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from synesthesia.evaluation.intervals import wilson
from training.common.cli import run
from training.common.pairs import imagenet_to_sound, sound_labels
from training.common.pictures import Picture, centre_crop, load_core, load_tiny
from training.common.report import table_header, table_row
from training.vision.image_teacher import ImageTeacher
from training.vision.labelled_pictures import LabelledPictures, with_sounds
from training.vision.logit_regression import LogitRegression
from training.vision.probe import Probe, fit_probe
from training.vision.units import as_input, new_student


@dataclass(frozen=True)
class VisionEvaluation:
    data: Path
    run: Path
    labels_only: Path | None = None  # network of training.vision.train_labels from random weights
    then_labels: Path | None = None  # network of training.vision.train_labels that started distilled
    per_class: int = 30  # training pictures of a class that the probe sees
    tiny: int = 600  # held-out 64-pixel pictures, 0 for none
    pairs: int = 200
    threads: int = 1


MapOf = Callable[[np.ndarray], Tensor]  # (224, 224, 3) uint8 -> (7, 7, 1280)


def student_maps(tensors: dict[str, Tensor]) -> MapOf:
    net = new_student().eval().to(memory_format=torch.channels_last)
    net.load_state_dict(tensors)

    @torch.inference_mode()
    def run(crop: np.ndarray) -> Tensor:
        return net.forward_features(as_input(crop[None], "cpu"))[0].permute(1, 2, 0).float()

    return run


def teacher_maps(teacher: ImageTeacher) -> MapOf:
    def run(crop: np.ndarray) -> Tensor:
        teacher.run(crop)
        return torch.from_numpy(teacher.features())

    return run


def means(maps_of: MapOf, pictures: list[Picture]) -> Tensor:
    """(N, 1280) mean features of centre crops."""
    return torch.stack([maps_of(centre_crop(p.pixels)).mean((0, 1)) for p in pictures])


def both_halves(maps_of: MapOf, probe: Probe, held: LabelledPictures, rng: np.random.Generator, count: int) -> int:
    """Of `count` pairs of pictures of different sounds side by side, how many have both halves classified right."""
    right = done = 0
    while done < count:
        a, b = rng.integers(len(held.pictures), size=2)
        if held.accepted[a] & held.accepted[b]:
            continue
        left, other = (centre_crop(held.pictures[i].pixels)[:, 56:168] for i in (a, b))
        maps = maps_of(np.concatenate([left, other], axis=1))  # (7, 7, 1280)
        halves = torch.stack([maps[:, :3].mean((0, 1)), maps[:, 4:].mean((0, 1))])
        found = probe(halves).argmax(1).tolist()
        right += found[0] in held.accepted[a] and found[1] in held.accepted[b]
        done += 1
    return right


def networks(config: VisionEvaluation) -> list[tuple[str, MapOf, tuple[Tensor, Tensor] | None]]:
    """(name, maps, 1,000-class layer or None) of every row."""
    rows: list[tuple[str, MapOf, tuple[Tensor, Tensor] | None]] = []
    for stage, name in (("blocks", "student, blocks only"), ("end_to_end", "student, blocks then end to end")):
        path = config.run / f"{stage}.safetensors"
        if path.exists():
            tensors = load_file(path)
            net = {k[4:]: v for k, v in tensors.items() if k.startswith("net.")}
            rows.append((name, student_maps(net), LogitRegression(tensors).solve()))
    teacher_classes = rows[-1][2] if rows else None
    for file, name in ((config.then_labels, "student, then labels"), (config.labels_only, "same network, labels only")):
        if file:
            body = load_file(file)
            net = new_student().state_dict() | {k[4:]: v for k, v in body.items() if k.startswith("net.")}
            rows.append((name, student_maps(net), None))
    torch.manual_seed(0)
    rows.append(("same network, random", student_maps(new_student().state_dict()), None))
    return [("teacher (upper bound)", teacher_maps(ImageTeacher(config.data)), teacher_classes), *rows]


def held_out_sets(config: VisionEvaluation, rng: np.random.Generator) -> dict[str, LabelledPictures]:
    """All high-resolution pictures, those of each source, and 64-pixel pictures."""
    core = with_sounds(load_core(config.data, "val"), config.data, 15, rng)
    sets = {"core": core}
    for source in sorted({p.source for p in core.pictures}):
        chosen = [i for i, p in enumerate(core.pictures) if p.source == source]
        sets[source] = LabelledPictures([core.pictures[i] for i in chosen], [core.accepted[i] for i in chosen])
    if config.tiny:
        tiny = load_tiny(config.data, "val")
        sets["tiny"] = with_sounds([tiny[i] for i in rng.permutation(len(tiny))[: config.tiny]], config.data, 10, rng)
    return sets


def share_right(scores: Tensor, pictures: LabelledPictures) -> str:
    """scores: (N, labels) -> share of pictures whose best label is accepted, with its interval."""
    best = scores.argmax(1).tolist()
    return str(wilson(sum(f in a for f, a in zip(best, pictures.accepted, strict=True)), len(best)))


def main(config: VisionEvaluation) -> None:
    torch.set_num_threads(config.threads)
    rng = np.random.default_rng(0)
    train = with_sounds(load_core(config.data, "train"), config.data, config.per_class, rng)
    held_out = held_out_sets(config, rng)
    labels = sound_labels(config.data)
    config.run.mkdir(parents=True, exist_ok=True)
    to_sound = torch.from_numpy(imagenet_to_sound(config.data, labels))
    sizes = [f"{name} (n={len(pictures.pictures)})" for name, pictures in held_out.items()]
    print(table_header("network", *sizes, f"both halves (n={config.pairs})", "by 1,000 classes, core"))
    for name, maps_of, classes in networks(config):
        probe = fit_probe(means(maps_of, train.pictures), train.targets, len(labels))
        cells, by_classes = {}, "-"
        for key, pictures in held_out.items():
            features = means(maps_of, pictures.pictures)
            cells[key] = share_right(probe(features), pictures)
            if key == "core" and classes is not None:
                posterior = torch.softmax(features @ classes[0].T + classes[1], dim=1)
                by_classes = share_right(posterior @ to_sound, pictures)
        hits = both_halves(maps_of, probe, held_out["core"], np.random.default_rng(1), config.pairs)
        both = str(wilson(hits, config.pairs))
        print(table_row(name, *cells.values(), both, by_classes), flush=True)
        row = {"network": name, "cells": cells, "both": both, "by_classes": by_classes}
        with (config.run / "evaluate_vision.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    run(main, VisionEvaluation, __doc__)
