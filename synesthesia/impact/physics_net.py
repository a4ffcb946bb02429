"""Transformer over patch features that predicts a distribution over physics states for every patch of a photograph.

A patch, the crops around it, and the output of a few convolutions on early layers' maps (which keep texture; late
layers have replaced it by object categories) enter as one token. A small pre-norm transformer (Vaswani et al. 2017)
exchanges information between the patches of one object, without which no extent could be known. Two heads follow: a
vector for the material codebook, and binned variables of shape, size and strike point; the extents have one
distribution for each shape.

Binned variables: classification instead of regression, trained against a target that is spread over neighbouring bins
(Imani and White 2018, Improving regression performance with distributional losses): the distribution may have two
peaks, and its quantiles give an interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.core.results import Estimate
from synesthesia.core.vocabulary import SHAPES
from synesthesia.impact.material_codebook import MaterialCodebook
from synesthesia.impact.modal.objects import MAX_SIZE_M, MIN_SIZE_M


@dataclass(frozen=True)
class BinnedVariable:
    """Bins from low to high, of equal width on a logarithmic or a linear scale."""

    low: float
    high: float
    bins: int
    logarithmic: bool = True

    @property
    def bounds(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.logarithmic else (self.low, self.high)

    @property
    def step(self) -> float:
        low, high = self.bounds
        return (high - low) / self.bins

    def centres(self) -> Tensor:
        """(bins,) on the scale: logarithms if it is logarithmic."""
        return self.bounds[0] + (torch.arange(self.bins) + 0.5) * self.step

    def target(self, values: Tensor, spread: float = 0.8) -> Tensor:
        """(N,) -> (N, bins) that sum to 1: a normal curve of `spread` bins around the value, clamped to the scale."""
        at = (values.clamp(min=self.low).log() if self.logarithmic else values).clamp(*self.bounds)
        apart = (at[:, None] - self.centres().to(at)) / (spread * self.step)
        return (-0.5 * apart**2).softmax(dim=1)

    def from_scale(self, position: Tensor) -> Tensor:
        return position.exp() if self.logarithmic else position

    def quantile(self, probabilities: Tensor, at: float | Tensor) -> Tensor:
        """(N, bins) that sum to 1 -> (N,) values below which a share `at`, one or (N,), lies, linear within a bin."""
        summed = probabilities.cumsum(dim=1)
        below = summed < torch.as_tensor(at).reshape(-1, 1)
        number = below.sum(dim=1).clamp(max=self.bins - 1)  # (N,) the bin that crosses it
        inside = probabilities.gather(1, number[:, None])[:, 0]
        before = summed.gather(1, number[:, None])[:, 0] - inside
        part = ((at - before) / inside.clamp(min=1e-9)).clamp(0, 1)
        return self.from_scale(self.bounds[0] + (number + part) * self.step)

    def estimate(self, probabilities: Tensor) -> Estimate:
        """(bins,) that sum to 1 -> median and 90 % interval. An interval that begins or ends in an outermost bin is
        extended to the scale's end, which stands for everything beyond it."""
        low, middle, high = (float(self.quantile(probabilities[None], at)[0]) for at in (0.05, 0.5, 0.95))
        if float(probabilities[0]) >= 0.05:
            low = self.low
        if float(probabilities[-1]) >= 0.05:
            high = self.high
        return Estimate(middle, low, high)


def weighted_estimate(values: Tensor, weights: Tensor) -> Estimate:
    """Median and 90 % interval of K values (K,) with weights (K,) that sum to 1."""
    order = values.argsort()
    summed = weights[order].cumsum(dim=0)
    low, middle, high = (
        float(values[order[int((summed < at).sum().clamp(max=len(values) - 1))]]) for at in (0.05, 0.5, 0.95)
    )
    return Estimate(middle, low, high)


SIZE = BinnedVariable(MIN_SIZE_M, MAX_SIZE_M, 28)
MIDDLE = BinnedVariable(0.03, 1.0, 14)
LEAST = BinnedVariable(0.002, 1.0, 20)
THICKNESS = BinnedVariable(0.0003, 0.8, 22)
ALONG = BinnedVariable(0.0, 1.0, 12, logarithmic=False)
BY_SHAPE = (SIZE, MIDDLE, LEAST, THICKNESS)  # one distribution for each shape
CALIBRATED = ("codes", "shapes", "extents")  # one temperature each
FEATURE_DROPOUT = 0.3
TOWER_CHANNELS = (64, 112, 128)  # at each resolution
TOWER_BLOCKS = (1, 0, 3)  # residual blocks at each resolution
ANGLES = 6  # sine and cosine pairs of a position


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
    threshold: float = 0.2  # probability of a solid object below which a patch stays silent


@dataclass(frozen=True)
class BackboneFeatures:
    """Features of B photographs of N patches each. features (B, N, D); crop_features (B, N, 2, D); stage_maps: maps (B,
    C, h, w), see PatchGrid; positions (B, N, 2): across and down from the middle, in short sides of the photograph.

    With mixing (N, 2, V), crop_features is (B, V, D), of V crops, and mixing holds each crop's weight for a patch: the
    same result with less work."""

    features: Tensor
    crop_features: Tensor
    stage_maps: tuple[Tensor, ...]
    positions: Tensor
    mixing: Tensor | None = None


@dataclass(frozen=True)
class PhysicsPosterior:
    """Log probabilities, (..., N, .) each. codes: (K); solid: (2) nothing, something; shape: (S); by_shape: for each
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
    """Pre-activation residual block (He et al. 2016), (B, C, h, w) -> the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.around = nn.Conv2d(channels, channels, 3, 1, 1)
        self.mixed = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mixed(F.gelu(self.around(self.norm(x))))


class TextureTower(nn.Module):
    """Maps of early layers, finest first -> (B, rows * cols, W): each is concatenated to the finer ones' output."""

    def __init__(self, channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.steps, self.norms, self.deeper, finer = nn.ModuleList(), nn.ModuleList(), nn.ModuleList(), 0
        for level, own in enumerate(channels):
            last = level == len(channels) - 1
            out = TOWER_CHANNELS[-1] if last else TOWER_CHANNELS[level]
            blocks = TOWER_BLOCKS[-1] if last else TOWER_BLOCKS[level]
            self.steps.append(nn.Conv2d(finer + own, out, 1 if last else 3, 1 if last else 2, 0 if last else 1))
            self.norms.append(nn.GroupNorm(8, out))
            self.deeper.append(nn.Sequential(*(Residual(out) for _ in range(blocks))))
            finer = out
        self.out = nn.Linear(finer, width, bias=False)
        for level, own in enumerate(channels):
            self.register_buffer(f"scale{level}", torch.ones(own, 1, 1))

    def forward(self, stage_maps: tuple[Tensor, ...]) -> Tensor:
        x: Tensor | None = None
        for level, (step, norm, deeper) in enumerate(zip(self.steps, self.norms, self.deeper, strict=True)):
            own = stage_maps[level] / self.get_buffer(f"scale{level}").to(stage_maps[level].dtype)
            x = F.gelu(norm(step(own if x is None else torch.cat([x, own.to(x.dtype)], dim=1))))
            x = deeper(x)
        assert x is not None
        return self.out(x.flatten(2).transpose(1, 2))


class PhysicsNet(nn.Module):
    """temperatures: (3,) of CALIBRATED, fitted after training and not used in it (Guo et al. 2017)."""

    feature_scale: Tensor
    temperatures: Tensor

    def __init__(self, config: PhysicsNetConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.patch = nn.Linear(config.feature_dim, width)
        self.wide_crop = nn.Linear(config.feature_dim, width, bias=False)
        self.close_crop = nn.Linear(config.feature_dim, width, bias=False)
        self.tower = TextureTower(tuple(config.early), width)
        self.position = nn.Linear(4 * ANGLES, width, bias=False)
        layer = nn.TransformerEncoderLayer(
            width, config.heads, 3 * width // 2, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, config.layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.material = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, config.code_dim))
        self.codebook = MaterialCodebook(config.codes, config.code_dim)
        self.parts = [2, len(SHAPES), *(len(SHAPES) * scale.bins for scale in BY_SHAPE), ALONG.bins, ALONG.bins]
        self.geometry = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, sum(self.parts)))
        self.register_buffer("feature_scale", torch.ones(config.feature_dim))
        self.register_buffer("temperatures", torch.ones(len(CALIBRATED)))

    def tokens(self, views: BackboneFeatures) -> tuple[Tensor, Tensor]:
        """(B, N, W) before and after the transformer."""
        tokens = self._project(self.patch, views.features, self.feature_scale)
        tokens = tokens + self.tower(views.stage_maps) + self.position(angular_encoding(views.positions))
        for level, linear in enumerate((self.wide_crop, self.close_crop)):
            if views.mixing is None:
                tokens = tokens + self._project(linear, views.crop_features[..., level, :], self.feature_scale)
            else:
                crops = self._project(linear, views.crop_features, self.feature_scale)  # (B, V, W)
                tokens = tokens + views.mixing[:, level].to(crops.dtype) @ crops
        return tokens, self.layers(tokens)

    def _project(self, linear: nn.Linear, features: Tensor, scale: Tensor) -> Tensor:
        """Scaled features through a linear layer; training drops some of them for the whole batch (a mask on the
        weights, which thousands of patches share)."""
        weight = linear.weight / scale
        if self.training:
            weight = weight * (torch.rand_like(scale) > FEATURE_DROPOUT) / (1 - FEATURE_DROPOUT)
        return F.linear(features, weight, linear.bias)

    def forward(self, views: BackboneFeatures) -> PhysicsPosterior:
        before, after = self.tokens(views)
        vectors = self.material(torch.cat([before, after], dim=-1))
        solid, shape, *rest = self.geometry(after).split(self.parts, dim=-1)
        by_shape = tuple(
            self._calibrated(part.unflatten(-1, (len(SHAPES), scale.bins)), 2)
            for part, scale in zip(rest[: len(BY_SHAPE)], BY_SHAPE, strict=True)
        )
        along, across = (part.log_softmax(dim=-1) for part in rest[len(BY_SHAPE) :])
        return PhysicsPosterior(
            self._calibrated(self.codebook.log_probabilities(vectors), 0), solid.log_softmax(dim=-1),
            self._calibrated(shape, 1), by_shape, along, across,
        )  # fmt: skip

    def _calibrated(self, logits: Tensor, number: int) -> Tensor:
        return (logits if self.training else logits / self.temperatures[number]).log_softmax(dim=-1)


def angular_encoding(positions: Tensor) -> Tensor:
    """(..., 2) -> (..., 4 * ANGLES) sines and cosines of a quarter period per short side, and of its multiples by 2."""
    angle = positions[..., None] * (0.5 * math.pi * 2.0 ** torch.arange(ANGLES).to(positions))
    return torch.cat([angle.sin(), angle.cos()], dim=-1).flatten(-2)


def grid_positions(rows: int, cols: int) -> Tensor:
    """(rows * cols, 2): across and down from the middle, in units of the shorter side."""
    down = (torch.arange(rows) + 0.5 - rows / 2) / min(rows, cols)
    right = (torch.arange(cols) + 0.5 - cols / 2) / min(rows, cols)
    row, col = torch.meshgrid(down, right, indexing="ij")
    return torch.stack([col.flatten(), row.flatten()], dim=1)
