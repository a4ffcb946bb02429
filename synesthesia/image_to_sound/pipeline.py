"""The direct path: a patch of a photograph becomes a sound without a word in between.

patch grid -> `context.look` -> `Prior` (where in the space of sounds, and whether at all) -> `Voice` (neighbours, flow
or mlp, vocoder) -> waveform, with the evidence: what the product's ear hears in it and which training sounds led to it.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio.vocoder import Vocoder
from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from synesthesia.core.presets import HearingConfig
from synesthesia.core.results import Evidence, LabelScore, Neighbour
from synesthesia.image_to_sound.generator import Codec, GeneratorConfig, SoundGenerator
from synesthesia.image_to_sound.prior import AudioCondition, Prior
from synesthesia.image_to_sound.region_features import region_features
from synesthesia.vision.grid import PatchGrid

KEPT_GRIDS = 4
LABELS_SHOWN = 5
NEIGHBOURS_SHOWN = 5


@dataclass(frozen=True)
class PatchSound:
    """waveform: (1, n) float32 in [-1, 1]; presence: 0..1."""

    waveform: np.ndarray
    sample_rate: int
    presence: float
    evidence: Evidence


class ImageToSoundPipeline:
    """One preset's way from a patch grid to sounds. Not thread-safe: the studio holds a lock."""

    def __init__(self, prior: Prior, voice: SoundGenerator) -> None:
        assert prior.config.query_dim == voice.index.embeddings.shape[1], "prior and index must share a space of sounds"
        self.prior, self.voice = prior, voice
        self._wishes: OrderedDict[str, AudioCondition] = OrderedDict()

    @classmethod
    def load(cls, config: HearingConfig, codec: Codec) -> ImageToSoundPipeline:
        """UserError when the mapper's or the ear's files are missing or damaged."""
        folder = checkpoints.folder(config.mapper_weights.folder)
        try:
            fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))["voice"]
        except FileNotFoundError as error:
            raise UserError(
                f"The mapper's folder {folder} is incomplete; train it with training.image_to_sound.train."
            ) from error
        ear = AudioTagger.load(checkpoints.folder(config.ear_weights.folder))
        return cls(Prior.load(folder), SoundGenerator.load(folder, GeneratorConfig(**fields), ear, codec))

    @property
    def threshold(self) -> float:
        """The presence below which this mapper was calibrated to abstain."""
        return self.prior.config.threshold

    def wish(self, grid: PatchGrid) -> AudioCondition:
        """What every patch of the grid asks for, row by row; kept for the last few photographs."""
        if grid.key not in self._wishes:
            if grid.features.shape[2] != self.prior.config.feature_dim:
                raise UserError(
                    f"The mapper was trained for features of {self.prior.config.feature_dim} numbers, "
                    f"but this vision network gives {grid.features.shape[2]}."
                )
            self._wishes[grid.key] = self.prior.wish(region_features(grid))
            while len(self._wishes) > KEPT_GRIDS:
                self._wishes.popitem(last=False)
        self._wishes.move_to_end(grid.key)
        return self._wishes[grid.key]

    @property
    def tagger(self) -> AudioTagger:
        return self.voice.ear

    @property
    def vocoder(self) -> Vocoder:
        return self.voice.codec.vocoder

    def class_probs(self, grid: PatchGrid, row: int, col: int) -> Tensor:
        """(classes,) probabilities of the tagger's classes that the prior predicts for one patch."""
        return self.wish(grid).voices[row * grid.cols + col]

    def patch_evidence(self, waveform: Tensor, grid: PatchGrid, row: int, col: int) -> Evidence:
        """`evidence` of a waveform (n,) that another path made for this patch."""
        return self.evidence(waveform, self.wish(grid).query[row * grid.cols + col])

    def presence_map(self, grid: PatchGrid) -> Tensor:
        """(R, C) float32 in 0..1: the calibrated probability that a patch sounds."""
        return self.wish(grid).presence.reshape(grid.rows, grid.cols).clone()

    def hear(
        self, grid: PatchGrid, row: int, col: int, *, mapper: Literal["flow", "mlp"] = "flow", seconds: float = 4.0,
        seed: int = 0, steps: int = 12, guidance: float = 3.0,
    ) -> PatchSound:  # fmt: skip
        """The sound of one patch, whatever its presence. The same arguments give the very same samples, another place
        or photograph others: two dogs are not one dog."""
        assert 0 <= row < grid.rows and 0 <= col < grid.cols, f"({row}, {col}) outside {grid.rows} x {grid.cols}"
        wish = self.wish(grid)
        place = row * grid.cols + col
        query, wanted = wish.query[place], wish.voices[place]
        sung = self.voice.sing(
            query, wanted, mapper=mapper, seconds=seconds, seed=own_seed(seed, grid.key, row, col), steps=steps,
            guidance=guidance,
        )  # fmt: skip
        waveform = sung.waveform.clamp(-1.0, 1.0)
        return PatchSound(
            waveform.numpy().astype(np.float32)[None],
            self.voice.codec.mel.config.sample_rate_hz,
            float(wish.presence[place]),
            self.evidence(waveform, query, sung.rows[:1]),
        )

    @torch.inference_mode()
    def evidence(self, waveform: Tensor, query: Tensor, guides: tuple[int, ...] = ()) -> Evidence:
        """Labels heard in the waveform (n,) itself; the recordings that guided the kept take, if any did, and those
        nearest the wish, nearest first."""
        labels = self.voice.ear.top(self.voice.codec.mel(waveform[None]), LABELS_SHOWN)
        index = self.voice.index
        shown: dict[tuple[str, str], Neighbour] = {}
        for i in [*guides, *(int(i) for i in index.nearest(query, 6 * NEIGHBOURS_SHOWN)[1])]:
            entry, similarity = index.entries[i], float(index.embeddings[i] @ query)
            found = Neighbour(entry.label, similarity, entry.source, entry.recording_id, entry.licence)
            if len(shown) < NEIGHBOURS_SHOWN:
                shown.setdefault((entry.source, entry.recording_id), found)  # several excerpts of one recording are one
        neighbours = sorted(shown.values(), key=lambda one: -one.similarity)
        return Evidence(tuple(LabelScore(label, score) for label, score in labels), tuple(neighbours))


def own_seed(seed: int, key: str, row: int, col: int) -> int:
    """The seed of one place of one photograph: what the person chose, mixed with what was clicked."""
    digest = hashlib.sha256(f"{seed}:{key}:{row}:{col}".encode()).digest()
    return int.from_bytes(digest[:6])
