"""The project's own tiny Qwen3-VL: its inputs, its visual tower, save and load."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.core.errors import UserError
from synesthesia.vision.grid import PatchGrid
from synesthesia.vlm_to_sound.qwen3_vl import build_tiny, load_tiny, save_tiny, tiny_config
from synesthesia.vlm_to_sound.thinker import ImageInput, Thinker
from synesthesia.vlm_to_sound.vision_tower import FeatureVisionTower, FeatureVisionTowerConfig, merge_blocks

SEEN = [ImageInput(torch.randn(4 * 6, 12, generator=torch.Generator().manual_seed(0)), 4, 6)]
BOX = torch.tensor([[0.2, 0.1, 0.6, 0.5]])


def a_thinker(layer: int = -1) -> Thinker:
    torch.manual_seed(0)
    made = build_tiny(tiny_config(4, width=32, layers=2), layer)
    made.model.visual.feature_std.uniform_(0.5, 2.0)
    return made


def grid(rows: int, cols: int, dim: int = 4) -> PatchGrid:
    generator = torch.Generator().manual_seed(rows * 100 + cols)
    features = torch.randn(rows, cols, dim, generator=generator)
    closer = torch.randn(rows, cols, 2, dim, generator=generator).half()
    return PatchGrid(features, features.mean(dim=(0, 1)), closer, cols * 10, rows * 10, "made up")


@torch.no_grad()
def states(thinker: Thinker) -> Tensor:
    found: Tensor = thinker(SEEN, BOX).states
    return found


@pytest.mark.parametrize(("rows", "cols"), [(4, 6), (3, 5), (1, 1), (4, 3)])
def test_blocks_are_two_by_two_patches_and_an_odd_last_one_is_repeated(rows: int, cols: int) -> None:
    photo = grid(rows, cols)
    pixels, (high, wide) = merge_blocks(photo)
    assert (high, wide) == (rows + rows % 2, cols + cols % 2)
    assert pixels.shape == (high * wide, 12) and pixels.dtype == torch.float32
    numbers = iter(pixels)
    for row in range(0, high, 2):
        for col in range(0, wide, 2):
            for down, across in ((0, 0), (0, 1), (1, 0), (1, 1)):
                patch = min(row + down, rows - 1), min(col + across, cols - 1)
                wanted = torch.cat([photo.features[patch], *photo.crop_features[patch].float()])
                assert torch.equal(next(numbers), wanted)


def test_the_tower_makes_one_token_of_a_block() -> None:
    torch.manual_seed(0)
    tower = FeatureVisionTower(
        FeatureVisionTowerConfig(feature_dim=4, windows=2, hidden_size=16, out_hidden_size=8)
    ).eval()
    assert tower.config.patch_dim == 12 and tower.spatial_merge_size == 2
    tower.feature_std.uniform_(0.5, 2.0)
    pixels, (rows, cols) = merge_blocks(grid(4, 6))
    with torch.no_grad():
        found = tower(pixels, torch.tensor([[1, rows, cols]])).pooler_output
        merged = torch.stack([block.mean(dim=0) for block in (pixels / tower.feature_std).split(4)])
        wanted = tower.fc2(tower.norm(F.gelu(tower.fc1(merged))))
    assert found.shape == (6, 8) and torch.allclose(found, wanted, atol=1e-6)
    assert found.std(dim=0).min() > 1e-3


def test_the_tiny_model_is_a_qwen3_vl_with_a_feature_tower() -> None:
    made = a_thinker()
    assert type(made.model).__name__ == "Qwen3VLModel" and isinstance(made.model.visual, FeatureVisionTower)
    assert made.hidden_size == 32 and not made.training
    assert len(made.model.language_model.layers) == 2
    sections = tiny_config(1280).text_config.rope_parameters["mrope_section"]
    assert sum(sections) == 32 and min(sections) > 0, "half of a head's dimensions"


@pytest.mark.parametrize("layer", [-1, 1])
def test_what_is_saved_in_eight_bits_loads_close(layer: int, tmp_path: Path) -> None:
    made = a_thinker(layer)
    save_tiny(made, tmp_path / "thinker")
    loaded = load_tiny(tmp_path / "thinker")
    assert loaded.layer == layer and loaded.template == made.template
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    there, here = made.state_dict(), loaded.state_dict()
    assert there.keys() == here.keys()
    for name, value in there.items():
        if value.ndim == 2:
            assert (here[name] - value).abs().max() <= value.abs().max() / 250, name
        else:
            assert torch.allclose(here[name], value, rtol=1e-3), name
    assert not torch.equal(here["new_embeddings.weight"], there["new_embeddings.weight"])
    close, exact = states(loaded), states(made)
    assert not torch.equal(close, exact)
    assert F.cosine_similarity(close, exact, dim=2).min() > 0.995
    save_tiny(loaded, tmp_path / "again")
    assert torch.allclose(states(load_tiny(tmp_path / "again")), close, atol=1e-3), "rounding is idempotent"


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_missing_file_is_a_plain_error(missing: str, tmp_path: Path) -> None:
    save_tiny(a_thinker(), tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(UserError, match="incomplete"):
        load_tiny(tmp_path)


def test_weights_of_another_shape_are_a_plain_error(tmp_path: Path) -> None:
    save_tiny(a_thinker(), tmp_path)
    fields = json.loads((tmp_path / "config.json").read_text())
    fields["model"]["text_config"]["num_hidden_layers"] = 3
    (tmp_path / "config.json").write_text(json.dumps(fields))
    with pytest.raises(UserError, match="other shapes"):
        load_tiny(tmp_path)
    fields["model"]["text_config"]["num_hidden_layers"] = 2
    fields["model"]["vision_config"]["feature_dim"] = 5
    (tmp_path / "config.json").write_text(json.dumps(fields))
    with pytest.raises(UserError, match="other shapes"):
        load_tiny(tmp_path)
