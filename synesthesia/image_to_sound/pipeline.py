"""Image-to-sound pipeline: patch grid -> region features -> prior -> retrieval-conditioned generator -> waveform.

No text is involved. The evidence of a sound is what the audio tagger detects in it and which training sounds were near.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio.vocoder import Vocoder
from synesthesia.core import checkpoints
from synesthesia.core.cache import BoundedCache
from synesthesia.core.errors import UserError
from synesthesia.core.presets import SAMPLE_RATE_HZ, ImageToSoundConfig, Preset
from synesthesia.core.requests import FlowRequest
from synesthesia.core.results import Evidence, Heard, LabelScore, Neighbour, SceneHeard, Sound
from synesthesia.image_to_sound.generator import Codec, GeneratorConfig, SoundGenerator
from synesthesia.image_to_sound.prior import AudioCondition, Prior
from synesthesia.image_to_sound.region_features import region_features
from synesthesia.vision.grid import EncodedImage, PatchGrid, patch_seed

KEPT_GRIDS = 16  # predictions, about 0.3 MB each
LABELS_SHOWN = 5
NEIGHBOURS_SHOWN = 5


class ImageToSoundPipeline:
    """The models of one preset, from a patch grid to sounds. Not thread-safe: the studio holds a lock."""

    def __init__(self, prior: Prior, generator: SoundGenerator) -> None:
        assert prior.config.query_dim == generator.index.embeddings.shape[1], "prior and index must share an embedding"
        self.prior, self.generator = prior, generator
        self._conditions: BoundedCache[AudioCondition] = BoundedCache(KEPT_GRIDS)

    @classmethod
    def load(cls, config: ImageToSoundConfig, codec: Codec) -> ImageToSoundPipeline:
        """UserError when the mapper's or the tagger's files are missing or damaged."""
        folder = checkpoints.folder(config.mapper_weights.folder)
        try:
            fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))["voice"]
        except FileNotFoundError as error:
            raise checkpoints.incomplete("The mapper's folder", folder, "training.image_to_sound.train") from error
        tagger = AudioTagger.load(checkpoints.folder(config.tagger_weights.folder))
        return cls(Prior.load(folder), SoundGenerator.load(folder, GeneratorConfig(**fields), tagger, codec))

    @property
    def threshold(self) -> float:
        """The presence below which this mapper was calibrated to abstain."""
        return self.prior.config.threshold

    @property
    def tagger(self) -> AudioTagger:
        return self.generator.tagger

    @property
    def vocoder(self) -> Vocoder:
        return self.generator.codec.vocoder

    def predict(self, grid: PatchGrid) -> AudioCondition:
        """The prior's prediction for every patch of the grid, row by row; cached for the last few photographs."""
        return self._conditions.get(grid.key, lambda: self._predict(grid))

    def _predict(self, grid: PatchGrid) -> AudioCondition:
        if grid.features.shape[2] != self.prior.config.feature_dim:
            raise UserError(
                f"The mapper was trained for features of {self.prior.config.feature_dim} numbers, "
                f"but this vision network gives {grid.features.shape[2]}."
            )
        return self.prior.predict(region_features(grid))

    def class_probs(self, grid: PatchGrid, row: int, col: int) -> Tensor:
        """(classes,) probabilities of the tagger's classes that the prior predicts for one patch."""
        return self.predict(grid).class_probs[row * grid.cols + col]

    def patch_evidence(self, waveform: Tensor, grid: PatchGrid, row: int, col: int) -> Evidence:
        """`evidence` of a waveform (n,) that another path made for this patch."""
        return self.evidence(waveform, self.predict(grid).query[row * grid.cols + col])

    def presence_map(self, grid: PatchGrid) -> Tensor:
        """(R, C) float32 in 0..1: the calibrated probability that a patch sounds."""
        return self.predict(grid).presence.reshape(grid.rows, grid.cols).clone()

    def generate(self, grid: PatchGrid, row: int, col: int, request: FlowRequest) -> Sound:
        """The sound (1, n) of one patch, whatever its presence. The samples depend on the request and on the patch:
        one seed gives different sounds in different places."""
        assert 0 <= row < grid.rows and 0 <= col < grid.cols, f"({row}, {col}) outside {grid.rows} x {grid.cols}"
        condition, patch = self.predict(grid), row * grid.cols + col
        query = condition.query[patch]
        seed = patch_seed(request.seed, grid.key, row, col)
        generated = self.generator.generate(query, condition.class_probs[patch], request, seed=seed)
        waveform = generated.waveform.clamp(-1.0, 1.0)
        evidence = self.evidence(waveform, query, generated.rows[:1])
        return Sound(waveform.numpy().astype(np.float32)[None], evidence)

    @torch.inference_mode()
    def evidence(self, waveform: Tensor, query: Tensor, guides: tuple[int, ...] = ()) -> Evidence:
        """The tagger's labels of the waveform (n,), and neighbours by falling similarity: the recordings that
        conditioned the kept candidate (index rows `guides`) and those nearest the query."""
        labels = self.tagger.top_labels(self.generator.codec.mel(waveform[None]), LABELS_SHOWN)
        index = self.generator.index
        shown: dict[tuple[str, str], Neighbour] = {}
        for i in [*guides, *(int(i) for i in index.nearest(query, 6 * NEIGHBOURS_SHOWN)[1])]:
            entry, similarity = index.entries[i], float(index.embeddings[i] @ query)
            found = Neighbour(entry.label, similarity, entry.source, entry.recording_id, entry.licence)
            if len(shown) < NEIGHBOURS_SHOWN:
                shown.setdefault((entry.source, entry.recording_id), found)  # several excerpts of one recording are one
        neighbours = sorted(shown.values(), key=lambda one: -one.similarity)
        return Evidence(tuple(LabelScore(label, score) for label, score in labels), tuple(neighbours))


class ImageToSound:
    """The capability behind the paths "flow" and "mlp" of one preset; its models load with the first photograph."""

    def __init__(self, preset: Preset) -> None:
        self.preset = preset

    @cached_property
    def pipeline(self) -> ImageToSoundPipeline:
        """UserError when a file is missing or damaged."""
        from synesthesia.audio.codec import LatentCodec

        return ImageToSoundPipeline.load(self.preset.image_to_sound, LatentCodec.load(self.preset.codec))

    @property
    def threshold(self) -> float:
        return self.pipeline.threshold

    def require(self) -> None:
        """UserError when no mapper has been trained for this preset's features. Loads and fetches nothing."""
        if self.preset.name == "hub" and not checkpoints.is_listed(self.preset.image_to_sound.mapper_weights.folder):
            raise UserError(
                f"No mapper has been trained for the preset '{self.preset.name}' yet; "
                f"this trains one: {self.preset.image_to_sound.train_command}"
            )

    def warm(self) -> None:
        _ = self.pipeline

    def presence(self, image: EncodedImage) -> np.ndarray:
        """(R, C) float32 in 0..1: how surely each patch sounds."""
        return self.pipeline.presence_map(image.grid).numpy()

    def generate(
        self, image: EncodedImage, row: int, col: int, x: float, y: float, request: FlowRequest
    ) -> Iterator[Sound]:
        """One sound of one patch."""
        yield self.pipeline.generate(image.grid, row, col, request)

    def mix(self, heard: Sequence[Heard], samples: int, channels: int) -> SceneHeard:
        """Several places as one sound, each as loud as it is present."""
        from synesthesia.image_to_sound.mix import mix

        return mix(heard, samples=samples, sample_rate=SAMPLE_RATE_HZ, channels=channels)
