"""From a point in the space of sounds to a sound: draw neighbours, generate takes, keep the take the ear likes best.

Pictures are no concern of this file, so that a generator can be measured alone, with the true condition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load_file
from torch import Tensor

from synesthesia.audio.mel import LogMel
from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio.vocoder import Vocoder
from synesthesia.core.errors import UserError
from synesthesia.image_to_sound.condition import Condition
from synesthesia.image_to_sound.flow import Flow, even_times
from synesthesia.image_to_sound.mel_patches import LatentSpace, MelPatches
from synesthesia.image_to_sound.mlp import Mlp
from synesthesia.image_to_sound.retrieval import SoundIndex

LATENT_FRAMES_PER_SECOND = 25.0
PEAK = 0.89  # -1 dBFS, as the training sounds
FADE_S = 0.004
MLP_SPREAD = 0.1  # length of the step aside, for unit vectors


class Codec(Protocol):
    """What of `audio.codec.LatentCodec` is used here."""

    mel: LogMel
    vocoder: Vocoder

    @property
    def vae(self) -> LatentSpace: ...


@dataclass(frozen=True)
class GeneratorConfig:
    """latents: "patches" (the linear transform stored beside the mapper) or "vae" (the codec's autoencoder).

    takes: candidates begun at once; halfway the ear keeps `finalists`, at the end one; longer sounds get fewer.
    among, temperature: of the draw.
    """

    latents: str = "patches"
    takes: int = 6
    finalists: int = 2
    takes_seconds: float = 25.0  # seconds begun in all, at most
    among: int = 8
    temperature: float = 0.03


@dataclass(frozen=True)
class GeneratedSound:
    """waveform: (n,) float32; rows: the index rows whose descriptors were told to the takes, the kept one first."""

    waveform: Tensor
    rows: tuple[int, ...]


class SoundGenerator:
    """Both mappers, the memory and the ear, behind one call."""

    def __init__(
        self,
        config: GeneratorConfig,
        flow: Flow,
        mlp: Mlp | None,
        index: SoundIndex,
        ear: AudioTagger,
        codec: Codec,
        space: LatentSpace,
    ) -> None:
        self.config, self.flow, self.mlp, self.index = config, flow, mlp, index
        self.ear, self.codec, self.space = ear, codec, space

    @staticmethod
    def load(folder: Path, config: GeneratorConfig, ear: AudioTagger, codec: Codec) -> SoundGenerator:
        """From the mapper's checked folder."""
        if config.latents == "patches":
            patches = MelPatches()
            patches.load_state_dict(load_file(folder / "patches.safetensors"))
        space: LatentSpace = patches if config.latents == "patches" else codec.vae
        mlp = Mlp.load(folder) if (folder / "mlp.json").is_file() else None
        return SoundGenerator(config, Flow.load(folder), mlp, SoundIndex.load(folder), ear, codec, space)

    def takes(self, seconds: float) -> int:
        return max(1, min(self.config.takes, int(self.config.takes_seconds / seconds)))

    def generators(self, seed: int, count: int) -> list[torch.Generator]:
        """One a take; a take's samples depend on (seed, number of the take) alone."""
        return [torch.Generator().manual_seed((seed * 1_000_003 + 7919 * k + 17) % (2**63 - 1)) for k in range(count)]

    @torch.inference_mode()
    def mel(
        self, query: Tensor, wanted: Tensor, *, mapper: str, seconds: float, seed: int, steps: int, guidance: float,
        retrieve: bool = True, takes: int | None = None,
    ) -> tuple[Tensor, tuple[int, ...]]:  # fmt: skip
        """query: (Q,) unit vector; wanted: (voices,) shares of the ear's labels -> log-mel (T, 64), index rows used."""
        assert query.ndim == 1 and wanted.ndim == 1, f"query {tuple(query.shape)}, wanted {tuple(wanted.shape)}"
        frames = math.ceil(seconds * LATENT_FRAMES_PER_SECOND)
        count = (takes or self.takes(seconds)) if mapper == "flow" else 1
        generators = self.generators(seed, count)
        rows = self.index.draw(
            query, count, generators[0], among=self.config.among, temperature=self.config.temperature
        )  # (count,)
        told = self.index.descriptors[rows] if retrieve else None
        points = query.expand(count, -1)
        if retrieve:  # ask between what was wished and what was found
            points = torch.nn.functional.normalize(points + self.index.embeddings[rows], dim=1)
        if mapper == "mlp":  # no noise enters the perceptron, so the seed moves the point it is asked about a little
            aside = torch.randn(points.shape, generator=generators[0]) * (MLP_SPREAD / points.shape[1] ** 0.5)
            points = torch.nn.functional.normalize(points + aside, dim=1)
        condition = Condition.of(points, told, self.index.descriptors.shape[1])
        if mapper == "flow":
            mel, best = self._best(condition, frames, generators, wanted, even_times(steps), guidance)
        else:
            if self.mlp is None:
                raise UserError("No 'mlp' has been trained for these weights; use the path 'flow'.")
            mel, best = self.space.decode(self.mlp(condition, frames))[0], 0
        order = [best, *(k for k in range(count) if k != best)]
        return mel, tuple(int(rows[k]) for k in order)

    def _best(
        self, condition: Condition, frames: int, generators: list[torch.Generator], wanted: Tensor,
        times: list[float], guidance: float,
    ) -> tuple[Tensor, int]:  # fmt: skip
        """The log-mel (T, 64) of the take that the ear likes best, and its number.

        Halfway, a flow that predicts clean sounds tells what each take will become; only the finalists go on.
        """
        flow, x = self.flow, self.flow.begin(frames, generators)  # (B, N, token_dim)
        alive = torch.arange(len(x))
        halfway = len(times) // 2 if len(x) > self.config.finalists else 0
        if halfway:
            x, clean = flow.advance(x, condition, times[: halfway + 1], guidance)
            liked = self._liking(self._decoded(clean, frames), wanted).topk(self.config.finalists).indices
            alive = liked.sort().values
            x, condition = x[alive], condition.rows(alive)
        x, _ = flow.advance(x, condition, times[halfway:], guidance)
        mels = self._decoded(x, frames)
        best = int(self._liking(mels, wanted).argmax()) if len(mels) > 1 else 0
        return mels[best], int(alive[best])

    def _decoded(self, tokens: Tensor, frames: int) -> Tensor:
        """Flow tokens (B, N, token_dim) -> log-mels (B, T, 64)."""
        return self.space.decode(self.flow.to_latents(tokens)[:, :, :frames])

    def _liking(self, mels: Tensor, wanted: Tensor) -> Tensor:
        """(B, T, 64) -> (B,): the probability, to the ear, of what was wanted."""
        return (self.ear(mels)[0].softmax(dim=1) * wanted).sum(dim=1)

    @torch.inference_mode()
    def sing(
        self, query: Tensor, wanted: Tensor, *, mapper: str, seconds: float, seed: int, steps: int = 12,
        guidance: float = 3.0, retrieve: bool = True, takes: int | None = None,
    ) -> GeneratedSound:  # fmt: skip
        """As `mel`, then through the vocoder: exactly `seconds`, peak at -1 dBFS, ends faded over 4 ms."""
        mel, rows = self.mel(
            query, wanted, mapper=mapper, seconds=seconds, seed=seed, steps=steps, guidance=guidance,
            retrieve=retrieve, takes=takes,
        )  # fmt: skip
        rate_hz = self.codec.mel.config.sample_rate_hz
        waveform = self.codec.vocoder(mel[None])[0][: round(seconds * rate_hz)]
        return GeneratedSound(finish(waveform, rate_hz), rows)


def finish(waveform: Tensor, rate_hz: int) -> Tensor:
    """(n,) -> (n,) with no offset, its peak at -1 dBFS and both ends faded, so that takes can be compared and
    looped."""
    waveform = waveform - waveform.mean()
    waveform = waveform * (PEAK / waveform.abs().max().clamp(min=1e-4))
    fade = min(len(waveform) // 2, int(FADE_S * rate_hz))
    ramp = torch.linspace(0.0, 1.0, fade)
    waveform[:fade] *= ramp
    waveform[len(waveform) - fade :] *= ramp.flip(0)
    return waveform
