"""Train the path "language": a tiny Qwen3-VL on clicked regions, then its audio head (teacher forcing) and LoRA.

    python -m training.vlm_to_sound.train --stage see      --data DIR --runs runs/language_path            # minutes
    python -m training.vlm_to_sound.train --stage thinker  --data DIR --out checkpoints/thinker --minutes 20
    python -m training.vlm_to_sound.train --stage rehearse --data DIR                                      # minutes
    python -m training.vlm_to_sound.train --stage decoder  --data DIR --rehearsed --minutes 80
    python -m training.vlm_to_sound.train --stage decoder  --data DIR --out checkpoints/token_decoder --minutes 90
    accelerate launch -m training.vlm_to_sound.train --stage decoder ...                                   # many GPUs

    python -m training.vlm_to_sound.train --preset hub --stage see --data DIR                              # Qwen3-VL-2B
    accelerate launch -m training.vlm_to_sound.train --preset hub --stage decoder --data DIR \\
        --out checkpoints/token_decoder_hub

- `see` encodes the training pictures once.
- `thinker` trains the tiny Qwen3-VL to classify what sounds in a box, from the hidden state of <think_sound>, and in
  each image token's cell. Its linear classifier initialises the audio head's class head.
- `decoder` trains the audio head by cross-entropy on sound tokens, with LoRA on the language model's queries and
  values. A small loss keeps the last layer's attention at the box.
- `rehearse` caches hidden states and sounds of many clicks; with --rehearsed the audio head learns from these, without
  running the thinker.

With `--preset hub` the thinker is the pinned Qwen3-VL, frozen in bfloat16: it reads the pictures' own pixels, has no
stage `thinker`, and learns the embeddings of its new tokens in `decoder`. A GPU is used where there is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF
from synesthesia.core import presets
from synesthesia.core.errors import UserError
from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.nn.lora import LoraSettings
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vision.pretrained import imagenet_classifier
from synesthesia.vlm_to_sound.audio_head import CHANNELS, AudioHead, AudioHeadConfig
from synesthesia.vlm_to_sound.checkpoint import save_audio_head
from synesthesia.vlm_to_sound.mel_tokens import MelTokens
from synesthesia.vlm_to_sound.pipeline import load_thinker
from synesthesia.vlm_to_sound.qwen3_vl import build_tiny, load_tiny, save_tiny, tiny_config
from synesthesia.vlm_to_sound.region_inputs import PixelRegionInputs
from synesthesia.vlm_to_sound.thinker import HiddenStates, Thinker
from training.common.audio_data import SoundStore
from training.common.cli import run
from training.common.fit import Learner, ParamGroup, Step, TrainConfig, TrainedParameters, TrainOptions, fit, start
from training.common.patch_features import Targets, sample_pictures
from training.common.pictures import Picture
from training.common.run_state import Ema, load_state
from training.vlm_to_sound.audio_head_init import init_class_head, init_logits_from_codebooks
from training.vlm_to_sound.clicked_sounds import BinauralSounds, Clicks, sample_clicks
from training.vlm_to_sound.hidden_state_cache import CacheConfig, CachedHiddenStates, cache_hidden_states
from training.vlm_to_sound.image_dataset import INDEX, FeatureStore, ImageStore, write_features
from training.vlm_to_sound.losses import audio_head_loss, thinker_loss
from training.vlm_to_sound.qwen_pixel_dataset import PixelStore, write_pixels
from training.vlm_to_sound.trainable import (
    RegionClassifier,
    TrainableAudioHead,
    add_trainable_lora,
    parameter_table,
    sample_no_history,
)
from training.vlm_to_sound.vision_tower_init import init_from_classifier

WEIGHT_DECAY = 0.05


@dataclass(frozen=True, kw_only=True)
class VlmToSoundTraining(TrainOptions):
    stage: Literal["see", "thinker", "rehearse", "decoder"]
    out: Path = Path("runs/language_path/out")
    runs: Path = Path("runs/language_path")
    thinker: Path = Path("checkpoints/thinker")
    tokens: Path = Path("checkpoints/mel_tokens")
    hrtf: Path = Path("checkpoints/head")
    mapper: Path = Path("checkpoints/mapper")  # whose labels are the classes
    preset: Literal["embedded", "hub"] = "embedded"
    pictures: int = 1_600
    tiny: int = 1_600  # more of 64 px: blurred, but of classes that few others show
    clicks: int = 24  # per step and process
    sounds: int = 4  # for each of the clicks, of stage decoder
    frames: tuple[int, ...] = (25, 50, 100)  # of 40 ms, of an excerpt
    rate: float = 1e-3
    lora_rate: float = 2e-4
    condition_dropout: float = 0.1  # fraction of sounds with the unconditional memory, for guidance
    bf16: bool = True
    rehearsed: bool = False  # learn from what the stage `rehearse` cached
    rehearsals: int = 16_000  # clicks to cache
    compile: bool = False  # the audio head: takes minutes, then steps take three quarters of the time
    thinker_width: int = 256
    thinker_layers: int = 4
    width: int = 256  # of the audio head
    layers: int = 5
    heads: int = 4
    cached: CacheConfig = field(default_factory=CacheConfig)

    @property
    def hub(self) -> bool:
        return self.preset == "hub"

    @property
    def images(self) -> Path:
        """What the stage `see` writes: features for the tiny model, pixels for the one from the hub."""
        return self.runs / ("seen_pixels" if self.hub else "seen")

    @property
    def hidden_states(self) -> Path:
        """What the stage `rehearse` writes."""
        return self.runs / "hidden_states"

    def run(self, stage: str) -> TrainConfig:
        return replace(self.frame(save_every=250), runs=self.runs / (f"{stage}_hub" if self.hub else stage))


Material = tuple[list[Picture], PatchEncoder, ImageToSoundPipeline, Targets]


def load_material(config: VlmToSoundTraining) -> Material:
    """What the stage `see` reads: training pictures, and the embedded models that give their features and targets."""
    from synesthesia.audio.codec import LatentCodec

    preset = presets.embedded()
    prior = ImageToSoundPipeline.load(preset.image_to_sound, LatentCodec.load(preset.codec))
    targets = Targets(config.data, list(prior.tagger.labels))
    rng = np.random.default_rng(config.seed)
    pictures = sample_pictures(config.data, False, config.pictures, rng, lambda *key: bool(targets.pairs.get(key)))
    pictures += sample_pictures(config.data, True, config.tiny, rng, lambda *key: bool(targets.pairs.get(key)))
    return pictures, PatchEncoder.load(preset.vision), prior, targets


def write_images(config: VlmToSoundTraining, load: Callable[[VlmToSoundTraining], Material] = load_material) -> None:
    """Stage `see`, for both presets."""
    write = write_pixels if config.hub else write_features
    write(*load(config), config.images)


def train_thinker(config: VlmToSoundTraining) -> Thinker:
    if config.hub:
        raise UserError(
            "The stage 'thinker' is for the tiny model alone; with the one from the hub 'decoder' follows on 'see'."
        )
    accelerator, rng = start(config.seed)
    store = FeatureStore(require_images(config))
    patch_dim = store.content.shape[1]
    thinker = build_tiny(tiny_config(patch_dim // 3, config.thinker_width, config.thinker_layers))
    sample = np.sort(rng.choice(len(store.content), min(4_000, len(store.content)), replace=False))
    cells = torch.from_numpy(store.content[sample].astype(np.float32))
    classes = imagenet_classifier(presets.embedded().vision)
    if 3 * classes.in_features == patch_dim:
        init_from_classifier(thinker.model.visual, cells, classes)
    else:
        thinker.model.visual.feature_std.copy_(cells.std(0).clamp(min=1e-3))
    classifier = RegionClassifier(thinker, store.labels.shape[1]).train()

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        clicks = sample_clicks(store, config.clicks, rng).to(accelerator.device)
        with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=config.bf16):
            loss = thinker_loss(classifier, clicks)
        return loss, {"loss": loss}

    learner = Learner(classifier, [ParamGroup(list(classifier.parameters()), config.rate, WEIGHT_DECAY)])
    if fit(config.run("thinker"), learner, step_loss, accelerator=accelerator, generators={"rng": rng}).main:
        save_tiny(thinker, config.out)
    return thinker


def build_audio_head(
    config: VlmToSoundTraining, tokens: MelTokens
) -> tuple[TrainableAudioHead, list[ParamGroup], ImageStore]:
    """Thinker with LoRA and audio head as training begins, their parameter groups, and the pictures."""
    thinker, pictures = hub_thinker(config) if config.hub else (load_tiny(config.thinker), FeatureStore(config.images))
    lora, embeddings = add_trainable_lora(thinker, LoraSettings(), new_embeddings=config.hub)
    shape = AudioHeadConfig(
        thinker.hidden_size, width=config.width, layers=config.layers, heads=config.heads, tokens=tokens.config
    )
    model = TrainableAudioHead(thinker, AudioHead(shape, tokens)).train()
    init_logits_from_codebooks(model.head, torch.Generator().manual_seed(config.seed))
    if not config.hub:
        init_class_head(model.head, config.runs / "thinker" / "state.safetensors")
    groups = [
        ParamGroup([*model.head.parameters(), *embeddings], config.rate, WEIGHT_DECAY),
        ParamGroup(lora, config.lora_rate, WEIGHT_DECAY),
    ]
    return model, groups, pictures


def saved_module(config: VlmToSoundTraining, model: TrainableAudioHead) -> nn.Module:
    """What the state holds: of a model from the hub only what trains, the rest is gigabytes and stored elsewhere."""
    return TrainedParameters(model) if config.hub else model


def cache_clicks(config: VlmToSoundTraining) -> None:
    """Stage `rehearse`, with the thinker as the last run of `decoder` left it, if there was one."""
    accelerator, _ = start(config.seed)
    sounds = binaural_sounds(config, np.random.default_rng(config.seed))
    model, _, pictures = build_audio_head(config, sounds.tokens)
    saved = saved_module(config, model)
    average = Ema(saved, config.ema)
    load_state(config.run("decoder").runs or config.runs, {}, {}, average)
    average.copy_to(saved)
    cache_hidden_states(
        model.thinker.eval(), pictures, sounds, config.hidden_states, config.rehearsals, config.seed,
        accelerator.process_index, accelerator.num_processes, config.cached,
    )  # fmt: skip


def train_audio_head(config: VlmToSoundTraining) -> TrainableAudioHead:
    """Stage `decoder`."""
    accelerator, rng = start(config.seed)
    device = accelerator.device
    require_images(config)  # before anything is fetched
    cached = CachedHiddenStates(config.hidden_states) if config.rehearsed else None
    sounds = binaural_sounds(config, rng)
    model, groups, pictures = build_audio_head(config, sounds.tokens.to(device))
    shape = model.head.config
    accelerator.print(parameter_table(model))
    if config.compile:
        model.head.compile(dynamic=True)

    def batch(frames: int) -> tuple[Clicks | HiddenStates, Tensor, Tensor, Tensor]:
        """(clicks or their hidden states, the box of each sound, codes, ITDs)."""
        count = max(2, config.clicks * min(config.frames) // frames)
        if cached is not None:
            drawn = cached.draw(max(2, count * config.sounds // cached.sounds), frames, rng).to(device)
            return drawn.hidden_states, drawn.boxes, drawn.codes, drawn.itd_s
        clicks = sample_clicks(pictures, count, rng).to(device)
        each = clicks.repeat(config.sounds)
        return clicks, each.boxes, *sounds.render(each, frames / sounds.tokens.config.tokens_per_second)

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        frames = int(rng.choice(config.frames))
        clicks, boxes, codes, itd_s = batch(frames)
        conditioned = torch.from_numpy(rng.random(len(codes)) >= config.condition_dropout).to(device)
        no_history = sample_no_history((len(codes), CHANNELS * frames), rng).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
            output, hidden = model(clicks, codes, conditioned, no_history)
        loss, token_loss = audio_head_loss(output, hidden, boxes, codes, itd_s, conditioned, shape)
        return loss, {"token_loss": token_loss}

    result = fit(
        config.run("decoder"), Learner(model, groups), step_loss, kept=saved_module(config, model),
        accelerator=accelerator, generators={"rng": rng},
    )  # fmt: skip
    if result.main:
        save_audio_head(model.head, model.thinker, LoraSettings(), config.out, new_embeddings=config.hub)
    return model


def hub_thinker(config: VlmToSoundTraining) -> tuple[Thinker, ImageStore]:
    """The pinned model, and the pictures through its own processor. Opens the network."""
    thinker, inputs = load_thinker(presets.hub().vlm_to_sound.thinker_weights)
    assert isinstance(inputs, PixelRegionInputs)
    thinker.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return thinker, PixelStore(config.images, inputs.processor)


def require_images(config: VlmToSoundTraining) -> Path:
    """The folder of pictures. UserError when the stage `see` has not finished."""
    if not (config.images / INDEX).is_file():
        raise UserError(
            f"No pictures have been encoded yet; first run python -m training.vlm_to_sound.train "
            f"--preset {config.preset} --stage see --data {config.data} --runs {config.runs}."
        )
    return config.images


def binaural_sounds(config: VlmToSoundTraining, rng: np.random.Generator) -> BinauralSounds:
    """Training recordings of the prior's classes."""
    labels = json.loads((config.mapper / "config.json").read_text(encoding="utf-8"))["labels"]
    store = SoundStore.open(config.data, config.cache, config.limit)
    hrtf = SphericalHarmonicHRTF.load(config.hrtf)
    return BinauralSounds(store, store.train_rows, labels, hrtf, MelTokens.load(config.tokens), rng)


def main(config: VlmToSoundTraining) -> None:
    match config.stage:
        case "see":
            write_images(config)
        case "thinker":
            train_thinker(config)
        case "rehearse":
            cache_clicks(config)
        case "decoder":
            train_audio_head(config)


if __name__ == "__main__":
    run(main, VlmToSoundTraining, __doc__)
