"""Reconstruction measures: known answers; the evaluation ranks a copy before shaped noise."""

from __future__ import annotations

import math
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from synesthesia.audio.griffin_lim import GriffinLim
from synesthesia.audio.mel import LogMel
from synesthesia.audio.noise_vocoder import NoiseVocoder
from synesthesia.evaluation.intervals import ConfidenceInterval
from tests.audio.known_sounds import chord, rain, white_noise
from tests.training_common.tiny_sounds import tiny_sounds
from training.audio.codec_systems import Codecs
from training.audio.evaluate_codec import Evaluation, excerpt, held_out
from training.audio.reconstruction_metrics import (
    TextureStatistics,
    harmonicity_db,
    harmonicity_error_db,
    log_spectral_distance,
    modulation_lines_db,
)
from training.common.audio_data import SoundStore


def modulated(hz: float, depth: float) -> Tensor:
    """(n,) white noise with a sinusoidal envelope."""
    noise = white_noise(4.0)[0]
    return noise * (1 + depth * torch.sin(2 * math.pi * hz * torch.arange(len(noise)) / 16_000))


def test_a_sound_has_no_distance_from_itself() -> None:
    sound = rain()[0]
    assert log_spectral_distance(sound, sound, 4096) == 0 == harmonicity_error_db(sound, sound)
    assert abs(log_spectral_distance(0.5 * sound, sound, 256) - 6.0) < 0.1  # the floor makes it a little less than 6.02


def test_lines_are_found_where_the_envelope_is_modulated() -> None:
    assert max(modulation_lines_db(white_noise(4.0)[0])) < 4.0
    lines = modulation_lines_db(modulated(200.0, 0.3))
    assert lines[1] > 10.0 and max(lines[0], lines[2], lines[3]) < 4.0


def test_tones_are_harmonic_and_noise_is_not() -> None:
    tone = torch.sin(2 * math.pi * 250 * torch.arange(16_000) / 16_000)
    assert float(harmonicity_db(tone).median()) > 25.0
    assert float(harmonicity_db(white_noise(1.0)[0]).median()) < 0.0
    assert harmonicity_error_db(white_noise(3.0)[0], chord()[0]) > 5.0


def test_texture_statistics_tell_modulations_apart() -> None:
    statistics = TextureStatistics()
    steady, slow, fast = (statistics(modulated(hz, depth)) for hz, depth in ((4.0, 0.0), (4.0, 0.8), (64.0, 0.8)))
    for group in ("moments", "modulation", "correlations"):
        again = statistics(modulated(4.0, 0.8))[group]
        assert torch.equal(again, slow[group])
        assert float((slow[group] - steady[group]).square().mean()) > 0.01
    assert int((slow["modulation"] - steady["modulation"]).view(9, -1).mean(dim=1).argmax()) == 3  # the octave at 4 Hz
    assert int((fast["modulation"] - steady["modulation"]).view(9, -1).mean(dim=1).argmax()) == 7  # at 64 Hz


def test_a_copy_is_ranked_before_shaped_noise(tmp_path: Path) -> None:
    store = SoundStore.open(tiny_sounds(tmp_path / "data"), tmp_path / "cache")
    rows = held_out(store, 10, seed=0)
    assert rows == store.held_out_rows  # one of each label
    evaluation = Evaluation([(excerpt(store, row), store.clips[row].label) for row in rows], None, None)
    systems = Codecs(NoiseVocoder()).systems()
    assert list(systems) == ["identity", "Griffin-Lim", "shaped noise", "vocoder"]
    copy, noise = (evaluation.measure(systems[name]) for name in ("identity", "vocoder"))
    for name in ("lsd_fine", "harmonicity_db", "mel", "moments"):
        assert cast(ConfidenceInterval, copy[name]).value < cast(ConfidenceInterval, noise[name]).value
    assert torch.equal(systems["Griffin-Lim"](rain(1.0)), GriffinLim()(LogMel()(rain(1.0))))
