"""A question about a clip -> an answer in words: the mono mix for what, the spatial token for where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio_qa.prompt import TURN_END, encode
from synesthesia.audio_qa.qwen2_audio import AudioLM, load_hub, load_tiny
from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.nn.lora import load_trained

if TYPE_CHECKING:
    from synesthesia.core.presets import LanguageConfig

LONGEST_ANSWER = 64  # tokens


class AudioQAPipeline:
    """A language model that hears and knows directions."""

    def __init__(self, foundation: AudioLM) -> None:
        self.foundation = foundation

    @classmethod
    def load(cls, config: LanguageConfig) -> AudioQAPipeline:
        """UserError when a file is missing or damaged, or when the token has not been trained for this model."""
        if not checkpoints.is_listed(config.token_weights.folder):
            raise UserError(
                f"The spatial token has not been trained for {config.weights.where} yet; "
                f"this trains it: {config.train_command}"
            )
        if config.weights.hub_id:
            foundation = load_hub(config.weights.hub_id, config.weights.revision)
        else:
            ear = AudioTagger.load(checkpoints.folder(config.ear_weights.folder))
            foundation = load_tiny(checkpoints.folder(config.weights.folder), ear)
        load_trained(foundation.model, checkpoints.folder(config.token_weights.folder))
        return cls(foundation)

    @torch.inference_mode()
    def answer(self, mono: np.ndarray, token: np.ndarray | None, question: str) -> str:
        """mono: (n,) float32 at 16 kHz, of which the loudest stretch is heard; token: (256,) `Located.token`, None when
        the clip holds no direction; question: in English or Chinese."""
        made = self.foundation
        mel, mask = made.front([loudest(mono, int(made.front.seconds * SAMPLE_RATE_HZ))])
        batch = encode(
            made.tokenizer, made.model.audio_tokens(mask), [question], spatial=token is not None, preamble=made.preamble
        )
        device, dtype = made.model.device, made.model.dtype
        spatial = None if token is None else torch.from_numpy(token)[None].to(device, dtype)
        out = made.model.generate(
            input_ids=batch.input_ids.to(device), attention_mask=batch.attention_mask.to(device),
            input_features=mel.to(device), feature_attention_mask=mask.to(device), spatial=spatial, do_sample=False,
            max_new_tokens=LONGEST_ANSWER, eos_token_id=made.tokenizer.convert_tokens_to_ids(TURN_END),
            pad_token_id=made.tokenizer.pad_token_id,
            suppress_tokens=[made.model.config.spatial_token_id],  # it is heard, never said
        )  # fmt: skip
        said: str = made.tokenizer.decode(out[0, batch.input_ids.shape[1] :], skip_special_tokens=True)
        return said.strip()


def loudest(mono: np.ndarray, samples: int) -> np.ndarray:
    """(n,) -> at most `samples` of it: the stretch with the most energy."""
    if len(mono) <= samples:
        return mono
    energy = np.cumsum(np.concatenate([[0.0], np.square(mono, dtype=np.float64)]))
    start = int((energy[samples:] - energy[:-samples]).argmax())
    return mono[start : start + samples]
