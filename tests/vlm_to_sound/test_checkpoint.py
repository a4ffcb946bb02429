"""The audio head's checkpoint: LoRA merged into the thinker, and errors for files that do not fit together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from synesthesia.core.errors import UserError
from synesthesia.nn.quantised import load_quantised
from synesthesia.vlm_to_sound.checkpoint import load_audio_head, save_audio_head, stored_name
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from synesthesia.vlm_to_sound.qwen3_vl import build_tiny, load_tiny, save_tiny, tiny_config
from synesthesia.vlm_to_sound.thinker import ImageInput, Thinker
from tests.vlm_to_sound.tiny import LORA, random_tokens, randomise, write_audio_head

SEEN = [ImageInput(torch.randn(4 * 6, 12, generator=torch.Generator().manual_seed(0)), 4, 6)]
BOX = torch.tensor([[0.2, 0.1, 0.6, 0.5]])


@torch.no_grad()
def states(thinker: Thinker) -> Tensor:
    found: Tensor = thinker(SEEN, BOX).states
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(0)
    thinker = build_tiny(tiny_config(4, width=16, layers=2))
    randomise(thinker)
    save_tiny(thinker, where / "thinker")
    with_lora = load_tiny(where / "thinker")
    write_audio_head(where, with_lora, "token_decoder")
    np.save(where / "states.npy", states(with_lora).numpy())
    return where


def test_merged_lora_equals_injected_lora(folder: Path) -> None:
    thinker = load_tiny(folder / "thinker")
    plain, names = states(thinker), [name for name, _ in thinker.named_modules()]
    before = {name: value.clone() for name, value in thinker.state_dict().items()}
    load_audio_head(folder / "token_decoder", thinker, MelTokens.load(folder / "mel_tokens"))
    wanted = torch.from_numpy(np.load(folder / "states.npy"))
    assert (states(thinker) - wanted).abs().max() < 0.05 * (plain - wanted).abs().max(), "but for the eight bits"
    assert [name for name, _ in thinker.named_modules()] == names, "no LoRA layers are left"
    state = load_quantised(folder / "token_decoder" / "model.safetensors")
    for name, value in thinker.state_dict().items():
        own = f"lora.{name.removesuffix('weight')}lora_"
        change = torch.zeros(1)
        if own + "A.default.weight" in state:
            change = 4.0 * state[own + "B.default.weight"] @ state[own + "A.default.weight"]  # alpha 8, rank 2
            assert change.abs().max() > 0.1
        assert torch.allclose(value, before[name] + change, atol=1e-5), name
    assert sum(name.startswith("lora.") for name in state) == 2 * 2 * 2  # matrices, projections, layers


def test_the_loaded_head_has_the_stored_tensors(folder: Path) -> None:
    thinker, tokens = load_tiny(folder / "thinker"), MelTokens.load(folder / "mel_tokens")
    head = load_audio_head(folder / "token_decoder", thinker, tokens)
    assert not head.training and not any(p.requires_grad for p in head.parameters()) and head.tokens is tokens
    state = load_quantised(folder / "token_decoder" / "model.safetensors")
    for name, value in head.state_dict().items():
        assert torch.equal(value, state[stored_name(name)]), name


def load(
    folder: Path, thinker: Thinker | None = None, tokens: MelTokens | None = None, new_embeddings: bool = False
) -> None:
    load_audio_head(
        folder / "token_decoder", thinker or load_tiny(folder / "thinker"),
        tokens or MelTokens.load(folder / "mel_tokens"), new_embeddings=new_embeddings,
    )  # fmt: skip


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_missing_file_is_a_plain_error(folder: Path, tmp_path: Path, missing: str) -> None:
    for name in {"config.json", "model.safetensors"} - {missing}:
        (tmp_path / name).write_bytes((folder / "token_decoder" / name).read_bytes())
    with pytest.raises(UserError, match="incomplete"):
        load_audio_head(tmp_path, load_tiny(folder / "thinker"), MelTokens.load(folder / "mel_tokens"))


def test_what_does_not_fit_together_is_a_plain_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="hidden states of size 16, but this thinker's have 32"):
        load(folder, thinker=build_tiny(tiny_config(4, width=32, layers=2)))
    with pytest.raises(UserError, match="trained for another thinker"):
        load(folder, thinker=build_tiny(tiny_config(4, width=16, layers=3)))
    with pytest.raises(UserError, match="2 x 16 codes, but the sound tokens have 3 x 16"):
        load(folder, tokens=random_tokens(MelTokenConfig(codebooks=3, codes=16)))
    with pytest.raises(UserError, match="another thinker"):
        load(folder, new_embeddings=True)  # the embeddings of a hub thinker are missing
    fields = json.loads((folder / "token_decoder" / "config.json").read_text())
    fields["decoder"]["layers"] = 3
    (tmp_path / "config.json").write_text(json.dumps(fields))
    (tmp_path / "model.safetensors").write_bytes((folder / "token_decoder" / "model.safetensors").read_bytes())
    with pytest.raises(UserError, match="other shapes"):
        load_audio_head(tmp_path, load_tiny(folder / "thinker"), MelTokens.load(folder / "mel_tokens"))


def test_refused_files_leave_the_thinker_as_it_was(folder: Path) -> None:
    thinker = load_tiny(folder / "thinker")
    before = states(thinker)
    with pytest.raises(UserError):
        load(folder, thinker=thinker, new_embeddings=True)
    assert torch.equal(states(thinker), before)


def test_the_new_embeddings_of_a_hub_thinker_are_stored_with_the_head(folder: Path, tmp_path: Path) -> None:
    trained = load_tiny(folder / "thinker")
    trained.new_embeddings.weight.data.normal_(std=2.0)
    write_audio_head(tmp_path, trained, "token_decoder", new_embeddings=True)
    other = load_tiny(folder / "thinker")
    load_audio_head(tmp_path / "token_decoder", other, MelTokens.load(tmp_path / "mel_tokens"), new_embeddings=True)
    assert torch.allclose(other.new_embeddings.weight, trained.new_embeddings.weight, atol=0.05)
    assert (states(other) - states(trained)).abs().max() < 0.1
    with pytest.raises(UserError, match="another thinker"):
        load_audio_head(
            tmp_path / "token_decoder", load_tiny(folder / "thinker"), MelTokens.load(tmp_path / "mel_tokens")
        )


def test_without_lora_the_thinker_stays(folder: Path, tmp_path: Path) -> None:
    thinker = load_tiny(folder / "thinker")
    head = load_audio_head(
        folder / "token_decoder", load_tiny(folder / "thinker"), MelTokens.load(folder / "mel_tokens")
    )
    save_audio_head(head, thinker, replace(LORA, rank=0), tmp_path)
    before = states(thinker)
    load_audio_head(tmp_path, thinker, MelTokens.load(folder / "mel_tokens"))
    assert torch.equal(states(thinker), before)
