"""What is drawn lies where it should, and never on the photograph itself."""

from __future__ import annotations

import numpy as np
from PIL import Image

from synesthesia.ui.shared import overlays

GREY = Image.new("RGB", (640, 400), (100, 100, 100))


def test_the_outline_frames_its_cell_and_nothing_else() -> None:
    drawn = np.asarray(overlays.with_outline(GREY, 16, 24, [(4, 10)]))
    x1, y1, x2, y2 = overlays.cell_box(GREY.size, 16, 24, 4, 10)
    assert not np.array_equal(drawn[y1, x1], (100, 100, 100))
    assert np.array_equal(drawn[(y1 + y2) // 2, (x1 + x2) // 2], (100, 100, 100)), "the patch itself stays visible"
    changed = np.argwhere((drawn != 100).any(axis=-1))
    assert abs(changed[:, 0] - (y1 + y2) / 2).max() < 25 and abs(changed[:, 1] - (x1 + x2) / 2).max() < 30
    assert GREY.getpixel((x1, y1)) == (100, 100, 100), "the photograph is left as it is"


def test_cells_tile_the_picture() -> None:
    boxes = [overlays.cell_box((641, 399), 7, 9, row, col) for row in range(7) for col in range(9)]
    assert sum((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in boxes) == 641 * 399


def test_the_heat_map_is_brighter_where_values_are_high() -> None:
    values = np.zeros((4, 4), dtype=np.float32)
    values[1, 2] = 1.0
    drawn = np.asarray(overlays.with_heat(GREY, values).convert("L")).astype(float)
    assert drawn[150, 400] > drawn[350, 60] + 60


def test_what_the_browser_gets_is_never_smaller_than_its_column() -> None:
    for size in ((30, 20), (451, 300), (6000, 4000), (300, 2000)):
        view = overlays.display_copy(Image.new("RGB", size))
        assert max(view.size) == 1280 and abs(view.width / view.height - size[0] / size[1]) < 0.02 * size[0] / size[1]


def test_a_flat_map_does_not_divide_by_zero() -> None:
    assert np.isfinite(overlays.min_max_scaled(np.full((3, 3), 0.4, dtype=np.float32))).all()
