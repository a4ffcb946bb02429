"""The weights that this repository ships: whole, light, described, and they sound. Needs nothing but the checkout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synesthesia import Studio
from synesthesia.core import checkpoints
from synesthesia.core.presets import embedded

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
MODELS = (
    "vision", "vae", "vocoder", "encodec", "ear", "audio_tower", "mapper", "judge", "head", "localiser", "language",
    "spatial_token",
)  # fmt: skip


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio.load("embedded")


SPEAKING = tuple(where.folder for _, where in embedded().vlm_to_sound_roles)
IN_THE_MAKING = [folder for folder in SPEAKING if not checkpoints.is_listed(folder)]


@pytest.mark.parametrize("name", (*MODELS, *SPEAKING))
def test_each_model_is_whole_and_has_a_card(name: str) -> None:
    if name in IN_THE_MAKING:
        pytest.skip(f"{name} has not been trained yet")
    where = checkpoints.folder(name)
    card = (where / "README.md").read_text(encoding="utf-8").lower()
    for word in ("training", "licen", "limit"):
        assert word in card, f"the card of {name} says nothing about '{word}'"


def test_everything_is_light_enough_to_clone() -> None:
    sizes = {path: path.stat().st_size for path in CHECKPOINTS.rglob("*") if path.is_file()}
    assert max(sizes.values()) < 20_000_000
    assert sum(sizes.values()) < 100_000_000
    assert not [path for path in sizes if path.suffix in (".pt", ".pth", ".pkl", ".ckpt", ".bin", ".joblib")]


def test_info_knows_every_role() -> None:
    info = Studio.load("embedded").info()
    ours = [one for one in info.checkpoints if one.where.startswith("checkpoints/")]
    assert len(ours) == len(info.checkpoints) - 1, "the vision network's weights lie in a package"
    ready = [one for one in ours if one.where.split("/")[1] not in IN_THE_MAKING]
    assert all(one.present for one in info.checkpoints) and all(one.megabytes > 0 for one in ready)
    assert {"thinker", "audio head", "sound tokens"} <= {one.role for one in info.checkpoints}
    assert len(info.checkpoints) == len(embedded().roles)


@pytest.mark.parametrize("path", ["flow", "mlp"])
def test_a_click_on_the_cat_sounds(studio: Studio, cat: Image.Image, path: str) -> None:
    first = studio.hear(cat, 225, 120, path=path, seconds=2, seed=1, anyway=True)
    again = studio.hear(cat, 225, 120, path=path, seconds=2, seed=1, anyway=True)
    assert first.waveform.shape == (1, 32_000)
    assert np.sqrt(np.mean(first.waveform**2)) > 0.003
    assert np.array_equal(first.waveform, again.waveform)
    assert first.evidence.labels
    assert all(one.licence and one.recording_id for one in first.evidence.neighbours)


@pytest.mark.skipif(bool(IN_THE_MAKING), reason="the language path has not been trained yet")
def test_a_click_on_the_cat_sounds_in_both_ears(studio: Studio, cat: Image.Image) -> None:
    first, again = (studio.hear(cat, 225, 120, path="language", seconds=2, seed=1, anyway=True) for _ in range(2))
    assert first.waveform.shape == (2, 32_000) and np.array_equal(first.waveform, again.waveform)
    assert np.sqrt(np.mean(first.waveform**2, axis=1)).min() > 0.003
    assert first.tokens is not None and first.tokens.codes.shape[2] == 50
    assert first.tokens.cross_attention.sum() == pytest.approx(1.0, abs=1e-4)
    assert first.evidence.labels and first.evidence.neighbours


@pytest.mark.skipif(bool(IN_THE_MAKING), reason="the language path has not been trained yet")
def test_a_click_at_the_left_is_louder_in_the_left_ear(studio: Studio, cat: Image.Image) -> None:
    """Nothing pans the sound: the audio head has to write another level into either ear's tokens."""
    by_db = []
    for seed in range(4):
        left, right = (
            studio.hear(cat, place * cat.width, 150, path="language", seconds=1, seed=seed, anyway=True).waveform
            for place in (0.1, 0.9)
        )
        by_db += [right_over_left_db(right), -right_over_left_db(left)]
    assert np.median(by_db) > 1.0 and np.mean(np.array(by_db) > 0) >= 0.75


def right_over_left_db(waveform: np.ndarray) -> float:
    left, right = np.sqrt((waveform.astype(np.float64) ** 2).mean(axis=1))
    return float(20 * np.log10(right / left))


def test_different_seeds_give_different_takes(studio: Studio, cat: Image.Image) -> None:
    takes = [studio.hear(cat, 225, 120, seconds=1, seed=seed, anyway=True).waveform for seed in range(3)]
    assert not np.allclose(takes[0], takes[1], atol=1e-3)
    assert not np.allclose(takes[1], takes[2], atol=1e-3)


def test_the_picture_is_seen_densely(studio: Studio) -> None:
    """Two photographs side by side: patches of one half resemble their own half more than the other."""
    from skimage import data

    left, right = (Image.fromarray(picture()).resize((300, 300)) for picture in (data.chelsea, data.rocket))
    both = Image.new("RGB", (600, 300))
    both.paste(left, (0, 0))
    both.paste(right, (300, 0))
    likeness = studio.similarity(both, 150, 130)
    half = likeness.shape[1] // 2
    assert likeness[:, :half].mean() > likeness[:, half:].mean() + 0.1


def test_the_manifest_is_up_to_date() -> None:
    listed = json.loads((CHECKPOINTS / checkpoints.MANIFEST).read_text())["files"]
    there = {path.relative_to(CHECKPOINTS).as_posix() for path in CHECKPOINTS.rglob("*.safetensors")}
    assert there <= set(listed)
