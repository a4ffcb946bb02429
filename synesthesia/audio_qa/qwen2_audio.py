"""The audio language model as it was before the spatial token: this project's tiny one, or Qwen2-Audio from the hub."""

from __future__ import annotations

import json
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
from synesthesia.core.errors import UserError
from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.nn.quantised import load_quantised, save_quantised

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, Qwen2AudioConfig, WhisperFeatureExtractor

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
ELSEWHERE = ("spatial_projector.", "model.audio_tower.")  # parameters that are not the foundation's own


class AudioFrontend(Protocol):
    """What turns clips into the audio tower's input."""

    @property
    def seconds(self) -> float:
        """Of a clip that are heard at most."""
        ...

    def __call__(self, mono: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        """(n,) float32 clips at 16 kHz -> features, and which frames (B, frames) of them are no padding."""
        ...


@dataclass(frozen=True)
class WhisperFrontend:
    """Whisper's log-mel (Radford et al. 2022), padded to the 30 s that Qwen2-Audio's tower takes: (B, 128, frames)."""

    extractor: WhisperFeatureExtractor

    @property
    def seconds(self) -> float:
        return float(self.extractor.n_samples / SAMPLE_RATE_HZ)

    def __call__(self, mono: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        out = self.extractor(
            list(mono),
            sampling_rate=SAMPLE_RATE_HZ,
            padding="max_length",
            return_attention_mask=True,
            return_tensors="pt",
        )
        return out["input_features"], out["attention_mask"]


@dataclass(frozen=True)
class TaggerFrontend:
    """The project's own log-mel, padded with silence to the longest clip: (B, frames, 64)."""

    seconds: float = 10.0

    def __call__(self, mono: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        mel, hop = LogMel(), MelConfig().hop_samples
        longest = max(2 * MelConfig().fft_samples, *(len(one) for one in mono))
        waveform = torch.stack([F.pad(torch.from_numpy(one), (0, longest - len(one))) for one in mono])
        frames = torch.tensor([max(1, len(one) // hop) for one in mono])
        return mel(waveform), (torch.arange(longest // hop)[None] < frames[:, None]).long()


@dataclass(frozen=True)
class AudioLM:
    """A model with everything that turns clips and words into its inputs. preamble: what every prompt begins with."""

    model: SpatialQwen2Audio
    tokenizer: PreTrainedTokenizerBase
    front: AudioFrontend
    preamble: str = ""


def tiny_config(
    tokenizer: PreTrainedTokenizerBase, ear: AudioTaggerConfig, width: int = 192, layers: int = 4
) -> Qwen2AudioConfig:
    """A Qwen2-Audio a few thousandths of the size, with the project's ear as its tower."""
    from transformers import Qwen2AudioConfig, Qwen2Config

    text = Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=3 * width, num_hidden_layers=layers,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=512, tie_word_embeddings=False,
        use_sliding_window=False, pad_token_id=_id(tokenizer, PAD), eos_token_id=_id(tokenizer, TURN_END),
        bos_token_id=None,
    )  # fmt: skip
    return Qwen2AudioConfig(
        audio_config=TaggerAudioTowerConfig.of(ear), text_config=text, audio_token_index=_id(tokenizer, AUDIO),
        spatial_token_id=_id(tokenizer, SPATIAL),
    )  # fmt: skip


def tiny(tokenizer: PreTrainedTokenizerBase, config: Qwen2AudioConfig, ear: AudioTagger) -> AudioLM:
    """Untrained but for the ear, which is frozen."""
    model = SpatialQwen2Audio(config).eval()
    model.model.audio_tower.ear.load_state_dict(ear.state_dict())
    model.model.audio_tower.requires_grad_(False)
    return AudioLM(model, tokenizer, TaggerFrontend())


def tokenizer_from(file: Path) -> PreTrainedTokenizerBase:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_file=str(file), pad_token=PAD, eos_token=TURN_END, additional_special_tokens=list(SPECIAL)
    )


def save_tiny(foundation: AudioLM, folder: Path) -> None:
    """config.json, tokenizer.json and model.safetensors (eight bits), without the ear, which has its own folder, and
    without the spatial projector, which comes later."""
    folder.mkdir(parents=True, exist_ok=True)
    config = foundation.model.config.to_dict() | {"transformers_version": None}
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    foundation.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    state = foundation.model.state_dict()
    save_quantised({name: value for name, value in state.items() if not name.startswith(ELSEWHERE)}, folder / WEIGHTS)


def load_tiny(folder: Path, ear: AudioTagger) -> AudioLM:
    """From what `save_tiny` wrote; the projector is untrained. UserError when a file is missing."""
    from transformers import Qwen2AudioConfig

    try:
        fields = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        state = load_quantised(folder / WEIGHTS)
        if not (folder / TOKENIZER).is_file():
            raise FileNotFoundError(folder / TOKENIZER)
    except FileNotFoundError as error:
        raise UserError(
            f"The language model's folder {folder} is incomplete; train it with training.audio_qa.train_language_model."
        ) from error
    made = tiny(tokenizer_from(folder / TOKENIZER), Qwen2AudioConfig(**fields), ear)
    shapes = {name: value.shape for name, value in made.model.state_dict().items() if not name.startswith(ELSEWHERE)}
    if shapes != {name: value.shape for name, value in state.items()}:
        raise UserError(f"The language model in {folder} is of another shape than its config.json says.")
    made.model.load_state_dict(state, strict=False)
    made.model.requires_grad_(False)
    return made


def load_hub(hub_id: str, revision: str) -> AudioLM:
    """Qwen2-Audio at one commit, in bfloat16, with its own tokenizer and one more token. Opens the network."""
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
