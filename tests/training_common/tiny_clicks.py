"""A made-up data folder for evaluations of clicks: sounds of three labels, core pictures, photographs with places."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from tests.training_common.tiny_sounds import COLUMNS

CORE = ("path", "label", "source", "licence", "split")
PAIRS = ("source", "label", "sound_label", "material_label", "weight", "n_images")
PLACES = ("path", "label", "sound_label", "material_label", "box", "weight", "source", "licence", "split")


def tiny_clicks(folder: Path) -> Path:
    """Dogs (held out: one) and a silent chair of caltech101, weather and bsds places; returns the folder."""
    rng = np.random.default_rng(0)
    sounds, core, places = [], [], []
    for label in ("clock_tick", "dog", "rain"):
        for number in range(3):
            row = dict.fromkeys(COLUMNS, "") | {
                "path": f"sounds/{label}/{number}.ogg", "label": label, "source": "made up", "seconds": "0.5",
                "recording_id": f"{label}{number}", "split": "val" if number == 2 else "train",
                "single_recording": "1" if label == "clock_tick" else "0",
            }  # fmt: skip
            path = folder / row["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, rng.normal(0, 0.2, 8000).clip(-1, 1), 16_000)
            sounds.append(row)
    for name, label, split in (("a", "dalmatian", "val"), ("b", "dalmatian", "train"), ("c", "chair", "val")):
        core.append(dict.fromkeys(CORE, "") | {"path": _picture(folder, name, rng), "label": label,
                                               "source": "caltech101", "split": split})  # fmt: skip
    shown = [  # name, sound, box, weight, source
        ("d", "rain", "", "1", "weather"), ("e", "rain", "", "1", "weather"), ("f", "rain", "", "0.5", "weather"),
        ("g", "dog", "10 20 30 60", "1", "bsds"), ("g", "clock_tick", "80 0 100 20", "1", "bsds"),
        ("h", "none", "", "1", "bsds"), ("i", "", "", "1", "bsds"),
    ]  # fmt: skip
    for name, sound, box, weight, source in shown:
        path = _picture(folder, name, rng)
        row = {"path": path, "label": f"{name}_{sound}", "sound_label": sound, "box": box, "weight": weight}
        places.append(row | {"source": source, "split": "val"})
    pairs = [{"source": "caltech101", "label": "dalmatian", "sound_label": sound, "weight": weight}
             for sound, weight in (("dog", "1"), ("rain", "0.5"))]  # fmt: skip
    _write(folder / "manifest.csv", COLUMNS, sounds)
    _write(folder / "images_manifest.csv", CORE, core)
    _write(folder / "pictures_manifest.csv", PLACES, places)
    _write(folder / "pairs.csv", PAIRS, pairs)
    return folder


def _picture(folder: Path, name: str, rng: np.random.Generator) -> str:
    path = folder / "pictures" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 256, (80, 100, 3), dtype=np.uint8)).save(path)
    return f"pictures/{name}.png"


def _write(file: Path, columns: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
