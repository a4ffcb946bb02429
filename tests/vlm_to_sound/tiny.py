"""Thinker, audio head and sound tokens at random, beside the other tiny models of `tests.tiny`."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from synesthesia.nn.lora import LoraSettings, add_lora
from synesthesia.vlm_to_sound.audio_head import AudioHead, AudioHeadConfig
from synesthesia.vlm_to_sound.checkpoint import save_audio_head
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from synesthesia.vlm_to_sound.qwen3_vl import build_tiny, save_tiny, tiny_config
from synesthesia.vlm_to_sound.thinker import Thinker
from training.common.manifest import write_manifest

TOKENS = MelTokenConfig(codebooks=2, codes=16)
LORA = LoraSettings(rank=2, alpha=8, dropout=0.0)


def randomise(module: nn.Module) -> None:
    """Random weights, large enough that every input matters."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=1.0 if name.startswith("new_embeddings") else 1.5 * parameter.shape[1] ** -0.5)


def random_tokens(config: MelTokenConfig = TOKENS) -> MelTokens:
    tokens = MelTokens(config)
    tokens.books.normal_(std=0.5)
    tokens.mean.fill_(-4.0)
    return tokens


def random_head(thinker: Thinker, tokens: MelTokens) -> AudioHead:
    config = AudioHeadConfig(hidden_size=thinker.hidden_size, width=16, layers=2, heads=2, tokens=tokens.config)
    head = AudioHead(config, tokens).eval()
    randomise(head)
    return head


def write_vlm_to_sound(folder: Path, feature_dim: int = 1280) -> None:
    """thinker, token_decoder, mel_tokens below `folder`, and the manifest anew."""
    torch.manual_seed(1)
    thinker = build_tiny(tiny_config(feature_dim, width=16, layers=1))
    randomise(thinker)
    save_tiny(thinker, folder / "thinker")
    write_audio_head(folder, thinker, "token_decoder")


def write_audio_head(folder: Path, thinker: Thinker, name: str, *, new_embeddings: bool = False) -> AudioHead:
    """mel_tokens and the audio head of this thinker, which gets LoRA layers."""
    tokens = random_tokens()
    tokens.save(folder / "mel_tokens")
    head = random_head(thinker, MelTokens.load(folder / "mel_tokens"))
    add_lora(thinker.model, LORA)
    randomise_lora(thinker)
    save_audio_head(head, thinker, LORA, folder / name, new_embeddings=new_embeddings)
    write_manifest(folder)
    return head


def randomise_lora(thinker: Thinker) -> None:
    """LoRA's second matrix is zero at first."""
    with torch.no_grad():
        for name, parameter in thinker.named_parameters():
            if ".lora_" in name:
                parameter.normal_(std=0.3)
