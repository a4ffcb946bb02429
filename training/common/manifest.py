"""Write checkpoints/manifest.json: SHA-256 and size of every weight file; the studio refuses files that differ.

    python -m training.common.manifest                      # checkpoints/
    python -m training.common.manifest --checkpoints DIR    # another folder

Run it after a training that wrote into checkpoints/; `training.impact.evaluate`, which writes the case study there,
runs it itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synesthesia.core.checkpoints import MANIFEST, sha256
from training.common.cli import run
from training.common.report import write_json

SUFFIXES = (".safetensors", ".json", ".csv", ".npz")
MAX_FILE_BYTES = 20_000_000
MAX_TOTAL_BYTES = 100_000_000


def write_manifest(checkpoints: Path) -> dict[str, dict[str, str | int]]:
    """Writes manifest.json for all models below `checkpoints`; returns its entries. ValueError over the size limits."""
    paths = sorted(path for path in checkpoints.glob("*/**/*") if path.is_file() and path.suffix in SUFFIXES)
    files: dict[str, dict[str, str | int]] = {
        path.relative_to(checkpoints).as_posix(): {"sha256": sha256(path), "bytes": path.stat().st_size}
        for path in paths
    }
    heavy = [name for name, entry in files.items() if int(entry["bytes"]) > MAX_FILE_BYTES]
    total = sum(int(entry["bytes"]) for entry in files.values())
    if heavy or total > MAX_TOTAL_BYTES:
        raise ValueError(f"checkpoints hold {total / 1e6:.1f} MB (at most 100); over 20 MB: {heavy or 'none'}")
    write_json(checkpoints / MANIFEST, {"files": files})
    return files


@dataclass(frozen=True)
class ManifestConfig:
    checkpoints: Path = Path("checkpoints")


def main(config: ManifestConfig) -> None:
    files = write_manifest(config.checkpoints)
    for name, entry in files.items():
        print(f"{int(entry['bytes']) / 1e6:8.2f} MB  {name}")
    print(f"{sum(int(entry['bytes']) for entry in files.values()) / 1e6:8.2f} MB  together")


if __name__ == "__main__":
    run(main, ManifestConfig, __doc__)
