"""Part C: what the material codebook has learnt."""

from __future__ import annotations

import math
from typing import Any

import torch

from synesthesia.impact.material_codebook import MaterialCodebook
from synesthesia.impact.modal.things import MATERIALS

IN_USE = 0.1  # of an even share of the training patches


def code_figures(book: MaterialCodebook) -> dict[str, Any]:
    """Purity of a code: the share of its training patches that were of the material it is called by. perplexity: as
    many codes, used evenly, would tell as much."""
    name, purity = book.called()
    weight = book.weight.float().clamp(min=0)
    weight = weight / weight.sum()
    used = weight > IN_USE / len(weight)
    entropy = -torch.special.xlogy(weight, weight).sum()
    by_name: dict[str, Any] = {}
    for number, material in enumerate(MATERIALS):
        own = used & (name == number)
        share = float(weight[own].sum())
        by_name[material] = {
            "codes": int(own.sum()),
            "share": share,
            "purity": float((weight * purity)[own].sum()) / share if share > 0 else math.nan,
        }
    by_name = {material: row for material, row in by_name.items() if row["codes"]}
    return {
        "codes": len(weight),
        "in use": int(used.sum()),
        "mean purity": float((weight * purity).sum()),
        "perplexity": float(entropy.exp()),
        "materials with a code": len(by_name),
        "by name": by_name,
    }
