"""The audio head on a tiny random configuration: order and causality, writing step by step, guidance, seeds, and where
it looks."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor

from synesthesia.vlm_to_sound.audio_head import AudioHead, AudioHeadConfig, AudioHeadOutput, Memory
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
def decoder() -> AudioHead:
    """Random weights, large enough that everything matters to what is written. Tests leave it as it is."""
    torch.manual_seed(0)
    tokens = MelTokens(TINY.tokens)
    tokens.books.normal_()
    made = AudioHead(TINY, tokens)
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=1.5 * parameter.shape[1] ** -0.5)
    return made.eval().requires_grad_(False)


def thoughts(*lengths: int, seed: int = 0) -> HiddenStates:
    """Thoughts of different lengths, padded on the left; their first half are patches."""
    generator = torch.Generator().manual_seed(seed)
    longest = max(lengths)
    states = torch.randn(len(lengths), longest, 10, generator=generator)
    mask, patches = torch.zeros(2, len(lengths), longest, dtype=torch.bool)
    for row, length in enumerate(lengths):
        mask[row, longest - length :] = True
        patches[row, longest - length : longest - length // 2] = True
    at = torch.rand(*mask.shape, 2, generator=generator) * patches[..., None]
    return HiddenStates(states, mask, patches, at)


def memory(*lengths: int, seed: int = 0) -> Memory:
    return decoder().memory(thoughts(*lengths, seed=seed))


def codes_of(count: int, seed: int = 0) -> Tensor:
    return torch.randint(CODES, (count, 2, BOOKS, FRAMES), generator=torch.Generator().manual_seed(seed))


def forced(told: Memory, codes: Tensor) -> AudioHeadOutput:
    found: AudioHeadOutput = decoder()(told, codes)
    return found


def seeds(*numbers: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(number) for number in numbers]


def sample(
    told: Memory, *numbers: int, temperature: float = 1.0, guidance: float = 1.0, no_history_share: float = 0.0
) -> list[DecodingStep]:
    sampler = TokenSampler(temperature, guidance=guidance, no_history_share=no_history_share)
    return list(decode(decoder(), told, FRAMES, seeds(*numbers), sampler))


def laid_out(steps: list[DecodingStep]) -> Tensor:
    """(takes, 2, K, F), as training has them."""
    ears = [torch.stack([step.codes for step in steps[ear::2]], dim=2) for ear in (0, 1)]
    return torch.stack(ears, dim=1)


def parted(told: Memory, other: Memory, row: int, alone: int) -> Tensor:
    """How far one row's logits for the same codes lie from another memory's."""
    codes = codes_of(len(told.image_mask))
    return (forced(told, codes).codes[row] - forced(other, codes[[row]]).codes[alone]).abs().max()


def test_teacher_forcing_gives_logits_for_both_ears_in_turn() -> None:
    written = forced(memory(6, 6), codes_of(2))
    assert written.codes.shape == (2, 2 * FRAMES, BOOKS, CODES)
    assert written.itd.shape == (2, FRAMES, 5)
    assert written.cross_attention.shape == (2, 2 * FRAMES, 6)


@pytest.mark.parametrize("ear", [0, 1], ids=["left", "right"])
@pytest.mark.parametrize("frame", [0, 2, FRAMES - 1])
@pytest.mark.parametrize("book", range(BOOKS))
def test_what_comes_later_changes_nothing_before(ear: int, frame: int, book: int) -> None:
    codes = codes_of(1)
    other = codes.clone()
    other[0, ear, book, frame] = (other[0, ear, book, frame] + 1) % CODES
    there, here = forced(memory(6), codes), forced(memory(6), other)
    changed = (there.codes != here.codes).flatten(3).any(dim=3)[0]  # (P, K)
    place = 2 * frame + ear  # L1 R1 L2 R2 ...
    assert not changed[:place].any() and not changed[place, : book + 1].any(), "to the bit"
    assert changed[place, book + 1 :].all(), "finer codes are told of coarser ones"
    assert changed[place + 1 :].all()
    leads = (there.itd != here.itd).any(dim=2)[0]
    assert not leads[:frame].any() and leads[frame + 1 :].all()
    assert bool(leads[frame]) == (ear == 0), "the right ear's positions tell the lead, knowing the left ear's codes"


def test_writing_step_by_step_is_teacher_forcing() -> None:
    told = memory(6)
    steps = sample(told, 0, temperature=0.0)
    codes = laid_out(steps)
    assert codes.shape == (1, 2, BOOKS, FRAMES) and len(steps) == 2 * FRAMES and len(codes.unique()) > 2
    written = forced(told, codes)
    assert torch.equal(written.codes.argmax(dim=3)[0], torch.cat([step.codes for step in steps]))
    assert torch.allclose(written.cross_attention[0], torch.cat([step.cross_attention for step in steps]), atol=1e-5)
    assert all(step.itd is None for step in steps[::2])
    leads = torch.cat([step.itd for step in steps[1::2] if step.itd is not None])
    assert torch.allclose(written.itd[0], leads, atol=1e-4)


def test_guidance_is_away_from_no_thought() -> None:
    told = memory(6)
    steps = sample(told, 0, temperature=0.0, guidance=2.5)
    codes = laid_out(steps)
    with_thought, without = forced(told, codes).codes, forced(decoder().null_memory(1), codes).codes
    by_hand = (without + 2.5 * (with_thought - without)).argmax(dim=3)[0]
    assert torch.equal(by_hand, torch.cat([step.codes for step in steps]))
    assert not torch.equal(codes, laid_out(sample(told, 0, temperature=0.0)))
    assert steps[0].cross_attention.shape == (1, 6) and steps[0].itd is None and steps[1].itd is not None


def test_guidance_of_one_is_no_guidance() -> None:
    plain, branch = (laid_out(sample(memory(6), 1, 2, guidance=g)) for g in (1.0, 1.0 + 1e-6))
    assert torch.equal(plain, branch)
    assert not torch.equal(plain, laid_out(sample(memory(6), 1, 2, guidance=4.0)))


def test_where_nothing_was_written_the_pull_is_guidance() -> None:
    """And later it is not, for it never knows what was written."""
    told, numbers = memory(6), range(12)
    pulled, guided = sample(told, *numbers, guidance=3.0, no_history_share=1.0), sample(told, *numbers, guidance=3.0)
    plain = sample(told, *numbers)
    assert torch.equal(pulled[0].codes, guided[0].codes) and not torch.equal(pulled[0].codes, plain[0].codes)
    assert not torch.equal(laid_out(pulled), laid_out(guided))


@torch.no_grad()
def test_the_pull_by_hand() -> None:
    """Positions that are not told what was written, with the thought less without it, beside what is written."""
    told, none = memory(6), decoder().null_memory(1)
    codes = laid_out(sample(told, 0, temperature=0.0, guidance=2.5, no_history_share=1.0))
    free = torch.ones(1, 2 * FRAMES, dtype=torch.bool)
    with_it, without = (decoder()(one, codes, free).codes for one in (told, none))
    expected = (forced(told, codes).codes + 1.5 * (with_it - without)).argmax(dim=3)[0]
    assert torch.equal(expected, codes[0].permute(2, 0, 1).flatten(0, 1))


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_take_is_its_generators_whatever_the_others(guidance: float) -> None:
    told = memory(6)
    three = laid_out(sample(told, 5, 6, 7, guidance=guidance))
    assert torch.equal(three, laid_out(sample(told, 5, 6, 7, guidance=guidance)))
    assert not torch.equal(three[0], three[1]) and not torch.equal(three[1], three[2])
    for take, number in enumerate((5, 6, 7)):
        assert torch.equal(laid_out(sample(told, number, guidance=guidance))[0], three[take])
    assert not torch.equal(laid_out(sample(memory(6, seed=1), 5, guidance=guidance))[0], three[0])


def test_only_the_likeliest_are_drawn() -> None:
    told = memory(6)
    steps = list(decode(decoder(), told, FRAMES, seeds(*range(8)), TokenSampler(top_k=2, guidance=1.0)))
    codes = laid_out(steps)
    logits = forced(told.expand(8), codes).codes
    rank = (logits > logits.gather(3, codes.permute(0, 3, 1, 2).flatten(1, 2)[..., None])).sum(dim=3)
    assert int(rank.max()) == 1 and 0.1 < float(rank.float().mean()) < 0.5


def test_hotter_is_more_varied() -> None:
    told = memory(6)

    def varied(temperature: float) -> int:
        return len(laid_out(sample(told, *range(12), temperature=temperature))[:, 0, 0, 0].unique())

    assert varied(0.0) == 1 < varied(3.0)


def test_looks_sum_to_one_over_what_there_is() -> None:
    told = memory(7, 4)
    looks = forced(told, codes_of(2)).cross_attention
    assert torch.allclose(looks.sum(dim=2), torch.ones(2, 2 * FRAMES), atol=1e-5)
    assert not looks[1, :, :3].any() and (looks[1, :, 3:] > 0).all(), "padding is never looked at"
    assert looks[0].std() > 0.01


def test_thoughts_of_different_lengths_are_as_alone() -> None:
    both = thoughts(7, 4)
    together = forced(decoder().memory(both), codes_of(2))
    for row, length in enumerate((7, 4)):
        cut = HiddenStates(
            *(part[[row], -length:] for part in (both.states, both.mask, both.image_mask, both.positions))
        )
        alone = forced(decoder().memory(cut), codes_of(2)[[row]])
        assert torch.allclose(together.codes[row], alone.codes[0], atol=1e-4)
        assert torch.allclose(together.itd[row], alone.itd[0], atol=1e-4)
        assert torch.allclose(together.cross_attention[row, :, -length:], alone.cross_attention[0], atol=1e-5)
    padded = replace(both, states=torch.where(both.mask[..., None], both.states, torch.tensor(1e4)))
    assert torch.equal(forced(decoder().memory(padded), codes_of(2)).codes, together.codes)


def test_patches_and_the_last_word_have_a_place_and_other_words_have_none() -> None:
    plain = thoughts(6)
    there = forced(decoder().memory(plain), codes_of(1)).codes
    moved = replace(plain, positions=(plain.positions + 0.3) * plain.image_mask[..., None])
    assert (forced(decoder().memory(moved), codes_of(1)).codes - there).abs().max() > 1e-2
    placed = plain.image_mask.clone()
    placed[:, -1] = True
    words = replace(plain, positions=torch.where(placed[..., None], plain.positions, torch.tensor(0.7)))
    assert torch.equal(forced(decoder().memory(words), codes_of(1)).codes, there)
    box = plain.positions.clone()
    box[:, -1] += 0.3
    assert (forced(decoder().memory(replace(plain, positions=box)), codes_of(1)).codes - there).abs().max() > 1e-2


def test_a_withheld_thought_is_no_thought() -> None:
    told, codes = memory(6, 4, 6), codes_of(3)
    found = drop_condition(told, decoder(), torch.tensor([True, False, True]))
    mixed, all_told = forced(found, codes), forced(told, codes)
    nothing = forced(decoder().null_memory(1), codes[[1]])
    assert torch.allclose(mixed.codes[1], nothing.codes[0], atol=1e-4)
    assert torch.allclose(mixed.itd[1], nothing.itd[0], atol=1e-4)
    assert (
        torch.allclose(mixed.cross_attention[1, :, 0], torch.ones(2 * FRAMES))
        and not mixed.cross_attention[1, :, 1:].any()
    )
    assert torch.allclose(mixed.codes[[0, 2]], all_told.codes[[0, 2]], atol=1e-5)
    assert not torch.allclose(mixed.codes[1], all_told.codes[1], atol=0.1)
    assert not found.image_mask[1].any() and torch.equal(found.image_mask[[0, 2]], told.image_mask[[0, 2]])


def test_memories_are_chosen_and_repeated_row_by_row() -> None:
    both = decoder().memory(thoughts(6, 6))
    first, second = both.select(torch.tensor([0])), both.select(torch.tensor([1]))
    swapped = both.select(torch.tensor([1, 0]))
    assert swapped.image_mask.shape == (2, 6) and swapped.mask.shape == (2, 1, 1, 6)
    assert parted(swapped, second, 0, 0) < 1e-5 and parted(swapped, first, 1, 0) < 1e-5
    assert parted(swapped, second, 1, 0) > 1e-2
    assert parted(first.expand(3), first, 2, 0) < 1e-5


def test_codes_stand_for_pieces_of_log_mel() -> None:
    codes = codes_of(2).permute(0, 3, 1, 2)  # (B, F, 2, K)
    books = decoder().tokens.books
    first, second = (books[k][codes[..., k]] for k in (0, 1))
    assert torch.allclose(decoder().mel_patches(codes, 2) * 2.5, first + second, atol=1e-5)
    assert not decoder().mel_patches(codes, 0).any()
    mel = decoder().tokens.decode(codes[0].permute(1, 2, 0)) - decoder().tokens.mean.unflatten(0, (2, 8)).repeat(5, 1)
    assert torch.allclose(
        decoder().mel_patches(codes[0, :, 0]) * 2.5, mel[0].unflatten(0, (5, 2)).flatten(1), atol=1e-5
    )


def test_leads_lie_evenly_around_the_middle() -> None:
    assert torch.allclose(TINY.itds_s * 1e6, torch.tensor([-100.0, -50.0, 0.0, 50.0, 100.0]))
    assert float(AudioHeadConfig().itds_s.abs().max()) == pytest.approx(800e-6)


def test_codebooks_are_kept_elsewhere_and_frozen() -> None:
    state = decoder().state_dict()
    assert not any("books" in name for name in state)
    again = AudioHead(TINY, decoder().tokens).eval()
    again.load_state_dict(state)
    told = thoughts(6)
    assert torch.equal(again(again.memory(told), codes_of(1)).codes, forced(memory(6), codes_of(1)).codes)


def test_what_is_unheard_is_not_known() -> None:
    """Codes before an unheard position reach it by the positions between alone; unheard from the start, not at all."""
    told, codes, other = memory(6), codes_of(1, seed=1), codes_of(1, seed=2)
    hidden = torch.zeros(1, 2 * FRAMES, dtype=torch.bool)
    with torch.no_grad():
        assert torch.equal(decoder()(told, codes, hidden).codes, decoder()(told, codes).codes)
        everything = torch.ones_like(hidden)
        here, there = (decoder()(told, each, everything) for each in (codes, other))
    assert torch.equal(here.itd, there.itd)
    assert torch.equal(here.codes[:, :, 0], there.codes[:, :, 0]), "the first book of no position knows any code"
    hidden[:, :3] = True
    changed = codes.clone()
    changed[:, :, :, 0] = (codes[:, :, :, 0] + 1) % CODES  # the first two positions' codes
    with torch.no_grad():
        here, there = (decoder()(told, each, hidden).codes[:, :, 0] for each in (codes, changed))
    assert torch.equal(here[:, :3], there[:, :3]) and torch.equal(here, there), "nobody was told of them"
