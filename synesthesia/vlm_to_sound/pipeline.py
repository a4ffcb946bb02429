"""The path "language" of one preset: its models, loaded by the first click that asks for it, and what it makes of one.

The studio calls all of this under its lock. Eyes, ear, prior and vocoder are those that the other paths use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Preset, Weights
from synesthesia.core.requests import Settings
from synesthesia.core.results import Evidence, Tokens, Writing

if TYPE_CHECKING:
    import numpy as np

    from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
    from synesthesia.vision.grid import EncodedImage
    from synesthesia.vlm_to_sound.generate import Sampling, TokenGenerator
    from synesthesia.vlm_to_sound.region_inputs import RegionInputs
    from synesthesia.vlm_to_sound.thinker import Thinker


@dataclass(frozen=True)
class Sound:
    """waveform: (channels, n) float32."""

    waveform: np.ndarray
    evidence: Evidence
    tokens: Tokens | None = None


class VlmToSoundPipeline:
    """Thinker, audio head and sound tokens of one preset."""

    def __init__(self, preset: Preset) -> None:
        self.preset = preset
        self._path: TokenGenerator | None = None

    def require(self) -> None:
        """UserError when one of the models has not been trained. Loads and fetches nothing."""
        if not all(where.hub_id or checkpoints.is_listed(where.folder) for _, where in self.preset.thinking_roles):
            raise UserError(
                f"The path 'language' has not been trained for the preset '{self.preset.name}' yet; "
                f"this trains it: {self.preset.thinking.train_command}"
            )

    def speaking(
        self, hearing: ImageToSoundPipeline, seen: EncodedImage, row: int, col: int, settings: Settings
    ) -> Iterator[Writing | Sound]:
        """How far the tokens have come, and last the sound of one patch, whatever its presence. Its evidence is what
        the ear hears in both channels together, and the training sounds nearest what the prior wishes here."""
        import torch

        from synesthesia.vlm_to_sound.generate import GeneratedStereo, number_of_takes

        path, grid = self.path(hearing), seen.grid
        wish, patch = hearing.wish(grid), row * grid.cols + col
        sampling = sampling_of(settings)
        takes = number_of_takes(settings.seconds, sampling)
        for came in path.speaking(
            path.think(grid, row, col, seen.picture), grid, seconds=settings.seconds,
            seed=own_seed_of(seen, row, col, settings), takes=takes, sampling=sampling,
            wanted=wish.voices[patch],
        ):  # fmt: skip
            if not isinstance(came, GeneratedStereo):
                yield came
                continue
            config = path.decoder.config.tokens
            told = Tokens(came.codes, config.tokens_per_second, config.codes, came.looks, came.lead_s, takes, came.take)
            mono = torch.from_numpy(came.waveform).mean(dim=0)
            yield Sound(came.waveform, hearing.evidence(mono, wish.query[patch]), told)

    def stream(
        self, hearing: ImageToSoundPipeline, seen: EncodedImage, row: int, col: int, settings: Settings
    ) -> Iterator[np.ndarray]:
        """(2, n) float32 pieces of one take as its tokens come."""
        path = self.path(hearing)
        yield from path.stream(
            path.think(seen.grid, row, col, seen.picture), seconds=settings.seconds,
            seed=own_seed_of(seen, row, col, settings), sampling=sampling_of(settings),
        )  # fmt: skip

    def path(self, hearing: ImageToSoundPipeline) -> TokenGenerator:
        """UserError when a file is missing, damaged, can't be fetched, or does not fit the others."""
        if self._path is None:
            from synesthesia.vlm_to_sound.checkpoint import load_audio_head
            from synesthesia.vlm_to_sound.generate import TokenGenerator
            from synesthesia.vlm_to_sound.mel_tokens import MelTokens

            config = self.preset.thinking
            tokens = MelTokens.load(checkpoints.folder(config.tokens_weights.folder))
            folder = checkpoints.folder(config.decoder_weights.folder)
            thinker, views = thinker_of(config.thinker_weights)
            decoder = load_audio_head(folder, thinker, tokens, words=bool(config.thinker_weights.hub_id))
            self._path = TokenGenerator(thinker, decoder, hearing.voice.codec.vocoder, hearing.voice.ear, views)
        return self._path


def thinker_of(where: Weights) -> tuple[Thinker, RegionInputs]:
    """With its way of looking."""
    from synesthesia.vlm_to_sound.qwen3_vl import load_hub, load_tiny
    from synesthesia.vlm_to_sound.region_inputs import FeatureRegionInputs, PixelRegionInputs

    if not where.hub_id:
        return load_tiny(checkpoints.folder(where.folder)), FeatureRegionInputs()
    try:
        return load_hub(where.hub_id, where.revision), PixelRegionInputs.load(where.hub_id, where.revision)
    except Exception as error:  # the libraries raise some twenty kinds for one fact: the model isn't to be had
        raise UserError(
            f"The hub checkpoint {where.hub_id} at {where.revision[:12]} can't be fetched "
            f"({type(error).__name__}); the preset 'embedded' needs no network."
        ) from error


def own_seed_of(seen: EncodedImage, row: int, col: int, settings: Settings) -> int:
    from synesthesia.image_to_sound.pipeline import own_seed

    return own_seed(settings.seed, seen.grid.key, row, col)


def sampling_of(settings: Settings) -> Sampling:
    from synesthesia.vlm_to_sound.generate import Sampling

    return Sampling(settings.temperature, settings.top_k, settings.guidance)
