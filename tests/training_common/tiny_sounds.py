"""A made-up data folder for training tests: sines and noises as short Ogg files with the real manifest's columns."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import soundfile

COLUMNS = (
    "path", "label", "material", "source", "recording_id", "licence", "seconds", "rms_dbfs", "split",
    "single_recording", "sublabel", "split_group", "peak_dbfs", "native_sr", "fold",
)  # fmt: skip


def tiny_sounds(folder: Path, seconds: float = 1.5) -> Path:
    """Six clips of two labels, one held out of each; returns the folder."""
    rng = np.random.default_rng(0)
    rows = []
    for label in ("hiss", "tone"):
        for number in range(3):
            time_s = np.arange(int(16_000 * seconds)) / 16_000
            sound = (
                rng.normal(0, 0.2, len(time_s))
                if label == "hiss"
                else 0.5 * np.sin(2 * np.pi * (300 + 200 * number) * time_s)
            )
            path = folder / "sounds" / label / f"{number}.ogg"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, np.clip(sound, -1, 1), 16_000)
            row = dict.fromkeys(COLUMNS, "")
            row |= {
                "path": str(path.relative_to(folder)), "label": label, "source": "made up",
                "recording_id": f"{label}{number}",
                "licence": "none", "seconds": str(seconds), "split": "val" if number == 2 else "train",
                "single_recording": "0", "split_group": f"{label}{number}", "native_sr": "16000",
            }  # fmt: skip
            rows.append(row)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return folder
