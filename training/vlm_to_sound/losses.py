"""Training losses: region classification for the thinker; token cross-entropy, ITD and attention for the audio head."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.vlm_to_sound.audio_head import AudioHeadConfig, AudioHeadOutput
from synesthesia.vlm_to_sound.thinker import HiddenStates
from training.vlm_to_sound.clicked_sounds import Clicks
from training.vlm_to_sound.trainable import RegionClassifier

IMAGE_TOKEN_WEIGHT = 0.5  # of the image tokens' loss beside that of <think_sound>
ATTENTION_WEIGHT = 0.3  # of the loss on where the audio head attends
ITD_WEIGHT = 0.1


def thinker_loss(classifier: RegionClassifier, clicks: Clicks) -> Tensor:
    """Cross-entropy at <think_sound>, and at every image token against its own cell's target."""
    region_logits, token_logits = classifier(clicks)
    cells = torch.cat([image.targets.flatten(0, 1) for image in clicks.images]).to(token_logits.device)
    region = -(clicks.targets * region_logits.log_softmax(dim=1)).sum(dim=1).mean()
    return region - IMAGE_TOKEN_WEIGHT * (cells * token_logits.log_softmax(dim=1)).sum(dim=1).mean()


def audio_head_loss(
    output: AudioHeadOutput, hidden_states: HiddenStates, boxes: Tensor, codes: Tensor, itd_s: Tensor,
    conditioned: Tensor, config: AudioHeadConfig,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(total, cross-entropy of the tokens). conditioned: (B,) bool, the others have the unconditional memory."""
    targets = codes.permute(0, 3, 1, 2).flatten(1, 2)  # (B, P, K)
    token_loss = F.cross_entropy(output.codes.float().flatten(0, 2), targets.flatten())
    bins = (itd_s / config.itd_step_s).round().long() + config.itd_bins // 2
    itd = F.cross_entropy(
        output.itd.float().flatten(0, 1), bins[:, None].expand(output.itd.shape[:2]).flatten(), reduction="none"
    )
    itd = (itd.unflatten(0, output.itd.shape[:2]).mean(dim=1) * conditioned).sum() / conditioned.sum().clamp(min=1)
    inside = hidden_states.image_mask & near_box(hidden_states.positions, boxes)
    weights = output.cross_attention.float() * hidden_states.image_mask[:, None]
    share = (weights * inside[:, None]).sum(dim=2) / weights.sum(dim=2).clamp(min=1e-6)  # (B, P)
    attention = (-(share.clamp(min=1e-3)).log().mean(dim=1) * conditioned).sum() / conditioned.sum().clamp(min=1)
    return token_loss + ITD_WEIGHT * itd + ATTENTION_WEIGHT * attention, token_loss.detach()


def near_box(positions: Tensor, boxes: Tensor, margin: float = 0.1) -> Tensor:
    """(B, S, 2) positions, (B, 4) boxes -> (B, S) bool: in the box, or within `margin` of the picture around it."""
    inside = (positions >= boxes[:, None, :2] - margin) & (positions <= boxes[:, None, 2:] + margin)
    return inside.all(dim=2)
