"""The one place where a backbone is named: which weights fill which role, for the two presets.

`embedded()` uses the weights in `checkpoints/` alone: CPU, no network, trained by the scripts in `training/`.
`hub()` names public checkpoints with pinned revisions. Both walk the same code; only these records differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from synesthesia.core.errors import UserError

SAMPLE_RATE_HZ = 16_000  # of every sound that leaves the studio
PathName = Literal["flow", "mlp", "language", "tap"]
PATHS: tuple[PathName, ...] = ("flow", "mlp", "language", "tap")

MIN_SECONDS, MAX_SECONDS = 1.0, 10.0
MAX_STEPS = 12
MAX_GUIDANCE = 10.0
MAX_TEMPERATURE = 2.0
MAX_TOP_K = 1024
MALLETS = ("finger", "wood", "metal")
MIN_FORCE_N, MAX_FORCE_N = 0.5, 50.0
MIN_SIZE_FACTOR, MAX_SIZE_FACTOR = 0.25, 4.0

SECONDS, TAP_SECONDS = 4.0, 1.5  # see usual_seconds


def usual_seconds(path: str) -> float:
    """Of a sound by this path, where nobody chose."""
    return TAP_SECONDS if path == "tap" else SECONDS


@dataclass(frozen=True)
class Weights:
    """Where one model's files lie: a folder of `checkpoints/`, or (hub_id, revision, files) on the hub.

    files: names inside the repository, `config.json` first, then the safetensors file.
    """

    folder: str = ""
    hub_id: str = ""
    revision: str = ""
    files: tuple[str, str] = ("config.json", "model.safetensors")
    licence: str = "Apache-2.0"

    @property
    def where(self) -> str:
        return self.hub_id or f"checkpoints/{self.folder}"


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
    vocoder: Literal["istft", "hifigan"]


@dataclass(frozen=True)
class HearingConfig:
    """Patch -> sound. The mapper's own config says below which presence the studio answers with silence.

    train_command: said to the person when no mapper for this preset's features has been trained yet.
    """

    mapper_weights: Weights
    ear_weights: Weights
    train_command: str


@dataclass(frozen=True)
class SpatialConfig:
    """Binaural clip -> direction. head_weights: the compact head whose delays the plain baseline looks up."""

    localiser_weights: Weights = Weights("localiser", licence="Apache-2.0, trained partly on research-only data")
    head_weights: Weights = Weights("head")


@dataclass(frozen=True)
class LanguageConfig:
    """Clip, spatial token and question -> answer in words. ear_weights: the tiny model's audio tower; token_weights:
    what training added to the language model; train_command: said when nothing has been added to it yet."""

    weights: Weights = Weights("language", licence="Apache-2.0, trained partly on research-only data")
    ear_weights: Weights = Weights("ear", licence="Apache-2.0, trained partly on research-only data")
    token_weights: Weights = Weights("spatial_token", licence="Apache-2.0, trained partly on research-only data")
    train_command: str = "python -m training.audio_qa.train --data DIR --stage 1 --out checkpoints/spatial_token"


@dataclass(frozen=True)
class ThinkingConfig:
    """Patch -> thought -> stereo tokens, the path "language". decoder_weights: the audio head and what training added
    to the thinker; train_command: said when they have not been trained yet."""

    thinker_weights: Weights = Weights("thinker", licence="Apache-2.0, trained partly on research-only data")
    decoder_weights: Weights = Weights("token_decoder", licence="Apache-2.0, trained partly on research-only data")
    tokens_weights: Weights = Weights("mel_tokens", licence="Apache-2.0, trained partly on research-only data")
    train_command: str = (
        "python -m training.vlm_to_sound.train --data DIR --stage decoder --out checkpoints/token_decoder"
    )


@dataclass(frozen=True)
class TapConfig:
    """Patch -> physics state, the path "tap". train_command: said when no adapter for these features is trained."""

    weights: Weights = Weights("tap", licence="Apache-2.0, trained partly on research-only data")
    train_command: str = "python -m training.impact.train --features DIR --out checkpoints/tap"


@dataclass(frozen=True)
class Preset:
    name: Literal["embedded", "hub"]
    vision: VisionConfig
    codec: CodecConfig
    hearing: HearingConfig
    spatial: SpatialConfig = SpatialConfig()
    language: LanguageConfig = LanguageConfig()
    thinking: ThinkingConfig = ThinkingConfig()
    tap: TapConfig = TapConfig()

    @property
    def hearing_roles(self) -> tuple[tuple[str, Weights], ...]:
        """(role, weights) of every model that takes part in a sound by the paths "flow" and "mlp"."""
        return (
            ("vision", self.vision.weights),
            ("mel autoencoder", self.codec.vae_weights),
            ("vocoder", self.codec.vocoder_weights),
            ("ear", self.hearing.ear_weights),
            ("mapper", self.hearing.mapper_weights),
        )

    @property
    def thinking_roles(self) -> tuple[tuple[str, Weights], ...]:
        """(role, weights) of every model that the path "language" adds."""
        return (
            ("thinker", self.thinking.thinker_weights),
            ("audio head", self.thinking.decoder_weights),
            ("sound tokens", self.thinking.tokens_weights),
        )

    @property
    def tapping_roles(self) -> tuple[tuple[str, Weights], ...]:
        """(role, weights) of every model that takes part in a sound by the path "tap"."""
        return (("vision", self.vision.weights), ("physics adapter", self.tap.weights))

    @property
    def roles(self) -> tuple[tuple[str, Weights], ...]:
        """(role, weights) of every model: of sounds, of directions, and of answers in words."""
        return (
            *self.hearing_roles,
            *self.thinking_roles,
            *self.tapping_roles[1:],  # the eyes are the same
            ("localiser", self.spatial.localiser_weights),
            ("head", self.spatial.head_weights),
            ("language model", self.language.weights),
            ("spatial token", self.language.token_weights),
        )

    def used_by(self, path: str) -> tuple[Weights, ...]:
        """What decides the samples of a sound made in this way, for `weights.fingerprint`. Of the mapper, the path
        "language" uses the prior: its wish chooses the take and says whether the place sounds."""
        if path == "tap":
            return tuple(weights for _, weights in self.tapping_roles)
        if path != "language":
            return tuple(weights for _, weights in self.hearing_roles)
        named = {"vision", "vocoder", "ear", "mapper", *(role for role, _ in self.thinking_roles)}
        return tuple(weights for role, weights in self.roles if role in named)


def embedded() -> Preset:
    """Weights of this repository: the default, and what the tests use."""

    def ours(folder: str) -> Weights:
        return Weights(folder, licence="Apache-2.0, trained partly on research-only data")

    return Preset(
        name="embedded",
        vision=VisionConfig("mobilenetv2_100", ours("vision")),
        codec=CodecConfig(ours("vae"), ours("vocoder"), vocoder="istft"),
        hearing=HearingConfig(
            ours("mapper"),
            ours("ear"),
            train_command="python -m training.image_to_sound.train --data DIR --out checkpoints/mapper",
        ),
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
        hearing=HearingConfig(
            Weights("mapper_hub"),
            Weights("ear"),
            train_command="python -m training.image_to_sound.train --preset hub --data DIR --out checkpoints/mapper_hub",
        ),
        language=LanguageConfig(
            Weights(
                hub_id="Qwen/Qwen2-Audio-7B-Instruct",
                revision="0a095220c30b7b31434169c3086508ef3ea5bf0a",
            ),
            token_weights=Weights("spatial_token_hub"),
            train_command="accelerate launch -m training.audio_qa.train --preset hub --data DIR --stage 1 "
            "--out checkpoints/spatial_token_hub",
        ),
        thinking=ThinkingConfig(
            Weights(hub_id="Qwen/Qwen3-VL-2B-Instruct", revision="89644892e4d85e24eaac8bacfd4f463576704203"),
            decoder_weights=Weights("token_decoder_hub"),
            train_command="accelerate launch -m training.vlm_to_sound.train --preset hub --data DIR --stage decoder "
            "--out checkpoints/token_decoder_hub",
        ),
        tap=TapConfig(
            Weights("tap_hub"),
            train_command="python -m training.impact.features --preset hub --renders DIR --data DIR --out FEATURES, then "
            "python -m training.impact.train --features FEATURES --out checkpoints/tap_hub",
        ),
    )


def preset(name: str) -> Preset:
    """The preset of that name. UserError for any other."""
    if name == "embedded":
        return embedded()
    if name == "hub":
        return hub()
    raise UserError(f"There is no preset '{name}'; choose 'embedded' or 'hub'.")
