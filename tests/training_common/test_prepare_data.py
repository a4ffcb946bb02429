"""Every layout becomes the documented folder, and the trainers' own readers accept it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from synesthesia.core.errors import UserError
from training.common.audio_data import read_manifest
from training.common.data_layouts import plain_label
from training.common.pairs import sound_pairs
from training.common.pictures import decode_picture, manifest_rows
from training.common.prepare_data import PrepareData, main


def tone(path: Path, seconds: float = 1.0, rate_hz: int = 44_100, channels: int = 2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    times_s = np.arange(int(seconds * rate_hz)) / rate_hz
    soundfile.write(path, np.repeat(0.2 * np.sin(2 * np.pi * 440 * times_s)[:, None], channels, axis=1), rate_hz)


def photo(path: Path, size: tuple[int, int] = (640, 480)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "olive").save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "set"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_own_folder_with_pairs(root: Path, tmp_path: Path) -> None:
    for number in range(12):
        tone(root / "Dog Bark" / f"{number}.wav")
        photo(root / "Dog Bark" / f"{number}.jpg")
    tone(root / "rain" / "long.flac", seconds=23.0, rate_hz=16_000, channels=1)
    photo(root / "stone" / "silent.png")
    (root / "rain" / "broken.wav").write_bytes(b"RIFF")
    (root / "rain" / "broken.jpg").write_bytes(b"\xff\xd8")
    counts = main(PrepareData("folder", root, tmp_path / "data", licence="CC0"))
    assert counts == {"clips": 15, "pictures": 13, "sounds left out": 1, "pictures left out": 1}

    clips = read_manifest(tmp_path / "data")
    assert {clip.label for clip in clips} == {"dog_bark", "rain"}
    assert {clip.licence for clip in clips} == {"CC0"}
    assert {clip.split for clip in clips if clip.label == "dog_bark"} == {"train", "val"}
    rain = [clip for clip in clips if clip.label == "rain"]
    assert [round(clip.seconds) for clip in rain] == [10, 10, 3]
    assert all(clip.single_recording and clip.split == "train" for clip in rain)
    samples, rate_hz = soundfile.read(tmp_path / "data" / clips[0].path)
    assert (rate_hz, samples.ndim, len(samples)) == (16_000, 1, 16_000)
    assert np.abs(samples).max() == pytest.approx(10 ** (-1 / 20), abs=0.01)

    pictures = [decode_picture(tmp_path / "data", row) for row in manifest_rows(tmp_path / "data")]
    assert len(pictures) == 13 and {picture.split for picture in pictures} == {"train", "val"}
    assert min(pictures[0].pixels.shape[:2]) == 256
    pairs = sound_pairs(tmp_path / "data")
    assert pairs["folder", "dog_bark"] == {"dog_bark": 1.0}
    assert ("folder", "stone") not in pairs  # seen, never heard


def test_a_second_set_is_added_and_a_second_run_changes_nothing(root: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    tone(root / "cat" / "a.wav")
    tone(root / "binaural_audios" / "000001.wav")
    photo(root / "frames" / "000001" / "000001.jpg")
    main(PrepareData("fair_play", root, data))
    before = rows(data / "manifest.csv")
    main(PrepareData("fair_play", root, data))
    assert rows(data / "manifest.csv") == before
    main(PrepareData("folder", root, data))
    assert {row["source"] for row in rows(data / "manifest.csv")} == {"fair_play", "folder"}


def test_vggsound(root: Path, tmp_path: Path) -> None:
    root.mkdir()
    (root / "vggsound.csv").write_text('abc-_1,30,"dog barking",train\nxyz,7,rain,test\ngone,1,rain,train\n')
    tone(root / "audio" / "abc-_1_000030.wav")
    tone(root / "audio" / "xyz_000007.wav")
    photo(root / "frames" / "abc-_1_000030.jpg")
    main(PrepareData("vggsound", root, tmp_path / "data"))
    listed = rows(tmp_path / "data" / "manifest.csv")
    assert {row["label"] for row in listed} == {"dog_barking", "rain"}
    assert {row["recording_id"] for row in listed} == {"yt:abc-_1", "yt:xyz"}
    assert len(rows(tmp_path / "data" / "images_manifest.csv")) == 1


def test_audioset(root: Path, tmp_path: Path) -> None:
    root.mkdir()
    names = 'index,mid,display_name\n0,/m/09x0r,"Speech"\n1,/m/05r5c,"Piano, key"\n'
    (root / "class_labels_indices.csv").write_text(names)
    header = "# Segments csv created\n# num_ytids=2\n# YTID, start_seconds, end_seconds, positive_labels\n"
    (root / "balanced_train_segments.csv").write_text(header + '--aa, 30.000, 40.000, "/m/05r5c,/m/09x0r"\n')
    (root / "eval_segments.csv").write_text(header + 'bb, 0.000, 10.000, "/m/05r5c"\n')
    tone(root / "wav" / "--aa_30000.wav")
    tone(root / "wav" / "Ybb.wav")
    main(PrepareData("audioset", root, tmp_path / "data"))
    assert {(row["label"], row["split"]) for row in rows(tmp_path / "data" / "manifest.csv")} == {
        ("piano_key", "train"),
        ("piano_key", "val"),
    }


def test_music_takes_solos_alone(root: Path, tmp_path: Path) -> None:
    root.mkdir()
    videos = {"accordion": ["v1"], "flute": ["v2"], "accordion flute": ["v3"]}
    (root / "MUSIC_solo_videos.json").write_text(json.dumps({"videos": videos}))
    for video in ("v1", "v2", "v3"):
        tone(root / "clips" / f"{video}.wav")
    main(PrepareData("music", root, tmp_path / "data"))
    assert {row["recording_id"] for row in rows(tmp_path / "data" / "manifest.csv")} == {"yt:v1", "yt:v2"}


@pytest.mark.parametrize("layout", ["folder", "vggsound", "audioset", "music", "fair_play"])
def test_nothing_there_is_one_sentence(root: Path, tmp_path: Path, layout: str) -> None:
    for make in (lambda: None, lambda: root.mkdir()):
        make()
        with pytest.raises(UserError):
            main(PrepareData(layout, root, tmp_path / "data"))


def test_labels_become_plain() -> None:
    assert plain_label("Dog barking, howling (loud)") == "dog_barking_howling_loud"
