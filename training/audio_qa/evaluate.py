"""What the audio language model answers about clips it never heard, with and without the spatial token.

    python -m training.audio_qa.evaluate --data DIR                 # about five minutes on one core
    python -m training.audio_qa.evaluate --data DIR --clips 60      # a quick look

The question set is frozen by its seed: validation heads, held-out recordings, paraphrases kept out of training, in
English and Chinese; clips of 2 s in the open, in rooms with 20 dB of diffuse noise, with two sources, and without a
direction. "Where" is read as one of eight octants (BAT reports 75.5 % on its own set, OWL 78.3 %). Besides: the octant
of the localiser's own answer and of the plain GCC-PHAT delay (which knows the front half only), and chance. Intervals
are bootstrap, 95 %, over clips.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio_qa.prompt import TURN_END, encode
from synesthesia.audio_qa.qwen2_audio import AudioLM, load_tiny
from synesthesia.binaural.geometry import octant
from synesthesia.binaural.hrtf import RATE_HZ
from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF
from synesthesia.evaluation.intervals import ConfidenceInterval, bootstrap
from synesthesia.localization.clip_input import read_clip
from synesthesia.localization.gcc_phat import ItdTable
from synesthesia.localization.localizer import Localizer
from synesthesia.localization.pipeline import locate
from synesthesia.nn.lora import load_trained
from training.audio_qa.questions import (
    KINDS,
    Exchange,
    Scene,
    exchange,
    kinds,
    read_count,
    read_front,
    read_labels,
    read_octant,
    read_relation,
    read_side,
)  # fmt: skip
from training.audio_qa.spoken_scenes import LANGUAGES, truth_of
from training.binaural.simulate import Example, simulator

BORDER_DEG = 22.5  # octants are 45 degrees wide


@dataclass(frozen=True)
class Config:
    data: Path
    language: Path = Path("checkpoints/language")
    token: Path = Path("checkpoints/spatial_token")
    localiser: Path = Path("checkpoints/localiser")
    ear: Path = Path("checkpoints/ear")
    head: Path = Path("checkpoints/head")
    out: Path = Path("runs/evaluate_spatial")
    cache: Path = Path("runs/cache")
    clips: int = 400
    seconds: float = 2.0
    seed: int = 2000
    threads: int = 1


@dataclass(frozen=True)
class Asked:
    """One question about clip `row`, and what the model said with and without the token."""

    row: int
    truth: Scene
    exchange: Exchange
    told: str
    untold: str


def question_set(config: Config, labels: tuple[str, ...]) -> tuple[list[Example], list[list[Exchange]]]:
    """Frozen clips, and about each one question of every kind that it allows, languages in turn."""
    source = simulator(config.data, config.cache, "val", np.random.default_rng(config.seed), config.seconds)
    known = [row for row in source.sampler.indices if source.sounds.clips[row].label in labels]
    source = type(source)(source.heads, source.sounds, known, source.rng, config.seconds)
    examples: list[Example] = []
    while len(examples) < config.clips:
        number = len(examples) % 10
        if number == 9:
            examples.append(source.draw("panned" if len(examples) % 20 == 9 else "mono"))
        else:
            room = (0.2, 0.6) if number % 2 else None
            examples.append(source.staged(room, 20.0 if room else 60.0, sources=2 if number in (2, 5, 8) else 1))
    rng = np.random.default_rng(config.seed + 1)
    asked = []
    for number, example in enumerate(examples):
        truth = truth_of(example)
        asked.append([
            exchange(truth, kind, LANGUAGES[(number + place) % 2], rng, "val")
            for place, kind in enumerate(kinds(truth))
        ])  # fmt: skip
    return examples, asked


@torch.inference_mode()
def answers(foundation: AudioLM, mono: np.ndarray, token: np.ndarray | None, questions: list[str]) -> list[str]:
    """Greedy answers to several questions about one clip, which is heard once."""
    model, tokenizer = foundation.model, foundation.tokenizer
    mel, mask = foundation.front([mono])
    count = model.audio_tokens(mask)[0]
    batch = encode(tokenizer, [count] * len(questions), questions, spatial=token is not None)
    spatial = None if token is None else torch.from_numpy(token)[None].expand(len(questions), -1)
    embeds = model.place(batch.input_ids, model.audio_embeddings(mel, mask).repeat(len(questions), 1), spatial)
    out = model.generate(
        inputs_embeds=embeds, attention_mask=batch.attention_mask, do_sample=False, max_new_tokens=64,
        eos_token_id=tokenizer.convert_tokens_to_ids(TURN_END), pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return [text.strip() for text in tokenizer.batch_decode(out, skip_special_tokens=True)]


READERS: dict[str, Callable[[str], object]] = {
    "side": read_side, "front": read_front, "count": read_count, "relation": read_relation, "where": read_octant,
}  # fmt: skip


def right(one: Asked, said: str) -> bool:
    """Whether an answer says what the right one says."""
    wanted = one.exchange.answer
    if one.exchange.kind in ("what", "describe"):
        return set(read_labels(said)) == set(read_labels(wanted))
    if one.exchange.kind == "other":
        return said == wanted
    reader = READERS[one.exchange.kind]
    return said == wanted if reader(wanted) is None else reader(said) == reader(wanted)


def mean(hits: list[bool]) -> ConfidenceInterval:
    return bootstrap(np.array(hits, float), lambda x: float(x.mean()), np.random.default_rng(0))


def figures(asked: list[Asked]) -> dict[str, tuple[int, ConfidenceInterval, ConfidenceInterval]]:
    """(n, with the token, without it) a kind; directions and contents of clips with one source stand on their own."""
    groups = {kind: [one for one in asked if one.exchange.kind == kind] for kind in KINDS}
    directed = [one for one in groups["where"] if one.truth.azimuths_deg]
    groups["where, one source"] = [one for one in directed if len(one.truth.labels) == 1]
    groups["where, two sources (the louder)"] = [one for one in directed if len(one.truth.labels) == 2]
    groups["where, one source, 5 degrees from a border"] = [
        one for one in groups["where, one source"] if abs((one.truth.azimuths_deg[0] % 45.0) - BORDER_DEG) >= 5.0
    ]
    groups["where, no direction to hear"] = [one for one in groups["where"] if not one.truth.azimuths_deg]
    groups["what, one source"] = [one for one in groups["what"] if len(one.truth.labels) == 1]
    return {
        name: (len(some), mean([right(o, o.told) for o in some]), mean([right(o, o.untold) for o in some]))
        for name, some in groups.items()
        if some
    }


def main(config: Config) -> dict[str, tuple[int, ConfidenceInterval, ConfidenceInterval]]:
    torch.set_num_threads(config.threads)
    ear = AudioTagger.load(config.ear)
    foundation = load_tiny(config.language, ear)
    load_trained(foundation.model, config.token)
    foundation.model.eval()
    localiser = Localizer.load(config.localiser)
    table = ItdTable.of(SphericalHarmonicHRTF.load(config.head))
    examples, questions = question_set(config, ear.labels)
    asked: list[Asked] = []
    own: list[bool] = []
    plain: list[bool] = []
    heard: list[bool] = []
    for row, (example, exchanges) in enumerate(zip(examples, questions, strict=True)):
        clip, truth = read_clip(example.waveform, RATE_HZ), truth_of(example)
        found = locate(localiser, clip, table)
        mono, texts = clip.waveform.mean(axis=0), [one.question for one in exchanges]
        told = answers(foundation, mono, found.token, texts)
        untold = answers(foundation, mono, None, texts)
        asked += [Asked(row, truth, *rest) for rest in zip(exchanges, told, untold, strict=True)]
        if len(truth.azimuths_deg) == 1:
            wanted = octant(truth.azimuths_deg[0])
            own.append(octant(found.azimuth_deg) == wanted)
            plain.append(octant(found.baseline_deg) == wanted)
            mel, _ = foundation.front([mono])
            heard.append(ear.top(mel, 1)[0][0] == truth.labels[0])
    result = figures(asked)
    print(f"{'question':46} {'n':>4}  {'with the token':24} without")
    for name, (count, told_, untold_) in result.items():
        print(f"{name:46} {count:>4}  {told_!s:24} {untold_}")
    print(f"{'octant of the localiser itself, one source':46} {len(own):>4}  {mean(own)}")
    print(f"{'octant of GCC-PHAT, one source':46} {len(plain):>4}  {mean(plain)}")
    print(f"{'label of the ear alone, one source':46} {len(heard):>4}  {mean(heard)}")
    print(f"{'chance, an octant':46} {'':>4}  0.125")
    config.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({k: [n, asdict(a), asdict(b)] for k, (n, a, b) in result.items()}, indent=1)
    (config.out / "figures.json").write_text(text + "\n", encoding="utf-8")
    sample = [{"row": o.row, "truth": asdict(o.truth), "question": o.exchange.question, "wanted": o.exchange.answer,
               "with": o.told, "without": o.untold} for o in asked]  # fmt: skip
    (config.out / "answers.json").write_text(json.dumps(sample, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    for name in ("language", "token", "localiser", "out"):
        parser.add_argument(f"--{name}", type=Path, default=getattr(Config, name))
    for name in ("clips", "threads"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Config, name))
    main(Config(**vars(parser.parse_args())))
