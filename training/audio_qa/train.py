"""Teach a frozen audio language model one more token: where the sound stood.

    python -m training.audio_qa.train --data DIR --stage 1 --out runs/spatial_1 --minutes 20                # tiny, CPU
    python -m training.audio_qa.train --data DIR --stage 2 --first runs/spatial_1 --out checkpoints/spatial_token
    accelerate launch -m training.audio_qa.train --preset hub --data DIR --stage 1 --out runs/spatial_hub   # GPUs
    python -m training.audio_qa.train --data DIR --stage 1 --out runs/smoke --minutes 0.2 --bank 60         # smoke run

Stage 1 trains the projector, and the extractor when asked to, against the language model's loss on the answers; the
audio tower, its projector and the language model are frozen. Before that, for some minutes without a language model,
the projector learns to tell directions (`warm_projector`). Stage 2 adds LoRA on the language model's queries and
values. Clips are drawn as for the localiser: training recordings through training heads. On the hub's model the rates
are 1e-4, then 5e-5 and 2e-5 for LoRA; the tiny one is given thirty times as much, because it is taught for minutes.
The extractor is the localiser's and stays as it is by default: it has met the truth in degrees.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio_qa.prompt import encode
from synesthesia.audio_qa.qwen2_audio import AudioLM, load_hub, load_tiny
from synesthesia.audio_qa.spatial_qwen2_audio import SpatialQwen2Audio
from synesthesia.core import presets
from synesthesia.localization.cues import BinauralCues
from synesthesia.localization.encoder import SpatialEncoder, Stretches
from synesthesia.localization.localizer import Localizer
from synesthesia.nn.lora import LoraSettings, add_lora, load_trained, save_trained
from training.audio_qa.questions import KINDS, Exchange
from training.audio_qa.spoken_scenes import ask, draw
from training.audio_qa.train_language_model import SECONDS, SHARES, material
from training.audio_qa.warm_projector import warm
from training.binaural.scenes import Batch, Scenes
from training.common import distributed
from training.common.fit import processes
from training.common.run_state import JsonlLog, TimeBudget, cosine_rate


@dataclass(frozen=True)
class SpatialTraining:
    data: Path
    out: Path
    stage: int = 1
    preset: str = "embedded"
    first: Path | None = None  # folder of a stage 1, for stage 2
    language: Path = Path("checkpoints/language")
    localiser: Path = Path("checkpoints/localiser")
    ear: Path = Path("checkpoints/ear")
    head: Path = Path("checkpoints/head")
    runs: Path = Path("runs/spatial")
    cache: Path = Path("runs/cache")
    minutes: float = 20.0
    steps: int = 1_000_000
    bank: int = 14_400
    clips: int = 24  # a step and process
    questions: int = 3  # about a clip
    train_extractor: bool = False
    warm_minutes: float = 4.0  # of stage 1, before its own clock starts
    boost: float = 30.0  # of the rates, for the tiny model; the hub's has 1
    weight_decay: float = 0.01
    second_share: float = 0.3
    seed: int = 0
    bf16: bool = True
    limit: int = 0

    @property
    def state(self) -> Path:
        """Where this stage keeps what it has learnt so far."""
        return self.runs / f"stage_{self.stage}"

    @property
    def rates(self) -> tuple[float, float]:
        """Peak learning rates of projector (and extractor), and of LoRA."""
        boost = self.boost if self.preset == "embedded" else 1.0
        return (1e-4 * boost, 0.0) if self.stage == 1 else (5e-5 * boost, 2e-5 * boost)


@dataclass(frozen=True)
class Asked:
    """Clips and questions. waveform: (B, 2, n); mel, mask: the tower's input; rows: (Q,) the clip a question is about;
    the rest as `prompt.Encoded`."""

    waveform: Tensor
    mel: Tensor
    mask: Tensor
    rows: Tensor
    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> Asked:
        return Asked(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


class Trainee(nn.Module):
    """Everything between two ears and the loss, as one module: what `accelerate` spreads over devices."""

    def __init__(self, model: SpatialQwen2Audio, cues: BinauralCues, extractor: SpatialEncoder) -> None:
        super().__init__()
        self.model, self.cues, self.extractor = model, cues, extractor

    def token(self, waveform: Tensor) -> Tensor:
        """(B, 2, n) -> (B, 256)."""
        with torch.no_grad():
            cues = self.cues(waveform)
        cells = self.extractor(cues)
        return self.extractor.token(cells, Stretches.whole(cells[0].scores.shape[1]))[0][:, 0]

    def forward(self, asked: Asked) -> Tensor:
        """The loss on the answers."""
        counts = self.model.audio_tokens(asked.mask)
        with torch.no_grad():
            heard = self.model.audio_embeddings(asked.mel, asked.mask).split(counts)
        every = torch.cat([heard[int(row)] for row in asked.rows])
        embeds = self.model.place(asked.input_ids, every, self.token(asked.waveform)[asked.rows])
        out = self.model(inputs_embeds=embeds, attention_mask=asked.attention_mask, labels=asked.labels)
        loss: Tensor = out.loss
        return loss


def foundation_of(config: SpatialTraining) -> AudioLM:
    if config.preset == "embedded":
        return load_tiny(config.language, AudioTagger.load(config.ear))
    language = presets.hub().language
    return load_hub(language.weights.hub_id, language.weights.revision)


def trainable(trainee: Trainee, config: SpatialTraining) -> list[dict[str, object]]:
    """Freezes all but this stage's parameters; gives the optimiser's groups."""
    trainee.requires_grad_(False)
    projector, lora = [], []
    for name, parameter in trainee.named_parameters():
        own = name.removeprefix("model.")
        if ".lora_" in name and config.stage == 2:
            lora.append(parameter.requires_grad_(True))
        elif own.startswith("spatial_projector.") or (config.train_extractor and name.startswith("extractor.")):
            projector.append(parameter.requires_grad_(True))
    for parameter in [*projector, *lora]:
        parameter.data = parameter.data.float()  # small steps would vanish in the hub model's bfloat16
    rates = config.rates
    groups: list[dict[str, object]] = [{"params": projector, "lr": rates[0], "peak": rates[0]}]
    return groups + ([{"params": lora, "lr": rates[1], "peak": rates[1]}] if lora else [])


def table(trainee: Trainee) -> str:
    """Parameters by part, and how many of them train."""
    parts = {
        "extractor": "extractor.", "projector": "model.spatial_projector.", "audio tower": "model.model.audio_tower.",
        "audio projector": "model.model.multi_modal_projector.", "language model": "model.",
    }  # fmt: skip
    counted = {part: [0, 0] for part in (*parts, "LoRA")}
    for name, parameter in trainee.named_parameters():
        part = "LoRA" if ".lora_" in name else next(part for part, prefix in parts.items() if name.startswith(prefix))
        counted[part][0] += parameter.numel()
        counted[part][1] += parameter.numel() if parameter.requires_grad else 0
    counted["total"] = [sum(values) for values in zip(*counted.values(), strict=True)]
    rows = [f"{part:16} {every:>14,} {some:>14,}" for part, (every, some) in counted.items()]
    return "\n".join([f"{'part':16} {'parameters':>14} {'trainable':>14}", *rows])


def heard(scenes: Scenes, config: SpatialTraining) -> Batch:
    """Clips whose direction is told to the projector alone."""
    batch = scenes.draw(config.clips, float(scenes.rng.choice(SECONDS, p=SHARES)), config.second_share)
    return batch.mirrored(torch.from_numpy(scenes.rng.random(config.clips) < 0.5))


def questions(
    foundation: AudioLM, config: SpatialTraining, scenes: Scenes, rng: np.random.Generator
) -> Iterator[Asked]:
    """Endless batches."""
    while True:
        spoken = draw(scenes, config.clips, float(rng.choice(SECONDS, p=SHARES)), config.second_share)
        mel, mask = foundation.front(spoken.mono)
        rows = [row for row in range(config.clips) for _ in range(config.questions)]
        asked: list[Exchange] = [ask(spoken.truths[row], rng, KINDS) for row in rows]
        counts = foundation.model.audio_tokens(mask)
        batch = encode(
            foundation.tokenizer, [counts[row] for row in rows], [e.question for e in asked],
            [e.answer for e in asked], spatial=True, preamble=foundation.preamble,
        )  # fmt: skip
        assert batch.labels is not None
        yield Asked(
            spoken.waveform, mel, mask, torch.tensor(rows), batch.input_ids, batch.attention_mask, batch.labels
        )  # fmt: skip


def resume(config: SpatialTraining, foundation: AudioLM) -> LoraSettings:
    """Where the last run or stage 1 ended, when there is one; LoRA is laid over for stage 2."""
    settings = LoraSettings(rank=0)
    for folder in (config.state, config.first):
        if folder is not None and (folder / "model.safetensors").is_file():
            settings = load_trained(foundation.model, folder)
            break
    if config.stage == 2 and settings.rank == 0:
        settings = LoraSettings()
        add_lora(foundation.model, settings)
    return settings


def main(config: SpatialTraining) -> AudioLM:
    """Train, go on from `runs` if it holds something, save to `out`; returns the foundation with what was trained."""
    torch.manual_seed(config.seed)
    accelerator = processes(config.bf16)
    rng = np.random.default_rng([config.seed, config.stage, accelerator.process_index])
    foundation = foundation_of(config)
    settings = resume(config, foundation)
    localiser = Localizer.load(config.localiser)
    trainee = Trainee(foundation.model, localiser.cues, localiser.extractor)
    groups = trainable(trainee, config)
    optimiser = torch.optim.AdamW(groups, weight_decay=config.weight_decay)
    trainee, optimiser = accelerator.prepare(trainee, optimiser)
    trainee.train()
    accelerator.unwrap_model(trainee).extractor.train(config.train_extractor)
    log = JsonlLog(config.runs if accelerator.is_main_process else None)
    accelerator.print(table(accelerator.unwrap_model(trainee)))
    seed = config.seed + accelerator.process_index
    scenes = material(
        config.data, config.cache, config.head, AudioTagger.load(config.ear), config.bank, config.limit, seed, rng
    )
    plain = accelerator.unwrap_model(trainee)
    if config.stage == 1 and config.warm_minutes > 0 and not (config.state / "model.safetensors").is_file():
        warm(plain.model.spatial_projector, plain.token, lambda: heard(scenes, config), config.warm_minutes, log)
    batches, losses = questions(foundation, config, scenes, rng), []
    asked = next(batches)  # the bank of responses is made before the clock starts
    clock = TimeBudget(config.minutes, config.steps)
    for step, progress in distributed.steps(clock):
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(progress, group["peak"])
        loss = trainee(asked.to(accelerator.device))
        optimiser.zero_grad(set_to_none=True)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_([p for p in trainee.parameters() if p.requires_grad], 1.0)
        optimiser.step()
        asked = next(batches)
        losses.append(float(loss.detach()))
        if step % 50 == 0 and accelerator.is_main_process:
            log.write(step=step, progress=progress, loss=float(np.mean(losses)))
            losses = []
        if step % 500 == 499 and accelerator.is_main_process:
            save_trained(foundation.model, settings, config.state)
    foundation.model.eval()
    if accelerator.is_main_process:
        save_trained(foundation.model, settings, config.out)
        if config.train_extractor:
            localiser.eval().save(config.out / "localiser")
    return foundation


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", choices=("embedded", "hub"))
    parser.add_argument("--train-extractor", action="store_true", default=None)
    for name in ("first", "language", "localiser", "runs", "cache"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("stage", "steps", "bank", "limit", "seed", "clips", "questions"):
        parser.add_argument(f"--{name}", type=int)
    for name in ("minutes", "boost", "warm_minutes"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=float)
    given = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    main(SpatialTraining(**given))
