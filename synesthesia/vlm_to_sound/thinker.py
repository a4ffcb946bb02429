"""Hidden states of a vision-language model (Qwen3-VL, Qwen2.5-VL) for one region of an image; no text is generated.

The prompt is `[image] <bbox> x1 y1 x2 y2 </bbox> <think_sound>`, with coordinates quantised to tokens (Pix2Seq, Chen
et al. 2022). The audio head reads the hidden states of a chosen layer. The language model's own embeddings stay as
they are; the new tokens have an embedding table of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel

BINS = 64  # per coordinate
BBOX, BBOX_END, THINK_SOUND = 0, 1, 2  # rows of the table of new tokens; coordinates follow
NEW_TOKENS = ("<bbox>", "</bbox>", "<think_sound>", *(f"<coordinate_{k}>" for k in range(BINS)))
NEW_TOKENS_PER_PROMPT = 7


@dataclass(frozen=True)
class ImageInput:
    """One image as a visual tower reads it. pixels: (patches, dim); rows, cols: of patches."""

    pixels: Tensor
    rows: int
    cols: int


@dataclass(frozen=True)
class ChatTemplate:
    """Token ids around image and question in a model's own chat format.

    before: ends with the start of vision; between: begins with its end; after: begins the answer, before <think_sound>.
    """

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...] = ()


@dataclass(frozen=True)
class HiddenStates:
    """Of B prompts, padded on the left.

    states: (B, S, D), the last one of each prompt is <think_sound>; mask: (B, S) bool; image_mask: (B, S) bool, image
    tokens; positions: (B, S, 2) x and y in 0..1 of image tokens on the image, of <think_sound> the box's centre, zero
    elsewhere.
    """

    states: Tensor
    mask: Tensor
    image_mask: Tensor
    positions: Tensor

    def select(self, rows: Tensor) -> HiddenStates:
        return HiddenStates(self.states[rows], self.mask[rows], self.image_mask[rows], self.positions[rows])


class Thinker(nn.Module):
    """model: `Qwen3VLModel` or `Qwen2_5_VLModel`; layer: whose output is read, an index into `hidden_states`
    (0: the embeddings, -1: the last layer, normalised)."""

    def __init__(self, model: PreTrainedModel, template: ChatTemplate, layer: int = -1) -> None:
        super().__init__()
        self.model, self.template, self.layer = model, template, layer
        hidden_size = model.config.text_config.hidden_size
        self.new_embeddings = nn.Embedding(len(NEW_TOKENS), hidden_size)
        nn.init.normal_(self.new_embeddings.weight, std=float(model.config.text_config.initializer_range))

    @property
    def hidden_size(self) -> int:
        return int(self.new_embeddings.embedding_dim)

    def forward(self, images: Sequence[ImageInput], boxes: Tensor) -> HiddenStates:
        """B images and boxes (B, 4), x1 y1 x2 y2 in 0..1."""
        assert boxes.shape == (len(images), 4), f"one box a picture, got {tuple(boxes.shape)} for {len(images)}"
        config, merge = self.model.config, self.model.config.vision_config.spatial_merge_size
        rows = [self._ids(image, box, merge) for image, box in zip(images, boxes, strict=True)]
        longest = max(len(ids) for ids in rows)
        ids = torch.zeros(len(rows), longest, dtype=torch.long, device=boxes.device)
        mask = torch.zeros_like(ids, dtype=torch.bool)
        positions = torch.zeros(*ids.shape, 2, device=boxes.device)
        for number, (row, image) in enumerate(zip(rows, images, strict=True)):
            ids[number, longest - len(row) :] = row.to(ids.device)
            mask[number, longest - len(row) :] = True
            centres = _cell_centres(image.rows // merge, image.cols // merge)
            positions[number, ids[number] == config.image_token_id] = centres.to(positions)
        positions[:, -1] = (boxes[:, :2] + boxes[:, 2:]) / 2
        new = ids < 0
        known = self.model.get_input_embeddings()(ids.clamp(min=0))
        embeds = torch.where(new[..., None], self.new_embeddings((-ids - 1).clamp(min=0)).to(known.dtype), known)
        image_mask = ids == config.image_token_id
        grids = torch.tensor([[1, image.rows, image.cols] for image in images], device=ids.device)
        position_ids = self.model.get_rope_index(
            ids, mm_token_type_ids=image_mask.int(), image_grid_thw=grids, attention_mask=mask.long()
        )[0]
        pixels = torch.cat([image.pixels for image in images]).to(embeds.device)
        out = self.model(
            inputs_embeds=embeds, attention_mask=mask.long(), position_ids=position_ids, pixel_values=pixels,
            image_grid_thw=grids, output_hidden_states=self.layer != -1, use_cache=False,
        )  # fmt: skip
        states = out.last_hidden_state if self.layer == -1 else out.hidden_states[self.layer]
        return HiddenStates(states, mask, image_mask, positions)

    def _ids(self, image: ImageInput, box: Tensor, merge: int) -> Tensor:
        """(S,) ids of one prompt; new token k is -1 - k."""
        image_tokens = [int(self.model.config.image_token_id)] * (image.rows * image.cols // merge**2)
        bins = (box.clamp(0.0, 1.0) * BINS).long().clamp(max=BINS - 1)
        question = [-1 - token for token in (BBOX, *(THINK_SOUND + 1 + int(bin_) for bin_ in bins), BBOX_END)]
        before, between, after = self.template.before, self.template.between, self.template.after
        return torch.tensor([*before, *image_tokens, *between, *question, *after, -1 - THINK_SOUND])


def _cell_centres(rows: int, cols: int) -> Tensor:
    """(rows * cols, 2) x and y of the centres of cells, row by row."""
    y, x = torch.meshgrid((torch.arange(rows) + 0.5) / rows, (torch.arange(cols) + 0.5) / cols, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)
