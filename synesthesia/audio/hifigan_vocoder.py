"""HiFi-GAN (Kong 2020) as AudioLDM uses it: transformers' `SpeechT5HifiGan`, for the public checkpoints of the hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor, nn

from synesthesia.audio.vocoder import FOLDER, TRAINED_BY
from synesthesia.core.errors import UserError
from synesthesia.nn.checkpoint_file import load_checkpoint

if TYPE_CHECKING:
    from transformers import SpeechT5HifiGan


class HifiGanVocoder(nn.Module):
    """transformers' `SpeechT5HifiGan` with AudioLDM's rates; its T * 160 + 32 samples are trimmed at both ends."""

    def __init__(self, model: SpeechT5HifiGan, hop_samples: int = 160) -> None:
        super().__init__()
        self.model, self.hop_samples = model, hop_samples

    def forward(self, mel: Tensor) -> Tensor:
        assert mel.ndim == 3, f"mel must be (B, T, bands), got {tuple(mel.shape)}"
        waveform = self.model(mel)  # (B, T * hop + excess)
        length = mel.shape[1] * self.hop_samples
        excess = waveform.shape[-1] - length
        assert excess >= 0, (
            f"the vocoder gave {waveform.shape[-1]} samples for {mel.shape[1]} frames, fewer than {length}"
        )
        return waveform[:, excess // 2 : excess // 2 + length]

    def generated(self, mel: Tensor) -> Tensor:
        return self(mel)  # type: ignore[no-any-return]

    @classmethod
    def load(cls, folder: Path) -> HifiGanVocoder:
        """From a folder as transformers saves it, weight norm included. UserError when a file is missing."""
        from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig  # seconds to import, and only the hub needs it

        fields, tensors = load_checkpoint(folder, what=FOLDER, trained_by=TRAINED_BY)
        model = SpeechT5HifiGan(SpeechT5HifiGanConfig.from_dict(fields))
        missing, unexpected = model.load_state_dict(_without_weight_norm(tensors), strict=False)
        if unexpected or set(missing) - {"mean", "scale"}:
            raise UserError(f"The weights in {folder} don't hold the vocoder that its config.json describes.")
        return cls(model.eval().requires_grad_(False))


def _without_weight_norm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Float tensors by name, with the pairs of weight norm (direction `_v`, length `_g`) multiplied out."""
    plain = {name: value.float() for name, value in state.items() if not name.endswith(("weight_g", "weight_v"))}
    for name in state:
        if name.endswith("weight_v"):
            direction, length = state[name].float(), state[name[:-1] + "g"].float()
            plain[name[:-2]] = direction * length / direction.flatten(1).norm(dim=1).view(-1, 1, 1)
    return plain
