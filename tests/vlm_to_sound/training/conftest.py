"""One folder of tiny models, pictures and sounds for all trainings of this room; tests leave it as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.vlm_to_sound.training.tiny import training_folder
from training.vlm_to_sound.clicked_sounds import Clicks, sample_clicks
from training.vlm_to_sound.image_dataset import FeatureStore


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training_folder(tmp_path_factory.mktemp("vlm_to_sound"))


@pytest.fixture(scope="session")
def store(folder: Path) -> FeatureStore:
    return FeatureStore(folder / "runs" / "seen")


@pytest.fixture(scope="session")
def clicks(store: FeatureStore) -> Clicks:
    return sample_clicks(store, 6, np.random.default_rng(0))
