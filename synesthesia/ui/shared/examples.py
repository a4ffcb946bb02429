"""Example photographs: out of the scikit-image wheel, real, free to use, and nothing to download or to commit; for the
tab "Tap" the project's own renders, which lie in `examples/` beside this file.

Only files that the wheel itself carries are named (others would be fetched by scikit-image on first use).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from PIL import Image

from synesthesia.core.errors import UserError

OWN = Path(__file__).parent.parent / "impact" / "examples"
TITLES = "titles.json"  # in that folder, {file name: title}, for titles that file names don't say


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


def tap_examples(folder: Path = OWN) -> tuple[Example, ...]:
    """A photograph first, then every WebP and JPEG file of the folder by name (3-wooden-bottle.webp is a "wooden
    bottle"); without any, all photographs of scikit-image."""
    titles = read_titles(folder / TITLES)
    names = sorted(path.name for ending in ("webp", "jpg") for path in folder.glob(f"*.{ending}"))
    own = tuple(Example(titles.get(name, title_of(name)), name, folder) for name in names)
    return (EXAMPLES[0], *own) if own else EXAMPLES


def read_titles(path: Path) -> dict[str, str]:
    """Empty when there is no such file, or none that names titles."""
    try:
        return {str(name): str(title) for name, title in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def title_of(name: str) -> str:
    return re.sub(r"^\d+[-_ ]*", "", Path(name).stem).replace("-", " ").replace("_", " ") or Path(name).stem


def open_example(example: Example) -> Image.Image:
    """RGB photograph. UserError when it isn't where it should be."""
    try:
        path = (example.folder or files("skimage") / "data") / example.file
        with path.open("rb") as stream, Image.open(stream) as picture:
            return on_white(picture)
    except (OSError, ModuleNotFoundError) as error:
        where = "can't be read" if example.folder else "is not part of the installed scikit-image"
        raise UserError(f"The example picture '{example.title}' {where}.") from error


def on_white(picture: Image.Image) -> Image.Image:
    """RGB, transparent parts white."""
    rgba = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def thumbnails(
    examples: tuple[Example, ...] = EXAMPLES, width_px: int = 184, height_px: int = 128
) -> list[tuple[Image.Image, str]]:
    """(picture, title) of every example, cut to the middle at one size."""
    return [(cut(open_example(example), width_px, height_px), example.title) for example in examples]


def cut(picture: Image.Image, width_px: int, height_px: int) -> Image.Image:
    """The largest middle part with this aspect, scaled to width_px x height_px."""
    scale = min(picture.width / width_px, picture.height / height_px)
    half_w, half_h = width_px * scale / 2, height_px * scale / 2
    middle_x, middle_y = picture.width / 2, picture.height / 2
    box = (middle_x - half_w, middle_y - half_h, middle_x + half_w, middle_y + half_h)
    return picture.resize((width_px, height_px), Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
