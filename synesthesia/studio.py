"""The studio: what the page, the command line and scripts call. Photograph and place in, sound with its evidence out.

Models are loaded by the first call that needs them and shared by all callers under one lock; whatever belongs to a
call (photograph, settings, result) travels in its arguments and return value, so two people never mix. What was seen
of a photograph is kept by its content, for a bounded number of photographs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image

from synesthesia.core import checkpoints, presets
from synesthesia.core.cache import BoundedCache
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Preset
from synesthesia.core.requests import Settings, asked, inside, place
from synesthesia.core.results import Answered, Evidence, Heard, Info, Located, MaterialMap, Recipe, SceneHeard, Writing
from synesthesia.impact.pipeline import ImpactPipeline, struck_together
from synesthesia.vision.grid import EncodedImage
from synesthesia.vision.image import picture_key, read_image
from synesthesia.vlm_to_sound.pipeline import Sound, VlmToSoundPipeline

if TYPE_CHECKING:
    from synesthesia.audio_qa.pipeline import AudioQA
    from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF
    from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
    from synesthesia.localization.pipeline import LocalizationPipeline
    from synesthesia.vision.backbone import PatchEncoder
    from synesthesia.vision.grid import PatchGrid

ImageSource = Image.Image | str | os.PathLike[str] | bytes
SEEN_PICTURES = 16  # grids kept: about 4 MB each
Item = TypeVar("Item")


class Studio:
    """One preset with its models. `Studio.load("embedded")` returns at once; models come with the first use."""

    def __init__(self, preset: Preset) -> None:
        self.preset = preset
        self._lock = RLock()  # around loading and running models; results belong to their caller
        self._encoder: PatchEncoder | None = None
        self._hearing: ImageToSoundPipeline | None = None
        self._localization: LocalizationPipeline | None = None
        self._audio_qa: AudioQA | None = None
        self._hrtf: SphericalHarmonicHRTF | None = None
        self._thinking = VlmToSoundPipeline(preset)
        self._tapping = ImpactPipeline(preset, lambda picture: self._eyes().encode_stage_maps(picture))
        self._grids: BoundedCache[PatchGrid] = BoundedCache(SEEN_PICTURES)
        self._presence: BoundedCache[np.ndarray] = BoundedCache(SEEN_PICTURES)

    @classmethod
    def load(cls, name: str = "embedded") -> Studio:
        """name: "embedded" (weights of this repository, no network) or "hub". UserError for any other."""
        return cls(presets.preset(name))

    def look(self, image: ImageSource) -> PatchGrid:
        """The photograph's patch grid, computed once per content. UserError when it can't be read."""
        return self._see(read_image(image))[1]

    def presence(self, image: ImageSource) -> np.ndarray:
        """(R, C) float32 in 0..1: how surely each place of the photograph sounds at all."""
        self._require_mapper()
        key, grid = self._see(read_image(image))
        return self._presence_of(key, grid)

    def materials(self, image: ImageSource) -> MaterialMap:
        """What each place of the photograph is taken to be made of. UserError when no physics adapter is trained."""
        picture = read_image(image)
        self._tapping.require()
        seen = EncodedImage(picture, *self._see(picture))
        with self._lock:
            return self._tapping.materials(seen)

    def similarity(self, image: ImageSource, x: float, y: float) -> np.ndarray:
        """(R, C) float32 in [-1, 1]: likeness of every patch to the one at natural pixel (x, y)."""
        from synesthesia.vision.similarity import similarity_map

        grid = self.look(image)
        return similarity_map(grid, *grid.cell(x, y))

    def pca(self, image: ImageSource) -> np.ndarray:
        """(R, C, 3) uint8: the features' three main directions as colours."""
        from synesthesia.vision.similarity import pca_image

        return pca_image(self.look(image))

    def hear(
        self, image: ImageSource, x: float, y: float, *, path: str = "direct", seconds: float = presets.SECONDS,
        seed: int = 0, steps: int = 12, guidance: float = 3.0, anyway: bool = False, temperature: float = 1.0,
        top_k: int = 100, force: float = 8.0, mallet: str = "wood", material: str = "", size_factor: float = 1.0,
    ) -> Heard:  # fmt: skip
        """The sound of the place at natural pixel (x, y).

        path: "direct" (= "flow"), "mlp", "language" (stereo tokens, see `Heard.tokens`) or "tap" (the thing there is
        struck, see `Heard.blow`); seconds: 1 to 10; seed: the same seed gives the same samples at the same place, and
        other ones at another place; steps: of the flow, at most 12; guidance: of flow and language, 0 to 10, where 1 is
        none; anyway: sound even where presence is below the threshold; temperature, top_k: of language, 0 to 2 and 1 to
        1024. Of tap: force: 0.5 to 50 newtons; mallet: "finger", "wood" or "metal"; material, size_factor: what if it
        were of that one of `striking.things.MATERIALS` (empty: as it is seen), and 0.25 to 4 times as large.
        UserError: unreadable photograph, click outside, setting out of range, missing or damaged weights.
        """
        settings = Settings.checked(
            path, seconds, seed, steps, guidance, anyway, temperature, top_k, force, mallet, material, size_factor
        )
        return _last(self._steps(*self._clicked(image, x, y, settings), settings))

    def hear_steps(
        self, image: ImageSource, x: float, y: float, *, path: str = "direct", seconds: float = presets.SECONDS,
        seed: int = 0, steps: int = 12, guidance: float = 3.0, anyway: bool = False, temperature: float = 1.0,
        top_k: int = 100, force: float = 8.0, mallet: str = "wood", material: str = "", size_factor: float = 1.0,
    ) -> Iterator[Writing | Heard]:  # fmt: skip
        """As `hear`, which comes last, once; the path "language" says before it how far its tokens have come.

        Bad input raises at once, not at the first step. Nobody else waits while a step is looked at: stop at any time.
        """
        settings = Settings.checked(
            path, seconds, seed, steps, guidance, anyway, temperature, top_k, force, mallet, material, size_factor
        )
        return self._steps(*self._clicked(image, x, y, settings), settings)

    def stream(
        self,
        image: ImageSource,
        x: float,
        y: float,
        *,
        seconds: float = 4.0,
        seed: int = 0,
        guidance: float = 3.0,
        temperature: float = 1.0,
        top_k: int = 100,
        anyway: bool = False,
    ) -> Iterator[np.ndarray]:
        """Pieces (2, n) float32 in [-1, 1] of a sound of the path "language" while it is being written, at 16 kHz, left
        ear first, the first after half a second of tokens; together they last exactly `seconds`.

        One take, so it is another sound than `hear`'s, which chooses among several. A silent place gives one piece of
        zeros. Bad input raises at once.
        """
        settings = Settings.checked("language", seconds, seed, 12, guidance, anyway, temperature, top_k)
        seen, row, col, _, _ = self._clicked(image, x, y, settings)
        return self._pieces(seen, row, col, settings)

    def sweep(
        self, image: ImageSource, row: int, *, path: str = "direct", seconds: float = 2.0, seed: int = 0,
        steps: int = 12, guidance: float = 3.0, anyway: bool = False, temperature: float = 1.0, top_k: int = 100,
        force: float = 8.0, mallet: str = "wood", material: str = "", size_factor: float = 1.0,
    ) -> Iterator[Heard]:  # fmt: skip
        """The sounds of one row of patches from left to right, each made when it is asked for: stop at any time.

        Bad input raises at once, not at the first sound.
        """
        settings = Settings.checked(
            path, seconds, seed, steps, guidance, anyway, temperature, top_k, force, mallet, material, size_factor
        )
        seen = self._looked_at(read_image(image), settings)
        grid = seen.grid
        grid.box(row, 0)

        def sounds() -> Iterator[Heard]:
            for col in range(grid.cols):
                yield _last(self._steps(seen, row, col, *grid.centre(row, col), settings))

        return sounds()

    def scene(
        self, image: ImageSource, *, path: str = "direct", seconds: float = presets.SECONDS, seed: int = 0,
        steps: int = 12, guidance: float = 3.0, stems: int = 4, temperature: float = 1.0, top_k: int = 100,
        force: float = 8.0, mallet: str = "wood", material: str = "", size_factor: float = 1.0,
    ) -> SceneHeard:  # fmt: skip
        """The whole photograph: up to `stems` (1 to 8) places that sound, far apart, mixed by their presence; by the
        path "tap" as many places where there is something to strike, struck at one moment with one force."""
        settings = Settings.checked(
            path, seconds, seed, steps, guidance, True, temperature, top_k, force, mallet, material, size_factor
        )
        if not 1 <= stems <= 8:
            raise UserError(f"A scene has 1 to 8 stems, not {stems}.")
        from synesthesia.image_to_sound.mix import mix, select_patches

        seen = self._looked_at(read_image(image), settings)
        tap = settings.path == "tap"
        with self._lock:
            presence = self._tapping.solid(seen) if tap else self._presence_of(seen.key, seen.grid)
            threshold = self._tapping.adapter().threshold if tap else self._ears().threshold
        places = select_patches(presence, threshold=threshold, count=stems)
        heard = [_last(self._steps(seen, *place, *seen.grid.centre(*place), settings)) for place in places]
        if tap:
            return struck_together(heard, settings.samples)
        return mix(heard, samples=settings.samples, sample_rate=presets.SAMPLE_RATE_HZ, channels=settings.channels)

    def locate(self, waveform: np.ndarray, sample_rate: int) -> Located:
        """Where a binaural clip's sound comes from, how sure that is, and what it rests on.

        waveform: (2, n) floats, left ear first; sample_rate: 8,000 to 192,000 Hz; 0.2 to 60 s. A clip that holds no
        direction (mono, panned, silent) is answered with a warning. UserError: what can't be read as such a clip,
        missing or damaged weights.
        """
        from synesthesia.localization.clip_input import read_clip

        clip = read_clip(waveform, sample_rate)
        with self._lock:
            return self._localizer().locate(clip)

    def ask(self, waveform: np.ndarray, sample_rate: int, question: str) -> Answered:
        """What the small language model answers to a question about a clip, which is read as `locate` reads it.

        question: 1 to 200 characters. Of a clip that holds no direction (mono, panned) the model says so.
        UserError: no question or too long a one, a silent clip, what can't be read as a clip, missing or damaged
        weights.
        """
        from synesthesia.localization.clip_input import read_clip

        question, clip = asked(question), read_clip(waveform, sample_rate)
        with self._lock:
            return self._question_answering().ask(clip, question)

    def binaural(
        self,
        sound: str,
        azimuth_deg: float,
        *,
        elevation_deg: float = 0.0,
        room: str = "none",
        snr_db: float = 40.0,
        seed: int = 0,
    ) -> tuple[np.ndarray, int]:
        """A clip whose direction is known: (waveform (2, n) float32 in [-1, 1], left ear first; sample rate in Hz).

        sound: a key of `spatial.test_sounds.SOUNDS`; azimuth_deg: -180 to 180, positive to the right; elevation_deg:
        -40 to 60; room: "none", "small" or "large"; snr_db: -10 to 60, of noise from all around; seed: the same seed
        gives the same samples. UserError: a setting out of range, missing or damaged weights.
        """
        from synesthesia.binaural.demo_clips import RATE_HZ, DemoClip

        placing = DemoClip.checked(sound, azimuth_deg, elevation_deg, room, snr_db, seed)
        with self._lock:
            return placing.heard_by(self._reference_hrtf()), RATE_HZ

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
        """Loads the models now, so that the first click needn't. UserError as `hear`."""
        self._require_mapper()
        self._eyes()
        self._ears()
        if self._tapping.trained:
            with self._lock:
                self._tapping.warm()

    # ------------------------------------------------------------------------------------------------ inside

    def _require_mapper(self) -> None:
        """Before anything is fetched or computed: without a mapper for these features there will be no sound."""
        if self.preset.name == "hub" and not checkpoints.is_listed(self.preset.hearing.mapper_weights.folder):
            raise UserError(
                f"No mapper has been trained for the preset '{self.preset.name}' yet; "
                f"this trains one: {self.preset.hearing.train_command}"
            )

    def _eyes(self) -> PatchEncoder:
        with self._lock:
            if self._encoder is None:
                from synesthesia.vision.backbone import PatchEncoder

                self._encoder = PatchEncoder.load(self.preset.vision)
            return self._encoder

    def _ears(self) -> ImageToSoundPipeline:
        with self._lock:
            if self._hearing is None:
                from synesthesia.audio.codec import LatentCodec
                from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline

                self._hearing = ImageToSoundPipeline.load(self.preset.hearing, LatentCodec.load(self.preset.codec))
            return self._hearing

    def _localizer(self) -> LocalizationPipeline:
        with self._lock:
            if self._localization is None:
                from synesthesia.localization.pipeline import LocalizationPipeline

                self._localization = LocalizationPipeline.load(self.preset.spatial)
            return self._localization

    def _question_answering(self) -> AudioQA:
        with self._lock:
            if self._audio_qa is None:
                from synesthesia.audio_qa.pipeline import AudioQA

                self._audio_qa = AudioQA(self.preset, lambda clip: self._localizer().token(clip))
            return self._audio_qa

    def _reference_hrtf(self) -> SphericalHarmonicHRTF:
        with self._lock:
            if self._hrtf is None:
                from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF

                self._hrtf = SphericalHarmonicHRTF.load(checkpoints.folder(self.preset.spatial.head_weights.folder))
            return self._hrtf

    def _see(self, picture: Image.Image) -> tuple[str, PatchGrid]:
        """(content key, grid) of an RGB picture."""
        key = picture_key(picture)
        with self._lock:
            return key, self._grids.get(key, lambda: self._eyes().encode(picture))

    def _presence_of(self, key: str, grid: PatchGrid) -> np.ndarray:
        with self._lock:
            return self._presence.get(key, lambda: self._ears().presence_map(grid).numpy())

    def _looked_at(self, picture: Image.Image, settings: Settings) -> EncodedImage:
        """UserError when models that the settings need have not been trained, before any is loaded."""
        if settings.path == "tap":
            self._tapping.require()
        else:
            if settings.path == "language":
                self._thinking.require()
            self._require_mapper()
        return EncodedImage(picture, *self._see(picture))

    def _clicked(
        self, image: ImageSource, x: float, y: float, settings: Settings
    ) -> tuple[EncodedImage, int, int, float, float]:
        """(what was seen, row, column, x, y). UserError for a place outside, before any model is loaded."""
        x, y = place(x, y)
        picture = read_image(image)
        inside(x, y, *picture.size)
        seen = self._looked_at(picture, settings)
        return seen, *seen.grid.cell(x, y), x, y

    def _silent(self, seen: EncodedImage, row: int, col: int, settings: Settings) -> tuple[bool, float]:
        """(whether the studio abstains, presence)."""
        presence = float(self._presence_of(seen.key, seen.grid)[row, col])
        return presence < self._ears().threshold and not settings.anyway, presence

    def _steps(
        self, seen: EncodedImage, row: int, col: int, x: float, y: float, settings: Settings
    ) -> Iterator[Writing | Heard]:
        if settings.path == "tap":
            with self._lock:
                heard = self._tapping.heard(seen, row, col, x, y, settings)
            yield heard
            return
        silent, presence = self._silent(seen, row, col, settings)
        sound = Sound(np.zeros((settings.channels, settings.samples), dtype=np.float32), Evidence())
        if not silent:
            for came in self._locked(self._sounding(seen, row, col, settings)):
                if isinstance(came, Writing):
                    yield came
                else:
                    sound = came
        yield Heard(
            waveform=sound.waveform,
            sample_rate=presets.SAMPLE_RATE_HZ,
            presence=presence,
            silent=silent,
            evidence=sound.evidence,
            recipe=settings.recipe(self.preset, seen.key, x, y),
            row=row,
            col=col,
            box_px=seen.grid.box(row, col),
            tokens=sound.tokens,
        )

    def _sounding(self, seen: EncodedImage, row: int, col: int, settings: Settings) -> Iterator[Writing | Sound]:
        """Under the lock, from item to item."""
        assert settings.path != "tap", "blows are made in one piece"
        if settings.path == "language":
            yield from self._thinking.speaking(self._ears(), seen, row, col, settings)
            return
        sound = self._ears().hear(
            seen.grid, row, col, mapper=settings.path, seconds=settings.seconds, seed=settings.seed,
            steps=settings.steps, guidance=settings.guidance,
        )  # fmt: skip
        yield Sound(sound.waveform, sound.evidence)

    def _pieces(self, seen: EncodedImage, row: int, col: int, settings: Settings) -> Iterator[np.ndarray]:
        if self._silent(seen, row, col, settings)[0]:
            yield np.zeros((settings.channels, settings.samples), dtype=np.float32)
        else:
            yield from self._locked(self._thinking.stream(self._ears(), seen, row, col, settings))

    def _locked(self, items: Iterator[Item]) -> Iterator[Item]:
        """Each item is made under the lock; none is held while the caller has one."""
        while True:
            with self._lock:
                item = next(items, None)
            if item is None:
                return
            yield item


def _last(steps: Iterator[Writing | Heard]) -> Heard:
    *_, heard = steps
    assert isinstance(heard, Heard)
    return heard
