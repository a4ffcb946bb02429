"""A picture language model that thinks about one place of a picture and says nothing: its hidden states are its answer.

`[picture] <bbox> x1 y1 x2 y2 </bbox> <think_sound>`: coordinates are quantised to tokens (Chen et al. 2022, Pix2Seq);
what an audio head reads are the hidden states of a chosen layer. One class holds Qwen3-VL and Qwen2.5-VL, tiny or from
the hub. The language model's own embeddings stay as they are; the new tokens have a table of their own beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel

BINS = 64  # of either coordinate
BBOX, BBOX_END, THINK = 0, 1, 2  # rows of the table of new tokens; coordinates follow
NEW_TOKENS = ("<bbox>", "</bbox>", "<think_sound>", *(f"<coordinate_{k}>" for k in range(BINS)))
SAID = 7  # new tokens of a prompt


@dataclass(frozen=True)
class ImageInput:
    """One picture as a visual tower takes it. pixels: (patches, numbers); rows, cols: of patches."""

    pixels: Tensor
    rows: int
    cols: int


@dataclass(frozen=True)
class Framing:
    """Ids of the words around the picture and the question in a model's own chat format. before: ends with the start of
    vision; between: begins with its end; after: begins the answer, before <think_sound>."""

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...] = ()


@dataclass(frozen=True)
class HiddenStates:
    """Of B prompts. states: (B, S, D), the last of each is <think_sound>, shorter prompts are padded on the left; mask:
    (B, S) bool; patches: (B, S) bool, places of picture tokens; at: (B, S, 2) where on the picture they lie, x and y in
    0..1, and of <think_sound> the middle of the box; zero elsewhere."""

    states: Tensor
    mask: Tensor
    patches: Tensor
    at: Tensor

    def rows(self, which: Tensor) -> HiddenStates:
        return HiddenStates(self.states[which], self.mask[which], self.patches[which], self.at[which])


class Thinker(nn.Module):
    """model: `Qwen3VLModel` or `Qwen2_5_VLModel`; layer: whose output is read, counted as `hidden_states` are (0: the
    embeddings, -1: the last, normalised)."""

    def __init__(self, model: PreTrainedModel, framing: Framing, layer: int = -1) -> None:
        super().__init__()
        self.model, self.framing, self.layer = model, framing, layer
        width = model.config.text_config.hidden_size
        self.words = nn.Embedding(len(NEW_TOKENS), width)
        nn.init.normal_(self.words.weight, std=float(model.config.text_config.initializer_range))

    @property
    def width(self) -> int:
        return int(self.words.embedding_dim)

    def forward(self, seen: Sequence[ImageInput], boxes: Tensor) -> HiddenStates:
        """B pictures and boxes (B, 4), x1 y1 x2 y2 in 0..1."""
        assert boxes.shape == (len(seen), 4), f"one box a picture, got {tuple(boxes.shape)} for {len(seen)}"
        config, merge = self.model.config, self.model.config.vision_config.spatial_merge_size
        rows = [self._ids(one, box, merge) for one, box in zip(seen, boxes, strict=True)]
        longest = max(len(ids) for ids in rows)
        ids = torch.zeros(len(rows), longest, dtype=torch.long, device=boxes.device)
        mask = torch.zeros_like(ids, dtype=torch.bool)
        at = torch.zeros(*ids.shape, 2, device=boxes.device)
        for number, (row, one) in enumerate(zip(rows, seen, strict=True)):
            ids[number, longest - len(row) :] = row.to(ids.device)
            mask[number, longest - len(row) :] = True
            at[number, ids[number] == config.image_token_id] = _centres(one.rows // merge, one.cols // merge).to(at)
        at[:, -1] = (boxes[:, :2] + boxes[:, 2:]) / 2
        new = ids < 0
        known = self.model.get_input_embeddings()(ids.clamp(min=0))
        embeds = torch.where(new[..., None], self.words((-ids - 1).clamp(min=0)).to(known.dtype), known)
        patches = ids == config.image_token_id
        grids = torch.tensor([[1, one.rows, one.cols] for one in seen], device=ids.device)
        places = self.model.get_rope_index(
            ids, mm_token_type_ids=patches.int(), image_grid_thw=grids, attention_mask=mask.long()
        )[0]
        pixels = torch.cat([one.pixels for one in seen]).to(embeds.device)
        out = self.model(
            inputs_embeds=embeds, attention_mask=mask.long(), position_ids=places, pixel_values=pixels,
            image_grid_thw=grids, output_hidden_states=self.layer != -1, use_cache=False,
        )  # fmt: skip
        states = out.last_hidden_state if self.layer == -1 else out.hidden_states[self.layer]
        return HiddenStates(states, mask, patches, at)

    def _ids(self, seen: ImageInput, box: Tensor, merge: int) -> Tensor:
        """(S,) ids of one prompt; new token k is -1 - k."""
        pictures = [int(self.model.config.image_token_id)] * (seen.rows * seen.cols // merge**2)
        coordinates = (box.clamp(0.0, 1.0) * BINS).long().clamp(max=BINS - 1)
        said = [BBOX, *(THINK + 1 + int(bin_) for bin_ in coordinates), BBOX_END]
        framing = self.framing
        new = [-1 - token for token in said]
        return torch.tensor([*framing.before, *pictures, *framing.between, *new, *framing.after, -1 - THINK])


def _centres(rows: int, cols: int) -> Tensor:
    """(rows * cols, 2) x and y of the middles of cells, row by row."""
    y, x = torch.meshgrid((torch.arange(rows) + 0.5) / rows, (torch.arange(cols) + 0.5) / cols, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)
