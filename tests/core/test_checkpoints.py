"""Weights are the very files that were trained, or one sentence says which is missing or damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synesthesia.core import checkpoints as store
from synesthesia.core import presets
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Weights
from training.common.manifest import write_manifest


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small checkpoints folder with one model, listed."""
    model = tmp_path / "vision"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights" * 100)
    (model / "README.md").write_text("a card")
    write_manifest(tmp_path)
    monkeypatch.setenv(store.ROOT_VARIABLE, str(tmp_path))
    return tmp_path


def test_whole_files_are_handed_out(checkpoints: Path) -> None:
    assert store.folder("vision") == checkpoints / "vision"
    assert store.files(Weights("vision"))[1] == checkpoints / "vision" / "model.safetensors"
    assert store.megabytes("vision") > 0
    assert not store.is_listed("ear")


@pytest.mark.parametrize("change", ["same size", "shorter", "gone", "empty"])
def test_damage_is_found_and_named(checkpoints: Path, change: str) -> None:
    store.folder("vision")  # a check that passed before must not hide damage that comes later
    path = checkpoints / "vision" / "model.safetensors"
    data = path.read_bytes()
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes({"same size": b"W" + data[1:], "shorter": data[:50], "empty": b""}[change])
    with pytest.raises(UserError) as caught:
        store.folder("vision")
    assert "model.safetensors" in str(caught.value)
    assert ("missing" if change == "gone" else "damaged") in str(caught.value)


def test_missing_model_and_missing_or_damaged_list(checkpoints: Path) -> None:
    with pytest.raises(UserError, match="'ear' is missing"):
        store.folder("ear")
    manifest = checkpoints / store.MANIFEST
    for text in ("", "{", "[]", '{"files": 3}'):
        manifest.write_text(text)
        with pytest.raises(UserError, match="damaged"):
            store.folder("vision")
    manifest.unlink()
    with pytest.raises(UserError, match="missing"):
        store.folder("vision")
    assert not store.is_listed("vision")


def test_the_fingerprint_follows_the_weights_in_use(checkpoints: Path) -> None:
    used = (Weights("vision"),)
    before = store.fingerprint(used)
    (checkpoints / "other").mkdir()
    (checkpoints / "other" / "model.safetensors").write_bytes(b"x")
    write_manifest(checkpoints)
    assert store.fingerprint(used) == before
    (checkpoints / "vision" / "model.safetensors").write_bytes(b"retrained")
    write_manifest(checkpoints)
    assert store.fingerprint(used) != before


def test_the_manifest_lists_weights_and_configs_alone(checkpoints: Path) -> None:
    listed = json.loads((checkpoints / store.MANIFEST).read_text())["files"]
    assert set(listed) == {"vision/config.json", "vision/model.safetensors"}


def test_hub_weights_without_a_network_are_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match="can't be fetched"):
        store.files(presets.hub().vision.weights)


def test_hub_revisions_are_whole_commits() -> None:
    for _, used in presets.hub().roles:
        if used.hub_id:
            assert len(used.revision) == 40, used
            assert used.files[1].endswith(".safetensors")


def test_an_unknown_preset_is_one_sentence() -> None:
    with pytest.raises(UserError, match="'embedded' or 'hub'"):
        presets.preset("cloud")
