"""The real Studio over stand-in services: enough to drive the page in milliseconds, without weights.

A patch's "features" are its mean colour and place, its presence rises with brightness, and its sound is a decaying tone
whose pitch follows the redness and the seed; by the path "language" that tone reaches two ears, with random tokens and
attention around the patch. A clip's direction is that of its delay between the ears, with some front-back confusion,
and a question about it is answered by the side of that delay and the number of the question. Only for tests of the
page: it proves nothing about the models.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image

from synesthesia.audio_qa.pipeline import AudioQA
from synesthesia.binaural.clip import BinauralClip
from synesthesia.binaural.geometry import is_front
from synesthesia.core import presets
from synesthesia.core.errors import UserError
from synesthesia.core.presets import SAMPLE_RATE_HZ, Preset
from synesthesia.core.requests import FlowRequest, LanguageRequest
from synesthesia.core.results import (
    Attention,
    AttentionMap,
    Evidence,
    Heard,
    LabelScore,
    Located,
    Neighbour,
    Progress,
    SceneHeard,
    Sound,
    Tokens,
)
from synesthesia.image_to_sound.mix import mix
from synesthesia.localization.localizer import shortest_arc
from synesthesia.localization.pipeline import direction_sentence, itd_s
from synesthesia.services import Services
from synesthesia.studio import Studio
from synesthesia.vision.grid import EncodedImage, PatchGrid
from synesthesia.vision.image import picture_key
from synesthesia.vlm_to_sound.pipeline import VlmToSoundPipeline

LONGEST_ITD_S = 0.7e-3
TOKENS_PER_SECOND = 25
LABELS = ("rain", "dog", "clock_tick", "engine", "glass_breaking", "cat")


@dataclass(frozen=True)
class FakeVision:
    rows: int = 16

    def encode(self, picture: Image.Image) -> PatchGrid:
        cols = max(round(self.rows * picture.width / picture.height), 1)
        colours = np.asarray(picture.resize((cols, self.rows), Image.Resampling.BOX), dtype=np.float32) / 255.0
        place = np.stack(np.meshgrid(np.linspace(0, 0.2, cols), np.linspace(0, 0.2, self.rows)), axis=-1).astype(
            np.float32
        )
        features = torch.from_numpy(np.concatenate([colours, place], axis=-1))  # (rows, cols, 5)
        return PatchGrid(
            features,
            features.mean(dim=(0, 1)),
            features[:, :, None].expand(-1, -1, 2, -1),
            picture.width,
            picture.height,
            picture_key(picture),
        )

    def encode_stage_maps(self, picture: Image.Image) -> PatchGrid:
        raise AssertionError("the stand-in predictor never looks twice")


@dataclass
class FakeImageToSound:
    """made: (row, column) of every sound so far."""

    delay_s: float = 0.0
    threshold: float = 0.5
    made: list[tuple[int, int]] = field(default_factory=list)

    def require(self) -> None: ...

    def warm(self) -> None: ...

    def presence(self, image: EncodedImage) -> np.ndarray:
        return (image.grid.features[..., :3].mean(dim=-1) * 1.5).clamp(0, 1).numpy()

    def generate(
        self, image: EncodedImage, row: int, col: int, x: float, y: float, request: FlowRequest
    ) -> Iterator[Sound]:
        time.sleep(self.delay_s)
        self.made.append((row, col))
        yield self.tone(image.grid, row, col, request.seconds, request.seed, higher=request.path == "mlp")

    def tone(self, grid: PatchGrid, row: int, col: int, seconds: float, seed: int, *, higher: bool = False) -> Sound:
        red = float(grid.features[row, col, 0])
        pitch_hz = 200.0 + 1200.0 * red + 37.0 * (seed % 20) + (300.0 if higher else 0.0) + 9.0 * col
        times_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        noise = np.random.default_rng(seed + 1000 * row + col).standard_normal(len(times_s))
        wave = 0.4 * np.sin(2 * np.pi * pitch_hz * times_s) * np.exp(-1.5 * (times_s % 1.0)) + 0.02 * noise
        best = int(red * 5.999) + row
        labels = tuple(LabelScore(LABELS[(best + i) % len(LABELS)], 0.71 / (1 + i) ** 1.4) for i in range(5))
        neighbours = tuple(
            Neighbour(labels[0].label, 0.91 - 0.06 * i, "freesound", f"{417200 + 13 * i}", "CC0-1.0") for i in range(5)
        )
        return Sound(wave.astype(np.float32)[None], Evidence(labels, neighbours))

    def mix(self, heard: Sequence[Heard], samples: int, channels: int) -> SceneHeard:
        return mix(heard, samples=samples, sample_rate=SAMPLE_RATE_HZ, channels=channels)


class FakeVlmToSound(VlmToSoundPipeline):
    """delay_s: for each frame of tokens; missing: error where nothing has been trained, empty where it has."""

    def __init__(self, preset: Preset, image_to_sound: FakeImageToSound, delay_s: float = 0.0) -> None:
        super().__init__(preset, image_to_sound, lambda image: image)  # type: ignore[arg-type]
        self.tones, self.delay_s, self.missing = image_to_sound, delay_s, ""

    def require(self) -> None:
        if self.missing:
            raise UserError(self.missing)

    def generate(
        self, image: EncodedImage, row: int, col: int, x: float, y: float, request: LanguageRequest
    ) -> Iterator[Progress | Sound]:
        frames = round(request.seconds * TOKENS_PER_SECOND)
        for frame in range(frames):
            time.sleep(self.delay_s)
            yield Progress(frame + 1, frames)
        one = self.tones.tone(image.grid, row, col, request.seconds, request.seed)
        rows, cols = image.grid.rows, image.grid.cols
        aside = (col + 0.5) / cols - 0.5
        late = round(abs(aside) * LONGEST_ITD_S * SAMPLE_RATE_HZ)
        near, far = one.waveform[0], 10 ** (-8 * abs(aside) / 20) * np.roll(one.waveform[0], late)
        yield Sound(
            np.stack([far, near] if aside > 0 else [near, far]).astype(np.float32), one.evidence,
            Tokens(
                codes=fake_codes(request.seed + 100 * row + col, frames), per_second=TOKENS_PER_SECOND, sizes=1024,
                cross_attention=fake_attention(rows, cols, row, col), itd_s=aside * LONGEST_ITD_S, takes=4,
                take=request.seed % 4,
            ),
        )  # fmt: skip


def fake_codes(seed: int, frames: int, books: int = 4) -> np.ndarray:
    """(2, K, F): the coarse book keeps its code for a while, the finest changes every frame."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 1024, (2, books, frames))
    for book, held in enumerate((12, 6, 3, 1)):
        codes[:, book] = np.repeat(codes[:, book, ::held], held, axis=1)[:, :frames]
    codes[1, 0] = codes[0, 0]
    return codes


def fake_attention(rows: int, cols: int, row: int, col: int) -> np.ndarray:
    """(rows, cols) that sums to 1: a little everywhere, most around the patch."""
    down, across = (np.arange(rows) - row) / rows, (np.arange(cols) - col) / cols
    attention = 0.05 + np.exp(-((down[:, None] / 0.12) ** 2) - (across[None, :] / 0.12) ** 2)
    return (attention / attention.sum()).astype(np.float32)


class FakeLocalization:
    def locate(self, clip: BinauralClip) -> Located:
        delay_s = itd_s(clip.waveform, SAMPLE_RATE_HZ)
        first = float(np.degrees(np.arcsin(np.clip(delay_s / LONGEST_ITD_S, -1, 1))))
        azimuths = np.arange(180) * 2.0 - 180.0
        behind = 180.0 - first
        share = np.exp(60 * np.cos(np.radians(azimuths - first))) + 0.2 * np.exp(
            60 * np.cos(np.radians(azimuths - behind))
        )
        share = share / share.sum()
        times_s = np.arange(0.2, max(clip.seconds - 0.2, 0.21), 0.08)
        interval = shortest_arc(share, azimuths, 0.8)
        return Located(
            azimuth_deg=first, interval_deg=interval, front_probability=float(share[is_front(azimuths)].sum()),
            elevation="level", second_probability=0.06, second_deg=None, distribution=share.astype(np.float32),
            azimuths_deg=azimuths, track=(times_s, first + 4 * np.sin(5 * times_s)),
            attention=Attention(fake_map(clip.seconds, 5000.0), fake_map(clip.seconds, 700.0)),
            token=np.full(256, first, dtype=np.float32), baseline_deg=first, itd_s=delay_s, seconds=clip.seconds,
            kind=clip.kind, warning=clip.warning, sentence=direction_sentence(first, interval, None),
        )  # fmt: skip

    def token(self, clip: BinauralClip) -> np.ndarray:
        return self.locate(clip).token


def fake_map(seconds: float, best_hz: float) -> AttentionMap:
    """Attention around one frequency, after each onset."""
    times_s = np.arange(0.02, seconds, 0.04)
    hz = np.geomspace(100, 7500, 16)
    weights = np.exp(-(np.log(hz / best_hz) ** 2)) * (0.2 + np.exp(-10 * (times_s % 0.4)))[:, None]
    return AttentionMap((weights / weights.sum()).astype(np.float32), times_s, hz)


@dataclass
class FakeAnswerer:
    """Keeps what it was given, for the tests."""

    delay_s: float = 0.0
    asked: list[tuple[np.ndarray, np.ndarray | None, str]] = field(default_factory=list)

    def answer(self, mono: np.ndarray, token: np.ndarray | None, question: str) -> str:
        time.sleep(self.delay_s)
        self.asked.append((mono, token, question))
        if token is None:
            return "A sound; I can't tell where."
        return f"A sound on the {'right' if token[0] > 0 else 'left'} (answer {len(self.asked)})."


class FakeServices(Services):
    """delay_s: how long each sound pretends to take."""

    def __init__(self, preset: Preset, delay_s: float = 0.0) -> None:
        super().__init__(preset)
        self.vision = FakeVision()
        self.image_to_sound: FakeImageToSound = FakeImageToSound(delay_s)  # type: ignore[assignment]
        self.vlm_to_sound: FakeVlmToSound = FakeVlmToSound(  # type: ignore[assignment]
            preset, self.image_to_sound, delay_s / TOKENS_PER_SECOND
        )
        self.localization = FakeLocalization()  # type: ignore[assignment]
        self.answerer = FakeAnswerer(delay_s)
        self.audio_qa = AudioQA(preset, self.localization.token, self.answerer)


class FakeStudio(Studio):
    """delay_s: how long each sound pretends to take."""

    services: FakeServices

    def __init__(self, delay_s: float = 0.0) -> None:
        preset = presets.embedded()
        super().__init__(preset, self.fake_services(preset, delay_s))

    def fake_services(self, preset: Preset, delay_s: float) -> FakeServices:
        return FakeServices(preset, delay_s)

    def binaural(
        self, sound: str, azimuth_deg: float, *, elevation_deg: float = 0.0, room: str = "none", snr_db: float = 40.0,
        seed: int = 0,
    ) -> tuple[np.ndarray, int]:  # fmt: skip
        """Bursts of noise that reach one ear later and softer."""
        rate_hz, rng = SAMPLE_RATE_HZ, np.random.default_rng(seed)
        noise = 0.1 * rng.standard_normal(2 * rate_hz) * (np.arange(2 * rate_hz) % 6_400 < 4_000)
        side = np.sin(np.radians(azimuth_deg))
        late = round(abs(side) * LONGEST_ITD_S * rate_hz)
        far = 0.5 * np.concatenate([np.zeros(late), noise])[: len(noise)]
        return np.stack([far, noise] if side > 0 else [noise, far]).astype(np.float32), rate_hz
