"""Clicks thought about and heard beforehand: what the audio head learns from without asking the thinker every time.

Thinking and rendering take longer than a step of the audio head, so a step could see few clicks, and what sets one from
another hardly reached it. Written down once, in shards, every step sees half as many clicks as sounds.
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
from training.vlm_to_sound.clicked_sounds import Sounds, click
from training.vlm_to_sound.pictures import Pictures

SHARD = 256  # clicks
SOUNDS = 2  # of each click
SECONDS = 4.0
AT_ONCE = 32  # clicks through the thinker


@dataclass(frozen=True)
class Rehearsed:
    """Thoughts of B clicks, and N sounds of each. boxes: (B N, 4); codes: (B N, 2, K, F); lead_s: (B N,)."""

    thought: HiddenStates
    boxes: Tensor
    codes: Tensor
    lead_s: Tensor

    def to(self, device: torch.device) -> Rehearsed:
        moved = HiddenStates(*(x.to(device) for x in vars(self.thought).values()))
        return Rehearsed(moved, *(x.to(device) for x in (self.boxes, self.codes, self.lead_s)))


@torch.inference_mode()
def cache_hidden_states(
    thinker: Thinker, pictures: Pictures, sounds: Sounds, folder: Path, clicks: int, seed: int, rank: int,
    processes: int,
) -> None:  # fmt: skip
    """This process's share of the shards that are not there yet; a shard depends on its number and the seed alone."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = range(-(-clicks // SHARD))[rank::processes]
    missing = [number for number in numbers if not (folder / f"{number:04d}.npz").is_file()]
    for number in tqdm(missing, desc="clicks thought about", disable=rank > 0):
        rng = np.random.default_rng([seed, 41, number])
        sounds.rng, parts = rng, []
        for _ in range(SHARD // AT_ONCE):
            clicked = click(pictures, AT_ONCE, rng)
            thought = thinker([sight.seen for sight in clicked.sights], clicked.boxes)
            codes, lead_s = sounds.heard(clicked.repeated(SOUNDS), SECONDS)
            parts.append((thought, clicked.boxes, codes.unflatten(0, (-1, SOUNDS)), lead_s[::SOUNDS]))
        kept = [mask for thought, *_ in parts for mask in thought.mask]
        thoughts = [one for one, *_ in parts]
        temporary = folder / f"{number:04d}.tmp"
        with temporary.open("wb") as file:
            np.savez(
                file, lengths=np.array([int(mask.sum()) for mask in kept]),
                states=torch.cat([one.states[one.mask] for one in thoughts]).half().numpy(),
                patches=torch.cat([one.patches[one.mask] for one in thoughts]).numpy(),
                at=torch.cat([one.at[one.mask] for one in thoughts]).half().numpy(),
                boxes=torch.cat([boxes for _, boxes, *_ in parts]).numpy(),
                codes=torch.cat([codes for _, _, codes, _ in parts]).short().numpy(),
                lead_s=torch.cat([lead_s for *_, lead_s in parts]).numpy(),
            )  # fmt: skip
        temporary.replace(folder / f"{number:04d}.npz")


class CachedHiddenStates:
    """All shards of a folder, in memory."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("*.npz"))
        if not files:
            raise UserError(f"No clicks have been thought about beforehand in {folder}; run --stage rehearse first.")
        shards = [np.load(file, allow_pickle=False) for file in files]

        def joined(name: str) -> Tensor:
            return torch.from_numpy(np.concatenate([shard[name] for shard in shards]))

        self.lengths, self.states, self.patches, self.at = (joined(x) for x in ("lengths", "states", "patches", "at"))
        self.boxes, self.codes, self.lead_s = (joined(x) for x in ("boxes", "codes", "lead_s"))
        self.starts = self.lengths.cumsum(0) - self.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def draw(self, count: int, frames: int, rng: np.random.Generator) -> Rehearsed:
        """Different clicks, and all sounds of each, `frames` of them from anywhere."""
        chosen = torch.from_numpy(rng.choice(len(self), count, replace=False))
        codes = self.codes[chosen].flatten(0, 1).long()
        first = int(rng.integers(codes.shape[-1] - frames + 1))
        each = chosen.repeat_interleave(self.codes.shape[1])
        return Rehearsed(self.thought(chosen), self.boxes[each], codes[..., first : first + frames], self.lead_s[each])

    def thought(self, chosen: Tensor) -> HiddenStates:
        """Padded on the left again."""
        longest = int(self.lengths[chosen].max())
        place = torch.arange(longest)[None] - (longest - self.lengths[chosen])[:, None]  # (B, S) of the prompt's own
        mask = place >= 0
        index = (self.starts[chosen][:, None] + place).clamp(min=0) * mask
        states = self.states[index].float() * mask[..., None]
        return HiddenStates(states, mask, self.patches[index] & mask, self.at[index].float() * mask[..., None])
