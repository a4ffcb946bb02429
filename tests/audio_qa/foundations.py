"""Made-up audio language models for tests: both kinds of tower, random weights, real classes and a real tokenizer."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase, Qwen2AudioConfig, WhisperFeatureExtractor

from synesthesia.audio.tagger import AudioTagger, AudioTaggerConfig
from synesthesia.audio_qa.prompt import SYSTEM, Encoded, encode
from synesthesia.audio_qa.qwen2_audio import AudioLM, WhisperFrontend, tiny, tiny_config, tokenizer_from
from synesthesia.audio_qa.spatial_qwen2_audio import SpatialQwen2Audio
from training.audio_qa.train_language_model import fit_tokenizer

Tower = Literal["ear", "whisper"]
TOWERS: tuple[Tower, ...] = ("ear", "whisper")
WHISPER_SECONDS = 5
EAR = AudioTaggerConfig(labels=("dog", "clock_tick"), widths=(4, 4, 8, 8), depths=(1, 1, 1, 1), embedding=16)
QUESTIONS = ("Where is it?", "What do I hear, and from where does it come?", "它在哪里？")


@cache
def tokenizer() -> PreTrainedTokenizerBase:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tokenizer.json"
        fit_tokenizer(400, file, seed=0)
        return tokenizer_from(file)


@cache
def ear() -> AudioTagger:
    torch.manual_seed(7)
    return AudioTagger(EAR).eval().requires_grad_(False)


def foundation(tower: Tower, width: int = 32, layers: int = 2, seed: int = 0) -> AudioLM:
    """Random weights, large enough that every input token matters to what is said."""
    config, hearing = tiny_config(tokenizer(), EAR, width=width, layers=layers), ear()
    torch.manual_seed(seed)  # after the ear, which has its own
    made = tiny(tokenizer(), config, hearing) if tower == "ear" else _whisper(config)
    with torch.no_grad():
        for name, parameter in made.model.named_parameters():
            if parameter.ndim == 2 and not name.startswith(("model.audio_tower.", "spatial_projector.")):
                parameter.normal_(std=1.0 if "embed_tokens" in name else parameter.shape[1] ** -0.5)
    return made


def _whisper(config: Qwen2AudioConfig) -> AudioLM:
    """A tower of the type that Qwen2-Audio has, for clips of 5 s."""
    audio = {
        "model_type": "qwen2_audio_encoder", "num_mel_bins": 128, "d_model": 32, "encoder_layers": 2,
        "encoder_attention_heads": 2, "encoder_ffn_dim": 64, "max_source_positions": 50 * WHISPER_SECONDS,
    }  # fmt: skip
    own = Qwen2AudioConfig(
        audio_config=audio, text_config=config.text_config, audio_token_index=config.audio_token_id,
        spatial_token_id=config.spatial_token_id,
    )  # fmt: skip
    front = WhisperFrontend(WhisperFeatureExtractor(feature_size=128, chunk_length=WHISPER_SECONDS))
    return AudioLM(SpatialQwen2Audio(own).eval(), tokenizer(), front, SYSTEM)


def noises(*seconds: float) -> list[np.ndarray]:
    """(n,) float32 clips at 16 kHz, each another noise that comes and goes."""
    rng, clips = np.random.default_rng(0), []
    for number, duration in enumerate(seconds):
        time_s = np.arange(int(16_000 * duration)) / 16_000
        clips.append((rng.normal(0, 0.1, len(time_s)) * np.sin((3 + number) * time_s)).astype(np.float32))
    return clips


def tokens(count: int, seed: int = 0) -> torch.Tensor:
    """(count, 256) spatial tokens."""
    return torch.randn(count, 256, generator=torch.Generator().manual_seed(seed))


def heard(
    made: AudioLM,
    clips: list[np.ndarray],
    spatial: torch.Tensor | None,
    questions: tuple[str, ...] = QUESTIONS,
    answers: tuple[str, ...] | None = None,
) -> tuple[Encoded, dict[str, torch.Tensor]]:
    """A batch and the model's inputs for it, one question a clip, without labels."""
    mel, mask = made.front(clips)
    asked = list(questions[: len(clips)])
    counts = made.model.audio_tokens(mask)
    batch = encode(made.tokenizer, counts, asked, answers, spatial=spatial is not None, preamble=made.preamble)
    inputs = {
        "input_ids": batch.input_ids, "attention_mask": batch.attention_mask,
        "input_features": mel, "feature_attention_mask": mask,
    }  # fmt: skip
    return batch, inputs if spatial is None else inputs | {"spatial": spatial}
