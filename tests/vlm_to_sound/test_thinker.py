"""Hidden states for a box with the project's feature tower and with those of Qwen3-VL and Qwen2.5-VL: their values,
independence of the batch, causality."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Literal

import pytest
import torch
from torch import Tensor
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLModel, Qwen3VLConfig, Qwen3VLModel

from synesthesia.vlm_to_sound.qwen3_vl import TINY_TEMPLATE, VISION_START, build_tiny, tiny_config
from synesthesia.vlm_to_sound.thinker import (
    BINS,
    NEW_TOKENS,
    NEW_TOKENS_PER_PROMPT,
    THINK_SOUND,
    ChatTemplate,
    HiddenStates,
    ImageInput,
    Thinker,
)

Kind = Literal["eyes", "qwen3", "qwen2.5"]
KINDS: tuple[Kind, ...] = ("eyes", "qwen3", "qwen2.5")
WIDTH, LAYERS, VOCABULARY = 32, 2, 80
IMAGE = 5
CHAT = ChatTemplate((1, 7), (8, 2), (3, 4))
BOXES = torch.tensor([[0.0, 0.1, 0.5, 1.0], [0.3, 0.3, 0.4, 0.4], [0.6, 0.0, 0.7, 0.9]])


@cache
def thinker(kind: Kind) -> Thinker:
    """Random weights, large enough that every token matters. Tests leave it as it is."""
    torch.manual_seed(0)
    made = build_tiny(tiny_config(4, width=WIDTH, layers=LAYERS)) if kind == "eyes" else _qwen(kind)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=1.0 if name.startswith("new_embeddings") else parameter.shape[1] ** -0.5)
    return made.requires_grad_(False)


def _qwen(kind: Kind) -> Thinker:
    """A real visual tower of the model's own, a thousandth of the size."""
    vision = {
        "depth": 2, "hidden_size": 16, "intermediate_size": 32, "num_heads": 2, "in_channels": 3, "patch_size": 4,
        "temporal_patch_size": 2, "out_hidden_size": WIDTH,
    }  # fmt: skip
    text = {
        "vocab_size": VOCABULARY, "hidden_size": WIDTH, "intermediate_size": 64, "num_hidden_layers": LAYERS,
        "num_attention_heads": 4, "num_key_value_heads": 2, "bos_token_id": None, "eos_token_id": None,
    }  # fmt: skip
    rope = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 1, 1]}
    ids = {"image_token_id": IMAGE, "video_token_id": 6, "vision_start_token_id": 7, "vision_end_token_id": 8}
    if kind == "qwen3":
        vision |= {"num_position_embeddings": 64, "deepstack_visual_indexes": [0]}
        text |= {"head_dim": 8, "rope_parameters": rope | {"mrope_interleaved": True}}
        return Thinker(Qwen3VLModel(Qwen3VLConfig(text_config=text, vision_config=vision, **ids)), CHAT).eval()
    vision |= {"window_size": 16, "fullatt_block_indexes": [1]}
    text |= {"rope_parameters": rope}
    return Thinker(Qwen2_5_VLModel(Qwen2_5_VLConfig(text_config=text, vision_config=vision, **ids)), CHAT).eval()


def picture(kind: Kind, rows: int, cols: int, seed: int = 0) -> ImageInput:
    numbers = 12 if kind == "eyes" else 3 * 2 * 4 * 4
    return ImageInput(torch.randn(rows * cols, numbers, generator=torch.Generator().manual_seed(seed)), rows, cols)


def pictures(kind: Kind) -> list[ImageInput]:
    return [picture(kind, 4, 6, 0), picture(kind, 2, 2, 1), picture(kind, 8, 4, 2)]


@torch.no_grad()
def hidden_states(kind: Kind, images: list[ImageInput], boxes: Tensor, layer: int = -1) -> HiddenStates:
    made = thinker(kind)
    made.layer = layer
    try:
        found: HiddenStates = made(images, boxes)
    finally:
        made.layer = -1
    return found


def embedded(kind: Kind, box: list[float]) -> Tensor:
    """(7, WIDTH) the embeddings after the image, in the order <bbox> x1 y1 x2 y2 </bbox> ... <think_sound>."""
    states = hidden_states(kind, [picture(kind, 2, 2)], torch.tensor([box]), layer=0).states[0]
    after = len(thinker(kind).template.after)
    return torch.cat([states[-NEW_TOKENS_PER_PROMPT - after : -1 - after], states[-1:]])


@pytest.mark.parametrize("kind", KINDS)
def test_batching_does_not_change_hidden_states(kind: Kind) -> None:
    together = hidden_states(kind, pictures(kind), BOXES)
    lengths = together.mask.sum(dim=1).tolist()
    assert len(set(lengths)) == 3 and max(lengths) == together.states.shape[1]
    assert together.mask[:, -1].all() and together.states.isfinite().all()
    for row, images in enumerate(pictures(kind)):
        alone = hidden_states(kind, [images], BOXES[[row]])
        length = lengths[row]
        assert alone.mask.all() and alone.states.shape == (1, length, WIDTH)
        assert not together.mask[row, :-length].any(), "padding stands on the left"
        assert torch.allclose(together.states[row, -length:], alone.states[0], atol=1e-4)
        assert torch.equal(together.image_mask[row, -length:], alone.image_mask[0])
        assert (
            torch.equal(together.positions[row, -length:], alone.positions[0])
            and not together.positions[row, :-length].any()
        )
        assert together.image_mask[row].sum() == images.rows * images.cols // 4


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_states_equal_those_of_the_plain_model_for_the_same_tokens(kind: Kind) -> None:
    """The new tokens are given embeddings of known ones; ids, merger and rotary positions are the model's own."""
    made = thinker(kind)
    model, there, template = made.model, made.new_embeddings.weight.clone(), made.template
    config, table = model.config, model.get_input_embeddings().weight
    known = torch.tensor([VISION_START if kind == "eyes" else 10 + k for k in range(len(NEW_TOKENS))])
    images, boxes = pictures(kind)[:2], BOXES[:2]
    rows = []
    for one, box in zip(images, boxes, strict=True):
        coordinates = 3 + (box * BINS).long().clamp(max=BINS - 1)
        rows.append(torch.tensor([
            *template.before, *[config.image_token_id] * (one.rows * one.cols // 4), *template.between, known[0],
            *known[coordinates], known[1], *template.after, known[2],
        ]))  # fmt: skip
    longest = max(map(len, rows))
    ids = torch.stack([torch.cat([torch.zeros(longest - len(row), dtype=torch.long), row]) for row in rows])
    mask = torch.stack([torch.arange(longest) >= longest - len(row) for row in rows])
    try:
        made.new_embeddings.weight.copy_(table[known])
        ours = hidden_states(kind, images, boxes)
        with torch.no_grad():
            theirs = model(
                input_ids=ids, attention_mask=mask.long(), mm_token_type_ids=(ids == config.image_token_id).int(),
                pixel_values=torch.cat([one.pixels for one in images]),
                image_grid_thw=torch.tensor([[1, one.rows, one.cols] for one in images]),
            ).last_hidden_state  # fmt: skip
    finally:
        made.new_embeddings.weight.copy_(there)
    assert torch.equal(ours.mask, mask) and torch.equal(ours.image_mask, ids == config.image_token_id)
    assert torch.allclose(ours.states[mask], theirs[mask], atol=1e-5)
    assert not torch.allclose(hidden_states(kind, images, boxes).states[mask], theirs[mask], atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_another_box_changes_only_what_comes_after_it(kind: Kind) -> None:
    images = [picture(kind, 4, 6)]
    first = hidden_states(kind, images, torch.tensor([[0.1, 0.2, 0.3, 0.4]]))
    after = len(thinker(kind).template.after)
    for place in range(4):
        box = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
        box[0, place] += 0.5
        other = hidden_states(kind, images, box)
        changed = (first.states - other.states).abs().amax(dim=2)[0]
        expected = first.states.shape[1] - NEW_TOKENS_PER_PROMPT - after + 1 + place
        assert not changed[:expected].any(), "to the bit"
        assert (changed[expected:] > 1e-4).all()
        assert first.image_mask[0, :expected].sum() == first.image_mask.sum() == 6


@pytest.mark.parametrize("kind", KINDS)
def test_another_picture_changes_the_hidden_states(kind: Kind) -> None:
    images, other = picture(kind, 4, 6), picture(kind, 4, 6, seed=9)
    there, here = (hidden_states(kind, [one], BOXES[:1]).states[0] for one in (images, other))
    assert (there[-1] - here[-1]).abs().max() > 1e-2
    swapped = ImageInput(images.pixels.roll(4, dims=0), 4, 6)  # the same cells, each one place further
    assert (hidden_states(kind, [swapped], BOXES[:1]).states[0, -1] - there[-1]).abs().max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_layers_are_counted_as_hidden_states_are(kind: Kind) -> None:
    images, made = pictures(kind), thinker(kind)
    by_layer = [hidden_states(kind, images, BOXES, layer).states for layer in (*range(LAYERS + 1), -1)]
    assert torch.equal(by_layer[-2], by_layer[-1]), "the last one is normalised"
    for one, other in pairwise(by_layer[:-1]):
        assert (one[:, -1] - other[:, -1]).abs().max() > 1e-2
    assert torch.equal(by_layer[0][:, -1], made.new_embeddings.weight[THINK_SOUND].expand(3, -1)), "0: the embeddings"


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_of_a_prompt_are_in_order(kind: Kind) -> None:
    made = thinker(kind)
    template, table = made.template, made.model.get_input_embeddings().weight
    found = hidden_states(kind, [picture(kind, 4, 6)], torch.tensor([[0.25, 0.5, 0.75, 1.0]]), layer=0)
    words = made.new_embeddings.weight[[0, 3 + 16, 3 + 32, 3 + 48, 3 + 63, 1]]
    before, behind = found.states[0, : len(template.before)], found.states[0, len(template.before) + 6 :]
    assert torch.equal(before, table[list(template.before)])
    expected = torch.cat(
        [table[list(template.between)], words, table[list(template.after)], made.new_embeddings.weight[[THINK_SOUND]]]
    )
    assert torch.equal(behind, expected)
    assert found.image_mask[0].nonzero()[:, 0].tolist() == [len(template.before) + k for k in range(6)]


def test_positions_are_the_centres_of_the_cells_row_by_row() -> None:
    found = hidden_states("eyes", [picture("eyes", 4, 6), picture("eyes", 2, 2)], BOXES[:2])
    sixth = 1 / 6
    wanted = [(sixth, 0.25), (0.5, 0.25), (5 * sixth, 0.25), (sixth, 0.75), (0.5, 0.75), (5 * sixth, 0.75)]
    assert torch.allclose(found.positions[0][found.image_mask[0]], torch.tensor(wanted))
    assert found.positions[1][found.image_mask[1]].tolist() == [[0.5, 0.5]]
    assert torch.allclose(found.positions[:, -1], (BOXES[:2, :2] + BOXES[:2, 2:]) / 2), "the last token's is the box"
    others = ~found.image_mask
    others[:, -1] = False
    assert not found.positions[others].any()


@pytest.mark.parametrize(
    ("value", "bin_"),
    [(0.0, 0), (1 / 64 - 1e-5, 0), (1 / 64, 1), (0.5, 32), (63 / 64, 63), (1.0, 63), (-0.2, 0), (1.3, 63)],
)
def test_coordinates_fall_into_bins_both_ends_included(value: float, bin_: int) -> None:
    words = thinker("eyes").new_embeddings.weight
    for place in range(4):
        box = [0.3] * 4
        box[place] = value
        expected = embedded("eyes", box)
        assert torch.equal(expected[1 + place], words[3 + bin_])
        assert all(torch.equal(expected[1 + other], words[3 + 19]) for other in range(4) if other != place)


def test_there_is_a_token_for_every_bin() -> None:
    assert len(NEW_TOKENS) == len(set(NEW_TOKENS)) == 3 + BINS
    assert NEW_TOKENS[:3] == ("<bbox>", "</bbox>", "<think_sound>")
    assert NEW_TOKENS_PER_PROMPT == 7 and len(thinker("eyes").new_embeddings.weight) == len(NEW_TOKENS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_new_tokens_have_a_table_of_their_own(kind: Kind) -> None:
    made = thinker(kind)
    table = made.model.get_input_embeddings().weight
    there = table.clone()
    assert len(table) == (5 if kind == "eyes" else VOCABULARY)
    images, boxes = [picture(kind, 4, 6)], torch.tensor([[0.0, 0.25, 0.5, 1.0]])
    try:
        table.requires_grad_(True)
        made.new_embeddings.requires_grad_(True)
        made(images, boxes).states[:, -1].square().sum().backward()
        template = made.template
        in_template = {*template.before, *template.between, *template.after}
        assert {int(row) for row in table.grad.abs().sum(dim=1).nonzero()} == in_template
        trained = {int(row) for row in made.new_embeddings.weight.grad.abs().sum(dim=1).nonzero()}
        assert trained == {0, 1, 2, 3 + 0, 3 + 16, 3 + 32, 3 + 63}
    finally:
        table.requires_grad_(False).grad = None
        made.new_embeddings.requires_grad_(False).weight.grad = None
    assert torch.equal(table, there)


def test_rows_of_hidden_states_can_be_selected() -> None:
    found = hidden_states("eyes", pictures("eyes"), BOXES)
    some = found.select(torch.tensor([2, 0]))
    for part in ("states", "mask", "image_mask", "positions"):
        assert torch.equal(getattr(some, part), getattr(found, part)[[2, 0]])


def test_a_box_for_every_picture() -> None:
    with pytest.raises(AssertionError, match="one box a picture"):
        thinker("eyes")(pictures("eyes"), BOXES[:2])


def test_the_tiny_models_template_is_start_and_end_of_vision() -> None:
    assert thinker("eyes").template == TINY_TEMPLATE and TINY_TEMPLATE.after == ()
