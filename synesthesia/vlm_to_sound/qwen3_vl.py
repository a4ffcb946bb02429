"""The picture language model that thinks: this project's tiny Qwen3-VL, or one from the hub, as a `Thinker`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from synesthesia.core.errors import UserError
from synesthesia.nn.quantised import load_quantised, save_quantised
from synesthesia.vlm_to_sound.thinker import Framing, Thinker
from synesthesia.vlm_to_sound.vision_tower import FeatureVisionTowerConfig

if TYPE_CHECKING:
    from transformers import Qwen3VLConfig

CONFIG, WEIGHTS = "config.json", "model.safetensors"
PAD, VISION_START, IMAGE, VISION_END, VIDEO = range(5)  # all the words that the tiny model knows besides the new ones
FRAMING = Framing((VISION_START,), (VISION_END,))


def tiny_config(feature_dim: int, width: int = 256, layers: int = 4) -> Qwen3VLConfig:
    """A Qwen3-VL a thousandth of the size, with the project's eyes before its visual tower."""
    from transformers import Qwen3VLConfig, Qwen3VLTextConfig

    heads = 4
    half = width // heads // 2  # of a head's numbers; shared out between time, height and width
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


def tiny(config: Qwen3VLConfig, layer: int = -1) -> Thinker:
    """Untrained."""
    from transformers import Qwen3VLModel

    return Thinker(Qwen3VLModel(config), FRAMING, layer).eval()


def save_tiny(thinker: Thinker, folder: Path) -> None:
    """config.json and model.safetensors (eight bits)."""
    folder.mkdir(parents=True, exist_ok=True)
    fields = {"model": thinker.model.config.to_dict() | {"transformers_version": None}, "layer": thinker.layer}
    (folder / CONFIG).write_text(json.dumps(fields, indent=1, default=str) + "\n", encoding="utf-8")
    save_quantised(thinker.state_dict(), folder / WEIGHTS)


def load_tiny(folder: Path) -> Thinker:
    """From what `save_tiny` wrote. UserError when a file is missing or of another shape."""
    from transformers import Qwen3VLConfig

    try:
        fields = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        state = load_quantised(folder / WEIGHTS)
    except FileNotFoundError as error:
        raise UserError(
            f"The thinker's folder {folder} is incomplete; train it with training.vlm_to_sound.train."
        ) from error
    vision = FeatureVisionTowerConfig(**fields["model"].pop("vision_config"))
    thinker = tiny(Qwen3VLConfig(**fields["model"], vision_config=vision), int(fields["layer"]))
    shapes = {name: value.shape for name, value in thinker.state_dict().items()}
    if shapes != {name: value.shape for name, value in state.items()}:
        raise UserError(f"The thinker in {folder} is of another shape than its config.json says.")
    thinker.load_state_dict(state)
    return thinker.requires_grad_(False)


def load_hub(hub_id: str, revision: str, layer: int = -1) -> Thinker:
    """A Qwen3-VL or Qwen2.5-VL at one commit, in bfloat16. Opens the network."""
    from transformers import AutoModelForImageTextToText, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(hub_id, revision=revision)
    whole = AutoModelForImageTextToText.from_pretrained(hub_id, revision=revision, dtype=torch.bfloat16)

    def ids(text: str) -> tuple[int, ...]:
        return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])

    framing = Framing(
        ids("<|im_start|>user\n<|vision_start|>"), ids("<|vision_end|>"), ids("<|im_end|>\n<|im_start|>assistant\n")
    )
    return Thinker(whole.model, framing, layer).eval().requires_grad_(False)
