"""Train path `flow` stage by stage: rectified flow, retrieval index, latent regression (`mlp`), prior from pictures.

    python -m training.image_to_sound.train --data DIR --out checkpoints/mapper                    # all stages
    python -m training.image_to_sound.train --data DIR --out checkpoints/mapper --stage prior      # new vision network
    torchrun --nproc-per-node 2 -m training.image_to_sound.train --data DIR --out checkpoints/mapper    # two cores

Stages: flow (see `training.image_to_sound.train_flow`; an hour on one core), memory (the index of training sounds),
mlp (minutes), prior (minutes). `--preset hub` reads pictures with DINOv2, which names no classes.
Several processes share flow and mlp; index and prior are made by the first one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from safetensors.torch import load_file

from synesthesia.audio.mel import MelPatches
from synesthesia.audio.tagger import AudioTagger
from synesthesia.image_to_sound.generator import GeneratorConfig
from synesthesia.image_to_sound.retrieval import SoundIndex
from training.common.cli import run
from training.common.fit import start
from training.common.report import write_json
from training.image_to_sound import train_flow, train_prior
from training.image_to_sound.train_mlp import train_mlp
from training.image_to_sound.training_sounds import TrainingSounds, load_training_sounds

Stage = Literal["flow", "memory", "mlp", "prior"]


@dataclass(frozen=True, kw_only=True)
class MapperTraining(train_prior.PriorTraining):
    stage: Literal[Stage, "all"] = "all"
    ear: Path = Path("checkpoints/ear")  # the audio tagger
    flow_minutes: float = 65.0
    mlp_minutes: float = 4.0
    threads: int = 1


def write_index(sounds: TrainingSounds, out: Path) -> None:
    """The training split's rows of the index, and config.json."""
    rows = torch.from_numpy(sounds.train)
    index = sounds.index
    entries = tuple(index.entries[int(i)] for i in rows)
    SoundIndex(entries, index.embeddings[rows], index.descriptors[rows]).save(out)
    fields = {"voice": GeneratorConfig(), "labels": list(sounds.labels)}
    write_json(out / "config.json", fields)


def main(config: MapperTraining) -> None:
    accelerator, _ = start(config.seed, cpu=True)
    torch.set_num_threads(config.threads)
    stages = get_args(Stage) if config.stage == "all" else (config.stage,)
    config.out.mkdir(parents=True, exist_ok=True)
    if "flow" in stages:
        train_flow.main(train_flow.FlowTraining(
            data=config.data, out=config.out, ear=config.ear, cache=config.cache, minutes=config.flow_minutes,
            threads=config.threads))  # fmt: skip
    sounds = load_training_sounds(config.data, config.cache, AudioTagger.load(config.ear))
    if "memory" in stages and accelerator.is_main_process:
        write_index(sounds, config.out)
    if "mlp" in stages:
        patches = MelPatches()
        patches.load_state_dict(load_file(config.out / "patches.safetensors"))
        train_mlp(sounds, patches, config.out, config.mlp_minutes, config.seed)
    if "prior" in stages and accelerator.is_main_process:
        train_prior.main(config)


if __name__ == "__main__":
    run(main, MapperTraining, __doc__)
