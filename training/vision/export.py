"""Write a stage of `train_vision` as the checkpoint that the product loads: config.json and model.safetensors (fp16).

    python -m training.vision.export --run runs/vision --stage end_to_end --out checkpoints/vision

`classifier` becomes the layer that reads the teacher's 1,000 logits from the student's coordinates (ridge regression,
see train_vision.Ridge): 1,000 visual prototypes in wnid order.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from synesthesia.nn.quantised import SCALE, quantise
from training.vision.train import Ridge

CONFIG = {
    "architecture": "mobilenetv2_100",
    "patch_px": 16,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "same_padding": True,
    "num_classes": 1000,
}


def main(run: Path, stage: str, out: Path) -> None:
    tensors = load_file(run / f"{stage}.safetensors")
    ridge = Ridge()
    ridge.xx, ridge.xy, ridge.count = tensors["ridge.xx"], tensors["ridge.xy"], tensors["ridge.count"]
    net = {k[4:]: v for k, v in tensors.items() if k.startswith("net.") and not k.endswith("num_batches_tracked")}
    net["classifier.weight"], net["classifier.bias"] = ridge.solve()
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--stage", choices=("blocks", "end_to_end"), default="end_to_end")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    main(args.run, args.stage, args.out)
