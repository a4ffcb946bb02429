"""The codecs that `evaluate_codec` compares: each turns a waveform (1, n) into its reconstruction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from synesthesia.audio.griffin_lim import GriffinLim
from synesthesia.audio.mel import LogMel, MelPatches
from synesthesia.audio.noise_vocoder import NoiseVocoder
from synesthesia.audio.tokens import TokenCodec
from synesthesia.audio.vae import MelVae
from synesthesia.audio.vocoder import Vocoder
from synesthesia.vlm_to_sound.mel_tokens import MelTokens

Codec = Callable[[Tensor], Tensor]  # waveform (1, n) -> its reconstruction (1, n)
SAMPLES = 640  # of which every waveform holds a multiple: a frame of the latents


@dataclass(frozen=True)
class Codecs:
    """vocoder, and what is there of the models whose decoded mels or tokens are compared."""

    vocoder: Vocoder
    patches: MelPatches | None = None
    vae: MelVae | None = None
    mel_tokens: MelTokens | None = None
    tokens: TokenCodec | None = None

    def systems(self) -> dict[str, Codec]:
        """Each system by its name."""
        mel, vocoder, griffin_lim, noise = LogMel(), self.vocoder, GriffinLim(), NoiseVocoder()
        found: dict[str, Codec] = {
            "identity": lambda wave: wave,
            "Griffin-Lim": lambda wave: griffin_lim(mel(wave)),
            "shaped noise": lambda wave: noise(mel(wave)),
            "vocoder": lambda wave: vocoder(mel(wave)),
        }
        for name, space in (("patch transform + vocoder", self.patches), ("autoencoder + vocoder", self.vae)):
            if space is not None:
                found[name] = partial(_through, mel, space.encode, space.decode, vocoder)
        if self.mel_tokens is not None:
            coder = self.mel_tokens
            for books in (1, 2, coder.config.codebooks):
                decode = partial(_first_books, coder, books)
                found[f"mel tokens, {books} codebooks + vocoder"] = partial(
                    _through, mel, coder.encode, decode, vocoder
                )
        if self.tokens is not None:
            tokens = self.tokens
            for books in (tokens.codebooks, 4):
                found[f"EnCodec, {books} codebooks"] = partial(_through_encodec, tokens, books)
        return found

    @classmethod
    def load(cls, vocoder: Vocoder, folder: Path) -> Codecs:
        """folder: of all checkpoints; what isn't there is left out."""
        patches = None
        if (folder / "mapper/patches.safetensors").is_file():
            patches = MelPatches()
            patches.load_state_dict(load_file(folder / "mapper/patches.safetensors"))
        return cls(
            vocoder,
            patches,
            MelVae.load(folder / "vae") if (folder / "vae/config.json").is_file() else None,
            MelTokens.load(folder / "mel_tokens") if (folder / "mel_tokens/config.json").is_file() else None,
            TokenCodec.load(folder / "encodec") if (folder / "encodec/config.json").is_file() else None,
        )


def _through(
    mel: LogMel, encode: Callable[[Tensor], Tensor], decode: Callable[[Tensor], Tensor], vocoder: Vocoder, wave: Tensor
) -> Tensor:
    """The round trip of a waveform's mel through codes or latents, then the vocoder."""
    return vocoder(decode(encode(mel(wave))))


def _through_encodec(tokens: TokenCodec, books: int, wave: Tensor) -> Tensor:
    return tokens.decode(tokens.encode(wave[:, None], books))[:, 0]


def _first_books(tokens: MelTokens, books: int, codes: Tensor) -> Tensor:
    return tokens.decode(codes[:, :books])
