"""Systems of the main table: the product, its parts with a true condition, baselines, bounds and controls."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.vision.pretrained import imagenet_classifier
from training.common.pairs import imagenet_to_sound
from training.evaluation.click_set import Click, ClickSet
from training.evaluation.judges import OURS, Verdict

System = Literal[
    "product", "anyway", "wish", "told", "text", "bound", "real",
    "mlp", "language", "without_retrieval", "one_take", "round_trip", "random",
]  # fmt: skip
SYSTEMS: tuple[System, ...] = get_args(System)
USUAL: tuple[System, ...] = SYSTEMS[:7]
TITLES: dict[str, str] = {
    "product": "product (silence is a miss)",
    "anyway": "product, told to sound anyway",
    "wish": "prior's wish, before any sound",
    "told": "voice told the true label",
    "text": "text baseline",
    "bound": "retrieval bound",
    "real": "held-out recordings of the label",
}


@dataclass(frozen=True)
class Made:
    """What a system gives for a click. waveform: (n,), None for silence; recording: its name if it is one."""

    waveform: Tensor | None
    recording: str = ""


class Systems:
    """The sound of each system for a click, and the judges' verdicts."""

    def __init__(self, clicks: ClickSet) -> None:
        self.clicks = clicks
        self.sounds: dict[str, tuple[Tensor, float]] = {}  # of the click at hand: the product's, by path
        self.at_hand = -1

    def verdicts(self, system: System, click: Click) -> dict[str, Verdict]:
        """By judge. Empty where the system has nothing to give: no held-out recording, a label that it doesn't know."""
        if system == "wish":
            return {OURS: wish_verdict(click)}
        made = self.made(system, click)
        if made is None:
            return {}
        return self.clicks.bench.verdicts(made.waveform, click.case.accepted, made.recording)

    def made(self, system: System, click: Click) -> Made | None:
        clicks, label = self.clicks, self.clicks.true_label(click)
        if system == "product":
            silent = click.presence < clicks.pipeline.threshold
            return Made(None if silent else self.product(click, "flow"))
        if system == "anyway":
            return Made(self.product(click, "flow"))
        if system in ("mlp", "language"):
            return Made(self.product(click, system))
        if system == "without_retrieval":
            return Made(self._with_condition(click, retrieve=False))
        if system == "one_take":
            return Made(self._with_condition(click, takes=1))
        if system == "told":
            return Made(self._told(label, click.number)) if label in clicks.class_names else None
        if system == "text":
            return self._recording(click, clicks.train, self._text_label(click))
        if system == "bound":
            return self._recording(click, clicks.train, label)
        if system == "random":
            return self._recording(click, clicks.train, str(clicks.rng(click.number).choice(sorted(clicks.train))))
        real = self._recording(click, clicks.held_out, label)
        return Made(self._round_trip(real.waveform)) if real and system == "round_trip" else real

    def product(self, click: Click, path: str) -> Tensor:
        """(n,) the studio's sound, whatever its presence; the mean of both ears."""
        if click.number != self.at_hand:
            self.sounds, self.at_hand = {}, click.number
        if path not in self.sounds:
            settings, started = self.clicks.settings, time.perf_counter()
            fields: dict[str, Any] = {"seconds": settings.seconds, "guidance": settings.guidance, "anyway": True}
            if path == "flow":
                fields["steps"] = settings.steps
            heard = self.clicks.studio.hear(click.case.image, click.x, click.y, path=path, seed=click.number, **fields)
            self.sounds[path] = torch.from_numpy(heard.waveform).mean(dim=0), time.perf_counter() - started
        return self.sounds[path][0]

    def seconds(self, system: System) -> float | None:
        """What the click at hand has cost, of the product's paths."""
        path = {"product": "flow", "anyway": "flow"}.get(system, system)
        return self.sounds[path][1] if path in self.sounds else None

    def _with_condition(self, click: Click, **variant: Any) -> Tensor:
        """The generator with the prior's prediction."""
        found, patch = self.clicks.pipeline.predict(click.grid), click.flat_patch
        return self.clicks.pipeline.generator.generate(
            found.query[patch], found.class_probs[patch], self.clicks.request("flow"), seed=click.number, **variant
        ).waveform

    def _told(self, label: str, seed: int) -> Tensor:
        """The generator with the true label's one-hot probabilities and mean embedding."""
        names, pipeline = self.clicks.class_names, self.clicks.pipeline
        class_probs = F.one_hot(torch.tensor(names.index(label)), len(names)).float()
        query = F.normalize(pipeline.prior.class_embeddings[names.index(label)], dim=0)
        return pipeline.generator.generate(query, class_probs, self.clicks.request("flow"), seed=seed).waveform

    def _text_label(self, click: Click) -> str:
        """The vision network's class for the whole picture, through pairs.csv to a label."""
        classifier, table = self._words
        shares = classifier(click.grid.global_feature[None]).softmax(dim=1)[0] @ table  # (labels,)
        return self.clicks.class_names[int(shares.argmax())]

    @cached_property
    def _words(self) -> tuple[nn.Linear, Tensor]:
        classifier = imagenet_classifier(self.clicks.studio.preset.vision)
        return classifier, torch.from_numpy(imagenet_to_sound(self.clicks.settings.data, self.clicks.class_names))

    def _recording(self, click: Click, rows_of: dict[str, list[int]], label: str) -> Made | None:
        """A random recording of a label, if there is one."""
        rows = rows_of.get(label)
        if not rows:
            return None
        row = int(self.clicks.rng(click.number).choice(rows))
        return Made(self.clicks.recording(row), self.clicks.store.clips[row].path)

    @torch.inference_mode()
    def _round_trip(self, waveform: Tensor | None) -> Tensor:
        """A recording through the generator's latents and the vocoder."""
        assert waveform is not None
        generator = self.clicks.pipeline.generator
        latents = generator.space.encode(generator.codec.mel(waveform[None]))
        decoded = generator.codec.vocoder(generator.space.decode(latents))[0]
        return F.pad(decoded, (0, max(0, len(waveform) - len(decoded))))[: len(waveform)]


def wish_verdict(click: Click) -> Verdict:
    """The labels that the prior wants, by name."""
    hits = [label in click.case.accepted for label, _ in click.wish]
    best = max((share for (_, share), hit in zip(click.wish, hits, strict=True) if hit), default=0.0)
    return Verdict(hits[0], any(hits), hits[0], any(hits), best, click.wish[:3])
