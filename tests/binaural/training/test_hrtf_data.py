"""Measured HRTFs of a data folder: what a file must hold, and that other heads are another bank."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.core.errors import UserError
from training.binaural.hrtf_data import load_hrtfs
from training.binaural.response_bank import GROUP, build_bank

AZIMUTHS = np.arange(-180.0, 180.0, 30.0)


def write_head(folder: Path, **changes: Any) -> None:
    """A sphere measured at 16 directions. changes: arrays instead of its own, None to leave one out."""
    azimuth = np.concatenate([AZIMUTHS, AZIMUTHS[::3]])
    elevation = np.concatenate([np.zeros(12), np.full(4, 50.0)])
    arrays = {
        "ir": SphereHRTF().responses(-azimuth, elevation), "az_deg": azimuth, "el_deg": elevation,
        "samplerate": np.array(16_000), "split": np.array("train"),
    } | changes  # fmt: skip
    (folder / "hrtf").mkdir(parents=True, exist_ok=True)
    np.savez(folder / "hrtf" / "own.npz", **{name: value for name, value in arrays.items() if value is not None})


def test_a_head_of_ones_own_is_read(tmp_path: Path) -> None:
    write_head(tmp_path)
    (head,) = load_hrtfs(tmp_path, "train")
    assert head.name == "own"
    right = head.hrtf.responses(np.array([60.0]), np.array([0.0]))[0]
    assert np.square(right[1]).sum() > np.square(right[0]).sum(), "azimuth is positive to the right from here on"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"split": None}, "lacks split"),
        ({"samplerate": None, "ir": None}, "lacks ir, samplerate"),
        ({"split": np.array("test")}, "split must be train or val"),
        ({"ir": np.zeros((16, 200))}, "ir must be"),
        ({"ir": np.zeros((16, 2, 2048))}, "ir must be"),
        ({"ir": np.zeros((3, 2, 200))}, "ir must be"),
        ({"az_deg": np.zeros(5)}, "one angle for each of the 16 directions"),
    ],
)
def test_what_a_file_lacks_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    write_head(tmp_path, **changes)
    with pytest.raises(UserError, match=words):
        load_hrtfs(tmp_path)


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hrtf").mkdir()
    (tmp_path / "hrtf" / "own.npz").write_text("no arrays")
    with pytest.raises(UserError, match=r"own\.npz is no npz file"):
        load_hrtfs(tmp_path)


def test_other_heads_are_another_bank(tmp_path: Path) -> None:
    first, again, other = (build_bank([SphereHRTF(radius_m)], [], GROUP, tmp_path, 0) for radius_m in (0.08, 0.08, 0.1))
    assert np.array_equal(first.anechoic, again.anechoic)
    assert not np.array_equal(first.anechoic, other.anechoic)
    assert len(list(tmp_path.glob("brirs-*.npz"))) == 2
    with pytest.raises(UserError, match="multiple of 12"):
        build_bank([SphereHRTF()], [], 100, tmp_path, 0)
