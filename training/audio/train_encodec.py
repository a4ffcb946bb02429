"""Train a small EnCodec (Defossez et al. 2022): waveform -> residual vector quantisation -> waveform.

Notable: layer-sequential unit variance at the start. The first part of the run has no codebooks: it is an autoencoder
with a little noise on its frames, so that neighbouring frames get similar meanings. Then k-means on encoder outputs
fills the codebooks (at random init they are all zero), exponential averages move them, dead codes are replaced by live
encoder outputs, and gradients pass straight through to the encoder, which learns more slowly from then on. The
commitment loss is relative to the frames' own variance (an absolute one would reward shrinking). The number of
codebooks is drawn anew for each excerpt, so that the first four alone give sound too. Quiet passages are left out of
the loss at first (their gradient outweighs that of sound) and included later, otherwise they would hiss.

    python -m training.audio.train_encodec --data DIR --out checkpoints/encodec --minutes 60         # one CPU core
    python -m training.audio.train_encodec --data DIR --out runs/smoke --runs runs/smoke --minutes 0.2 --batch 2
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import EncodecModel
from transformers.models.encodec.modeling_encodec import EncodecConv1d, EncodecConvTranspose1d

from synesthesia.audio.tokens import TokenCodec, TokenCodecConfig, init_codebooks
from training.audio.spectral_losses import MultiResolutionLoss
from training.common.audio_data import SoundStore, crop_samplers
from training.common.cli import run
from training.common.fit import Learner, ParamGroup, Step, TrainOptions, check_loaded, fit, start
from training.common.run_state import cosine_rate


@dataclass(frozen=True)
class EncodecTraining(TrainOptions):
    runs: Path = Path("runs/encodec")
    minutes: float = 60.0
    batch: int = 6
    samples: int = 10_240  # 0.64 s
    rate: float = 1.5e-3
    codebooks_from: float = 0.5  # share of the run after which sound passes through the codebooks
    encoder_slower: float = 0.2  # the encoder's share of the rate from then on
    fine_from: float = 0.6  # share after which the spectra are compared down to -60 dB instead of -40
    frame_noise: float = 0.1  # before then, relative to the deviation of the frames
    commitment: float = 0.25
    decay: float = 0.98  # of the codebooks' averages
    model: TokenCodecConfig = field(default_factory=TokenCodecConfig)


def quantised(
    model: EncodecModel, hidden: Tensor, counts: Tensor, decay: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Encoder output (B, D, F), codebooks to use of each (B,) -> (straight-through quantised (B, D, F), commitment
    loss relative to the output's variance). The codebooks learn too."""
    residual = hidden.detach()
    total = torch.zeros_like(residual)
    for number, layer in enumerate(model.quantizer.layers[: int(counts.max())]):
        used = counts > number  # (B,)
        codes = layer.encode(residual)  # (B, F)
        chosen = layer.decode(codes) * used[:, None, None]  # (B, D, F)
        _learn(layer.codebook, residual[used].transpose(1, 2).flatten(0, 1), codes[used].flatten(), decay, rng)
        total, residual = total + chosen, residual - chosen
    loss = F.mse_loss(hidden, total) / hidden.detach().var().clamp(min=1e-6)
    return hidden + (total - hidden).detach(), loss


@torch.no_grad()
def _learn(book: torch.nn.Module, points: Tensor, codes: Tensor, decay: float, rng: np.random.Generator) -> None:
    """Move codes to the running mean of their points (N, D); replace a few that have died."""
    count = book.codebook_size
    members = torch.bincount(codes, minlength=count).float()
    sums = torch.zeros_like(book.embed_avg).index_add_(0, codes, points)
    book.cluster_size.mul_(decay).add_(members, alpha=1 - decay)
    book.embed_avg.mul_(decay).add_(sums, alpha=1 - decay)
    dead = (book.cluster_size < 0.02).nonzero().flatten()[:8]
    if len(dead):
        chosen = torch.from_numpy(rng.integers(0, len(points), len(dead)))
        book.embed_avg[dead], book.cluster_size[dead] = points[chosen] * 0.2, 0.2
    book.embed.copy_(book.embed_avg / book.cluster_size.clamp(min=1e-4)[:, None])


@torch.no_grad()
def unit_variance_init(model: EncodecModel, waveform: Tensor) -> None:
    """Scale every convolution of a random model so that (B, 1, n) keeps a deviation of 1 on its way through.

    Layer-sequential unit variance (Mishkin and Matas 2015). At transformers' own initialisation the signal grows from
    layer to layer, saturates the LSTM, and the encoder ends as a constant.
    """
    last = model.decoder.layers[-1]
    inner = {
        block.block[-1] for half in (model.encoder, model.decoder) for block in half.layers if hasattr(block, "block")
    }

    def scale(layer: torch.nn.Module, _inputs: object, output: Tensor) -> Tensor:
        deviation = 0.1 if layer is last else 0.3 if layer in inner else 1.0
        factor = deviation / output.std().clamp(min=1e-6)
        layer.conv.parametrizations.weight.original0.mul_(factor)
        layer.conv.bias.mul_(factor)
        return output * factor

    kinds = (EncodecConv1d, EncodecConvTranspose1d)
    hooks = [layer.register_forward_hook(scale) for layer in model.modules() if isinstance(layer, kinds)]
    model.decoder(model.encoder(waveform))
    for hook in hooks:
        hook.remove()


def wave_loss(spectral: MultiResolutionLoss, decoded: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Spectral loss plus the waveform's L1, both at one level for every crop, (B, n) each -> (total, log-mel L1)."""
    gain = 0.1 / target.square().mean(dim=1, keepdim=True).sqrt().clamp(min=0.003)
    total, mel = spectral(gain * decoded, gain * target)
    return total + 1.0 * F.l1_loss(gain * decoded, gain * target), mel


@torch.no_grad()
def evaluate(codec: TokenCodec, waves: Tensor, spectral: MultiResolutionLoss, quantise: bool = True) -> float:
    """Log-mel L1 of the round trip, through all codebooks or none; waves (N, n)."""
    wave = waves[:, None]
    decoded = codec.decode(codec.encode(wave)) if quantise else codec.model.decoder(codec.model.encoder(wave))
    return float(spectral(decoded[:, 0, : waves.shape[1]], waves)[1])


def main(config: EncodecTraining) -> TokenCodec:
    """Train, resume if `runs` holds a state, save to `out`; returns the averaged, loaded-back codec."""
    accelerator, rng = start(config.seed)
    device = accelerator.device
    train, val = crop_samplers(SoundStore.open(config.data, config.cache, config.limit), rng)
    val_waves = val.wave_crops(32, config.samples, mix=0.0)[0].to(device)
    model = config.model.build()
    model.train()
    unit_variance_init(model, train.wave_crops(16, config.samples, gain_db=12.0)[0][:, None])
    coarse, fine = (MultiResolutionLoss(((1024, 256), (256, 64)), floor, floor).to(device) for floor in (1e-2, 1e-3))
    full = MultiResolutionLoss().to(device)

    def codebooks_used() -> bool:
        return bool(model.quantizer.layers[0].codebook.cluster_size.sum() > 0)

    def encoder_schedule(progress: float) -> float:
        return cosine_rate(progress) * (config.encoder_slower if codebooks_used() else 1.0)

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        if step.progress >= config.codebooks_from and not codebooks_used():
            waves, _ = train.wave_crops(160, config.samples)
            init_codebooks(model, waves[:, None].to(device), torch.Generator().manual_seed(config.seed))
        waves = train.wave_crops(config.batch, config.samples, gain_db=12.0)[0].to(device)
        hidden = model.encoder(waves[:, None])  # (B, D, F)
        commitment = hidden.new_zeros(())
        if codebooks_used():
            counts = rng.integers(min(4, config.model.codebooks), config.model.codebooks + 1, len(waves))
            hidden, commitment = quantised(model, hidden, torch.from_numpy(counts).to(device), config.decay, rng)
        else:
            hidden = hidden + config.frame_noise * hidden.detach().std() * torch.randn_like(hidden)
        decoded = model.decoder(hidden)[:, 0, : config.samples]  # (B, n)
        loss, mel_error = wave_loss(coarse if step.progress < config.fine_from else fine, decoded, waves)
        loss = loss + config.commitment * commitment
        return loss, {"loss": loss, "log_mel_l1": mel_error, "commitment": commitment}

    def check() -> dict[str, float]:
        if codebooks_used():
            TokenCodec(model).save(config.out)
        return {"held_out_log_mel_l1": evaluate(TokenCodec(model), val_waves, full, quantise=codebooks_used())}

    groups = [
        ParamGroup(list(model.encoder.parameters()), config.rate, schedule=encoder_schedule),
        ParamGroup(list(model.decoder.parameters()), config.rate),
    ]
    # the codebooks are slow averages already, so the average of the weights leaves them out
    averaged = nn.ModuleDict({"encoder": model.encoder, "decoder": model.decoder})
    learner = Learner(model, groups, betas=(0.8, 0.98), clip_norm=10.0)
    fit(config.frame(20, 400), learner, step_loss, averaged=averaged, on_check=check, generators={"rng": rng},
        accelerator=accelerator)  # fmt: skip
    if accelerator.is_main_process:
        codec = TokenCodec(model)
        codec.save(config.out)
        before, after = (evaluate(c, val_waves, full) for c in (codec, TokenCodec.load(config.out).to(device)))
        check_loaded(config.runs, "held_out_log_mel_l1", before, after, tolerance=0.05 * max(before, 0.1))
    accelerator.wait_for_everyone()
    return TokenCodec.load(config.out)


if __name__ == "__main__":
    run(main, EncodecTraining, __doc__)
