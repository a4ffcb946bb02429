"""Audio language model with tokenizer and feature extractor: the tiny Qwen2-Audio, or the hub's Qwen2-Audio-7B."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.mel import LogMel, MelConfig
from synesthesia.audio.tagger import AudioTagger, AudioTaggerConfig
from synesthesia.audio_qa.audio_tower import TaggerAudioTowerConfig
from synesthesia.audio_qa.prompt import AUDIO, PAD, SPATIAL, SPECIAL, SYSTEM, TURN_END
from synesthesia.audio_qa.spatial_qwen2_audio import SpatialQwen2Audio
from synesthesia.core.presets import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, Qwen2AudioConfig, WhisperFeatureExtractor


class AudioFrontend(Protocol):
    """Feature extractor: clips -> the audio tower's input."""

    @property
    def max_seconds(self) -> float:
        """Longest clip that the tower takes."""
        ...

    def __call__(self, clips: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        """(n,) float32 mono clips at 16 kHz -> features, and the mask (B, frames) of frames that are no padding."""
        ...


@dataclass(frozen=True)
class WhisperFrontend:
    """Whisper's log-mel (Radford et al. 2022), padded to the 30 s that Qwen2-Audio's tower takes: (B, 128, frames)."""

    extractor: WhisperFeatureExtractor

    @property
    def max_seconds(self) -> float:
        return float(self.extractor.n_samples / SAMPLE_RATE_HZ)

    def __call__(self, clips: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        out = self.extractor(
            list(clips),
            sampling_rate=SAMPLE_RATE_HZ,
            padding="max_length",
            return_attention_mask=True,
            return_tensors="pt",
        )
        return out["input_features"], out["attention_mask"]


@dataclass(frozen=True)
class TaggerFrontend:
    """The project's log-mel, padded with silence to the longest clip: (B, frames, 64)."""

    max_seconds: float = 10.0

    def __call__(self, clips: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        mel, hop = LogMel(), MelConfig().hop_samples
        longest = max(2 * MelConfig().fft_samples, *(len(clip) for clip in clips))
        waveform = torch.stack([F.pad(torch.from_numpy(clip), (0, longest - len(clip))) for clip in clips])
        frames = torch.tensor([max(1, len(clip) // hop) for clip in clips])
        return mel(waveform), (torch.arange(longest // hop)[None] < frames[:, None]).long()


@dataclass(frozen=True)
class AudioLM:
    """A model with what turns clips and text into its inputs. system_prompt: precedes each prompt."""

    model: SpatialQwen2Audio
    tokenizer: PreTrainedTokenizerBase
    frontend: AudioFrontend
    system_prompt: str = ""


def tiny_config(
    tokenizer: PreTrainedTokenizerBase, tagger: AudioTaggerConfig, width: int = 192, layers: int = 4
) -> Qwen2AudioConfig:
    """A Qwen2-Audio of a few thousandths of the size, with the project's tagger as audio tower."""
    from transformers import Qwen2AudioConfig, Qwen2Config

    text = Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=3 * width, num_hidden_layers=layers,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=512, tie_word_embeddings=False,
        use_sliding_window=False, pad_token_id=_id(tokenizer, PAD), eos_token_id=_id(tokenizer, TURN_END),
        bos_token_id=None,
    )  # fmt: skip
    return Qwen2AudioConfig(
        audio_config=TaggerAudioTowerConfig.from_tagger(tagger), text_config=text,
        audio_token_index=_id(tokenizer, AUDIO), spatial_token_id=_id(tokenizer, SPATIAL),
    )  # fmt: skip


def build_tiny(tokenizer: PreTrainedTokenizerBase, config: Qwen2AudioConfig, tagger: AudioTagger) -> AudioLM:
    """Untrained, but for the audio tower, which is the frozen tagger."""
    model = SpatialQwen2Audio(config).eval()
    model.model.audio_tower.tagger.load_state_dict(tagger.state_dict())
    model.model.audio_tower.requires_grad_(False)
    return AudioLM(model, tokenizer, TaggerFrontend())


def load_tokenizer(file: Path) -> PreTrainedTokenizerBase:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_file=str(file), pad_token=PAD, eos_token=TURN_END, additional_special_tokens=list(SPECIAL)
    )


def load_hub(hub_id: str, revision: str) -> AudioLM:
    """Qwen2-Audio at one commit, in bfloat16, its own tokenizer extended by the spatial token. Uses the network."""
    from transformers import AutoTokenizer, Qwen2AudioConfig, WhisperFeatureExtractor

    tokenizer = AutoTokenizer.from_pretrained(hub_id, revision=revision)
    tokenizer.add_special_tokens({"additional_special_tokens": [SPATIAL]}, replace_extra_special_tokens=False)
    config = Qwen2AudioConfig.from_pretrained(hub_id, revision=revision)
    config.spatial_token_id = _id(tokenizer, SPATIAL)
    model = SpatialQwen2Audio.from_pretrained(hub_id, revision=revision, config=config, dtype=torch.bfloat16)
    extractor = WhisperFeatureExtractor.from_pretrained(hub_id, revision=revision)
    return AudioLM(model.eval().requires_grad_(False), tokenizer, WhisperFrontend(extractor), SYSTEM)


def _id(tokenizer: PreTrainedTokenizerBase, token: str) -> int:
    return int(tokenizer.convert_tokens_to_ids(token))
