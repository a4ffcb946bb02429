"""Part D: renders of things that nobody can name. Nearer to the right physics, or to what the look suggests?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from synesthesia.core.errors import UserError
from synesthesia.impact.crop_refine import refine_with_crop
from synesthesia.impact.modal.things import MATERIALS
from training.impact.compared import Click, Compared
from training.impact.intervals import median_factor
from training.impact.rendered import Rendered, unpacked

if TYPE_CHECKING:
    from synesthesia.vision.backbone import PatchEncoder

BLOWS = 9  # on each thing
ENDINGS = ("webp", "i.png", "n.png", "json")


def read_cases(folder: Path) -> list[tuple[str, Rendered]]:
    """Title and scene of each, as `tools.blender.scenes --case-study` wrote them."""
    found = []
    for path in sorted(folder.glob("*.json")):
        files = [path.with_name(f"{path.stem}.{ending}") for ending in ENDINGS]
        if all(file.is_file() for file in files):
            scene = unpacked({ending: file.read_bytes() for ending, file in zip(ENDINGS, files, strict=True)})
            found.append((path.stem.replace("_", " "), scene))
    if not found:
        raise UserError(f"{folder} holds no case study: make it with python -m tools.blender.scenes --case-study.")
    return found


def case_row(encoder: PatchEncoder, compared: Compared, title: str, scene: Rendered, seed: int) -> dict[str, Any]:
    """The first thing of the scene is what it is about; means over some blows at places of it."""
    picture = Image.fromarray(scene.picture)
    grid = encoder.encode(picture)
    read, thing = compared.adapter.read(grid), scene.things[0]
    rows, cols = np.nonzero(scene.object_index == 1)
    assert len(rows) > 0, f"nothing of the {title} is seen"
    random = np.random.default_rng([seed, scene.index])
    text = "template" if compared.names is None else "object's name"
    state, template, named = Counter[str](), Counter[str](), Counter[str]()
    measured = []
    for pick in random.integers(len(rows), size=BLOWS).tolist():
        x, y = int(cols[pick]), int(rows[pick])
        click = Click.drawn(grid, x, y, thing, scene.place_at(x, y), random)
        near = refine_with_crop(compared.adapter, encoder.textures, picture, grid, read, x, y)
        state[compared.guess(near).thing.material] += 1
        by_template = compared.named(near)
        template[MATERIALS[by_template]] += 1
        by_text = by_template if compared.names is None else compared.names.named(grid, click.row, click.col)
        named[MATERIALS[by_text]] += 1
        measured.append(compared.measured(grid, near, click))
    row: dict[str, Any] = {
        "title": title, "right": thing.material, "named": likeliest(named), "template": likeliest(template),
        "state": likeliest(state), "state_right": state[thing.material] / BLOWS, "blows": BLOWS,
    }  # fmt: skip
    truth = np.array([t60_s for t60_s, _ in measured])
    for key, path in (("tap", "tap"), ("text", text), ("template", "template"), ("again", "truth again")):
        told = [sounds[path] for _, sounds in measured]
        row[f"lsd_{key}_db"] = float(np.mean([s.lsd_db for s in told]))
        row[f"decay_{key}_factor"] = median_factor(np.log(np.array([s.t60_s for s in told]) / truth))
    return row


def likeliest(names: Counter[str]) -> str:
    return names.most_common(1)[0][0]


def case_study(encoder: PatchEncoder, compared: Compared, folder: Path, seed: int) -> dict[str, Any]:
    """All figures of part D, with what the page shows of them."""
    rows = [case_row(encoder, compared, title, scene, seed) for title, scene in read_cases(folder)]
    heard = (
        "the usual thing of the likeliest material"
        if compared.names is None
        else "the usual thing of the material that goes with the vision network's name for the object"
    )
    note = f"Means over {BLOWS} blows on each thing; the path over text strikes {heard}."
    return {
        "rows": rows,
        "n": len(rows),
        "nearer than text": sum(row["lsd_tap_db"] < row["lsd_text_db"] for row in rows),
        "nearer than template": sum(row["lsd_tap_db"] < row["lsd_template_db"] for row in rows),
        "right": sum(row["state"] == row["right"] for row in rows),
        "note": note,
    }


def for_page(figures: dict[str, Any]) -> dict[str, Any]:
    """What is kept beside the weights."""
    keys = ("title", "right", "named", "state", "lsd_tap_db", "lsd_text_db")
    rows = [{key: round(row[key], 2) if key.startswith("lsd") else row[key] for key in keys} for row in figures["rows"]]
    return {"rows": rows, "n": figures["n"], "note": figures["note"]}
