"""Export a stage of `training.vision.train` as the product's checkpoint: config.json, model.safetensors (float16).

    python -m training.vision.export --run runs/vision --stage end_to_end --out checkpoints/vision

`classifier` becomes the layer that reads the teacher's 1,000 logits from the student's coordinates (ridge regression,
see `logit_regression`): 1,000 visual prototypes in wnid order.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file, save_file

from synesthesia.nn.quantised import SCALE, quantise
from training.common.cli import run
from training.vision.logit_regression import LogitRegression

CONFIG = {
    "architecture": "mobilenetv2_100",
    "patch_px": 16,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "same_padding": True,
    "num_classes": 1000,
}


@dataclass(frozen=True)
class VisionExport:
    run: Path
    out: Path
    stage: Literal["blocks", "end_to_end"] = "end_to_end"


def main(config: VisionExport) -> None:
    tensors = load_file(config.run / f"{config.stage}.safetensors")
    net = {k[4:]: v for k, v in tensors.items() if k.startswith("net.") and not k.endswith("num_batches_tracked")}
    net["classifier.weight"], net["classifier.bias"] = LogitRegression(tensors).solve()
    out = config.out
    out.mkdir(parents=True, exist_ok=True)
    # statistics stay exact
    halves = {k: (v.half() if v.ndim > 1 else v).contiguous() for k, v in net.items()}
    worst = max(((v.float() - net[k]).abs().max() / (net[k].abs().max() + 1e-12)).item() for k, v in halves.items())
    assert worst < 1e-3 and all(torch.isfinite(v).all() for v in halves.values()), "half precision does not hold these"
    matrix = "classifier.weight"  # for training and figures alone: the product asks for no class
    halves[matrix], halves[matrix + SCALE] = quantise(net[matrix])
    save_file(halves, out / "model.safetensors")
    (out / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    size = (out / "model.safetensors").stat().st_size / 1e6
    print(f"{out / 'model.safetensors'}: {size:.1f} MB, largest rounding {worst:.1e}")


if __name__ == "__main__":
    run(main, VisionExport, __doc__)
