"""The language path: a place of a photograph, thought about by a picture language model, spoken as stereo tokens.

grid -> thinker -> audio head, token by token for both ears -> log-mels and the time between the ears -> vocoder. No
word comes out anywhere. Sound is handed out while tokens still come; with several takes the ear keeps the one it likes
best.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synesthesia.audio.ear import Ear
from synesthesia.audio.stereo import common, stereo
from synesthesia.audio.vocoder import Vocoder
from synesthesia.hearing.token_decoder import EARS, Memory, Step, TokenDecoder
from synesthesia.language.eyes_tower import MERGE, blocks
from synesthesia.language.thinker import Seen, Thinker
from synesthesia.vision.grid import PatchGrid

TAKES = 4
FIRST_FRAMES = 13  # tokens of half a second: the first piece that is handed out
PIECE_FRAMES = 25  # of the later ones
OVERLAP_FRAMES = 8  # of the piece before that are spoken again, so that pieces fit together
PEAK = 0.89


@dataclass(frozen=True)
class Sampling:
    """temperature: 0 takes the likeliest code; top_k: codes that may be drawn; guidance: 1 is none."""

    temperature: float = 1.0
    top_k: int = 100
    guidance: float = 2.0


@dataclass(frozen=True)
class Spoken:
    """waveform: (2, n) float32, left ear first; codes: (2, K, F) int64; looks: (R, C) float32, sums to 1, at which of
    the picture tokens' cells the audio head looked; lead_s: by which the right ear leads; take: which was kept."""

    waveform: np.ndarray
    codes: np.ndarray
    looks: np.ndarray
    lead_s: float
    take: int


@dataclass(frozen=True)
class Written:
    """Everything that takes wrote. codes: (takes, 2, K, F); lead_s: (takes,); looks: (takes, S) mean over positions."""

    codes: Tensor
    lead_s: Tensor
    looks: Tensor


class LanguagePath:
    """Not thread-safe: the studio holds a lock."""

    def __init__(self, thinker: Thinker, decoder: TokenDecoder, vocoder: Vocoder, ear: Ear | None = None) -> None:
        self.thinker, self.decoder, self.vocoder, self.ear = thinker, decoder, vocoder, ear

    @property
    def tokens_per_second(self) -> float:
        return self.decoder.config.tokens.tokens_per_second

    @torch.inference_mode()
    def think(self, grid: PatchGrid, row: int, col: int) -> Memory:
        """What the thinker makes of one patch, ready for the audio head. The box is told as in training: a share of
        what the tower sees, where an odd last row or column stands twice."""
        pixels, (rows, cols) = blocks(grid)
        box = torch.tensor([[col / cols, row / rows, (col + 1) / cols, (row + 1) / rows]])
        return self.decoder.memory(self.thinker([Seen(pixels, rows, cols)], box))

    def speak(
        self, memory: Memory, shape: tuple[int, int], *, seconds: float, seed: int, takes: int = TAKES,
        sampling: Sampling | None = None, wanted: Tensor | None = None,
    ) -> Spoken:  # fmt: skip
        """shape: cells of the picture, down and across; wanted: (voices,) shares of the ear's labels, to choose by."""
        frames = math.ceil(seconds * self.tokens_per_second)
        written = gathered(list(self.write(memory, frames, seed, takes, sampling)), self.decoder)
        mels = self.decoder.tokens.decode(written.codes.flatten(0, 1)).unflatten(0, (-1, EARS))
        take = 0
        if takes > 1 and self.ear is not None and wanted is not None:
            with torch.inference_mode():
                liked = (self.ear(common(mels))[0].softmax(dim=1) * wanted).sum(dim=1)
            take = int(liked.argmax())
        made = stereo(mels[[take]], written.lead_s[[take]], self.vocoder)[0]
        waveform = loud(made[:, : round(seconds * 16_000)])
        looks = written.looks[take][memory.patches[0]]
        return Spoken(
            waveform=waveform.numpy().astype(np.float32), codes=written.codes[take].numpy(),
            looks=(looks / looks.sum().clamp(min=1e-9)).reshape(shape).numpy(), lead_s=float(written.lead_s[take]),
            take=take,
        )  # fmt: skip

    def write(
        self, memory: Memory, frames: int, seed: int, takes: int, sampling: Sampling | None = None
    ) -> Iterator[Step]:
        """One step a position; the same seed writes the same tokens."""
        sampling = sampling or Sampling()
        generators = [torch.Generator().manual_seed((seed * 1_000_003 + 7919 * k + 29) % 2**63) for k in range(takes)]
        return self.decoder.write(
            memory, frames, generators, temperature=sampling.temperature, top_k=sampling.top_k,
            guidance=sampling.guidance,
        )  # fmt: skip

    def stream(
        self, memory: Memory, *, seconds: float, seed: int, sampling: Sampling | None = None
    ) -> Iterator[np.ndarray]:
        """(2, n) pieces of one take as soon as their tokens are there, the first after half a second of them; together
        they last `seconds`."""
        frames, samples = math.ceil(seconds * self.tokens_per_second), round(seconds * 16_000)
        steps: list[Step] = []
        given, ends = 0, set(range(FIRST_FRAMES, frames, PIECE_FRAMES)) | {frames}
        for step in self.write(memory, frames, seed, 1, sampling):
            steps.append(step)
            if len(steps) % EARS or len(steps) // EARS not in ends:
                continue
            done = len(steps) // EARS
            first = max(0, given - OVERLAP_FRAMES)
            written = gathered(steps, self.decoder)
            mels = self.decoder.tokens.decode(written.codes[0, :, :, first:])[None]
            made = stereo(mels, written.lead_s, self.vocoder)[0].clamp(-1.0, 1.0)
            per_frame = made.shape[1] // (done - first)
            start, stop = (given - first) * per_frame, min(made.shape[1], samples - first * per_frame)
            yield made[:, start:stop].numpy().astype(np.float32)
            given = done

    def cells(self, grid: PatchGrid) -> tuple[int, int]:
        """Down and across: what `looks` is a map of."""
        return -(-grid.rows // MERGE), -(-grid.cols // MERGE)


def gathered(steps: list[Step], decoder: TokenDecoder) -> Written:
    """All positions of all takes so far, whole frames."""
    codes = torch.stack([step.codes for step in steps], dim=1).unflatten(1, (-1, EARS)).permute(0, 2, 3, 1)
    leads = torch.stack([step.lead for step in steps if step.lead is not None]).softmax(dim=2).mean(dim=0)
    looks = torch.stack([step.looks for step in steps]).mean(dim=0)
    return Written(codes, leads @ decoder.config.leads_s, looks)


def loud(waveform: Tensor) -> Tensor:
    """(2, n) with the louder ear's peak at -1 dBFS; what sets the ears apart stays."""
    waveform = waveform - waveform.mean(dim=1, keepdim=True)
    return waveform * (PEAK / waveform.abs().max().clamp(min=1e-4))
