"""Plans of rendered scenes: they follow from (seed, i), keep training and val apart, and stand physically."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
import pytest

from synesthesia.impact.modal.things import MATERIALS, MAX_SIZE_M, MIN_SIZE_M
from tools.blender.light import develop, warmth
from tools.blender.materials import (
    BARE,
    EXCLUDED,
    HELD_OUT,
    KINDS_OF,
    MORE,
    NOT_WIDE,
    SINGLE,
    VARIANTS,
    WIDE,
    variant_names,
)  # fmt: skip
from tools.blender.plan import SHARD, Plan, apart, outline, split_of
from tools.blender.sample import scene
from tools.blender.stage import camera_frame

PLANES = ("ground", "floor", "wall")


@lru_cache(maxsize=1)
def many() -> tuple[Plan, ...]:
    """70 training scenes and 40 val scenes."""
    return tuple(scene(7, i) for i in [*range(70), *range(9 * SHARD, 9 * SHARD + 40)])


def test_a_scene_follows_from_seed_and_number() -> None:
    one, same = scene(3, 5), scene(3, 5)
    assert [p.kind for p in one.placed] == [p.kind for p in same.placed]
    for a, b in zip(one.placed, same.placed, strict=True):
        assert np.array_equal(a.world(), b.world())
    assert np.array_equal(one.camera.eye, same.camera.eye)
    others = [scene(4, 5), scene(3, 6)]
    assert all(not np.array_equal(one.camera.eye, other.camera.eye) for other in others)


def test_every_tenth_shard_is_val() -> None:
    assert [split_of(k * SHARD) for k in range(10)] == ["train"] * 9 + ["val"]
    assert split_of(SHARD * 9 - 1) == "train" and split_of(SHARD * 19 + 7) == "val"


def test_training_never_shows_what_is_held_out_and_val_does() -> None:
    shown = {
        split: Counter(p.variant for plan in many() if plan.split == split for p in plan.placed)
        for split in ("train", "val")
    }
    assert not HELD_OUT & set(shown["train"])
    assert len(HELD_OUT & set(shown["val"])) > 6
    for material in MATERIALS:
        assert len(variant_names(material, held_out=True)) == 1, "one held-out surface a material"
        assert len(variant_names(material, held_out=False)) >= 4
    assert set(VARIANTS) == set(MATERIALS)


def test_what_nobody_can_name_is_not_in_training() -> None:
    assert ("wood", "bottle") in EXCLUDED and ("glass", "carton") in EXCLUDED
    for plan in many():
        assert not {(p.material, p.kind) for p in plan.placed} & EXCLUDED


def test_materials_are_even_and_shapes_do_not_tell_them() -> None:
    things = [p for plan in many() for p in plan.placed if p.kind not in (*PLANES, "lid", "pencil", "brick", "coin")]
    counts = Counter(p.material for p in things)
    share = {material: counts[material] / len(things) for material in MATERIALS}
    assert min(share.values()) > 0.03 and max(share.values()) < 0.18, share
    drawn = [p for p in things if p.material != "liquid"]
    unusual = np.mean([p.kind not in KINDS_OF[p.material] for p in drawn if p.material])
    assert 0.1 < unusual < 0.35, unusual  # 0.3 of the draws, some of which are usual after all


def test_things_stand_on_the_ground_and_not_in_one_another() -> None:
    for plan in many():
        standing = [p for p in plan.placed if p.kind not in (*PLANES, "poured", "lid")]
        lows = [float(p.world()[:, 2].min()) for p in standing]
        assert min(lows) == pytest.approx(0, abs=1e-6)
        on_ground = [p for p, low in zip(standing, lows, strict=True) if low < 1e-6]
        outlines = [outline(p) for p in on_ground]
        for k, points in enumerate(outlines):
            assert apart(points, outlines[:k] + outlines[k + 1 :], 0.0), plan.index


def test_sizes_and_the_camera_are_sane() -> None:
    for plan in many():
        for p in plan.placed:
            if p.material is None:
                continue
            thing = p.thing
            assert MIN_SIZE_M <= thing.size_m <= MAX_SIZE_M
            assert 0 < thing.least <= thing.middle <= 1 and 0 < thing.thickness_m <= thing.size_m
            assert 0 <= thing.hollowness <= 1
        camera = plan.camera
        assert np.isfinite(camera.eye).all() and np.linalg.norm(camera.eye - camera.target) > 0.02
        assert 1 <= sum(p.kind not in PLANES for p in plan.placed) <= 12
        assert sum(p.kind == "ground" for p in plan.placed) == 1


def test_things_fill_the_picture() -> None:
    """In nearly every scene some thing spans at least 15 % of the picture, in most at least 30 %."""
    spans = []
    for plan in many():
        frame, widest = camera_frame(plan.camera), 0.0
        for p in plan.placed:
            local = (p.world() - plan.camera.eye) @ frame
            local = local[local[:, 2] < -0.01]  # before the camera
            if p.kind in PLANES or not len(local):
                continue
            seen = np.clip(local[:, :2] / -local[:, 2:] / plan.camera.half_tangent, -1, 1)
            widest = max(widest, float(np.ptp(seen, axis=0).max()) / 2)
        spans.append(widest)
    assert np.mean(np.array(spans) > 0.15) > 0.95 and np.median(spans) > 0.3


def test_a_dark_and_a_bright_scene_come_out_alike() -> None:
    rng = np.random.default_rng(0)
    light = np.exp(rng.normal(0, 1, (32, 32, 3)))
    dark, bright = (develop(light * gain, np.random.default_rng(1)) for gain in (0.02, 50.0))
    assert dark.dtype == np.uint8 and dark.shape == (32, 32, 3)
    assert np.abs(dark.astype(int) - bright).mean() < 12
    assert 60 < bright.mean() < 200
    assert develop(np.full((4, 4, 3), np.nan), rng).shape == (4, 4, 3)


def test_a_candle_is_redder_than_the_sky() -> None:
    candle, sky = warmth(2500), warmth(9000)
    assert candle[0] == 1 and candle[2] < 0.4
    assert sky[2] == 1 and sky[0] < 1


def test_crowded_scenes_hold_many_things_and_follow_from_their_seed_too() -> None:
    crowds = [scene(7, index, crowded=True) for index in range(12)]
    things = [sum(placed.kind not in PLANES for placed in plan.placed) for plan in crowds]
    usual = [sum(placed.kind not in PLANES for placed in scene(7, i).placed) for i in range(12)]
    assert sum(things) > 2.5 * sum(usual) and sorted(things)[6] >= 7
    again = scene(7, 3, crowded=True)
    assert [p.seed for p in again.placed] == [p.seed for p in crowds[3].placed] != [p.seed for p in scene(7, 3).placed]


def test_more_surfaces_are_others_none_held_out_and_leave_old_scenes_as_they_were() -> None:
    new = {name for table in MORE.values() for name in table}
    assert set(MORE) == set(MATERIALS) and min(map(len, MORE.values())) >= 4
    assert not new & ({name for table in VARIANTS.values() for name in table} | set(WIDE) | set(BARE) | set(SINGLE))
    assert len(new) == sum(map(len, MORE.values()))
    rich = [scene(7, i, crowded=True, more=True) for i in range(8)]
    drawn = Counter(p.variant in new for plan in rich for p in plan.placed if p.kind not in PLANES)
    assert 0.5 < drawn[True] / drawn.total() < 0.9
    assert not HELD_OUT & {p.variant for plan in rich for p in plan.placed}
    assert not NOT_WIDE & {p.variant for plan in rich for p in plan.placed if p.kind in PLANES}
    assert not new & {p.variant for plan in many() for p in plan.placed}
