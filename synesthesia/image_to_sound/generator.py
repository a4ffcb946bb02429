"""Retrieval-conditioned flow sampling, best of N by a classifier: query -> neighbours -> candidates -> waveform.

It knows nothing of pictures, so that it can be evaluated alone with the true condition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load_file
from torch import Tensor

from synesthesia.audio.mel import LatentSpace, LogMel, MelPatches
from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio.vocoder import Vocoder, finish
from synesthesia.core.errors import UserError
from synesthesia.core.requests import FlowRequest
from synesthesia.image_to_sound.flow import Condition, RectifiedFlow, uniform_times
from synesthesia.image_to_sound.mlp import Mlp
from synesthesia.image_to_sound.retrieval import SoundIndex

LATENT_FRAMES_PER_SECOND = 25.0
MLP_OFFSET = 0.1  # length of the random offset of a query, for unit vectors


class Codec(Protocol):
    """The part of `audio.codec.LatentCodec` that is used here."""

    mel: LogMel
    vocoder: Vocoder

    @property
    def vae(self) -> LatentSpace: ...


@dataclass(frozen=True)
class GeneratorConfig:
    """latents: "patches" (the linear transform stored beside the mapper) or "vae" (the codec's autoencoder).

    takes: candidates begun at once; halfway the classifier keeps `finalists`, at the end one; longer sounds get fewer.
    among, temperature: of sampling neighbours.
    """

    latents: str = "patches"
    takes: int = 6
    finalists: int = 2
    takes_seconds: float = 25.0  # seconds begun in all, at most
    among: int = 8
    temperature: float = 0.03


@dataclass(frozen=True)
class GeneratedSound:
    """waveform: (n,) float32; rows: index rows whose descriptors conditioned the candidates, the kept one's first."""

    waveform: Tensor
    rows: tuple[int, ...]


class SoundGenerator:
    """Both mappers (flow and mlp), the index and the tagger behind one call. space: of the mappers' latents."""

    def __init__(
        self, config: GeneratorConfig, flow: RectifiedFlow, mlp: Mlp | None, index: SoundIndex, tagger: AudioTagger,
        codec: Codec, space: LatentSpace,
    ) -> None:  # fmt: skip
        self.config, self.flow, self.mlp, self.index = config, flow, mlp, index
        self.tagger, self.codec, self.space = tagger, codec, space

    @staticmethod
    def load(folder: Path, config: GeneratorConfig, tagger: AudioTagger, codec: Codec) -> SoundGenerator:
        """From the mapper's checked folder."""
        if config.latents == "patches":
            patches = MelPatches()
            patches.load_state_dict(load_file(folder / "patches.safetensors"))
        space: LatentSpace = patches if config.latents == "patches" else codec.vae
        mlp = Mlp.load(folder) if (folder / "mlp.json").is_file() else None
        return SoundGenerator(config, RectifiedFlow.load(folder), mlp, SoundIndex.load(folder), tagger, codec, space)

    def number_of_takes(self, seconds: float) -> int:
        return max(1, min(self.config.takes, int(self.config.takes_seconds / seconds)))

    def generators(self, seed: int, count: int) -> list[torch.Generator]:
        """One a take: its samples depend on the seed and its number alone."""
        return [torch.Generator().manual_seed((seed * 1_000_003 + 7919 * k + 17) % (2**63 - 1)) for k in range(count)]

    @torch.inference_mode()
    def generate_mel(
        self, query: Tensor, class_probs: Tensor, request: FlowRequest, *, seed: int, retrieve: bool = True,
        takes: int | None = None,
    ) -> tuple[Tensor, tuple[int, ...]]:  # fmt: skip
        """query: (Q,) unit vector; class_probs: (classes,) of the tagger's labels -> log-mel (T, 64), index rows.

        request: sampling settings; seed: of this patch, instead of the request's; retrieve: condition on neighbours.
        """
        assert query.ndim == 1 and class_probs.ndim == 1, f"{tuple(query.shape)}, {tuple(class_probs.shape)}"
        frames = math.ceil(request.seconds * LATENT_FRAMES_PER_SECOND)
        count = (takes or self.number_of_takes(request.seconds)) if request.path == "flow" else 1
        generators = self.generators(seed, count)
        rows = self.index.sample(
            query, count, generators[0], among=self.config.among, temperature=self.config.temperature
        )  # (count,)
        queries = query.expand(count, -1)
        if retrieve:  # halfway between the query and the neighbour
            queries = torch.nn.functional.normalize(queries + self.index.embeddings[rows], dim=1)
        if request.path == "mlp":  # the perceptron has no noise input, so the seed moves the query a little
            offset = torch.randn(queries.shape, generator=generators[0]) * (MLP_OFFSET / queries.shape[1] ** 0.5)
            queries = torch.nn.functional.normalize(queries + offset, dim=1)
        descriptors = self.index.descriptors[rows] if retrieve else None
        condition = Condition.of(queries, descriptors, self.index.descriptors.shape[1])
        if request.path == "flow":
            mel, best = self._best_of_n(condition, frames, generators, class_probs, request)
        else:
            if self.mlp is None:
                raise UserError("No 'mlp' has been trained for these weights; use the path 'flow'.")
            mel, best = self.space.decode(self.mlp(condition, frames))[0], 0
        order = [best, *(k for k in range(count) if k != best)]
        return mel, tuple(int(rows[k]) for k in order)

    def _best_of_n(
        self, condition: Condition, frames: int, generators: list[torch.Generator], class_probs: Tensor,
        request: FlowRequest,
    ) -> tuple[Tensor, int]:  # fmt: skip
        """Log-mel (T, 64) of the take with the best score, and its number.

        Halfway, the flow's prediction of the clean latents is scored, and only the finalists continue.
        """
        flow, x = self.flow, self.flow.initial_noise(frames, generators)  # (B, N, token_dim)
        times = uniform_times(request.steps)
        kept = torch.arange(len(x))
        halfway = len(times) // 2 if len(x) > self.config.finalists else 0
        if halfway:
            x, clean = flow.integrate(x, condition, times[: halfway + 1], request)
            best = self._scores(self._decode(clean, frames), class_probs).topk(self.config.finalists).indices
            kept = best.sort().values
            x, condition = x[kept], condition.select(kept)
        x, _ = flow.integrate(x, condition, times[halfway:], request)
        mels = self._decode(x, frames)
        winner = int(self._scores(mels, class_probs).argmax()) if len(mels) > 1 else 0
        return mels[winner], int(kept[winner])

    def _decode(self, tokens: Tensor, frames: int) -> Tensor:
        """Flow tokens (B, N, token_dim) -> log-mels (B, T, 64)."""
        return self.space.decode(self.flow.to_latents(tokens)[:, :, :frames])

    def _scores(self, mels: Tensor, class_probs: Tensor) -> Tensor:
        """(B, T, 64) -> (B,): the tagger's probability of the wanted classes."""
        return (self.tagger(mels)[0].softmax(dim=1) * class_probs).sum(dim=1)

    @torch.inference_mode()
    def generate(
        self, query: Tensor, class_probs: Tensor, request: FlowRequest, *, seed: int, retrieve: bool = True,
        takes: int | None = None,
    ) -> GeneratedSound:  # fmt: skip
        """As `generate_mel`, then the vocoder: the requested duration, peak at -1 dBFS, ends faded over 4 ms."""
        mel, rows = self.generate_mel(query, class_probs, request, seed=seed, retrieve=retrieve, takes=takes)
        rate_hz = self.codec.mel.config.sample_rate_hz
        waveform = self.codec.vocoder.generated(mel[None])[0][: round(request.seconds * rate_hz)]
        return GeneratedSound(finish(waveform, rate_hz), rows)
