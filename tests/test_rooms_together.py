"""Photograph to sound through every room, with tiny random models: files, checksums, seeds, and no network."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synesthesia import Studio
from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from tests.tiny import damaged_copy, write_checkpoints

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    write_checkpoints(folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def here(tiny: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(checkpoints.ROOT_VARIABLE, str(tiny))
        yield


@pytest.fixture(scope="module")
def studio(here: None) -> Studio:
    return Studio.load("embedded")


def test_embedded_never_opens_a_socket(cat: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the embedded preset tried to reach the network")

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    studio = Studio.load("embedded")
    studio.warm()
    assert studio.hear(cat, 200, 100, seconds=1, anyway=True).waveform.any()
    studio.info()


@pytest.mark.parametrize("path", ["flow", "mlp"])
@pytest.mark.parametrize("seconds", [1.0, 2.345, 10.0])
def test_durations_and_seeds(studio: Studio, cat: Image.Image, path: str, seconds: float) -> None:
    first = studio.hear(cat, 200, 100, path=path, seconds=seconds, seed=5, steps=3, anyway=True)
    again = studio.hear(cat, 200, 100, path=path, seconds=seconds, seed=5, steps=3, anyway=True)
    other = studio.hear(cat, 200, 100, path=path, seconds=seconds, seed=6, steps=3, anyway=True)
    assert first.waveform.shape == (1, round(seconds * 16_000))
    assert first.waveform.dtype == np.float32
    assert np.isfinite(first.waveform).all()
    assert 0.05 < np.abs(first.waveform).max() <= 1
    assert np.array_equal(first.waveform, again.waveform)
    assert not np.array_equal(first.waveform, other.waveform)
    assert len(first.evidence.neighbours) > 0
    assert first.evidence.neighbours[0].licence == "CC0"


def test_a_fresh_studio_gives_the_same_samples(studio: Studio, cat: Image.Image) -> None:
    ours = studio.hear(cat, 30, 40, seconds=1, seed=1, anyway=True)
    theirs = Studio.load("embedded").hear(cat, 30, 40, seconds=1, seed=1, anyway=True)
    assert np.array_equal(ours.waveform, theirs.waveform)
    assert ours.recipe == theirs.recipe


@pytest.mark.parametrize("size", [(16, 16), (320, 16), (16, 320), (1000, 700), (64, 64)])
def test_any_size_and_aspect(studio: Studio, size: tuple[int, int]) -> None:
    grid = studio.look(Image.effect_noise(size, 60))
    assert min(grid.rows, grid.cols) >= 14
    assert studio.presence(Image.effect_noise(size, 60)).ndim == 2


def test_scene_and_sweep(studio: Studio, cat: Image.Image) -> None:
    scene = studio.scene(cat, seconds=1, steps=2, stems=3)
    assert scene.waveform.shape == (1, 16_000)
    assert np.abs(scene.waveform).max() <= 1
    assert len(scene.stems) <= 3
    first = next(studio.sweep(cat, 2, seconds=1, steps=2, anyway=True))
    assert (first.row, first.col) == (2, 0)


def test_the_command_line_and_the_studio_give_the_same_samples(
    studio: Studio, tiny: Path, cat: Image.Image, tmp_path: Path
) -> None:
    """A recipe saved from one process, replayed in another."""
    import soundfile

    from synesthesia.core import recipe

    heard = studio.hear(cat, 200, 100, path="mlp", seconds=1, seed=4, anyway=True)
    cat.save(tmp_path / "cat.png")
    (tmp_path / "r.json").write_text(recipe.to_json(heard.recipe))
    command = [sys.executable, "-m", "synesthesia", "hear", "cat.png", "--recipe", "r.json", "--out", "a.wav", "--json"]
    environment = {**os.environ, checkpoints.ROOT_VARIABLE: str(tiny), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["recipe"] == json.loads((tmp_path / "r.json").read_text())
    samples, rate_hz = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert rate_hz == heard.sample_rate
    ours = np.round(np.clip(heard.waveform[0], -1, 1) * 32767)
    assert np.abs(samples - ours).max() <= 1


def test_a_checkpoint_that_is_damaged_later_is_refused_by_the_next_studio(
    tiny: Path, cat: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = damaged_copy(tiny, tmp_path / "checkpoints", "mapper/flow.safetensors")
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(folder))
    with pytest.raises(UserError, match=r"flow\.safetensors is damaged"):
        Studio.load("embedded").hear(cat, 5, 5)
    assert Studio.load("embedded").similarity(cat, 5, 5).shape == (16, 24)  # the eyes are whole
