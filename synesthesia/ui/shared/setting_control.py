"""Form controls of request settings: default and bounds come from the request models in `core.requests`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from pydantic import BaseModel

from synesthesia.core.errors import UserError
from synesthesia.core.requests import plain, settings_of


@dataclass(frozen=True)
class SettingControl:
    """How the page shows one setting: a checkbox for bool, pills where there are `choices` (value -> text), a slider
    where there is a `step`, else a box for a whole number.

    value, low, high: instead of the request's own, where the page starts elsewhere or offers less.
    """

    request: type[BaseModel]
    name: str
    label: str
    info: str | None = None
    step: float | None = None
    choices: Mapping[str, str] | None = None
    value: Any = None
    low: float | None = None
    high: float | None = None
    reset_button: bool = False
    min_width: int = 180
    elem_id: str | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        setting = settings_of(self.request)[self.name]
        low = setting.low if self.low is None else self.low
        high = setting.high if self.high is None else self.high
        assert low is not None and high is not None, f"the setting {self.name} has no bounds"
        return low, high

    def build(self) -> gr.components.FormComponent:
        """The component, inside the current gr.Blocks."""
        setting = settings_of(self.request)[self.name]
        value = setting.default if self.value is None else self.value
        common: dict[str, Any] = {
            "value": value, "label": self.label, "info": self.info, "min_width": self.min_width,
            "elem_id": self.elem_id,
        }  # fmt: skip
        if self.choices:
            choices = [(text, key) for key, text in self.choices.items()]
            return gr.Radio(choices, elem_classes="pills", **common)
        if setting.kind is bool:
            return gr.Checkbox(**common)
        if self.step is None:
            return gr.Number(precision=0, **common)
        low, high = self.bounds
        return gr.Slider(low, high, step=self.step, buttons=None if self.reset_button else [], **common)


def by_name(controls: Sequence[SettingControl], values: Sequence[Any]) -> dict[str, Any]:
    """Values of the controls' components, in the same order, as the methods of `Studio` take them."""
    return dict(zip((control.name for control in controls), values, strict=True))


def require_values(controls: Sequence[SettingControl], settings: Mapping[str, Any]) -> None:
    """UserError where a field was left empty; the studio checks the bounds."""
    for control in controls:
        if settings[control.name] is None:
            low, high = control.bounds
            raise UserError(f"{control.label} is empty: enter a number from {plain(low)} to {plain(high)}.")
