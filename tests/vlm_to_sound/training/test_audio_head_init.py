"""Where the audio head begins: by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from synesthesia.vlm_to_sound.audio_head import AudioHead, AudioHeadConfig
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from training.vlm_to_sound.audio_head_init import init_class_head, init_logits_from_codebooks


def the_decoder(width: int) -> AudioHead:
    tokens = MelTokens(MelTokenConfig(codebooks=2, codes=8))
    generator = torch.Generator().manual_seed(0)
    tokens.books.copy_(torch.randn(tokens.books.shape, generator=generator))
    tokens.books[0, 1] = tokens.books[0, 0] + 0.01
    return AudioHead(AudioHeadConfig(hidden_size=16, width=width, layers=1, heads=2, tokens=tokens.config), tokens)


def test_like_codes_get_like_scores() -> None:
    for width in (32, 256, 320):
        decoder = the_decoder(width)
        init_logits_from_codebooks(decoder, torch.Generator().manual_seed(1))
        hidden = torch.randn(50, width, generator=torch.Generator().manual_seed(2))
        with torch.no_grad():
            scores = decoder.depth_logits[0](hidden)
        apart = (scores - scores[:, :1]).abs().mean(dim=0)
        assert apart[1] < 0.1 * apart[2:].min(), width
        assert 0.5 < float(scores.std()) < 2.0


def test_distances_of_codes_stay_where_there_is_room_for_them() -> None:
    decoder = the_decoder(256)
    init_logits_from_codebooks(decoder, torch.Generator().manual_seed(1))
    there, here = (torch.cdist(x, x) for x in (decoder.tokens.books[1], decoder.depth_logits[1].weight.detach()))
    ratio = here[there > 0] / there[there > 0]
    assert torch.allclose(ratio, ratio.mean().expand_as(ratio), rtol=1e-3)


def test_codebooks_that_are_empty_give_even_scores() -> None:
    tokens = MelTokens(MelTokenConfig(codebooks=1, codes=8))
    tokens.books.zero_()
    decoder = AudioHead(AudioHeadConfig(hidden_size=16, width=32, layers=1, heads=2, tokens=tokens.config), tokens)
    init_logits_from_codebooks(decoder, torch.Generator().manual_seed(1))
    assert (decoder.depth_logits[0].weight == 0).all()


def test_a_thought_chooses_among_kinds_as_the_reader_read_it(tmp_path: Path) -> None:
    tokens, generator = MelTokens(MelTokenConfig(codebooks=1, codes=8)), torch.Generator().manual_seed(3)
    config = AudioHeadConfig(hidden_size=16, width=32, layers=1, heads=2, classes=9, tokens=tokens.config)
    decoder, path = AudioHead(config, tokens), tmp_path / "state.safetensors"
    there = decoder.class_head.weight.detach().clone()
    assert not init_class_head(decoder, path) and torch.equal(decoder.class_head.weight, there)
    weight, bias = (torch.randn(*shape, generator=generator) for shape in ((6, 16), (6,)))
    save_file({"ema.classifier.weight": weight, "ema.classifier.bias": bias, "ema.other": bias.clone()}, path)
    assert init_class_head(decoder, path)
    states = torch.randn(5, 16, generator=generator)
    chosen = decoder.class_head(states).softmax(dim=1)
    assert torch.allclose(chosen[:, :6], (states @ weight.T + bias).softmax(dim=1), atol=1e-3)
    assert float(chosen[:, 6:].max()) < 0.02, "what the reader never told apart is not chosen"


def test_a_reader_of_more_kinds_than_there_are_gives_the_first(tmp_path: Path) -> None:
    tokens = MelTokens(MelTokenConfig(codebooks=1, codes=8))
    config = AudioHeadConfig(hidden_size=16, width=32, layers=1, heads=2, classes=3, tokens=tokens.config)
    decoder = AudioHead(config, tokens)
    save_file(
        {"ema.classifier.weight": torch.eye(16), "ema.classifier.bias": torch.arange(16.0)},
        tmp_path / "state.safetensors",
    )
    init_class_head(decoder, tmp_path / "state.safetensors")
    assert torch.equal(decoder.class_head.weight, torch.eye(16)[:3])
    assert decoder.class_head.bias.tolist() == pytest.approx([0.0, 1.0, 2.0])
