"""Convert own recordings or a public set into the data folder that all trainings read.

    python -m training.common.prepare_data --layout folder    --root my_clips    --out data --licence "CC BY 4.0"
    python -m training.common.prepare_data --layout vggsound  --root VGGSound    --out data
    python -m training.common.prepare_data --layout audioset  --root AudioSet    --out data --limit 20000
    python -m training.common.prepare_data --layout music     --root MUSIC       --out data
    python -m training.common.prepare_data --layout fair_play --root FAIR-Play   --out data

Writes sounds/<label>/*.flac (mono, 16 kHz, at most 10 s a file, peak -1 dBFS), images/<label>/*.jpg (short side at most
256 px), manifest.csv, images_manifest.csv and pairs.csv; the columns are in training/README.md. A second run with
another set adds to the same folder. Videos need the program `ffmpeg`; without it they are skipped and counted.
A recording belongs to one split alone: the set's own, or val for about a fifth of the recordings by their hash.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import shutil
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import tyro
from PIL import Image
from scipy.signal import resample_poly
from tqdm import tqdm

from synesthesia.core.errors import UserError
from synesthesia.vision.image import read_image
from training.common import data_layouts
from training.common.data_layouts import VIDEOS, Item

LAYOUTS = {
    "folder": data_layouts.read_folder,
    "vggsound": data_layouts.read_vggsound,
    "audioset": data_layouts.read_audioset,
    "music": data_layouts.read_music,
    "fair_play": data_layouts.read_fair_play,
}
SAMPLE_RATE_HZ = 16_000
PIECE_S, SHORTEST_S = 10.0, 0.2
PEAK = 10 ** (-1 / 20)
SHORT_SIDE_PX = 256
VAL_SHARE = 0.2
MANIFEST = (
    "path", "label", "material", "source", "recording_id", "licence", "seconds", "rms_dbfs", "split",
    "single_recording", "sublabel", "split_group", "peak_dbfs", "native_sr", "fold",
)  # fmt: skip
IMAGES = ("path", "label", "source", "licence", "split")
PAIRS = ("source", "label", "sound_label", "material_label", "weight", "n_images")


@dataclass(frozen=True)
class PrepareData:
    layout: Literal["folder", "vggsound", "audioset", "music", "fair_play"]
    root: Path  # the set as it lies on disk
    out: Path  # the data folder to write or add to
    licence: str = "unknown"  # of this set, written into every row
    limit: int | None = None  # items at most, for a first try


def main(config: PrepareData) -> Counter[str]:
    """Counts of what was written and left out. UserError when the layout's files are not there."""
    items = LAYOUTS[config.layout](config.root)
    counts: Counter[str] = Counter()
    sounds, images = [], []
    for item in tqdm(islice(items, config.limit), unit=" items", desc=config.layout):
        split = item.split or _split(item.recording_id)
        if item.sound is not None:
            rows = _write_sound(item, split, config)
            sounds += rows
            counts["clips" if rows else "sounds left out"] += max(len(rows), 1)
        if item.picture is not None:
            row = _write_picture(item, split, config)
            images += [row] if row else []
            counts["pictures" if row else "pictures left out"] += 1
    if not sounds and not images:
        raise UserError(f"Nothing that can be read was found in {config.root} as layout '{config.layout}'.")
    _add_rows(config.out / "manifest.csv", MANIFEST, sounds)
    _add_rows(config.out / "images_manifest.csv", IMAGES, images)
    _mark_single_recordings(config.out / "manifest.csv")
    _add_rows(config.out / "pairs.csv", PAIRS, _pairs(sounds, images, config.layout))
    return counts


def _split(recording_id: str) -> str:
    digest = hashlib.sha256(recording_id.encode()).digest()
    return "val" if int.from_bytes(digest[:4], "big") < VAL_SHARE * 2**32 else "train"


def _name(item: Item) -> str:
    return hashlib.sha256(f"{item.recording_id}@{item.start_s}".encode()).hexdigest()[:16]


def _write_sound(item: Item, split: str, config: PrepareData) -> list[dict[str, object]]:
    """One row per piece of at most ten seconds; none when the file can't be read or is silent."""
    assert item.sound is not None
    loaded = _decode_sound(item.sound)
    if loaded is None:
        return []
    mono, native_hz = loaded
    mono = mono[int(item.start_s * native_hz) : None if item.end_s is None else int(item.end_s * native_hz)]
    if len(mono):
        mono = resample_poly(mono, SAMPLE_RATE_HZ, native_hz).astype(np.float32)
    rows: list[dict[str, object]] = []
    for number, start in enumerate(range(0, len(mono), int(PIECE_S * SAMPLE_RATE_HZ))):
        piece = mono[start : start + int(PIECE_S * SAMPLE_RATE_HZ)]
        peak, rms = float(np.abs(piece).max()), float(np.sqrt(np.mean(piece**2)))
        if len(piece) < SHORTEST_S * SAMPLE_RATE_HZ or peak < 1e-4:
            continue
        path = Path("sounds") / item.label / f"{config.layout}_{_name(item)}_{number}.flac"
        (config.out / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(config.out / path, piece * (PEAK / peak), SAMPLE_RATE_HZ)
        rows.append({
            "path": path.as_posix(), "label": item.label, "source": config.layout, "recording_id": item.recording_id,
            "licence": config.licence, "seconds": round(len(piece) / SAMPLE_RATE_HZ, 3),
            "rms_dbfs": round(20 * math.log10(max(rms, 1e-6)), 1), "split": split, "single_recording": 0,
            "split_group": item.recording_id, "peak_dbfs": round(20 * math.log10(peak), 1), "native_sr": native_hz,
        })  # fmt: skip
    return rows


def _decode_sound(path: Path) -> tuple[np.ndarray, int] | None:
    """(n,) float32 mono and its rate; None when it can't be read."""
    video = path.suffix.lower() in VIDEOS
    try:
        file = io.BytesIO(_ffmpeg("-i", str(path), "-vn", "-ac", "1", "-f", "wav", "-")) if video else path
        samples, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError):
        return None
    return np.nan_to_num(samples.mean(axis=1)), int(rate_hz)


def _write_picture(item: Item, split: str, config: PrepareData) -> dict[str, object] | None:
    assert item.picture is not None
    try:
        video = item.picture.suffix.lower() in VIDEOS
        frame = ("-ss", "2", "-i", str(item.picture), "-frames:v", "1", "-f", "image2", "-c:v", "png", "-")
        picture = read_image(_ffmpeg(*frame) if video else item.picture)
    except UserError:
        return None
    scale = min(1.0, SHORT_SIDE_PX / min(picture.size))
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    path = Path("images") / item.label / f"{config.layout}_{_name(item)}.jpg"
    (config.out / path).parent.mkdir(parents=True, exist_ok=True)
    picture.save(config.out / path, quality=90)
    return {
        "path": path.as_posix(), "label": item.label, "source": config.layout, "licence": config.licence,
        "split": split,
    }  # fmt: skip


def _ffmpeg(*arguments: str) -> bytes:
    """What ffmpeg writes to its output; empty when it isn't there or fails."""
    program = shutil.which("ffmpeg")
    if program is None:
        return b""
    return subprocess.run([program, "-v", "error", "-nostdin", *arguments], capture_output=True).stdout


def _pairs(sounds: list[dict[str, object]], images: list[dict[str, object]], source: str) -> list[dict[str, object]]:
    """Pictures of a label belong to the sounds of that label, weight 1. Edit the file for looser pairings (0.5)."""
    with_sound = {row["label"] for row in sounds}
    image_counts = Counter(str(row["label"]) for row in images)
    return [
        {"source": source, "label": label, "sound_label": label if label in with_sound else "", "weight": 1,
         "n_images": count}
        for label, count in sorted(image_counts.items())
    ]  # fmt: skip


def _add_rows(path: Path, columns: tuple[str, ...], rows: list[dict[str, object]]) -> None:
    """Rows of earlier runs stay unless a new one has the same first two columns."""
    old = _read_rows(path) if path.is_file() else []
    new_keys = {(row[columns[0]], row[columns[1]]) for row in rows}
    kept = [row for row in old if (row[columns[0]], row[columns[1]]) not in new_keys]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept + rows)


def _read_rows(path: Path) -> list[dict[str, object]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [dict(row) for row in csv.DictReader(file)]


def _mark_single_recordings(path: Path) -> None:
    """Mark labels known from a single recording, whose figures are no generalisation, and put them into train."""
    rows = _read_rows(path)
    recordings = defaultdict(set)
    for row in rows:
        recordings[row["label"]].add(row["recording_id"])
    for row in rows:
        single = len(recordings[row["label"]]) == 1
        row["single_recording"] = int(single)
        row["split"] = "train" if single else row["split"]
    _add_rows(path, MANIFEST, rows)


if __name__ == "__main__":
    try:
        done = main(tyro.cli(PrepareData, description=__doc__))
    except UserError as error:
        raise SystemExit(f"prepare_data: {error}") from None
    print(", ".join(f"{count} {name}" for name, count in sorted(done.items())))
