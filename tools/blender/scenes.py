"""Rendered scenes with the truth for every pixel: what a click strikes, what it is made of, how large it is.

    python -m tools.blender.scenes --out DIR --count 4000 --seed 0 --px 224 --workers 2
    python -m tools.blender.scenes --out DIR --count 4 --px 96 --samples 4            # smoke run, half a minute
    python -m tools.blender.scenes --out DIR --px 320 --samples 4 --crowded           # many things a picture
    python -m tools.blender.scenes --out DIR --px 256 --samples 4 --crowded --more-surfaces   # of many more kinds
    python -m tools.blender.scenes --out DIR --px 768 --samples 64 --case-study       # things that nobody can name
    python -m tools.blender.scenes --out DIR --px 768 --samples 64 --examples         # pictures for the page

Needs bpy (tools/blender/requirements.txt), no display. Scene i follows from (seed, i) alone; shards of 100 appear
when they are whole, so a killed run goes on where it stopped. `training.impact.rendered` reads them.
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
from tools.blender.plan import SHARD, Plan
from tools.blender.truth import packed, truth, write_shard


def shard_path(out: Path, shard: int) -> Path:
    return out / f"scenes-{shard:05d}.tar"


def settings_of(args: argparse.Namespace, shard: int) -> dict[str, int]:
    """What a shard's scenes follow from."""
    settings = {"seed": args.seed, "px": args.px, "samples": args.samples, "crowded": int(args.crowded),
                "more": int(args.more_surfaces)}  # fmt: skip
    return settings | {"count": min(SHARD, args.count - shard * SHARD)}


def is_done(path: Path, settings: dict[str, int]) -> bool:
    """Whether the shard is there; one with fewer scenes is made anew, one of other settings is an error."""
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
def silent() -> Iterator[None]:
    """Blender writes a line a render to file descriptor 1."""
    sys.stdout.flush()
    kept, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nothing)


def rendered_files(plan: Plan, px: int, samples: int, threads: int) -> dict[str, bytes]:
    """The picture and the truth of one plan, as files by their endings."""
    from tools.blender.cases import dress
    from tools.blender.stage import camera_frame, set_up, take
    from tools.blender.truth import cast

    with silent():
        objects = set_up(plan)
        hits = cast(plan, px)
        dress(plan, objects)
        picture = take(plan, px, samples, threads)
    return packed(plan, picture, truth(plan, hits, camera_frame(plan.camera), px))


def make_shard(args: argparse.Namespace, shard: int) -> None:
    """Renders one shard in this process; prints a line a scene."""
    from tools.blender.sample import scene

    settings = settings_of(args, shard)
    made = []
    for index in range(shard * SHARD, shard * SHARD + settings["count"]):
        try:
            plan = scene(args.seed, index, args.crowded, args.more_surfaces)
            made.append((index, rendered_files(plan, args.px, args.samples, args.threads)))
        except Exception as error:  # one bad scene must not cost a night's run
            print(f"scene {index} failed: {error!r}", file=sys.stderr, flush=True)
        print(f"scene {index}", flush=True)
    write_shard(shard_path(args.out, shard), made, settings)


def make_all(args: argparse.Namespace) -> None:
    """Shards in processes of their own: Blender keeps memory, and what it crashes is one shard."""
    shards = [k for k in range(-(-args.count // SHARD)) if not is_done(shard_path(args.out, k), settings_of(args, k))]
    total = sum(settings_of(args, k)["count"] for k in shards)
    print(f"{args.count - total} of {args.count} scenes are there, {total} to go", flush=True)
    lock, start, done = Lock(), time.monotonic(), 0

    def run(shard: int) -> bool:
        nonlocal done
        command = [sys.executable, "-m", "tools.blender.scenes", "--out", str(args.out), "--count", str(args.count),
                   "--seed", str(args.seed), "--px", str(args.px), "--samples", str(args.samples),
                   "--threads", str(args.threads), "--shard", str(shard),
                   *(["--crowded"] if args.crowded else []),
                   *(["--more-surfaces"] if args.more_surfaces else [])]  # fmt: skip
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


def make_named(args: argparse.Namespace, plans: Sequence[tuple[str, Plan]]) -> None:
    for name, plan in plans:
        start = time.monotonic()
        for ending, data in rendered_files(plan, args.px, args.samples, args.threads).items():
            (args.out / f"{name}.{ending}").write_bytes(data)
        print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=4000, help="scenes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--px", type=int, default=224, help="width and height of a picture")
    parser.add_argument("--samples", type=int, default=16, help="light paths a pixel before denoising")
    parser.add_argument("--workers", type=int, default=1, help="processes; each renders a shard")
    parser.add_argument(
        "--threads", type=int, default=0, help="of each process; 0: the cores divided among the workers"
    )
    parser.add_argument("--crowded", action="store_true", help="many things a picture, to train on")
    parser.add_argument("--more-surfaces", action="store_true", help="of more kinds, which came later, to train on")
    parser.add_argument("--case-study", action="store_true", help="the things that nobody can name, instead of scenes")
    parser.add_argument("--examples", action="store_true", help="pictures for the page, instead of scenes")
    parser.add_argument("--shard", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    args.threads = args.threads or max(1, (os.cpu_count() or 1) // args.workers)
    args.out.mkdir(parents=True, exist_ok=True)
    if args.case_study or args.examples:
        from tools.blender.cases import case_study, examples

        make_named(args, [*(case_study() if args.case_study else []), *(examples() if args.examples else [])])
    elif args.shard is not None:
        make_shard(args, args.shard)
    else:
        make_all(args)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
