"""Prior: features of an image region -> query in the sound embedding space, class probabilities, presence.

Two experts are multiplied (Hinton 2002): what the ImageNet classes of the vision network's own classifier sound like by
a table of pairs, for each view of the region, and a multinomial regression on principal components of the same views,
fitted to labelled places. The first knows a thousand things of which the training pictures show few; the second knows
what the first can't name (rain, a crowd, glass or plastic). The query is the probability-weighted mean of class
embeddings, so it interpolates between classes. Presence, the probability that the region makes any sound, is a logistic
regression on the same components, calibrated (Platt 1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.image_to_sound.region_features import VIEWS, RegionFeatures
from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint

CONFIDENCES = 3  # inputs of presence beside the components
COMPONENT_STD = 0.3
FLOOR = 1e-3  # added to the probabilities that prototypes give, so that none is impossible
UNNAMED = 0.02  # the same for sounds that no visual class makes directly (rain, a crowd): no verdict on these


@dataclass(frozen=True)
class PriorConfig:
    """prototypes: classes of the vision network's classifier, 0: it has none; components: principal ones of a view;
    regression_weight, prototype_weight: exponents of the experts, the latter of each view; sharpness: exponent of the
    class probabilities: a low one blurs the query into no class in particular; threshold: the studio abstains where
    presence is below it."""

    feature_dim: int = 1280
    prototypes: int = 1000
    classes: int = 243
    query_dim: int = 128
    components: int = 192
    regression_weight: float = 0.7
    prototype_weight: float = 0.27
    sharpness: float = 12.0
    threshold: float = 0.5


@dataclass(frozen=True)
class AudioCondition:
    """For N patches. query: (N, Q) unit vectors; class_probs: (N, classes), sum to 1; presence: (N,) in 0..1."""

    query: Tensor
    class_probs: Tensor
    presence: Tensor


class Prior(nn.Module):
    """RegionFeatures of N patches -> class logits (N, classes + 1; the last is silence) and presence logit (N,)."""

    class_embeddings: Tensor
    centre: Tensor
    basis: Tensor
    prototype_classes: Tensor
    prototype_floor: Tensor

    def __init__(self, config: PriorConfig) -> None:
        super().__init__()
        self.config = config
        outputs, inputs = config.classes + 1, VIEWS * config.components
        self.register_buffer("centre", torch.zeros(VIEWS, config.feature_dim))
        self.register_buffer("basis", torch.zeros(VIEWS, config.components, config.feature_dim))
        self.regression = nn.Linear(inputs, outputs)
        self.presence_head = nn.Linear(inputs + CONFIDENCES, 1)
        for layer in (self.regression, self.presence_head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.calibration = nn.Parameter(torch.tensor([1.0, 0.0]))  # Platt: scale and offset of the presence logit
        self.register_buffer("class_embeddings", torch.zeros(config.classes, config.query_dim))
        if config.prototypes:
            self.classify = nn.Linear(config.feature_dim, config.prototypes).requires_grad_(False)
            self.register_buffer("prototype_classes", torch.zeros(config.prototypes, outputs))
            self.register_buffer("prototype_floor", torch.full((outputs,), FLOOR))

    @torch.no_grad()
    def set_prototypes(self, classifier: nn.Linear, pairs: Tensor) -> None:
        """classifier: of the vision network; pairs (prototypes, classes): how strongly a visual class makes a sound,
        zero rows are silent."""
        self.classify.load_state_dict(classifier.state_dict())
        silent = (pairs.sum(dim=1, keepdim=True) == 0).float()
        shares = torch.cat([pairs, silent], dim=1)
        self.prototype_classes.copy_(shares / shares.sum(dim=1, keepdim=True))
        self.prototype_floor[:-1] = torch.where(pairs.amax(dim=0) >= 1, FLOOR, UNNAMED)

    @torch.no_grad()
    def set_components(self, views: Tensor) -> None:
        """views: (N, VIEWS, D) of training places. Principal components of each view, of equal deviation."""
        self.centre.copy_(views.mean(dim=0))
        for number in range(VIEWS):
            centred = views[:, number] - self.centre[number]
            values, vectors = torch.linalg.eigh(centred.T @ centred / len(views))
            values, vectors = values[-self.config.components :], vectors[:, -self.config.components :]
            self.basis[number].copy_((vectors * (COMPONENT_STD / values.clamp(min=1e-4).sqrt())).T)

    def components(self, region: RegionFeatures) -> Tensor:
        """(N, VIEWS * components)."""
        assert region.views.shape[1:] == self.centre.shape, f"views {tuple(region.views.shape)}"
        return torch.einsum("nvd,vkd->nvk", region.views - self.centre, self.basis).flatten(1)

    def prototype_logits(self, region: RegionFeatures) -> Tensor:
        """(N, VIEWS, classes + 1): log-probabilities that the vision network's own classes give."""
        probs = self.classify(region.views).softmax(dim=2) @ self.prototype_classes
        return (probs + self.prototype_floor).log()

    def forward(self, region: RegionFeatures) -> tuple[Tensor, Tensor]:
        components = self.components(region)
        regression = self.regression(components).log_softmax(dim=1)
        named = self.prototype_logits(region) if self.config.prototypes else None
        raw = self.presence_head(self.presence_inputs(components, regression, named))[:, 0]
        return self.blend(regression, named), self.calibration[0] * raw + self.calibration[1]

    def blend(self, regression: Tensor, named: Tensor | None) -> Tensor:
        """Class logits (N, classes + 1) of both experts' log-probabilities."""
        if named is None:
            return regression
        return self.config.regression_weight * regression + self.config.prototype_weight * named.sum(dim=1)

    @staticmethod
    def presence_inputs(components: Tensor, regression: Tensor, named: Tensor | None) -> Tensor:
        """(N, VIEWS * components + 3): with the log-odds of silence, the prototypes' log-probability of it, and how
        sure the likeliest class is."""
        probs = regression.exp()
        odds = probs[:, -1:].clamp(1e-4, 1 - 1e-4).logit()
        by_name = torch.zeros_like(odds) if named is None else named[:, :, -1].logsumexp(dim=1, keepdim=True)
        likeliest = regression[:, :-1].softmax(dim=1).amax(dim=1, keepdim=True)
        return torch.cat([components, odds, by_name, likeliest], dim=1)

    @torch.inference_mode()
    def predict(self, region: RegionFeatures) -> AudioCondition:
        logits, presence = self(region)
        probs = logits[:, :-1].softmax(dim=1)
        probs = probs.pow(self.config.sharpness)
        probs = probs / probs.sum(dim=1, keepdim=True)
        return AudioCondition(F.normalize(probs @ self.class_embeddings, dim=1), probs, presence.sigmoid())

    def save(self, folder: Path) -> None:
        """Writes prior.json and prior.safetensors (eight bits)."""
        save_checkpoint(folder, self.config, self.state_dict(), config_file="prior.json",
                        weights_file="prior.safetensors", quantise=True)  # fmt: skip

    @staticmethod
    def load(folder: Path) -> Prior:
        """Reads what `save` wrote. UserError when a file is missing."""
        fields, tensors = load_checkpoint(
            folder, what="The mapper's folder", trained_by="training.image_to_sound.train",
            config_file="prior.json", weights_file="prior.safetensors", quantised=True,
        )  # fmt: skip
        prior = Prior(PriorConfig(**fields))
        prior.load_state_dict(tensors)
        return prior.eval()
