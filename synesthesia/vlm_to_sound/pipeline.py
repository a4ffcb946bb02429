"""Vision-language model to sound, the path "language" of one preset: loads the models and answers one request.

Features, presence, tagger and vocoder are those of the image-to-sound path, which the studio passes in. The studio
calls all of this under its lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Preset, Weights
from synesthesia.core.requests import LanguageRequest
from synesthesia.core.results import Evidence, Heard, Progress, SceneHeard, Sound, Tokens
from synesthesia.vision.grid import patch_seed

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from synesthesia.audio.tagger import AudioTagger
    from synesthesia.audio.vocoder import Vocoder
    from synesthesia.vision.grid import EncodedImage, PatchGrid
    from synesthesia.vlm_to_sound.generate import TokenGenerator
    from synesthesia.vlm_to_sound.region_inputs import RegionInputs
    from synesthesia.vlm_to_sound.sampling import TokenSampler
    from synesthesia.vlm_to_sound.thinker import Thinker


class SoundContext(Protocol):
    """What this path needs from another one to choose and render a take, and to explain it."""

    @property
    def tagger(self) -> AudioTagger: ...

    @property
    def vocoder(self) -> Vocoder: ...

    def class_probs(self, grid: PatchGrid, row: int, col: int) -> Tensor:
        """(classes,) probabilities of the tagger's classes for one patch."""

    def patch_evidence(self, waveform: Tensor, grid: PatchGrid, row: int, col: int) -> Evidence:
        """Labels and nearest training sounds of a waveform (n,) made for one patch."""


class ImageToSoundService(Protocol):
    """Presence of sound in a photograph, mixing, and the `SoundContext`, which loads with its first use."""

    @property
    def pipeline(self) -> SoundContext: ...

    @property
    def threshold(self) -> float: ...

    def require(self) -> None: ...

    def presence(self, image: EncodedImage) -> np.ndarray: ...

    def mix(self, heard: Sequence[Heard], samples: int, channels: int) -> SceneHeard: ...


class VlmToSoundPipeline:
    """Thinker, audio head and sound tokens of one preset; they load with the first request. seen: gives a photograph as
    the thinker's vision network encodes it."""

    def __init__(
        self, preset: Preset, image_to_sound: ImageToSoundService, seen: Callable[[EncodedImage], EncodedImage]
    ) -> None:  # fmt: skip
        self.preset, self._image_to_sound, self._seen = preset, image_to_sound, seen

    def require(self) -> None:
        """UserError when one of the models has not been trained. Loads and fetches nothing."""
        if not all(checkpoints.is_present(where) for _, where in self.preset.vlm_to_sound_roles):
            raise UserError(
                f"The path 'language' has not been trained for the preset '{self.preset.name}' yet; "
                f"this trains it: {self.preset.vlm_to_sound.train_command}"
            )
        self._image_to_sound.require()

    @property
    def threshold(self) -> float:
        return self._image_to_sound.threshold

    def presence(self, image: EncodedImage) -> np.ndarray:
        """(R, C) float32 in 0..1: how surely each patch sounds."""
        return self._image_to_sound.presence(image)

    def mix(self, heard: Sequence[Heard], samples: int, channels: int) -> SceneHeard:
        return self._image_to_sound.mix(heard, samples, channels)

    def warm(self) -> None:
        _ = self.generator

    def generate(
        self, image: EncodedImage, row: int, col: int, x: float, y: float, request: LanguageRequest
    ) -> Iterator[Progress | Sound]:
        """Progress of the tokens, and last the sound of one patch, whatever its presence. Its evidence: labels that the
        tagger finds in the mix of both channels, and the training sounds nearest to the patch's prediction."""
        import torch

        from synesthesia.vlm_to_sound.generate import number_of_takes

        generator, context = self.generator, self._image_to_sound.pipeline
        sampler = _sampler(request)
        takes = number_of_takes(request.seconds, sampler)
        for item in generator.generate_steps(
            generator.encode(self._seen(image), row, col), image.grid, seconds=request.seconds,
            seed=patch_seed(request.seed, image.key, row, col), takes=takes, sampler=sampler,
            class_probs=context.class_probs(image.grid, row, col),
        ):  # fmt: skip
            if isinstance(item, Progress):
                yield item
                continue
            config = generator.head.config.tokens
            tokens = Tokens(
                item.codes, config.tokens_per_second, config.codes, item.cross_attention, item.itd_s, takes, item.take
            )
            mono = torch.from_numpy(item.waveform).mean(dim=0)
            yield Sound(item.waveform, context.patch_evidence(mono, image.grid, row, col), tokens)

    def stream(self, image: EncodedImage, row: int, col: int, request: LanguageRequest) -> Iterator[np.ndarray]:
        """(2, n) float32 chunks of one take as its tokens are sampled."""
        yield from self.generator.stream(
            self.generator.encode(self._seen(image), row, col), seconds=request.seconds,
            seed=patch_seed(request.seed, image.key, row, col), sampler=_sampler(request),
        )  # fmt: skip

    @cached_property
    def generator(self) -> TokenGenerator:
        """UserError when a file is missing, damaged, can't be fetched, or does not fit the others."""
        from synesthesia.vlm_to_sound.checkpoint import load_audio_head
        from synesthesia.vlm_to_sound.generate import TokenGenerator
        from synesthesia.vlm_to_sound.mel_tokens import MelTokens

        config, context = self.preset.vlm_to_sound, self._image_to_sound.pipeline
        tokens = MelTokens.load(checkpoints.folder(config.tokens_weights.folder))
        folder = checkpoints.folder(config.decoder_weights.folder)
        thinker, region_inputs = load_thinker(config.thinker_weights)
        head = load_audio_head(folder, thinker, tokens, new_embeddings=bool(config.thinker_weights.hub_id))
        return TokenGenerator(thinker, head, context.vocoder, context.tagger, region_inputs)


def load_thinker(where: Weights) -> tuple[Thinker, RegionInputs]:
    """The thinker and the inputs that it reads."""
    from synesthesia.vlm_to_sound.qwen3_vl import load_hub, load_tiny
    from synesthesia.vlm_to_sound.region_inputs import FeatureRegionInputs, PixelRegionInputs

    if not where.hub_id:
        return load_tiny(checkpoints.folder(where.folder)), FeatureRegionInputs()
    try:
        return load_hub(where.hub_id, where.revision), PixelRegionInputs.load(where.hub_id, where.revision)
    except Exception as error:  # the libraries have some twenty exception types for a failed download
        raise UserError(
            f"The hub checkpoint {where.hub_id} at {where.revision[:12]} can't be fetched "
            f"({type(error).__name__}); the preset 'embedded' needs no network."
        ) from error


def _sampler(request: LanguageRequest) -> TokenSampler:
    from synesthesia.vlm_to_sound.sampling import TokenSampler

    return TokenSampler(request.temperature, request.top_k, request.guidance)
