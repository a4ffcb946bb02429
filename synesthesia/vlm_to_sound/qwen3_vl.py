"""Qwen3-VL as a `Thinker`: this project's tiny configuration with weights of its own, or a checkpoint from the hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from synesthesia.core.errors import UserError
from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint
from synesthesia.vlm_to_sound.thinker import ChatTemplate, Thinker
from synesthesia.vlm_to_sound.vision_tower import FeatureVisionTowerConfig

if TYPE_CHECKING:
    from transformers import Qwen3VLConfig

PAD, VISION_START, IMAGE, VISION_END, VIDEO = range(5)  # the tiny model's whole vocabulary besides the new tokens
TINY_TEMPLATE = ChatTemplate((VISION_START,), (VISION_END,))
FILE_NAMES = {  # of this module's tensors in model.safetensors
    "new_embeddings.weight": "words.weight",
    "model.visual.feature_std": "model.visual.deviation",
    "model.visual.fc1.weight": "model.visual.inner.weight",
    "model.visual.fc1.bias": "model.visual.inner.bias",
    "model.visual.fc2.weight": "model.visual.outer.weight",
    "model.visual.fc2.bias": "model.visual.outer.bias",
}


def tiny_config(feature_dim: int, width: int = 256, layers: int = 4) -> Qwen3VLConfig:
    """A Qwen3-VL a thousandth of the size, with patch features of the project's vision network as its visual tower."""
    from transformers import Qwen3VLConfig, Qwen3VLTextConfig

    heads = 4
    half = width // heads // 2  # of a head's dimensions, split between time, height and width
    sections = [half - 2 * (half // 3), half // 3, half // 3]
    text = Qwen3VLTextConfig(
        vocab_size=5, hidden_size=width, intermediate_size=3 * width, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=heads, head_dim=width // heads, max_position_embeddings=2048,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": sections,
                         "mrope_interleaved": True},
        tie_word_embeddings=True, pad_token_id=PAD, bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    return Qwen3VLConfig(
        text_config=text, vision_config=FeatureVisionTowerConfig(feature_dim=feature_dim, out_hidden_size=width),
        image_token_id=IMAGE, video_token_id=VIDEO, vision_start_token_id=VISION_START, vision_end_token_id=VISION_END,
        tie_word_embeddings=True,
    )  # fmt: skip


def build_tiny(config: Qwen3VLConfig, layer: int = -1) -> Thinker:
    """Randomly initialised."""
    from transformers import Qwen3VLModel

    return Thinker(Qwen3VLModel(config), TINY_TEMPLATE, layer).eval()


def save_tiny(thinker: Thinker, folder: Path) -> None:
    """config.json and model.safetensors (eight bits)."""
    fields = {"model": thinker.model.config.to_dict() | {"transformers_version": None}, "layer": thinker.layer}
    state = {FILE_NAMES.get(name, name): value for name, value in thinker.state_dict().items()}
    save_checkpoint(folder, fields, state, quantise=True)


def load_tiny(folder: Path) -> Thinker:
    """Reads what `save_tiny` wrote. UserError when a file is missing or has other shapes."""
    from transformers import Qwen3VLConfig

    fields, stored = load_checkpoint(
        folder, what="The thinker's folder", trained_by="training.vlm_to_sound.train", quantised=True
    )
    vision = FeatureVisionTowerConfig(**fields["model"].pop("vision_config"))
    thinker = build_tiny(Qwen3VLConfig(**fields["model"], vision_config=vision), int(fields["layer"]))
    expected = {FILE_NAMES.get(name, name): value.shape for name, value in thinker.state_dict().items()}
    if expected != {name: value.shape for name, value in stored.items()}:
        raise UserError(f"The thinker in {folder} has other shapes than its config.json says.")
    thinker.load_state_dict({name: stored[FILE_NAMES.get(name, name)] for name in thinker.state_dict()})
    return thinker.requires_grad_(False)


def load_hub(hub_id: str, revision: str, layer: int = -1) -> Thinker:
    """A Qwen3-VL or Qwen2.5-VL at one commit, in bfloat16. Opens the network."""
    from transformers import AutoModelForImageTextToText, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(hub_id, revision=revision)
    full_model = AutoModelForImageTextToText.from_pretrained(hub_id, revision=revision, dtype=torch.bfloat16)

    def ids(text: str) -> tuple[int, ...]:
        return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])

    template = ChatTemplate(
        ids("<|im_start|>user\n<|vision_start|>"), ids("<|vision_end|>"), ids("<|im_end|>\n<|im_start|>assistant\n")
    )
    return Thinker(full_model.model, template, layer).eval().requires_grad_(False)
