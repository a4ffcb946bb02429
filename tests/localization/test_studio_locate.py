"""`Studio.locate` and the command line with tiny random models: shapes, symmetry, errors of bad clips."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synesthesia import Studio, UserError, cli
from synesthesia.binaural.geometry import angle_difference
from synesthesia.core import checkpoints


@pytest.fixture(scope="module")
def studio(tiny_checkpoints: Path) -> Iterator[Studio]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(checkpoints.ROOT_VARIABLE, str(tiny_checkpoints))
        yield Studio.load("embedded")


def clip(seconds: float = 1.0, rate_hz: int = 16_000, seed: int = 0) -> np.ndarray:
    """Much that both ears hear, and something of each one's own."""
    rng, samples = np.random.default_rng(seed), int(seconds * rate_hz)
    return (rng.normal(0, 0.1, samples) + rng.normal(0, 0.05, (2, samples))).astype(np.float32)


@pytest.mark.parametrize(("seconds", "rate_hz"), [(0.2, 8_000), (1.0, 44_100), (5.0, 16_000)])
def test_the_contract_is_kept(studio: Studio, seconds: float, rate_hz: int) -> None:
    located = studio.locate(clip(seconds, rate_hz), rate_hz)
    assert -180 < located.azimuth_deg <= 180 and 0 <= located.front_probability <= 1
    assert len(located.interval_deg) == 2 and located.distribution.sum() == pytest.approx(1, abs=1e-4)
    times_s, track = located.track
    assert len(times_s) == len(track) >= 1 and 0 < times_s[0] <= times_s[-1] < seconds + 0.05
    for shown in (located.attention.level, located.attention.phase):
        assert shown.weights.shape == (len(shown.times_s), len(shown.frequencies_hz))
        assert shown.weights.sum() == pytest.approx(1, abs=1e-3)
        assert (np.diff(shown.frequencies_hz) > 0).all()
    assert located.kind == "stereo" and located.warning == "" and located.sentence


def test_swapped_ears_mirror_the_direction(studio: Studio) -> None:
    there, back = studio.locate(clip(), 16_000), studio.locate(clip()[::-1], 16_000)
    assert angle_difference(back.azimuth_deg, -there.azimuth_deg) == pytest.approx(0, abs=0.01)
    assert back.itd_s == pytest.approx(-there.itd_s, abs=1e-9)
    assert back.front_probability == pytest.approx(there.front_probability, abs=1e-4)


def test_a_clip_without_direction_is_answered_with_a_warning(studio: Studio) -> None:
    one = clip()[:1]
    assert "not a binaural recording" in studio.locate(np.repeat(one, 2, axis=0), 16_000).warning
    assert "panned" in studio.locate(np.concatenate([one, 0.5 * one]), 16_000).warning
    silent = studio.locate(np.zeros((2, 16_000)), 16_000)
    assert silent.kind == "silent" and np.ptp(silent.distribution) == 0


def test_the_command_line_says_it_and_prints_json(
    studio: Studio, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, clip(1.0, 44_100).T, 44_100)
    assert cli.main(["locate", str(path)]) == 0
    assert capsys.readouterr().out.startswith("From the ")
    assert cli.main(["locate", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"azimuth_deg", "interval_deg", "front_probability", "warning", "kind"} <= told.keys()


def test_bad_clips_get_one_line_and_exit_code_2(
    studio: Studio, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, eight, slow = tmp_path / "text.wav", tmp_path / "eight.wav", tmp_path / "slow.wav"
    text.write_text("no sound")
    soundfile.write(eight, np.zeros((16_000, 8)), 16_000)
    soundfile.write(slow, np.zeros((1_000, 2)), 1_000)
    for path in (text, eight, slow, tmp_path / "missing.wav"):
        assert cli.main(["locate", str(path)]) == 2
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1
    with pytest.raises(UserError, match="channels"):
        studio.locate(np.zeros((8, 16_000)), 16_000)


def test_rounding_keeps_straight_behind_at_180(studio: Studio) -> None:
    found = replace(studio.locate(clip(), 16_000), azimuth_deg=-179.999, second_deg=179.999, baseline_deg=-12.345)
    told = found.to_dict()
    assert (told["azimuth_deg"], told["second_deg"], told["baseline_deg"]) == (180.0, 180.0, -12.35)
