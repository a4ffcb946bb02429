"""Train the localiser on real sounds heard through measured heads, in the open and in rooms.

    python -m training.train_localiser --data DIR --out checkpoints/localiser --minutes 60          # one CPU core
    python -m training.train_localiser --data DIR --out runs/smoke --minutes 0.3 --bank 60          # smoke run

A bank of responses (head x direction x room) is computed once; every step convolves new excerpts with responses drawn
from it, adds a second source, diffuse noise, dullness, and a small mismatch of the two channels. Validation heads and
held-out recordings never enter. At the end the temperature and the interval's mass are fitted on clips kept aside
(training heads, held-out sounds).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchaudio.functional import fftconvolve

from synesthesia.spatial.geometry import within
from synesthesia.spatial.localiser import ELEVATION_EDGES_DEG, Localiser, LocaliserConfig, mirror, shortest_arc
from training.audio_data import SoundStore, read_manifest
from training.heads import load_heads
from training.placing import place
from training.response_bank import Bank, bank
from training.run_log import Clock, Ema, JsonlLog, cosine_rate, load_state, random_stream, save_state

RATE_HZ = 16_000
SECONDS = ((0.25, 0.2), (0.6, 0.25), (1.0, 0.4), (1.6, 0.15))  # of an excerpt and how often
CLIP_SECONDS_A_STEP = 32.0
TARGET_SPREAD_DEG = 3.0


@dataclass(frozen=True)
class LocaliserTraining:
    data: Path
    out: Path
    runs: Path = Path("runs/localiser")
    cache: Path = Path("runs/cache")
    minutes: float = 60.0
    steps: int = 1_000_000
    bank: int = 9_000
    rate: float = 2e-3
    ema: float = 0.998
    second_share: float = 0.25
    seed: int = 0
    bf16: bool = True
    limit: int = 0


@dataclass(frozen=True)
class Batch:
    """waveform: (B, 2, n); azimuth: (B, 2) degrees, the second nan when there is one source; elevation: (B,) band."""

    waveform: Tensor
    azimuth: Tensor
    elevation: Tensor

    def mirrored(self, which: Tensor) -> Batch:
        """Ears swapped for the clips of `which` (B,) bool."""
        waveform = torch.where(which[:, None, None], self.waveform.flip(1), self.waveform)
        return Batch(waveform, torch.where(which[:, None], -self.azimuth, self.azimuth), self.elevation)


class Scenes:
    """Draws clips: excerpts of some recordings through responses of some heads."""

    def __init__(self, store: SoundStore, rows: list[int], responses: Bank, rng: np.random.Generator) -> None:
        self.store, self.responses, self.rng = store, responses, rng
        self.rows = np.array(rows)
        labels = [store.clips[i].label for i in rows]
        weight = np.array([labels.count(label) ** -0.5 for label in labels])
        self.probability = weight / weight.sum()

    def sounds(self, count: int, samples: int) -> Tensor:
        """(count, samples) excerpts with sound in them, RMS 1."""
        made = [self._sound(int(row), samples) for row in self.rng.choice(self.rows, size=count, p=self.probability)]
        return torch.from_numpy(np.stack(made))

    def _sound(self, row: int, samples: int) -> np.ndarray:
        whole = self.store.waveform(row)
        loudest = np.abs(whole).max()
        for _ in range(6):
            sound = place(whole, samples, self.rng)
            if np.sqrt(np.square(sound).mean()) > 0.02 * loudest:
                break
        return (sound / max(float(np.sqrt(np.square(sound).mean())), 1e-4)).astype(np.float32)

    def draw(self, count: int, seconds: float, second_share: float) -> Batch:
        rng, samples = self.rng, int(seconds * RATE_HZ)
        first = self.responses.draw(rng, count)
        heard = self._through(self.sounds(count, samples), first)
        azimuth = torch.full((count, 2), float("nan"))
        azimuth[:, 0] = torch.from_numpy(self.responses.azimuth_deg[first])
        two = np.flatnonzero(rng.random(count) < second_share)
        if len(two):
            others = self.responses.companion(rng, first[two])
            level = torch.from_numpy(10 ** (rng.uniform(-6, 3, (len(two), 1, 1)) / 20)).float()
            heard[two] = heard[two] + level * self._through(self.sounds(len(two), samples), others)
            azimuth[two, 1] = torch.from_numpy(self.responses.azimuth_deg[others])
        heard = self._spoiled(heard)
        band = np.digitize(self.responses.elevation_deg[first], ELEVATION_EDGES_DEG)
        return Batch(heard, azimuth, torch.from_numpy(band))

    def _through(self, sounds: Tensor, rows: np.ndarray) -> Tensor:
        """(B, n) through responses -> (B, 2, n), as loud as it was at the louder ear."""
        made = fftconvolve(sounds[:, None].expand(-1, 2, -1), self.responses.responses(rows))[..., : sounds.shape[1]]
        level = made.square().mean(dim=2, keepdim=True).amax(dim=1, keepdim=True).sqrt()
        return made / level.clamp(min=1e-4)

    def _spoiled(self, heard: Tensor) -> Tensor:
        """Diffuse noise at 0 to 40 dB, dullness, unequal microphones, microphone noise: each on a share."""
        rng, count, samples = self.rng, len(heard), heard.shape[2]
        snr_db = np.where(rng.random(count) < 0.55, rng.uniform(-3, 30, count), 60.0)
        noise = self.responses.noise(rng, count, samples)  # (B, 2, n), RMS 1
        level = heard.square().mean(dim=(1, 2)).sqrt().numpy() * 10 ** (-snr_db / 20)
        heard = heard + noise * torch.from_numpy(level).float()[:, None, None]
        dull = torch.from_numpy(rng.random(count) < 0.15)
        if dull.any():
            cut = torch.from_numpy(rng.uniform(0.05, 0.5, count)).float()  # of the Nyquist frequency
            share = torch.linspace(0, 1, samples // 2 + 1)
            low_pass = 1 / (1 + (share / cut[:, None]) ** 8)
            filtered = torch.fft.irfft(torch.fft.rfft(heard) * low_pass[:, None], n=samples)
            heard = torch.where(dull[:, None, None], filtered, heard)
        mismatch = torch.from_numpy(10 ** (rng.normal(0, 0.4, (count, 2, 1)) / 20)).float()
        hiss = 10 ** torch.from_numpy(rng.uniform(-70, -35, (count, 1, 1)) / 20).float()
        return heard * mismatch + hiss * torch.randn(heard.shape)


def azimuth_target(azimuth: Tensor, azimuths_deg: Tensor) -> Tensor:
    """(B, 2) degrees (nan: none) -> (B, bins): one circular bell a source, equal shares."""
    away = (azimuths_deg[None, None] - azimuth[:, :, None] + 180.0) % 360.0 - 180.0  # (B, 2, bins)
    bell = torch.exp(-0.5 * (away / TARGET_SPREAD_DEG) ** 2).nan_to_num(0.0)
    bell = bell / bell.sum(dim=2, keepdim=True).clamp(min=1e-9)
    total = bell.sum(dim=1)
    return total / total.sum(dim=1, keepdim=True)


def loss_of(localiser: Localiser, batch: Batch, bf16: bool) -> tuple[Tensor, Tensor]:
    """(total, azimuth cross-entropy). The cues are formed in full precision: phases would not survive half of it."""
    with torch.no_grad():
        cues = localiser.cues(batch.waveform)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        answer = localiser.answer(cues)
    target = azimuth_target(batch.azimuth, localiser.config.azimuths_deg)
    azimuth = -(target * answer.azimuth[:, 0].float().log_softmax(dim=1)).sum(dim=1).mean()
    elevation = F.cross_entropy(answer.elevation[:, 0].float(), batch.elevation)
    two = (~batch.azimuth[:, 1].isnan()).float()
    second = F.binary_cross_entropy_with_logits(answer.second[:, 0].float(), two)
    return azimuth + 0.2 * elevation + 0.4 * second, azimuth.detach()


@torch.no_grad()
def fit_certainty(localiser: Localiser, scenes: Scenes, clips: int = 600) -> LocaliserConfig:
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


def main(config: LocaliserTraining) -> Localiser:
    """Train, resume if `runs` holds a state, fit the certainty, save to `out`; returns the loaded-back localiser."""
    torch.manual_seed(config.seed)
    rng = random_stream(config.runs, config.seed)
    clips = read_manifest(config.data)[: config.limit or None]
    store = SoundStore(config.data, clips, config.cache)
    heads = [head for head in load_heads(config.data) if head.split == "train"]
    responses = bank(heads, config.bank, config.cache, config.seed)
    train_rows = [i for i, clip in enumerate(clips) if clip.split == "train"]
    aside_rows = [i for i, clip in enumerate(clips) if clip.split == "val"] or train_rows
    train, aside = Scenes(store, train_rows, responses, rng), Scenes(store, aside_rows, responses, rng)
    localiser = Localiser(LocaliserConfig())
    average = Localiser(LocaliserConfig()).eval()
    optimiser = torch.optim.AdamW(localiser.parameters(), lr=config.rate, betas=(0.9, 0.98), weight_decay=0.02)
    ema = Ema(localiser, config.ema)
    step, spent_s = load_state(config.runs, {"localiser": localiser}, {"localiser": optimiser}, ema)
    clock, log = Clock(config.minutes, config.steps, spent_s, step), JsonlLog(config.runs)
    log.write(step=step, parameters=sum(p.numel() for p in localiser.parameters()), responses=len(responses))
    lengths, shares = [seconds for seconds, _ in SECONDS], [share for _, share in SECONDS]
    losses: list[float] = []
    for step in clock:
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(clock.progress, config.rate)
        seconds = float(rng.choice(lengths, p=shares))
        batch = train.draw(max(2, int(CLIP_SECONDS_A_STEP / seconds / 1.5)), seconds, config.second_share)
        batch = batch.mirrored(torch.from_numpy(rng.random(len(batch.elevation)) < 0.5))
        loss, azimuth = loss_of(localiser, batch, config.bf16)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(localiser.parameters(), 2.0)
        optimiser.step()
        ema.update(localiser)
        losses.append(float(azimuth))
        if step % 50 == 0:
            log.write(step=step, progress=clock.progress, azimuth_loss=float(np.mean(losses)))
            losses = []
        if step % 1000 == 999:
            save_state(config.runs, {"localiser": localiser}, {"localiser": optimiser}, ema, clock)
            average.load_state_dict(ema.values)
            average.save(config.out)
    save_state(config.runs, {"localiser": localiser}, {"localiser": optimiser}, ema, clock)
    average.load_state_dict(ema.values)
    average.config = fit_certainty(average, aside)
    average.save(config.out)
    loaded = Localiser.load(config.out)
    log.write(step=clock.step, temperature=loaded.config.temperature, interval_mass=loaded.config.interval_mass)
    return loaded


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for name in ("runs", "cache"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("steps", "bank", "limit", "seed"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--minutes", type=float)
    given = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    main(LocaliserTraining(**given))
