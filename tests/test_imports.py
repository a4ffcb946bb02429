"""Rooms know only the rooms below them, and the package costs nothing until it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SEPARATE = ("vision", "audio", "hearing", "spatial", "language")
ROOT = Path(__file__).resolve().parent.parent
# A file may import from its own room and from rooms with a smaller number.
FLOORS = {
    "errors": 0, "results": 0, "presets": 0, "about": 1, "weights": 1, "settings": 3, "recipe": 2,
    "quantised": 2, "vision": 3, "audio": 3, "evaluation": 4, "hearing": 4, "spatial": 4, "language": 4,
    "striking": 3,
    "clips": 5, "thinking": 5, "tapping": 5, "trained_thinking": 5, "language_path": 5, "studio": 5,
    "cli": 6, "__init__": 6, "__main__": 7, "ui": 7,
}  # fmt: skip


def room(path: Path) -> str:
    inside = path.relative_to(ROOT / "synesthesia").parts
    return inside[0] if len(inside) > 1 else path.stem


def imported(path: Path) -> set[str]:
    """Dotted names of everything a file imports, also inside functions, but not for the type checker alone."""
    names: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return names


FILES = sorted((ROOT / "synesthesia").rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    own = room(path)
    assert own in FLOORS, f"give the new room '{own}' its floor"
    for name in imported(path):
        if name == "gradio" or name.startswith("gradio."):
            assert own == "ui", "gradio belongs to ui/ and app.py alone"
        parts = name.split(".")
        assert parts[0] not in ("training", "tests"), f"the product imports {name}"
        if parts[0] != "synesthesia" or len(parts) < 2:
            continue
        other = parts[1] if parts[1] in FLOORS else "__init__"
        if other == own:
            continue
        assert FLOORS[other] <= FLOORS[own], f"{own} imports {name}, a room above it"
        if FLOORS[other] == FLOORS[own]:
            assert own not in SEPARATE, f"{own} imports its neighbour {name}"


def test_importing_loads_no_torch_and_no_gradio() -> None:
    heavy = "torch timm diffusers transformers gradio matplotlib scipy skimage"
    code = f"import sys, synesthesia, synesthesia.cli; print([n for n in {heavy.split()} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
