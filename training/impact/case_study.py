"""Part D of the evaluation: objects without a name. Sound distances to the true physics and to the apparent one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from synesthesia.core.errors import UserError
from synesthesia.core.vocabulary import MATERIALS
from training.impact.intervals import median_factor
from training.impact.methods import Methods, TrueStrike
from training.impact.render_reader import RenderedScene, decode_scene

STRIKES = 9  # on each object
ENDINGS = ("webp", "i.png", "n.png", "json")


def read_cases(folder: Path) -> list[tuple[str, RenderedScene]]:
    """Title and scene of each case that `tools.blender.scenes --case-study` wrote."""
    found = []
    for path in sorted(folder.glob("*.json")):
        files = [path.with_name(f"{path.stem}.{ending}") for ending in ENDINGS]
        if all(file.is_file() for file in files):
            scene = decode_scene({ending: file.read_bytes() for ending, file in zip(ENDINGS, files, strict=True)})
            found.append((path.stem.replace("_", " "), scene))
    if not found:
        raise UserError(f"{folder} holds no case study: make it with python -m tools.blender.scenes --case-study.")
    return found


def case_row(methods: Methods, title: str, scene: RenderedScene, seed: int) -> dict[str, Any]:
    """Means over strikes at random points of the scene's first object."""
    picture = Image.fromarray(scene.picture)
    grid = methods.encoder.encode(picture)
    posterior, item = methods.predictor.predict(grid), scene.objects[0]
    rows, cols = np.nonzero(scene.object_index == 1)
    assert len(rows) > 0, f"the {title} is not visible"
    random = np.random.default_rng([seed, scene.index])
    names: dict[str, Counter[str]] = {way: Counter() for way in ("named", "template", "state")}
    scores = []
    for pick in random.integers(len(rows), size=STRIKES).tolist():
        x, y = int(cols[pick]), int(rows[pick])
        truth = TrueStrike.sample(grid, x, y, item, scene.strike_point(x, y), random)
        clicked = methods.refine(picture, grid, posterior, x, y)
        likeliest = methods.likeliest_material(clicked)
        by_name = likeliest if methods.names is None else methods.names.predict(grid, truth.row, truth.col)
        names["named"][MATERIALS[by_name]] += 1
        names["template"][MATERIALS[likeliest]] += 1
        names["state"][methods.select(clicked).item.material] += 1
        scores.append(methods.scores(grid, clicked, truth))
    row: dict[str, Any] = {
        "title": title, "right": item.material, **{way: of.most_common(1)[0][0] for way, of in names.items()},
        "state_right": names["state"][item.material] / STRIKES, "strikes": STRIKES,
    }  # fmt: skip
    text = "template" if methods.names is None else "object's name"
    for key, method in (("tap", "tap"), ("text", text), ("template", "template"), ("again", "truth again")):
        own = [sounds[method] for sounds in scores]
        row[f"lsd_{key}_db"] = float(np.mean([s.lsd_db for s in own]))
        row[f"decay_{key}_factor"] = median_factor(np.log([s.decay_ratio for s in own]))
    return row


def evaluate_cases(methods: Methods, folder: Path, seed: int) -> dict[str, Any]:
    """All figures of part D, and the note that the page shows with them."""
    rows = [case_row(methods, title, scene, seed) for title, scene in read_cases(folder)]
    struck = (
        "the usual object of the likeliest material"
        if methods.names is None
        else "the usual object of the material that goes with the vision network's name for the object"
    )
    return {
        "rows": rows,
        "n": len(rows),
        "nearer than text": sum(row["lsd_tap_db"] < row["lsd_text_db"] for row in rows),
        "nearer than template": sum(row["lsd_tap_db"] < row["lsd_template_db"] for row in rows),
        "right": sum(row["state"] == row["right"] for row in rows),
        "note": f"Means over {STRIKES} strikes per object; the path over text strikes {struck}.",
    }


def for_page(figures: dict[str, Any]) -> dict[str, Any]:
    """What is stored beside the weights."""
    keys = ("title", "right", "named", "state", "lsd_tap_db", "lsd_text_db")
    rows = [{key: round(row[key], 2) if key.startswith("lsd") else row[key] for key in keys} for row in figures["rows"]]
    return {"rows": rows, "n": figures["n"], "note": figures["note"]}
