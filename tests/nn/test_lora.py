"""LoRA on a small stand-in for a language model: where it sits, that it starts as a no-op, that merging is exact."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from synesthesia.nn.lora import LoraSettings, add_lora, is_lora, lora_shapes, merge_lora

SETTINGS = LoraSettings(rank=3, alpha=6)
TARGETS = ("language_model.layers.0.q_proj", "language_model.layers.0.v_proj")


class Tower(nn.Module):
    """Projections of the same names as the language model's."""

    def __init__(self) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(8, 8, bias=False) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.q_proj(x) * self.k_proj(x) + self.v_proj(x)
        return out


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.audio_tower = Tower()
        self.language_model = nn.ModuleDict({"layers": nn.ModuleList([Tower()])})

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.language_model["layers"][0](self.audio_tower(x))
        return out


def model() -> Model:
    torch.manual_seed(0)
    return Model().eval()


def trained() -> tuple[Model, dict[str, Tensor]]:
    """A model with LoRA that does something, and LoRA's tensors."""
    made = model()
    add_lora(made, SETTINGS)
    lora = {name: value for name, value in made.state_dict().items() if is_lora(name)}
    with torch.no_grad():
        for value in lora.values():
            value.normal_()
    return made, lora


@torch.no_grad()
def test_lora_starts_as_a_no_op_in_the_models_own_mode() -> None:
    x, plain, with_lora = torch.randn(5, 8), model(), model()
    add_lora(with_lora, SETTINGS)
    assert not any(module.training for module in with_lora.modules())
    assert torch.equal(plain(x), with_lora(x))


def test_shapes_are_those_of_the_injected_layers() -> None:
    _, lora = trained()
    assert {name: tuple(value.shape) for name, value in lora.items()} == lora_shapes(model(), SETTINGS)
    assert {name.partition(".lora_")[0] for name in lora} == set(TARGETS)
    assert lora_shapes(model(), LoraSettings(rank=0)) == {}


@torch.no_grad()
def test_merged_weights_compute_the_same() -> None:
    with_lora, lora = trained()
    merged, x = model(), torch.randn(5, 8)
    before = {name: value.clone() for name, value in merged.state_dict().items()}
    merge_lora(merged, lora, SETTINGS)
    changed = {name for name, value in merged.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {f"{name}.weight" for name in TARGETS}
    assert torch.allclose(merged(x), with_lora(x), atol=1e-4)
    assert merged(x).numpy() != pytest.approx(model()(x).numpy(), abs=1e-2)
