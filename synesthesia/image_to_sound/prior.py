"""From a place in a picture to a place among sounds: soft assignment over visual prototypes, and how surely it sounds.

A thousand prototypes carry what the vision network's teacher knew; each of them pulls towards the sounds that its kind
of thing makes, or towards silence. What they cannot tell (glass or plastic, a beach or a lake) a linear correction
learns from the training pictures. The answer is a point in the space of sounds, a mixture, not a word: between a dog
and a wolf lies a howl. Presence is a calibrated probability that this place sounds at all.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.core.errors import UserError
from synesthesia.image_to_sound.region_features import PLACE, VIEWS, PatchContext
from synesthesia.nn.quantised import load_quantised, save_quantised


@dataclass(frozen=True)
class PriorConfig:
    feature_dim: int = 1280
    prototypes: int = 1000
    voices: int = 132  # kinds of sound, each a mean point in the space of sounds
    query_dim: int = 128
    sharpness: float = 8.0  # of the mixture of voices: low blurs it into sounds of nothing in particular
    threshold: float = 0.5  # presence below it: the studio abstains


@dataclass(frozen=True)
class AudioCondition:
    """For N patches. query: (N, Q) unit vectors; voices: (N, voices) shares that sum to 1; presence: (N,) in 0..1."""

    query: Tensor
    voices: Tensor
    presence: Tensor


class Prior(nn.Module):
    """PatchContext of N patches -> voice logits (N, voices + 1; the last is silence) and presence logit (N,)."""

    anchors: Tensor
    feature_scale: Tensor

    def __init__(self, config: PriorConfig) -> None:
        super().__init__()
        self.config = config
        self.views = nn.Parameter(torch.tensor([-1.0, 0.0, 0.5, -0.5, 1.0, 0.5]))  # weights before softmax
        self.classify = nn.Linear(config.feature_dim, config.prototypes)  # the vision network's own, kept as it is
        self.sharp = nn.Parameter(torch.tensor(0.0))  # log of a factor on the prototypes' logits
        self.pull = nn.Parameter(torch.zeros(config.prototypes, config.voices + 1))  # log-shares, see `start`
        self.trust = nn.Parameter(torch.tensor(1.0))
        self.correct = nn.Linear(2 * config.feature_dim + PLACE, config.voices + 1)
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)
        self.sounds = nn.Linear(config.feature_dim + 4, 1)
        nn.init.zeros_(self.sounds.weight)
        nn.init.zeros_(self.sounds.bias)
        self.calibration = nn.Parameter(torch.tensor([1.0, 0.0]))  # Platt: scale and offset of the presence logit
        self.register_buffer("anchors", torch.zeros(config.voices, config.query_dim))
        self.register_buffer("feature_scale", torch.ones(config.feature_dim))

    @torch.no_grad()
    def start(self, weight: Tensor, bias: Tensor, pairs: Tensor, anchors: Tensor, scale: Tensor) -> None:
        """weight (1000, D), bias (1000,): the vision network's classifier; pairs (1000, voices): how strongly a class
        sounds as a voice, zero rows are silent; anchors (voices, Q); scale (D,): the features' deviations."""
        self.classify.weight.copy_(weight)
        self.classify.bias.copy_(bias)
        silent = (pairs.sum(dim=1, keepdim=True) == 0).float()
        shares = torch.cat([pairs, silent], dim=1)
        self.pull.copy_((shares / shares.sum(dim=1, keepdim=True) + 1e-4).log())
        self.anchors.copy_(anchors)
        self.feature_scale.copy_(scale)

    def forward(self, context: PatchContext) -> tuple[Tensor, Tensor]:
        views = context.views  # (N, VIEWS, D)
        assert views.ndim == 3 and views.shape[1:] == (VIEWS, self.config.feature_dim), f"views {tuple(views.shape)}"
        seen, kinds, shares = self._seen(views)
        logits = self._logits(shares) + self.correct(self._scaled(seen, context))
        sure = torch.cat([shares[:, -1:], (1 - shares[:, -1:]).clamp(min=1e-3).log(), kinds.amax(1, True),
                          logits.softmax(dim=1)[:, -1:]], dim=1)  # fmt: skip
        presence = self.sounds(torch.cat([seen / self.feature_scale, 4 * sure.detach()], dim=1))[:, 0]
        return logits, self.calibration[0] * presence + self.calibration[1]

    def said(self, context: PatchContext) -> tuple[Tensor, Tensor]:
        """What the prototypes alone say (N, voices + 1), as logits, and the features (N, .) that the correction
        reads."""
        seen, _, shares = self._seen(context.views)
        return self._logits(shares), self._scaled(seen, context)

    def _logits(self, shares: Tensor) -> Tensor:
        return self.trust * (shares + 1e-4).log()

    def _scaled(self, seen: Tensor, context: PatchContext) -> Tensor:
        whole = context.views[:, 3]
        return torch.cat([seen / self.feature_scale, whole / self.feature_scale, context.place], dim=1)

    def _seen(self, views: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The views weighed together (N, D), prototypes (N, 1000), shares of voices and silence (N, voices + 1)."""
        seen = torch.einsum("v,nvd->nd", self.views.softmax(dim=0), views)
        kinds = (self.classify(seen) * self.sharp.exp()).softmax(dim=1)
        return seen, kinds, kinds @ self.pull.softmax(dim=1)

    @torch.inference_mode()
    def wish(self, context: PatchContext) -> AudioCondition:
        logits, presence = self(context)
        voices = logits[:, :-1].softmax(dim=1)
        voices = voices.pow(self.config.sharpness)
        voices = voices / voices.sum(dim=1, keepdim=True)
        return AudioCondition(F.normalize(voices @ self.anchors, dim=1), voices, presence.sigmoid())

    def save(self, folder: Path, name: str = "prior") -> None:
        """Writes <name>.json and <name>.safetensors (eight bits)."""
        folder.mkdir(parents=True, exist_ok=True)
        save_quantised(self.state_dict(), folder / f"{name}.safetensors")
        (folder / f"{name}.json").write_text(json.dumps(asdict(self.config), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(folder: Path, name: str = "prior") -> Prior:
        """Reads what `save` wrote. UserError when a file is missing."""
        try:
            config = PriorConfig(**json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
            tensors = load_quantised(folder / f"{name}.safetensors")
        except FileNotFoundError as error:
            raise UserError(
                f"The mapper's folder {folder} is incomplete; train it with training.image_to_sound.train."
            ) from error
        prior = Prior(config)
        prior.load_state_dict(tensors)
        return prior.eval()
