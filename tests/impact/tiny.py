"""The path "tap" at random, beside the other tiny models of `tests.tiny`: a physics net whose codes stand for the
known materials in turn, and whose readings vary from patch to patch."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from synesthesia import Studio
from synesthesia.core.results import Heard, Impact
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.things import MATERIALS, SHAPES, PhysicalObject, StrikePoint
from synesthesia.impact.physics_net import ALONG, BY_SHAPE, PhysicsNet, PhysicsNetConfig, PhysicsPosterior
from synesthesia.impact.predictor import ImpactPredictor, save_net
from synesthesia.vision.grid import PatchGrid
from tests.tiny import write_vision
from training.common.manifest import write_manifest

PLACE = StrikePoint(0.31, 0.42)
FEATURES, EARLY = 12, (8, 5)  # of `a_grid`, small


def a_net(feature_dim: int = FEATURES, early: tuple[int, ...] = EARLY, seed: int = 3) -> PhysicsNet:
    """Solid at about half of all patches."""
    torch.manual_seed(seed)
    net = PhysicsNet(PhysicsNetConfig(feature_dim, early, width=16, layers=1, heads=2, codes=26, code_dim=6))
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if parameter.ndim == 2 and not name.startswith("codebook"):
                parameter.normal_(std=2.0 * parameter.shape[1] ** -0.5)
        material = torch.arange(len(net.codebook.codes)) % len(MATERIALS)
        net.codebook.numbers.copy_(net.codebook.scaled(Properties.of([MATERIALS[k] for k in material.tolist()])))
        net.codebook.votes.fill_(0.01)
        net.codebook.votes[torch.arange(len(material)), material] = 1.0
        net.codebook.votes /= net.codebook.votes.sum(dim=1, keepdim=True)
        net.geometry[-1].bias[:2] = torch.tensor([1.4, 0.0])  # about as far below the threshold as above it
    return net.eval()


def an_adapter() -> ImpactPredictor:
    return ImpactPredictor(a_net())


def a_grid(rows: int = 6, cols: int = 8, seed: int = 0) -> PatchGrid:
    """Features at random, of a photograph of 160 x 120 pixels."""
    random = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, cols, FEATURES, generator=random)
    early = tuple(
        torch.randn(channels, n * rows, n * cols, generator=random).half()
        for channels, n in zip(EARLY, (2, 1), strict=True)
    )
    closer = torch.randn(rows, cols, 2, FEATURES, generator=random).half()
    return PatchGrid(features, features.mean(dim=(0, 1)), closer, 160, 120, f"grid {seed}", early)


def a_reading(
    adapter: ImpactPredictor, thing: PhysicalObject, place: StrikePoint = PLACE, spread: float = 0.8
) -> PhysicsPosterior:
    """Of one patch that is taken for this thing, rather surely: as the net's training would have it say."""
    named, _ = adapter.net.codebook.called()
    codes = (named == MATERIALS.index(thing.material)).float() + 0.01
    shape = torch.full((len(SHAPES),), 0.01)
    shape[SHAPES.index(thing.shape)] = 1.0
    told = (thing.size_m, thing.middle, thing.least, thing.thickness_m)
    return PhysicsPosterior(
        log(codes), log(torch.tensor([0.1, 0.9])), log(shape),
        tuple(log(scale.target(torch.tensor([value]), spread)[0].expand(len(SHAPES), -1))
              for scale, value in zip(BY_SHAPE, told, strict=True)),
        *(log(ALONG.target(torch.tensor([at]), spread)[0]) for at in (place.along, place.across)),
    )  # fmt: skip


def log(shares: Tensor) -> Tensor:
    """(..., n) -> (1, ..., n) logarithms of what sums to 1."""
    return (shares / shares.sum(dim=-1, keepdim=True)).clamp(min=1e-12).log()[None]


def write_tap(folder: Path, feature_dim: int = 1280, early: tuple[int, ...] = (24, 32, 96), name: str = "tap") -> None:
    """The adapter below `folder`, and the manifest anew."""
    save_net(a_net(feature_dim, early), folder / name)
    write_manifest(folder)


def write_eyes_and_tap(folder: Path) -> None:
    """Nothing that the other paths need."""
    torch.manual_seed(0)
    write_vision(folder / "vision")
    write_tap(folder)


def strike(studio: Studio, picture: Image.Image, x: float = 200, y: float = 100, **settings: object) -> Heard:
    given = {"seconds": 1.0, "anyway": True} | settings
    return studio.hear(picture, x, y, path="tap", **given)  # type: ignore[arg-type]


def struck(heard: Heard) -> Impact:
    assert heard.blow is not None
    return heard.blow
