"""Checkpoint format: a JSON config beside a safetensors file, used by every model to save and load.

`load_checkpoint` turns a missing file into the one sentence that names the folder and the command that trains it.
Where a class and its stored files use different names, `renamed` maps them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from safetensors.torch import load_file, save_file
from torch import Tensor

from synesthesia.core.checkpoints import read_checkpoint
from synesthesia.nn.quantised import load_quantised, save_quantised

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CONFIG, WEIGHTS = "config.json", "model.safetensors"
Value = TypeVar("Value")


def save_checkpoint(
    folder: Path, config: DataclassInstance | Mapping[str, Any], tensors: dict[str, Tensor], *,
    config_file: str = CONFIG, weights_file: str = WEIGHTS, quantise: bool = False,
    indent: int | None = 1,
) -> None:  # fmt: skip
    """Writes `config` as JSON and `tensors` as safetensors, matrices as int8 with a scale a row if `quantise`.

    indent: of the JSON, None for long tables: all on one line.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fields = dict(config) if isinstance(config, Mapping) else asdict(config)
    (folder / config_file).write_text(json.dumps(fields, indent=indent) + "\n", encoding="utf-8")
    if quantise:
        save_quantised(tensors, folder / weights_file)
    else:
        stored = {name: value.detach().contiguous() for name, value in tensors.items()}
        save_file(stored, folder / weights_file, metadata={"format": "pt"})  # which transformers and diffusers ask for


def load_checkpoint(
    folder: Path, *, what: str, trained_by: str, config_file: str = CONFIG, weights_file: str = WEIGHTS,
    quantised: bool = False,
) -> tuple[dict[str, Any], dict[str, Tensor]]:  # fmt: skip
    """(config fields, state dict) as `save_checkpoint` wrote them; float32 tensors if `quantised`.

    what: begins the error's sentence ("The localizer's folder"); trained_by: the module that trains the model, ""
    where none does.
    UserError when a file is missing.
    """
    read = load_quantised if quantised else load_file
    return read_checkpoint(
        folder, read, what=what, trained_by=trained_by, config_file=config_file, weights_file=weights_file
    )


def half_precision(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Matrices and kernels as float16; vectors (biases, batch statistics) keep their type."""
    return {name: value.half() if value.ndim > 1 else value for name, value in tensors.items()}


def renamed(entries: Mapping[str, Value], names: Mapping[str, str]) -> dict[str, Value]:
    """The same entries, with the part of each key before the first dot replaced where `names` has another for it."""
    parts = ((key.partition("."), value) for key, value in entries.items())
    return {names.get(first, first) + dot + rest: value for (first, dot, rest), value in parts}
