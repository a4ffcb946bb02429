"""Fine-tune the vision network on sound labels (cross-entropy), or train it from random weights as a control.

    python -m training.vision.train_labels --data DIR --out FILE --minutes 10                              # control
    python -m training.vision.train_labels --data DIR --out FILE --start checkpoints/vision --lr 3e-4      # fine-tuning
    python -m training.vision.train_labels --data DIR --out runs/smoke.safetensors --steps 2 --limit 600   # smoke run

Every picture with a direct sound teaches that sound label (cross-entropy, label smoothing 0.1), classes balanced by the
root of their counts, 128 px crops. `training.vision.evaluate --labels-only FILE` puts it into the table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from training.common.cli import run
from training.common.fit import Learner, Step, TrainConfig, all_parameters, fit, start
from training.common.pairs import sound_labels
from training.common.pictures import load_core, load_tiny, random_crop
from training.vision.labelled_pictures import with_sounds
from training.vision.units import as_input, new_student

CROP_PX, BATCH = 128, 48


@dataclass(frozen=True)
class LabelTraining:
    data: Path
    out: Path  # file of the weights
    minutes: float = 10.0
    steps: int | None = None  # instead of minutes
    limit: int | None = None  # pictures, for tests
    seed: int = 0
    threads: int = 1
    start: Path | None = None  # folder of a distilled network; none: random weights
    lr: float = 3e-3


def main(config: LabelTraining) -> float:
    """Trains and writes the weights; returns the last mean loss."""
    accelerator, rng = start(config.seed, cpu=True)
    torch.set_num_threads(config.threads)
    pictures = load_core(config.data, "train", config.limit) + load_tiny(config.data, "train", config.limit)
    labelled = with_sounds(pictures, config.data, per_class=400, rng=rng)
    targets = labelled.targets
    counts = torch.bincount(targets).clamp(min=1)
    weights = counts[targets].float().rsqrt().numpy().astype(np.float64)
    net = new_student(len(sound_labels(config.data))).to(memory_format=torch.channels_last).train()
    if config.start is not None:
        stored = load_file(config.start / "model.safetensors")
        body = {name: value.float() for name, value in stored.items() if not name.startswith("classifier")}
        missing, _ = net.load_state_dict(body, strict=False)
        assert all(k.startswith("classifier") or k.endswith("num_batches_tracked") for k in missing), missing

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        chosen = rng.choice(len(weights), BATCH, p=weights / weights.sum())
        crops = np.stack([random_crop(labelled.pictures[i].pixels, rng, CROP_PX, 0.25) for i in chosen])
        with torch.autocast("cpu", torch.bfloat16):
            scores = net(as_input(crops, "cpu"))
        loss = F.cross_entropy(scores.float(), targets[chosen], label_smoothing=0.1)
        return loss, {"loss": loss}

    learner = Learner(net, all_parameters(net, config.lr, 0.05), betas=(0.9, 0.999), clip_norm=float("inf"))
    budget = TrainConfig(minutes=math.inf if config.steps else config.minutes, steps=config.steps or 1_000_000)
    result = fit(budget, learner, step_loss, accelerator=accelerator)
    config.out.parent.mkdir(parents=True, exist_ok=True)
    body = {f"net.{k}": v.contiguous() for k, v in net.state_dict().items() if not k.startswith("classifier")}
    save_file(body, config.out)
    return result.values["loss"]


if __name__ == "__main__":
    run(main, LabelTraining, __doc__)
