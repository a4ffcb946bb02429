"""Qwen2-Audio with one more token: where the sound stood, beside what the audio tower heard.

The tower and its projector hear the mono mix and stay as they are; the embedding of `<|SPATIAL|>` is replaced by the
projected spatial token. What the language model gets for the audio is the same to the bit with and without it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration
from transformers.masking_utils import create_bidirectional_mask
from transformers.models.qwen2_audio.modeling_qwen2_audio import Qwen2AudioCausalLMOutputWithPast

from synesthesia.audio_qa.projector import SpatialProjector

SPATIAL_WIDTH = 256


class SpatialQwen2Audio(Qwen2AudioForConditionalGeneration):  # type: ignore[misc]
    """`Qwen2AudioForConditionalGeneration` that also takes `spatial` (B, 256), one row for every `<|SPATIAL|>` in
    `input_ids`, in order. `config.spatial_token_id` names the token; without it in the input, `spatial` is not needed.

    Input ids hold one audio token for every audio embedding (`audio_tokens`, `prompt.encode`). ValueError when they
    differ in number.
    """

    def __init__(self, config: Qwen2AudioConfig) -> None:
        super().__init__(config)
        self.spatial_projector = SpatialProjector(SPATIAL_WIDTH, config.text_config.hidden_size)

    def audio_embeddings(self, input_features: Tensor, feature_attention_mask: Tensor) -> Tensor:
        """Features as the tower takes them, and which frames (B, frames) are no padding -> (all audio tokens of the
        batch, d_llm)."""
        tower = self.model.audio_tower
        inner, outer = tower._get_feat_extract_output_lengths(feature_attention_mask.sum(dim=-1))
        frames = (feature_attention_mask.shape[1] - 2) // 2 + 1  # after the first of Qwen2-Audio's halvings
        heard = torch.arange(frames, device=inner.device)[None] < inner[:, None]  # (B, frames)
        like = torch.zeros(len(heard), frames, 1, dtype=tower.dtype, device=tower.device)
        mask = create_bidirectional_mask(
            config=tower.config, inputs_embeds=like, attention_mask=heard.long().to(tower.device)
        )  # fmt: skip
        out = self.model.multi_modal_projector(tower(input_features, attention_mask=mask).last_hidden_state)
        kept = torch.arange(out.shape[1], device=outer.device)[None] < outer[:, None]
        embeddings: Tensor = out[kept.to(out.device)]
        return embeddings

    def audio_tokens(self, feature_attention_mask: Tensor) -> list[int]:
        """(B, frames) -> how many embeddings the tower gives for each clip."""
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
        """(B, S) ids -> (B, S, d_llm): what enters the language model, audio and spatial token in their places."""
        heard = None
        if input_features is not None and feature_attention_mask is not None:
            heard = self.audio_embeddings(input_features, feature_attention_mask)
        return self.place(input_ids, heard, spatial)

    def place(self, input_ids: Tensor, heard: Tensor | None, spatial: Tensor | None) -> Tensor:
        """`embed` with the audio embeddings (all audio tokens of the batch, d_llm) at hand: a clip that is asked many
        questions is heard once."""
        places = input_ids == self.config.spatial_token_id
        embeds: Tensor = self.get_input_embeddings()(input_ids.masked_fill(places, 0))  # the new token has no row
        if heard is not None:
            embeds = _put(embeds, input_ids == self.config.audio_token_id, heard, "audio")
        if bool(places.any()):  # not while decoding goes on: the cache holds it
            if spatial is None:
                raise ValueError("The prompt has a spatial token, but no spatial features were given.")
            embeds = _put(embeds, places, self.spatial_projector(spatial), "spatial")
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
        **kwargs: Any,  # transformers' generation passes its own
    ) -> Qwen2AudioCausalLMOutputWithPast:
        """As the parent's, with `spatial`. labels: (B, S), -100 everywhere but on the answer."""
        if inputs_embeds is None and input_ids is not None:
            first = input_ids.shape[1] > 1
            features = input_features if first else None
            inputs_embeds = self.embed(input_ids, features, feature_attention_mask, spatial)
        return super().forward(
            inputs_embeds=inputs_embeds, attention_mask=attention_mask, labels=labels, **kwargs
        )  # fmt: skip


def _put(embeds: Tensor, places: Tensor, rows: Tensor, what: str) -> Tensor:
    """(B, S, D) with `rows` (N, D) in the N `places` (B, S), in order."""
    if int(places.sum()) != len(rows):
        raise ValueError(f"The prompt has {int(places.sum())} {what} tokens for {len(rows)} {what} embeddings.")
    return embeds.masked_scatter(places[..., None], rows.to(embeds.dtype))
