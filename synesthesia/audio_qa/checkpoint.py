"""Checkpoint formats: the tiny Qwen2-Audio, and the spatial token (projector and LoRA) trained on top of a frozen one.

Both are a config.json beside a model.safetensors of eight-bit weights. The language model's folder leaves out the audio
tower, which has its own folder, and the spatial projector, which belongs to the spatial token.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio_qa.qwen2_audio import AudioLM, build_tiny, load_tokenizer
from synesthesia.audio_qa.spatial_qwen2_audio import SpatialQwen2Audio
from synesthesia.core.checkpoints import incomplete
from synesthesia.core.errors import UserError
from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint
from synesthesia.nn.lora import LoraSettings, add_lora, is_lora

TOKENIZER = "tokenizer.json"
PROJECTOR = "spatial_projector."
STORED_ELSEWHERE = (PROJECTOR, "model.audio_tower.")


def save_language_model(language_model: AudioLM, folder: Path) -> None:
    """config.json, tokenizer.json and model.safetensors, without audio tower and spatial projector."""
    model = language_model.model
    save_checkpoint(folder, model.config.to_dict() | {"transformers_version": None}, _own(model), quantise=True)
    language_model.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))


def load_language_model(folder: Path, tagger: AudioTagger) -> AudioLM:
    """Counterpart of `save_language_model`, frozen; the spatial projector is untrained. UserError when a file is
    missing or the weights do not fit the config."""
    from transformers import Qwen2AudioConfig

    what, trained_by = "The language model's folder", "training.audio_qa.train_language_model"
    fields, state = load_checkpoint(folder, what=what, trained_by=trained_by, quantised=True)
    if not (folder / TOKENIZER).is_file():
        raise incomplete(what, folder, trained_by)
    language_model = build_tiny(load_tokenizer(folder / TOKENIZER), Qwen2AudioConfig(**fields), tagger)
    if _shapes(_own(language_model.model)) != _shapes(state):
        raise UserError(f"The language model in {folder} is of another shape than its config.json says.")
    language_model.model.load_state_dict(state, strict=False)
    language_model.model.requires_grad_(False)
    return language_model


def is_spatial_token(name: str) -> bool:
    """Whether a parameter of this name belongs to the spatial token: the projector, or LoRA."""
    return name.startswith(PROJECTOR) or is_lora(name)


def spatial_token_state(model: SpatialQwen2Audio) -> dict[str, Tensor]:
    return {name: value for name, value in model.state_dict().items() if is_spatial_token(name)}


def save_spatial_token(model: SpatialQwen2Audio, settings: LoraSettings, folder: Path) -> None:
    """config.json and model.safetensors of the projector and LoRA alone."""
    save_checkpoint(folder, {"lora": asdict(settings)}, spatial_token_state(model), quantise=True)


def load_spatial_token(model: SpatialQwen2Audio, folder: Path) -> LoraSettings:
    """Loads projector and LoRA into a model without LoRA, in place, adding LoRA layers if the token has any. UserError
    when a file is missing or belongs to another language model."""
    fields, state = load_checkpoint(
        folder, what="The spatial token's folder", trained_by="training.audio_qa.train", quantised=True
    )
    settings = LoraSettings(**fields["lora"])
    if settings.rank:
        add_lora(model, settings)
    if _shapes(spatial_token_state(model)) != _shapes(state):
        raise UserError(f"The spatial token in {folder} was trained for another language model.")
    model.load_state_dict(state, strict=False)
    return settings


def _own(model: SpatialQwen2Audio) -> dict[str, Tensor]:
    return {name: value for name, value in model.state_dict().items() if not name.startswith(STORED_ELSEWHERE)}


def _shapes(state: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}
