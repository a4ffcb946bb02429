"""Instruction tuning (Liu et al. 2023) of the spatial token: projector, then LoRA, on a frozen audio language model.

    python -m training.audio_qa.train --data DIR --stage 1 --out runs/spatial_1 --minutes 20                # tiny, CPU
    python -m training.audio_qa.train --data DIR --stage 2 --first runs/spatial_1 --out checkpoints/spatial_token
    accelerate launch -m training.audio_qa.train --preset hub --data DIR --stage 1 --out runs/spatial_hub   # GPUs
    python -m training.audio_qa.train --data DIR --stage 1 --out runs/smoke --runs runs/smoke --minutes 0.2 --bank 60

Stage 1 trains the projector, and the spatial encoder on request, with the language model's loss on the answers; audio
tower, audio projector and language model are frozen. Some minutes of azimuth classification come first
(`warm_projector`). Stage 2 adds LoRA on the language model's queries and values. Clips are drawn as for the localizer:
training recordings through training heads. For the hub's model the rates are 1e-4, then 5e-5 and 2e-5 for LoRA; for
the tiny one they are multiplied by `--boost`, because it trains for minutes only. The spatial encoder is the
localizer's and frozen by default: it was trained on azimuths in degrees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio_qa.checkpoint import PROJECTOR, load_language_model, load_spatial_token, save_spatial_token
from synesthesia.audio_qa.qwen2_audio import AudioLM, load_hub
from synesthesia.audio_qa.spatial_qwen2_audio import SpatialQwen2Audio
from synesthesia.core import presets
from synesthesia.localization.encoder import Segments
from synesthesia.localization.localizer import Localizer
from synesthesia.nn.lora import LoraSettings, add_lora, is_lora
from training.audio_qa.batches import QABatch, answer_loss, question_batch
from training.audio_qa.clips import ClipTrainOptions, clip_sampler, sample_batch, sample_seconds
from training.audio_qa.warm_projector import warm_up
from training.binaural.clip_sampler import ClipBatch, ClipSampler
from training.binaural.response_bank import ResponseBank
from training.common.cli import run
from training.common.fit import Learner, ParamGroup, Step, TrainedParameters, fit, start
from training.common.parameter_table import count_parameters, format_counts
from training.common.run_state import JsonlLog


@dataclass(frozen=True, kw_only=True)
class SpatialTokenTraining(ClipTrainOptions):
    stage: Literal[1, 2] = 1
    preset: Literal["embedded", "hub"] = "embedded"
    first: Path | None = None  # output folder of stage 1, for stage 2
    language: Path = Path("checkpoints/language")
    localizer: Path = Path("checkpoints/localiser")
    runs: Path = Path("runs/spatial")
    ema: float = 0.0
    train_extractor: bool = False  # the localizer's spatial encoder
    warm_minutes: float = 4.0  # of stage 1, not counted in `minutes`
    boost: float = 30.0  # factor on the rates for the tiny model
    weight_decay: float = 0.01

    @property
    def state(self) -> Path:
        """Folder of this stage's state and log."""
        return self.runs / f"stage_{self.stage}"

    @property
    def rates(self) -> tuple[float, float]:
        """Peak learning rates of projector (and spatial encoder), and of LoRA."""
        boost = self.boost if self.preset == "embedded" else 1.0
        return (1e-4 * boost, 0.0) if self.stage == 1 else (5e-5 * boost, 2e-5 * boost)


class SpatialQA(nn.Module):
    """Spatial encoder and language model as one module: a batch of clips and questions -> loss."""

    def __init__(self, model: SpatialQwen2Audio, localizer: Localizer) -> None:
        super().__init__()
        self.model, self.cues, self.encoder = model, localizer.cues, localizer.encoder

    def token(self, waveform: Tensor) -> Tensor:
        """(B, 2, n) -> (B, 256)."""
        with torch.no_grad():
            cues = self.cues(waveform)
        cells = self.encoder(cues)
        return self.encoder.token(cells, Segments.whole(cells[0].scores.shape[1]))[0][:, 0]

    def forward(self, batch: QABatch) -> Tensor:
        return answer_loss(self.model, batch, self.token(batch.waveform)[batch.rows])


def load_base(config: SpatialTokenTraining) -> AudioLM:
    """The preset's language model as it is before this training."""
    if config.preset == "embedded":
        return load_language_model(config.language, AudioTagger.load(config.tagger))
    weights = presets.hub().audio_qa.weights
    return load_hub(weights.hub_id, weights.revision)


def prepare_stage(config: SpatialTokenTraining, language_model: AudioLM) -> LoraSettings:
    """Loads stage 1's token if there is one, and injects LoRA for stage 2."""
    settings = LoraSettings(rank=0)
    if config.first is not None:
        settings = load_spatial_token(language_model.model, config.first)
    if config.stage == 2 and settings.rank == 0:
        settings = LoraSettings()
        add_lora(language_model.model, settings)
    return settings


def trainable_groups(spatial_qa: SpatialQA, config: SpatialTokenTraining) -> list[ParamGroup]:
    """Freezes all but this stage's parameters; returns the optimiser's groups."""
    spatial_qa.requires_grad_(False)
    projector, lora = [], []
    for name, parameter in spatial_qa.named_parameters():
        if is_lora(name) and config.stage == 2:
            lora.append(parameter.requires_grad_(True))
        elif name.startswith(f"model.{PROJECTOR}") or (config.train_extractor and name.startswith("encoder.")):
            projector.append(parameter.requires_grad_(True))
    for parameter in [*projector, *lora]:
        parameter.data = parameter.data.float()  # small steps would vanish in the hub model's bfloat16
    rates = config.rates
    groups = [ParamGroup(projector, rates[0], config.weight_decay)]
    return groups + ([ParamGroup(lora, rates[1], config.weight_decay)] if lora else [])


def parameter_table(spatial_qa: SpatialQA) -> str:
    parts = {
        "LoRA": ".lora_", "projector": PROJECTOR, "audio tower": ".audio_tower.",
        "audio projector": ".multi_modal_projector.", "spatial encoder": "encoder.",
    }  # fmt: skip
    counts = count_parameters(spatial_qa, parts, "language model")
    total = sum(every for every, _ in counts.values()), sum(trainable for _, trainable in counts.values())
    return format_counts(counts | {"total": total})


def warm_up_batch(config: SpatialTokenTraining, sampler: ClipSampler) -> ClipBatch:
    return sample_batch(sampler, config.clips, sample_seconds(config, sampler.rng), config.second_share)


def main(config: SpatialTokenTraining, responses: ResponseBank | None = None) -> AudioLM:
    """Train, resume if `runs` holds a state, save to `out`; returns the language model with its trained token.

    responses: instead of those of the data folder's heads.
    """
    accelerator, rng = start(config.seed)
    language_model = load_base(config)
    settings = prepare_stage(config, language_model)
    localizer = Localizer.load(config.localizer)
    spatial_qa = SpatialQA(language_model.model, localizer).to(accelerator.device)
    groups = trainable_groups(spatial_qa, config)
    accelerator.print(parameter_table(spatial_qa))
    log = JsonlLog(config.state if accelerator.is_main_process else None)
    sampler = clip_sampler(config, AudioTagger.load(config.tagger), rng, responses)
    if config.stage == 1 and config.warm_minutes > 0 and not (config.state / "state.json").is_file():
        warm_up(
            language_model.model.spatial_projector, spatial_qa.token, lambda: warm_up_batch(config, sampler),
            config.warm_minutes, accelerator, log,
        )  # fmt: skip
    spatial_qa.train()
    spatial_qa.encoder.train(config.train_extractor)

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        batch = question_batch(language_model, config, sampler, rng).to(accelerator.device)
        with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=config.bf16):
            loss = spatial_qa(batch)
        return loss, {"loss": loss}

    result = fit(
        replace(config.frame(), runs=config.state),
        Learner(spatial_qa, groups, betas=(0.9, 0.999)), step_loss, kept=TrainedParameters(spatial_qa),
        generators={"clips": rng}, accelerator=accelerator, log=log,
    )  # fmt: skip
    if result.main:
        save_spatial_token(language_model.model, settings, config.out)
        if config.train_extractor:
            localizer.eval().save(config.out / "localiser")
    return language_model


if __name__ == "__main__":
    run(main, SpatialTokenTraining, __doc__)
