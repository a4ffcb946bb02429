"""Train everything of the direct path that is not the flow: memory, `mlp`, and the prior from pictures to sounds.

    python -m training.image_to_sound.train --data DATA --out checkpoints/mapper                  # all: flow, memory, mlp,
    prior python -m training.image_to_sound.train --data DATA --out checkpoints/mapper --stage prior    # after a better vision
    network python -m training.image_to_sound.train --data DATA --out runs/m --stage prior --pictures 200 # CPU smoke run
    accelerate launch --module training.image_to_sound.train --data DATA --out checkpoints/mapper # many devices (the flow)

Stages: flow (see `training.image_to_sound.train_flow`; an hour on one core), memory (the index of training sounds), mlp (minutes),
prior (minutes). `--preset hub` reads pictures with DINOv2 and learns its prototypes from scratch.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

from synesthesia.audio.tagger import AudioTagger
from synesthesia.image_to_sound.generator import GeneratorConfig
from synesthesia.image_to_sound.mel_patches import MelPatches
from synesthesia.image_to_sound.retrieval import SoundIndex
from training.image_to_sound import train_flow, train_prior
from training.image_to_sound.sound_memory import SoundMemory, remember
from training.image_to_sound.train_mlp import train_mlp

STAGES = ("flow", "memory", "mlp", "prior")


@dataclass(frozen=True)
class Config:
    data: Path
    out: Path
    stage: str = "all"
    preset: str = "embedded"
    ear: Path = Path("checkpoints/ear")
    cache: Path = Path("runs/cache")
    flow_minutes: float = 65.0
    mlp_minutes: float = 4.0
    pictures: int = 1500
    seed: int = 23
    threads: int = 1


def write_memory(memory: SoundMemory, out: Path) -> None:
    """The training split's rows of the index, and config.json."""
    rows = torch.from_numpy(memory.train)
    index = memory.index
    entries = tuple(index.entries[int(i)] for i in rows)
    SoundIndex(entries, index.embeddings[rows], index.descriptors[rows]).save(out)
    fields = {"voice": asdict(GeneratorConfig()), "labels": list(memory.labels)}
    (out / "config.json").write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")


def main(config: Config) -> None:
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    wanted = STAGES if config.stage == "all" else (config.stage,)
    config.out.mkdir(parents=True, exist_ok=True)
    if "flow" in wanted:
        train_flow.main(train_flow.Config(
            data=config.data, out=config.out, ear=config.ear, cache=config.cache, minutes=config.flow_minutes,
            threads=config.threads))  # fmt: skip
    memory = remember(config.data, config.cache, AudioTagger.load(config.ear))
    if "memory" in wanted:
        write_memory(memory, config.out)
    if "mlp" in wanted:
        patches = MelPatches()
        patches.load_state_dict(load_file(config.out / "patches.safetensors"))
        train_mlp(memory, patches, config.out, config.mlp_minutes, config.seed)
    if "prior" in wanted:
        train_prior.main(train_prior.Config(
            data=config.data, out=config.out, preset=config.preset, pictures=config.pictures, cache=config.cache,
            seed=config.seed))  # fmt: skip


def parse() -> Config:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stage", choices=("all", *STAGES), default="all")
    parser.add_argument("--preset", choices=("embedded", "hub"), default="embedded")
    parser.add_argument("--ear", type=Path, default=Path("checkpoints/ear"))
    parser.add_argument("--flow-minutes", type=float, default=65.0)
    parser.add_argument("--mlp-minutes", type=float, default=4.0)
    parser.add_argument("--pictures", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=1)
    return Config(**vars(parser.parse_args()))


if __name__ == "__main__":
    main(parse())
