"""The project's own ear as the audio tower of the tiny Qwen2-Audio: frozen, and no bytes on disk beyond the ear's.

Qwen2-Audio builds its tower from `config.audio_config` by `AutoModel`, so a configuration of another type brings
another tower. One embedding every 160 ms: what the ear's last layer holds at that moment (mean and maximum over
bands), beside what it thinks of the whole clip (its unit-length embedding, stretched to the size of the rest).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from synesthesia.audio.tagger import SMALLEST_FRAMES, AudioTagger, AudioTaggerConfig

FRAMES_PER_TOKEN = 16  # of 10 ms
STRETCH = 8.0  # the whole clip's embedding has unit length, a moment's numbers are about 1 each


class TaggerAudioTowerConfig(PretrainedConfig):  # type: ignore[misc]
    """labels, widths, depths, ...: the fields of `EarConfig` that decide shapes."""

    model_type = "synesthesia_ear"

    def __init__(self, labels: int = 2, widths: tuple[int, ...] = (24, 48, 96, 192),
                 depths: tuple[int, ...] = (1, 1, 2, 2), embedding: int = 128, **kwargs: Any) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.labels, self.widths, self.depths, self.embedding = labels, list(widths), list(depths), embedding

    @property
    def d_model(self) -> int:
        """Numbers an embedding has, read by Qwen2-Audio's projector."""
        return int(2 * self.widths[-1] + self.embedding)

    @classmethod
    def of(cls, ear: AudioTaggerConfig) -> TaggerAudioTowerConfig:
        return cls(len(ear.labels), ear.widths, ear.depths, ear.embedding)


class TaggerAudioTower(PreTrainedModel):  # type: ignore[misc]
    """Log-mel (B, T, 64) of the project's front end -> `last_hidden_state` (B, ceil(T / 16), d_model)."""

    config_class = TaggerAudioTowerConfig
    main_input_name = "input_features"

    def __init__(self, config: TaggerAudioTowerConfig) -> None:
        super().__init__(config)
        names = tuple(str(i) for i in range(config.labels))
        self.ear = AudioTagger(
            AudioTaggerConfig(names, tuple(config.widths), tuple(config.depths), embedding=config.embedding)
        ).eval()
        self.post_init()

    def train(self, mode: bool = True) -> TaggerAudioTower:
        """The ear never trains here: its batch statistics stay those it was trained with."""
        super().train(mode)
        self.ear.eval()
        return self

    def _get_feat_extract_output_lengths(self, input_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Qwen2-Audio asks for the lengths after its convolutions and after its pooling: here they are one."""
        tokens = -(-input_lengths.clamp(min=SMALLEST_FRAMES) // FRAMES_PER_TOKEN)
        return tokens, tokens

    @torch.no_grad()
    def forward(self, input_features: Tensor, attention_mask: Tensor | None = None) -> BaseModelOutput:
        """attention_mask: not used; padding is silence, which the ear knows."""
        ear = self.ear
        picture = ear.picture(input_features).contiguous(memory_format=torch.channels_last)
        x = ear.body(F.silu(ear.stem_norm(ear.stem(picture))))  # (B, D, T', K')
        moments = torch.cat([x.mean(dim=3), x.amax(dim=3)], dim=1)  # (B, 2 D, T')
        pooled = torch.cat([moments.mean(dim=2), moments.amax(dim=2)], dim=1)
        whole = STRETCH * F.normalize(ear.project(pooled).float(), dim=1)  # (B, 128)
        every = whole[:, None].expand(-1, moments.shape[2], -1)
        return BaseModelOutput(last_hidden_state=torch.cat([moments.transpose(1, 2), every], dim=2))


AutoConfig.register(TaggerAudioTowerConfig.model_type, TaggerAudioTowerConfig, exist_ok=True)
AutoModel.register(TaggerAudioTowerConfig, TaggerAudioTower, exist_ok=True)
