"""The test cases "Objects without a name": the table that the evaluation wrote beside the weights.

`checkpoints/tap/case_study.json`, written by `training/impact/evaluate.py`.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from synesthesia.ui.impact import words

FILE = "case_study.json"


class Case(BaseModel):
    """title: the rendered object; right: its material; named: the material that the path over text picks from its name
    or look; state: the material of the physics state; lsd_tap_db, lsd_text_db: log-spectral distance between each
    path's sound and the computed truth."""

    title: str
    right: str
    named: str
    state: str
    lsd_tap_db: FiniteFloat
    lsd_text_db: FiniteFloat


class CaseStudy(BaseModel):
    """n: renders over which the distances are averaged; note: one sentence under the table."""

    rows: Annotated[tuple[Case, ...], Field(min_length=1)]
    n: int = 0
    note: str = ""


def read_cases(path: Path) -> CaseStudy | None:
    """None when there is no such file, or none that can be shown."""
    try:
        return CaseStudy.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def table(study: CaseStudy) -> str:
    """The closer of the two sounds and the correct materials stand out."""
    heads = "".join(f"<th scope='col'>{escape(head)}</th>" for head in words.CASES_HEAD)
    rows = "".join(
        f"<tr><th scope='row'>{escape(row.title)}</th><td>{escape(row.right)}</td>"
        f"{cell(escape(row.named), row.named == row.right)}{cell(escape(row.state), row.state == row.right)}"
        f"{cell(f'{row.lsd_text_db:.1f} dB', row.lsd_text_db < row.lsd_tap_db)}"
        f"{cell(f'{row.lsd_tap_db:.1f} dB', row.lsd_tap_db < row.lsd_text_db)}</tr>"
        for row in study.rows
    )
    count = f"{study.n} renders. " if study.n else ""
    return (
        f"<div class='cases'><p class='faint'>{words.CASES_ABOUT}</p><div class='scroll'><table><thead><tr>{heads}"
        f"</tr></thead><tbody>{rows}</tbody></table></div><p class='faint'>{count}{escape(study.note)}</p></div>"
    )


def cell(text: str, better: bool) -> str:
    return f"<td class='better'>{text}</td>" if better else f"<td>{text}</td>"
