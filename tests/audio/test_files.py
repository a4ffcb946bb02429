"""Sound files: what is written comes back, and each kind of bad file gets its own sentence."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synesthesia.audio import files
from synesthesia.audio.files import read_audio, resample, wav_bytes
from synesthesia.core.errors import UserError


def stereo() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.9, 0.9, (2, 800)).astype(np.float32)


def test_sixteen_bit_wav_round_trip(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav_bytes(stereo(), 16_000))
    samples, rate_hz = read_audio(tmp_path / "a.wav")
    assert samples.shape == (2, 800) and samples.dtype == np.float32 and rate_hz == 16_000
    assert np.abs(samples - stereo()).max() < 2 / 32768
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_16"


def test_same_sound_same_bytes_and_loud_values_are_clipped() -> None:
    assert wav_bytes(stereo(), 16_000) == wav_bytes(stereo(), 16_000)
    samples, _ = soundfile.read(io.BytesIO(wav_bytes(np.array([[5.0, -5.0]]), 16_000)), dtype="int16")
    assert samples.tolist() == [32767, -32767]


@pytest.mark.parametrize("suffix", ["flac", "ogg"])
def test_other_formats_are_read(tmp_path: Path, suffix: str) -> None:
    soundfile.write(tmp_path / f"a.{suffix}", stereo().T, 44_100)
    samples, rate_hz = read_audio(tmp_path / f"a.{suffix}")
    assert samples.shape == (2, 800) and rate_hz == 44_100


def test_resampling_keeps_a_sine_and_the_length() -> None:
    time_s = np.arange(48_000) / 48_000
    sine = np.sin(2 * np.pi * 440 * time_s)[None].astype(np.float32)
    made = resample(sine, 48_000, 16_000)
    assert made.shape == (1, 16_000) and made.dtype == np.float32
    assert np.abs(made - sine[:, ::3])[:, 200:-200].max() < 1e-2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "empty"), (b"not a sound at all", "can't be read"), (b"RIFF\x24\0\0\0WAVEfmt ", "can't be read")],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        read_audio(tmp_path / "bad.wav")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no sound file gone\.wav"):
        read_audio(tmp_path / "gone.wav")


def test_the_size_is_checked_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.wav").write_bytes(wav_bytes(stereo(), 16_000))
    monkeypatch.setattr(files, "MAX_VALUES", 1000)
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_a, **_k: pytest.fail("samples were read"))
    with pytest.raises(UserError, match="2 channels"):
        read_audio(tmp_path / "a.wav")
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 100)
    with pytest.raises(UserError, match="MB"):
        read_audio(tmp_path / "a.wav")


def test_values_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "nan.wav", np.array([0.0, np.nan]), 16_000, subtype="FLOAT")
    with pytest.raises(UserError, match="not numbers"):
        read_audio(tmp_path / "nan.wav")
