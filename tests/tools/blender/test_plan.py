"""Scene plans: reproducible from (seed, i), separate training and validation, physically plausible poses."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
import pytest

from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.modal.objects import MAX_SIZE_M, MIN_SIZE_M
from tools.blender.lighting import blackbody_rgb, tone_map
from tools.blender.materials import (
    BARE,
    EXCLUDED,
    EXTRA_VARIANTS,
    HELD_OUT,
    KINDS_OF,
    NOT_WIDE,
    SINGLE,
    VARIANTS,
    WIDE,
    variant_names,
)  # fmt: skip
from tools.blender.plan import SHARD, ScenePlan, outline, separated, split_of
from tools.blender.render import camera_frame
from tools.blender.sample import sample_scene

PLANES = ("ground", "floor", "wall")


@lru_cache(maxsize=1)
def many() -> tuple[ScenePlan, ...]:
    """70 training scenes and 40 val scenes."""
    return tuple(sample_scene(7, i) for i in [*range(70), *range(9 * SHARD, 9 * SHARD + 40)])


def test_a_scene_depends_on_seed_and_index() -> None:
    one, same = sample_scene(3, 5), sample_scene(3, 5)
    assert [p.kind for p in one.objects] == [p.kind for p in same.objects]
    for a, b in zip(one.objects, same.objects, strict=True):
        assert np.array_equal(a.world_vertices(), b.world_vertices())
    assert np.array_equal(one.camera.eye, same.camera.eye)
    others = [sample_scene(4, 5), sample_scene(3, 6)]
    assert all(not np.array_equal(one.camera.eye, other.camera.eye) for other in others)


def test_every_tenth_shard_is_val() -> None:
    assert [split_of(k * SHARD) for k in range(10)] == ["train"] * 9 + ["val"]
    assert split_of(SHARD * 9 - 1) == "train" and split_of(SHARD * 19 + 7) == "val"


def test_held_out_surfaces_appear_in_val_alone() -> None:
    shown = {
        split: Counter(p.variant for plan in many() if plan.split == split for p in plan.objects)
        for split in ("train", "val")
    }
    assert not HELD_OUT & set(shown["train"])
    assert len(HELD_OUT & set(shown["val"])) > 6
    for material in MATERIALS:
        assert len(variant_names(material, held_out=True)) == 1, "one held-out surface per material"
        assert len(variant_names(material, held_out=False)) >= 4
    assert set(VARIANTS) == set(MATERIALS)


def test_case_study_combinations_are_not_in_training() -> None:
    assert ("wood", "bottle") in EXCLUDED and ("glass", "carton") in EXCLUDED
    for plan in many():
        assert not {(p.material, p.kind) for p in plan.objects} & EXCLUDED


def test_materials_are_balanced_and_not_implied_by_shape() -> None:
    objects = [p for plan in many() for p in plan.objects if p.kind not in (*PLANES, "lid", "pencil", "brick", "coin")]
    counts = Counter(p.material for p in objects)
    share = {material: counts[material] / len(objects) for material in MATERIALS}
    assert min(share.values()) > 0.03 and max(share.values()) < 0.18, share
    drawn = [p for p in objects if p.material != "liquid"]
    unusual = np.mean([p.kind not in KINDS_OF[p.material] for p in drawn if p.material])
    assert 0.1 < unusual < 0.35, unusual  # 0.3 of the samples, some of which are a usual kind by chance


def test_objects_stand_on_the_ground_without_intersecting() -> None:
    for plan in many():
        standing = [p for p in plan.objects if p.kind not in (*PLANES, "poured", "lid")]
        lows = [float(p.world_vertices()[:, 2].min()) for p in standing]
        assert min(lows) == pytest.approx(0, abs=1e-6)
        on_ground = [p for p, low in zip(standing, lows, strict=True) if low < 1e-6]
        outlines = [outline(p) for p in on_ground]
        for k, points in enumerate(outlines):
            assert separated(points, outlines[:k] + outlines[k + 1 :], 0.0), plan.index


def test_sizes_and_camera_are_plausible() -> None:
    for plan in many():
        for p in plan.objects:
            if p.material is None:
                continue
            obj = p.physical_object
            assert MIN_SIZE_M <= obj.size_m <= MAX_SIZE_M
            assert 0 < obj.least <= obj.middle <= 1 and 0 < obj.thickness_m <= obj.size_m
            assert 0 <= obj.hollowness <= 1
        camera = plan.camera
        assert np.isfinite(camera.eye).all() and np.linalg.norm(camera.eye - camera.target) > 0.02
        assert 1 <= sum(p.kind not in PLANES for p in plan.objects) <= 12
        assert sum(p.kind == "ground" for p in plan.objects) == 1


def test_objects_fill_the_picture() -> None:
    """In nearly every scene some object spans at least 15 % of the picture, in most at least 30 %."""
    spans = []
    for plan in many():
        frame, widest = camera_frame(plan.camera), 0.0
        for p in plan.objects:
            local = (p.world_vertices() - plan.camera.eye) @ frame
            local = local[local[:, 2] < -0.01]  # in front of the camera
            if p.kind in PLANES or not len(local):
                continue
            seen = np.clip(local[:, :2] / -local[:, 2:] / plan.camera.half_tangent, -1, 1)
            widest = max(widest, float(np.ptp(seen, axis=0).max()) / 2)
        spans.append(widest)
    assert np.mean(np.array(spans) > 0.15) > 0.95 and np.median(spans) > 0.3


def test_tone_mapping_equalises_dark_and_bright_scenes() -> None:
    rng = np.random.default_rng(0)
    light = np.exp(rng.normal(0, 1, (32, 32, 3)))
    dark, bright = (tone_map(light * gain, np.random.default_rng(1)) for gain in (0.02, 50.0))
    assert dark.dtype == np.uint8 and dark.shape == (32, 32, 3)
    assert np.abs(dark.astype(int) - bright).mean() < 12
    assert 60 < bright.mean() < 200
    assert tone_map(np.full((4, 4, 3), np.nan), rng).shape == (4, 4, 3)


def test_a_candle_is_redder_than_the_sky() -> None:
    candle, sky = blackbody_rgb(2500), blackbody_rgb(9000)
    assert candle[0] == 1 and candle[2] < 0.4
    assert sky[2] == 1 and sky[0] < 1


def test_crowded_scenes_hold_many_objects_and_are_reproducible() -> None:
    crowds = [sample_scene(7, index, crowded=True) for index in range(12)]
    objects = [sum(placed.kind not in PLANES for placed in plan.objects) for plan in crowds]
    usual = [sum(placed.kind not in PLANES for placed in plan.objects) for plan in many()[:12]]
    assert sum(objects) > 2.5 * sum(usual) and sorted(objects)[6] >= 7
    again = sample_scene(7, 3, crowded=True)
    assert [p.seed for p in again.objects] == [p.seed for p in crowds[3].objects] != [p.seed for p in many()[3].objects]


def test_extra_surfaces_are_new_not_held_out_and_leave_other_scenes_unchanged() -> None:
    new = {name for table in EXTRA_VARIANTS.values() for name in table}
    assert set(EXTRA_VARIANTS) == set(MATERIALS) and min(map(len, EXTRA_VARIANTS.values())) >= 4
    assert not new & ({name for table in VARIANTS.values() for name in table} | set(WIDE) | set(BARE) | set(SINGLE))
    assert len(new) == sum(map(len, EXTRA_VARIANTS.values()))
    rich = [sample_scene(7, i, crowded=True, extra=True) for i in range(8)]
    drawn = Counter(p.variant in new for plan in rich for p in plan.objects if p.kind not in PLANES)
    assert 0.5 < drawn[True] / drawn.total() < 0.9
    assert not HELD_OUT & {p.variant for plan in rich for p in plan.objects}
    assert not NOT_WIDE & {p.variant for plan in rich for p in plan.objects if p.kind in PLANES}
    assert not new & {p.variant for plan in many() for p in plan.objects}
