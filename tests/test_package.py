"""The installed package: everything that is not Python travels along, and weights are found outside the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from synesthesia.core import checkpoints
from synesthesia.core.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]


def test_every_file_that_is_not_python_is_package_data() -> None:
    package = ROOT / "synesthesia"
    patterns = SETTINGS["package-data"]["synesthesia"]
    named = {path for pattern in patterns for path in package.glob(pattern)}
    kept = {path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert kept and kept == named


def test_weights_lie_beside_the_checkout_or_inside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.delenv(checkpoints.ROOT_VARIABLE, raising=False)
    assert checkpoints.root() == ROOT / "checkpoints"
    monkeypatch.setattr(checkpoints, "__file__", str(tmp_path / "site" / "synesthesia" / "core" / "checkpoints.py"))
    assert checkpoints.root() == tmp_path / "site" / "synesthesia" / "checkpoints"
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path / "own"))
    assert checkpoints.root() == tmp_path / "own"


@pytest.mark.slow
def test_a_wheel_holds_weights_and_runs_outside_the_checkout(tmp_path: Path) -> None:
    """Built without isolation from a copy, installed without its requirements, run in another folder."""
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    for name in ("synesthesia", "checkpoints"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "requirements.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    subprocess.run([sys.executable, "-m", "build", "--wheel", "-o", tmp_path, source], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert VERSION in wheel.name
    listed = zipfile.ZipFile(wheel).namelist()
    assert "synesthesia/checkpoints/manifest.json" in listed
    assert not [name for name in listed if name.startswith(("training/", "tests/", "tools/"))]
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel]
    subprocess.run(install, check=True, capture_output=True)
    environment = {"PYTHONPATH": str(site), "PATH": str(Path(sys.executable).parent)}
    done = subprocess.run(
        [site / "bin" / "synesthesia", "info"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"synesthesia {VERSION}, preset embedded" in done.stdout and "MISSING" not in done.stdout
