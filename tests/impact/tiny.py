"""Tiny random models of the path "tap": the codes of the physics net have the known materials' properties in turn."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from synesthesia import Studio
from synesthesia.core.results import Heard, Impact
from synesthesia.core.vocabulary import MATERIALS, SHAPES
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import PhysicalObject, StrikePoint
from synesthesia.impact.physics_net import ALONG, BY_SHAPE, PhysicsNet, PhysicsNetConfig, PhysicsPosterior
from synesthesia.impact.predictor import ImpactPredictor, save_net
from synesthesia.vision.grid import PatchGrid
from tests.tiny import write_vision
from training.common.manifest import write_manifest

POINT = StrikePoint(0.31, 0.42)
FEATURES, EARLY = 12, (8, 5)  # of `random_grid`


def tiny_physics_net(feature_dim: int = FEATURES, early: tuple[int, ...] = EARLY, seed: int = 3) -> PhysicsNet:
    """Solid at about half of all patches."""
    torch.manual_seed(seed)
    net = PhysicsNet(PhysicsNetConfig(feature_dim, early, width=16, layers=1, heads=2, codes=26, code_dim=6))
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if parameter.ndim == 2 and not name.startswith("codebook"):
                parameter.normal_(std=2.0 * parameter.shape[1] ** -0.5)
        material = torch.arange(len(net.codebook.codes)) % len(MATERIALS)
        net.codebook.code_properties.copy_(
            net.codebook.standardised(Properties.of([MATERIALS[k] for k in material.tolist()]))
        )
        net.codebook.material_shares.fill_(0.01)
        net.codebook.material_shares[torch.arange(len(material)), material] = 1.0
        net.codebook.material_shares /= net.codebook.material_shares.sum(dim=1, keepdim=True)
        net.geometry[-1].bias[:2] = torch.tensor([1.4, 0.0])  # about as far below the threshold as above it
    return net.eval()


def tiny_predictor() -> ImpactPredictor:
    return ImpactPredictor(tiny_physics_net())


def random_grid(rows: int = 6, cols: int = 8, seed: int = 0) -> PatchGrid:
    """Random features of a photograph of 160 x 120 pixels."""
    random = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, cols, FEATURES, generator=random)
    stage_maps = tuple(
        torch.randn(channels, n * rows, n * cols, generator=random).half()
        for channels, n in zip(EARLY, (2, 1), strict=True)
    )
    crops = torch.randn(rows, cols, 2, FEATURES, generator=random).half()
    return PatchGrid(features, features.mean(dim=(0, 1)), crops, 160, 120, f"grid {seed}", stage_maps)


def posterior_for(
    predictor: ImpactPredictor, item: PhysicalObject, point: StrikePoint = POINT, spread: float = 0.8
) -> PhysicsPosterior:
    """Of one patch, around this object: distributions as of a training target."""
    named, _ = predictor.net.codebook.majority_material()
    codes = (named == MATERIALS.index(item.material)).float() + 0.01
    shape = torch.full((len(SHAPES),), 0.01)
    shape[SHAPES.index(item.shape)] = 1.0
    extents = (item.size_m, item.middle, item.least, item.thickness_m)
    return PhysicsPosterior(
        normalised_log(codes), normalised_log(torch.tensor([0.1, 0.9])), normalised_log(shape),
        tuple(normalised_log(scale.target(torch.tensor([value]), spread)[0].expand(len(SHAPES), -1))
              for scale, value in zip(BY_SHAPE, extents, strict=True)),
        *(normalised_log(ALONG.target(torch.tensor([at]), spread)[0]) for at in (point.along, point.across)),
    )  # fmt: skip


def normalised_log(shares: Tensor) -> Tensor:
    """(..., n) -> (1, ..., n) log probabilities."""
    return (shares / shares.sum(dim=-1, keepdim=True)).clamp(min=1e-12).log()[None]


def write_tap(folder: Path, feature_dim: int = 1280, early: tuple[int, ...] = (24, 32, 96), name: str = "tap") -> None:
    """The predictor below `folder`, and a new manifest."""
    save_net(tiny_physics_net(feature_dim, early), folder / name)
    write_manifest(folder)


def write_vision_and_tap(folder: Path) -> None:
    """No models of the other paths."""
    torch.manual_seed(0)
    write_vision(folder / "vision")
    write_tap(folder)


def strike(studio: Studio, picture: Image.Image, x: float = 200, y: float = 100, **settings: object) -> Heard:
    given = {"seconds": 1.0, "anyway": True} | settings
    return studio.hear(picture, x, y, path="tap", **given)  # type: ignore[arg-type]


def impact_of(heard: Heard) -> Impact:
    assert heard.blow is not None
    return heard.blow
