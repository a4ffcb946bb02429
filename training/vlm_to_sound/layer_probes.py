"""Linear probes of each layer of the thinker at <think_sound> (Alain and Bengio 2016).

The ablation over layers: row `layers` of `evaluate_hear` scores the probes on held-out clicks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from synesthesia.vlm_to_sound.thinker import ImageInput, Thinker
from training.vlm_to_sound.clicked_sounds import sample_clicks
from training.vlm_to_sound.image_dataset import ImageStore

PROBE_CLICKS = 3_000
BATCH = 24


def layer_states(thinker: Thinker, images: Sequence[ImageInput], boxes: Tensor) -> Tensor:
    """(layers + 1, B, D): <think_sound> before the first layer and after each; the last one normalised."""
    states: list[Tensor] = []
    layers = thinker.model.language_model.layers

    def keep_input(module: nn.Module, args: tuple[Tensor, ...], kwargs: dict[str, Tensor]) -> None:
        states.append((args[0] if args else kwargs["hidden_states"])[:, -1].float())

    hooks = [layer.register_forward_pre_hook(keep_input, with_kwargs=True) for layer in layers]
    try:
        with torch.inference_mode():
            last = thinker(images, boxes).states[:, -1].float()
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack([*states, last])


def fit_probes(thinker: Thinker, store: ImageStore, count: int, seed: int) -> list[nn.Linear]:
    """One linear probe per layer -> logits of all classes."""
    rng, states, targets = np.random.default_rng(seed), [], []
    for _ in range(0, count, BATCH):
        clicks = sample_clicks(store, BATCH, rng)
        states.append(layer_states(thinker, [image.tower_input for image in clicks.images], clicks.boxes))
        targets.append(clicks.targets)
    return [fit_probe(layer, torch.cat(targets), seed) for layer in torch.cat(states, dim=1)]


def fit_probe(states: Tensor, targets: Tensor, seed: int, steps: int = 400) -> nn.Linear:
    """Multinomial logistic regression with weight decay on standardised states; the standardisation is folded into
    the layer."""
    torch.manual_seed(seed)
    mean, std = states.mean(dim=0), states.std(dim=0).clamp(min=1e-6)
    standardised = (states - mean) / std
    probe = nn.Linear(states.shape[1], targets.shape[1])
    optimiser = torch.optim.AdamW(probe.parameters(), lr=1e-2, weight_decay=0.3)
    for _ in range(steps):
        loss = -(targets * probe(standardised).log_softmax(dim=1)).sum(dim=1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        probe.bias -= (probe.weight * (mean / std)).sum(dim=1)
        probe.weight /= std
    return probe.requires_grad_(False)
