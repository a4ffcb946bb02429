"""The cut into units: chained they are the network, and a window's target is what the unit makes of the window."""

from copy import deepcopy

import numpy as np
import torch

from training.vision.train import Chain, relative_error
from training.vision.units import UNITS, WINDOWS, Units, as_input, new_student, unit_pairs


class NetAsTeacher:
    """A random network in the teacher's place, so that the right answer of every unit is known."""

    def __init__(self, net: torch.nn.Module) -> None:
        self.units = Units(deepcopy(net).eval())
        self.skips = [getattr(unit, "has_skip", False) for unit in self.units.units]
        self.units.without_sums()

    @torch.no_grad()
    def run(self, crop: np.ndarray) -> None:
        self.branches, self.sums = [], []
        x = as_input(crop[None], "cpu")
        for index, unit in enumerate(self.units.units):
            branch = unit(x)
            x = x + branch if self.skips[index] else branch
            self.branches.append(branch[0].permute(1, 2, 0).numpy())
            self.sums.append(x[0].permute(1, 2, 0).numpy())

    def branch(self, unit: int) -> np.ndarray:
        return self.branches[unit]

    def joined(self, unit: int) -> np.ndarray:
        return self.sums[unit]


def crop() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)


def test_units_in_a_chain_are_the_network() -> None:
    torch.manual_seed(0)
    net = new_student().eval()
    pixels = as_input(crop()[None], "cpu")
    with torch.no_grad():
        hint, last = Chain(Units(net))(pixels)
        assert torch.allclose(last, net.forward_features(pixels), atol=1e-5)
    assert hint.shape == (1, 96, 14, 14) and last.shape == (1, 1280, 7, 7)


def test_window_targets_are_what_the_unit_makes_of_its_window() -> None:
    torch.manual_seed(0)
    teacher = NetAsTeacher(new_student())
    teacher.run(crop())
    pairs = unit_pairs(teacher, np.random.default_rng(1), crop(), first_unit=0)  # type: ignore[arg-type]
    assert len(pairs) == UNITS
    teacher.units.without_sums()
    for index, (entering, leaving) in enumerate(pairs):
        with torch.no_grad():
            found = teacher.units.units[index](torch.from_numpy(entering).float()[None])[0].numpy()
        window = WINDOWS[index]
        rim = slice(None) if window is None else slice(window.rim, -window.rim)
        difference = np.abs(found[:, rim, rim] - leaving[:, rim, rim]).mean()
        assert difference < 0.01 * np.abs(leaving).mean() + 1e-3, f"unit {index} is cut askew: {difference}"


def test_relative_error_is_one_for_the_mean_and_zero_for_the_truth() -> None:
    maps = torch.randn(64, 8, 7, 7, generator=torch.Generator().manual_seed(0))
    variance = maps.var((0, 2, 3))
    assert relative_error(maps, maps, variance) == 0
    mean = maps.mean((0, 2, 3), keepdim=True).expand_as(maps)
    assert abs(relative_error(mean, maps, variance).item() - 1) < 0.01
