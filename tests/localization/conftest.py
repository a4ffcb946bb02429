"""A tiny random localizer for the tests of this folder."""

from __future__ import annotations

import pytest
import torch

from synesthesia.localization.localizer import Localizer
from tests.localization.tiny import TINY


@pytest.fixture(scope="module")
def localizer() -> Localizer:
    torch.manual_seed(0)
    made = Localizer(TINY).eval().requires_grad_(False)
    for layer in (made.encoder.output, made.residual.second):  # zero at initialisation
        torch.nn.init.normal_(layer.weight)
    return made
