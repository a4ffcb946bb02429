"""Train the language path: a picture language model that thinks about a click, and the audio head that hears it think.

    python -m training.train_language --stage see     --data DIR --runs runs/language_path             # minutes
    python -m training.train_language --stage thinker --data DIR --out checkpoints/thinker --minutes 20
    python -m training.train_language --stage decoder --data DIR --out checkpoints/token_decoder --minutes 90
    accelerate launch -m training.train_language --stage decoder ...                                   # many processes

`see` looks at the training pictures once. `thinker` teaches the tiny Qwen3-VL to know what sounds at a box: the hidden
state of <think_sound> must tell which sounds belong there, and those of the picture tokens which belong to each; the
linear reader is thrown away. `decoder` teaches the audio head by cross-entropy on sound tokens alone, both ears in
turn, with LoRA on the language model's queries and values; a small loss on where its last layer looks keeps it at the
box.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia import presets
from synesthesia.audio.mel_tokens import MelTokens
from synesthesia.hearing.token_decoder import Memory, TokenDecoder, TokenDecoderConfig, Written
from synesthesia.language.picture_model import load_tiny, save_tiny, tiny, tiny_config
from synesthesia.language.thinker import Thinker, Thought
from synesthesia.language.trained import LoraSettings, add_lora
from synesthesia.quantised import save_quantised
from synesthesia.spatial.compact_head import CompactHead
from training.audio_data import SoundStore, read_manifest
from training.clicked_sounds import Clicks, Sounds, click
from training.run_log import Clock, Ema, JsonlLog, cosine_rate, load_state, random_stream, save_state
from training.seen_pictures import SeenStore, see
from training.together import steps
from training.tower_start import begin_with_kinds
from training.train_prior import classifier

STAGES = ("see", "thinker", "decoder")
DENSE = 0.5  # weight of what the picture tokens say beside what <think_sound> says
LOOK = 0.1  # weight of where the audio head looks
LEAD = 0.1  # weight of the time between the ears


@dataclass(frozen=True)
class LanguagePathTraining:
    data: Path
    out: Path = Path("runs/language_path/out")
    runs: Path = Path("runs/language_path")
    cache: Path = Path("runs/cache")
    thinker: Path = Path("checkpoints/thinker")
    tokens: Path = Path("checkpoints/mel_tokens")
    head: Path = Path("checkpoints/head")
    stage: str = "decoder"
    pictures: int = 1_600
    tiny: int = 1_600  # more of 64 px: blurred, but of kinds that few others show
    minutes: float = 20.0
    steps: int = 1_000_000
    clicks: int = 24  # a step and process
    sounds: int = 4  # of the decoder's, for each of the clicks
    frames: tuple[int, ...] = (50, 100)  # of 40 ms, of an excerpt
    rate: float = 1e-3
    lora_rate: float = 2e-4
    untold: float = 0.1  # of clicks whose thought is withheld, for guidance
    ema: float = 0.998
    seed: int = 0
    bf16: bool = True
    limit: int = 0


class Reader(nn.Module):
    """The thinker with a linear reader of what sounds: scores (B, voices) of the click and (patches, voices)."""

    def __init__(self, thinker: Thinker, voices: int) -> None:
        super().__init__()
        self.thinker, self.read = thinker, nn.Linear(thinker.width, voices)

    def forward(self, clicks: Clicks) -> tuple[Tensor, Tensor]:
        thought = self.thinker([sight.seen for sight in clicks.sights], clicks.boxes)
        return self.read(thought.states[:, -1].float()), self.read(thought.states[thought.patches].float())


class Speaker(nn.Module):
    """The thinker and the audio head in one: clicks and codes -> logits."""

    def __init__(self, thinker: Thinker, decoder: TokenDecoder) -> None:
        super().__init__()
        self.thinker, self.decoder = thinker, decoder

    def forward(self, clicks: Clicks, codes: Tensor, told: Tensor) -> tuple[Written, Thought]:
        """codes: (B N, 2, K, F), N sounds of each of the B clicks; told: (B N,) bool, the others get the memory of no
        thought. The thought comes back N times as well."""
        thought = self.thinker([sight.seen for sight in clicks.sights], clicks.boxes)
        which = torch.arange(len(clicks.sights), device=codes.device)
        which = which.repeat_interleave(len(codes) // len(clicks.sights))
        memory = withheld(self.decoder.memory(thought).rows(which), self.decoder, told)
        return self.decoder(memory, codes), thought.rows(which)


def withheld(memory: Memory, decoder: TokenDecoder, told: Tensor) -> Memory:
    """Where `told` (B,) is False nothing but the learned memory of no thought is left, in the first place."""
    nothing = decoder.no_memory(1)
    keep = told[:, None, None, None]

    def first(mine: Tensor, theirs: Tensor) -> Tensor:
        return torch.where(keep, mine, F.pad(theirs, (0, 0, 0, mine.shape[2] - 1)))

    hidden = torch.full_like(memory.mask, -1e9)
    hidden[..., 0] = 0.0
    return Memory(
        tuple(first(*pair) for pair in zip(memory.keys, nothing.keys, strict=True)),
        tuple(first(*pair) for pair in zip(memory.values, nothing.values, strict=True)),
        torch.where(keep, memory.mask, hidden), memory.patches & told[:, None],
    )  # fmt: skip


def thinker_loss(reader: Reader, clicks: Clicks) -> Tensor:
    """Cross-entropy at <think_sound>, and at every picture token against its own cell."""
    said, dense = reader(clicks)
    cells = torch.cat([sight.wanted.flatten(0, 1) for sight in clicks.sights]).to(dense.device)
    main = -(clicks.wanted * said.log_softmax(dim=1)).sum(dim=1).mean()
    return main - DENSE * (cells * dense.log_softmax(dim=1)).sum(dim=1).mean()


def decoder_loss(written: Written, thought: Thought, clicks: Clicks, codes: Tensor, lead_s: Tensor, told: Tensor,
                 config: TokenDecoderConfig) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(total, cross-entropy of the tokens)."""
    wanted = codes.permute(0, 3, 1, 2).flatten(1, 2)  # (B, P, K)
    speech = F.cross_entropy(written.codes.float().flatten(0, 2), wanted.flatten())
    classes = (lead_s / config.lead_step_s).round().long() + config.leads // 2
    lead = F.cross_entropy(
        written.lead.float().flatten(0, 1), classes[:, None].expand(written.lead.shape[:2]).flatten(), reduction="none"
    )
    lead = (lead.unflatten(0, written.lead.shape[:2]).mean(dim=1) * told).sum() / told.sum().clamp(min=1)
    at, boxes = thought.at, clicks.boxes
    inside = thought.patches & near(at, boxes)
    looks = written.looks.float() * thought.patches[:, None]
    share = (looks * inside[:, None]).sum(dim=2) / looks.sum(dim=2).clamp(min=1e-6)  # (B, P)
    look = (-(share.clamp(min=1e-3)).log().mean(dim=1) * told).sum() / told.sum().clamp(min=1)
    return speech + LEAD * lead + LOOK * look, speech.detach()


def near(at: Tensor, boxes: Tensor, margin: float = 0.1) -> Tensor:
    """(B, S, 2) places, (B, 4) boxes -> (B, S) bool: in the box, or within `margin` of the picture around it."""
    return ((at >= boxes[:, None, :2] - margin) & (at <= boxes[:, None, 2:] + margin)).all(dim=2)


def look_at_pictures(config: LanguagePathTraining) -> SeenStore:
    from synesthesia.audio.codec import LatentCodec
    from synesthesia.hearing.direct import Hearing
    from synesthesia.vision.backbone import PatchEncoder
    from training.patch_features import Targets, choose

    preset = presets.embedded()
    hearing = Hearing.load(preset.hearing, LatentCodec.load(preset.codec))
    targets = Targets(config.data, list(hearing.voice.ear.labels))
    rng = np.random.default_rng(config.seed)
    pictures = choose(config.data, False, config.pictures, rng, lambda *key: bool(targets.pairs.get(key)))
    pictures += choose(config.data, True, config.tiny, rng, lambda *key: bool(targets.pairs.get(key)))
    return see(pictures, PatchEncoder.load(preset.vision), hearing, targets, config.runs / "seen")


def train_thinker(config: LanguagePathTraining) -> Thinker:
    torch.manual_seed(config.seed)
    accelerator, rng = started("thinker", config)
    store = SeenStore(config.runs / "seen")
    numbers = store.merged.shape[1]
    thinker = tiny(tiny_config(numbers // 3))
    sample = np.sort(rng.choice(len(store.merged), min(4_000, len(store.merged)), replace=False))
    cells, kinds = torch.from_numpy(store.merged[sample].astype(np.float32)), classifier(presets.embedded())
    if kinds is not None and 3 * kinds.in_features == numbers:
        begin_with_kinds(thinker.model.visual, cells, kinds)
    else:
        thinker.model.visual.deviation.copy_(cells.std(0).clamp(min=1e-3))
    reader = Reader(thinker, store.labels.shape[1]).train()

    def losses(wrapped: nn.Module) -> tuple[Tensor, Tensor]:
        loss = thinker_loss(wrapped, click(store, config.clicks, rng).to(accelerator.device))
        return loss, loss.detach()

    groups = [{"params": list(reader.parameters()), "peak": config.rate}]
    if learn("thinker", reader, groups, losses, accelerator, config, "loss"):
        save_tiny(thinker.eval(), config.out)
    return thinker


def train_decoder(config: LanguagePathTraining) -> Speaker:
    torch.manual_seed(config.seed)
    accelerator, rng = started("decoder", config)
    pictures, sounds = SeenStore(config.runs / "seen"), recordings(config, rng)
    thinker = load_tiny(config.thinker)
    settings = LoraSettings()
    add_lora(thinker.model, settings)
    shape = TokenDecoderConfig(thought=thinker.width, tokens=sounds.tokens.config)
    speaker = Speaker(thinker, TokenDecoder(shape, sounds.tokens.to(accelerator.device))).train()
    lora = [p for name, p in thinker.named_parameters() if ".lora_" in name]
    for parameter in lora:
        parameter.requires_grad_(True)
    accelerator.print(table(speaker))

    def losses(wrapped: nn.Module) -> tuple[Tensor, Tensor]:
        frames = int(rng.choice(config.frames))
        clicks = click(pictures, max(2, config.clicks * min(config.frames) // frames), rng).to(accelerator.device)
        each = clicks.repeated(config.sounds)
        codes, lead_s = sounds.heard(each, frames / sounds.tokens.config.tokens_per_second)
        told = torch.from_numpy(rng.random(len(codes)) >= config.untold).to(codes.device)
        written, thought = wrapped(clicks, codes, told)
        return decoder_loss(written, thought, each, codes, lead_s, told, shape)

    groups = [{"params": list(speaker.decoder.parameters()), "peak": config.rate},
              {"params": lora, "peak": config.lora_rate}]  # fmt: skip
    if learn("decoder", speaker, groups, losses, accelerator, config, "token_loss"):
        save(speaker.eval(), settings, config.out)
    return speaker


def started(stage: str, config: LanguagePathTraining) -> tuple[Accelerator, np.random.Generator]:
    """The processes of a stage, and this one's own random numbers."""
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision="bf16" if config.bf16 else "no")
    return accelerator, random_stream(config.runs / stage, config.seed + 7919 * accelerator.process_index)


def learn(
    stage: str, module: nn.Module, groups: list[dict[str, Any]],
    losses: Callable[[nn.Module], tuple[Tensor, Tensor]], accelerator: Accelerator, config: LanguagePathTraining,
    logged: str,
) -> bool:  # fmt: skip
    """Steps of AdamW until the time is over, taken up where they stopped. losses: of the prepared module -> (what is
    descended, what is logged). True in the process that saves: its module then holds the running average."""
    runs, first = config.runs / stage, accelerator.is_main_process
    module.to(accelerator.device)
    optimiser = torch.optim.AdamW(
        [group | {"lr": group["peak"]} for group in groups], betas=(0.9, 0.98), weight_decay=0.05
    )
    ema = Ema(module, config.ema)
    step, spent_s = load_state(runs, {stage: module}, {stage: optimiser}, ema)
    ema.values = {name: value.to(accelerator.device) for name, value in ema.values.items()}
    wrapped, prepared = accelerator.prepare(module, optimiser)
    clock, log = Clock(config.minutes, config.steps, spent_s, step), JsonlLog(runs if first else None)
    seen: list[float] = []
    for step, progress in steps(clock):
        for group in prepared.param_groups:
            group["lr"] = cosine_rate(progress, group["peak"])
        loss, value = losses(wrapped)
        prepared.zero_grad(set_to_none=True)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_([p for p in module.parameters() if p.requires_grad], 1.0)
        prepared.step()
        ema.update(module)
        seen.append(float(value))
        if first and step % 50 == 0:
            log.write(**{"step": step, "progress": progress, logged: float(np.mean(seen))})
            seen = []
        if first and step % 500 == 499:
            save_state(runs, {stage: module}, {stage: prepared.optimizer}, ema, clock)
    if first:
        save_state(runs, {stage: module}, {stage: prepared.optimizer}, ema, clock)
        module.load_state_dict(ema.values)
    return bool(first)


def recordings(config: LanguagePathTraining, rng: np.random.Generator) -> Sounds:
    """Training recordings of the labels that the prior knows."""
    clips = read_manifest(config.data)[: config.limit or None]
    labels = json.loads((Path("checkpoints/mapper") / "config.json").read_text(encoding="utf-8"))["labels"]
    rows = [row for row, clip in enumerate(clips) if clip.split == "train"]
    store, head = SoundStore(config.data, clips, config.cache), CompactHead.load(config.head)
    return Sounds(store, rows, labels, head, MelTokens.load(config.tokens), rng)


def table(speaker: Speaker) -> str:
    """Parameters by part, and how many of them train."""
    counted = {part: [0, 0] for part in ("eyes' merger", "language model", "LoRA", "audio head")}
    for name, parameter in speaker.named_parameters():
        part = "audio head" if name.startswith("decoder.") else "LoRA" if ".lora_" in name else "language model"
        part = "eyes' merger" if ".visual." in name else part
        counted[part][0] += parameter.numel()
        counted[part][1] += parameter.numel() if parameter.requires_grad else 0
    rows = [f"{part:16} {every:>12,} {some:>12,}" for part, (every, some) in counted.items()]
    return "\n".join([f"{'part':16} {'parameters':>12} {'trainable':>12}", *rows])


def save(speaker: Speaker, settings: LoraSettings, folder: Path) -> None:
    """config.json and model.safetensors (eight bits): the audio head, and LoRA under "lora."."""
    folder.mkdir(parents=True, exist_ok=True)
    fields = {"decoder": asdict(speaker.decoder.config), "lora": asdict(settings)}
    (folder / "config.json").write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")
    lora = {f"lora.{name}": value for name, value in speaker.thinker.state_dict().items() if ".lora_" in name}
    save_quantised(speaker.decoder.state_dict() | lora, folder / "model.safetensors")


def main(config: LanguagePathTraining) -> None:
    stages = {"see": look_at_pictures, "thinker": train_thinker, "decoder": train_decoder}
    stages[config.stage](config)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--stage", choices=STAGES, required=True)
    for name in ("out", "runs", "cache", "thinker", "tokens"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("steps", "clicks", "sounds", "pictures", "tiny", "limit", "seed"):
        parser.add_argument(f"--{name}", type=int)
    for name in ("minutes", "rate"):
        parser.add_argument(f"--{name}", type=float)
    given = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    main(LanguagePathTraining(**given))
