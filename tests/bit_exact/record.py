"""Bit-exact regression record: SHA-256 of every waveform, direction and answer for fixed inputs.

    python -m tests.bit_exact.record        writes tests/bit_exact/record.json

Only the public contract is called (`Studio`, `python -m synesthesia`), so a change of structure leaves this file alone.
Floating-point results depend on the processor's vector instructions and on the libraries, so the record names them and
the test compares hashes where they are the same. Record again only in a commit that changes weights on purpose.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import platform
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from synesthesia import Studio, cli
from synesthesia.core import checkpoints, presets

RECORD = Path(__file__).with_name("record.json")
RECIPES = Path(__file__).with_name("recipes")
CLICKS = {"chelsea.png": (225, 120), "coffee.png": (300, 200)}  # photographs inside the scikit-image wheel
PATHS = {"flow": 2.0, "mlp": 1.0, "language": 1.0, "tap": 1.5}  # seconds
SEEDS = (0, 1, 2)
CLIPS = (("bird", 60.0, "none"), ("dog", -110.0, "small"), ("noise", 170.0, "large"))
QUESTIONS = ("Where is it?", "What is it, and where?", "它在哪里？", "How many sounds are there?")


def environment() -> dict[str, str]:
    """What decides the last bits of a float32 sum besides the weights."""
    processor = platform.machine()
    if (info := Path("/proc/cpuinfo")).is_file():
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
        fields = dict(line.split(":", 1) for line in lines if line.startswith(("model name", "cpu family", "model\t")))
        processor = " ".join(value.strip() for value in fields.values())
    return {
        "processor": processor,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def photograph(name: str) -> Image.Image:
    with files("skimage").joinpath("data", name).open("rb") as file:
        return Image.open(file).convert("RGB")


def digest(*arrays: np.ndarray) -> str:
    """Of values, shapes and types."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(f"{array.dtype}{array.shape}".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def sounds(studio: Studio) -> dict[str, str]:
    """{"picture path seed": SHA-256 of the waveform}."""
    made = {}
    for name, (x, y) in CLICKS.items():
        picture = photograph(name)
        for path, seconds in PATHS.items():
            for seed in SEEDS:
                heard = studio.hear(picture, x, y, path=path, seconds=seconds, seed=seed, anyway=True)
                made[f"{name} {path} {seed}"] = digest(heard.waveform)
    return made


def directions(studio: Studio) -> dict[str, str]:
    """{clip: SHA-256 of all arrays of `Located`, and of its numbers}."""
    made = {}
    for sound, azimuth_deg, room in CLIPS:
        clip, rate = studio.binaural(sound, azimuth_deg, room=room, seed=3)
        located = studio.locate(clip, rate)
        maps = [part for one in (located.attention.level, located.attention.phase)
                for part in (one.weights, one.times_s, one.frequencies_hz)]  # fmt: skip
        numbers = np.array([located.azimuth_deg, *located.interval_deg, located.front_probability,
                            located.second_probability, located.baseline_deg, located.itd_s])  # fmt: skip
        made[f"{sound} {azimuth_deg:g} {room}"] = digest(
            clip, located.distribution, *located.track, *maps, located.token, numbers
        )
    return made


def answers(studio: Studio) -> dict[str, str]:
    """{"clip | question": the answer's words}."""
    clips = {f"{sound} {azimuth_deg:g}": studio.binaural(sound, azimuth_deg, room=room, seed=3)
             for sound, azimuth_deg, room in CLIPS[:2]}  # fmt: skip
    return {f"{name} | {question}": studio.ask(*clip, question).text
            for name, clip in clips.items() for question in QUESTIONS}  # fmt: skip


def replayed() -> dict[str, str]:
    """{recipe file: SHA-256 of the WAV file that the command line makes of it}."""
    made = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        for recipe in sorted(RECIPES.glob("*.json")):
            photo, out = Path(folder) / f"{recipe.stem.split('-')[0]}.png", Path(folder) / f"{recipe.stem}.wav"
            photograph(photo.name).save(photo)
            code = cli.main(["hear", str(photo), "--recipe", str(recipe), "--out", str(out)])
            assert code == 0, f"{recipe.name} was not replayed"
            made[recipe.name] = hashlib.sha256(out.read_bytes()).hexdigest()
    return made


def record() -> dict[str, Any]:
    studio = Studio.load("embedded")
    return {
        "environment": environment(),
        "sounds": sounds(studio),
        "directions": directions(studio),
        "answers": answers(studio),
        "recipes": replayed(),
    }


def renew_fingerprints() -> None:
    """The recipes keep the form of an earlier version, but only the weights of today can replay them."""
    for file in RECIPES.glob("*.json"):
        fields = json.loads(file.read_text(encoding="utf-8"))
        fields["weights_sha256"] = checkpoints.fingerprint(presets.embedded().used_by(fields["path"]))
        file.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()  # so that --help records nothing
    renew_fingerprints()
    RECORD.write_text(json.dumps(record(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{RECORD} written")
