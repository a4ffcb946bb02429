"""Pre-training of the tiny Qwen2-Audio, which stands in for Qwen2-Audio-7B, on synthetic questions about clips.

    torchrun --nproc-per-node 2 -m training.audio_qa.train_language_model --data DIR --out checkpoints/language
    python -m training.audio_qa.train_language_model --data DIR --out checkpoints/language --minutes 40   # one CPU core
    python -m training.audio_qa.train_language_model --data DIR --out runs/smoke --runs runs/smoke \
        --minutes 0.3 --bank 60  # smoke run

Its audio tower is the project's frozen audio tagger. The language model learns to answer from the tower's embeddings
and from directions written as text in the place of the later spatial token: it knows what "front right" means before it
gets the token, as a large language model does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio_qa.checkpoint import TOKENIZER, save_language_model
from synesthesia.audio_qa.qwen2_audio import AudioLM, build_tiny, load_tokenizer, tiny_config
from training.audio_qa.batches import answer_loss, question_batch
from training.audio_qa.clips import ClipTrainOptions, clip_sampler
from training.audio_qa.tokenizer import fit_tokenizer
from training.binaural.response_bank import ResponseBank
from training.common.cli import run
from training.common.fit import Learner, Step, TrainedParameters, decay_matrices, fit, start
from training.common.run_state import JsonlLog


@dataclass(frozen=True, kw_only=True)
class LanguageModelTraining(ClipTrainOptions):
    runs: Path = Path("runs/language")
    minutes: float = 40.0
    vocabulary: int = 1_400
    rate: float = 1e-3


def main(config: LanguageModelTraining, responses: ResponseBank | None = None) -> AudioLM:
    """Train, resume if `runs` holds a state, save to `out`. responses: instead of those of the data folder's heads."""
    accelerator, rng = start(config.seed)
    tagger = AudioTagger.load(config.tagger)
    sampler = clip_sampler(config, tagger, rng, responses)
    file = config.runs / TOKENIZER
    if accelerator.is_main_process and not file.is_file():
        fit_tokenizer(config.vocabulary, file, config.seed)
    accelerator.wait_for_everyone()
    tokenizer = load_tokenizer(file)
    language_model = build_tiny(tokenizer, tiny_config(tokenizer, tagger.config), tagger)
    model = language_model.model.train()
    model.spatial_projector.requires_grad_(False)
    log = JsonlLog(config.runs if accelerator.is_main_process else None)
    log.write(parameters=sum(p.numel() for p in model.parameters() if p.requires_grad), words=len(tokenizer))

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        batch = question_batch(language_model, config, sampler, rng, pretraining=True).to(accelerator.device)
        with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=config.bf16):
            loss = answer_loss(model, batch, spatial=None)
        return loss, {"loss": loss}

    learner = Learner(model, decay_matrices(model, config.rate, weight_decay=0.05))
    result = fit(
        config.frame(), learner, step_loss, kept=TrainedParameters(model), generators={"clips": rng},
        accelerator=accelerator, log=log,
    )  # fmt: skip
    if result.main:
        save_language_model(language_model, config.out)
    return language_model


if __name__ == "__main__":
    run(main, LanguageModelTraining, __doc__)
