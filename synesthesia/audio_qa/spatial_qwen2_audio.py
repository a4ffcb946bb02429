"""Qwen2-Audio (Chu et al. 2024) with a spatial token: direction features beside the audio embeddings.

Audio tower and projector take the mono mix and stay unchanged; the embedding of `<|SPATIAL|>` is replaced by the
projected spatial token (masked scatter, as Qwen2-Audio does with audio embeddings). The audio embeddings that the
language model gets are bit for bit the same with and without it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration
from transformers.masking_utils import create_bidirectional_mask
from transformers.models.qwen2_audio.modeling_qwen2_audio import Qwen2AudioCausalLMOutputWithPast

from synesthesia.audio_qa.projector import SpatialProjector

SPATIAL_TOKEN_DIM = 256


class SpatialQwen2Audio(Qwen2AudioForConditionalGeneration):  # type: ignore[misc]
    """`Qwen2AudioForConditionalGeneration` that also takes `spatial` (B, 256), one row for each `<|SPATIAL|>` in
    `input_ids`, in order. `config.spatial_token_id` is the token's id; prompts without it need no `spatial`.

    Input ids hold one audio token for each audio embedding (`audio_token_counts`, `prompt.tokenize`). ValueError when
    the numbers differ.
    """

    def __init__(self, config: Qwen2AudioConfig) -> None:
        super().__init__(config)
        self.spatial_projector = SpatialProjector(SPATIAL_TOKEN_DIM, config.text_config.hidden_size)

    def audio_embeddings(self, input_features: Tensor, feature_attention_mask: Tensor) -> Tensor:
        """Features as the tower takes them, and the mask (B, frames) of frames that are no padding -> (all audio tokens
        of the batch, d_llm)."""
        tower = self.model.audio_tower
        inner, outer = tower._get_feat_extract_output_lengths(feature_attention_mask.sum(dim=-1))
        frames = (feature_attention_mask.shape[1] - 2) // 2 + 1  # after the first of Qwen2-Audio's halvings
        valid = torch.arange(frames, device=inner.device)[None] < inner[:, None]  # (B, frames)
        like = torch.zeros(len(valid), frames, 1, dtype=tower.dtype, device=tower.device)
        mask = create_bidirectional_mask(
            config=tower.config, inputs_embeds=like, attention_mask=valid.long().to(tower.device)
        )  # fmt: skip
        out = self.model.multi_modal_projector(tower(input_features, attention_mask=mask).last_hidden_state)
        kept = torch.arange(out.shape[1], device=outer.device)[None] < outer[:, None]
        embeddings: Tensor = out[kept.to(out.device)]
        return embeddings

    def audio_token_counts(self, feature_attention_mask: Tensor) -> list[int]:
        """(B, frames) -> number of embeddings that the tower gives for each clip."""
        return [
            int(n) for n in self.model.audio_tower._get_feat_extract_output_lengths(feature_attention_mask.sum(-1))[1]
        ]

    def embed(
        self,
        input_ids: Tensor,
        input_features: Tensor | None = None,
        feature_attention_mask: Tensor | None = None,
        spatial: Tensor | None = None,
    ) -> Tensor:
        """(B, S) ids -> (B, S, d_llm): the language model's input, with audio and spatial embeddings merged in."""
        audio = None
        if input_features is not None and feature_attention_mask is not None:
            audio = self.audio_embeddings(input_features, feature_attention_mask)
        return self.merge_embeddings(input_ids, audio, spatial)

    def merge_embeddings(self, input_ids: Tensor, audio: Tensor | None, spatial: Tensor | None) -> Tensor:
        """`embed` with precomputed audio embeddings (all audio tokens of the batch, d_llm), so that a clip with many
        questions is encoded once."""
        is_spatial = input_ids == self.config.spatial_token_id
        embeds: Tensor = self.get_input_embeddings()(input_ids.masked_fill(is_spatial, 0))  # the new token has no row
        if audio is not None:
            embeds = _masked_scatter(embeds, input_ids == self.config.audio_token_id, audio, "audio")
        if bool(is_spatial.any()):  # only at the first step of generation: the cache holds it afterwards
            if spatial is None:
                raise ValueError("The prompt has a spatial token, but no spatial features were given.")
            embeds = _masked_scatter(embeds, is_spatial, self.spatial_projector(spatial), "spatial")
        return embeds

    def forward(
        self,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        feature_attention_mask: Tensor | None = None,
        spatial: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs: Any,  # generation arguments of transformers
    ) -> Qwen2AudioCausalLMOutputWithPast:
        """The parent's, with `spatial`. labels: (B, S), -100 everywhere but on the answer."""
        if inputs_embeds is None and input_ids is not None:
            first = input_ids.shape[1] > 1
            features = input_features if first else None
            inputs_embeds = self.embed(input_ids, features, feature_attention_mask, spatial)
        return super().forward(
            inputs_embeds=inputs_embeds, attention_mask=attention_mask, labels=labels, **kwargs
        )  # fmt: skip


def _masked_scatter(embeds: Tensor, mask: Tensor, rows: Tensor, what: str) -> Tensor:
    """(B, S, D) with `rows` (N, D) at the N positions of `mask` (B, S), in order."""
    if int(mask.sum()) != len(rows):
        raise ValueError(f"The prompt has {int(mask.sum())} {what} tokens for {len(rows)} {what} embeddings.")
    return embeds.masked_scatter(mask[..., None], rows.to(embeds.dtype))
