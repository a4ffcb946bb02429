"""Impact sounds without a physics state: frozen features and a strike -> parameters of a sines-plus-noise model.

The baseline that shows what the physics state is good for. Its trunk is that of the physics adapter (`PhysicsNet`); its
output are 24 modes and one noise, and nothing in between has a name or a unit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.core.vocabulary import MALLETS, MalletName
from synesthesia.impact.modal.modal_bank import Modes, synthesize_modes
from synesthesia.impact.modal.strike import soft_limit_peak
from synesthesia.impact.physics_net import BackboneFeatures, PhysicsNet, PhysicsNetConfig
from synesthesia.impact.predictor import backbone_features
from synesthesia.impact.render import fade_out
from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint
from synesthesia.vision.grid import PatchGrid
from training.impact.band_energies import SinesAndNoise, noise_frequencies, noise_spectrum, scale_to_power

HZ = (40.0, 7200.0)  # to where `modal_bank` fades modes out
DECAY_PER_S = (0.7, 3000.0)
GAIN = (1e-7, 3.0)
NOISE_LEVEL, NOISE_CORNER_HZ, NOISE_T60_S = (1e-7, 1.0), (30.0, 8000.0), (0.005, 1.5)
STEEPEST_DB = 24.0  # per octave, of the noise above its corner
NOISE = 4  # parameters of the noise: level, corner, slope, T60
MEAN_FORCE_N, FORCE_STD = 5.5, 1.0  # geometric mean; standard deviation of the logarithm
INITIAL_GAIN = 0.7  # log odds on the scale of GAIN
VARIATION_DB = 0.5  # of a mode's gain between strikes, as in `strike.Variation`
STORED = {"trunk.doubts": "trunk.temperatures"}  # attributes by stored tensor name, where it differs


@dataclass(frozen=True)
class DirectConfig:
    """net: of the trunk; modes: in the output; hidden: width of the perceptron."""

    net: PhysicsNetConfig = field(default_factory=PhysicsNetConfig)
    modes: int = 24
    hidden: int = 256


class DirectNet(nn.Module):
    start: Tensor

    def __init__(self, config: DirectConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = PhysicsNet(config.net)
        del self.trunk.material, self.trunk.codebook, self.trunk.geometry  # the heads of the physics state
        inputs, hidden, outputs = 2 * config.net.width + 1 + len(MALLETS), config.hidden, 3 * config.modes + NOISE
        self.head = nn.Sequential(
            nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, outputs)
        )
        start = torch.zeros(outputs)
        start[: config.modes] = torch.logit(torch.linspace(0.04, 0.96, config.modes))
        start[2 * config.modes : 3 * config.modes + 1] = INITIAL_GAIN
        self.register_buffer("start", start)

    def tokens(self, views: BackboneFeatures) -> Tensor:
        """(B, N, 2 W): each patch after and before the transformer."""
        before, after = self.trunk.tokens(views)
        return torch.cat([after, before], dim=-1)

    def forward(self, tokens: Tensor, force_n: Tensor, mallet: Tensor) -> SinesAndNoise:
        """(R, 2 W) patches, (R,) newtons, (R,) indices of MALLETS -> their sounds."""
        force = (force_n / MEAN_FORCE_N).log() / FORCE_STD
        inputs = torch.cat([tokens, force[:, None], F.one_hot(mallet, len(MALLETS)).to(tokens)], dim=1)
        modes = self.config.modes
        hz, decay, gain, noise = (self.head(inputs) + self.start).split([modes, modes, modes, NOISE], dim=1)
        level, corner, slope, t60 = noise.unbind(dim=1)
        spectrum = noise_spectrum(log_interpolate(NOISE_CORNER_HZ, corner), -STEEPEST_DB * slope.sigmoid())
        no_delay = torch.zeros_like(hz)
        return SinesAndNoise(
            log_interpolate(HZ, hz), log_interpolate(DECAY_PER_S, decay), log_interpolate(GAIN, gain), no_delay,
            scale_to_power(spectrum, log_interpolate(NOISE_LEVEL, level) ** 2)[:, None],
            math.log(1000) / log_interpolate(NOISE_T60_S, t60)[:, None], no_delay[:, :1],
        )  # fmt: skip


def log_interpolate(ends: tuple[float, float], odds: Tensor) -> Tensor:
    """Log odds -> a quantity between the ends, on a logarithmic scale."""
    low, high = (math.log(end) for end in ends)
    return torch.exp(low + (high - low) * odds.sigmoid())


class DirectModel:
    """A trained DirectNet that strikes patches of photographs."""

    def __init__(self, net: DirectNet) -> None:
        self.net = net.eval().requires_grad_(False)
        self._tokens: tuple[str, Tensor] = ("", torch.empty(0))  # of the last photograph, by its key

    @classmethod
    def load(cls, folder: Path) -> DirectModel:
        """Reads what `save` wrote. UserError when a file is missing."""
        config, tensors = load_checkpoint(
            folder, what="The baseline's folder", trained_by="training.impact.train_direct"
        )
        trunk = PhysicsNetConfig(**config["net"] | {"early": tuple(config["net"]["early"])})
        net = DirectNet(DirectConfig(trunk, config["modes"], config["hidden"]))
        net.load_state_dict({STORED.get(name, name): value for name, value in tensors.items()})
        return cls(net)

    def save(self, folder: Path) -> None:
        """Writes config.json and model.safetensors."""
        stored = {name: stored for stored, name in STORED.items()}
        tensors = {stored.get(name, name): value for name, value in self.net.state_dict().items()}
        save_checkpoint(folder, self.net.config, tensors)

    @torch.inference_mode()
    def sound(
        self, grid: PatchGrid, row: int, col: int, force_n: float, mallet: MalletName, seconds: float, seed: int
    ) -> np.ndarray:
        """(samples,) float32 in [-1, 1] at 16 kHz. The same seed gives the same samples."""
        if self._tokens[0] != grid.key:
            self._tokens = (grid.key, self.net.tokens(backbone_features(grid))[0])
        patch = self._tokens[1][row * grid.cols + col][None]
        sounds = self.net(patch, torch.tensor([float(force_n)]), torch.tensor([MALLETS.index(mallet)]))
        return fade_out(synthesize_direct(sounds, round(seconds * SAMPLE_RATE_HZ), seed), SAMPLE_RATE_HZ)


def synthesize_direct(sounds: SinesAndNoise, samples: int, seed: int) -> np.ndarray:
    """One sound without delays -> (samples,) float32 in [-1, 1]."""
    random = torch.Generator().manual_seed(seed)
    varied = sounds.gains * 10 ** (VARIATION_DB / 20 * torch.randn(sounds.gains.shape, generator=random))
    ringing = synthesize_modes(Modes(sounds.hz, sounds.decays_per_s, varied), samples, SAMPLE_RATE_HZ)
    spectrum = torch.fft.rfft(torch.randn(samples, generator=random))
    hz, bandwidth = (part.numpy() for part in noise_frequencies())
    density = (sounds.bands[0, 0] / torch.from_numpy(bandwidth)).sqrt().numpy()
    shape = np.interp(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ), hz, density)
    noise = torch.fft.irfft(spectrum * torch.from_numpy(shape).float(), n=samples)
    level = (sounds.bands[0, 0].sum() / noise.square().mean().clamp(min=1e-30)).sqrt()
    fall = torch.exp(-sounds.bands_decay_per_s[0, 0] * torch.arange(samples) / SAMPLE_RATE_HZ)
    return soft_limit_peak(ringing + level * noise * fall)[0].numpy().astype(np.float32)
