"""The sound generator with tiny random models: exact lengths, seeds, the classifier's choice, provenance."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from synesthesia.audio.mel import LogMel, MelPatches
from synesthesia.audio.tagger import AudioTagger, AudioTaggerConfig
from synesthesia.core.requests import FlowRequest
from synesthesia.image_to_sound.flow import FlowConfig, RectifiedFlow
from synesthesia.image_to_sound.generator import GeneratorConfig, SoundGenerator
from synesthesia.image_to_sound.mlp import Mlp, MlpConfig
from synesthesia.image_to_sound.retrieval import IndexEntry, SoundIndex

WIDTH = 6


class StubVocoder:
    """Turns each mel frame's mean into 160 samples."""

    def __call__(self, mel: torch.Tensor) -> torch.Tensor:
        tone = torch.sin(torch.arange(mel.shape[1] * 160) * 0.3)
        return mel.mean(dim=2).repeat_interleave(160, dim=1) * tone

    generated = __call__


class StubCodec:
    """Stand-in for a codec."""

    mel = LogMel()
    vae = MelPatches()
    vocoder = StubVocoder()


@pytest.fixture(scope="module")
def generator() -> SoundGenerator:
    torch.manual_seed(0)
    flow = RectifiedFlow(
        FlowConfig(width=32, depth=1, heads=2, query_dim=WIDTH, descriptor_dim=9, descriptor_tokens=2)
    ).eval()
    torch.nn.init.normal_(flow.leave.weight, std=0.2)
    mlp = Mlp(MlpConfig(width=16, layers=1, query_dim=WIDTH, descriptor_dim=9)).eval()
    tagger = (
        AudioTagger(AudioTaggerConfig(labels=("dog", "rain"), widths=(8, 8, 8), depths=(1, 1, 1)))
        .eval()
        .requires_grad_(False)
    )
    space = MelPatches()
    space.fit(torch.randn(8, 64, 64))
    points = torch.nn.functional.normalize(torch.randn(30, WIDTH), dim=1)
    entries = tuple(IndexEntry("dog", "here", f"r:{i}", "CC0") for i in range(30))
    return SoundGenerator(
        GeneratorConfig(), flow, mlp, SoundIndex(entries, points, torch.randn(30, 9)), tagger, StubCodec(), space
    )


def generate(generator: SoundGenerator, seed: int, given: FlowRequest | None = None, **options: Any) -> torch.Tensor:
    condition = generator.index.embeddings[3], torch.tensor([0.7, 0.3])
    return generator.generate(*condition, given or request(), seed=seed, **options).waveform


def request(**settings: Any) -> FlowRequest:
    return FlowRequest(**{"seconds": 1.3, "steps": 2, "guidance": 2.0, **settings})


@pytest.mark.parametrize("mapper", ["flow", "mlp"])
@pytest.mark.parametrize("seconds", [1.0, 1.3, 10.0])
def test_a_sound_lasts_exactly_as_long_as_asked(generator: SoundGenerator, mapper: str, seconds: float) -> None:
    out = generate(generator, 0, request(path=mapper, seconds=seconds))
    assert out.shape == (round(seconds * 16_000),) and torch.isfinite(out).all() and out.abs().max() <= 0.9


def test_the_same_seed_gives_the_same_samples_and_another_seed_others(generator: SoundGenerator) -> None:
    assert torch.equal(generate(generator, 4), generate(generator, 4))
    assert not torch.allclose(generate(generator, 4), generate(generator, 5), atol=1e-3)


def test_the_kept_take_is_one_of_the_takes_and_its_guide_comes_first(generator: SoundGenerator) -> None:
    query, class_probs = generator.index.embeddings[3], torch.tensor([0.7, 0.3])
    given = request(seconds=1.0)
    mel, rows = generator.generate_mel(query, class_probs, given, seed=2)
    assert (
        mel.shape == (100, 64)
        and len(rows) == len(set(rows)) == generator.number_of_takes(1.0) == generator.config.takes
    )
    scores = generator.tagger(mel[None])[0].softmax(dim=1) @ class_probs
    first, _ = generator.generate_mel(query, class_probs, given, seed=2, takes=1)
    assert scores >= generator.tagger(first[None])[0].softmax(dim=1) @ class_probs - 1e-5


def test_long_sounds_get_fewer_takes(generator: SoundGenerator) -> None:
    assert 1 <= generator.number_of_takes(10.0) < generator.number_of_takes(4.0)


def test_without_retrieval_no_descriptor_is_given(generator: SoundGenerator) -> None:
    assert not torch.allclose(
        generate(generator, 1, retrieve=False, takes=1), generate(generator, 1, takes=1), atol=1e-3
    )
