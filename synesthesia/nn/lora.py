"""What training adds to a frozen audio language model, and nothing else: the projector, and LoRA if there is any.

LoRA (Hu et al. 2021) sits on the queries and values of the language model's attention, never on the audio tower.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor, nn

from synesthesia.audio_qa.spatial_qwen2_audio import SpatialQwen2Audio
from synesthesia.core.errors import UserError
from synesthesia.nn.quantised import load_quantised, save_quantised

LORA_TARGETS = r".*language_model.*\.(q_proj|v_proj)"
FILES = ("config.json", "model.safetensors")


@dataclass(frozen=True)
class LoraSettings:
    rank: int = 16  # 0: no LoRA
    alpha: int = 32
    dropout: float = 0.05


def add_lora(model: nn.Module, settings: LoraSettings) -> None:
    """Lays LoRA over the language model's query and value projections, in place."""
    from peft import LoraConfig, inject_adapter_in_model  # a second to import

    config = LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, lora_dropout=settings.dropout, target_modules=LORA_TARGETS
    )
    inject_adapter_in_model(config, model)
    model.train(model.training)  # new layers come in training mode, with their dropout on


def is_trained(name: str) -> bool:
    """Whether a parameter of this name is one that training changes."""
    return name.startswith("spatial_projector.") or ".lora_" in name


def trained_state(model: SpatialQwen2Audio) -> dict[str, Tensor]:
    return {name: value for name, value in model.state_dict().items() if is_trained(name)}


def save_trained(model: SpatialQwen2Audio, settings: LoraSettings, folder: Path) -> None:
    """config.json and model.safetensors (eight bits) of the trained parts alone."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILES[0]).write_text(json.dumps({"lora": asdict(settings)}, indent=1) + "\n", encoding="utf-8")
    save_quantised(trained_state(model), folder / FILES[1])


def load_trained(model: SpatialQwen2Audio, folder: Path) -> LoraSettings:
    """Puts what `save_trained` wrote into a model as it was before, adding LoRA when there was some. UserError when a
    file is missing or belongs to another model."""
    try:
        settings = LoraSettings(**json.loads((folder / FILES[0]).read_text(encoding="utf-8"))["lora"])
        state = load_quantised(folder / FILES[1])
    except FileNotFoundError as error:
        raise UserError(
            f"The spatial token's folder {folder} is incomplete; train it with training.audio_qa.train."
        ) from error
    if settings.rank:
        add_lora(model, settings)
    wanted = {name: value.shape for name, value in trained_state(model).items()}
    if wanted != {name: value.shape for name, value in state.items()}:
        raise UserError(f"The spatial token in {folder} was trained for another language model.")
    model.load_state_dict(state, strict=False)
    return settings
