"""The material map lies over the right places, and its legend counts what can be struck."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from synesthesia.core.results import MaterialMap
from synesthesia.core.vocabulary import MATERIALS
from synesthesia.ui.impact import material_map, stage
from synesthesia.ui.impact.material_map import PATCH_PX


@pytest.fixture
def found() -> MaterialMap:
    """4 x 6: wood at the left, an unsure glass at the right, nothing in the last row."""
    shares = np.full((4, 6, len(MATERIALS)), 0.01, np.float32)
    shares[:, :3, MATERIALS.index("wood")] = 0.88
    shares[:, 3:, MATERIALS.index("glass")] = 0.45
    shares[:, 3:, MATERIALS.index("ceramic")] = 0.44
    solid = np.ones((4, 6), np.float32)
    solid[3] = 0.0
    codes = np.zeros((4, 6), np.int64)
    return MaterialMap(MATERIALS, shares, codes, np.ones(2, np.float32), np.zeros(2, np.int64), solid)


def test_each_place_has_its_materials_colour(found: MaterialMap) -> None:
    drawn = np.asarray(material_map.materials(found))
    assert drawn.shape == (4 * PATCH_PX, 6 * PATCH_PX, 4)
    assert (
        tuple(drawn[5, 5, :3]) == material_map.COLOURS["wood"]
        and tuple(drawn[5, -5, :3]) == material_map.COLOURS["glass"]
    )
    assert tuple(drawn[-1, 5, :3]) == material_map.VEIL and tuple(drawn[-1, -5, :3]) == material_map.VEIL
    border = np.flatnonzero((drawn[5, 1:, :3] != drawn[5, :-1, :3]).any(axis=-1))
    assert len(border) == 1 and abs(border[0] - 3 * PATCH_PX) < PATCH_PX / 2, "half-way between the patches' middles"


def test_certainty_is_paler_where_it_is_higher(found: MaterialMap) -> None:
    drawn = np.asarray(material_map.certainty(found).convert("RGB").convert("L")).astype(float)
    assert drawn[5, 5] > drawn[5, -5] + 60 and abs(drawn[-1, 5] - drawn[-1, -5]) < 2


def test_the_legend_counts_things_only(found: MaterialMap) -> None:
    assert material_map.present(found) == [("wood", pytest.approx(9 / 24)), ("glass", pytest.approx(9 / 24))]
    legend = material_map.legend(found, 1)
    assert "wood 38 %" in legend and "glass 38 %" in legend and "ceramic" not in legend
    assert material_map.legend(found, 0) == material_map.layer(found, 0) == ""


def test_no_two_materials_look_alike() -> None:
    assert set(material_map.COLOURS) == set(MATERIALS)
    far = {pair: np.linalg.norm(np.subtract(*map(material_map.colour, pair))) for pair in combinations(MATERIALS, 2)}
    assert min(far.values()) > 40, min(far, key=far.get)


def test_layers_are_as_large_as_their_photograph() -> None:
    photo = Image.new("RGB", (640, 400))
    layer = stage.outline(photo, 10, 20, [(0, 0), (5, 10), (5, 10)])
    assert "--w:640;--h:400" in layer and layer.count("class='cell'") == 2
    assert "left:50.000%;top:50.000%;width:5.000%;height:10.000%" in layer
    assert stage.over(photo, "") == ""
