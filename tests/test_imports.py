"""Architecture test: imports run one way, `TYPE_CHECKING` blocks included, and the package costs nothing until used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CAPABILITIES = ("image_to_sound", "vlm_to_sound", "impact", "localization", "audio_qa")
SHARED = ("vision", "audio", "nn", "binaural", "evaluation")
# A room may import rooms of a smaller number; those of one number only where ALLOWED says so.
FLOORS = {
    "core": 0, **dict.fromkeys(SHARED, 1), "capability": 2, **dict.fromkeys(CAPABILITIES, 2), "services": 3,
    "studio": 4, "cli": 5,
    "__init__": 5, "__main__": 6, "ui": 6,
}  # fmt: skip
ALLOWED = {("audio", "nn"), ("vision", "nn"), ("evaluation", "audio"), ("evaluation", "nn"), ("binaural", "nn")}
# Of `training/`: common knows no room; these are shared; a capability's room imports no other capability's.
TRAINING_SHARED = ("common", "audio", "binaural")


def room(path: Path) -> str:
    """First folder below `synesthesia/`, or the module itself."""
    inside = path.relative_to(ROOT / "synesthesia").parts
    return inside[0] if len(inside) > 1 else path.stem


def imported(path: Path) -> Iterator[str]:
    """Dotted names of everything a file imports, inside functions and for the type checker too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", modules("synesthesia"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    own = room(path)
    assert own in FLOORS, f"give the new room '{own}' its floor"
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "gradio":
            assert own == "ui", "gradio belongs to ui/ and app.py alone"
        assert parts[0] not in ("training", "tests", "tools"), f"the product imports {name}"
        if parts[0] != "synesthesia" or len(parts) < 2:
            continue
        other = parts[1] if parts[1] in FLOORS else "__init__"
        if other == own:
            continue
        assert FLOORS[other] < FLOORS[own] or (own, other) in ALLOWED, f"{own} imports {name}"
        if own == "core":
            raise AssertionError(f"core imports {name}")


@pytest.mark.parametrize("path", modules("synesthesia/ui"), ids=lambda path: str(path.relative_to(ROOT)))
def test_shared_parts_of_the_page_know_no_tab(path: Path) -> None:
    if path.parent.name != "shared":
        return
    for name in imported(path):
        assert not name.startswith(tuple(f"synesthesia.ui.{each}" for each in CAPABILITIES)), f"{path} imports {name}"


@pytest.mark.parametrize("path", modules("training"), ids=lambda path: str(path.relative_to(ROOT)))
def test_trainings_import_their_own_room_and_shared_ones(path: Path) -> None:
    inside = path.relative_to(ROOT / "training").parts
    if len(inside) == 1:
        assert path.name == "__init__.py", f"{path} lies in the root of training/"
        return
    own = inside[0]
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "training" and len(parts) > 2 and parts[1] != own:
            allowed = {"common": ()}.get(
                own, TRAINING_SHARED if own != "evaluation" else (*TRAINING_SHARED, *CAPABILITIES)
            )
            assert parts[1] in allowed, f"{path} imports {name}"
        if path.name.startswith("evaluate") and parts[0] == "training":
            assert not (parts[-1].startswith("train") or parts[-2].startswith("train_") or parts[-2] == "train"), (
                f"the evaluation {path} imports the training {name}"
            )
        assert parts[0] != "tests", f"{path} imports {name}"
        assert parts[0] != "tools" or own == "impact", f"{path} imports {name}"


def test_no_import_circles() -> None:
    """Depth-first search over the modules of the package, imports inside functions included."""
    paths = {_dotted(path): path for path in modules("synesthesia")}
    edges = {name: {_module(target, paths) for target in imported(path)} - {name, None} for name, path in paths.items()}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a circle: {' -> '.join((*above[above.index(name) :], name))}"
        if name not in done:
            for other in sorted(edge for edge in edges[name] if edge):
                visit(other, (*above, name))
            done.add(name)

    for name in paths:
        visit(name, ())


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _module(target: str, paths: dict[str, Path]) -> str | None:
    """The module that an imported dotted name belongs to."""
    if target in paths:
        return target
    return target.rpartition(".")[0] if target.rpartition(".")[0] in paths else None


def test_no_file_is_longer_than_400_lines() -> None:
    trees = ("synesthesia", "training", "tools", "tests")
    long = [str(path) for tree in trees for path in modules(tree) if len(path.read_text("utf-8").splitlines()) > 400]
    assert not long


def test_the_four_trees_share_their_names() -> None:
    for capability in CAPABILITIES:
        for tree in ("synesthesia", "synesthesia/ui", "training", "tests"):
            assert (ROOT / tree / capability).is_dir(), f"{tree} has no {capability}"


def test_importing_loads_no_torch_and_no_gradio() -> None:
    heavy = "torch timm diffusers transformers gradio matplotlib scipy skimage"
    code = f"import sys, synesthesia, synesthesia.cli; print([n for n in {heavy.split()} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
