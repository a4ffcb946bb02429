"""SOFA files: signs, ears named wrongly, cartesian positions, delays, and files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synesthesia.binaural.geometry import angle_difference, unit_vector
from synesthesia.binaural.sofa import read_sofa
from synesthesia.core.errors import UserError
from tests.binaural.synthetic_hrtf import itd_us, measured_grid

h5py = pytest.importorskip("h5py")


def write_sofa(
    path: Path,
    ir: np.ndarray,
    azimuth_deg: np.ndarray,
    elevation_deg: np.ndarray,
    *,
    first_ear_y: float = 0.09,
    cartesian: bool = False,
    delay: np.ndarray | None = None,
) -> Path:
    """A SimpleFreeFieldHRIR file as AES69 lays it out: azimuth to the left, y to the left."""
    with h5py.File(path, "w") as file:
        file.attrs["Conventions"] = "SOFA"
        file["Data.IR"] = ir
        file["Data.SamplingRate"] = [44_100.0]
        file["Data.Delay"] = np.zeros((1, 2)) if delay is None else delay
        if cartesian:
            positions = 1.2 * unit_vector(azimuth_deg, elevation_deg) * [1.0, -1.0, 1.0]
        else:
            positions = np.stack([-azimuth_deg % 360.0, elevation_deg, np.full(len(ir), 1.2)], axis=1)
        source = file.create_dataset("SourcePosition", data=positions)
        source.attrs["Type"] = "cartesian" if cartesian else "spherical"
        source.attrs["Units"] = b"metre" if cartesian else b"degree, degree, metre"
        file["ReceiverPosition"] = np.array([[0.0, first_ear_y, 0.0], [0.0, -first_ear_y, 0.0]])[..., None]
    return path


@pytest.fixture(scope="module")
def grid() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return measured_grid(directions=60)


@pytest.mark.parametrize("cartesian", [False, True])
def test_positions_take_the_project_s_sign(
    tmp_path: Path, grid: tuple[np.ndarray, np.ndarray, np.ndarray], cartesian: bool
) -> None:
    file = read_sofa(write_sofa(tmp_path / "own.sofa", *grid, cartesian=cartesian))
    np.testing.assert_allclose(angle_difference(file.azimuth_deg, grid[1]), 0.0, atol=1e-6)
    np.testing.assert_allclose(file.elevation_deg, grid[2], atol=1e-6)
    np.testing.assert_array_equal(file.ir, grid[0])
    assert file.rate_hz == 44_100 and "agree" in file.note
    assert itd_us(file.hrtf().responses(np.array([80.0]), np.array([0.0]))[0]) > 400


def test_a_right_ear_named_first_is_put_second(tmp_path: Path, grid: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    swapped = grid[0][:, ::-1]
    file = read_sofa(write_sofa(tmp_path / "own.sofa", swapped, *grid[1:], first_ear_y=-0.09))
    np.testing.assert_array_equal(file.ir, grid[0])
    assert "agree" in file.note


@pytest.mark.parametrize("lies", ["swapped", "named"])
def test_ears_that_contradict_the_file_are_exchanged(
    tmp_path: Path, grid: tuple[np.ndarray, np.ndarray, np.ndarray], lies: str
) -> None:
    ir = grid[0][:, ::-1] if lies == "swapped" else grid[0]
    path = write_sofa(tmp_path / "own.sofa", ir, *grid[1:], first_ear_y=0.09 if lies == "swapped" else -0.09)
    file = read_sofa(path)
    np.testing.assert_array_equal(file.ir, grid[0])
    assert file.note.startswith("Corrected")


def test_separate_delays_are_applied(tmp_path: Path, grid: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    ir, azimuth, elevation = grid
    late = np.where(azimuth > 0, 10.0, 0.0)  # the left ear of sounds from the right, once more
    delay = np.stack([late, np.zeros(len(ir))], axis=1)
    file = read_sofa(write_sofa(tmp_path / "own.sofa", ir, azimuth, elevation, delay=delay))
    side = int(np.argmax(unit_vector(azimuth, elevation)[:, 1]))
    assert itd_us(file.ir[side], 44_100) == pytest.approx(itd_us(ir[side], 44_100) + 10 / 0.0441, abs=6)


def test_other_files_are_refused_in_a_sentence(tmp_path: Path, grid: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    text = tmp_path / "text.sofa"
    text.write_text("no HDF5")
    with pytest.raises(UserError, match="can't be read"):
        read_sofa(text)
    with h5py.File(tmp_path / "empty.sofa", "w") as file:
        file["Data.SamplingRate"] = [44_100.0]
    with pytest.raises(UserError, match=r"lacks Data\.IR"):
        read_sofa(tmp_path / "empty.sofa")
    with pytest.raises(UserError, match="two receivers"):
        read_sofa(write_sofa(tmp_path / "one.sofa", grid[0][:, :1], *grid[1:]))


def test_links_to_other_files_are_not_followed(tmp_path: Path, grid: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    real = write_sofa(tmp_path / "real.sofa", *grid)
    path = write_sofa(tmp_path / "link.sofa", *grid)
    with h5py.File(path, "a") as file:
        del file["Data.IR"]
        file["Data.IR"] = h5py.ExternalLink(str(real), "Data.IR")
    with pytest.raises(UserError, match=r"lacks Data\.IR"):
        read_sofa(path)
