"""Initialisation of the audio head, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from synesthesia.vlm_to_sound.audio_head import AudioHead, AudioHeadConfig
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from training.vlm_to_sound.audio_head_init import init_class_head, init_logits_from_codebooks


def audio_head(width: int) -> AudioHead:
    tokens = MelTokens(MelTokenConfig(codebooks=2, codes=8))
    generator = torch.Generator().manual_seed(0)
    tokens.books.copy_(torch.randn(tokens.books.shape, generator=generator))
    tokens.books[0, 1] = tokens.books[0, 0] + 0.01
    return AudioHead(AudioHeadConfig(hidden_size=16, width=width, layers=1, heads=2, tokens=tokens.config), tokens)


def test_similar_codes_get_similar_logits() -> None:
    for width in (32, 256, 320):
        head = audio_head(width)
        init_logits_from_codebooks(head, torch.Generator().manual_seed(1))
        hidden = torch.randn(50, width, generator=torch.Generator().manual_seed(2))
        with torch.no_grad():
            scores = head.depth_logits[0](hidden)
        apart = (scores - scores[:, :1]).abs().mean(dim=0)
        assert apart[1] < 0.1 * apart[2:].min(), width
        assert 0.5 < float(scores.std()) < 2.0


def test_distances_of_codes_stay_where_there_is_room_for_them() -> None:
    head = audio_head(256)
    init_logits_from_codebooks(head, torch.Generator().manual_seed(1))
    there, here = (torch.cdist(x, x) for x in (head.tokens.books[1], head.depth_logits[1].weight.detach()))
    ratio = here[there > 0] / there[there > 0]
    assert torch.allclose(ratio, ratio.mean().expand_as(ratio), rtol=1e-3)


def test_empty_codebooks_give_uniform_logits() -> None:
    tokens = MelTokens(MelTokenConfig(codebooks=1, codes=8))
    tokens.books.zero_()
    head = AudioHead(AudioHeadConfig(hidden_size=16, width=32, layers=1, heads=2, tokens=tokens.config), tokens)
    init_logits_from_codebooks(head, torch.Generator().manual_seed(1))
    assert (head.depth_logits[0].weight == 0).all()


def test_the_class_head_selects_what_the_classifier_predicts(tmp_path: Path) -> None:
    tokens, generator = MelTokens(MelTokenConfig(codebooks=1, codes=8)), torch.Generator().manual_seed(3)
    config = AudioHeadConfig(hidden_size=16, width=32, layers=1, heads=2, classes=9, tokens=tokens.config)
    head, path = AudioHead(config, tokens), tmp_path / "state.safetensors"
    there = head.class_head.weight.detach().clone()
    assert not init_class_head(head, path) and torch.equal(head.class_head.weight, there)
    weight, bias = (torch.randn(*shape, generator=generator) for shape in ((6, 16), (6,)))
    save_file({"ema.classifier.weight": weight, "ema.classifier.bias": bias, "ema.other": bias.clone()}, path)
    assert init_class_head(head, path)
    states = torch.randn(5, 16, generator=generator)
    chosen = head.class_head(states).softmax(dim=1)
    assert torch.allclose(chosen[:, :6], (states @ weight.T + bias).softmax(dim=1), atol=1e-3)
    assert float(chosen[:, 6:].max()) < 0.02, "classes that the classifier lacks are not selected"


def test_a_classifier_of_more_classes_gives_the_first(tmp_path: Path) -> None:
    tokens = MelTokens(MelTokenConfig(codebooks=1, codes=8))
    config = AudioHeadConfig(hidden_size=16, width=32, layers=1, heads=2, classes=3, tokens=tokens.config)
    head = AudioHead(config, tokens)
    save_file(
        {"ema.classifier.weight": torch.eye(16), "ema.classifier.bias": torch.arange(16.0)},
        tmp_path / "state.safetensors",
    )
    init_class_head(head, tmp_path / "state.safetensors")
    assert torch.equal(head.class_head.weight, torch.eye(16)[:3])
    assert head.class_head.bias.tolist() == pytest.approx([0.0, 1.0, 2.0])
