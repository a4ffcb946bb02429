"""Services: what a studio calls, one object a capability, each made by the first call that needs it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from synesthesia.core import checkpoints
from synesthesia.core.cache import BoundedCache
from synesthesia.core.presets import Preset
from synesthesia.core.requests import AnySound, ImpactRequest, LanguageRequest
from synesthesia.vision.grid import EncodedImage

if TYPE_CHECKING:
    from synesthesia.audio_qa.pipeline import AudioQA
    from synesthesia.binaural.hrtf import HRTF
    from synesthesia.capability import SoundCapability, VisionEncoder
    from synesthesia.image_to_sound.pipeline import ImageToSound
    from synesthesia.impact.pipeline import ImpactPipeline
    from synesthesia.localization.pipeline import LocalizationPipeline
    from synesthesia.vision.grid import PatchGrid
    from synesthesia.vlm_to_sound.pipeline import VlmToSoundPipeline

KEPT_PICTURES = 16  # grids: about 4 MB each


class Services:
    """What a studio calls, each made at its first use. A host or a test overrides what it brings itself."""

    def __init__(self, preset: Preset) -> None:
        self.preset = preset
        self._earlier_grids: BoundedCache[PatchGrid] = BoundedCache(KEPT_PICTURES)

    @cached_property
    def vision(self) -> VisionEncoder:
        from synesthesia.vision.backbone import PatchEncoder

        return PatchEncoder.load(self.preset.vision)

    @cached_property
    def earlier_vision(self) -> VisionEncoder:
        """What the paths "language" and "tap" read: `vision`, unless they were trained on an earlier network."""
        from synesthesia.vision.backbone import PatchEncoder

        earlier = self.preset.earlier_vision
        return PatchEncoder.load(earlier) if earlier else self.vision

    @cached_property
    def image_to_sound(self) -> ImageToSound:
        from synesthesia.image_to_sound.pipeline import ImageToSound

        return ImageToSound(self.preset)

    @cached_property
    def vlm_to_sound(self) -> VlmToSoundPipeline:
        from synesthesia.vlm_to_sound.pipeline import VlmToSoundPipeline

        return VlmToSoundPipeline(self.preset, self.image_to_sound, self.seen_earlier)

    @cached_property
    def impact(self) -> ImpactPipeline:
        from synesthesia.impact.pipeline import ImpactPipeline

        return ImpactPipeline(
            self.preset, lambda picture: self.earlier_vision.encode_stage_maps(picture), self.seen_earlier
        )

    @cached_property
    def localization(self) -> LocalizationPipeline:
        from synesthesia.localization.pipeline import LocalizationPipeline

        return LocalizationPipeline.load(self.preset.localization)

    @cached_property
    def audio_qa(self) -> AudioQA:
        from synesthesia.audio_qa.pipeline import AudioQA

        return AudioQA(self.preset, lambda clip: self.localization.token(clip))

    @cached_property
    def hrtf(self) -> HRTF:
        """The HRTF of the test clips."""
        from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF

        return SphericalHarmonicHRTF.load(checkpoints.folder(self.preset.localization.hrtf_weights.folder))

    def seen_earlier(self, image: EncodedImage) -> EncodedImage:
        """The photograph as `earlier_vision` encodes it; cached."""
        if self.preset.earlier_vision is None:
            return image
        grid = self._earlier_grids.get(image.key, lambda: self.earlier_vision.encode(image.picture))
        return EncodedImage(image.picture, image.key, grid)

    def sound(self, request: AnySound) -> SoundCapability:
        """The capability that answers a request."""
        match request:
            case LanguageRequest():
                return self.vlm_to_sound
            case ImpactRequest():
                return self.impact
            case _:
                return self.image_to_sound
