"""Protocols of the studio's services: the vision encoder, and a capability that turns a patch into a sound.

A new capability is a class with these methods in a room of its own, one more request in `core.requests`, its weights in
`core.presets`, one line in `services.Services`, and a tab of the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image

from synesthesia.core.results import Heard, Progress, SceneHeard, Sound

if TYPE_CHECKING:
    from synesthesia.vision.grid import EncodedImage, PatchGrid


class VisionEncoder(Protocol):
    """`vision.backbone.PatchEncoder`, or a test's stand-in."""

    def encode(self, picture: Image.Image) -> PatchGrid: ...

    def encode_stage_maps(self, picture: Image.Image) -> PatchGrid: ...


class SoundCapability(Protocol):
    """A way from a place of a photograph to a sound. Called under the studio's lock."""

    @property
    def threshold(self) -> float:
        """The presence below which a place stays silent."""

    def require(self) -> None:
        """UserError when its models have not been trained. Loads and fetches nothing."""

    def presence(self, image: EncodedImage) -> np.ndarray:
        """(R, C) float32 in 0..1: how surely each patch sounds."""

    def generate(
        self, image: EncodedImage, row: int, col: int, x: float, y: float, request: Any
    ) -> Iterator[Progress | Sound]:  # fmt: skip
        """How far the sound is, if it comes in steps, and last the sound of one patch, whatever its presence."""

    def mix(self, heard: Sequence[Heard], samples: int, channels: int) -> SceneHeard:
        """Several places as one sound."""
