"""What all tests share: no network by accident, real photographs, and which browser there is."""

from __future__ import annotations

import os

import pytest
from PIL import Image

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")


@pytest.fixture(scope="session")
def cat() -> Image.Image:
    """A real photograph, 451 x 300, that scikit-image carries (a cat's face)."""
    from skimage import data

    return Image.fromarray(data.chelsea())
