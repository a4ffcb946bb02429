"""Model information: version, checkpoints with licences, limits, citation."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from synesthesia.core import checkpoints
from synesthesia.core.presets import Preset, Weights
from synesthesia.core.requests import PATHS
from synesthesia.core.results import CheckpointInfo, Info
from synesthesia.core.version import VERSION

CITATION = "Synesthesia contributors (2026). Synesthesia: click a patch of a photograph and hear it. Version 0.1.0."
LIMITS = (
    "The embedded models are small and were trained on about four hours of sound in 243 labels: everyday animals, "
    "weather, machines, materials and instruments. An object outside these labels gets the nearest one; many "
    "sounds are rough. Where presence is low, nothing is played. The sounds are generated: no evidence of what "
    "a place really sounded like. Directions were learned from simulated clips through the heads of fifteen people; "
    "front and back are often confused, mostly for dull sounds and in reverberant rooms. The path language places a "
    "sound by the horizontal position of the click and knows nothing of distance. The path tap reads one of 13 "
    "materials and 7 shapes, learned mostly from rendered pictures; on photographs unlike its training sources the "
    "material is little better than a guess; size and wall thickness are rough estimates with intervals. Part of the "
    "training data is for research only, so use the weights for research only."
)
_LIBRARIES = ("torch", "timm", "diffusers", "transformers", "gradio", "numpy", "pillow")


def describe(preset: Preset) -> Info:
    """Never loads a model, and never imports torch: cheap enough for every page view."""
    return Info(
        preset=preset.name,
        version=VERSION,
        device="cpu",
        checkpoints=tuple(_checkpoint(role, where) for role, where in preset.roles),
        paths=PATHS,
        limits=LIMITS,
        citation=CITATION,
        libraries=tuple((name, _version(name)) for name in _LIBRARIES),
    )


def _checkpoint(role: str, where: Weights) -> CheckpointInfo:
    return CheckpointInfo(
        role=role,
        where=where.where,
        revision=where.revision,
        licence=where.licence,
        megabytes=round(_megabytes(where), 1),
        present=checkpoints.is_present(where),
    )


def _megabytes(where: Weights) -> float:
    if where.package:
        return checkpoints.package_megabytes(where.package)
    return checkpoints.megabytes(where.folder) if where.folder else 0.0


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
