"""Audio question answering pipeline: a two-channel clip and a question in, an answer in words out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Preset
from synesthesia.core.results import Answered

if TYPE_CHECKING:
    import numpy as np

    from synesthesia.binaural.clip import BinauralClip


class Generator(Protocol):
    """What writes the answer: `AnswerGenerator`, or a stand-in."""

    def answer(self, mono: np.ndarray, token: np.ndarray | None, question: str) -> str:
        """mono: (n,) float32 at 16 kHz; token: (256,) spatial token, or None."""
        ...


class AudioQA:
    """A preset's language model, loaded by the first question.

    spatial_token: clip -> (256,) spatial token, see `Located.token`; generator: instead of the preset's own.
    """

    def __init__(
        self, preset: Preset, spatial_token: Callable[[BinauralClip], np.ndarray], generator: Generator | None = None
    ) -> None:
        self.preset, self.spatial_token = preset, spatial_token
        self._generator = generator

    def ask(self, clip: BinauralClip, question: str) -> Answered:
        """question: validated. UserError for a silent clip (there is nothing to ask about), missing or damaged
        weights."""
        if clip.kind == "silent":
            raise UserError("The clip is silent: there is nothing to ask about.")
        token = self.spatial_token(clip)
        text = self.generator().answer(clip.waveform.mean(axis=0), token, question)
        return Answered(question, text, spatial=clip.kind == "stereo")

    def generator(self) -> Generator:
        """UserError when a file is missing or damaged."""
        if self._generator is None:
            from synesthesia.audio_qa.generate import AnswerGenerator

            self._generator = AnswerGenerator.load(self.preset.audio_qa)
        return self._generator


def can_answer(preset: Preset) -> bool:
    """Whether a language model for this preset has been trained. Loads and fetches nothing."""
    needed = (preset.audio_qa.weights, preset.audio_qa.token_weights)
    return all(checkpoints.is_present(each) for each in needed)
