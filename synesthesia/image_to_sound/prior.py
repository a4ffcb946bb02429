"""Prior: features of an image region -> query in the sound embedding space, class probabilities, presence.

Soft assignment over visual prototypes (the 1,000 classes of the vision network's own classifier), each with learned
logits over the sound classes and silence, plus a linear correction for what prototypes can't distinguish (glass or
plastic, a beach or a lake). The query is the probability-weighted mean of class embeddings, so it interpolates between
classes. Presence, the probability that the region makes any sound, is calibrated (Platt 1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.image_to_sound.region_features import POSITION_DIM, VIEWS, RegionFeatures
from synesthesia.nn.checkpoint_file import load_checkpoint, renamed, save_checkpoint

STORED_NAMES = {  # name here -> name in prior.json and prior.safetensors
    "classes": "voices",
    "view_weights": "views",
    "log_sharpness": "sharp",
    "prototype_class_logits": "pull",
    "correction": "correct",
    "presence_head": "sounds",
    "class_embeddings": "anchors",
}


@dataclass(frozen=True)
class PriorConfig:
    feature_dim: int = 1280
    prototypes: int = 1000
    classes: int = 132  # of sounds, each with a mean embedding
    query_dim: int = 128
    sharpness: float = 8.0  # exponent of the class probabilities: a low one blurs the query into no class in particular
    threshold: float = 0.5  # the studio abstains where presence is below it


@dataclass(frozen=True)
class AudioCondition:
    """For N patches. query: (N, Q) unit vectors; class_probs: (N, classes), sum to 1; presence: (N,) in 0..1."""

    query: Tensor
    class_probs: Tensor
    presence: Tensor


class Prior(nn.Module):
    """RegionFeatures of N patches -> class logits (N, classes + 1; the last is silence) and presence logit (N,)."""

    class_embeddings: Tensor
    feature_scale: Tensor

    def __init__(self, config: PriorConfig) -> None:
        super().__init__()
        self.config = config
        self.view_weights = nn.Parameter(torch.tensor([-1.0, 0.0, 0.5, -0.5, 1.0, 0.5]))  # before softmax
        self.classify = nn.Linear(config.feature_dim, config.prototypes)  # the vision network's own, kept frozen
        self.log_sharpness = nn.Parameter(torch.tensor(0.0))  # of the prototypes' softmax
        self.prototype_class_logits = nn.Parameter(torch.zeros(config.prototypes, config.classes + 1))
        self.trust = nn.Parameter(torch.tensor(1.0))  # exponent of the prototypes' class probabilities
        self.correction = nn.Linear(2 * config.feature_dim + POSITION_DIM, config.classes + 1)
        nn.init.zeros_(self.correction.weight)
        nn.init.zeros_(self.correction.bias)
        self.presence_head = nn.Linear(config.feature_dim + 4, 1)
        nn.init.zeros_(self.presence_head.weight)
        nn.init.zeros_(self.presence_head.bias)
        self.calibration = nn.Parameter(torch.tensor([1.0, 0.0]))  # Platt: scale and offset of the presence logit
        self.register_buffer("class_embeddings", torch.zeros(config.classes, config.query_dim))
        self.register_buffer("feature_scale", torch.ones(config.feature_dim))

    @torch.no_grad()
    def initialise(self, weight: Tensor, bias: Tensor, pairs: Tensor, class_embeddings: Tensor, scale: Tensor) -> None:
        """weight (1000, D), bias (1000,): the vision network's classifier; pairs (1000, classes): how strongly a visual
        class makes a sound, zero rows are silent; class_embeddings (classes, Q); scale (D,): deviation of features."""
        self.classify.weight.copy_(weight)
        self.classify.bias.copy_(bias)
        silent = (pairs.sum(dim=1, keepdim=True) == 0).float()
        shares = torch.cat([pairs, silent], dim=1)
        self.prototype_class_logits.copy_((shares / shares.sum(dim=1, keepdim=True) + 1e-4).log())
        self.class_embeddings.copy_(class_embeddings)
        self.feature_scale.copy_(scale)

    def forward(self, region: RegionFeatures) -> tuple[Tensor, Tensor]:
        views = region.views  # (N, VIEWS, D)
        assert views.ndim == 3 and views.shape[1:] == (VIEWS, self.config.feature_dim), f"views {tuple(views.shape)}"
        feature, prototypes, probs = self._prototype_probs(views)
        logits = self._logits(probs) + self.correction(self._correction_input(feature, region))
        confidence = torch.cat([probs[:, -1:], (1 - probs[:, -1:]).clamp(min=1e-3).log(), prototypes.amax(1, True),
                                logits.softmax(dim=1)[:, -1:]], dim=1)  # fmt: skip
        presence = self.presence_head(torch.cat([feature / self.feature_scale, 4 * confidence.detach()], dim=1))[:, 0]
        return logits, self.calibration[0] * presence + self.calibration[1]

    def prototype_logits(self, region: RegionFeatures) -> tuple[Tensor, Tensor]:
        """Class logits of the prototypes alone (N, classes + 1), and the input (N, .) of the correction."""
        feature, _, probs = self._prototype_probs(region.views)
        return self._logits(probs), self._correction_input(feature, region)

    def _logits(self, probs: Tensor) -> Tensor:
        return self.trust * (probs + 1e-4).log()

    def _correction_input(self, feature: Tensor, region: RegionFeatures) -> Tensor:
        whole = region.views[:, 3]
        return torch.cat([feature / self.feature_scale, whole / self.feature_scale, region.position], dim=1)

    def _prototype_probs(self, views: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Weighted mean of the views (N, D), prototypes (N, 1000), sound classes and silence (N, classes + 1)."""
        feature = torch.einsum("v,nvd->nd", self.view_weights.softmax(dim=0), views)
        prototypes = (self.classify(feature) * self.log_sharpness.exp()).softmax(dim=1)
        return feature, prototypes, prototypes @ self.prototype_class_logits.softmax(dim=1)

    @torch.inference_mode()
    def predict(self, region: RegionFeatures) -> AudioCondition:
        logits, presence = self(region)
        probs = logits[:, :-1].softmax(dim=1)
        probs = probs.pow(self.config.sharpness)
        probs = probs / probs.sum(dim=1, keepdim=True)
        return AudioCondition(F.normalize(probs @ self.class_embeddings, dim=1), probs, presence.sigmoid())

    def save(self, folder: Path) -> None:
        """Writes prior.json and prior.safetensors (eight bits)."""
        save_checkpoint(
            folder, renamed(vars(self.config), STORED_NAMES), renamed(self.state_dict(), STORED_NAMES),
            config_file="prior.json", weights_file="prior.safetensors", quantise=True,
        )  # fmt: skip

    @staticmethod
    def load(folder: Path) -> Prior:
        """Reads what `save` wrote. UserError when a file is missing."""
        fields, tensors = load_checkpoint(
            folder, what="The mapper's folder", trained_by="training.image_to_sound.train",
            config_file="prior.json", weights_file="prior.safetensors", quantised=True,
        )  # fmt: skip
        names = {stored: name for name, stored in STORED_NAMES.items()}
        prior = Prior(PriorConfig(**renamed(fields, names)))
        prior.load_state_dict(renamed(tensors, names))
        return prior.eval()
