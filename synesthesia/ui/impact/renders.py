"""Example photographs of the tab "Tap": the project's own renders in the folder `examples`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from synesthesia.ui.shared.examples import EXAMPLES, Example

FOLDER = Path(__file__).parent / "examples"
TITLES = "titles.json"  # in that folder, {file name: title}, for titles that differ from the file name


def tap_examples(folder: Path = FOLDER) -> tuple[Example, ...]:
    """A photograph first, then every WebP and JPEG file of the folder by name (3-wooden-bottle.webp is a "wooden
    bottle"); without any, all photographs of scikit-image."""
    titles = read_titles(folder / TITLES)
    names = sorted(path.name for ending in ("webp", "jpg") for path in folder.glob(f"*.{ending}"))
    renders = tuple(Example(titles.get(name, title_of(name)), name, folder) for name in names)
    return (EXAMPLES[0], *renders) if renders else EXAMPLES


def read_titles(path: Path) -> dict[str, str]:
    """Empty when there is no such file, or none that holds titles."""
    try:
        return {str(name): str(title) for name, title in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def title_of(name: str) -> str:
    return re.sub(r"^\d+[-_ ]*", "", Path(name).stem).replace("-", " ").replace("_", " ") or Path(name).stem
