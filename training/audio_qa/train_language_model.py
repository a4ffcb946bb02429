"""Train the tiny Qwen2-Audio that stands where the hub has the real one: it hears what sounds, and reads where.

    python -m training.audio_qa.train_language_model --data DIR --out checkpoints/language --minutes 40          # one CPU core
    torchrun --nproc-per-node 2 -m training.audio_qa.train_language_model --data DIR --out checkpoints/language  # two cores
    python -m training.audio_qa.train_language_model --data DIR --out runs/smoke --minutes 0.3 --bank 60         # smoke run

Its audio tower is the project's own ear, frozen. The language model learns to answer questions from the tower's
embeddings and from notes in words about the direction, which stand in the place where the spatial token will be: it
knows what "front right" means before it ever meets the token, as a large language model does.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio_qa.prompt import SPECIAL, encode
from synesthesia.audio_qa.qwen2_audio import TOKENIZER, AudioLM, save_tiny, tiny, tiny_config, tokenizer_from
from training.audio_qa.questions import KINDS, Exchange, Kind, corpus, notes
from training.audio_qa.spoken_scenes import Spoken, ask, draw
from training.binaural.scenes import Scenes, all_responses
from training.common import distributed
from training.common.audio_data import SoundStore, read_manifest
from training.common.run_state import Ema, JsonlLog, TimeBudget, cosine_rate, load_state, random_stream, save_state

SECONDS = (1.0, 2.0, 4.0)  # of a clip
SHARES = (0.4, 0.4, 0.2)  # how often
CONTENT: tuple[Kind, ...] = ("what", "describe")


@dataclass(frozen=True)
class LanguageTraining:
    data: Path
    out: Path
    runs: Path = Path("runs/language")
    cache: Path = Path("runs/cache")
    ear: Path = Path("checkpoints/ear")
    head: Path = Path("checkpoints/head")
    minutes: float = 40.0
    steps: int = 1_000_000
    bank: int = 14_400
    vocabulary: int = 1_400
    clips: int = 24  # a step
    questions: int = 3  # about a clip
    rate: float = 1e-3
    ema: float = 0.998
    second_share: float = 0.3
    seed: int = 0
    bf16: bool = True
    limit: int = 0


def fit_tokenizer(size: int, file: Path, seed: int) -> None:
    """A byte-level BPE (Sennrich et al. 2016) on rendered questions and answers, written to `file`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(corpus(np.random.default_rng(seed), 20_000), trainer)
    file.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(file))


@dataclass(frozen=True)
class Lesson:
    """Some clips, heard once, with several exchanges about each. embeddings: B of (tokens, d_llm); rows: (Q,) the clip
    that each exchange is about."""

    embeddings: list[Tensor]
    counts: list[int]
    rows: list[int]
    exchanges: list[Exchange]
    notes: list[str]

    def loss(self, foundation: AudioLM, bf16: bool) -> Tensor:
        """On the answers alone; notes in words stand where the spatial token will be."""
        batch = encode(
            foundation.tokenizer, [self.counts[row] for row in self.rows], [e.question for e in self.exchanges],
            [e.answer for e in self.exchanges], spatial=False, notes=self.notes,
        )  # fmt: skip
        model = foundation.model
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            embeds = model.place(batch.input_ids, torch.cat([self.embeddings[row] for row in self.rows]), None)
            out = model(inputs_embeds=embeds, attention_mask=batch.attention_mask, labels=batch.labels)
        return out.loss.float()


def lesson(foundation: AudioLM, spoken: Spoken, questions: int, rng: np.random.Generator, bf16: bool) -> Lesson:
    """The first question about a clip is about content, the others about anything."""
    mel, mask = foundation.front(spoken.mono)
    counts = foundation.model.audio_tokens(mask)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        flat = foundation.model.audio_embeddings(mel, mask)
    rows = [row for row in range(len(counts)) for _ in range(questions)]
    exchanges = [
        ask(spoken.truths[row], rng, CONTENT if number % questions == 0 else KINDS) for number, row in enumerate(rows)
    ]
    said = [notes(spoken.truths[row], rng) for row in rows]
    return Lesson(list(flat.float().split(counts)), counts, rows, exchanges, said)


def material(data: Path, cache: Path, head: Path, ear: AudioTagger, bank: int, limit: int, seed: int,
             rng: np.random.Generator) -> Scenes:  # fmt: skip
    """Training recordings whose labels the ear knows, through training heads."""
    clips = read_manifest(data)[: limit or None]
    rows = [i for i, clip in enumerate(clips) if clip.split == "train" and clip.label in ear.labels]
    return Scenes(SoundStore(data, clips, cache), rows, all_responses(data, head, bank, cache, seed), rng)


def main(config: LanguageTraining) -> AudioLM:
    """Train, resume if `runs` holds a state, save to `out`; returns the foundation."""
    torch.manual_seed(config.seed)
    number = distributed.rank()
    rng = random_stream(config.runs, config.seed + 7919 * number)
    ear = AudioTagger.load(config.ear)
    scenes = material(config.data, config.cache, config.head, ear, config.bank, config.limit, config.seed, rng)
    file = config.runs / TOKENIZER
    if number == 0 and not file.is_file():
        fit_tokenizer(config.vocabulary, file, config.seed)
    distributed.wait()
    tokenizer = tokenizer_from(file)
    foundation = tiny(tokenizer, tiny_config(tokenizer, ear.config), ear)
    model = foundation.model.train()
    learning = [p for n, p in model.named_parameters() if p.requires_grad and not n.startswith("spatial_projector.")]
    groups = [{"params": [p for p in learning if p.ndim > 1], "weight_decay": 0.05},
              {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0}]  # fmt: skip
    optimiser = torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.98))
    ema = Ema(model, config.ema)
    step, spent_s = load_state(config.runs, {"model": model}, {"model": optimiser}, ema)
    clock, log = TimeBudget(config.minutes, config.steps, spent_s, step), JsonlLog(config.runs if number == 0 else None)
    log.write(step=step, parameters=sum(p.numel() for p in learning), words=len(tokenizer))
    losses: list[float] = []
    for step, progress in distributed.steps(clock):
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(progress, config.rate)
        spoken = draw(scenes, config.clips, float(rng.choice(SECONDS, p=SHARES)), config.second_share)
        loss = lesson(foundation, spoken, config.questions, rng, config.bf16).loss(foundation, config.bf16)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        distributed.average_gradients(model)
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimiser.step()
        ema.update(model)
        losses.append(float(loss.detach()))
        if number == 0 and step % 50 == 0:
            log.write(step=step, progress=progress, loss=float(np.mean(losses)))
            losses = []
        if number == 0 and step % 500 == 499:
            save_state(config.runs, {"model": model}, {"model": optimiser}, ema, clock)
    if number:
        return foundation
    save_state(config.runs, {"model": model}, {"model": optimiser}, ema, clock)
    model.load_state_dict(ema.values)
    model.eval()
    save_tiny(foundation, config.out)
    return foundation


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for name in ("runs", "cache"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("steps", "bank", "limit", "seed", "clips", "questions"):
        parser.add_argument(f"--{name}", type=int)
    for name in ("minutes", "rate"):
        parser.add_argument(f"--{name}", type=float)
    given = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    main(LanguageTraining(**given))
