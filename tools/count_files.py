"""Run-time call trace: which files of the package a request passes, counted with `sys.setprofile`.

    python -m tools.count_files flow            one click, models loaded
    python -m tools.count_files tap --walk      with every change of file, in order
    python -m tools.count_files locate          one clip through the command line, models loaded

Prints one line a file in the order of the first visit, then the totals: files, and changes from one file to another.
Only calls of functions below `synesthesia/` count (not what importing a module runs). The request is made once before,
so that loading weights is left out.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
import threading
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from types import FrameType

import synesthesia
from synesthesia import Studio

PACKAGE = Path(synesthesia.__file__).resolve().parent
IMPORTING = ("<module>", "<lambda>")


class Walk:
    """Files in the order in which calls and returns pass through them."""

    def __init__(self) -> None:
        self.files: list[str] = []

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event not in ("call", "return"):
            return
        here: FrameType | None = frame if event == "call" else frame.f_back
        if here is None or here.f_code.co_name in IMPORTING or _within_import(here):
            return
        path = Path(here.f_code.co_filename)
        if path.is_relative_to(PACKAGE):
            name = str(path.relative_to(PACKAGE))
            if not self.files or self.files[-1] != name:
                self.files.append(name)

    @property
    def visited(self) -> list[str]:
        return list(dict.fromkeys(self.files))


def _within_import(frame: FrameType) -> bool:
    """Whether the frame runs while a module is being imported."""
    above: FrameType | None = frame
    while above is not None:
        if above.f_code.co_name == "_load_unlocked":
            return True
        above = above.f_back
    return False


def requests(folder: Path) -> dict[str, Callable[[], object]]:
    """Each request as a person makes it; `locate` and `info` through the command line."""
    from synesthesia.cli import main

    studio = Studio.load("embedded")
    photo = str(files("skimage").joinpath("data", "chelsea.png"))

    def click(path: str) -> Callable[[], object]:
        seeds = iter(range(10))
        return lambda: studio.hear(photo, 225, 120, path=path, seconds=1.0, seed=next(seeds), anyway=True)

    def locate() -> object:
        clip = folder / "clip.wav"
        if not clip.is_file():
            import soundfile

            waveform, rate = studio.binaural("bird", 60.0)
            soundfile.write(clip, waveform.T, rate)
        with contextlib.redirect_stdout(io.StringIO()):
            return main(["locate", str(clip)])

    return {**{path: click(path) for path in ("flow", "mlp", "language", "tap")}, "locate": locate}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("request", choices=["flow", "mlp", "language", "tap", "locate", "all"])
    parser.add_argument("--walk", action="store_true", help="also print every change of file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = requests(Path(folder))
        for name in made if given.request == "all" else [given.request]:
            made[name]()
            walk = Walk()
            threading.setprofile(walk)
            sys.setprofile(walk)
            made[name]()
            sys.setprofile(None)
            threading.setprofile(None)
            for file in walk.files if given.walk else walk.visited:
                print(f"  {file}")
            print(f"{name}: {len(walk.visited)} files, {len(walk.files)} changes of file\n")


if __name__ == "__main__":
    main()
