"""The audio head on a tiny random configuration: causality, step-by-step decoding, guidance, seeds, attention."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor

from synesthesia.vlm_to_sound.audio_head import AudioHead, AudioHeadConfig, AudioHeadOutput, CrossAttentionMemory
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from synesthesia.vlm_to_sound.sampling import DecodingStep, TokenSampler, decode
from synesthesia.vlm_to_sound.thinker import HiddenStates
from training.vlm_to_sound.trainable import drop_condition

BOOKS, CODES, FRAMES = 3, 12, 5
TINY = AudioHeadConfig(
    hidden_size=10, width=16, layers=2, heads=2, itd_bins=5,
    tokens=MelTokenConfig(codebooks=BOOKS, codes=CODES, frames=2, bands=8),
)  # fmt: skip


@cache
def audio_head() -> AudioHead:
    """Random weights, large enough that every input matters. Tests leave it as it is."""
    torch.manual_seed(0)
    tokens = MelTokens(TINY.tokens)
    tokens.books.normal_()
    made = AudioHead(TINY, tokens)
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=1.5 * parameter.shape[1] ** -0.5)
    return made.eval().requires_grad_(False)


def hidden_states(*lengths: int, seed: int = 0) -> HiddenStates:
    """Of prompts of different lengths, padded on the left; their first half are image tokens."""
    generator = torch.Generator().manual_seed(seed)
    longest = max(lengths)
    states = torch.randn(len(lengths), longest, 10, generator=generator)
    mask, patches = torch.zeros(2, len(lengths), longest, dtype=torch.bool)
    for row, length in enumerate(lengths):
        mask[row, longest - length :] = True
        patches[row, longest - length : longest - length // 2] = True
    at = torch.rand(*mask.shape, 2, generator=generator) * patches[..., None]
    return HiddenStates(states, mask, patches, at)


def memory(*lengths: int, seed: int = 0) -> CrossAttentionMemory:
    return audio_head().memory(hidden_states(*lengths, seed=seed))


def codes_of(count: int, seed: int = 0) -> Tensor:
    return torch.randint(CODES, (count, 2, BOOKS, FRAMES), generator=torch.Generator().manual_seed(seed))


def teacher_forced(conditional: CrossAttentionMemory, codes: Tensor) -> AudioHeadOutput:
    found: AudioHeadOutput = audio_head()(conditional, codes)
    return found


def seeds(*numbers: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(number) for number in numbers]


def sample(
    conditional: CrossAttentionMemory,
    *numbers: int,
    temperature: float = 1.0,
    guidance: float = 1.0,
    no_history_share: float = 0.0,
) -> list[DecodingStep]:
    sampler = TokenSampler(temperature, guidance=guidance, no_history_share=no_history_share)
    return list(decode(audio_head(), conditional, FRAMES, seeds(*numbers), sampler))


def stack_codes(steps: list[DecodingStep]) -> Tensor:
    """(takes, 2, K, F), as training has them."""
    ears = [torch.stack([step.codes for step in steps[ear::2]], dim=2) for ear in (0, 1)]
    return torch.stack(ears, dim=1)


def logit_distance(conditional: CrossAttentionMemory, other: CrossAttentionMemory, row: int, alone: int) -> Tensor:
    """How far one row's logits for the same codes lie from another memory's."""
    codes = codes_of(len(conditional.image_mask))
    return (
        (teacher_forced(conditional, codes).codes[row] - teacher_forced(other, codes[[row]]).codes[alone]).abs().max()
    )


def test_teacher_forcing_gives_logits_for_both_ears_in_turn() -> None:
    output = teacher_forced(memory(6, 6), codes_of(2))
    assert output.codes.shape == (2, 2 * FRAMES, BOOKS, CODES)
    assert output.itd.shape == (2, FRAMES, 5)
    assert output.cross_attention.shape == (2, 2 * FRAMES, 6)


@pytest.mark.parametrize("ear", [0, 1], ids=["left", "right"])
@pytest.mark.parametrize("frame", [0, 2, FRAMES - 1])
@pytest.mark.parametrize("book", range(BOOKS))
def test_the_audio_head_is_causal(ear: int, frame: int, book: int) -> None:
    codes = codes_of(1)
    other = codes.clone()
    other[0, ear, book, frame] = (other[0, ear, book, frame] + 1) % CODES
    there, here = teacher_forced(memory(6), codes), teacher_forced(memory(6), other)
    changed = (there.codes != here.codes).flatten(3).any(dim=3)[0]  # (P, K)
    place = 2 * frame + ear  # L1 R1 L2 R2 ...
    assert not changed[:place].any() and not changed[place, : book + 1].any(), "to the bit"
    assert changed[place, book + 1 :].all(), "finer codes depend on coarser ones"
    assert changed[place + 1 :].all()
    itd = (there.itd != here.itd).any(dim=2)[0]
    assert not itd[:frame].any() and itd[frame + 1 :].all()
    assert bool(itd[frame]) == (ear == 0), "the right ear's positions predict the ITD, given the left ear's codes"


def test_step_by_step_decoding_equals_teacher_forcing() -> None:
    conditional = memory(6)
    steps = sample(conditional, 0, temperature=0.0)
    codes = stack_codes(steps)
    assert codes.shape == (1, 2, BOOKS, FRAMES) and len(steps) == 2 * FRAMES and len(codes.unique()) > 2
    output = teacher_forced(conditional, codes)
    assert torch.equal(output.codes.argmax(dim=3)[0], torch.cat([step.codes for step in steps]))
    assert torch.allclose(output.cross_attention[0], torch.cat([step.cross_attention for step in steps]), atol=1e-5)
    assert all(step.itd is None for step in steps[::2])
    itd = torch.cat([step.itd for step in steps[1::2] if step.itd is not None])
    assert torch.allclose(output.itd[0], itd, atol=1e-4)


def test_guidance_extrapolates_from_the_unconditional_logits() -> None:
    conditional = memory(6)
    steps = sample(conditional, 0, temperature=0.0, guidance=2.5)
    codes = stack_codes(steps)
    with_prompt, without = (
        teacher_forced(conditional, codes).codes,
        teacher_forced(audio_head().null_memory(1), codes).codes,
    )
    by_hand = (without + 2.5 * (with_prompt - without)).argmax(dim=3)[0]
    assert torch.equal(by_hand, torch.cat([step.codes for step in steps]))
    assert not torch.equal(codes, stack_codes(sample(conditional, 0, temperature=0.0)))
    assert steps[0].cross_attention.shape == (1, 6) and steps[0].itd is None and steps[1].itd is not None


def test_guidance_of_one_is_no_guidance() -> None:
    plain, branch = (stack_codes(sample(memory(6), 1, 2, guidance=g)) for g in (1.0, 1.0 + 1e-6))
    assert torch.equal(plain, branch)
    assert not torch.equal(plain, stack_codes(sample(memory(6), 1, 2, guidance=4.0)))


def test_at_the_first_position_both_guidance_terms_are_equal() -> None:
    """Later they differ: one of them ignores the history."""
    conditional, numbers = memory(6), range(12)
    without_history, guided = (
        sample(conditional, *numbers, guidance=3.0, no_history_share=1.0),
        sample(conditional, *numbers, guidance=3.0),
    )
    plain = sample(conditional, *numbers)
    assert torch.equal(without_history[0].codes, guided[0].codes) and not torch.equal(
        without_history[0].codes, plain[0].codes
    )
    assert not torch.equal(stack_codes(without_history), stack_codes(guided))


@torch.no_grad()
def test_guidance_without_history_by_hand() -> None:
    """The difference of conditional and unconditional logits at positions without history is added to those with it."""
    conditional, none = memory(6), audio_head().null_memory(1)
    codes = stack_codes(sample(conditional, 0, temperature=0.0, guidance=2.5, no_history_share=1.0))
    free = torch.ones(1, 2 * FRAMES, dtype=torch.bool)
    with_it, without = (audio_head()(one, codes, free).codes for one in (conditional, none))
    expected = (teacher_forced(conditional, codes).codes + 1.5 * (with_it - without)).argmax(dim=3)[0]
    assert torch.equal(expected, codes[0].permute(2, 0, 1).flatten(0, 1))


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_take_depends_on_its_own_generator_alone(guidance: float) -> None:
    conditional = memory(6)
    three = stack_codes(sample(conditional, 5, 6, 7, guidance=guidance))
    assert torch.equal(three, stack_codes(sample(conditional, 5, 6, 7, guidance=guidance)))
    assert not torch.equal(three[0], three[1]) and not torch.equal(three[1], three[2])
    for take, number in enumerate((5, 6, 7)):
        assert torch.equal(stack_codes(sample(conditional, number, guidance=guidance))[0], three[take])
    assert not torch.equal(stack_codes(sample(memory(6, seed=1), 5, guidance=guidance))[0], three[0])


def test_only_the_likeliest_are_sampled() -> None:
    conditional = memory(6)
    steps = list(decode(audio_head(), conditional, FRAMES, seeds(*range(8)), TokenSampler(top_k=2, guidance=1.0)))
    codes = stack_codes(steps)
    logits = teacher_forced(conditional.select(torch.zeros(8, dtype=torch.long)), codes).codes
    rank = (logits > logits.gather(3, codes.permute(0, 3, 1, 2).flatten(1, 2)[..., None])).sum(dim=3)
    assert int(rank.max()) == 1 and 0.1 < float(rank.float().mean()) < 0.5


def test_a_higher_temperature_varies_more() -> None:
    conditional = memory(6)

    def varied(temperature: float) -> int:
        return len(stack_codes(sample(conditional, *range(12), temperature=temperature))[:, 0, 0, 0].unique())

    assert varied(0.0) == 1 < varied(3.0)


def test_attention_sums_to_one_over_unpadded_states() -> None:
    conditional = memory(7, 4)
    attention = teacher_forced(conditional, codes_of(2)).cross_attention
    assert torch.allclose(attention.sum(dim=2), torch.ones(2, 2 * FRAMES), atol=1e-5)
    assert not attention[1, :, :3].any() and (attention[1, :, 3:] > 0).all(), "padding gets no attention"
    assert attention[0].std() > 0.01


def test_padding_does_not_change_the_output() -> None:
    both = hidden_states(7, 4)
    together = teacher_forced(audio_head().memory(both), codes_of(2))
    for row, length in enumerate((7, 4)):
        cut = HiddenStates(
            *(part[[row], -length:] for part in (both.states, both.mask, both.image_mask, both.positions))
        )
        alone = teacher_forced(audio_head().memory(cut), codes_of(2)[[row]])
        assert torch.allclose(together.codes[row], alone.codes[0], atol=1e-4)
        assert torch.allclose(together.itd[row], alone.itd[0], atol=1e-4)
        assert torch.allclose(together.cross_attention[row, :, -length:], alone.cross_attention[0], atol=1e-5)
    padded = replace(both, states=torch.where(both.mask[..., None], both.states, torch.tensor(1e4)))
    assert torch.equal(teacher_forced(audio_head().memory(padded), codes_of(2)).codes, together.codes)


def test_image_tokens_and_the_last_token_have_a_position_and_others_have_none() -> None:
    plain = hidden_states(6)
    there = teacher_forced(audio_head().memory(plain), codes_of(1)).codes
    moved = replace(plain, positions=(plain.positions + 0.3) * plain.image_mask[..., None])
    assert (teacher_forced(audio_head().memory(moved), codes_of(1)).codes - there).abs().max() > 1e-2
    placed = plain.image_mask.clone()
    placed[:, -1] = True
    words = replace(plain, positions=torch.where(placed[..., None], plain.positions, torch.tensor(0.7)))
    assert torch.equal(teacher_forced(audio_head().memory(words), codes_of(1)).codes, there)
    box = plain.positions.clone()
    box[:, -1] += 0.3
    assert (
        teacher_forced(audio_head().memory(replace(plain, positions=box)), codes_of(1)).codes - there
    ).abs().max() > 1e-2


def test_a_dropped_condition_is_the_unconditional_memory() -> None:
    conditional, codes = memory(6, 4, 6), codes_of(3)
    found = drop_condition(conditional, audio_head(), torch.tensor([True, False, True]))
    mixed, all_conditional = teacher_forced(found, codes), teacher_forced(conditional, codes)
    nothing = teacher_forced(audio_head().null_memory(1), codes[[1]])
    assert torch.allclose(mixed.codes[1], nothing.codes[0], atol=1e-4)
    assert torch.allclose(mixed.itd[1], nothing.itd[0], atol=1e-4)
    assert (
        torch.allclose(mixed.cross_attention[1, :, 0], torch.ones(2 * FRAMES))
        and not mixed.cross_attention[1, :, 1:].any()
    )
    assert torch.allclose(mixed.codes[[0, 2]], all_conditional.codes[[0, 2]], atol=1e-5)
    assert not torch.allclose(mixed.codes[1], all_conditional.codes[1], atol=0.1)
    assert not found.image_mask[1].any() and torch.equal(found.image_mask[[0, 2]], conditional.image_mask[[0, 2]])


def test_memories_are_selected_row_by_row() -> None:
    both = audio_head().memory(hidden_states(6, 6))
    first, second = both.select(torch.tensor([0])), both.select(torch.tensor([1]))
    swapped = both.select(torch.tensor([1, 0]))
    assert swapped.image_mask.shape == (2, 6) and swapped.mask.shape == (2, 1, 1, 6)
    assert logit_distance(swapped, second, 0, 0) < 1e-5 and logit_distance(swapped, first, 1, 0) < 1e-5
    assert logit_distance(swapped, second, 1, 0) > 1e-2
    assert logit_distance(first.select(torch.tensor([0, 0, 0])), first, 2, 0) < 1e-5


def test_codes_stand_for_log_mel_patches() -> None:
    codes = codes_of(2).permute(0, 3, 1, 2)  # (B, F, 2, K)
    books = audio_head().tokens.books
    first, second = (books[k][codes[..., k]] for k in (0, 1))
    assert torch.allclose(audio_head().mel_patches(codes, 2) * 2.5, first + second, atol=1e-5)
    assert not audio_head().mel_patches(codes, 0).any()
    mel = audio_head().tokens.decode(codes[0].permute(1, 2, 0)) - audio_head().tokens.mean.unflatten(0, (2, 8)).repeat(
        5, 1
    )
    assert torch.allclose(
        audio_head().mel_patches(codes[0, :, 0]) * 2.5, mel[0].unflatten(0, (5, 2)).flatten(1), atol=1e-5
    )


def test_itd_bins_are_symmetric() -> None:
    assert torch.allclose(TINY.itds_s * 1e6, torch.tensor([-100.0, -50.0, 0.0, 50.0, 100.0]))
    assert float(AudioHeadConfig().itds_s.abs().max()) == pytest.approx(800e-6)


def test_codebooks_are_frozen_and_not_in_the_state() -> None:
    state = audio_head().state_dict()
    assert not any("books" in name for name in state)
    again = AudioHead(TINY, audio_head().tokens).eval()
    again.load_state_dict(state)
    conditional = hidden_states(6)
    assert torch.equal(
        again(again.memory(conditional), codes_of(1)).codes, teacher_forced(memory(6), codes_of(1)).codes
    )


def test_positions_without_history_do_not_depend_on_it() -> None:
    """Earlier codes reach a position without history through the ones between; if all lack history, not at all."""
    conditional, codes, other = memory(6), codes_of(1, seed=1), codes_of(1, seed=2)
    hidden = torch.zeros(1, 2 * FRAMES, dtype=torch.bool)
    with torch.no_grad():
        assert torch.equal(audio_head()(conditional, codes, hidden).codes, audio_head()(conditional, codes).codes)
        everything = torch.ones_like(hidden)
        here, there = (audio_head()(conditional, each, everything) for each in (codes, other))
    assert torch.equal(here.itd, there.itd)
    assert torch.equal(here.codes[:, :, 0], there.codes[:, :, 0]), "no position's first codebook depends on any code"
    hidden[:, :3] = True
    changed = codes.clone()
    changed[:, :, :, 0] = (codes[:, :, :, 0] + 1) % CODES  # the first two positions' codes
    with torch.no_grad():
        here, there = (audio_head()(conditional, each, hidden).codes[:, :, 0] for each in (codes, changed))
    assert torch.equal(here[:, :3], there[:, :3]) and torch.equal(here, there), "no position was given them"
