"""Train the small EnCodec: waveform -> residual codes -> waveform, for the token path to come.

Notable: the random network is evened out; the first part of the run has no codebooks, it is an autoencoder with a
little noise on its frames, so that neighbouring frames mean alike; then k-means on encoder outputs fills the codebooks
(at random init they are all zero), exponential averages move them, dead codes are replaced by live encoder outputs,
gradients pass straight through to an encoder that learns more slowly from then on, and a commitment loss relative to
the frames' own size keeps it near (an absolute one would be pleased by shrinking). The number of codebooks is drawn
anew for each excerpt, so that the first four alone give sound too. Quiet passages are left out of the loss at first
(their gradient outweighs that of sound) and taken in later, else they would hiss.

    python -m training.audio.train_codec --stage encodec --data DIR --out checkpoints/encodec --minutes 60
    python -m training.audio.train_codec --stage encodec --data DIR --out runs/smoke --minutes 0.2 --batch 2   # smoke run
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import EncodecModel
from transformers.models.encodec.modeling_encodec import EncodecConv1d, EncodecConvTranspose1d

from synesthesia.audio.tokens import TokenCodec, TokenConfig, start_codebooks
from training.audio.spectral_losses import SpectralLoss
from training.common.audio_data import CropSampler, SoundStore, read_manifest
from training.common.run_state import Ema, JsonlLog, TimeBudget, cosine_rate, load_state, random_stream, save_state

HALVES = ("encoder", "decoder")


@dataclass(frozen=True)
class EncodecTraining:
    data: Path
    out: Path
    runs: Path = Path("runs/encodec")
    cache: Path = Path("runs/cache")
    minutes: float = 60.0
    steps: int = 1_000_000
    batch: int = 6
    samples: int = 10_240  # 0.64 s
    rate: float = 1.5e-3
    codebooks_from: float = 0.5  # share of the run after which sound passes through the codebooks
    encoder_slower: float = 0.2  # the encoder's share of the rate from then on
    fine_from: float = 0.6  # share after which the spectra are compared down to -60 dB instead of -40
    frame_noise: float = 0.1  # before then, relative to the deviation of the frames
    commitment: float = 0.25
    decay: float = 0.98  # of the codebooks' averages
    ema: float = 0.998
    seed: int = 0
    limit: int = 0
    model: TokenConfig = field(default_factory=TokenConfig)


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
def even_out(model: EncodecModel, waveform: Tensor) -> None:
    """Scale every convolution of a random model so that (B, 1, n) keeps a deviation of 1 on its way through.

    At transformers' own initialisation the signal grows from layer to layer, saturates the LSTM, and the encoder ends
    as a constant (after Mishkin and Matas 2015, layer-sequential unit variance).
    """
    last = model.decoder.layers[-1]
    inner = {
        block.block[-1] for half in (model.encoder, model.decoder) for block in half.layers if hasattr(block, "block")
    }

    def scale(layer: torch.nn.Module, _inputs: object, output: Tensor) -> Tensor:
        wanted = 0.1 if layer is last else 0.3 if layer in inner else 1.0
        factor = wanted / output.std().clamp(min=1e-6)
        layer.conv.parametrizations.weight.original0.mul_(factor)
        layer.conv.bias.mul_(factor)
        return output * factor

    kinds = (EncodecConv1d, EncodecConvTranspose1d)
    hooks = [layer.register_forward_hook(scale) for layer in model.modules() if isinstance(layer, kinds)]
    model.decoder(model.encoder(waveform))
    for hook in hooks:
        hook.remove()


def wave_loss(spectral: SpectralLoss, made: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Spectral loss plus the waveform's L1, both at one level for every crop, (B, n) each -> (total, log-mel L1)."""
    gain = 0.1 / wanted.square().mean(dim=1, keepdim=True).sqrt().clamp(min=0.003)
    total, mel = spectral(gain * made, gain * wanted)
    return total + 1.0 * F.l1_loss(gain * made, gain * wanted), mel


@torch.no_grad()
def evaluate(codec: TokenCodec, waves: Tensor, spectral: SpectralLoss, quantise: bool = True) -> float:
    """Log-mel L1 of the round trip, through all codebooks or none; waves (N, n)."""
    wave = waves[:, None]
    made = codec.decode(codec.encode(wave)) if quantise else codec.model.decoder(codec.model.encoder(wave))
    return float(spectral(made[:, 0, : waves.shape[1]], waves)[1])


def main(config: EncodecTraining) -> TokenCodec:
    """Train, resume if `runs` holds a state, save to `out`; returns the averaged, loaded-back codec."""
    torch.manual_seed(config.seed)
    clips = read_manifest(config.data)[: config.limit or None]
    store = SoundStore(config.data, clips, config.cache)
    rng = random_stream(config.runs, config.seed)
    generator = torch.Generator().manual_seed(config.seed)
    train = CropSampler(store, [i for i, clip in enumerate(clips) if clip.split == "train"], rng)
    held_out = [i for i, clip in enumerate(clips) if clip.split == "val" and not clip.single_recording]
    val = CropSampler(store, held_out or list(train.indices), np.random.default_rng(1))
    val_waves, _ = val.wave_crops(32, config.samples, mix=0.0)

    model = config.model.build()
    model.train()
    even_out(model, train.wave_crops(16, config.samples, gain_db=12.0)[0][:, None])
    coarse, fine = (SpectralLoss(((1024, 256), (256, 64)), floor, floor) for floor in (1e-2, 1e-3))
    judged = SpectralLoss()
    halves = [{"params": half.parameters(), "name": name} for name, half in model.named_children() if name in HALVES]
    optimiser = torch.optim.AdamW(halves, lr=config.rate, betas=(0.8, 0.98), weight_decay=0.0)
    ema = Ema(model, config.ema)
    step, spent_s = load_state(config.runs, {"model": model}, {"model": optimiser}, ema)
    clock, log = TimeBudget(config.minutes, config.steps, spent_s, step), JsonlLog(config.runs)
    books_used = bool(model.quantizer.layers[0].codebook.cluster_size.sum() > 0)

    for step in clock:
        for group in optimiser.param_groups:
            slower = config.encoder_slower if books_used and group["name"] == "encoder" else 1.0
            group["lr"] = cosine_rate(clock.progress, config.rate) * slower
        if not books_used and clock.progress >= config.codebooks_from:
            waves, _ = train.wave_crops(160, config.samples)
            start_codebooks(model, waves[:, None], generator)
            books_used = True
        waves, _ = train.wave_crops(config.batch, config.samples, gain_db=12.0)
        hidden = model.encoder(waves[:, None])  # (B, D, F)
        commitment = hidden.new_zeros(())
        if books_used:
            fewest, every = min(4, config.model.codebooks), config.model.codebooks
            counts = torch.from_numpy(rng.integers(fewest, every + 1, len(waves)))
            hidden, commitment = quantised(model, hidden, counts, config.decay, rng)
        else:
            hidden = hidden + config.frame_noise * hidden.detach().std() * torch.randn_like(hidden)
        made = model.decoder(hidden)[:, 0, : config.samples]  # (B, n)
        loss, mel_error = wave_loss(coarse if clock.progress < config.fine_from else fine, made, waves)
        loss = loss + config.commitment * commitment
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        ema.update(model)
        if step % 20 == 0:
            log.write(
                step=step,
                progress=clock.progress,
                loss=loss.item(),
                log_mel_l1=mel_error.item(),
                commitment=commitment.item(),
            )
        if step % 400 == 399:
            save_state(config.runs, {"model": model}, {"model": optimiser}, ema, clock)
            average = _averaged(model, ema, config)
            error = evaluate(average, val_waves, judged, quantise=books_used)
            log.write(step=step, held_out_log_mel_l1=error)
            if books_used:
                average.save(config.out)
    save_state(config.runs, {"model": model}, {"model": optimiser}, ema, clock)
    average = _averaged(model, ema, config)
    average.save(config.out)
    loaded = TokenCodec.load(config.out)
    before, after = evaluate(average, val_waves, judged), evaluate(loaded, val_waves, judged)
    assert abs(before - after) < 0.05 * max(before, 0.1), f"saved weights differ: {before} before, {after} after"
    log.write(step=clock.step, held_out_log_mel_l1=before, loaded_back=after)
    return loaded


def _averaged(model: EncodecModel, ema: Ema, config: EncodecTraining) -> TokenCodec:
    """The codec with averaged weights and the codebooks as they are now (their own average is already slow)."""
    average = config.model.build()
    books = {name: value for name, value in model.state_dict().items() if name.startswith("quantizer.")}
    average.load_state_dict(ema.values | books)
    return TokenCodec(average.eval())
