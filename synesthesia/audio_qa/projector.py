"""SpatialProjector: the 256 numbers of the spatial token -> one embedding of the language model."""

from __future__ import annotations

from torch import Tensor, nn

HIDDEN = (1024, 2048)
DROPOUT = 0.1


class SpatialProjector(nn.Module):
    """(..., token) -> (..., d_llm): three linear layers, the inner ones with GELU, layer norm and dropout, and a layer
    norm at the end. `d_llm` is read from the language model's `config.text_config.hidden_size`."""

    def __init__(self, token: int, d_llm: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((token, *HIDDEN[:-1]), HIDDEN, strict=True):
            layers += [nn.Linear(inputs, outputs), nn.GELU(), nn.LayerNorm(outputs), nn.Dropout(DROPOUT)]
        self.layers = nn.Sequential(*layers, nn.Linear(HIDDEN[-1], d_llm), nn.LayerNorm(d_llm))

    def forward(self, token: Tensor) -> Tensor:
        projected: Tensor = self.layers(token)
        return projected
