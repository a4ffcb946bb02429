"""Example photographs out of the scikit-image wheel: real, free to use, and nothing to download or to commit.

Only files that the wheel itself carries are named (others would be fetched by scikit-image on first use).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from PIL import Image

from synesthesia.errors import UserError


@dataclass(frozen=True)
class Example:
    """One picture: `title` as the page shows it, `file` inside `skimage/data`."""

    title: str
    file: str


EXAMPLES = (
    Example("coffee", "coffee.png"),
    Example("cat", "chelsea.png"),
    Example("motorcycle", "motorcycle_left.png"),
    Example("rocket", "rocket.jpg"),
    Example("horse", "horse.png"),
    Example("grass", "grass.png"),
)


def open_example(example: Example) -> Image.Image:
    """RGB photograph. UserError when the installed scikit-image does not carry it."""
    path = files("skimage") / "data" / example.file
    try:
        with path.open("rb") as stream, Image.open(stream) as picture:
            return on_white(picture)
    except (OSError, ModuleNotFoundError) as error:
        raise UserError(f"The example picture '{example.title}' is not part of the installed scikit-image.") from error


def on_white(picture: Image.Image) -> Image.Image:
    """RGB, transparent parts white."""
    rgba = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def thumbnails(width_px: int = 184, height_px: int = 128) -> list[tuple[Image.Image, str]]:
    """(picture, title) of every example, cut to the middle at one size."""
    return [(cut(open_example(example), width_px, height_px), example.title) for example in EXAMPLES]


def cut(picture: Image.Image, width_px: int, height_px: int) -> Image.Image:
    """The largest middle part with this aspect, scaled to width_px x height_px."""
    scale = min(picture.width / width_px, picture.height / height_px)
    half_w, half_h = width_px * scale / 2, height_px * scale / 2
    middle_x, middle_y = picture.width / 2, picture.height / 2
    box = (middle_x - half_w, middle_y - half_h, middle_x + half_w, middle_y + half_h)
    return picture.resize((width_px, height_px), Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
