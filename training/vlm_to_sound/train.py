"""Train the language path: a picture language model that thinks about a click, and the audio head that hears it think.

    python -m training.vlm_to_sound.train --stage see     --data DIR --runs runs/language_path             # minutes
    python -m training.vlm_to_sound.train --stage thinker --data DIR --out checkpoints/thinker --minutes 20
    python -m training.vlm_to_sound.train --stage rehearse --data DIR                                      # minutes
    python -m training.vlm_to_sound.train --stage decoder --data DIR --rehearsed --minutes 80
    python -m training.vlm_to_sound.train --stage decoder --data DIR --out checkpoints/token_decoder --minutes 90
    accelerate launch -m training.vlm_to_sound.train --stage decoder ...                                   # many processes

    python -m training.vlm_to_sound.train --preset hub --stage see --data DIR                              # Qwen3-VL-2B
    accelerate launch -m training.vlm_to_sound.train --preset hub --stage decoder --data DIR \\
        --out checkpoints/token_decoder_hub

`see` looks at the training pictures once. `thinker` teaches the tiny Qwen3-VL to know what sounds at a box: the hidden
state of <think_sound> must tell which sounds belong there, and those of the picture tokens which belong to each; the
linear reader is where the audio head's choice among kinds begins. `decoder` teaches the audio head by cross-entropy on
sound tokens alone, both ears in turn, with LoRA on the language model's queries and values; a small loss on where its
last layer looks keeps it at the box. `rehearse` writes down thoughts and sounds of many clicks; with --rehearsed the
audio head learns from these, without the thinker. With `--preset hub` the thinker is the pinned Qwen3-VL, frozen in
bfloat16: it is shown the pictures' own pixels, has no stage `thinker`, and learns its new words in `decoder`. A GPU is
used where there is one.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF
from synesthesia.core import presets
from synesthesia.core.errors import UserError
from synesthesia.nn.lora import LoraSettings
from synesthesia.vlm_to_sound.audio_head import EARS, AudioHead, AudioHeadConfig
from synesthesia.vlm_to_sound.checkpoint import save_audio_head
from synesthesia.vlm_to_sound.mel_tokens import MelTokens
from synesthesia.vlm_to_sound.pipeline import thinker_of
from synesthesia.vlm_to_sound.qwen3_vl import load_tiny, save_tiny, tiny, tiny_config
from synesthesia.vlm_to_sound.region_inputs import PixelRegionInputs
from synesthesia.vlm_to_sound.thinker import HiddenStates, Thinker
from training.common.audio_data import SoundStore, read_manifest
from training.common.fit import Learner, ParamGroup, Step, TrainConfig, TrainedParameters, fit, start
from training.common.imagenet_classifier import imagenet_classifier
from training.common.run_state import Ema, load_state
from training.vlm_to_sound.audio_head_init import begin_with_codebooks, begin_with_reader
from training.vlm_to_sound.clicked_sounds import Clicks, Sounds, click
from training.vlm_to_sound.hidden_state_cache import SOUNDS, CachedHiddenStates, cache_hidden_states
from training.vlm_to_sound.losses import decoder_loss, thinker_loss
from training.vlm_to_sound.pictures import INDEX, Pictures, SeenStore, see
from training.vlm_to_sound.qwen_pixels import PixelStore, see_pixels
from training.vlm_to_sound.trainable import Reader, TrainableAudioHead, opened, table, unheard
from training.vlm_to_sound.vision_tower_init import begin_with_kinds

STAGES = ("see", "thinker", "rehearse", "decoder")
REHEARSED = "rehearsed"  # below the runs


@dataclass(frozen=True)
class LanguagePathTraining:
    data: Path
    out: Path = Path("runs/language_path/out")
    runs: Path = Path("runs/language_path")
    cache: Path = Path("runs/cache")
    thinker: Path = Path("checkpoints/thinker")
    tokens: Path = Path("checkpoints/mel_tokens")
    head: Path = Path("checkpoints/head")
    preset: str = "embedded"
    stage: str = "decoder"
    pictures: int = 1_600
    tiny: int = 1_600  # more of 64 px: blurred, but of kinds that few others show
    minutes: float = 20.0
    steps: int = 1_000_000
    clicks: int = 24  # a step and process
    sounds: int = 4  # of the decoder's, for each of the clicks
    frames: tuple[int, ...] = (25, 50, 100)  # of 40 ms, of an excerpt
    rate: float = 1e-3
    lora_rate: float = 2e-4
    untold: float = 0.1  # of clicks whose thought is withheld, for guidance
    ema: float = 0.998
    seed: int = 0
    bf16: bool = True
    rehearsed: bool = False  # thoughts and sounds that the stage `rehearse` wrote, not new ones
    rehearsals: int = 16_000  # clicks of it
    compile: bool = False  # the audio head: some minutes first, then steps of three quarters of the time
    limit: int = 0

    @property
    def hub(self) -> bool:
        return self.preset == "hub"

    @property
    def seen(self) -> Path:
        """What stage `see` writes: features for the tiny model, pixels for the one from the hub."""
        return self.runs / ("seen_pixels" if self.hub else "seen")

    def course(self, name: str) -> TrainConfig:
        runs = self.runs / (f"{name}_hub" if self.hub else name)
        return TrainConfig(runs, self.minutes, self.steps, self.ema, save_every=250)


def look_at_pictures(config: LanguagePathTraining) -> None:
    """The embedded eyes and prior say what should be heard where, for both presets."""
    from synesthesia.audio.codec import LatentCodec
    from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
    from synesthesia.vision.backbone import PatchEncoder
    from training.common.patch_features import Targets, choose

    preset = presets.embedded()
    hearing = ImageToSoundPipeline.load(preset.hearing, LatentCodec.load(preset.codec))
    targets = Targets(config.data, list(hearing.generator.tagger.labels))
    rng = np.random.default_rng(config.seed)
    pictures = choose(config.data, False, config.pictures, rng, lambda *key: bool(targets.pairs.get(key)))
    pictures += choose(config.data, True, config.tiny, rng, lambda *key: bool(targets.pairs.get(key)))
    keep = see_pixels if config.hub else see
    keep(pictures, PatchEncoder.load(preset.vision), hearing, targets, config.seen)


def train_thinker(config: LanguagePathTraining) -> Thinker:
    if config.hub:
        raise UserError(
            "The stage 'thinker' is for the tiny model alone; with the one from the hub 'decoder' follows on 'see'."
        )
    accelerator, rng = start(config.seed)
    store = SeenStore(was_seen(config))
    numbers = store.merged.shape[1]
    thinker = tiny(tiny_config(numbers // 3))
    sample = np.sort(rng.choice(len(store.merged), min(4_000, len(store.merged)), replace=False))
    cells, kinds = torch.from_numpy(store.merged[sample].astype(np.float32)), imagenet_classifier(presets.embedded())
    if kinds is not None and 3 * kinds.in_features == numbers:
        begin_with_kinds(thinker.model.visual, cells, kinds)
    else:
        thinker.model.visual.deviation.copy_(cells.std(0).clamp(min=1e-3))
    reader = Reader(thinker, store.labels.shape[1]).train()

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        clicks = click(store, config.clicks, rng).to(accelerator.device)
        with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=config.bf16):
            loss = thinker_loss(reader, clicks)
        return loss, {"loss": loss}

    learner = Learner(reader, [ParamGroup(list(reader.parameters()), config.rate, 0.05)])
    if fit(config.course("thinker"), learner, step_loss, accelerator=accelerator, generators={"rng": rng}).main:
        save_tiny(thinker.eval(), config.out)
    return thinker


def the_speaker(
    config: LanguagePathTraining, tokens: MelTokens
) -> tuple[TrainableAudioHead, list[ParamGroup], Pictures]:
    """Thinker under LoRA and audio head as they begin, what of them is descended how fast, and what is clicked on."""
    thinker, pictures = hub_thinker(config) if config.hub else (load_tiny(config.thinker), SeenStore(config.seen))
    lora, words = opened(thinker, LoraSettings(), words=config.hub)
    shape = AudioHeadConfig(thought=thinker.width, tokens=tokens.config)
    speaker = TrainableAudioHead(thinker, AudioHead(shape, tokens)).train()
    begin_with_codebooks(speaker.decoder, torch.Generator().manual_seed(config.seed))
    if not config.hub:
        begin_with_reader(speaker.decoder, config.runs / "thinker" / "state.safetensors")
    groups = [
        ParamGroup([*speaker.decoder.parameters(), *words], config.rate, 0.05),
        ParamGroup(lora, config.lora_rate, 0.05),
    ]
    return speaker, groups, pictures


def what_is_kept(config: LanguagePathTraining, speaker: TrainableAudioHead) -> nn.Module:
    """Of which the state holds the weights: from the hub only what learns, the rest is gigabytes and lies there."""
    return TrainedParameters(speaker) if config.hub else speaker


def rehearse_clicks(config: LanguagePathTraining) -> None:
    """With the thinker as the last run of `decoder` left it, if there was one."""
    torch.manual_seed(config.seed)
    sounds = recordings(config, np.random.default_rng(config.seed))
    speaker, _, pictures = the_speaker(config, sounds.tokens)
    kept = what_is_kept(config, speaker)
    average = Ema(kept, config.ema)
    runs = config.course("decoder").runs
    assert runs is not None
    load_state(runs, {}, {}, average)
    kept.load_state_dict(average.values)
    accelerator = Accelerator(cpu=not torch.cuda.is_available())
    first, processes = accelerator.process_index, accelerator.num_processes
    cache_hidden_states(
        speaker.thinker.eval(), pictures, sounds, config.runs / REHEARSED, config.rehearsals, config.seed, first,
        processes,
    )  # fmt: skip


def train_decoder(config: LanguagePathTraining) -> TrainableAudioHead:
    accelerator, rng = start(config.seed)
    was_seen(config)  # before anything is fetched
    known = CachedHiddenStates(config.runs / REHEARSED) if config.rehearsed else None
    sounds = recordings(config, rng)
    speaker, groups, pictures = the_speaker(config, sounds.tokens.to(accelerator.device))
    shape = speaker.decoder.config
    accelerator.print(table(speaker))
    if config.compile:
        speaker.decoder.compile(dynamic=True)

    def batch(frames: int) -> tuple[Clicks | HiddenStates, Tensor, Tensor, Tensor]:
        """(clicks, the box of each sound, codes, by how much the right ear leads)."""
        count = max(2, config.clicks * min(config.frames) // frames)
        if known is not None:
            drawn = known.draw(max(2, count * config.sounds // SOUNDS), frames, rng).to(accelerator.device)
            return drawn.thought, drawn.boxes, drawn.codes, drawn.lead_s
        clicks = click(pictures, count, rng).to(accelerator.device)
        each = clicks.repeated(config.sounds)
        return clicks, each.boxes, *sounds.heard(each, frames / sounds.tokens.config.tokens_per_second)

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        frames = int(rng.choice(config.frames))
        clicks, boxes, codes, lead_s = batch(frames)
        told = torch.from_numpy(rng.random(len(codes)) >= config.untold).to(codes.device)
        hidden = unheard((len(codes), EARS * frames), rng).to(codes.device)
        with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=config.bf16):
            written, thought = speaker(clicks, codes, told, hidden)
        loss, token_loss = decoder_loss(written, thought, boxes, codes, lead_s, told, shape)
        return loss, {"token_loss": token_loss}

    learner, kept = Learner(speaker, groups), what_is_kept(config, speaker)
    if fit(config.course("decoder"), learner, step_loss, kept=kept, accelerator=accelerator,
           generators={"rng": rng}).main:  # fmt: skip
        save_audio_head(speaker.eval().decoder, speaker.thinker, LoraSettings(), config.out, words=config.hub)
    return speaker


def hub_thinker(config: LanguagePathTraining) -> tuple[Thinker, Pictures]:
    """The pinned model, and the pictures as its own processor cuts them. Opens the network."""
    thinker, views = thinker_of(presets.hub().thinking.thinker_weights)
    assert isinstance(views, PixelRegionInputs)
    thinker.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return thinker, PixelStore(config.seen, views.processor)


def was_seen(config: LanguagePathTraining) -> Path:
    """Where the pictures lie. UserError when stage `see` has not been through."""
    if not (config.seen / INDEX).is_file():
        raise UserError(
            f"No pictures were seen yet; first run python -m training.vlm_to_sound.train --preset {config.preset} "
            f"--stage see --data {config.data} --runs {config.runs}."
        )
    return config.seen


def recordings(config: LanguagePathTraining, rng: np.random.Generator) -> Sounds:
    """Training recordings of the labels that the prior knows."""
    clips = read_manifest(config.data)[: config.limit or None]
    labels = json.loads((Path("checkpoints/mapper") / "config.json").read_text(encoding="utf-8"))["labels"]
    rows = [row for row, clip in enumerate(clips) if clip.split == "train"]
    store, head = SoundStore(config.data, clips, config.cache), SphericalHarmonicHRTF.load(config.head)
    return Sounds(store, rows, labels, head, MelTokens.load(config.tokens), rng)


def main(config: LanguagePathTraining) -> None:
    stages = {
        "see": look_at_pictures, "thinker": train_thinker, "rehearse": rehearse_clicks, "decoder": train_decoder,
    }  # fmt: skip
    stages[config.stage](config)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--stage", choices=STAGES, required=True)
    parser.add_argument("--preset", choices=("embedded", "hub"))
    parser.add_argument("--rehearsed", action="store_true", help="learn from what the stage rehearse wrote")
    parser.add_argument("--compile", action="store_true", help="the audio head, by a C++ compiler or on a GPU")
    for name in ("out", "runs", "cache", "thinker", "tokens"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("steps", "clicks", "sounds", "pictures", "tiny", "rehearsals", "limit", "seed"):
        parser.add_argument(f"--{name}", type=int)
    for name in ("minutes", "rate"):
        parser.add_argument(f"--{name}", type=float)
    given = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    try:
        main(LanguagePathTraining(**given))
    except UserError as error:
        raise SystemExit(f"train_language: {error}") from None
