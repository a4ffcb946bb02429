"""Checkpoint files: round trips in every precision, stored names, and the sentence for an incomplete folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from synesthesia.core.errors import UserError
from synesthesia.nn.checkpoint_file import half_precision, load_checkpoint, renamed, save_checkpoint


@dataclass(frozen=True)
class Shape:
    width: int = 3


TENSORS = {"matrix": torch.tensor([[1.0, -2.0], [100.0, 127.0]]), "vector": torch.tensor([1.0, 1e-4])}


@pytest.mark.parametrize("quantised", [False, True])
def test_config_and_tensors_come_back(tmp_path: Path, quantised: bool) -> None:
    save_checkpoint(tmp_path / "model", Shape(), TENSORS, quantise=quantised)
    fields, tensors = load_checkpoint(tmp_path / "model", what="The folder", trained_by="x", quantised=quantised)
    assert Shape(**fields) == Shape() and tensors.keys() == TENSORS.keys()
    assert all(torch.allclose(tensors[name], TENSORS[name], rtol=1e-2) for name in TENSORS)
    assert quantised or all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


@pytest.mark.parametrize("name", ["shape.json", "shape.safetensors"])
def test_a_missing_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    files = {"config_file": "shape.json", "weights_file": "shape.safetensors"}
    save_checkpoint(tmp_path, {"width": 3}, TENSORS, **files)
    (tmp_path / name).unlink()
    with pytest.raises(
        UserError, match=r"^The folder .* is incomplete; train it with python -m training\.shape\.train\.$"
    ):
        load_checkpoint(tmp_path, what="The folder", trained_by="training.shape.train", **files)


def test_names_are_mapped_before_the_first_dot_and_back() -> None:
    names = {"head": "presence_head", "pull": "logits"}
    stored = {"head.weight": 1, "head.bias": 2, "pull": 3, "body.head": 4}
    here = renamed(stored, names)
    assert here == {"presence_head.weight": 1, "presence_head.bias": 2, "logits": 3, "body.head": 4}
    assert renamed(here, {new: old for old, new in names.items()}) == stored


def test_only_matrices_are_halved() -> None:
    assert {name: value.dtype for name, value in half_precision(TENSORS).items()} == {
        "matrix": torch.float16, "vector": torch.float32,
    }  # fmt: skip
