"""Calibration of the localizer: temperature scaling, then split conformal prediction for the 90 % interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from synesthesia.binaural.geometry import in_arc
from synesthesia.localization.localizer import Localizer, LocalizerConfig, mirror, shortest_arc
from training.binaural.clip_sampler import ClipSampler
from training.binaural.targets import azimuth_target

BATCH = 20
COVERAGE = 0.9


@torch.no_grad()
def calibrated(localizer: Localizer, sampler: ClipSampler, clips: int = 600) -> LocalizerConfig:
    """The config with `temperature` by likelihood and `interval_mass`, that of the shortest arc which holds 90 % of
    single sources (Guo et al. 2017; Angelopoulos and Bates 2021).

    Half the clips last 1 s, the rest 0.25 to 1.5 s.
    """
    logits, truth = _outputs(localizer, sampler, clips)  # (2, N, bins), (N,)
    azimuths_deg = localizer.config.azimuths_deg
    target = azimuth_target(torch.stack([truth, torch.full_like(truth, float("nan"))], dim=1), azimuths_deg)

    def averaged(temperature: float) -> Tensor:
        return (logits / temperature).softmax(dim=2).mean(dim=0)

    temperatures = [0.5 * 1.06**k for k in range(26)]
    temperature = min(temperatures, key=lambda t: float(-(target * (averaged(t) + 1e-9).log()).sum(dim=1).mean()))
    distributions, azimuths = averaged(temperature).numpy(), azimuths_deg.numpy()
    for mass in np.arange(0.5, 0.9995, 0.005):
        arcs = [shortest_arc(row, azimuths, float(mass)) for row in distributions]
        covered = np.mean([in_arc(float(t), *arc) for t, arc in zip(truth, arcs, strict=True)])
        if covered >= COVERAGE:
            break
    return replace(localizer.config, temperature=round(temperature, 4), interval_mass=round(float(mass), 4))


def _outputs(localizer: Localizer, sampler: ClipSampler, clips: int) -> tuple[Tensor, Tensor]:
    """Azimuth logits (2, N, bins) of clips and mirror images (mirrored back), and the true azimuths (N,)."""
    logits, truth = [], []
    for number in range(clips // BATCH):
        seconds = 1.0 if number % 2 else float(sampler.rng.choice([0.25, 0.5, 1.5]))
        batch = sampler.draw(BATCH, seconds, second_share=0.0)
        cues = localizer.cues(batch.waveform)
        mirrored = mirror(localizer.forward_cues(cues.mirrored()).azimuth[:, 0])
        logits.append(torch.stack([localizer.forward_cues(cues).azimuth[:, 0], mirrored]))
        truth.append(batch.azimuth[:, 0])
    return torch.cat(logits, dim=1), torch.cat(truth)
