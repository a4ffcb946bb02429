"""Facade of the package: photograph and place in, sound with its evidence out; binaural clip in, direction out.

The page, the command line and scripts call `Studio`. What it calls are `Services`, one object a capability, each made
by the first call that needs it. Models are shared by all callers under one lock; whatever belongs to a call
(photograph, request, result) travels in its arguments and return value, so two people never mix.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PIL import Image

from synesthesia.core import checkpoints, presets
from synesthesia.core.cache import BoundedCache
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Preset
from synesthesia.core.recipe import RECIPES, Recipe
from synesthesia.core.requests import (
    AnySound,
    DemoClipRequest,
    LanguageRequest,
    QuestionRequest,
    check_inside,
    checked,
    click_position,
    sound_request,
    whole_number,
)
from synesthesia.core.results import Answered, Evidence, Heard, Info, Located, MaterialMap, Progress, SceneHeard, Sound
from synesthesia.core.version import VERSION
from synesthesia.services import KEPT_PICTURES, Services
from synesthesia.vision.grid import EncodedImage
from synesthesia.vision.image import picture_key, read_image

if TYPE_CHECKING:
    from synesthesia.vision.grid import PatchGrid

ImageSource = Image.Image | str | os.PathLike[str] | bytes
Item = TypeVar("Item")


class Studio:
    """One preset with its models. `Studio.load("embedded")` returns at once; models come with the first use."""

    def __init__(self, preset: Preset, services: Services | None = None) -> None:
        self.preset = preset
        self.services = services or Services(preset)
        self._lock = RLock()  # around loading and running models; results belong to their caller
        self._fingerprints: dict[str, str] = {}  # by path, of the weights when their first sound was made

    @classmethod
    def load(cls, name: str = "embedded") -> Studio:
        """name: "embedded" (weights of this repository, no network) or "hub". UserError for any other."""
        return cls(presets.preset(name))

    def look(self, image: ImageSource) -> PatchGrid:
        """The photograph's patch grid, computed once per content. UserError when it can't be read."""
        return self._encode(read_image(image)).grid

    def presence(self, image: ImageSource) -> np.ndarray:
        """(R, C) float32 in 0..1: how surely each place of the photograph sounds at all."""
        self.services.image_to_sound.require()
        encoded = self._encode(read_image(image))
        with self._lock:
            return self.services.image_to_sound.presence(encoded)

    def materials(self, image: ImageSource) -> MaterialMap:
        """The predicted material of each place. UserError when no physics adapter is trained."""
        picture = read_image(image)
        self.services.impact.require()
        encoded = self._encode(picture)
        with self._lock:
            return self.services.impact.materials(encoded)

    def similarity(self, image: ImageSource, x: float, y: float) -> np.ndarray:
        """(R, C) float32 in [-1, 1]: cosine similarity of every patch to the one at natural pixel (x, y)."""
        from synesthesia.vision.similarity import similarity_map

        x, y = click_position(x, y)
        grid = self.look(image)
        return similarity_map(grid, *grid.cell(x, y))

    def pca(self, image: ImageSource) -> np.ndarray:
        """(R, C, 3) uint8: the features' three main directions as colours."""
        from synesthesia.vision.similarity import pca_image

        return pca_image(self.look(image))

    def hear(
        self, image: ImageSource, x: float, y: float, *, path: str = "direct", seconds: float = 4.0, seed: int = 0,
        **settings: Any,
    ) -> Heard:  # fmt: skip
        """The sound of the place at natural pixel (x, y).

        path: "direct" (= "flow"), "mlp", "language" (stereo tokens, see `Heard.tokens`) or "tap" (the object there is
        struck, see `Heard.blow`); seconds: 1 to 10; seed: the same seed gives the same samples at the same place, and
        other ones at another place. settings: the other fields of the path's request
        (`FlowRequest`, `LanguageRequest` or `ImpactRequest` in `core.requests`, with defaults and bounds), for example
        anyway=True or guidance=5; those of another path are checked and left out.
        UserError: unreadable photograph, click outside, setting unknown or out of range, missing or damaged weights.
        """
        return _last(self.hear_steps(image, x, y, path=path, seconds=seconds, seed=seed, **settings))

    def hear_steps(
        self, image: ImageSource, x: float, y: float, *, path: str = "direct", seconds: float = 4.0, seed: int = 0,
        **settings: Any,
    ) -> Iterator[Progress | Heard]:  # fmt: skip
        """As `hear`, which comes last, once; the path "language" yields its progress in tokens before it.

        Bad input raises at once, not at the first step. The lock is free between steps: stop at any time.
        """
        request = sound_request(path, {"seconds": seconds, "seed": seed, **settings})
        return self._steps(*self._clicked(image, x, y, request), request)

    def stream(
        self, image: ImageSource, x: float, y: float, *, seconds: float = 4.0, seed: int = 0, **settings: Any
    ) -> Iterator[np.ndarray]:
        """Pieces (2, n) float32 in [-1, 1] of a sound of the path "language" while it is generated, at 16 kHz, left
        ear first, the first after half a second of tokens; together they last exactly `seconds`.

        One take, so it is another sound than `hear`'s, which chooses among several. A silent place gives one piece of
        zeros. Bad input raises at once.
        """
        request = sound_request("language", {"seconds": seconds, "seed": seed, **settings})
        assert isinstance(request, LanguageRequest)
        encoded, row, col, _, _ = self._clicked(image, x, y, request)
        return self._pieces(encoded, row, col, request)

    def sweep(
        self, image: ImageSource, row: int, *, path: str = "direct", seconds: float = 2.0, seed: int = 0,
        **settings: Any,
    ) -> Iterator[Heard]:  # fmt: skip
        """The sounds of one row of patches from left to right, each made when it is asked for: stop at any time.

        Bad input raises at once, not at the first sound.
        """
        request = sound_request(path, {"seconds": seconds, "seed": seed, **settings})
        encoded = self._encoded_for(read_image(image), request)
        grid = encoded.grid
        row = whole_number("The row", row, 0, grid.rows - 1)
        return (_last(self._steps(encoded, row, col, *grid.centre(row, col), request)) for col in range(grid.cols))

    def scene(
        self, image: ImageSource, *, path: str = "direct", seconds: float = 4.0, seed: int = 0, stems: int = 4,
        **settings: Any,
    ) -> SceneHeard:  # fmt: skip
        """The whole photograph: up to `stems` (1 to 8) places that sound, far apart, mixed by their presence; by the
        path "tap" as many places where there is something to strike, struck at one moment with one force."""
        request = sound_request(path, {"seconds": seconds, "seed": seed, **settings, "anyway": True})
        count = whole_number("The number of stems", stems, 1, 8)
        from synesthesia.image_to_sound.mix import select_patches

        encoded = self._encoded_for(read_image(image), request)
        capability = self.services.sound(request)
        with self._lock:
            patches = select_patches(capability.presence(encoded), threshold=capability.threshold, count=count)
        heard = [_last(self._steps(encoded, row, col, *encoded.grid.centre(row, col), request)) for row, col in patches]
        return capability.mix(heard, request.samples, request.channels)

    def locate(self, waveform: np.ndarray, sample_rate: int) -> Located:
        """Where a binaural clip's sound comes from, how sure that is, and what it rests on.

        waveform: (2, n) floats, left ear first; sample_rate: 8,000 to 192,000 Hz; 0.2 to 60 s. A clip that holds no
        direction (mono, panned, silent) is answered with a warning. UserError: what can't be read as such a clip,
        missing or damaged weights.
        """
        from synesthesia.localization.clip_input import read_clip

        clip = read_clip(waveform, sample_rate)
        with self._lock:
            return self.services.localization.locate(clip)

    def ask(self, waveform: np.ndarray, sample_rate: int, question: str) -> Answered:
        """What the small language model answers to a question about a clip, which is read as `locate` reads it.

        question: 1 to 200 characters. Of a clip that holds no direction (mono, panned) the model says so.
        UserError: no question or too long a one, a silent clip, what can't be read as a clip, missing or damaged
        weights.
        """
        from synesthesia.localization.clip_input import read_clip

        request, clip = checked(QuestionRequest, {"question": question}), read_clip(waveform, sample_rate)
        with self._lock:
            return self.services.audio_qa.ask(clip, request.question)

    def binaural(
        self, sound: str, azimuth_deg: float, *, elevation_deg: float = 0.0, room: str = "none", snr_db: float = 40.0,
        seed: int = 0,
    ) -> tuple[np.ndarray, int]:  # fmt: skip
        """A clip whose direction is known: (waveform (2, n) float32 in [-1, 1], left ear first; sample rate in Hz).

        sound: one of `core.vocabulary.DEMO_SOUNDS`; azimuth_deg: -180 to 180, positive to the right; elevation_deg:
        -40 to 60; room: "none", "small" or "large"; snr_db: -10 to 60, of noise from all around; seed: the same seed
        gives the same samples. UserError: a setting out of range, missing or damaged weights.
        """
        from synesthesia.binaural.demo_clips import render_demo_clip

        fields = {"sound": sound, "azimuth_deg": azimuth_deg, "elevation_deg": elevation_deg}
        request = checked(DemoClipRequest, fields | {"room": room, "snr_db": snr_db, "seed": seed})
        with self._lock:
            return render_demo_clip(request, self.services.hrtf), presets.SAMPLE_RATE_HZ

    def check_recipe(self, image: ImageSource, wanted: Recipe) -> None:
        """UserError when the recipe's photograph or weights are others than these: the samples would differ."""
        if wanted.preset != self.preset.name:
            raise UserError(f"The recipe belongs to the preset '{wanted.preset}', not to '{self.preset.name}'.")
        if wanted.picture_sha256 != picture_key(read_image(image)):
            raise UserError("The recipe was made from another photograph, so its sound can't come out of this one.")
        if wanted.weights_sha256 != checkpoints.fingerprint(self.preset.used_by(wanted.path)):
            raise UserError("The recipe was made with other weights, so these can't give the same samples.")

    def info(self) -> Info:
        """What is running, with licences. Never loads a model."""
        from synesthesia.core.about import describe

        return describe(self.preset)

    def warm(self) -> None:
        """Loads the models before the first click. UserError as `hear`."""
        services = self.services
        services.image_to_sound.require()
        with self._lock:
            _ = services.vision
            services.image_to_sound.warm()
            if services.impact.trained:
                services.impact.warm()

    # ------------------------------------------------------------------------------------------------ inside

    @cached_property
    def _grids(self) -> BoundedCache[PatchGrid]:
        return BoundedCache(KEPT_PICTURES)

    def _encode(self, picture: Image.Image) -> EncodedImage:
        """An RGB picture with its grid."""
        key = picture_key(picture)
        with self._lock:
            return EncodedImage(picture, key, self._grids.get(key, lambda: self.services.vision.encode(picture)))

    def _encoded_for(self, picture: Image.Image, request: AnySound) -> EncodedImage:
        """UserError when models that the request needs have not been trained, before any is loaded."""
        self.services.sound(request).require()
        return self._encode(picture)

    def _clicked(
        self, image: ImageSource, x: float, y: float, request: AnySound
    ) -> tuple[EncodedImage, int, int, float, float]:
        """(encoded photograph, row, column, x, y). UserError for a place outside, before any model is loaded."""
        x, y = click_position(x, y)
        picture = read_image(image)
        check_inside(x, y, *picture.size)
        encoded = self._encoded_for(picture, request)
        return encoded, *encoded.grid.cell(x, y), x, y

    def _silence(self, encoded: EncodedImage, row: int, col: int, request: AnySound) -> tuple[bool, float]:
        """(whether the model abstains, presence)."""
        capability = self.services.sound(request)
        with self._lock:
            presence = float(capability.presence(encoded)[row, col])
            return presence < capability.threshold and not request.anyway, presence

    def _steps(
        self, encoded: EncodedImage, row: int, col: int, x: float, y: float, request: AnySound
    ) -> Iterator[Progress | Heard]:
        silent, presence = self._silence(encoded, row, col, request)
        sound = Sound(np.zeros((request.channels, request.samples), dtype=np.float32), Evidence())
        if not silent:
            items = self.services.sound(request).generate(encoded, row, col, x, y, request)
            for item in self._locked(items):
                if isinstance(item, Progress):
                    yield item
                else:
                    sound = item
        yield Heard(
            waveform=sound.waveform,
            sample_rate=presets.SAMPLE_RATE_HZ,
            presence=presence,
            silent=silent,
            evidence=sound.evidence,
            recipe=self._recipe(request, encoded.key, x, y),
            row=row,
            col=col,
            box_px=encoded.grid.box(row, col),
            tokens=sound.tokens,
            blow=sound.blow,
        )

    def _pieces(self, encoded: EncodedImage, row: int, col: int, request: LanguageRequest) -> Iterator[np.ndarray]:
        if self._silence(encoded, row, col, request)[0]:
            yield np.zeros((request.channels, request.samples), dtype=np.float32)
        else:
            yield from self._locked(self.services.vlm_to_sound.stream(encoded, row, col, request))

    def _recipe(self, request: AnySound, picture_sha256: str, x: float, y: float) -> Recipe:
        if request.path not in self._fingerprints:
            self._fingerprints[request.path] = checkpoints.fingerprint(self.preset.used_by(request.path))
        return RECIPES[type(request)](
            preset=self.preset.name, picture_sha256=picture_sha256, weights_sha256=self._fingerprints[request.path],
            x=x, y=y, version=VERSION, **request.model_dump(),
        )  # fmt: skip

    def _locked(self, items: Iterator[Item]) -> Iterator[Item]:
        """Each item is made under the lock; none is held while the caller has one."""
        while True:
            with self._lock:
                item = next(items, None)
            if item is None:
                return
            yield item


def _last(steps: Iterator[Progress | Heard]) -> Heard:
    *_, heard = steps
    assert isinstance(heard, Heard)
    return heard
