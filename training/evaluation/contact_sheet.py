"""Contact sheets of clicks as PNG pages: picture with the click, the prior's wish, mel spectrogram, judges' classes.

Worst cases first. Green: a right class comes first; amber: among the first five; red: neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from synesthesia.audio.mel import LogMel, MelConfig
from training.evaluation.judges import Verdict

COLUMNS, ROWS = 3, 7
CELL_PX, PICTURE_PX, SPECTROGRAM_PX = (520, 178), 150, (340, 84)
RANGE = 9.2  # of the shown log magnitudes below the largest, 80 dB
GREEN, AMBER, RED, BLACK, GREY = (0, 120, 40), (190, 110, 0), (190, 20, 20), (0, 0, 0), (110, 110, 110)


@dataclass(frozen=True)
class Sheet:
    """One click. waveform: (n,) at 16 kHz as the product makes it, also where it would stay silent; x, y: of the click
    in pixels of the picture; verdicts: by judge."""

    image: Image.Image
    x: float
    y: float
    source: str
    accepted: tuple[str, ...]
    presence: float
    silent: bool
    wish: tuple[tuple[str, float], ...]
    waveform: Tensor
    verdicts: dict[str, Verdict]

    @property
    def goodness(self) -> float:
        """Small for bad cases: how many judges find a right class first, then among five, then its score."""
        found = list(self.verdicts.values())
        return sum(2 * v.lenient1 + v.lenient5 + v.best for v in found) / max(1, len(found)) - self.silent


def write_pages(sheets: Sequence[Sheet], folder: Path) -> list[Path]:
    """page_01.png, page_02.png, ... of all clicks, worst first."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(sheets, key=lambda sheet: sheet.goodness)
    size = COLUMNS * ROWS
    files = []
    for begin in range(0, len(ordered), size):
        files.append(folder / f"page_{begin // size + 1:02}.png")
        page(ordered[begin : begin + size]).save(files[-1])
    return files


def page(sheets: Sequence[Sheet]) -> Image.Image:
    width, height = CELL_PX
    rows = -(-len(sheets) // COLUMNS)
    sheet_page = Image.new("RGB", (COLUMNS * width, rows * height), "white")
    for number, sheet in enumerate(sheets):
        sheet_page.paste(cell(sheet), (number % COLUMNS * width, number // COLUMNS * height))
    return sheet_page


def cell(sheet: Sheet) -> Image.Image:
    """A click as a picture of CELL_PX."""
    image = Image.new("RGB", CELL_PX, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=11)
    thumbnail = sheet.image.copy()
    thumbnail.thumbnail((PICTURE_PX, PICTURE_PX))
    image.paste(thumbnail, (8, 8))
    x, y = (8 + at * thumbnail.width / sheet.image.width for at in (sheet.x, sheet.y))
    draw.ellipse((x - 5, y - 5, x + 5, y + 5), outline="white", width=3)
    draw.ellipse((x - 5, y - 5, x + 5, y + 5), outline="red", width=1)
    left = PICTURE_PX + 20
    image.paste(spectrogram(sheet.waveform), (left, 40))
    wish_hits = [label in sheet.accepted for label, _ in sheet.wish]
    colour = GREEN if wish_hits[0] else AMBER if any(wish_hits) else RED
    lines = [
        (6, f"{sheet.source}: {', '.join(sheet.accepted)}", BLACK),
        (20, f"wish  {scores(sheet.wish[:3])}", colour),
        *(
            (128 + 14 * number, f"{judge}  {scores(verdict.heard)}", colour_of(verdict))
            for number, (judge, verdict) in enumerate(sheet.verdicts.items())
        ),
    ]
    for top, text, fill in lines:
        draw.text((left, top), text[:64], fill=fill, font=font)
    state = "would stay silent" if sheet.silent else "sounds"
    draw.text(
        (8, PICTURE_PX + 10), f"presence {sheet.presence:.2f}, {state}", fill=RED if sheet.silent else GREY, font=font
    )
    return image


def spectrogram(waveform: Tensor) -> Image.Image:
    """Log-mel of a waveform (n,), low frequencies at the bottom, 80 dB of range."""
    with torch.inference_mode():
        mel = LogMel(MelConfig())(waveform[None])[0].numpy()  # (T, 64)
    levels = np.clip((mel - mel.max()) / RANGE + 1.0, 0.0, 1.0)
    colours = matplotlib.colormaps["magma"](levels.T[::-1])[..., :3]
    return Image.fromarray((colours * 255).astype(np.uint8)).resize(SPECTROGRAM_PX, Image.Resampling.BILINEAR)


def scores(pairs: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name.split(',')[0]} {score:.2f}" for name, score in pairs)


def colour_of(verdict: Verdict) -> tuple[int, int, int]:
    return GREEN if verdict.lenient1 else AMBER if verdict.lenient5 else RED
