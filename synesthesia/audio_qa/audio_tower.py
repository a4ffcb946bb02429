"""Audio tower of the tiny Qwen2-Audio: the project's frozen `AudioTagger` as a transformers model.

Qwen2-Audio builds its tower from `config.audio_config` by `AutoModel`, so a configuration of another type brings
another tower. It gives one embedding every 160 ms: the tagger's last feature map at that moment (mean and maximum over
bands), concatenated with the tagger's unit-length embedding of the whole clip, scaled to match. Its weights are stored
in the tagger's own checkpoint only.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from synesthesia.audio.tagger import MIN_FRAMES, AudioTagger, AudioTaggerConfig

FRAMES_PER_TOKEN = 16  # of 10 ms
CLIP_EMBEDDING_SCALE = 8.0  # the clip embedding has unit length, the other features are about 1 each


class TaggerAudioTowerConfig(PretrainedConfig):  # type: ignore[misc]
    """labels, widths, depths, embedding: the fields of `AudioTaggerConfig` that decide shapes."""

    model_type = "synesthesia_ear"

    def __init__(self, labels: int = 2, widths: tuple[int, ...] = (24, 48, 96, 192),
                 depths: tuple[int, ...] = (1, 1, 2, 2), embedding: int = 128, **kwargs: Any) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.labels, self.widths, self.depths, self.embedding = labels, list(widths), list(depths), embedding

    @property
    def d_model(self) -> int:
        """Width of an audio embedding; Qwen2-Audio's projector reads it."""
        return int(2 * self.widths[-1] + self.embedding)

    @classmethod
    def from_tagger(cls, config: AudioTaggerConfig) -> TaggerAudioTowerConfig:
        return cls(len(config.labels), config.widths, config.depths, config.embedding)


class TaggerAudioTower(PreTrainedModel):  # type: ignore[misc]
    """Log-mel (B, T, 64) of `TaggerFrontend` -> `last_hidden_state` (B, ceil(T / 16), d_model)."""

    config_class = TaggerAudioTowerConfig
    main_input_name = "input_features"

    def __init__(self, config: TaggerAudioTowerConfig) -> None:
        super().__init__(config)
        labels = tuple(str(i) for i in range(config.labels))
        self.tagger = AudioTagger(
            AudioTaggerConfig(labels, tuple(config.widths), tuple(config.depths), embedding=config.embedding)
        ).eval()
        self.post_init()

    def train(self, mode: bool = True) -> TaggerAudioTower:
        """The tagger stays in evaluation mode: its batch statistics are part of its trained weights."""
        super().train(mode)
        self.tagger.eval()
        return self

    def _get_feat_extract_output_lengths(self, input_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Qwen2-Audio asks for the lengths after its convolutions and after its pooling: here they are the same."""
        tokens = -(-input_lengths.clamp(min=MIN_FRAMES) // FRAMES_PER_TOKEN)
        return tokens, tokens

    @torch.no_grad()
    def forward(self, input_features: Tensor, attention_mask: Tensor | None = None) -> BaseModelOutput:
        """attention_mask: unused; padding is silence, which the tagger was trained on."""
        tagger = self.tagger
        image = tagger.input_channels(input_features).contiguous(memory_format=torch.channels_last)
        x = tagger.body(F.silu(tagger.stem_norm(tagger.stem(image))))  # (B, D, T', K')
        local = torch.cat([x.mean(dim=3), x.amax(dim=3)], dim=1)  # (B, 2 D, T')
        pooled = torch.cat([local.mean(dim=2), local.amax(dim=2)], dim=1)  # (B, 4 D)
        clip = CLIP_EMBEDDING_SCALE * F.normalize(tagger.project(pooled).float(), dim=1)  # (B, 128)
        repeated = clip[:, None].expand(-1, local.shape[2], -1)  # (B, T', 128)
        return BaseModelOutput(last_hidden_state=torch.cat([local.transpose(1, 2), repeated], dim=2))


AutoConfig.register(TaggerAudioTowerConfig.model_type, TaggerAudioTowerConfig, exist_ok=True)
AutoModel.register(TaggerAudioTowerConfig, TaggerAudioTower, exist_ok=True)
