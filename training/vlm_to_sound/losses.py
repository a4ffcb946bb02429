"""What the language path's trainings descend."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.vlm_to_sound.audio_head import AudioHeadConfig, Written
from synesthesia.vlm_to_sound.thinker import HiddenStates
from training.vlm_to_sound.clicked_sounds import Clicks
from training.vlm_to_sound.trainable import Reader

DENSE = 0.5  # weight of what the picture tokens say beside what <think_sound> says
LOOK = 0.3  # weight of where the audio head looks
LEAD = 0.1  # weight of the time between the ears


def thinker_loss(reader: Reader, clicks: Clicks) -> Tensor:
    """Cross-entropy at <think_sound>, and at every picture token against its own cell."""
    said, dense = reader(clicks)
    cells = torch.cat([sight.wanted.flatten(0, 1) for sight in clicks.sights]).to(dense.device)
    main = -(clicks.wanted * said.log_softmax(dim=1)).sum(dim=1).mean()
    return main - DENSE * (cells * dense.log_softmax(dim=1)).sum(dim=1).mean()


def decoder_loss(written: Written, thought: HiddenStates, boxes: Tensor, codes: Tensor, lead_s: Tensor, told: Tensor,
                 config: AudioHeadConfig) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(total, cross-entropy of the tokens)."""
    wanted = codes.permute(0, 3, 1, 2).flatten(1, 2)  # (B, P, K)
    speech = F.cross_entropy(written.codes.float().flatten(0, 2), wanted.flatten())
    classes = (lead_s / config.lead_step_s).round().long() + config.leads // 2
    lead = F.cross_entropy(
        written.lead.float().flatten(0, 1), classes[:, None].expand(written.lead.shape[:2]).flatten(), reduction="none"
    )
    lead = (lead.unflatten(0, written.lead.shape[:2]).mean(dim=1) * told).sum() / told.sum().clamp(min=1)
    inside = thought.patches & near(thought.at, boxes)
    looks = written.looks.float() * thought.patches[:, None]
    share = (looks * inside[:, None]).sum(dim=2) / looks.sum(dim=2).clamp(min=1e-6)  # (B, P)
    look = (-(share.clamp(min=1e-3)).log().mean(dim=1) * told).sum() / told.sum().clamp(min=1)
    return speech + LEAD * lead + LOOK * look, speech.detach()


def near(at: Tensor, boxes: Tensor, margin: float = 0.1) -> Tensor:
    """(B, S, 2) places, (B, 4) boxes -> (B, S) bool: in the box, or within `margin` of the picture around it."""
    return ((at >= boxes[:, None, :2] - margin) & (at <= boxes[:, None, 2:] + margin)).all(dim=2)
