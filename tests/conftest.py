"""What all tests share: no network by accident, real photographs, and which browser there is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from PIL import Image

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")


@pytest.fixture(scope="session")
def cat() -> Image.Image:
    """A real photograph, 451 x 300, that scikit-image carries (a cat's face)."""
    from skimage import data

    return Image.fromarray(data.chelsea())


@pytest.fixture(scope="session")
def tiny_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoints folder of tiny random models, written once: leave it as it is."""
    from tests.tiny import write_checkpoints

    folder = tmp_path_factory.mktemp("tiny") / "checkpoints"
    write_checkpoints(folder)
    return folder


THREADS = torch.get_num_threads()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Each test begins with its own number of threads, whatever the one before has set.

    Trainings have one: with two, torch 2.11 on CPU corrupts memory in the backward pass of tiny convolutions.
    """
    torch.set_num_threads(1 if {"training", "training_common"} & set(item.path.parts) else THREADS)
