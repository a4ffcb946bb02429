"""Train the localiser on real sounds heard through measured heads, in the open and in rooms.

    python -m training.localization.train --data DIR --out checkpoints/localiser --minutes 60          # one CPU core
    torchrun --nproc-per-node 2 -m training.localization.train --data DIR --out checkpoints/localiser  # two cores
    python -m training.localization.train --data DIR --out runs/smoke --minutes 0.3 --bank 60          # smoke run

A bank of responses (head x direction x room) is computed once, another one in every process; every step convolves new
excerpts with responses drawn from it, adds a second source, diffuse noise, dullness, and a small mismatch of the two
channels. Validation heads and held-out recordings never enter. At the end the temperature and the interval's mass are
fitted on clips kept aside (training heads, held-out sounds).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.binaural.geometry import within
from synesthesia.localization.localizer import Localizer, LocalizerConfig, mirror, shortest_arc
from training.binaural.scenes import HISS_SHARE, Batch, Scenes, all_responses
from training.common import distributed
from training.common.audio_data import SoundStore, read_manifest
from training.common.run_state import Ema, JsonlLog, TimeBudget, cosine_rate, load_state, random_stream, save_state

SECONDS = ((0.25, 0.2), (0.6, 0.25), (1.0, 0.4), (1.6, 0.15))  # of an excerpt and how often
CLIP_SECONDS_A_STEP = 32.0
TARGET_SPREAD_DEG = 3.0
LOUDER_SHARE = 0.6  # of the distribution that the louder of two sources is taught to have


@dataclass(frozen=True)
class LocaliserTraining:
    data: Path
    out: Path
    runs: Path = Path("runs/localiser")
    cache: Path = Path("runs/cache")
    head: Path = Path("checkpoints/head")  # of the page's panel: one voice among the measured heads
    weights: Path | None = None  # of a localiser to go on from, when `runs` holds no state
    minutes: float = 60.0
    steps: int = 1_000_000
    bank: int = 14_400  # responses in rooms, and as many in the open
    rate: float = 2e-3
    ema: float = 0.998
    second_share: float = 0.4
    seed: int = 0
    bf16: bool = True
    limit: int = 0


def azimuth_target(azimuth: Tensor, azimuths_deg: Tensor) -> Tensor:
    """(B, 1 or 2) degrees (nan: none) -> (B, bins): one circular bell a source, the first (louder) one's larger."""
    away = (azimuths_deg[None, None] - azimuth[:, :, None] + 180.0) % 360.0 - 180.0  # (B, 1 or 2, bins)
    bell = torch.exp(-0.5 * (away / TARGET_SPREAD_DEG) ** 2).nan_to_num(0.0)
    bell = bell / bell.sum(dim=2, keepdim=True).clamp(min=1e-9)
    total = LOUDER_SHARE * bell[:, 0] + (1 - LOUDER_SHARE) * bell[:, 1:].sum(dim=1)
    return total / total.sum(dim=1, keepdim=True)


def loss_of(localiser: Localizer, batch: Batch, bf16: bool) -> tuple[Tensor, Tensor]:
    """(total, azimuth cross-entropy). The cues are formed in full precision: phases would not survive half of it."""
    with torch.no_grad():
        cues = localiser.cues(batch.waveform)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        answer = localiser.answer(cues)
    target = azimuth_target(batch.azimuth, localiser.config.azimuths_deg)
    azimuth = -(target * answer.azimuth[:, 0].float().log_softmax(dim=1)).sum(dim=1).mean()
    elevation = F.cross_entropy(answer.elevation[:, 0].float(), batch.elevation)
    two = ~batch.azimuth[:, 1].isnan()
    second = F.binary_cross_entropy_with_logits(answer.second[:, 0].float(), two.float())
    pair = pair_loss(answer.pair[two, 0].float(), batch.azimuth[two], localiser.config.azimuths_deg)
    return azimuth + 0.5 * pair + 0.2 * elevation + 0.4 * second, azimuth.detach()


def pair_loss(logits: Tensor, azimuth: Tensor, azimuths_deg: Tensor) -> Tensor:
    """(N, 2, bins), (N, 2) degrees -> the mean cross-entropy of the better of both orders (permutation-invariant
    training, Yu et al. 2017)."""
    if len(logits) == 0:
        return logits.sum()
    bells = torch.stack([azimuth_target(azimuth[:, [i]], azimuths_deg) for i in (0, 1)], dim=1)  # (N, 2, bins)
    said = logits.log_softmax(dim=2)
    straight, crossed = (-(target * said).sum(dim=2).mean(dim=1) for target in (bells, bells.flip(1)))
    return torch.minimum(straight, crossed).mean()


@torch.no_grad()
def fit_certainty(localiser: Localizer, scenes: Scenes, clips: int = 600) -> LocalizerConfig:
    """Temperature by likelihood, then the mass of the shortest arc that holds 90 % of single sources (split conformal).

    Half the clips last 1 s, the rest a quarter to one and a half seconds.
    """
    shares, truths = [], []
    plain = replace(localiser.config, temperature=1.0)
    localiser.config = plain
    for number in range(clips // 20):
        batch = scenes.draw(20, 1.0 if number % 2 else float(scenes.rng.choice([0.25, 0.5, 1.5])), 0.0)
        cues = localiser.cues(batch.waveform)
        pair = localiser.answer(cues).azimuth[:, 0], mirror(localiser.answer(cues.mirrored()).azimuth[:, 0])
        shares.append(torch.stack(pair))
        truths.append(batch.azimuth[:, 0])
    logits, truth = torch.cat(shares, dim=1), torch.cat(truths)  # (2, N, bins), (N,)
    target = azimuth_target(torch.stack([truth, torch.full_like(truth, float("nan"))], dim=1), plain.azimuths_deg)

    def both(heat: float) -> Tensor:
        return (logits / heat).softmax(dim=2).mean(dim=0)

    grid = [0.5 * 1.06**k for k in range(26)]
    heat = min(grid, key=lambda h: float(-(target * (both(h) + 1e-9).log()).sum(dim=1).mean()))
    share, azimuths = both(heat).numpy(), plain.azimuths_deg.numpy()
    for mass in np.arange(0.5, 0.9995, 0.005):
        arcs = [shortest_arc(row, azimuths, float(mass)) for row in share]
        held = np.mean([within(float(t), *arc) for t, arc in zip(truth, arcs, strict=True)])
        if held >= 0.9:
            break
    return replace(plain, temperature=round(heat, 4), interval_mass=round(float(mass), 4))


def main(config: LocaliserTraining) -> Localizer:
    """Train, resume if `runs` holds a state, fit the certainty, save to `out`; returns the loaded-back localiser."""
    torch.manual_seed(config.seed)
    number = distributed.rank()
    rng = random_stream(config.runs, config.seed + 7919 * number)
    clips = read_manifest(config.data)[: config.limit or None]
    store = SoundStore(config.data, clips, config.cache)
    responses = all_responses(config.data, config.head, config.bank, config.cache, config.seed + number)
    train_rows = [i for i, clip in enumerate(clips) if clip.split == "train"]
    aside_rows = [i for i, clip in enumerate(clips) if clip.split == "val"] or train_rows
    train, aside = Scenes(store, train_rows, responses, rng, HISS_SHARE), Scenes(store, aside_rows, responses, rng)
    localiser = Localizer(LocalizerConfig())
    if config.weights is not None:
        localiser.load_state_dict(Localizer.load(config.weights).state_dict())
    average = Localizer(LocalizerConfig()).eval()
    optimiser = torch.optim.AdamW(localiser.parameters(), lr=config.rate, betas=(0.9, 0.98), weight_decay=0.02)
    ema = Ema(localiser, config.ema)
    step, spent_s = load_state(config.runs, {"localiser": localiser}, {"localiser": optimiser}, ema)
    clock, log = TimeBudget(config.minutes, config.steps, spent_s, step), JsonlLog(config.runs if number == 0 else None)
    log.write(step=step, parameters=sum(p.numel() for p in localiser.parameters()), responses=len(responses))
    lengths, shares = [seconds for seconds, _ in SECONDS], [share for _, share in SECONDS]
    losses: list[float] = []
    for step, progress in distributed.steps(clock):
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(progress, config.rate)
        seconds = float(rng.choice(lengths, p=shares))
        batch = train.draw(max(2, int(CLIP_SECONDS_A_STEP / seconds / 1.5)), seconds, config.second_share)
        batch = batch.mirrored(torch.from_numpy(rng.random(len(batch.elevation)) < 0.5))
        loss, azimuth = loss_of(localiser, batch, config.bf16)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        distributed.average_gradients(localiser)
        torch.nn.utils.clip_grad_norm_(localiser.parameters(), 2.0)
        optimiser.step()
        ema.update(localiser)
        losses.append(float(azimuth))
        if number == 0 and step % 50 == 0:
            log.write(step=step, progress=progress, azimuth_loss=float(np.mean(losses)))
            losses = []
        if number == 0 and step % 1000 == 999:
            save_state(config.runs, {"localiser": localiser}, {"localiser": optimiser}, ema, clock)
            average.load_state_dict(ema.values)
            average.save(config.out)
    if number:
        return localiser
    save_state(config.runs, {"localiser": localiser}, {"localiser": optimiser}, ema, clock)
    average.load_state_dict(ema.values)
    average.config = fit_certainty(average, aside)
    average.save(config.out)
    loaded = Localizer.load(config.out)
    log.write(step=clock.step, temperature=loaded.config.temperature, interval_mass=loaded.config.interval_mass)
    return loaded


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for name in ("runs", "cache", "weights"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("steps", "bank", "limit", "seed"):
        parser.add_argument(f"--{name}", type=int)
    for name in ("minutes", "rate"):
        parser.add_argument(f"--{name}", type=float)
    given = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    main(LocaliserTraining(**given))
