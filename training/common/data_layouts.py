"""Readers for the file layouts of public data sets and own folders, each a stream of `Item`s. Nothing is decoded.

Columns and names as published: VGGSound (Chen et al. 2020, `vggsound.csv`), AudioSet (Gemmeke et al. 2017,
`*_segments.csv` and `class_labels_indices.csv`), MUSIC (Zhao et al. 2018, `MUSIC_*_videos.json`), FAIR-Play (Gao and
Grauman 2019, `binaural_audios/` with `frames/` or `videos/`).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from synesthesia.core.errors import UserError

SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")
VIDEOS = (".mp4", ".mkv", ".webm", ".mov", ".avi")
PICTURES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Item:
    """One recording, one picture, or both. start_s, end_s: the part of the file that belongs to the label.

    split: "train", "val" or "" (then it follows from the recording, see `prepare_data`).
    """

    label: str
    recording_id: str
    sound: Path | None = None
    picture: Path | None = None
    start_s: float = 0.0
    end_s: float | None = None
    split: str = ""


def plain_label(name: str) -> str:
    """'Dog barking, howling' -> 'dog_barking_howling'."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def read_folder(root: Path) -> Iterator[Item]:
    """<label>/<anything>: sounds, videos and pictures. A picture and a sound of one name are a pair."""
    if not root.is_dir():
        raise UserError(f"There is no folder {root}.")
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        label = plain_label(folder.name)
        sounds = {path.stem: path for path in _files(folder, SOUNDS + VIDEOS)}
        pictures = {path.stem: path for path in _files(folder, PICTURES)}
        for stem in sorted(sounds.keys() | pictures.keys()):
            sound, picture = sounds.get(stem), pictures.get(stem)
            if sound is not None and sound.suffix.lower() in VIDEOS and picture is None:
                picture = sound
            yield Item(label, f"{label}:{stem}", sound, picture)


def read_vggsound(root: Path) -> Iterator[Item]:
    """vggsound.csv (id, start second, label, split; no header) beside clips `<id>_<start, six digits>.<mp4|wav>`."""
    clips = _by_stem(root)
    with _open(root / "vggsound.csv") as file:
        for row in csv.reader(file):
            if len(row) != 4:
                continue
            video, start, label, split = row
            sound, picture = _pair(clips.get(f"{video}_{int(start):06d}", []))
            if sound or picture:
                part = "val" if split == "test" else "train"
                yield Item(plain_label(label), f"yt:{video}", sound, picture, split=part)


def read_audioset(root: Path) -> Iterator[Item]:
    """*_segments.csv (id, start, end, "mid,mid") and class_labels_indices.csv; clips are named by id.

    With or without the start after the id. The first label counts. `eval_segments.csv` is the val split.
    """
    with _open(root / "class_labels_indices.csv") as file:
        names = {row["mid"]: row["display_name"] for row in csv.DictReader(file)}
    clips = _by_stem(root)
    for listing in sorted(root.glob("*_segments.csv")):
        split = "val" if listing.name.startswith("eval") else "train"
        with _open(listing) as file:
            for row in csv.reader((line for line in file if not line.startswith("#")), skipinitialspace=True):
                video, start, _, mids = row[:4]
                label = names.get(mids.split(",")[0])
                stems = (f"{video}_{round(float(start) * 1000)}", f"{video}_{round(float(start))}", video, f"Y{video}")
                sound, picture = _pair(next((clips[stem] for stem in stems if stem in clips), []))
                if label and (sound or picture):
                    yield Item(plain_label(label), f"yt:{video}", sound, picture, split=split)


def read_music(root: Path) -> Iterator[Item]:
    """MUSIC_*_videos.json ({"videos": {"accordion": [id, ...]}}); clips `<id>.<mp4|wav>` anywhere below.

    Duets ("acoustic_guitar violin") are skipped: they do not tell which instrument sounds where.
    """
    clips = _by_stem(root)
    listings = sorted(root.glob("MUSIC*.json"))
    if not listings:
        raise UserError(f"{root} holds no MUSIC_*_videos.json.")
    for listing in listings:
        videos = json.loads(listing.read_text(encoding="utf-8"))["videos"]
        for instrument, ids in videos.items():
            if " " in instrument.strip():
                continue
            for video in ids:
                sound, picture = _pair(clips.get(video, []))
                if sound or picture:
                    yield Item(plain_label(instrument), f"yt:{video}", sound, picture)


def read_fair_play(root: Path) -> Iterator[Item]:
    """binaural_audios/<n>.wav with frames/<n>/*.jpg (the middle one) or videos/<n>.mp4; the one label is `music`."""
    folder = root / "binaural_audios"
    if not folder.is_dir():
        raise UserError(f"{root} holds no folder binaural_audios.")
    for sound in _files(folder, SOUNDS):
        frames = _files(root / "frames" / sound.stem, PICTURES)
        video = root / "videos" / f"{sound.stem}.mp4"
        picture = frames[len(frames) // 2] if frames else (video if video.is_file() else None)
        yield Item("music", f"fair-play:{sound.stem}", sound, picture)


def _open(path: Path):
    if not path.is_file():
        raise UserError(f"There is no {path.name} in {path.parent}.")
    return path.open(newline="", encoding="utf-8")


def _files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes) if folder.is_dir() else []


def _by_stem(root: Path) -> dict[str, list[Path]]:
    """All media files below root by name without suffix."""
    found: dict[str, list[Path]] = {}
    for path in _files(root, SOUNDS + VIDEOS + PICTURES):
        found.setdefault(path.stem, []).append(path)
    return found


def _pair(paths: list[Path]) -> tuple[Path | None, Path | None]:
    """(sound, picture): a video is both unless there is a separate file."""
    kinds = {path.suffix.lower(): path for path in reversed(paths)}
    video = next((kinds[suffix] for suffix in VIDEOS if suffix in kinds), None)
    sound = next((kinds[suffix] for suffix in SOUNDS if suffix in kinds), video)
    picture = next((kinds[suffix] for suffix in PICTURES if suffix in kinds), video)
    return sound, picture
