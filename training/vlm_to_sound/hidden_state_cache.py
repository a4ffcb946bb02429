"""Cached hidden states and rendered sounds of many clicks, for training the audio head without running the thinker.

The thinker and the rendering take longer than a step of the audio head, so a batch could hold few different clicks.
From these shards every step sees half as many clicks as sounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from synesthesia.core.errors import UserError
from synesthesia.vlm_to_sound.thinker import HiddenStates, Thinker
from training.vlm_to_sound.clicked_sounds import BinauralSounds, sample_clicks
from training.vlm_to_sound.image_dataset import ImageStore


@dataclass(frozen=True)
class CacheConfig:
    shard: int = 256  # clicks
    batch: int = 32  # clicks through the thinker at once
    sounds: int = 2  # of each click
    seconds: float = 4.0


@dataclass(frozen=True)
class CachedBatch:
    """Hidden states of B clicks, and N sounds of each. boxes: (B N, 4); codes: (B N, 2, K, F); itd_s: (B N,)."""

    hidden_states: HiddenStates
    boxes: Tensor
    codes: Tensor
    itd_s: Tensor

    def to(self, device: torch.device) -> CachedBatch:
        moved = HiddenStates(*(x.to(device) for x in vars(self.hidden_states).values()))
        return CachedBatch(moved, *(x.to(device) for x in (self.boxes, self.codes, self.itd_s)))


@torch.inference_mode()
def cache_hidden_states(
    thinker: Thinker, pictures: ImageStore, sounds: BinauralSounds, folder: Path, clicks: int, seed: int, rank: int,
    processes: int, config: CacheConfig,
) -> None:  # fmt: skip
    """This process's share of the missing shards; a shard depends on its number and the seed alone."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = range(-(-clicks // config.shard))[rank::processes]
    missing = [number for number in numbers if not (folder / f"{number:04d}.npz").is_file()]
    for number in tqdm(missing, desc="shards", disable=rank > 0):
        sounds.rng = rng = np.random.default_rng([seed, 41, number])
        parts = []
        for _ in range(config.shard // config.batch):
            batch = sample_clicks(pictures, config.batch, rng)
            hidden = thinker([image.tower_input for image in batch.images], batch.boxes)
            codes, itd_s = sounds.render(batch.repeat(config.sounds), config.seconds)
            parts.append((hidden, batch.boxes, codes.unflatten(0, (-1, config.sounds)), itd_s[:: config.sounds]))
        hidden_states = [hidden for hidden, *_ in parts]
        temporary = folder / f"{number:04d}.tmp"
        with temporary.open("wb") as file:
            np.savez(
                file, lengths=np.array([int(mask.sum()) for one in hidden_states for mask in one.mask]),
                states=torch.cat([one.states[one.mask] for one in hidden_states]).half().numpy(),
                image_mask=torch.cat([one.image_mask[one.mask] for one in hidden_states]).numpy(),
                positions=torch.cat([one.positions[one.mask] for one in hidden_states]).half().numpy(),
                boxes=torch.cat([boxes for _, boxes, *_ in parts]).numpy(),
                codes=torch.cat([codes for _, _, codes, _ in parts]).short().numpy(),
                itd_s=torch.cat([itd_s for *_, itd_s in parts]).numpy(),
            )  # fmt: skip
        temporary.replace(folder / f"{number:04d}.npz")


class CachedHiddenStates:
    """All shards of a folder, in memory."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("*.npz"))
        if not files:
            raise UserError(f"No hidden states have been cached in {folder}; run --stage rehearse first.")
        shards = [np.load(file, allow_pickle=False) for file in files]

        self.lengths, self.states, self.image_mask, self.positions, self.boxes, self.codes, self.itd_s = (
            torch.from_numpy(np.concatenate([shard[name] for shard in shards]))
            for name in ("lengths", "states", "image_mask", "positions", "boxes", "codes", "itd_s")
        )
        self.starts = self.lengths.cumsum(0) - self.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def sounds(self) -> int:
        """Of each click."""
        return int(self.codes.shape[1])

    def draw(self, count: int, frames: int, rng: np.random.Generator) -> CachedBatch:
        """`count` different clicks with all their sounds, `frames` frames from a random position."""
        chosen = torch.from_numpy(rng.choice(len(self), count, replace=False))
        codes = self.codes[chosen].flatten(0, 1).long()
        first = int(rng.integers(codes.shape[-1] - frames + 1))
        each = chosen.repeat_interleave(self.sounds)
        hidden = self.hidden_states(chosen)
        return CachedBatch(hidden, self.boxes[each], codes[..., first : first + frames], self.itd_s[each])

    def hidden_states(self, chosen: Tensor) -> HiddenStates:
        """Padded on the left again."""
        longest = int(self.lengths[chosen].max())
        offset = torch.arange(longest)[None] - (longest - self.lengths[chosen])[:, None]  # (B, S) within each prompt
        mask = offset >= 0
        index = (self.starts[chosen][:, None] + offset).clamp(min=0) * mask
        states, positions = (x[index].float() * mask[..., None] for x in (self.states, self.positions))
        return HiddenStates(states, mask, self.image_mask[index] & mask, positions)
