"""Labels of the core pictures and Tiny-ImageNet: a third stage for the eyes, and, from nothing, their control.

    python -m training.vision.train_labels --data DIR --out runs/labels_only/labels.safetensors --minutes 10
    python -m training.vision.train_labels --data DIR --out runs/then/labels.safetensors --start checkpoints/vision --lr 3e-4
    python -m training.vision.train_labels --data DIR --out runs/smoke/labels.safetensors --steps 2 --limit 60    # smoke run

Every picture with a direct sound teaches that sound label (cross-entropy, label smoothing 0.1), classes balanced by the
root of their counts, 128 px crops. `training.vision.evaluate --labels-only FILE` puts it into the table.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from training.common.pairs import sound_labels
from training.common.pictures import load_core, load_tiny, random_crop
from training.vision.evaluate import sounding
from training.vision.train import as_input
from training.vision.units import new_student

CROP_PX, BATCH = 128, 48


def main(
    data: Path, out: Path, minutes: float = 10.0, steps: int | None = None, limit: int | None = None, seed: int = 0,
    threads: int = 1, start: Path | None = None, lr: float = 3e-3,
) -> float:  # fmt: skip
    """Trains and writes the weights; returns the last running loss. start: folder of distilled eyes to begin with."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    pictures = load_core(data, "train", limit) + load_tiny(data, "train", limit)
    shown = sounding(pictures, data, per_class=400, rng=rng)
    targets = shown.targets
    counts = torch.bincount(targets).clamp(min=1)
    weights = counts[targets].float().rsqrt().numpy().astype(np.float64)
    weights /= weights.sum()
    net = new_student(len(sound_labels(data))).to(memory_format=torch.channels_last).train()
    if start is not None:
        body = {
            k: v.float() for k, v in load_file(start / "model.safetensors").items() if not k.startswith("classifier")
        }
        missing, _ = net.load_state_dict(body, strict=False)
        assert all(k.startswith("classifier") or k.endswith("num_batches_tracked") for k in missing), missing
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=0.05)
    began, step, average = time.monotonic(), 0, 0.0
    while True:
        progress = step / steps if steps else (time.monotonic() - began) / (60 * minutes)
        if progress >= 1:
            break
        optimizer.param_groups[0]["lr"] = lr * min(1.0, (step + 1) / 100) * 0.5 * (1 + np.cos(np.pi * progress))
        chosen = rng.choice(len(weights), BATCH, p=weights)
        crops = np.stack([random_crop(shown.pictures[i].pixels, rng, CROP_PX, 0.25) for i in chosen])
        with torch.autocast("cpu", torch.bfloat16):
            scores = net(as_input(crops, "cpu"))
        loss = nn.functional.cross_entropy(scores.float(), targets[chosen], label_smoothing=0.1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        average = loss.item() if step == 0 else 0.98 * average + 0.02 * loss.item()
        step += 1
        if step % 50 == 0:
            print(json.dumps({"step": step, "progress": round(progress, 3), "loss": round(average, 4)}), flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    body = {f"net.{k}": v.contiguous() for k, v in net.state_dict().items() if not k.startswith("classifier")}
    save_file(body, out)
    return average


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start", type=Path, help="folder of distilled eyes; from nothing without it")
    parser.add_argument("--lr", type=float, default=3e-3)
    main(**vars(parser.parse_args()))
