"""Int8 files: rounding error, and what is kept exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from synesthesia.nn.quantised import load_quantised, save_quantised


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "matrix": torch.randn(64, 300, generator=generator) * torch.logspace(-6, 4, 64)[:, None],  # rows unlike in size
        "convolution": torch.randn(8, 4, 3, 3, generator=generator),
        "empty_rows": torch.zeros(3, 5),
        "vector": torch.randn(300, generator=generator),
        "half": torch.randn(6, 6, generator=generator).to(torch.bfloat16),
        "count": torch.tensor(70_000),
        "places": torch.arange(6).view(2, 3) * 100_000,
        "flags": torch.tensor([True, False]),
    }


def test_matrices_come_back_within_half_a_step_of_their_row(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    save_quantised(state, tmp_path / "model.safetensors")
    again = load_quantised(tmp_path / "model.safetensors")
    assert again.keys() == state.keys()
    for name in ("matrix", "convolution", "half", "empty_rows"):
        assert again[name].shape == state[name].shape and again[name].dtype == torch.float32
        there, back = state[name].float().flatten(1), again[name].flatten(1)
        largest = there.abs().amax(dim=1, keepdim=True)
        assert ((there - back).abs() <= 0.501 / 127 * largest).all(), name
        assert not torch.equal(there, back) or name == "empty_rows", "eight bits do lose something"


def test_vectors_keep_eleven_bits_and_whole_numbers_all(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    save_quantised(state, tmp_path / "model.safetensors")
    again = load_quantised(tmp_path / "model.safetensors")
    assert again["vector"].dtype == torch.float32
    assert torch.allclose(again["vector"], state["vector"], rtol=2**-11, atol=1e-7)
    for name in ("count", "places", "flags"):
        assert again[name].dtype == state[name].dtype and torch.equal(again[name], state[name]), name


def test_what_was_read_back_is_written_the_same(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    save_quantised(state, tmp_path / "first.safetensors")
    first = load_quantised(tmp_path / "first.safetensors")
    save_quantised(first, tmp_path / "second.safetensors")
    for name, value in load_quantised(tmp_path / "second.safetensors").items():
        assert torch.allclose(value, first[name], rtol=1e-5, atol=1e-12), name


def test_the_file_is_a_quarter_of_the_size(tmp_path: Path) -> None:
    save_quantised({"matrix": torch.randn(512, 512)}, tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").stat().st_size < 0.26 * 4 * 512 * 512


def test_parameters_can_be_saved_as_they_are(tmp_path: Path) -> None:
    layer = torch.nn.Linear(4, 3)
    save_quantised(dict(layer.named_parameters()) | {"turned": layer.weight.T}, tmp_path / "model.safetensors")
    again = load_quantised(tmp_path / "model.safetensors")
    assert torch.allclose(again["turned"], again["weight"].T, atol=1e-2) and not again["weight"].requires_grad


def test_no_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_quantised(tmp_path / "model.safetensors")
