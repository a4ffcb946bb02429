"""Evaluation of audio question answering on unseen clips, with and without the spatial token.

    python -m training.audio_qa.evaluate --data DIR                 # about five minutes on one core
    python -m training.audio_qa.evaluate --data DIR --clips 60      # a quick look

The question set is fixed by its seed: validation heads, held-out recordings, paraphrases kept out of training, in
English and Chinese; clips of 2 s in the open, in rooms with 20 dB of diffuse noise, with two sources, and without a
direction. "Where" is read as one of eight octants (BAT reports 75.5 % on its own set, OWL 78.3 %). Baselines: the
octant of the localizer's own answer and of the plain GCC-PHAT delay (which knows the front half only), and chance.
Intervals are bootstrap, 95 %, over clips.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio_qa.checkpoint import load_language_model, load_spatial_token
from synesthesia.audio_qa.prompt import TURN_END, tokenize
from synesthesia.audio_qa.qwen2_audio import AudioLM
from synesthesia.binaural.geometry import octant
from synesthesia.binaural.hrtf import RATE_HZ
from synesthesia.evaluation.intervals import ConfidenceInterval
from synesthesia.localization.clip_input import read_clip
from synesthesia.localization.localizer import Localizer
from synesthesia.localization.pipeline import ItdTable, LocalizationPipeline
from training.audio_qa.answer_parsing import PARSERS, parse_labels
from training.audio_qa.answer_templates import KINDS, LANGUAGES
from training.audio_qa.clips import annotate
from training.audio_qa.examples import QAExample, SceneAnnotation, askable_kinds, make_example
from training.binaural.simulate import SimulatedClip, simulator
from training.common.cli import run
from training.common.report import mean_interval, write_json

BORDER_DEG = 22.5  # octants are 45 degrees wide
Baselines = dict[str, list[bool]]  # hits on clips with one source, by the row of the report
Accuracies = dict[str, tuple[int, ConfidenceInterval, ConfidenceInterval]]


@dataclass(frozen=True)
class QAEvaluation:
    data: Path
    language: Path = Path("checkpoints/language")
    token: Path = Path("checkpoints/spatial_token")
    localizer: Path = Path("checkpoints/localiser")
    tagger: Path = Path("checkpoints/audio_tower")
    hrtf: Path = Path("checkpoints/head")
    out: Path = Path("runs/evaluate_spatial")
    cache: Path = Path("runs/cache")
    clips: int = 400
    seconds: float = 2.0
    seed: int = 2000
    threads: int = 1


@dataclass(frozen=True)
class Prediction:
    """One question about clip `row`, and the model's answers with and without the token."""

    row: int
    truth: SceneAnnotation
    example: QAExample
    with_token: str
    without_token: str

    @property
    def hits(self) -> tuple[bool, bool]:
        """Whether the answers are right."""
        return is_right(self.example, self.with_token), is_right(self.example, self.without_token)


def question_set(config: QAEvaluation, labels: tuple[str, ...]) -> tuple[list[SimulatedClip], list[list[QAExample]]]:
    """Fixed clips, and one question of each possible kind about every clip, languages in turn."""
    source = simulator(config.data, config.cache, "val", np.random.default_rng(config.seed), config.seconds, labels)
    clips: list[SimulatedClip] = []
    while len(clips) < config.clips:
        number = len(clips) % 10
        if number == 9:
            clips.append(source.draw("panned" if len(clips) % 20 == 9 else "mono"))
        else:
            room = (0.2, 0.6) if number % 2 else None
            clips.append(source.draw_condition(room, 20.0 if room else 60.0, sources=2 if number in (2, 5, 8) else 1))
    rng = np.random.default_rng(config.seed + 1)
    examples = []
    for number, clip in enumerate(clips):
        truth = annotate(clip)
        examples.append([
            make_example(truth, kind, LANGUAGES[(number + index) % 2], rng, "val")
            for index, kind in enumerate(askable_kinds(truth))
        ])  # fmt: skip
    return clips, examples


@torch.inference_mode()
def generate_answers(
    language_model: AudioLM, mono: np.ndarray, token: np.ndarray | None, questions: list[str]
) -> list[str]:
    """Greedy answers to several questions about one clip, which is encoded once."""
    model, tokenizer = language_model.model, language_model.tokenizer
    mel, mask = language_model.frontend([mono])
    count = model.audio_token_counts(mask)[0]
    batch = tokenize(tokenizer, [count] * len(questions), questions, spatial=token is not None)
    spatial = None if token is None else torch.from_numpy(token)[None].expand(len(questions), -1)
    audio = model.audio_embeddings(mel, mask).repeat(len(questions), 1)
    out = model.generate(
        inputs_embeds=model.merge_embeddings(batch.input_ids, audio, spatial), attention_mask=batch.attention_mask,
        do_sample=False, max_new_tokens=64, eos_token_id=tokenizer.convert_tokens_to_ids(TURN_END),
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return [text.strip() for text in tokenizer.batch_decode(out, skip_special_tokens=True)]


def is_right(example: QAExample, answer: str) -> bool:
    """Whether an answer agrees with the reference in what its kind is about."""
    if example.kind in ("what", "describe"):
        return set(parse_labels(answer)) == set(parse_labels(example.answer))
    if example.kind == "other":
        return answer == example.answer
    parse = PARSERS[example.kind]
    return answer == example.answer if parse(example.answer) is None else parse(answer) == parse(example.answer)


def accuracy(hits: list[bool]) -> ConfidenceInterval:
    return mean_interval(hits, np.random.default_rng(0))


def accuracies(predictions: list[Prediction]) -> Accuracies:
    """(n, with the token, without it) per kind, and for subsets by the number of sources."""
    groups: dict[str, list[Prediction]] = {
        kind: [one for one in predictions if one.example.kind == kind] for kind in KINDS
    }
    directed = [one for one in groups["where"] if one.truth.azimuths_deg]
    groups["where, one source"] = [one for one in directed if len(one.truth.labels) == 1]
    groups["where, two sources (the louder)"] = [one for one in directed if len(one.truth.labels) == 2]
    groups["where, one source, 5 degrees from a border"] = [
        one for one in groups["where, one source"] if abs((one.truth.azimuths_deg[0] % 45.0) - BORDER_DEG) >= 5.0
    ]
    groups["where, no direction to hear"] = [one for one in groups["where"] if not one.truth.azimuths_deg]
    groups["what, one source"] = [one for one in groups["what"] if len(one.truth.labels) == 1]
    return {
        name: (len(some), accuracy([one.hits[0] for one in some]), accuracy([one.hits[1] for one in some]))
        for name, some in groups.items()
        if some
    }


def predict(config: QAEvaluation) -> tuple[list[Prediction], Baselines]:
    """Everything that the models say about the question set."""
    tagger = AudioTagger.load(config.tagger)
    language_model = load_language_model(config.language, tagger)
    load_spatial_token(language_model.model, config.token)
    language_model.model.eval()
    localization = LocalizationPipeline(Localizer.load(config.localizer), ItdTable.load(config.hrtf))
    predictions: list[Prediction] = []
    baselines: Baselines = defaultdict(list)
    for row, (simulated, examples) in enumerate(zip(*question_set(config, tagger.labels), strict=True)):
        clip, truth = read_clip(simulated.waveform, RATE_HZ), annotate(simulated)
        located = localization.locate(clip)
        mono, questions = clip.waveform.mean(axis=0), [one.question for one in examples]
        with_token = generate_answers(language_model, mono, located.token, questions)
        without_token = generate_answers(language_model, mono, None, questions)
        predictions += [
            Prediction(row, truth, *rest) for rest in zip(examples, with_token, without_token, strict=True)
        ]  # fmt: skip
        if len(truth.azimuths_deg) == 1:
            target = octant(truth.azimuths_deg[0])
            baselines["octant of the localizer itself, one source"].append(octant(located.azimuth_deg) == target)
            baselines["octant of GCC-PHAT, one source"].append(octant(located.baseline_deg) == target)
            mel, _ = language_model.frontend([mono])
            label_row = "label of the audio tagger alone, one source"
            baselines[label_row].append(tagger.top_labels(mel, 1)[0][0] == truth.labels[0])
    return predictions, baselines


def report(result: Accuracies, baselines: Baselines) -> str:
    """The table of the card, as text."""
    rows = [f"{'question':46} {'n':>4}  {'with the token':24} without"]
    rows += [f"{name:46} {n:>4}  {with_token!s:24} {without}" for name, (n, with_token, without) in result.items()]
    rows += [f"{name:46} {len(hits):>4}  {accuracy(hits)}" for name, hits in baselines.items()]
    return "\n".join([*rows, f"{'chance, an octant':46} {'':>4}  0.125"])


def main(config: QAEvaluation) -> Accuracies:
    torch.set_num_threads(config.threads)
    predictions, baselines = predict(config)
    result = accuracies(predictions)
    print(report(result, baselines))
    write_json(config.out / "figures.json", result)
    answers = [{"row": p.row, "truth": p.truth, "question": p.example.question, "reference": p.example.answer,
                "with": p.with_token, "without": p.without_token} for p in predictions]  # fmt: skip
    write_json(config.out / "answers.json", answers)
    return result


if __name__ == "__main__":
    run(main, QAEvaluation, __doc__)
