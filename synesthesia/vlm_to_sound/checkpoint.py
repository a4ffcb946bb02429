"""Checkpoint of the audio head: its tensors, LoRA of the thinker's queries and values, embeddings of new tokens.

config.json and model.safetensors (eight bits). LoRA's tensors are stored under "lora.", the embeddings of the new
tokens under "words." when the thinker comes from the hub, whose own files do not have them.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from synesthesia.core.errors import UserError
from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint
from synesthesia.nn.lora import LoraSettings, is_lora, lora_shapes, merge_lora
from synesthesia.vlm_to_sound.audio_head import AudioHead, AudioHeadConfig
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from synesthesia.vlm_to_sound.thinker import Thinker

LORA, NEW_EMBEDDINGS = "lora.", "words."
CONFIG_KEYS = {  # fields of AudioHeadConfig in config.json, where they differ
    "hidden_size": "thought",
    "itd_bins": "leads",
    "itd_step_s": "lead_step_s",
    "classes": "kinds",
}
TENSOR_KEYS = {  # parts of the audio head's tensor names in model.safetensors, where they differ
    "adaptor": "adapt",
    "position_embedding": "place",
    "cross_key_value": "remember",
    "pooled": "gist",
    "class_head": "choose",
    "class_embedding": "kind",
    "null_state": "nothing",
    "channel_embedding": "ear",
    "patch_embedding": "last",
    "depth_patch": "so_far",
    "depth_hidden": "inner",
    "depth_logits": "outer",
    "itd_head": "lead",
    "self_norm": "own_norm",
    "cross_norm": "look_norm",
    "mlp_norm": "last_norm",
    "self_qkv": "qkv",
    "self_out": "own_out",
    "cross_query": "ask",
    "cross_out": "tell",
    "mlp_up": "up",
    "mlp_down": "down",
}


def save_audio_head(
    head: AudioHead, thinker: Thinker, settings: LoraSettings, folder: Path, *, new_embeddings: bool = False
) -> None:
    """thinker: with LoRA layers, see `add_lora`; new_embeddings: store those of the new tokens too."""
    config = {CONFIG_KEYS.get(name, name): value for name, value in asdict(head.config).items()}
    state = {stored_name(name): value for name, value in head.state_dict().items()}
    state |= {LORA + name: value for name, value in thinker.state_dict().items() if is_lora(name)}
    if new_embeddings:
        state |= {NEW_EMBEDDINGS + name: value for name, value in thinker.new_embeddings.state_dict().items()}
    save_checkpoint(folder, {"decoder": config, "lora": asdict(settings)}, state, quantise=True)


def load_audio_head(folder: Path, thinker: Thinker, tokens: MelTokens, *, new_embeddings: bool = False) -> AudioHead:
    """The audio head; LoRA is merged into the thinker's weights in place, so that inference costs nothing extra.

    UserError when a file is missing or was made for another thinker or other tokens.
    """
    stored, state = load_checkpoint(
        folder, what="The audio head's folder", trained_by="training.vlm_to_sound.train", quantised=True
    )
    config, settings = _read_config(stored["decoder"]), LoraSettings(**stored["lora"])
    if config.hidden_size != thinker.hidden_size:
        raise UserError(
            f"The audio head in {folder} was trained for hidden states of size {config.hidden_size}, "
            f"but this thinker's have {thinker.hidden_size}."
        )
    if config.tokens != tokens.config:
        raise UserError(
            f"The audio head in {folder} writes {config.tokens.codebooks} x {config.tokens.codes} codes, "
            f"but the sound tokens have {tokens.config.codebooks} x {tokens.config.codes}, or patches of another size."
        )
    lora, embeddings = _pop_prefix(state, LORA), _pop_prefix(state, NEW_EMBEDDINGS)
    head = AudioHead(config, tokens)
    own = {stored_name(name): name for name in head.state_dict()}
    state = {own.get(name, name): value for name, value in state.items()}
    if _shapes(head.state_dict()) != _shapes(state):
        raise UserError(f"The audio head in {folder} has other shapes than its config.json says.")
    expected = _shapes(thinker.new_embeddings.state_dict()) if new_embeddings else {}
    if _shapes(lora) != lora_shapes(thinker, settings) or _shapes(embeddings) != expected:
        raise UserError(f"The audio head in {folder} was trained for another thinker.")
    head.load_state_dict(state)
    thinker.new_embeddings.load_state_dict(embeddings or thinker.new_embeddings.state_dict())
    merge_lora(thinker, lora, settings)
    _store_column_major(head)
    return head.eval().requires_grad_(False)


def _read_config(stored: dict[str, Any]) -> AudioHeadConfig:
    fields = {key: field for field, key in CONFIG_KEYS.items()}
    values = {fields.get(key, key): value for key, value in stored.items()}
    return AudioHeadConfig(**values | {"tokens": MelTokenConfig(**values["tokens"])})


def stored_name(name: str) -> str:
    return ".".join(TENSOR_KEYS.get(part, part) for part in name.split("."))


def _pop_prefix(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Removes everything under a prefix from `state`."""
    names = [name for name in state if name.startswith(prefix)]
    return {name.removeprefix(prefix): state.pop(name) for name in names}


def _shapes(state: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}


def _store_column_major(head: AudioHead) -> None:
    """The memory layout in which a few rows times a matrix are fastest on a CPU."""
    for module in head.modules():
        if isinstance(module, nn.Linear):
            module.weight.data = module.weight.data.t().contiguous().t()
