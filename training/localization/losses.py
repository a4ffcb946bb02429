"""Localizer losses: azimuth cross-entropy, permutation-invariant cross-entropy of two sources, elevation, count."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.localization.localizer import Localizer
from training.binaural.clip_sampler import ClipBatch
from training.binaural.targets import azimuth_target


def localizer_loss(localizer: Localizer, batch: ClipBatch, bf16: bool) -> tuple[Tensor, Tensor]:
    """(total, azimuth cross-entropy). Cues are computed in float32: half precision would destroy phases."""
    with torch.no_grad():
        cues = localizer.cues(batch.waveform)
    with torch.autocast(batch.waveform.device.type, torch.bfloat16, enabled=bf16):
        output = localizer.forward_cues(cues)
    azimuths_deg = localizer.config.azimuths_deg.to(batch.azimuth.device)
    target = azimuth_target(batch.azimuth, azimuths_deg)
    azimuth = -(target * output.azimuth[:, 0].float().log_softmax(dim=1)).sum(dim=1).mean()
    elevation = F.cross_entropy(output.elevation[:, 0].float(), batch.elevation)
    two = ~batch.azimuth[:, 1].isnan()
    second = F.binary_cross_entropy_with_logits(output.second[:, 0].float(), two.float())
    pair = pair_loss(output.pair[two, 0].float(), batch.azimuth[two], azimuths_deg)
    return azimuth + 0.5 * pair + 0.2 * elevation + 0.4 * second, azimuth.detach()


def pair_loss(logits: Tensor, azimuth: Tensor, azimuths_deg: Tensor) -> Tensor:
    """(N, 2, bins), (N, 2) degrees -> mean cross-entropy in the better of both orders (permutation-invariant training,
    Yu et al. 2017)."""
    if len(logits) == 0:
        return logits.sum()
    targets = torch.stack([azimuth_target(azimuth[:, [i]], azimuths_deg) for i in (0, 1)], dim=1)  # (N, 2, bins)
    log_probability = logits.log_softmax(dim=2)
    straight, crossed = (-(target * log_probability).sum(dim=2).mean(dim=1) for target in (targets, targets.flip(1)))
    return torch.minimum(straight, crossed).mean()
