"""Fixtures of the impact tests: a tiny random predictor, and a studio with it and a tiny vision network."""

from __future__ import annotations

from pathlib import Path

import pytest

from synesthesia import Studio
from synesthesia.core import checkpoints
from synesthesia.impact.predictor import ImpactPredictor
from tests.impact.tiny import tiny_predictor, write_vision_and_tap


@pytest.fixture(scope="session")
def predictor() -> ImpactPredictor:
    return tiny_predictor()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of checkpoints: the vision network and the impact predictor."""
    folder = tmp_path_factory.mktemp("checkpoints")
    write_vision_and_tap(folder)
    return folder


@pytest.fixture
def tiny_checkpoints(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tiny))


@pytest.fixture(scope="session")
def studio() -> Studio:
    """Loads from `tiny_checkpoints` at its first use."""
    return Studio.load("embedded")
