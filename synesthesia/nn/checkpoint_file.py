"""Checkpoint format: a JSON config beside a safetensors file, the one way in which models are saved and loaded.

`load_checkpoint` turns a missing file into the one sentence that names the folder and the command that trains it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from synesthesia.core.errors import UserError
from synesthesia.nn.quantised import load_quantised, save_quantised

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def save_checkpoint(
    folder: Path, config: DataclassInstance | Mapping[str, Any], tensors: dict[str, Tensor], *,
    config_file: str = CONFIG, weights_file: str = WEIGHTS, quantise: bool = False,
) -> None:  # fmt: skip
    """Writes `config` as JSON and `tensors` as safetensors, matrices as int8 with a scale a row if `quantise`."""
    folder.mkdir(parents=True, exist_ok=True)
    fields = dict(config) if isinstance(config, Mapping) else asdict(config)
    (folder / config_file).write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")
    if quantise:
        save_quantised(tensors, folder / weights_file)
    else:
        save_file({name: value.detach().contiguous() for name, value in tensors.items()}, folder / weights_file)


def load_checkpoint(
    folder: Path, *, what: str, trained_by: str, config_file: str = CONFIG, weights_file: str = WEIGHTS,
    quantised: bool = False,
) -> tuple[dict[str, Any], dict[str, Tensor]]:  # fmt: skip
    """(config fields, state dict) as `save_checkpoint` wrote them; float32 tensors if `quantised`.

    what: begins the error's sentence ("The localizer's folder"); trained_by: a command or module.
    UserError when a file is missing.
    """
    try:
        fields = json.loads((folder / config_file).read_text(encoding="utf-8"))
        read = load_quantised if quantised else load_file
        return fields, read(folder / weights_file)
    except FileNotFoundError as error:
        raise UserError(f"{what} {folder} is incomplete; train it with {trained_by}.") from error
