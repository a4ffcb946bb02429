"""Multimodal projector (as in LLaVA, Liu et al. 2023): an MLP from the 256-dim spatial token to one LLM embedding."""

from __future__ import annotations

from torch import Tensor, nn

HIDDEN = (1024, 2048)
DROPOUT = 0.1


class SpatialProjector(nn.Module):
    """(..., token_dim) -> (..., d_llm): three linear layers, the inner ones with GELU, layer norm and dropout, and a
    layer norm at the end. `d_llm` is the language model's `config.text_config.hidden_size`."""

    def __init__(self, token_dim: int, d_llm: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((token_dim, *HIDDEN[:-1]), HIDDEN, strict=True):
            layers += [nn.Linear(inputs, outputs), nn.GELU(), nn.LayerNorm(outputs), nn.Dropout(DROPOUT)]
        self.layers = nn.Sequential(*layers, nn.Linear(HIDDEN[-1], d_llm), nn.LayerNorm(d_llm))

    def forward(self, token: Tensor) -> Tensor:
        projected: Tensor = self.layers(token)
        return projected
