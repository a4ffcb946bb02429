"""Rendered scenes: rays, surface coordinates, shard files, resumed runs; two slow tests use Blender."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from synesthesia.core.errors import UserError
from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.modal.objects import PhysicalObject
from tools.blender import scenes as render_scenes
from tools.blender.ground_truth import NO_HIT, ground_truth, pixel_rays, scene_files, surface_coordinates, write_shard
from tools.blender.plan import SHARD, Camera, PlacedObject, ScenePlan, contents_of, ground_plane, make_object
from tools.blender.render import camera_frame
from training.impact.render_reader import NO_MATERIAL, decode_scene, iter_scenes, read_shard, shard_paths

PX = 24


def small_plan(index: int = 0) -> ScenePlan:
    """A steel ball above the middle of a grass plane, seen from the side."""
    rng = np.random.default_rng(index)
    ball = make_object(rng, "ball", "metal", "steel", 0.2)
    grass = PlacedObject(None, "grass", "ground", 1, ground_plane(24.0, 0.03), np.eye(3), np.zeros(3), 1.0)
    camera = Camera(np.array([0.0, -1.0, 0.1]), np.array([0.0, 0.0, 0.1]), 50.0, 0.0, 0.0)
    return ScenePlan(0, index, "train", (ball, grass), camera, "studio", 3)


def small_hits(plan: ScenePlan) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ball in the left half, grass at the right, sky above."""
    number = np.full((PX, PX), NO_HIT)
    number[PX // 4 :, : PX // 2], number[PX // 4 :, PX // 2 :] = 0, 1
    where, normal = np.zeros((PX * PX, 3)), np.zeros((PX * PX, 3))
    where[:] = [0.05, 0, 0.15]
    normal[number.ravel() == 0] = [0, -1, 0]
    normal[number.ravel() == 1] = [0, 0, 1]
    return number.ravel(), where, normal


def test_rays_hit_the_camera_target() -> None:
    camera = Camera(np.array([1.0, -2.0, 1.5]), np.array([0.2, 0.1, 0.3]), 36.0, 0.0, 0.1)
    frame = camera_frame(camera)
    assert np.allclose(frame.T @ frame, np.eye(3)) and np.linalg.det(frame) == pytest.approx(1)
    rays = pixel_rays(camera, frame, 101).reshape(101, 101, 3)
    ahead = (camera.target - camera.eye) / np.linalg.norm(camera.target - camera.eye)
    assert np.allclose(rays[50, 50], ahead)
    # 36 mm lens, 36 mm sensor: half the picture spans 18 / 36 of the distance, less half a pixel.
    assert (rays[50, 100] @ frame[:, 0]) / (rays[50, 100] @ ahead) == pytest.approx(0.5 * 100 / 101)
    assert (rays[0, 50] @ frame[:, 1]) > 0, "the first row is the top one"


def test_surface_coordinates_run_along_the_longest_and_middle_axes() -> None:
    rng = np.random.default_rng(0)
    slab = make_object(rng, "slab", "stone", "slate", 0.5)
    points = np.array([slab.body.mesh.vertices[:, 0].min(), 0.0, 0.0])
    ends = surface_coordinates(slab, np.stack([points, -points, 0 * points]))
    assert np.allclose(ends[:, 0], [0, 1, 0.5], atol=0.01) and np.allclose(ends[:, 1], 0.5, atol=0.01)
    vase = make_object(rng, "vase", "glass", "clear_glass", 0.4)
    assert surface_coordinates(vase, np.array([[0, 0, 0.4]]))[0, 0] == pytest.approx(1, abs=0.01)
    plane = ground_plane(24.0, 0.03)
    wide = PlacedObject("wood", "oak", "ground", 1, plane, np.eye(3), np.zeros(3), 1.0)
    assert np.allclose(surface_coordinates(wide, np.array([[0.5, -0.5, 0], [9, 9, 0]])), [[0.75, 0.25], [1, 1]])


def test_a_scene_round_trips_through_its_files() -> None:
    plan = small_plan()
    seen = ground_truth(plan, small_hits(plan), camera_frame(plan.camera), PX)
    picture = np.full((PX, PX, 3), (40, 120, 200), dtype=np.uint8)
    scene = decode_scene(scene_files(plan, picture, seen))
    assert scene.picture.shape == (PX, PX, 3) and np.abs(scene.picture.astype(int) - picture).max() < 8
    assert np.array_equal(scene.object_index, seen.object_index)
    assert np.array_equal(scene.normals, seen.normals) and scene.normals.dtype == np.int8
    assert np.array_equal(scene.points, seen.points)
    assert set(np.unique(scene.object_index)) == {0, 1}, "grass is none of the materials"
    assert set(np.unique(scene.material_index)) == {MATERIALS.index("metal"), NO_MATERIAL}
    ball = scene.at(2, PX - 1)
    assert (
        isinstance(ball, PhysicalObject) and ball.material == "metal" and ball.shape == "solid" and ball.kind == "ball"
    )
    assert ball.size_m == pytest.approx(0.2) and not ball.held_out and not ball.liquid
    assert scene.at(0, 0) is None and scene.at(PX - 1, PX - 1) is None
    assert np.array_equal(scene.normals[PX - 1, 0], [0, 0, 127]), "facing the viewer"
    place = scene.strike_point(2, PX - 1)
    assert 0 <= place.along <= 1 and 0 <= place.across <= 1


def test_contents_are_a_liquid_object_of_their_own() -> None:
    rng = np.random.default_rng(0)
    cup = make_object(rng, "cup", "ceramic", "white_glazed", 0.1)
    milk = contents_of(rng, cup, "milk")
    assert milk.physical_object.material == "liquid" and milk.physical_object.shape == "solid"
    assert milk.physical_object.size_m <= cup.physical_object.size_m


def args_for(out: Path, count: int = 3) -> argparse.Namespace:
    return argparse.Namespace(
        out=out, count=count, seed=0, px=PX, samples=1, workers=1, threads=1, crowded=False, more_surfaces=False
    )


def fake(plan: ScenePlan, px: int, samples: int, threads: int) -> dict[str, bytes]:
    own = small_plan(plan.index)
    seen = ground_truth(own, small_hits(own), camera_frame(own.camera), px)
    return scene_files(own, np.zeros((px, px, 3), np.uint8), seen)


def test_shards_read_back_in_order_and_by_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_scenes, "render_files", fake)
    render_scenes.make_shard(args_for(tmp_path), 0)
    render_scenes.make_shard(args_for(tmp_path, 9 * SHARD + 2), 9)
    assert [s.index for s in read_shard(render_scenes.shard_path(tmp_path, 0))] == [0, 1, 2]
    assert [p.stem for p in shard_paths(tmp_path, "val")] == ["scenes-00009"]
    assert [s.index for s in iter_scenes(tmp_path, "val")] == [900, 901]
    assert len(list(iter_scenes(tmp_path, "train", seed=1))) == 3
    with tarfile.open(render_scenes.shard_path(tmp_path, 0)) as tar:
        assert {Path(name).suffix for name in tar.getnames()} == {".json", ".webp", ".png"}


def test_an_interrupted_run_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(render_scenes, "render_files", fake)
    args = args_for(tmp_path)
    path = render_scenes.shard_path(tmp_path, 0)
    path.with_suffix(".part").write_bytes(b"half a shard of an interrupted run")
    assert not render_scenes.is_done(path, render_scenes.shard_settings(args, 0))
    render_scenes.make_shard(args, 0)
    assert render_scenes.is_done(path, render_scenes.shard_settings(args, 0))
    assert not path.with_suffix(".part").exists()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a finished shard is rendered again")

    monkeypatch.setattr(render_scenes.subprocess, "Popen", never)
    render_scenes.make_all(args)
    assert "3 of 3 scenes are there, 0 to go" in capsys.readouterr().out
    assert not render_scenes.is_done(path, render_scenes.shard_settings(args_for(tmp_path, 50), 0)), (
        "more scenes requested"
    )
    other = args_for(tmp_path)
    other.seed = 1
    with pytest.raises(UserError, match="other settings"):
        render_scenes.is_done(path, render_scenes.shard_settings(other, 0))


def test_a_failed_scene_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def sometimes(plan: ScenePlan, px: int, samples: int, threads: int) -> dict[str, bytes]:
        if plan.index == 1:
            raise ValueError("no light")
        return fake(plan, px, samples, threads)

    monkeypatch.setattr(render_scenes, "render_files", sometimes)
    render_scenes.make_shard(args_for(tmp_path), 0)
    assert [s.index for s in read_shard(render_scenes.shard_path(tmp_path, 0))] == [0, 2]
    assert "scene 1 failed" in capsys.readouterr().err


def test_an_empty_folder_raises_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"tools\.blender\.scenes"):
        shard_paths(tmp_path, "train")
    write_shard(tmp_path / "scenes-00001.tar", [], {"seed": 0, "count": 0})
    assert list(iter_scenes(tmp_path, "train")) == []


def test_the_renderer_needs_its_own_requirements_alone() -> None:
    heavy = ["torch", "tyro", "pydantic", "gradio", "safetensors", "soundfile", "scipy"]
    code = f"""import sys
sys.modules.update(dict.fromkeys({heavy}))
from tools.blender import case_study, render, scenes
scenes.main(["--help"])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "--more-surfaces" in done.stdout, done.stderr


@pytest.mark.slow
def test_a_ball_is_rendered_where_geometry_predicts() -> None:
    """Known answer: the outline of a ball of radius r at distance d is a circle of tan(asin(r / d))."""
    pytest.importorskip("bpy", reason="bpy is not installed: pip install -r tools/blender/requirements.txt")
    from tools.blender.ground_truth import cast_rays
    from tools.blender.render import build_scene, render

    plan, px = small_plan(), 96
    with render_scenes.silenced_stdout():
        build_scene(plan)
        hits = cast_rays(plan, px)
        picture = render(plan, px, 2, 1)
    seen = ground_truth(plan, hits, camera_frame(plan.camera), px)
    ball = seen.object_index == 1
    half = np.tan(np.arcsin(0.1)) / plan.camera.half_tangent * px / 2
    assert ball.sum() == pytest.approx(np.pi * half**2, rel=0.04)
    assert ball[px // 2, px // 2] and not ball[0, 0]
    assert np.abs(seen.normals[px // 2, px // 2] - np.array([0, 0, 127])).max() < 12
    right = seen.normals[px // 2, int(px / 2 + 0.8 * half)]
    assert right[0] > 80 and abs(int(right[1])) < 25
    assert set(np.unique(seen.object_index)) == {0, 1}
    assert picture.std() > 10 and 30 < picture.mean() < 225
    below = hits[0].reshape(px, px)[-1, px // 2]
    assert below == 1, "grass is under the ball"


@pytest.mark.slow
def test_every_surface_builds() -> None:
    bpy = pytest.importorskip("bpy", reason="bpy is not installed: pip install -r tools/blender/requirements.txt")
    from tools.blender.materials import BARE, SINGLE, VARIANTS, WIDE, build_material

    bpy.ops.wm.read_factory_settings(use_empty=True)
    rows = [(material, name) for material, table in VARIANTS.items() for name in table]
    for material, name in [*rows, *((None, name) for name in (*BARE, *WIDE, *SINGLE))]:
        tree = bpy.data.materials.new(name).node_tree
        build_material(tree, material, name, 3, 0.2, 1)
        outputs = [node for node in tree.nodes if node.bl_idname == "ShaderNodeOutputMaterial"]
        assert outputs[0].inputs["Surface"].is_linked, name
