"""Top-k sampling, and how a sound longer than the training excerpts continues in a fresh context."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from synesthesia.vlm_to_sound import sampling
from synesthesia.vlm_to_sound.audio_head import CrossAttentionMemory
from synesthesia.vlm_to_sound.sampling import (
    CONTEXT_FRAMES,
    PRIMED_FRAMES,
    DecodingStep,
    KeyValueCache,
    TokenSampler,
    decode,
)
from tests.vlm_to_sound.test_audio_head import audio_head, memory, seeds, stack_codes, teacher_forced

SHARES = torch.tensor([[0.1, 0.6, 0.0, 0.3]])


def sampled(uniform: list[float], temperature: float = 1.0, top_k: int = 4) -> list[int]:
    many = torch.tensor(uniform)
    return TokenSampler(temperature, top_k)(SHARES.clamp(min=1e-9).log().repeat(len(many), 1), many).tolist()


def test_codes_are_sampled_as_often_as_they_are_likely() -> None:
    counts = torch.bincount(torch.tensor(sampled(torch.linspace(0, 1, 10_001)[:-1].tolist())), minlength=4) / 10_000
    assert torch.allclose(counts, SHARES[0], atol=1e-3)
    sharper = (
        torch.bincount(torch.tensor(sampled(torch.linspace(0, 1, 10_001)[:-1].tolist(), 0.5)), minlength=4) / 10_000
    )
    assert torch.allclose(sharper, SHARES[0] ** 2 / (SHARES**2).sum(), atol=1e-3)
    two = (
        torch.bincount(torch.tensor(sampled(torch.linspace(0, 1, 10_001)[:-1].tolist(), 1.0, 2)), minlength=4) / 10_000
    )
    assert torch.allclose(two, torch.tensor([0.0, 2 / 3, 0.0, 1 / 3]), atol=1e-3)


def test_the_ends_of_the_unit_interval_are_codes_too() -> None:
    almost_one = float(torch.tensor(1.0) - 2**-24)
    assert {0, 1, 3} >= set(sampled([0.0, almost_one]))
    assert sampled([0.0, 0.5, almost_one], temperature=0.0) == [1, 1, 1] == sampled([0.0, 0.5, almost_one], top_k=1)
    flat = torch.zeros(2, 1024)
    assert TokenSampler(1.0, 1024)(flat, torch.tensor([0.0, almost_one])).max() < 1024


def sample(
    conditional: CrossAttentionMemory, frames: int, *numbers: int, guidance: float, temperature: float = 1.0
) -> list[DecodingStep]:
    sampler = TokenSampler(temperature, guidance=guidance, no_history_share=0.0)
    return list(decode(audio_head(), conditional, frames, seeds(*numbers), sampler))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contexts of 4 frames, primed with 2."""
    monkeypatch.setattr(sampling, "CONTEXT_FRAMES", 4)
    monkeypatch.setattr(sampling, "PRIMED_FRAMES", 2)


@pytest.mark.parametrize("guidance", [1.0, 2.5])
def test_a_long_sound_continues_from_its_last_frames(short: None, guidance: float) -> None:
    conditional = memory(6)
    steps = sample(conditional, 9, 0, temperature=0.0, guidance=guidance)
    codes = stack_codes(steps)
    assert codes.shape[3] == 9 and len(steps) == 18
    for first in (0, 2, 4, 6):  # contexts of frames 0-3, 2-5, 4-7, 6-9
        shown = codes[..., first : first + 4]
        logits, itd = teacher_forced(conditional, shown).codes, teacher_forced(conditional, shown).itd
        if guidance != 1.0:
            free = teacher_forced(audio_head().null_memory(1), shown).codes
            logits = free + guidance * (logits - free)
        new = range(0 if first == 0 else 4, 2 * shown.shape[3])
        for position in new:
            step = steps[2 * first + position]
            assert torch.equal(logits[:, position].argmax(dim=2), step.codes), (first, position)
            if step.itd is not None:
                assert torch.allclose(itd[:, position // 2], step.itd, atol=1e-4)
    assert torch.equal(codes[..., :4], stack_codes(sample(conditional, 4, 0, temperature=0.0, guidance=guidance)))


def test_takes_of_a_long_sound_depend_on_their_own_generators(short: None) -> None:
    conditional = memory(6)
    both = stack_codes(sample(conditional, 11, 3, 4, guidance=2.0))
    assert torch.equal(both[1], stack_codes(sample(conditional, 11, 4, guidance=2.0))[0])
    assert not torch.equal(both[0], both[1])


def test_no_position_is_beyond_those_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    ends, lengths, run = [], [], KeyValueCache.run

    def watched(self: KeyValueCache, x: Tensor) -> tuple[Tensor, Tensor]:
        found = run(self, x)
        ends.append(self.filled)
        lengths.append(x.shape[1])
        assert self.keys[0].shape[2] == 2 * CONTEXT_FRAMES
        return found

    monkeypatch.setattr(KeyValueCache, "run", watched)
    steps = sample(memory(6), 250, 0, guidance=1.0)
    assert len(steps) == len(ends) == 500 and max(ends) == 200 == 2 * CONTEXT_FRAMES
    assert [n for n in lengths if n > 1] == [1 + 2 * PRIMED_FRAMES] * 3, "after 4, 6 and 8 s"
