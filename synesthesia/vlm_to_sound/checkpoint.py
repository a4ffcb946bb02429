"""What training adds to a frozen thinker to make it speak: the audio head, and LoRA on the thinker's queries, values.

config.json and model.safetensors (eight bits): the head's tensors, LoRA's under "lora.", and under "words." the table
of the new words when the thinker is one from the hub, whose own files know nothing of them.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from torch import Tensor, nn

from synesthesia.core.errors import UserError
from synesthesia.nn.lora import LoraSettings, is_lora, lora_shapes, merge_lora
from synesthesia.nn.quantised import load_quantised, save_quantised
from synesthesia.vlm_to_sound.audio_head import AudioHead, AudioHeadConfig
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from synesthesia.vlm_to_sound.thinker import Thinker

CONFIG, WEIGHTS = "config.json", "model.safetensors"
LORA, WORDS = "lora.model.", "words."


def save_audio_head(
    decoder: AudioHead, thinker: Thinker, settings: LoraSettings, folder: Path, *, words: bool = False
) -> None:
    """thinker: with its LoRA still laid over it, see `add_lora`; words: also the table of the new words."""
    folder.mkdir(parents=True, exist_ok=True)
    fields = {"decoder": asdict(decoder.config), "lora": asdict(settings)}
    (folder / CONFIG).write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")
    lora = {LORA + name: value for name, value in thinker.model.state_dict().items() if is_lora(name)}
    table = {WORDS + name: value for name, value in thinker.words.state_dict().items()} if words else {}
    save_quantised(decoder.state_dict() | lora | table, folder / WEIGHTS)


def load_audio_head(folder: Path, thinker: Thinker, tokens: MelTokens, *, words: bool = False) -> AudioHead:
    """The audio head; the thinker is changed in place: LoRA is merged into its weights, so that it thinks as fast as
    without. UserError when a file is missing or was made for another thinker or other tokens."""
    try:
        fields = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        state = load_quantised(folder / WEIGHTS)
    except FileNotFoundError as error:
        raise UserError(
            f"The audio head's folder {folder} is incomplete; train it with training.vlm_to_sound.train."
        ) from error
    config = AudioHeadConfig(**fields["decoder"] | {"tokens": MelTokenConfig(**fields["decoder"]["tokens"])})
    if config.thought != thinker.width:
        raise UserError(
            f"The audio head in {folder} was trained for thoughts of {config.thought} numbers, "
            f"but this thinker's have {thinker.width}."
        )
    if config.tokens != tokens.config:
        raise UserError(
            f"The audio head in {folder} writes {config.tokens.codebooks} x {config.tokens.codes} codes, "
            f"but the sound tokens have {tokens.config.codebooks} x {tokens.config.codes}, or cells of another size."
        )
    lora, table = _taken(state, LORA), _taken(state, WORDS)
    head = AudioHead(config, tokens)
    if _shapes(head.state_dict()) != _shapes(state):
        raise UserError(f"The audio head in {folder} is of another shape than its config.json says.")
    wanted = lora_shapes(thinker.model, LoraSettings(**fields["lora"]))
    if _shapes(lora) != wanted or _shapes(table) != (_shapes(thinker.words.state_dict()) if words else {}):
        raise UserError(f"The audio head in {folder} was trained for another thinker.")
    head.load_state_dict(state)
    thinker.words.load_state_dict(table or thinker.words.state_dict())
    merge_lora(thinker.model, lora, LoraSettings(**fields["lora"]))
    _laid_out(head)
    return head.eval().requires_grad_(False)


def _taken(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Everything under a prefix, out of `state`."""
    names = [name for name in state if name.startswith(prefix)]
    return {name.removeprefix(prefix): state.pop(name) for name in names}


def _shapes(state: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}


def _laid_out(head: AudioHead) -> None:
    """Matrices column by column in memory: the order in which a few rows times a matrix go fastest on a CPU."""
    for module in head.modules():
        if isinstance(module, nn.Linear):
            module.weight.data = module.weight.data.t().contiguous().t()
