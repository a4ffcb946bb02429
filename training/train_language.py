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
from dataclasses import asdict, dataclass
from pathlib import Path

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
    minutes: float = 20.0
    steps: int = 1_000_000
    clicks: int = 24  # a step and process
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
        """told: (B,) bool; the others get the memory of no thought."""
        thought = self.thinker([sight.seen for sight in clicks.sights], clicks.boxes)
        memory = withheld(self.decoder.memory(thought), self.decoder, told)
        return self.decoder(memory, codes), thought


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
    cells = torch.cat([(0.4 * sight.wishes + 0.6 * sight.labels).flatten(0, 1) for sight in clicks.sights])
    cells = cells / cells.sum(dim=1, keepdim=True).clamp(min=1e-6)
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
    return see(pictures, PatchEncoder.load(preset.vision), hearing, targets, config.runs / "seen")


def train_thinker(config: LanguagePathTraining) -> Thinker:
    torch.manual_seed(config.seed)
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision="bf16" if config.bf16 else "no")
    runs, rank = config.runs / "thinker", accelerator.process_index
    rng = random_stream(runs, config.seed + 7919 * rank)
    store = SeenStore(config.runs / "seen")
    numbers = store.merged.shape[1]
    thinker = tiny(tiny_config(numbers // 3))
    sample = np.sort(rng.choice(len(store.merged), min(4_000, len(store.merged)), replace=False))
    thinker.model.visual.deviation.copy_(
        torch.from_numpy(store.merged[sample].astype(np.float32)).std(0).clamp(min=1e-3)
    )
    reader = Reader(thinker, store.labels.shape[1]).train()
    optimiser = torch.optim.AdamW(reader.parameters(), lr=config.rate, betas=(0.9, 0.98), weight_decay=0.05)
    ema = Ema(reader, config.ema)
    step, spent_s = load_state(runs, {"reader": reader}, {"reader": optimiser}, ema)
    wrapped, optimiser = accelerator.prepare(reader, optimiser)
    clock, log = Clock(config.minutes, config.steps, spent_s, step), JsonlLog(runs if rank == 0 else None)
    losses: list[float] = []
    for step, progress in steps(clock):
        optimiser.param_groups[0]["lr"] = cosine_rate(progress, config.rate)
        loss = thinker_loss(wrapped, click(store, config.clicks, rng))
        optimiser.zero_grad(set_to_none=True)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(reader.parameters(), 1.0)
        optimiser.step()
        ema.update(reader)
        losses.append(float(loss.detach()))
        if rank == 0 and step % 50 == 0:
            log.write(step=step, progress=progress, loss=float(np.mean(losses)))
            losses = []
        if rank == 0 and step % 500 == 499:
            save_state(runs, {"reader": reader}, {"reader": optimiser.optimizer}, ema, clock)
    if rank == 0:
        save_state(runs, {"reader": reader}, {"reader": optimiser.optimizer}, ema, clock)
        reader.load_state_dict(ema.values)
        save_tiny(thinker.eval(), config.out)
    return thinker


def train_decoder(config: LanguagePathTraining) -> Speaker:
    torch.manual_seed(config.seed)
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision="bf16" if config.bf16 else "no")
    runs, rank = config.runs / "decoder", accelerator.process_index
    rng = random_stream(runs, config.seed + 7919 * rank)
    pictures = SeenStore(config.runs / "seen")
    sounds = recordings(config, rng)
    thinker = load_tiny(config.thinker)
    settings = LoraSettings()
    add_lora(thinker.model, settings)
    shape = TokenDecoderConfig(thought=thinker.width, tokens=sounds.tokens.config)
    speaker = Speaker(thinker, TokenDecoder(shape, sounds.tokens)).train()
    lora = [p for name, p in thinker.named_parameters() if ".lora_" in name]
    for parameter in lora:
        parameter.requires_grad_(True)
    groups = [{"params": list(speaker.decoder.parameters()), "peak": config.rate, "lr": config.rate},
              {"params": lora, "peak": config.lora_rate, "lr": config.lora_rate}]  # fmt: skip
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.05)
    ema = Ema(speaker, config.ema)
    step, spent_s = load_state(runs, {"speaker": speaker}, {"speaker": optimiser}, ema)
    accelerator.print(table(speaker))
    wrapped, optimiser = accelerator.prepare(speaker, optimiser)
    clock, log = Clock(config.minutes, config.steps, spent_s, step), JsonlLog(runs if rank == 0 else None)
    losses: list[float] = []
    for step, progress in steps(clock):
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(progress, group["peak"])
        frames = int(rng.choice(config.frames))
        clicks = click(pictures, max(2, config.clicks * min(config.frames) // frames), rng)
        codes, lead_s = sounds.heard(clicks, frames / sounds.tokens.config.tokens_per_second)
        told = torch.from_numpy(rng.random(len(codes)) >= config.untold)
        written, thought = wrapped(clicks, codes, told)
        loss, speech = decoder_loss(written, thought, clicks, codes, lead_s, told, speaker.decoder.config)
        optimiser.zero_grad(set_to_none=True)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_([p for p in speaker.parameters() if p.requires_grad], 1.0)
        optimiser.step()
        ema.update(speaker)
        losses.append(float(speech))
        if rank == 0 and step % 50 == 0:
            log.write(step=step, progress=progress, token_loss=float(np.mean(losses)))
            losses = []
        if rank == 0 and step % 500 == 499:
            save_state(runs, {"speaker": speaker}, {"speaker": optimiser.optimizer}, ema, clock)
    if rank == 0:
        save_state(runs, {"speaker": speaker}, {"speaker": optimiser.optimizer}, ema, clock)
        speaker.load_state_dict(ema.values)
        save(speaker.eval(), settings, config.out)
    return speaker


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
    for name in ("steps", "clicks", "pictures", "limit", "seed"):
        parser.add_argument(f"--{name}", type=int)
    for name in ("minutes", "rate"):
        parser.add_argument(f"--{name}", type=float)
    given = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    main(LanguagePathTraining(**given))
