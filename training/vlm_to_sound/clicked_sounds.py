"""Clicks on pictures with the stereo sounds that belong to them: what the language path is taught with.

A picture, or two laid side by side or above each other; a box around a cell; a recording of what that cell shows, heard
through the project's compact head from the direction in which the cell lies (the picture spans 120 degrees).
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
from training.common.audio_data import SoundStore
from training.common.crop_placing import place_in_canvas
from training.vlm_to_sound.pictures import Pictures, Shown, mixed

SPAN_DEG = 120.0
LEAD_IN = 64  # samples before a response without colour
TOGETHER = 0.5  # of pictures that are two


@dataclass(frozen=True)
class Clicks:
    """sights: B; boxes: (B, 4) x1 y1 x2 y2 in 0..1; wanted: (B, voices) shares, sum to 1."""

    sights: tuple[Shown, ...]
    boxes: Tensor
    wanted: Tensor

    @property
    def azimuth_deg(self) -> np.ndarray:
        """(B,) where a thing at the middle of the box stands, positive to the right."""
        return (((self.boxes[:, 0] + self.boxes[:, 2]) / 2 - 0.5) * SPAN_DEG).cpu().numpy()

    def repeated(self, count: int) -> Clicks:
        """Every click `count` times, one after the other."""
        sights = tuple(sight for sight in self.sights for _ in range(count))
        return Clicks(sights, *(x.repeat_interleave(count, dim=0) for x in (self.boxes, self.wanted)))

    def to(self, device: torch.device) -> Clicks:
        """Boxes and wants there; what is seen of the pictures is moved by the thinker."""
        return Clicks(self.sights, self.boxes.to(device), self.wanted.to(device))


def click(store: Pictures, count: int, rng: np.random.Generator) -> Clicks:
    """`count` clicks anywhere on pictures drawn by how rare their sounds are."""
    sights, boxes, wanted = [], [], []
    for _ in range(count):
        sight = _drawn(store, rng)
        if rng.random() < TOGETHER:
            sight = sight.beside(_drawn(store, rng))
            sight = sight.turned() if rng.random() < 0.4 else sight
        rows, cols = sight.shape
        row, col = int(rng.integers(rows)), int(rng.integers(cols))
        half = rng.uniform(0.25, 1.0)  # of a cell: a patch, or up to two cells
        x, y = (col + rng.uniform(0.2, 0.8)) / cols, (row + rng.uniform(0.2, 0.8)) / rows
        boxes.append([x - half / cols, y - half / rows, x + half / cols, y + half / rows])
        wanted.append(mixed(sight.wishes[row, col], sight.labels[row, col]))
        sights.append(sight)
    return Clicks(tuple(sights), torch.tensor(boxes).clamp(0.0, 1.0).float(), torch.stack(wanted))


def _drawn(store: Pictures, rng: np.random.Generator) -> Shown:
    sight = store[int(rng.choice(len(store), p=store.probability))]
    return sight.flipped() if rng.random() < 0.5 else sight


def between_ears(responses: Tensor, lead_in: int = LEAD_IN, size: int = 512) -> Tensor:
    """(N, 2, taps) -> (N, 2, taps + 2 lead_in): only what sets the ears apart. Every direction loses the colour that
    both ears' mean power has there, so that a sound keeps its own; level and time differences stay as they are."""
    spectra = torch.fft.rfft(responses, size)
    colour = spectra.abs().square().mean(dim=1, keepdim=True).clamp(min=1e-8).sqrt()
    plain = torch.fft.irfft(spectra / colour, size).roll(lead_in, dims=2)
    return plain[..., : responses.shape[2] + 2 * lead_in].contiguous()


class Sounds:
    """Recordings by label, through the head."""

    def __init__(
        self, store: SoundStore, rows: list[int], labels: list[str], head: SphericalHarmonicHRTF, tokens: MelTokens,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.store, self.tokens, self.rng, self.mel = store, tokens, rng, LogMel()
        self.rows = [np.array([row for row in rows if store.clips[row].label == label]) for label in labels]
        self.known = torch.tensor([len(mine) > 0 for mine in self.rows])
        azimuth = np.arange(-SPAN_DEG / 2, SPAN_DEG / 2 + 1)
        level = np.zeros_like(azimuth)
        self.responses = between_ears(torch.from_numpy(head.responses(azimuth, level)))  # (121, 2, taps)
        self.leads_s = torch.from_numpy(head.spectra(azimuth, level).itd_s).float()

    def heard(self, clicks: Clicks, seconds: float) -> tuple[Tensor, Tensor]:
        """Codes (B, 2, K, F) of one recording for each click, left ear first, and the time by which the right ear
        leads (B,) in seconds."""
        samples = round(seconds * RATE_HZ)
        device = clicks.boxes.device
        shares = (clicks.wanted.cpu() * self.known).double().numpy()
        sounds = np.stack([self._excerpt(row / row.sum(), samples) for row in shares])
        turn = torch.from_numpy(np.rint(clicks.azimuth_deg + SPAN_DEG / 2).astype(int))
        both = fftconvolve(torch.from_numpy(sounds)[:, None].expand(-1, 2, -1), self.responses[turn])
        both = both[..., LEAD_IN : LEAD_IN + samples]
        peak = both.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-4)
        gain = 10 ** torch.from_numpy(self.rng.uniform(-6.0, 0.0, (len(both), 1, 1)) / 20).float()
        with torch.no_grad():
            mels = self.mel((both / peak * gain * 0.89).flatten(0, 1)).to(device)
        return self.tokens.encode(mels).unflatten(0, (-1, 2)), self.leads_s[turn].to(device)

    def _excerpt(self, shares: np.ndarray, samples: int) -> np.ndarray:
        rows = self.rows[int(self.rng.choice(len(shares), p=shares))]
        return place_in_canvas(self.store.waveform(int(self.rng.choice(rows))), samples, self.rng).astype(np.float32)
