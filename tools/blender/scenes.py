"""Command line of the Blender renderer: scenes with per-pixel ground truth (object, material, size, surface point).

    python -m tools.blender.scenes --out DIR --count 4000 --seed 0 --px 224 --workers 2
    python -m tools.blender.scenes --out DIR --count 4 --px 96 --samples 4            # smoke run, half a minute
    python -m tools.blender.scenes --out DIR --px 320 --samples 4 --crowded           # many objects per picture
    python -m tools.blender.scenes --out DIR --px 256 --samples 4 --crowded --more-surfaces   # extra surfaces
    python -m tools.blender.scenes --out DIR --px 768 --samples 64 --case-study       # objects without a name
    python -m tools.blender.scenes --out DIR --px 768 --samples 64 --examples         # pictures for the page

Needs bpy (tools/blender/requirements.txt), no display. Scene i depends on (seed, i) alone. A shard of 100 scenes
appears when it is complete, so an interrupted run continues where it stopped. Reader: `training.impact.render_reader`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from synesthesia.core.errors import UserError
from tools.blender.ground_truth import ground_truth, scene_files, write_shard
from tools.blender.plan import SHARD, ScenePlan


def shard_path(out: Path, shard: int) -> Path:
    return out / f"scenes-{shard:05d}.tar"


def shard_settings(args: argparse.Namespace, shard: int) -> dict[str, int]:
    """The settings that determine a shard's scenes."""
    settings = {"seed": args.seed, "px": args.px, "samples": args.samples, "crowded": int(args.crowded),
                "more": int(args.more_surfaces)}  # fmt: skip
    return settings | {"count": min(SHARD, args.count - shard * SHARD)}


def is_done(path: Path, settings: dict[str, int]) -> bool:
    """Whether the shard exists. One with fewer scenes is rendered again; other settings raise a UserError."""
    if not path.exists():
        return False
    with tarfile.open(path) as tar:
        member = tar.extractfile("shard.json")
        assert member is not None
        found = json.loads(member.read())
    if any(found.get(key, 0) != settings[key] for key in settings if key != "count"):
        raise UserError(f"{path} was made with other settings: {found}. Choose another folder.")
    return bool(found["count"] >= settings["count"])


@contextlib.contextmanager
def silenced_stdout() -> Iterator[None]:
    """Discards what Blender writes to file descriptor 1, a line per render."""
    sys.stdout.flush()
    kept, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nothing)


def render_files(plan: ScenePlan, px: int, samples: int, threads: int) -> dict[str, bytes]:
    """Picture and ground truth of one plan: file contents by file name ending."""
    from tools.blender.case_study import grow_fur
    from tools.blender.ground_truth import cast_rays
    from tools.blender.render import build_scene, camera_frame, render

    with silenced_stdout():
        objects = build_scene(plan)
        hits = cast_rays(plan, px)
        grow_fur(plan, objects)
        picture = render(plan, px, samples, threads)
    return scene_files(plan, picture, ground_truth(plan, hits, camera_frame(plan.camera), px))


def make_shard(args: argparse.Namespace, shard: int) -> None:
    """Renders one shard in this process; prints a line per scene."""
    from tools.blender.sample import sample_scene

    settings = shard_settings(args, shard)
    made = []
    for index in range(shard * SHARD, shard * SHARD + settings["count"]):
        try:
            plan = sample_scene(args.seed, index, args.crowded, args.more_surfaces)
            made.append((index, render_files(plan, args.px, args.samples, args.threads)))
        except Exception as error:  # one bad scene must not end the run
            print(f"scene {index} failed: {error!r}", file=sys.stderr, flush=True)
        print(f"scene {index}", flush=True)
    write_shard(shard_path(args.out, shard), made, settings)


def make_all(args: argparse.Namespace) -> None:
    """Renders each shard in its own process: Blender does not free memory, and a crash costs one shard only."""
    numbers = range(-(-args.count // SHARD))
    shards = [k for k in numbers if not is_done(shard_path(args.out, k), shard_settings(args, k))]
    total = sum(shard_settings(args, k)["count"] for k in shards)
    print(f"{args.count - total} of {args.count} scenes are there, {total} to go", flush=True)
    lock, start, done = Lock(), time.monotonic(), 0

    def run(shard: int) -> bool:
        nonlocal done
        values = [f"--{name}={getattr(args, name)}" for name in ("out", "count", "seed", "px", "samples", "threads")]
        switches = [f"--{name.replace('_', '-')}" for name in ("crowded", "more_surfaces") if getattr(args, name)]
        command = [sys.executable, "-m", "tools.blender.scenes", *values, *switches, f"--shard={shard}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for line in child.stdout:
                if not line.startswith("scene "):
                    continue
                with lock:
                    done += 1
                    each = (time.monotonic() - start) / done
                    print(f"\r{done}/{total} scenes, {each:.2f} s each, {each * (total - done) / 60:.0f} min to go ",
                          end="", flush=True)  # fmt: skip
        return child.returncode == 0

    with ThreadPoolExecutor(args.workers) as pool:
        failed = [shard for shard, fine in zip(shards, pool.map(run, shards), strict=True) if not fine]
    print()
    if failed:
        raise UserError(f"Shards {failed} were not finished: run the same command again.")


def make_case_study(args: argparse.Namespace, plans: Sequence[tuple[str, ScenePlan]]) -> None:
    for name, plan in plans:
        start = time.monotonic()
        for ending, data in render_files(plan, args.px, args.samples, args.threads).items():
            (args.out / f"{name}.{ending}").write_bytes(data)
        print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=4000, help="scenes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--px", type=int, default=224, help="width and height of a picture")
    parser.add_argument("--samples", type=int, default=16, help="light paths per pixel before denoising")
    parser.add_argument("--workers", type=int, default=1, help="processes; each renders a shard")
    parser.add_argument("--threads", type=int, default=0, help="per process; 0: all cores divided among the workers")
    parser.add_argument("--crowded", action="store_true", help="many objects per picture")
    parser.add_argument("--more-surfaces", action="store_true", help="also sample the extra surfaces")
    parser.add_argument("--case-study", action="store_true", help="render the case study instead of scenes")
    parser.add_argument("--examples", action="store_true", help="render the page's example pictures instead of scenes")
    parser.add_argument("--shard", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    args.threads = args.threads or max(1, (os.cpu_count() or 1) // args.workers)
    args.out.mkdir(parents=True, exist_ok=True)
    if args.case_study or args.examples:
        from tools.blender.case_study import case_study, examples

        make_case_study(args, [*(case_study() if args.case_study else []), *(examples() if args.examples else [])])
    elif args.shard is not None:
        make_shard(args, args.shard)
    else:
        make_all(args)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
