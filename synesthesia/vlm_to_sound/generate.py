"""The language path: a place of a photograph, thought about by a picture language model, spoken as stereo tokens.

grid -> thinker -> audio head, token by token for both ears -> log-mels and the time between the ears -> vocoder. No
word comes out anywhere. Sound is handed out while tokens still come; with several takes the ear keeps the one it likes
best.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio.vocoder import Vocoder
from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.core.results import Writing
from synesthesia.image_to_sound.generator import FADE_S, PEAK
from synesthesia.vision.grid import PatchGrid
from synesthesia.vlm_to_sound.audio_head import AudioHead, Memory
from synesthesia.vlm_to_sound.region_inputs import FeatureRegionInputs, RegionInputs
from synesthesia.vlm_to_sound.sampling import EARS, Step
from synesthesia.vlm_to_sound.stereo import mid_mel, stereo
from synesthesia.vlm_to_sound.streaming import StreamAssembler, fade_edges
from synesthesia.vlm_to_sound.thinker import Thinker

if TYPE_CHECKING:
    from PIL.Image import Image

TAKES = 12
FREE = 0.3  # of the guidance, see `Sampling`
TAKES_SECONDS = 48.0  # written in all, at most: longer sounds get fewer takes
FIRST_FRAMES = 13  # tokens of half a second: what the first piece that is handed out waits for
PIECE_FRAMES = 25  # of the later ones
OVERLAP_FRAMES = 8  # of the piece before that are spoken again, so that the vocoder knows what it goes on from


@dataclass(frozen=True)
class Sampling:
    """temperature: 0 takes the likeliest code; top_k: codes that may be drawn; guidance: 1 is none; free: share of what
    guidance adds that doesn't know what was written so far (the pull of a `Drawing`)."""

    temperature: float = 1.0
    top_k: int = 100
    guidance: float = 3.0
    free: float = FREE


@dataclass(frozen=True)
class GeneratedStereo:
    """waveform: (2, n) float32, left ear first; codes: (2, K, F) int64; looks: (rows, cols) float32 that sums to 1, at
    which of the photograph's patches the audio head looked; lead_s: by which the right ear leads; take: the one that
    was kept."""

    waveform: np.ndarray
    codes: np.ndarray
    looks: np.ndarray
    lead_s: float
    take: int


@dataclass(frozen=True)
class GeneratedTokens:
    """Everything that takes wrote. codes: (takes, 2, K, F); lead_s: (takes,); looks: (takes, S) mean over positions."""

    codes: Tensor
    lead_s: Tensor
    looks: Tensor


class TokenGenerator:
    """views: what the thinker is shown of a photograph. Not thread-safe: the studio holds a lock."""

    def __init__(
        self, thinker: Thinker, decoder: AudioHead, vocoder: Vocoder, ear: AudioTagger | None = None,
        views: RegionInputs | None = None,
    ) -> None:  # fmt: skip
        self.thinker, self.decoder, self.vocoder, self.ear = thinker, decoder, vocoder, ear
        self.views: RegionInputs = views or FeatureRegionInputs()

    @property
    def tokens_per_second(self) -> float:
        return self.decoder.config.tokens.tokens_per_second

    @torch.inference_mode()
    def think(self, grid: PatchGrid, row: int, col: int, picture: Image | None = None) -> Memory:
        """What the thinker makes of one patch, ready for the audio head."""
        seen, box = self.views.view(grid, row, col, picture)
        return self.decoder.memory(self.thinker([seen], box))

    def speak(
        self, memory: Memory, grid: PatchGrid, *, seconds: float, seed: int, takes: int = TAKES,
        sampling: Sampling | None = None, wanted: Tensor | None = None,
    ) -> GeneratedStereo:  # fmt: skip
        """As `speaking`, without what comes before the sound."""
        *_, spoken = self.speaking(
            memory, grid, seconds=seconds, seed=seed, takes=takes, sampling=sampling, wanted=wanted
        )
        assert isinstance(spoken, GeneratedStereo)
        return spoken

    @torch.inference_mode()
    def speaking(
        self, memory: Memory, grid: PatchGrid, *, seconds: float, seed: int, takes: int = TAKES,
        sampling: Sampling | None = None, wanted: Tensor | None = None,
    ) -> Iterator[Writing | GeneratedStereo]:  # fmt: skip
        """How far it is after every frame, and last the sound: exactly `seconds`, the louder ear's peak at -1 dBFS,
        ends faded. grid: what was thought about; wanted: (voices,) shares of the ear's labels, to choose by."""
        frames = math.ceil(seconds * self.tokens_per_second)
        steps: list[Step] = []
        for step in self.write(memory, frames, seed, takes, sampling):
            steps.append(step)
            if len(steps) % EARS == 0:
                yield Writing(len(steps) // EARS, frames)
        written = stack_steps(steps, self.decoder)
        mels = self.decoder.tokens.decode(written.codes.flatten(0, 1)).unflatten(0, (-1, EARS))
        take = 0
        if takes > 1 and self.ear is not None and wanted is not None:
            take = int((self.ear(mid_mel(mels))[0].softmax(dim=1) * wanted).sum(dim=1).argmax())
        made = stereo(mels[[take]], written.lead_s[[take]], self.vocoder)[0]
        waveform = fade_edges(
            peak_normalised(made[:, : round(seconds * SAMPLE_RATE_HZ)]), round(FADE_S * SAMPLE_RATE_HZ)
        )
        looks = self.views.on_patches(written.looks[take][memory.patches[0]], grid)
        yield GeneratedStereo(
            waveform=waveform.numpy().astype(np.float32), codes=written.codes[take].numpy(),
            looks=(looks / looks.sum().clamp(min=1e-9)).numpy(), lead_s=float(written.lead_s[take]), take=take,
        )  # fmt: skip

    def write(
        self, memory: Memory, frames: int, seed: int, takes: int, sampling: Sampling | None = None
    ) -> Iterator[Step]:
        """One step a position; the same seed writes the same tokens."""
        sampling = sampling or Sampling()
        generators = [torch.Generator().manual_seed((seed * 1_000_003 + 7919 * k + 29) % 2**63) for k in range(takes)]
        more = sampling.guidance - 1
        return self.decoder.write(
            memory, frames, generators, temperature=sampling.temperature, top_k=sampling.top_k,
            guidance=1 + more * (1 - sampling.free), pull=more * sampling.free,
        )  # fmt: skip

    @torch.inference_mode()
    def stream(
        self, memory: Memory, *, seconds: float, seed: int, sampling: Sampling | None = None
    ) -> Iterator[np.ndarray]:
        """(2, n) pieces of one take as soon as their tokens are there, the first after half a second of them; together
        they last `seconds`. What the first piece says of the time between the ears holds for all; see `Pieces` for
        loudness and joins."""
        frames = math.ceil(seconds * self.tokens_per_second)
        pieces = StreamAssembler(round(seconds * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ, round(FADE_S * SAMPLE_RATE_HZ), PEAK)
        per_frame = round(SAMPLE_RATE_HZ / self.tokens_per_second)
        ends = set(range(FIRST_FRAMES, frames, PIECE_FRAMES)) | {frames}
        steps: list[Step] = []
        lead_s: Tensor | None = None
        for step in self.write(memory, frames, seed, 1, sampling):
            steps.append(step)
            done = len(steps) // EARS
            if len(steps) % EARS or done not in ends:
                continue
            written = stack_steps(steps, self.decoder)
            lead_s = written.lead_s if lead_s is None else lead_s
            first = max(0, pieces.given // per_frame - OVERLAP_FRAMES)
            mels = self.decoder.tokens.decode(written.codes[0, :, :, first:])[None]
            made = stereo(mels, lead_s, self.vocoder)[0]
            yield pieces.add(made, first * per_frame, last=done == frames)


def stack_steps(steps: list[Step], decoder: AudioHead) -> GeneratedTokens:
    """All positions of all takes so far, whole frames."""
    codes = torch.stack([step.codes for step in steps], dim=1).unflatten(1, (-1, EARS)).permute(0, 2, 3, 1)
    leads = torch.stack([step.lead for step in steps if step.lead is not None]).softmax(dim=2).mean(dim=0)
    looks = torch.stack([step.looks for step in steps]).mean(dim=0)
    return GeneratedTokens(codes, leads @ decoder.config.leads_s, looks)


def peak_normalised(waveform: Tensor) -> Tensor:
    """(2, n) with the louder ear's peak at -1 dBFS; what sets the ears apart stays."""
    waveform = waveform - waveform.mean(dim=1, keepdim=True)
    return waveform * (PEAK / waveform.abs().max().clamp(min=1e-4))


def number_of_takes(seconds: float, sampling: Sampling) -> int:
    """One where nothing is drawn, for all would be the same."""
    drawn = sampling.temperature > 0 and sampling.top_k > 1
    return max(1, min(TAKES, int(TAKES_SECONDS / seconds))) if drawn else 1
