"""The eyes alone: which sound a held-out picture makes, read by the same linear probe from every network's features.

    python -m training.vision.evaluate --data DIR --run runs/vision [--labels-only runs/labels_only/labels.safetensors]

Rows: the image teacher (upper bound), the student after each stage, a network trained on the labels alone, and the
same network at random. Columns: accuracy on each set's held-out pictures with a Wilson 95 % interval; pairs of
held-out pictures pasted side by side, each half read from its own features, right only when both are; and the way
through the 1,000 classes that the teacher's logits taught (no probe). Probes see training pictures only.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from synesthesia.evaluation.intervals import wilson
from training.common.pairs import imagenet_to_sound, sound_labels, sound_pairs
from training.common.pictures import Picture, centre_crop, load_core, load_tiny
from training.vision.image_teacher import ImageTeacher
from training.vision.probe import Probe, fit_probe
from training.vision.train import Ridge, as_input
from training.vision.units import new_student

MapOf = Callable[[np.ndarray], Tensor]  # (224, 224, 3) uint8 -> (7, 7, 1280)


@dataclass(frozen=True)
class Sounding:
    """Pictures that have a direct sound, with the index of each one's acceptable labels."""

    pictures: list[Picture]
    accepted: list[set[int]]

    @property
    def targets(self) -> Tensor:
        return torch.tensor([min(a) for a in self.accepted])


def sounding(pictures: list[Picture], data: Path, per_class: int, rng: np.random.Generator) -> Sounding:
    """Up to per_class pictures of every class with a direct (weight 1) sound."""
    pairs, place = sound_pairs(data), {label: i for i, label in enumerate(sound_labels(data))}
    by_class: dict[tuple[str, str], list[Picture]] = {}
    for picture in pictures:
        by_class.setdefault((picture.source, picture.label), []).append(picture)
    kept, accepted = [], []
    for key, members in by_class.items():
        direct = {place[s] for s, weight in pairs.get(key, {}).items() if weight >= 1}
        if direct:
            for index in rng.permutation(len(members))[:per_class]:
                kept.append(members[index])
                accepted.append(direct)
    return Sounding(kept, accepted)


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


def pasted(maps_of: MapOf, probe: Probe, held: Sounding, rng: np.random.Generator, count: int) -> int:
    """Of `count` pairs of pictures of different sounds side by side, how many have both halves read right."""
    right = 0
    done = 0
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


def networks(args: argparse.Namespace) -> list[tuple[str, MapOf, tuple[Tensor, Tensor] | None]]:
    """(name, maps, 1,000-class layer or None) of every row."""
    ridge = Ridge()
    rows: list[tuple[str, MapOf, tuple[Tensor, Tensor] | None]] = []
    for stage, name in (("blocks", "student, blocks only"), ("end_to_end", "student, blocks then end to end")):
        path = args.run / f"{stage}.safetensors"
        if path.exists():
            tensors = load_file(path)
            ridge.xx, ridge.xy, ridge.count = tensors["ridge.xx"], tensors["ridge.xy"], tensors["ridge.count"]
            net = {k[4:]: v for k, v in tensors.items() if k.startswith("net.")}
            rows.append((name, student_maps(net), ridge.solve()))
    for file, name in ((args.then_labels, "student, then labels"), (args.labels_only, "same network, labels only")):
        if file:
            body = load_file(file)
            net = new_student().state_dict() | {k[4:]: v for k, v in body.items() if k.startswith("net.")}
            rows.append((name, student_maps(net), None))
    torch.manual_seed(0)
    rows.append(("same network, random", student_maps(new_student().state_dict()), None))
    teacher = ImageTeacher(args.data)
    rows.insert(0, ("teacher (upper bound)", teacher_maps(teacher), ridge.solve() if float(ridge.count) else None))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--labels-only", type=Path, help="network of training.vision.train_labels from nothing")
    parser.add_argument(
        "--then-labels", type=Path, help="network of training.vision.train_labels that started distilled"
    )
    parser.add_argument("--per-class", type=int, default=30, help="training pictures of a class that the probe sees")
    parser.add_argument("--tiny", type=int, default=600, help="held-out 64-pixel pictures, 0 for none")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--only", help="rows whose name contains this (and the teacher)")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rng = np.random.default_rng(0)
    train = sounding(load_core(args.data, "train"), args.data, args.per_class, rng)
    held = {"core": sounding(load_core(args.data, "val"), args.data, 15, rng)}
    for source in sorted({p.source for p in held["core"].pictures}):
        chosen = [i for i, p in enumerate(held["core"].pictures) if p.source == source]
        held[source] = Sounding([held["core"].pictures[i] for i in chosen], [held["core"].accepted[i] for i in chosen])
    if args.tiny:
        tiny = load_tiny(args.data, "val")
        held["tiny"] = sounding([tiny[i] for i in rng.permutation(len(tiny))[: args.tiny]], args.data, 10, rng)
    labels = sound_labels(args.data)
    args.run.mkdir(parents=True, exist_ok=True)
    to_sound = torch.from_numpy(imagenet_to_sound(args.data, labels))
    print(
        "| network | "
        + " | ".join(f"{k} (n={len(v.pictures)})" for k, v in held.items())
        + f" | both halves (n={args.pairs}) | by 1,000 classes, core |"
    )
    print("|---" * (len(held) + 3) + "|")
    for name, maps_of, classes in networks(args):
        if args.only and args.only not in name and "teacher" not in name:
            continue
        probe = fit_probe(means(maps_of, train.pictures), train.targets, len(labels))
        cells, by_classes = [], "-"
        for key, those in held.items():
            features = means(maps_of, those.pictures)
            found = probe(features).argmax(1).tolist()
            cells.append(str(wilson(sum(f in a for f, a in zip(found, those.accepted, strict=True)), len(found))))
            if key == "core" and classes is not None:
                posterior = torch.softmax(features @ classes[0].T + classes[1], dim=1)
                found = (posterior @ to_sound).argmax(1).tolist()
                by_classes = str(wilson(sum(f in a for f, a in zip(found, those.accepted, strict=True)), len(found)))
        both = str(wilson(pasted(maps_of, probe, held["core"], np.random.default_rng(1), args.pairs), args.pairs))
        print(f"| {name} | " + " | ".join(cells) + f" | {both} | {by_classes} |", flush=True)
        with (args.run / "evaluate_vision.jsonl").open("a") as file:
            file.write(
                json.dumps(
                    {
                        "network": name,
                        "cells": dict(zip(held, cells, strict=True)),
                        "both": both,
                        "by_classes": by_classes,
                    }
                )
                + "\n"
            )


if __name__ == "__main__":
    main()
