"""Localization pipeline: moving sources, sentences, the ITD table of the baseline, kept tokens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.core import checkpoints
from synesthesia.localization.clip_input import read_clip
from synesthesia.localization.localizer import Localizer
from synesthesia.localization.pipeline import (
    ITD_TABLE,
    KEPT_TOKENS,
    ItdTable,
    LocalizationPipeline,
    direction_phrase,
    direction_sentence,
    front_back_alternative,
    is_moving,
)
from tests.localization.tiny import TINY


def test_a_moving_source_goes_step_by_step() -> None:
    assert is_moving(np.linspace(-20, 60, 9))
    assert is_moving(np.array([150.0, 160, 170, 180, -170, -160, -150]))  # round the back
    assert is_moving(np.array([10.0, 20, 30, 140, 130, 50, 60]))  # confused in between: 140, 130 mirror 40, 50
    assert not is_moving(np.full(9, 40.0)) and not is_moving(40 + np.tile([-4.0, 4.0], 5))  # it stands
    assert not is_moving(np.array([30.0, 32, 150, 148, 30, 31]))  # leaps between two places
    assert not is_moving(np.array([0.0, 60.0]))  # too short to tell


@pytest.mark.parametrize(
    ("arc", "words"),
    [
        ((50.0, 74.0), "From the right, 60 degrees to the right; 90 % interval: 50 to 74 degrees right."),
        ((0.0, 74.0), "From the right, 60 degrees to the right; 90 % interval: 0 to 74 degrees right."),
        ((-10.0, 74.0), "From the right, 60 degrees to the right; 90 % interval: 10 degrees left to 74 degrees right."),
        ((-100.0, 90.0), "From the right, 60 degrees to the right; little more than a guess."),
    ],
)
def test_the_sentence_says_how_sure(arc: tuple[float, float], words: str) -> None:
    assert direction_sentence(60.0, arc, None).replace("front right", "right") == words


def test_the_sentence_names_a_second_source_or_a_track() -> None:
    assert direction_sentence(5.0, (0.0, 10.0), -90.0).endswith(
        "A second source from the left, 90 degrees to the left."
    )
    track = np.linspace(-90, 20, 12)
    moving = f"It moves from {direction_phrase(-80)} to {direction_phrase(10)}."
    assert direction_sentence(-30.0, (-90.0, 20.0), None, track) == moving
    assert "moves" not in direction_sentence(-30.0, (-90.0, 20.0), 40.0, track)  # two sources at one time


def test_a_second_lobe_in_the_other_hemisphere_is_named() -> None:
    azimuths = np.arange(180) * 2.0 - 180
    lobes = [np.exp(-0.5 * (((azimuths - at + 180) % 360 - 180) / 4) ** 2) for at in (150, 30, 84)]
    distribution = (0.7 * lobes[0] + 0.3 * lobes[1]) / lobes[0].sum()
    assert front_back_alternative(distribution, azimuths, 150.0) == pytest.approx(30, abs=0.5)
    words = direction_sentence(150.0, (20.0, 160.0), None, None, 30.0)
    assert words.startswith(f"From {direction_phrase(150)}; or, less likely, from {direction_phrase(30)}")
    assert front_back_alternative(lobes[0] / lobes[0].sum(), azimuths, 150.0) is None
    beside = (lobes[2] + lobes[2][::-1]) / 2
    assert front_back_alternative(beside, azimuths, 84.0) is None  # beside the head the hemispheres meet


def test_a_side_needs_no_range() -> None:
    assert direction_phrase(270.0) == direction_phrase(-90.0) and direction_phrase(360.0) == "the front"


def test_the_itd_table_on_disk_is_the_shipped_hrtf_s() -> None:
    folder = checkpoints.folder("head")
    stored, computed = ItdTable.load(folder), ItdTable.of(SphericalHarmonicHRTF.load(folder))
    assert np.array_equal(stored.azimuth_deg, computed.azimuth_deg) and np.array_equal(stored.itd_s, computed.itd_s)
    assert stored.itd_s.dtype == stored.azimuth_deg.dtype == np.float64 and (folder / ITD_TABLE).is_file()


def test_an_itd_table_reads_back_and_is_computed_where_it_is_missing(tmp_path: Path) -> None:
    table = ItdTable.of(SphereHRTF(), step_deg=30.0)
    table.save(tmp_path)
    assert np.array_equal(ItdTable.load(tmp_path).itd_s, table.itd_s)
    assert table.azimuth(table.itd_s[1]) == -60.0 and table.azimuth(1.0) == 90.0
    folder = checkpoints.folder("head")
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / ITD_TABLE).unlink()
    assert np.array_equal(ItdTable.load(tmp_path).itd_s, ItdTable.load(folder).itd_s)


def test_tokens_of_the_last_clips_are_kept_by_content() -> None:
    localization = LocalizationPipeline(Localizer(TINY).eval(), ItdTable(np.zeros(1), np.zeros(1)))
    clips = [read_clip(np.random.default_rng(seed).normal(0, 0.1, (2, 3_200)), 16_000) for seed in range(3)]
    located = localization.locate(clips[0])
    token = located.token.copy()
    located.token[:] = 0  # whoever was given it may do with it what they like
    assert np.array_equal(localization.token(clips[0]), token) and len(localization._tokens) == 1
    assert localization._tokens.maxlen == KEPT_TOKENS
    for clip in clips[1:] * (KEPT_TOKENS // 2):  # as if each had been another one
        localization._tokens.append((clip.waveform.tobytes(), token))
    assert len(localization._tokens) == KEPT_TOKENS
    assert not np.array_equal(localization.token(clips[1]), token), "the first ones are forgotten"
