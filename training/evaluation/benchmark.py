"""Latency and memory benchmark of the product on this machine, each figure in a process of its own.

    taskset -c 0,1 python -m training.evaluation.benchmark                     # two cores, all figures, some minutes
    python -m training.evaluation.benchmark --clicks 30 --rounds 3 --no-page   # quicker
    python -m training.evaluation.benchmark --json figures.json

Rows: process start -> first WAV (command line), process start -> page answers, first click on a new 1000 x 700
photograph, further click on it (models loaded, 4 s of sound), real-time factor of generation, peak memory of the
process, memory after 300 clicks against that after 30; stereo tokens of the path "language" and their first half
second; real-time factor of localization on one core, and the page's time for a binaural clip. Photographs are
scikit-image's: nothing is fetched.
"""

from __future__ import annotations

import gc
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from training.common.cli import run
from training.common.report import table_header, table_row, write_json

ROOT = Path(__file__).resolve().parents[2]
SOUND_S = 4.0
SIZE_PX = (1000, 700)


@dataclass(frozen=True)
class BenchmarkConfig:
    rounds: int = 5  # repetitions of each time
    clicks: int = 300  # over which memory is watched
    page: bool = True  # whether to start the page too
    json: Path | None = None  # file for the figures


@dataclass(frozen=True)
class BenchmarkRow:
    """One figure. limit: the project's target; better is below it, or above it if at_least."""

    name: str
    value: float
    unit: str
    limit: float
    at_least: bool = False
    spread: str = ""

    @property
    def held(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def photographs(count: int) -> list[Image.Image]:
    """Different 1000 x 700 photographs: crops of scikit-image's example pictures."""
    from skimage import data

    sources = [Image.fromarray(picture).convert("RGB") for picture in (data.coffee(), data.chelsea(), data.rocket())]
    crops = []
    for number in range(count):
        source = sources[number % len(sources)]
        inset = 2 * number
        box = (inset, inset, source.width - inset, source.height - inset)
        crops.append(source.resize(SIZE_PX, Image.Resampling.LANCZOS, box=box))
    return crops


def first_wav(rounds: int) -> BenchmarkRow:
    """The command line as a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        photo, out = Path(folder) / "photo.jpg", Path(folder) / "sound.wav"
        photographs(1)[0].save(photo, quality=92)
        command = [sys.executable, "-m", "synesthesia", "hear", str(photo), "--x", "500", "--y", "400", "--anyway",
                   "--out", str(out)]  # fmt: skip
        run = partial(subprocess.run, command, cwd=ROOT, check=True, capture_output=True)
        times = [_seconds(run) for _ in range(rounds)]
    return _timed("process start -> first WAV", times, 12.0)


def page_ready(rounds: int) -> BenchmarkRow:
    """`app.py` as a fresh process until its page answers."""
    times = []
    for _ in range(rounds):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        begun = time.perf_counter()
        app = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env={**os.environ, "PORT": str(port)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait_for(f"http://127.0.0.1:{port}/", app)
            times.append(time.perf_counter() - begun)
        finally:
            app.terminate()
            app.wait(timeout=20)
    return _timed("process start -> page ready", times, 10.0)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        if process.poll() is not None:
            raise RuntimeError(f"app.py ended with {process.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the page did not answer within a minute")


def clicks(rounds: int, count: int) -> list[BenchmarkRow]:
    """In this process: first and further clicks, then `count` of them on many photographs while memory is watched."""
    from synesthesia import Studio

    studio = Studio.load("embedded")
    studio.warm()
    first, further = [], []
    pictures = photographs(rounds + 1)

    def click(picture: Image.Image, x: float, y: float, seed: int) -> float:
        return _seconds(lambda: studio.hear(picture, x, y, seconds=SOUND_S, seed=seed, anyway=True))

    click(pictures[-1], 500, 350, 0)  # the very first run also fills allocators
    for number, picture in enumerate(pictures[:-1]):
        first.append(click(picture, 500, 350, number))
        further.append(click(picture, 200, 500, number))
    rows = [
        _timed("first click on a new 1000 x 700 photograph", first, 1.5),
        _timed("further click", further, 0.8),
        BenchmarkRow("sound made per second of waiting", SOUND_S / statistics.median(further), "s", 5.0, at_least=True),
    ]
    process, megabytes = psutil.Process(), {}
    many = photographs(24)
    for number in range(1, count + 1):
        click(many[number % len(many)], 40 + (number * 97) % 920, 40 + (number * 61) % 620, number)
        if number in (min(30, count), count):
            gc.collect()
            megabytes[number] = process.memory_info().rss / 1e6
    early, late = megabytes[min(30, count)], megabytes[count]
    rows.append(BenchmarkRow(f"memory after {count} clicks / after {min(30, count)}", late / early, "x", 1.05,
                    spread=f"{early:.0f} -> {late:.0f} MB"))  # fmt: skip
    rows.append(BenchmarkRow("peak memory", _peak_megabytes(), "MB", 1500.0))
    return rows


def tokens(rounds: int) -> list[BenchmarkRow]:
    """Path "language": 4 s of stereo, and one take as a stream until its first half second is there."""
    from synesthesia import Studio

    studio = Studio.load("embedded")
    whole, first = [], []
    for seed, picture in enumerate(photographs(rounds + 1)):
        studio.look(picture)
        hear = partial(studio.hear, picture, 300, 400, path="language", seconds=SOUND_S, seed=seed, anyway=True)
        whole.append(_seconds(hear))
        begun = time.perf_counter()
        next(iter(studio.stream(picture, 700, 400, seconds=SOUND_S, seed=seed, anyway=True)))
        first.append(time.perf_counter() - begun)
    return [
        _timed("4 s of stereo tokens, twelve takes", whole[1:], 4.0),
        _timed("the first half second of a stream of tokens", first[1:], 1.0),
    ]


def clips(rounds: int) -> list[BenchmarkRow]:
    """A 4 s binaural clip: the localizer alone on one core, and everything the page shows, with its sentence."""
    import torch

    from synesthesia import Studio
    from synesthesia.ui.audio_qa.words import ASK_FIRST
    from synesthesia.ui.localization import figures as locate_figures

    studio = Studio.load("embedded")
    demo_clips = []
    for seed in range(rounds + 1):
        clip, rate_hz = studio.binaural("bird", 15.0 * seed - 90.0, seed=seed)
        demo_clips.append((np.tile(clip, 2)[:, : int(SOUND_S * rate_hz)], rate_hz))
    clip, rate_hz = demo_clips[0]
    studio.ask(clip, rate_hz, ASK_FIRST)  # loads everything
    alone, page = [], []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for clip, rate_hz in demo_clips[1:]:
        alone.append(clip.shape[1] / rate_hz / _seconds(partial(studio.locate, clip, rate_hz)))
    torch.set_num_threads(threads)
    for clip, rate_hz in demo_clips[1:]:
        clip = clip + np.float32(1e-6)  # so that no cache knows it
        begun = time.perf_counter()
        found = studio.locate(clip, rate_hz)
        locate_figures.dial_figure(found, None)
        studio.ask(clip, rate_hz, ASK_FIRST)
        locate_figures.maps_figure(found, clip, rate_hz)
        page.append(time.perf_counter() - begun)
    spread = f"{min(alone):.0f} to {max(alone):.0f}, n {len(alone)}"
    return [
        BenchmarkRow(
            "a clip is located faster than it lasts, one core", statistics.median(alone), "x", 100.0, True, spread
        ),
        _timed("a clip's direction, dial, sentence and maps", page, 1.5),
    ]


def _peak_megabytes() -> float:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def _seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _timed(name: str, times: list[float], limit: float) -> BenchmarkRow:
    spread = f"{min(times):.2f} to {max(times):.2f}, n {len(times)}"
    return BenchmarkRow(name, statistics.median(times), "s", limit, spread=spread)


def main(config: BenchmarkConfig) -> list[BenchmarkRow]:
    """Print the table, write it as JSON to `json`; returns its rows."""
    rows = [first_wav(config.rounds), *([page_ready(config.rounds)] if config.page else [])]
    rows += clicks(config.rounds, config.clicks) + tokens(config.rounds) + clips(config.rounds)
    print(table(rows))
    if config.json:
        write_json(config.json, [{**vars(row), "held": row.held} for row in rows])
    return rows


def table(rows: list[BenchmarkRow]) -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    lines = [f"{cores} core(s), {platform.machine()}, Python {platform.python_version()}; median of each", "",
             table_header("figure", "value", "promised", "ratio", "spread")]  # fmt: skip
    for row in rows:
        promised = f"{'>=' if row.at_least else '<='} {row.limit:g} {row.unit}"
        ratio = f"{row.value / row.limit:.2f}{'' if row.held else ' MISSED'}"
        lines.append(table_row(row.name, f"{row.value:.2f} {row.unit}", promised, ratio, row.spread))
    return "\n".join(lines)


if __name__ == "__main__":
    run(main, BenchmarkConfig, __doc__)
