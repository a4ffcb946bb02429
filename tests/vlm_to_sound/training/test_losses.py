"""The losses by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from synesthesia.vlm_to_sound.audio_head import AudioHeadConfig, AudioHeadOutput
from synesthesia.vlm_to_sound.thinker import HiddenStates
from tests.vlm_to_sound.training.tiny import CODES, LEADS, some_codes
from training.vlm_to_sound.losses import ATTENTION_WEIGHT, ITD_WEIGHT, audio_head_loss, near_box
from training.vlm_to_sound.trainable import MAX_NO_HISTORY, sample_no_history


def hidden_at(at: Tensor) -> HiddenStates:
    """Two text tokens, then image tokens at these positions (B, N, 2)."""
    count, places = at.shape[:2]
    patches = torch.tensor([False, False] + [True] * places).expand(count, -1)
    return HiddenStates(torch.zeros(count, places + 2, 1), torch.ones_like(patches), patches,
                   torch.cat([torch.zeros(count, 2, 2), at], dim=1))  # fmt: skip


def loss_of(output: AudioHeadOutput, codes: Tensor, itd_s: list[float], conditioned: list[bool]) -> tuple[float, float]:
    at = torch.tensor([[[0.1, 0.1], [0.9, 0.1], [0.1, 0.9]]]).expand(2, -1, -1)
    boxes = torch.tensor([[0.0, 0.0, 0.3, 0.3], [0.7, 0.0, 1.0, 0.3]])
    config = AudioHeadConfig(itd_bins=LEADS)
    total, token_loss = audio_head_loss(
        output, hidden_at(at), boxes, codes, torch.tensor(itd_s), torch.tensor(conditioned), config
    )
    return float(total), float(token_loss)


def output_for(codes: Tensor, sure: float, bins: tuple[int, int], attended: tuple[int, int]) -> AudioHeadOutput:
    """Logits of `sure` for these codes in the order L1 R1 L2 ... and for these ITD bins; attention to one state."""
    inline = torch.stack([codes[:, p % 2, :, p // 2] for p in range(2 * codes.shape[3])], dim=1)  # (B, P, K)
    logits = sure * torch.nn.functional.one_hot(inline, CODES).float()
    lead = sure * torch.nn.functional.one_hot(torch.tensor(bins), LEADS).float()
    where = torch.nn.functional.one_hot(torch.tensor(attended), 5).float()
    positions = inline.shape[1]
    return AudioHeadOutput(
        logits, lead[:, None].expand(-1, positions // 2, -1), where[:, None].expand(-1, positions, -1)
    )


def test_the_audio_heads_loss_by_hand() -> None:
    codes, both = some_codes(2), [True, True]
    itd_s = [100e-6, -40e-6]  # classes of 50 us around the middle one, 16
    correct = output_for(codes, 60.0, (18, 15), (2, 3))
    assert loss_of(correct, codes, itd_s, both) == pytest.approx((0.0, 0.0), abs=1e-5)
    even = output_for(codes, 0.0, (18, 15), (2, 3))
    total = math.log(CODES) + ITD_WEIGHT * math.log(LEADS)
    assert loss_of(even, codes, itd_s, both) == pytest.approx((total, math.log(CODES)), abs=1e-4)
    wrong = output_for(codes, 60.0, (18, 16), (2, 3))
    assert loss_of(wrong, codes, itd_s, both) == pytest.approx((ITD_WEIGHT * 30.0, 0.0), abs=1e-3)
    assert loss_of(wrong, codes, itd_s, [True, False]) == pytest.approx((0.0, 0.0), abs=1e-5)
    away = output_for(codes, 60.0, (18, 15), (2, 4))
    assert loss_of(away, codes, itd_s, both) == pytest.approx((ATTENTION_WEIGHT * math.log(1000) / 2, 0.0), abs=1e-4)
    assert loss_of(away, codes, itd_s, [True, False]) == pytest.approx((0.0, 0.0), abs=1e-5)
    swapped = output_for(codes.flip(1), 60.0, (18, 15), (2, 3))
    assert loss_of(swapped, codes, itd_s, both)[1] > 30.0, "left is not right"
    assert loss_of(even, codes, itd_s, [False, False]) == pytest.approx((math.log(CODES),) * 2, abs=1e-4)


def test_near_is_the_box_and_a_little_around_it() -> None:
    at = torch.tensor([[[0.5, 0.5], [0.35, 0.5], [0.29, 0.5], [0.5, 0.69], [0.5, 0.71], [0.69, 0.31]]])
    found = near_box(at, torch.tensor([[0.4, 0.4, 0.6, 0.6]]))
    assert found.tolist() == [[True, True, False, True, False, True]]


def test_half_of_the_sounds_lack_the_history_of_some_positions() -> None:
    hidden = sample_no_history((4_000, 50), np.random.default_rng(0))
    share = hidden.float().mean(dim=1)
    assert hidden.shape == (4_000, 50) and 0.48 < float((share == 0).float().mean()) < 0.55
    assert float(share[share > 0].mean()) == pytest.approx(MAX_NO_HISTORY / 2, abs=0.02) and float(share.max()) > 0.9
    assert torch.equal(hidden, sample_no_history((4_000, 50), np.random.default_rng(0)))
