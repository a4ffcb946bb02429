"""From frozen features to a distribution over physics states, one for every patch of a photograph.

A patch, the windows around it, and what a few convolutions find in early layers' maps of it (a texture lives there;
late layers have traded it for kinds of things) enter as one token; a small transformer lets patches of one thing speak
to one another, which is how an extent can be known at all (Vaswani et al. 2017, pre-norm).
Two readings leave it: a vector for the material codebook, and binned quantities of shape, size and place, those that
depend on the shape for each shape apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.impact.binned_variable import BinnedVariable
from synesthesia.impact.material_codebook import MaterialCodebook
from synesthesia.impact.modal.things import MAX_SIZE_M, MIN_SIZE_M, SHAPES

SIZE = BinnedVariable(MIN_SIZE_M, MAX_SIZE_M, 28)
MIDDLE = BinnedVariable(0.03, 1.0, 14)
LEAST = BinnedVariable(0.002, 1.0, 20)
THICKNESS = BinnedVariable(0.0003, 0.8, 22)
ALONG = BinnedVariable(0.0, 1.0, 12, logarithmic=False)
BY_SHAPE = (SIZE, MIDDLE, LEAST, THICKNESS)  # have their own distribution for each shape
DOUBTED = ("codes", "shapes", "extents")  # have a temperature each
MISSING = 0.3  # share of the features that a training step does without
TOWER = (64, 112, 128)  # channels that are found at each resolution
DEEPER = (1, 0, 3)  # residual blocks on them
TURNS = 6  # pairs of sines and cosines that tell a place


@dataclass(frozen=True)
class PhysicsNetConfig:
    """feature_dim: of the frozen features; early: channels of the early layers' maps, finest first, each of half the
    resolution of the one before; width, layers, heads: of the transformer; codes, code_dim: of
    the material codebook."""

    feature_dim: int = 1280
    early: tuple[int, ...] = (24, 32, 96)
    width: int = 128
    layers: int = 3
    heads: int = 4
    codes: int = 96
    code_dim: int = 24
    threshold: float = 0.2  # of being something to strike, below which the studio abstains


@dataclass(frozen=True)
class BackboneFeatures:
    """What the eyes saw of B photographs of N patches each. features (B, N, D); closer (B, N, 2, D); early: maps
    (B, C, h, w), see PatchGrid; place (B, N, 2): across and down from the middle, in short sides of the photograph.

    Where mixing (N, 2, V) is given, closer is (B, V, D), what V windows show, and mixing says how much of each a patch
    takes: the same at less work."""

    features: Tensor
    closer: Tensor
    early: tuple[Tensor, ...]
    place: Tensor
    mixing: Tensor | None = None


@dataclass(frozen=True)
class PhysicsPosterior:
    """Logarithms of shares, (..., N, .) each. codes: (K); solid: (2) nothing, something; shape: (S); by_shape: for each
    of BY_SHAPE (S, bins); along, across: (bins)."""

    codes: Tensor
    solid: Tensor
    shape: Tensor
    by_shape: tuple[Tensor, ...]
    along: Tensor
    across: Tensor

    def patch(self, number: int) -> PhysicsPosterior:
        """Of (N, .) one, (1, .)."""
        return self.rows(torch.tensor([number]))

    def rows(self, at: Tensor) -> PhysicsPosterior:
        """Chosen patches: of (B, N, .) those under a mask (B, N), of (N, .) those numbered."""
        return PhysicsPosterior(
            self.codes[at], self.solid[at], self.shape[at], tuple(part[at] for part in self.by_shape), self.along[at],
            self.across[at],
        )  # fmt: skip


class Residual(nn.Module):
    """(B, C, h, w) -> the same, with what a 3 x 3 neighbourhood adds (He et al. 2016, pre-activation)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.around = nn.Conv2d(channels, channels, 3, 1, 1)
        self.mixed = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mixed(F.gelu(self.around(self.norm(x))))


class TextureTower(nn.Module):
    """Maps of early layers, finest first -> (B, rows * cols, W): each is joined to what was found in the finer ones."""

    def __init__(self, channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.steps, self.norms, self.deeper, found = nn.ModuleList(), nn.ModuleList(), nn.ModuleList(), 0
        for level, own in enumerate(channels):
            last = level == len(channels) - 1
            out = TOWER[-1] if last else TOWER[level]
            self.steps.append(nn.Conv2d(found + own, out, 1 if last else 3, 1 if last else 2, 0 if last else 1))
            self.norms.append(nn.GroupNorm(8, out))
            self.deeper.append(nn.Sequential(*(Residual(out) for _ in range(DEEPER[-1] if last else DEEPER[level]))))
            found = out
        self.out = nn.Linear(found, width, bias=False)
        for level, own in enumerate(channels):
            self.register_buffer(f"scale{level}", torch.ones(own, 1, 1))

    def forward(self, early: tuple[Tensor, ...]) -> Tensor:
        found: Tensor | None = None
        for level, (step, norm, deeper) in enumerate(zip(self.steps, self.norms, self.deeper, strict=True)):
            own = early[level] / self.get_buffer(f"scale{level}").to(early[level].dtype)
            found = F.gelu(norm(step(own if found is None else torch.cat([found, own.to(found.dtype)], dim=1))))
            found = deeper(found)
        assert found is not None
        return self.out(found.flatten(2).transpose(1, 2))


class PhysicsNet(nn.Module):
    """doubts: (3,) temperatures of DOUBTED, fitted after training; training itself knows none."""

    feature_scale: Tensor
    doubts: Tensor

    def __init__(self, config: PhysicsNetConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.patch = nn.Linear(config.feature_dim, width)
        self.wide = nn.Linear(config.feature_dim, width, bias=False)
        self.close = nn.Linear(config.feature_dim, width, bias=False)
        self.tower = TextureTower(tuple(config.early), width)
        self.place = nn.Linear(4 * TURNS, width, bias=False)
        layer = nn.TransformerEncoderLayer(
            width, config.heads, 3 * width // 2, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, config.layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.material = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, config.code_dim))
        self.codebook = MaterialCodebook(config.codes, config.code_dim)
        self.parts = [2, len(SHAPES), *(len(SHAPES) * scale.bins for scale in BY_SHAPE), ALONG.bins, ALONG.bins]
        self.geometry = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, sum(self.parts)))
        self.register_buffer("feature_scale", torch.ones(config.feature_dim))
        self.register_buffer("doubts", torch.ones(len(DOUBTED)))

    def tokens(self, views: BackboneFeatures) -> tuple[Tensor, Tensor]:
        """(B, N, W) before and after the patches have spoken to one another."""
        entered = self._enter(self.patch, views.features, self.feature_scale)
        entered = entered + self.tower(views.early) + self.place(angular_encoding(views.place))
        for level, linear in enumerate((self.wide, self.close)):
            if views.mixing is None:
                entered = entered + self._enter(linear, views.closer[..., level, :], self.feature_scale)
            else:
                seen = self._enter(linear, views.closer, self.feature_scale)  # (B, V, W)
                entered = entered + views.mixing[:, level].to(seen.dtype) @ seen
        return entered, self.layers(entered)

    def _enter(self, linear: nn.Linear, seen: Tensor, scale: Tensor) -> Tensor:
        """Features in their deviations through a linear layer; in training some of them are missing, for a whole batch
        alike (a mask on the weights: thousands of patches share it)."""
        weight = linear.weight / scale
        if self.training:
            weight = weight * (torch.rand_like(scale) > MISSING) / (1 - MISSING)
        return F.linear(seen, weight, linear.bias)

    def forward(self, views: BackboneFeatures) -> PhysicsPosterior:
        entered, known = self.tokens(views)
        vectors = self.material(torch.cat([entered, known], dim=-1))
        solid, shape, *rest = self.geometry(known).split(self.parts, dim=-1)
        by_shape = tuple(
            self._doubted(part.unflatten(-1, (len(SHAPES), scale.bins)), 2)
            for part, scale in zip(rest[: len(BY_SHAPE)], BY_SHAPE, strict=True)
        )
        along, across = (part.log_softmax(dim=-1) for part in rest[len(BY_SHAPE) :])
        return PhysicsPosterior(
            self._doubted(self.codebook.log_shares(vectors), 0), solid.log_softmax(dim=-1), self._doubted(shape, 1),
            by_shape, along, across,
        )  # fmt: skip

    def _doubted(self, logits: Tensor, number: int) -> Tensor:
        return (logits if self.training else logits / self.doubts[number]).log_softmax(dim=-1)


def angular_encoding(place: Tensor) -> Tensor:
    """(..., 2) -> (..., 4 * TURNS) sines and cosines of a quarter turn a short side, and of its doubles."""
    angle = place[..., None] * (0.5 * math.pi * 2.0 ** torch.arange(TURNS).to(place))
    return torch.cat([angle.sin(), angle.cos()], dim=-1).flatten(-2)


def grid_positions(rows: int, cols: int) -> Tensor:
    """(rows * cols, 2): across and down from the middle, in units of the shorter side."""
    down = (torch.arange(rows) + 0.5 - rows / 2) / min(rows, cols)
    right = (torch.arange(cols) + 0.5 - cols / 2) / min(rows, cols)
    row, col = torch.meshgrid(down, right, indexing="ij")
    return torch.stack([col.flatten(), row.flatten()], dim=1)
