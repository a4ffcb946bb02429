"""What the studio does with binaural clips: the models that hear them, each loaded by the first clip that needs it.

The studio calls all of this under its lock. Of a clip nothing is kept but its spatial token, by the clip's content and
for a bounded number of clips, so that a second question about it needn't locate it again.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from synesthesia.core import checkpoints
from synesthesia.core.cache import BoundedCache
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Preset
from synesthesia.core.results import Answered, Located

if TYPE_CHECKING:
    import numpy as np

    from synesthesia.audio_qa.pipeline import AudioQAPipeline
    from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF
    from synesthesia.localization.clip_input import BinauralClip
    from synesthesia.localization.result import Localization

LOCATED_CLIPS = 64  # tokens kept: 1 kB each


class ClipModels:
    """The reference head, the localiser and the small language model of one preset."""

    def __init__(self, preset: Preset) -> None:
        self.preset = preset
        self._head: SphericalHarmonicHRTF | None = None
        self._locator: Localization | None = None
        self._answerer: AudioQAPipeline | None = None
        self._tokens: BoundedCache[np.ndarray] = BoundedCache(LOCATED_CLIPS)

    def locate(self, clip: BinauralClip) -> Located:
        found = self.locator().locate(clip)
        self._tokens.get(content(clip), lambda: found.token.copy())  # `found` belongs to the caller
        return found

    def ask(self, clip: BinauralClip, question: str) -> Answered:
        """question: as `settings.asked` gives it. UserError for a silent clip: there is nothing to ask about."""
        if clip.kind == "silent":
            raise UserError("The clip is silent: there is nothing to ask about.")
        token = self._tokens.get(content(clip), lambda: self.locator().locate(clip).token)
        text = self.answerer().answer(clip.waveform.mean(axis=0), token, question)
        return Answered(question, text, spatial=clip.kind == "stereo")

    def head(self) -> SphericalHarmonicHRTF:
        """UserError, here and below, when a file is missing or damaged."""
        if self._head is None:
            from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF

            self._head = SphericalHarmonicHRTF.load(checkpoints.folder(self.preset.spatial.head_weights.folder))
        return self._head

    def locator(self) -> Localization:
        if self._locator is None:
            from synesthesia.localization.result import Localization

            self._locator = Localization.load(self.preset.spatial, self.head())
        return self._locator

    def answerer(self) -> AudioQAPipeline:
        if self._answerer is None:
            from synesthesia.audio_qa.pipeline import AudioQAPipeline

            self._answerer = AudioQAPipeline.load(self.preset.language)
        return self._answerer


def can_answer(preset: Preset) -> bool:
    """Whether a language model for this preset has been trained. Loads and fetches nothing."""
    needed = (preset.language.weights, preset.language.token_weights)
    return all(checkpoints.is_listed(each.folder) for each in needed if not each.hub_id)


def content(clip: BinauralClip) -> str:
    """The same samples, the same key."""
    return hashlib.sha256(clip.waveform.tobytes()).hexdigest()
