"""Training pairs of region clicks and binaural sounds, rendered on the fly.

A picture, or two joined; a box around a cell; a recording of a class that the cell targets, rendered through the
project's spherical-harmonic HRTF from the direction of the cell (the picture spans 120 degrees of azimuth).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import fftconvolve

from synesthesia.audio.mel import LogMel
from synesthesia.binaural.hrtf import RATE_HZ
from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF
from synesthesia.vlm_to_sound.mel_tokens import MelTokens
from training.common.audio_data import SoundStore, place_in_canvas
from training.vlm_to_sound.image_dataset import ClickableImage, ImageStore, mix_targets

SPAN_DEG = 120.0
LEAD_IN = 64  # samples before an equalised response
PAIR_PROBABILITY = 0.5  # of clicks on two joined pictures


@dataclass(frozen=True)
class Clicks:
    """images: B; boxes: (B, 4) x1 y1 x2 y2 in 0..1; targets: (B, classes), sum to 1."""

    images: tuple[ClickableImage, ...]
    boxes: Tensor
    targets: Tensor

    @property
    def azimuth_deg(self) -> np.ndarray:
        """(B,) direction of the box's centre, positive to the right."""
        return (((self.boxes[:, 0] + self.boxes[:, 2]) / 2 - 0.5) * SPAN_DEG).cpu().numpy()

    def repeat(self, count: int) -> Clicks:
        """Every click `count` times in a row."""
        images = tuple(image for image in self.images for _ in range(count))
        return Clicks(images, *(x.repeat_interleave(count, dim=0) for x in (self.boxes, self.targets)))

    def to(self, device: torch.device) -> Clicks:
        """Boxes and targets; the thinker moves its own inputs."""
        return Clicks(self.images, self.boxes.to(device), self.targets.to(device))


def sample_clicks(store: ImageStore, count: int, rng: np.random.Generator) -> Clicks:
    """`count` clicks anywhere on pictures, which are sampled in favour of rare sounds."""
    images, boxes, targets = [], [], []
    for _ in range(count):
        image = _sample_image(store, rng)
        if rng.random() < PAIR_PROBABILITY:
            image = image.concat(_sample_image(store, rng))
            image = image.transpose() if rng.random() < 0.4 else image
        rows, cols = image.shape
        row, col = int(rng.integers(rows)), int(rng.integers(cols))
        half = rng.uniform(0.25, 1.0)  # of a cell: boxes from a patch to two cells wide
        x, y = (col + rng.uniform(0.2, 0.8)) / cols, (row + rng.uniform(0.2, 0.8)) / rows
        boxes.append([x - half / cols, y - half / rows, x + half / cols, y + half / rows])
        targets.append(mix_targets(image.class_probs[row, col], image.labels[row, col]))
        images.append(image)
    return Clicks(tuple(images), torch.tensor(boxes).clamp(0.0, 1.0).float(), torch.stack(targets))


def _sample_image(store: ImageStore, rng: np.random.Generator) -> ClickableImage:
    image = store[int(rng.choice(len(store), p=store.probability))]
    return image.flip() if rng.random() < 0.5 else image


def equalise_diffuse(responses: Tensor, lead_in: int = LEAD_IN, size: int = 512) -> Tensor:
    """(N, 2, taps) -> (N, 2, taps + 2 lead_in) head responses that keep ILD and ITD alone.

    Each direction is divided by the mean power of both ears, so that a sound keeps its own spectrum.
    """
    spectra = torch.fft.rfft(responses, size)
    colour = spectra.abs().square().mean(dim=1, keepdim=True).clamp(min=1e-8).sqrt()
    equalised = torch.fft.irfft(spectra / colour, size).roll(lead_in, dims=2)
    return equalised[..., : responses.shape[2] + 2 * lead_in].contiguous()


class BinauralSounds:
    """Recordings by label, rendered through an HRTF."""

    def __init__(
        self, store: SoundStore, rows: list[int], labels: list[str], hrtf: SphericalHarmonicHRTF, tokens: MelTokens,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.store, self.tokens, self.rng, self.mel = store, tokens, rng, LogMel()
        self.rows = [np.array([row for row in rows if store.clips[row].label == label]) for label in labels]
        self.has_recordings = torch.tensor([len(mine) > 0 for mine in self.rows])
        azimuth = np.arange(-SPAN_DEG / 2, SPAN_DEG / 2 + 1)
        level = np.zeros_like(azimuth)
        self.responses = equalise_diffuse(torch.from_numpy(hrtf.responses(azimuth, level)))  # (121, 2, taps)
        self.itds_s = torch.from_numpy(hrtf.spectra(azimuth, level).itd_s).float()

    def render(self, clicks: Clicks, seconds: float) -> tuple[Tensor, Tensor]:
        """One recording per click: codes (B, 2, K, F), left ear first, and ITDs (B,) in seconds, positive when the
        right ear leads."""
        samples = round(seconds * RATE_HZ)
        device = clicks.boxes.device
        shares = (clicks.targets.cpu() * self.has_recordings).double().numpy()
        sounds = np.stack([self._excerpt(row / row.sum(), samples) for row in shares])
        direction = torch.from_numpy(np.rint(clicks.azimuth_deg + SPAN_DEG / 2).astype(int))
        ears = fftconvolve(torch.from_numpy(sounds)[:, None].expand(-1, 2, -1), self.responses[direction])
        ears = ears[..., LEAD_IN : LEAD_IN + samples]
        peak = ears.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-4)
        gain = 10 ** torch.from_numpy(self.rng.uniform(-6.0, 0.0, (len(ears), 1, 1)) / 20).float()
        with torch.no_grad():
            mels = self.mel((ears / peak * gain * 0.89).flatten(0, 1)).to(device)
        return self.tokens.encode(mels).unflatten(0, (-1, 2)), self.itds_s[direction].to(device)

    def _excerpt(self, shares: np.ndarray, samples: int) -> np.ndarray:
        rows = self.rows[int(self.rng.choice(len(shares), p=shares))]
        return place_in_canvas(self.store.waveform(int(self.rng.choice(rows))), samples, self.rng).astype(np.float32)
