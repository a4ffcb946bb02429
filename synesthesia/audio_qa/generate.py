"""Answer generation: greedy decoding by Qwen2-Audio from the mono mix, the spatial token and the question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio_qa.checkpoint import load_language_model, load_spatial_token
from synesthesia.audio_qa.prompt import TURN_END, tokenize
from synesthesia.audio_qa.qwen2_audio import AudioLM, load_hub
from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from synesthesia.core.presets import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from synesthesia.core.presets import AudioQAConfig

MAX_NEW_TOKENS = 64


class AnswerGenerator:
    """A language model with its spatial token."""

    def __init__(self, language_model: AudioLM) -> None:
        self.language_model = language_model

    @classmethod
    def load(cls, config: AudioQAConfig) -> AnswerGenerator:
        """UserError when a file is missing or damaged, or when no token has been trained for this model."""
        if not checkpoints.is_listed(config.token_weights.folder):
            raise UserError(
                f"The spatial token has not been trained for {config.weights.where} yet; "
                f"this trains it: {config.train_command}"
            )
        if config.weights.hub_id:
            language_model = load_hub(config.weights.hub_id, config.weights.revision)
        else:
            tagger = AudioTagger.load(checkpoints.folder(config.tagger_weights.folder))
            language_model = load_language_model(checkpoints.folder(config.weights.folder), tagger)
        load_spatial_token(language_model.model, checkpoints.folder(config.token_weights.folder))
        return cls(language_model)

    @torch.inference_mode()
    def answer(self, mono: np.ndarray, token: np.ndarray | None, question: str) -> str:
        """mono: (n,) float32 at 16 kHz, cut to its loudest stretch where it is too long; token: (256,)
        `Located.token`, or None for a prompt without it; question: in English or Chinese."""
        model, tokenizer, frontend = (
            self.language_model.model,
            self.language_model.tokenizer,
            self.language_model.frontend,
        )
        mel, mask = frontend([loudest(mono, int(frontend.max_seconds * SAMPLE_RATE_HZ))])
        batch = tokenize(
            tokenizer, model.audio_token_counts(mask), [question], spatial=token is not None,
            system_prompt=self.language_model.system_prompt,
        )  # fmt: skip
        device, dtype = model.device, model.dtype
        spatial = None if token is None else torch.from_numpy(token)[None].to(device, dtype)
        out = model.generate(
            input_ids=batch.input_ids.to(device), attention_mask=batch.attention_mask.to(device),
            input_features=mel.to(device), feature_attention_mask=mask.to(device), spatial=spatial, do_sample=False,
            max_new_tokens=MAX_NEW_TOKENS, eos_token_id=tokenizer.convert_tokens_to_ids(TURN_END),
            pad_token_id=tokenizer.pad_token_id,
            suppress_tokens=[model.config.spatial_token_id],  # an input only: decoding could not go on from it
        )  # fmt: skip
        text: str = tokenizer.decode(out[0, batch.input_ids.shape[1] :], skip_special_tokens=True)
        return text.strip()


def loudest(mono: np.ndarray, samples: int) -> np.ndarray:
    """(n,) -> at most `samples` of it: the stretch with the most energy."""
    if len(mono) <= samples:
        return mono
    energy = np.cumsum(np.concatenate([[0.0], np.square(mono, dtype=np.float64)]))
    start = int((energy[samples:] - energy[:-samples]).argmax())
    return mono[start : start + samples]
