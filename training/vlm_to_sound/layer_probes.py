"""What each layer of the thinker knows of a click: a linear reader of <think_sound>, taught on training clicks.

The ablation over layers of the language path: row `layers` of `evaluate_hear` asks the readers about held-out clicks.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from synesthesia.vlm_to_sound.thinker import ImageInput, Thinker
from training.vlm_to_sound.clicked_sounds import click
from training.vlm_to_sound.pictures import SeenStore

TAUGHT = 3_000  # clicks
AT_ONCE = 24


def states_of_all(thinker: Thinker, seen: list[ImageInput], boxes: Tensor) -> Tensor:
    """(layers + 1, B, D): <think_sound> as it enters the first layer, and as it leaves each; the last normalised."""
    kept: list[Tensor] = []
    layers = thinker.model.language_model.layers

    def enter(module: nn.Module, given: tuple[Tensor, ...], named: dict[str, Tensor]) -> None:
        kept.append((given[0] if given else named["hidden_states"])[:, -1].float())

    hooks = [layer.register_forward_pre_hook(enter, with_kwargs=True) for layer in layers]
    try:
        with torch.inference_mode():
            last = thinker(seen, boxes).states[:, -1].float()
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack([*kept, last])


def taught_readers(thinker: Thinker, store: SeenStore, count: int, seed: int) -> list[nn.Linear]:
    """One linear reader a layer, of standardised states, after the scores of all voices."""
    rng, states, wanted = np.random.default_rng(seed), [], []
    for _ in range(0, count, AT_ONCE):
        clicks = click(store, AT_ONCE, rng)
        states.append(states_of_all(thinker, [sight.seen for sight in clicks.sights], clicks.boxes))
        wanted.append(clicks.wanted)
    every, shares = torch.cat(states, dim=1), torch.cat(wanted)
    return [_taught(layer, shares, seed) for layer in every]


def _taught(states: Tensor, shares: Tensor, seed: int, steps: int = 400) -> nn.Linear:
    """Cross-entropy with weight decay; the standardisation is folded into the layer."""
    torch.manual_seed(seed)
    mean, spread = states.mean(dim=0), states.std(dim=0).clamp(min=1e-6)
    plain = (states - mean) / spread
    reader = nn.Linear(states.shape[1], shares.shape[1])
    optimiser = torch.optim.AdamW(reader.parameters(), lr=1e-2, weight_decay=0.3)
    for _ in range(steps):
        loss = -(shares * reader(plain).log_softmax(dim=1)).sum(dim=1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        reader.bias -= (reader.weight * (mean / spread)).sum(dim=1)
        reader.weight /= spread
    return reader.requires_grad_(False)
