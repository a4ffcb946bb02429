"""Example photographs from the scikit-image wheel: free to use, nothing to download or commit.

Only files inside the wheel are listed (scikit-image downloads others on first use).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from PIL import Image, ImageOps

from synesthesia.core.errors import UserError
from synesthesia.vision.image import read_image


@dataclass(frozen=True)
class Example:
    """One picture: `title` as the page shows it, `file` inside `folder`; None is `skimage/data`."""

    title: str
    file: str
    folder: Path | None = None


EXAMPLES = (
    Example("coffee", "coffee.png"),
    Example("cat", "chelsea.png"),
    Example("motorcycle", "motorcycle_left.png"),
    Example("rocket", "rocket.jpg"),
    Example("horse", "horse.png"),
    Example("grass", "grass.png"),
)


def open_example(example: Example) -> Image.Image:
    """RGB photograph. UserError when the file is missing or unreadable."""
    try:
        path = (example.folder or files("skimage") / "data") / example.file
        return read_image(path.read_bytes())
    except (OSError, ModuleNotFoundError, UserError) as error:
        where = "can't be read" if example.folder else "is not part of the installed scikit-image"
        raise UserError(f"The example picture '{example.title}' {where}.") from error


def thumbnails(
    examples: tuple[Example, ...] = EXAMPLES, width_px: int = 184, height_px: int = 128
) -> list[tuple[Image.Image, str]]:
    """(picture, title) of every example, centre-cropped to one size."""
    size = width_px, height_px
    return [
        (ImageOps.fit(open_example(example), size, Image.Resampling.BICUBIC), example.title) for example in examples
    ]
