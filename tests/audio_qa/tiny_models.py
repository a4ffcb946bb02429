"""Tiny audio language models with random weights, real classes and a real tokenizer, for either kind of audio tower."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase, Qwen2AudioConfig, WhisperFeatureExtractor

from synesthesia.audio.tagger import AudioTagger, AudioTaggerConfig
from synesthesia.audio_qa.prompt import SYSTEM, TokenBatch, tokenize
from synesthesia.audio_qa.qwen2_audio import AudioLM, WhisperFrontend, build_tiny, load_tokenizer, tiny_config
from synesthesia.audio_qa.spatial_qwen2_audio import SpatialQwen2Audio
from training.audio_qa.tokenizer import fit_tokenizer

Tower = Literal["tagger", "whisper"]
TOWERS: tuple[Tower, ...] = ("tagger", "whisper")
WHISPER_SECONDS = 5
TAGGER = AudioTaggerConfig(labels=("dog", "clock_tick"), widths=(4, 4, 8, 8), depths=(1, 1, 1, 1), embedding=16)
QUESTIONS = ("Where is it?", "What do I hear, and from where does it come?", "它在哪里？")


@cache
def tokenizer() -> PreTrainedTokenizerBase:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tokenizer.json"
        fit_tokenizer(400, file, seed=0, texts=2_000)
        return load_tokenizer(file)


@cache
def tagger() -> AudioTagger:
    torch.manual_seed(7)
    return AudioTagger(TAGGER).eval().requires_grad_(False)


def tiny_language_model(tower: Tower, width: int = 32, layers: int = 2, seed: int = 0) -> AudioLM:
    """Random weights, large enough that every input token changes the output."""
    config, audio_tagger = tiny_config(tokenizer(), TAGGER, width=width, layers=layers), tagger()
    torch.manual_seed(seed)  # after the tagger, which has its own
    made = build_tiny(tokenizer(), config, audio_tagger) if tower == "tagger" else _whisper(config)
    with torch.no_grad():
        for name, parameter in made.model.named_parameters():
            if parameter.ndim == 2 and not name.startswith(("model.audio_tower.", "spatial_projector.")):
                parameter.normal_(std=1.0 if "embed_tokens" in name else parameter.shape[1] ** -0.5)
    return made


def _whisper(config: Qwen2AudioConfig) -> AudioLM:
    """An audio tower of Qwen2-Audio's own type, for clips of 5 s."""
    audio = {
        "model_type": "qwen2_audio_encoder", "num_mel_bins": 128, "d_model": 32, "encoder_layers": 2,
        "encoder_attention_heads": 2, "encoder_ffn_dim": 64, "max_source_positions": 50 * WHISPER_SECONDS,
    }  # fmt: skip
    own = Qwen2AudioConfig(
        audio_config=audio, text_config=config.text_config, audio_token_index=config.audio_token_id,
        spatial_token_id=config.spatial_token_id,
    )  # fmt: skip
    frontend = WhisperFrontend(WhisperFeatureExtractor(feature_size=128, chunk_length=WHISPER_SECONDS))
    return AudioLM(SpatialQwen2Audio(own).eval(), tokenizer(), frontend, SYSTEM)


def noises(*seconds: float) -> list[np.ndarray]:
    """(n,) float32 clips at 16 kHz, each a different amplitude-modulated noise."""
    rng, clips = np.random.default_rng(0), []
    for number, duration in enumerate(seconds):
        time_s = np.arange(int(16_000 * duration)) / 16_000
        clips.append((rng.normal(0, 0.1, len(time_s)) * np.sin((3 + number) * time_s)).astype(np.float32))
    return clips


def spatial_tokens(count: int, seed: int = 0) -> torch.Tensor:
    """(count, 256) spatial tokens."""
    return torch.randn(count, 256, generator=torch.Generator().manual_seed(seed))


def model_inputs(
    made: AudioLM,
    clips: list[np.ndarray],
    spatial: torch.Tensor | None,
    questions: tuple[str, ...] = QUESTIONS,
    answers: tuple[str, ...] | None = None,
) -> tuple[TokenBatch, dict[str, torch.Tensor]]:
    """A batch and the model's inputs for it, one question a clip, without labels."""
    mel, mask = made.frontend(clips)
    chosen = list(questions[: len(clips)])
    counts = made.model.audio_token_counts(mask)
    batch = tokenize(
        made.tokenizer, counts, chosen, answers, spatial=spatial is not None, system_prompt=made.system_prompt
    )
    inputs = {
        "input_ids": batch.input_ids, "attention_mask": batch.attention_mask,
        "input_features": mel, "feature_attention_mask": mask,
    }  # fmt: skip
    return batch, inputs if spatial is None else inputs | {"spatial": spatial}
