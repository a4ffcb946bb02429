"""The table of the direct path: what an independent judge hears when a held-out picture is clicked in the middle.

    python -m training.evaluation.evaluate_hear --data DATA                                # everything (half an hour on one core)
    python -m training.evaluation.evaluate_hear --data DATA --rows flow mlp text --per-label 2
    python -m training.evaluation.evaluate_hear --data DATA --rows generator               # the generator alone, in minutes
    python -m training.evaluation.evaluate_hear --data DATA --rows flow language sides layers

Rows of the main table: flow, flow without retrieval, mlp, the text baseline (the vision network's label for the
picture, then a random *training recording* of that label), the retrieval bound (true label, held-out recording),
shuffled clicks and random; `language` and its variants, heard as the mean of both ears. Other rows: `wish` (the prior
alone, before any sound), `generator` (true condition instead of a picture), `pairs` (two pictures side by side, a click
on each), `presence`, `copies`; of the path `language` `sides` (which ear is louder, and where the tokens look) and
`layers` (what each layer of the thinker knows; reads --seen). Pictures are split val; Frechet distances are to held-out
recordings. Writes JSON and a table to --out.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.codec import LatentCodec
from synesthesia.core import checkpoints, presets
from synesthesia.evaluation.eval_tagger import EvalTagger
from synesthesia.evaluation.frechet import frechet_distance
from synesthesia.evaluation.intervals import ConfidenceInterval, bootstrap, wilson
from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.image_to_sound.texture_statistics import texture_descriptor
from synesthesia.vision.backbone import PatchEncoder
from training.common.audio_data import SoundStore, read_manifest
from training.common.hear_cases import Case, Verdict, auroc, calibration_error, cases, excerpt, judged, likeness
from training.common.imagenet_classifier import imagenet_classifier
from training.common.pairs import imagenet_to_sound, sound_pairs
from training.common.patch_features import choose, kept_out, paste
from training.evaluation.hear_report import table

if TYPE_CHECKING:
    from training.vlm_to_sound.evaluate import LanguageRows

LANGUAGE = ("language", "language_one_take", "language_plainly_guided", "language_unguided")  # as in `LanguageRows`
MAIN = ("flow", "flow_without_retrieval", "flow_one_take", "mlp", *LANGUAGE, "text", "bound", "shuffled", "random")
ALL = (*MAIN, "wish", "generator", "copies", "pairs", "presence", "sides", "layers")


@dataclass(frozen=True)
class Config:
    data: Path
    out: Path = Path("runs/evaluate_hear")
    judge: Path = Path("checkpoints/judge")
    cache: Path = Path("runs/cache")
    rows: tuple[str, ...] = ALL
    per_label: int = 6
    pairs: int = 60
    alone_per_label: int = 4
    seconds: float = 4.0
    steps: int = 12
    guidance: float = 3.0
    seed: int = 29
    threads: int = 1
    seen: Path = Path("runs/language_path/seen")  # the training pictures of the row `layers`


class Evaluation:
    """Everything loaded once; each method makes one row."""

    def __init__(self, config: Config) -> None:
        self.config, self.rng = config, np.random.default_rng(config.seed)
        self._flow_sounds: list[Tensor] = []
        preset = presets.embedded()
        self.encoder = PatchEncoder.load(preset.vision)
        self.codec = LatentCodec.load(preset.codec)
        self.hearing = ImageToSoundPipeline.load(preset.hearing, self.codec)
        self.layer = imagenet_classifier(preset)
        self.judge = EvalTagger.load(config.judge)
        clips = read_manifest(config.data)
        self.store = SoundStore(config.data, clips, config.cache)
        self.train: dict[str, list[int]] = {}
        self.held_out: dict[str, list[int]] = {}
        for row, clip in enumerate(clips):
            if clip.split == "train":
                self.train.setdefault(clip.label, []).append(row)
            elif not clip.single_recording:
                self.held_out.setdefault(clip.label, []).append(row)
        self.cases = cases(config.data, set(self.held_out), config.per_label, config.seed)
        self.labels = sorted({next(iter(sorted(c.accepted & set(self.held_out)))) for c in self.cases})
        self.real = self._embed([self._recording(self.held_out[self._label(c)]) for c in self.cases])
        self.grids = [self.encoder.encode(case.image) for case in self.cases]

    def _embed(self, sounds: list[Tensor]) -> np.ndarray:
        return self.judge.hear(torch.stack(sounds))[1].numpy()

    def _label(self, case: Case) -> str:
        """One right label of the case that has held-out recordings, drawn."""
        return str(self.rng.choice(sorted(case.accepted & set(self.held_out))))

    def _recording(self, rows: list[int]) -> Tensor:
        return excerpt(self.store, int(self.rng.choice(rows)), self.config.seconds, self.rng)

    def _sing(self, query: Tensor, wanted: Tensor, seed: int, **options: object) -> Tensor:
        config = self.config
        settings: dict[str, Any] = {"mapper": "flow", "seconds": config.seconds, "steps": config.steps}
        settings |= {"guidance": config.guidance, **options}
        return self.hearing.generator.generate(query, wanted, seed=seed, **settings).waveform

    def clicks(self, **options: object) -> list[Tensor]:
        sounds = []
        for number, grid in enumerate(self.grids):
            wish = self.hearing.predict(grid)
            place = grid.rows // 2 * grid.cols + grid.cols // 2
            sounds.append(self._sing(wish.query[place], wish.class_probs[place], number, **options))
        return sounds

    def flow_clicks(self) -> list[Tensor]:
        """The product's own sounds, made once: `flow` and `shuffled` read the same."""
        if not self._flow_sounds:
            self._flow_sounds = self.clicks()
        return self._flow_sounds

    @cached_property
    def language(self) -> LanguageRows:
        from training.vlm_to_sound.evaluate import loaded

        return loaded(presets.embedded(), self.hearing, self.grids, self.config.seconds)

    def text(self) -> list[Tensor]:
        """The vision network's class for the whole picture, through pairs.csv to a label, then a training recording."""
        names = list(self.hearing.generator.tagger.labels)
        assert self.layer is not None, "the text baseline needs the vision network's classifier"
        table = torch.from_numpy(imagenet_to_sound(self.config.data, names))
        sounds = []
        for grid in self.grids:
            shares = self.layer(grid.global_feature[None]).softmax(dim=1)[0] @ table  # (labels,)
            sounds.append(self._recording(self.train[names[int(shares.argmax())]]))
        return sounds

    def main_row(self, name: str) -> tuple[Verdict, float]:
        """Verdict of a row of the main table and its seconds a sound."""
        accepted = [case.accepted for case in self.cases]
        started = time.perf_counter()
        if name == "bound":
            sounds = [self._recording(self.held_out[self._label(case)]) for case in self.cases]
        elif name == "random":
            every = sorted(self.train)
            sounds = [self._recording(self.train[str(self.rng.choice(every))]) for _ in self.cases]
        elif name == "text":
            sounds = self.text()
        elif name == "shuffled":  # the clicks of the other pictures
            sounds, turn = self.flow_clicks(), len(self.cases) // 2
            sounds = sounds[turn:] + sounds[:turn]
        elif name == "flow":
            sounds = self.flow_clicks()
        elif name in LANGUAGE:
            sounds = self.language.clicks(name, self.config.guidance)
        else:
            options = {
                "flow_without_retrieval": {"retrieve": False},
                "flow_one_take": {"takes": 1},
                "mlp": {"mapper": "mlp"},
            }[name]
            sounds = self.clicks(**options)
        latency = (time.perf_counter() - started) / len(self.cases)
        return judged(self.judge, sounds, accepted), latency

    def wishes(self) -> dict[str, ConfidenceInterval]:
        """Before any sound: how often the kind that the prior wishes most is right, over all pictures and by source."""
        names, hits = list(self.hearing.generator.tagger.labels), defaultdict(list)
        for case, grid in zip(self.cases, self.grids, strict=True):
            place = grid.rows // 2 * grid.cols + grid.cols // 2
            right = names[int(self.hearing.predict(grid).class_probs[place].argmax())] in case.accepted
            hits["all"].append(right)
            hits[case.picture.source].append(right)
        return {source: wilson(sum(row), len(row)) for source, row in hits.items()}

    def generator(self) -> dict[str, Verdict]:
        """No picture: held-out recordings, their round trip through the generator's latents and the vocoder, and sounds
        made for their label (its place among sounds) or for themselves (own embedding and descriptor)."""
        voice = self.hearing.generator
        names = list(voice.tagger.labels)
        rows = [int(r) for label in self.labels for r in self.held_out[label][: self.config.alone_per_label]]
        right = [frozenset([self.store.clips[r].label]) for r in rows]
        real = [excerpt(self.store, r, self.config.seconds, self.rng) for r in rows]
        trips, by_label, by_self = [], [], []
        for number, (row, sound) in enumerate(zip(rows, real, strict=True)):
            mel = self.codec.mel(sound[None])
            with torch.inference_mode():
                trips.append(self.codec.vocoder(voice.space.decode(voice.space.encode(mel)))[0])
                own = torch.from_numpy(self.store.mel(row))
                point = voice.tagger(own[None, :1024])[1][0]
            which = names.index(self.store.clips[row].label)
            anchor, wanted = self.hearing.prior.anchors[which], F.one_hot(torch.tensor(which), len(names)).float()
            by_label.append(self._sing(anchor, wanted, number))
            by_self.append(self._sing_described(anchor, torch.cat([texture_descriptor(own), point]), number))
        size = int(self.config.seconds * 16_000)
        trips = [F.pad(t, (0, max(0, size - len(t))))[:size] for t in trips]
        rows_of = {
            "real recordings": real,
            "round trip": trips,
            "made for the label": by_label,
            "made for itself, one take": by_self,
        }
        return {name: judged(self.judge, sounds, right) for name, sounds in rows_of.items()}

    def _sing_described(self, query: Tensor, descriptor: Tensor, seed: int) -> Tensor:
        from synesthesia.image_to_sound.condition import Condition
        from synesthesia.image_to_sound.generator import finish

        voice, config = self.hearing.generator, self.config
        told = Condition.of(query[None], descriptor[None], len(descriptor))
        with torch.inference_mode():
            latents = voice.flow.sample(
                told, int(config.seconds * 25), voice.generators(seed, 1), steps=config.steps, guidance=config.guidance
            )
            return finish(self.codec.vocoder(voice.space.decode(latents))[0][: int(config.seconds * 16_000)], 16_000)

    def pairs(self) -> np.ndarray:
        """(pairs, 2) bool: top-1 agreement of a click on the middle of each half of two pictures side by side."""
        order = self.rng.permutation(len(self.cases))
        made: list[list[bool]] = []
        for first, second in zip(order, np.roll(order, 1), strict=True):
            a, b = self.cases[first], self.cases[second]
            if a.accepted & b.accepted or len(made) == self.config.pairs:
                continue
            grid = self.encoder.encode(paste(a.picture.pixels, b.picture.pixels))
            wish = self.hearing.predict(grid)
            row = []
            for case, col in ((a, grid.cols // 4), (b, 3 * grid.cols // 4)):
                place = grid.rows // 2 * grid.cols + col
                sound = self._sing(wish.query[place], wish.class_probs[place], len(made))
                row.append(bool(judged(self.judge, [sound], [case.accepted]).hits[0]))
            made.append(row)
        return np.array(made)

    def presence(self) -> dict[str, object]:
        """Middle patches: held-out pictures of things with a direct sound, against pictures of things without any whose
        classes the prior never saw (`kept_out`)."""
        table = sound_pairs(self.config.data)
        sounding = [case.picture for case in self.cases]
        silent = choose(
            self.config.data,
            False,
            len(sounding),
            self.rng,
            lambda s, name: not table.get((s, name)) and kept_out(s, name),
        )
        grids = self.grids + [self.encoder.encode(Image.fromarray(picture.pixels)) for picture in silent]
        scores = [float(self.hearing.presence_map(grid)[grid.rows // 2, grid.cols // 2]) for grid in grids]
        truth = [True] * len(sounding) + [False] * len(silent)
        points, is_sound = np.array(scores), np.array(truth)
        both = np.stack([points, is_sound], axis=1)
        area = bootstrap(both, lambda x: auroc(x[:, 0], x[:, 1] > 0.5), np.random.default_rng(0), draws=300)
        error = bootstrap(both, lambda x: calibration_error(x[:, 0], x[:, 1]), np.random.default_rng(0), draws=300)
        at = self.hearing.threshold
        return {
            "auroc": asdict(area),
            "calibration_error": asdict(error),
            "threshold": at,
            "sounding_kept": float((points >= at)[is_sound].mean()),
            "silent_refused": float((points < at)[~is_sound].mean()),
            "n_sounding": int(is_sound.sum()),
            "n_silent": int((~is_sound).sum()),
        }

    def copies(self, count: int = 36, others: int = 7) -> dict[str, float]:
        """Is a made sound a training clip? Its likeness to the recording that guided it, beside its likeness to
        other recordings of that label, which it was never told of. One knock in silence is like any other knock, so
        it is the difference that counts, and how often the guide is the likest of all."""
        guide, strangers, likest, chance = [], [], [], []
        voice = self.hearing.generator
        for number, grid in enumerate(self.grids[:count]):
            wish = self.hearing.predict(grid)
            place = grid.rows // 2 * grid.cols + grid.cols // 2
            mel, used = voice.mel(
                wish.query[place],
                wish.class_probs[place],
                mapper="flow",
                seconds=self.config.seconds,
                seed=number,
                steps=self.config.steps,
                guidance=self.config.guidance,
                takes=1,
            )
            entry, groups = voice.index.entries[used[0]], defaultdict(list)
            for row in self.train[entry.label]:
                groups[self.store.clips[row].recording_id].append(row)
            rest = [recording for recording in groups if recording != entry.recording_id]
            if not rest:
                continue
            chosen = [rest[i] for i in self.rng.permutation(len(rest))[:others]]
            alike = [
                max(likeness(mel.numpy(), self.store.mel(row)) for row in groups[recording][:3])
                for recording in (entry.recording_id, *chosen)
            ]
            guide.append(alike[0])
            strangers += alike[1:]
            likest.append(alike[0] >= max(alike))
            chance.append(1 / len(alike))
        return {
            "to_guide_median": float(np.median(guide)),
            "to_guide_max": max(guide),
            "to_others_of_the_label_median": float(np.median(strangers)),
            "to_others_of_the_label_max": max(strangers),
            "guide_is_likest": float(np.mean(likest)),
            "guide_is_likest_by_chance": float(np.mean(chance)),
            "n": len(guide),
        }


def main(config: Config) -> dict[str, object]:
    torch.set_num_threads(config.threads)
    evaluation = Evaluation(config)
    config.out.mkdir(parents=True, exist_ok=True)
    store = config.out / "figures.json"
    figures: dict[str, object] = json.loads(store.read_text(encoding="utf-8")) if store.is_file() else {}
    figures["cases"] = {"pictures": len(evaluation.cases), "labels": len(evaluation.labels), "seconds": config.seconds}
    voice = evaluation.hearing.generator
    figures["parameters"] = {
        name: sum(p.numel() for p in net.parameters())
        for name, net in (("flow", voice.flow), ("mlp", voice.mlp), ("prior", evaluation.hearing.prior))
        if net
    }
    for name in config.rows:
        if name in MAIN:
            verdict, latency = evaluation.main_row(name)
            distance = frechet_distance(verdict.embeddings, evaluation.real)
            figures[name] = {
                "top1": asdict(verdict.top1),
                "top5": asdict(verdict.top5),
                "frechet": distance,
                "seconds": latency,
            }
            print(
                f"{name:24} top-1 {verdict.top1}  top-5 {verdict.top5}  Frechet {distance:.2f}  {latency:.2f} s",
                flush=True,
            )
        elif name == "wish":
            for source, estimate in evaluation.wishes().items():
                figures[f"wish: {source}"] = {"top1": asdict(estimate)}
                print(f"wish, {source:18} top-1 {estimate}  n = {estimate.n}", flush=True)
        elif name == "generator":
            for row, verdict in evaluation.generator().items():
                figures[f"alone: {row}"] = {"top1": asdict(verdict.top1), "top5": asdict(verdict.top5)}
                print(f"{row:24} top-1 {verdict.top1}  top-5 {verdict.top5}", flush=True)
        elif name == "copies":
            figures["copies"] = evaluation.copies()
            print("copies", figures["copies"], flush=True)
        elif name == "pairs":
            hits = evaluation.pairs()
            rng = np.random.default_rng(0)
            both = bootstrap(hits.astype(float), lambda x: float(x.all(axis=1).mean()), rng)
            worse = bootstrap(hits.astype(float), lambda x: float(x.mean(axis=0).min()), rng)
            figures["pairs"] = {"both": asdict(both), "worse_side": asdict(worse)}
            print(f"pairs: both right {both}, worse side {worse}, n = {both.n}", flush=True)
        elif name == "presence":
            figures["presence"] = evaluation.presence()
            print("presence", figures["presence"], flush=True)
        elif name == "sides":
            figures |= evaluation.language.side_figures(config.guidance)
        elif name == "layers":
            figures |= evaluation.language.layer_figures(config.seen, evaluation.cases, config.seed)
        store.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        (config.out / "table.md").write_text(table(figures), encoding="utf-8")
    print(f"weights {checkpoints.fingerprint(presets.embedded().used_by('flow'))[:12]}")
    return figures


def parse() -> Config:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/evaluate_hear"))
    parser.add_argument("--rows", nargs="+", choices=ALL, default=list(ALL))
    parser.add_argument("--per-label", type=int, default=6)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--alone-per-label", type=int, default=4)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=29, help="which of the held-out pictures are drawn")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seen", type=Path, default=Config.seen, help="what `train_language --stage see` wrote")
    args = vars(parser.parse_args())
    return Config(**{**args, "rows": tuple(args["rows"])})


if __name__ == "__main__":
    main(parse())
