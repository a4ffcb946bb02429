"""The path "tap" without a state: from frozen features and a blow straight to modes and noise, learnt from sounds.

The baseline that says what the physics between is good for. It sees through a trunk like the physics adapter's own
(`hearing.physics_net`), and what leaves it is 24 modes and one noise; nothing in between has a name or a unit.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.core.errors import UserError
from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.impact.modal import level
from synesthesia.impact.modal.contact import MALLETS, MalletName
from synesthesia.impact.modal.modal_bank import Modes, synthesise
from synesthesia.impact.physics_net import BackboneFeatures, PhysicsNet, PhysicsNetConfig
from synesthesia.impact.predictor import backbone_features
from synesthesia.impact.render import fade_out
from synesthesia.vision.grid import PatchGrid
from training.impact.band_energies import Parts, coloured, levelled, points

HZ = (40.0, 7200.0)  # up to where `modal_bank` fades modes out
DECAY_PER_S = (0.7, 3000.0)
GAIN = (1e-7, 3.0)
NOISE_LEVEL, NOISE_CORNER_HZ, NOISE_T60_S = (1e-7, 1.0), (30.0, 8000.0), (0.005, 1.5)
STEEPEST_DB = 24.0  # per octave, of the noise above its corner
NOISE = 4  # numbers that tell the noise: level, corner, slope, ring time
USUAL_FORCE_N, FORCE_SPREAD = 5.5, 1.0  # middle and deviation of the logarithm
USUAL_GAIN = 0.7  # log odds, on the scale of GAIN, at which training begins
VARIED_DB = 0.5  # of a mode's gain, from blow to blow, as `strike.Variation`


@dataclass(frozen=True)
class DirectConfig:
    """net: of the trunk; modes: that it answers with; hidden: of the perceptron."""

    net: PhysicsNetConfig = field(default_factory=PhysicsNetConfig)
    modes: int = 24
    hidden: int = 256


class DirectNet(nn.Module):
    start: Tensor

    def __init__(self, config: DirectConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = PhysicsNet(config.net)
        del self.trunk.material, self.trunk.codebook, self.trunk.geometry  # what makes a state of it
        known, hidden, numbers = 2 * config.net.width + 1 + len(MALLETS), config.hidden, 3 * config.modes + NOISE
        self.head = nn.Sequential(
            nn.Linear(known, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, numbers)
        )
        start = torch.zeros(numbers)
        start[: config.modes] = torch.logit(torch.linspace(0.04, 0.96, config.modes))
        start[2 * config.modes : 3 * config.modes + 1] = USUAL_GAIN
        self.register_buffer("start", start)

    def tokens(self, views: BackboneFeatures) -> Tensor:
        """(B, N, 2 W): each patch after it has heard of the others, and before."""
        entered, known = self.trunk.tokens(views)
        return torch.cat([known, entered], dim=-1)

    def forward(self, tokens: Tensor, force_n: Tensor, mallet: Tensor) -> Parts:
        """(R, 2 W) patches, (R,) newtons, (R,) numbers of MALLETS -> what they sound like."""
        force = (force_n / USUAL_FORCE_N).log() / FORCE_SPREAD
        told = torch.cat([tokens, force[:, None], F.one_hot(mallet, len(MALLETS)).to(tokens)], dim=1)
        modes = self.config.modes
        hz, decay, gain, noise = (self.head(told) + self.start).split([modes, modes, modes, NOISE], dim=1)
        loud, corner, slope, ring = noise.unbind(dim=1)
        hiss = coloured(between(NOISE_CORNER_HZ, corner), -STEEPEST_DB * slope.sigmoid())
        never_late = torch.zeros_like(hz)
        return Parts(
            between(HZ, hz), between(DECAY_PER_S, decay), between(GAIN, gain), never_late,
            levelled(hiss, between(NOISE_LEVEL, loud) ** 2)[:, None],
            math.log(1000) / between(NOISE_T60_S, ring)[:, None], never_late[:, :1],
        )  # fmt: skip


def between(ends: tuple[float, float], odds: Tensor) -> Tensor:
    """From log odds to a quantity that lies between the ends, evenly by ratio."""
    low, high = (math.log(end) for end in ends)
    return torch.exp(low + (high - low) * odds.sigmoid())


class DirectPath:
    """A trained DirectNet, and the sounds that it gives places of photographs."""

    def __init__(self, net: DirectNet) -> None:
        self.net = net.eval().requires_grad_(False)
        self._seen: tuple[str, Tensor] = ("", torch.empty(0))

    @classmethod
    def load(cls, folder: Path) -> DirectPath:
        """Reads what `save` wrote. UserError when a file is missing."""
        try:
            told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            tensors = load_file(folder / "model.safetensors")
        except FileNotFoundError as error:
            raise UserError(
                f"The folder {folder} is incomplete; train it with training.impact.train_direct."
            ) from error
        trunk = PhysicsNetConfig(**told["net"] | {"early": tuple(told["net"]["early"])})
        net = DirectNet(DirectConfig(trunk, told["modes"], told["hidden"]))
        net.load_state_dict(tensors)
        return cls(net)

    def save(self, folder: Path) -> None:
        """Writes config.json and model.safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: value.contiguous() for name, value in self.net.state_dict().items()},
                  folder / "model.safetensors")  # fmt: skip
        (folder / "config.json").write_text(json.dumps(asdict(self.net.config), indent=1) + "\n", encoding="utf-8")

    @torch.inference_mode()
    def sound(
        self, grid: PatchGrid, row: int, col: int, force_n: float, mallet: MalletName, seconds: float, seed: int
    ) -> np.ndarray:
        """(samples,) float32 in [-1, 1] at 16 kHz. The same seed gives the same samples, another one another blow."""
        if self._seen[0] != grid.key:
            self._seen = (grid.key, self.net.tokens(backbone_features(grid))[0])
        patch = self._seen[1][row * grid.cols + col][None]
        parts = self.net(patch, torch.tensor([float(force_n)]), torch.tensor([MALLETS.index(mallet)]))
        return fade_out(sounded(parts, round(seconds * SAMPLE_RATE_HZ), seed), SAMPLE_RATE_HZ)


def sounded(parts: Parts, samples: int, seed: int) -> np.ndarray:
    """One blow whose parts all begin at once -> (samples,) float32 in [-1, 1]."""
    random = torch.Generator().manual_seed(seed)
    varied = 10 ** (VARIED_DB / 20 * torch.randn(parts.gains.shape, generator=random))
    ringing = synthesise(Modes(parts.hz, parts.decays_per_s, parts.gains * varied), samples, SAMPLE_RATE_HZ)
    spectrum = torch.fft.rfft(torch.randn(samples, generator=random))
    hz, wide = (part.numpy() for part in points())
    density = (parts.bands[0, 0] / torch.from_numpy(wide)).sqrt().numpy()
    shape = np.interp(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ), hz, density)
    grains = torch.fft.irfft(spectrum * torch.from_numpy(shape).float(), n=samples)
    loudness = (parts.bands[0, 0].sum() / grains.square().mean().clamp(min=1e-30)).sqrt()
    hiss = loudness * grains * torch.exp(-parts.bands_decay_per_s[0, 0] * torch.arange(samples) / SAMPLE_RATE_HZ)
    return level.limited(ringing + hiss)[0].numpy().astype(np.float32)
