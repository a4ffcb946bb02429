"""Controls under the photograph of the tab "Hear": generator, number of takes and every sampling setting.

A new setting is one more `SettingControl` here: its value reaches `Studio.hear` by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from synesthesia.core.requests import FlowRequest, LanguageRequest
from synesthesia.ui.image_to_sound import words
from synesthesia.ui.shared import words as shared_words
from synesthesia.ui.shared.cards import note
from synesthesia.ui.shared.setting_control import SettingControl, by_name, require_values

SETTING_ROWS: tuple[tuple[SettingControl, ...], ...] = (
    (
        SettingControl(FlowRequest, "seconds", shared_words.SECONDS, step=0.5, reset_button=True),
        SettingControl(FlowRequest, "seed", shared_words.SEED, shared_words.SEED_INFO),
    ),
    (
        SettingControl(
            FlowRequest, "guidance", "Guidance", "How closely Flow and Language follow the patch.", step=0.5,
            reset_button=True,
        ),
        SettingControl(
            FlowRequest, "steps", "Steps", "Sampling steps of Flow; more is slower.", step=1, reset_button=True
        ),
    ),
    (
        SettingControl(
            LanguageRequest, "temperature", "Temperature",
            "Language only: higher is more varied; 0 always takes the likeliest token and drones.", step=0.05,
            reset_button=True,
        ),
        SettingControl(
            LanguageRequest, "top_k", "Top-k", "Language only: how many of the likeliest tokens to sample from.",
            step=1, reset_button=True,
        ),
    ),
    (SettingControl(FlowRequest, "anyway", words.ANYWAY, "Also where the model would stay silent.", min_width=160),),
)  # fmt: skip
SETTINGS = tuple(control for row in SETTING_ROWS for control in row)


@dataclass(frozen=True)
class ControlValues:
    """What a person has chosen. settings: by name, as `Studio.hear` takes them."""

    generator: str
    takes: int
    autoplay: bool
    settings: dict[str, Any]

    @classmethod
    def of(cls, generator: str, takes: int, autoplay: bool, *settings: Any, **more: Any) -> ControlValues:
        """From the values of `HearControls.parts`. more: settings that replace those."""
        return cls(generator, takes, autoplay, by_name(SETTINGS, settings) | more)

    def plan(self) -> list[dict[str, Any]]:
        """Path and settings of each sound to generate, side by side. UserError where a field was left empty."""
        require_values(SETTINGS, self.settings)
        if self.generator == "all":
            return [{"path": path, **self.settings} for path in words.GENERATORS if path != "all"]
        seed = self.settings["seed"]
        return [{"path": self.generator, **self.settings, "seed": seed + index} for index in range(self.takes)]


class HearControls:
    """settings: in the order of SETTINGS."""

    def __init__(self) -> None:
        with gr.Row(elem_id="how"):
            self.generator = gr.Radio(
                [(text, key) for key, text in words.GENERATORS.items()], value="flow", label=words.GENERATOR,
                min_width=120, elem_classes="pills",
            )  # fmt: skip
            self.takes = gr.Radio(
                [("One", 1), ("Three", 3)], value=1, label=words.TAKES, min_width=100, elem_classes="pills"
            )
            self.autoplay = gr.Checkbox(value=True, label=shared_words.AUTOPLAY, min_width=100, elem_id="autoplay")
        self.note = gr.HTML(note(words.GENERATOR_NOTES["flow"]), elem_id="generator-note", padding=False)
        self.settings: list[gr.components.FormComponent] = []
        with gr.Accordion(words.SETTINGS, open=False, elem_id="settings"):
            for row in SETTING_ROWS:
                with gr.Row():
                    self.settings += [control.build() for control in row]

    def parts(self) -> list[gr.components.Component]:
        return [self.generator, self.takes, self.autoplay, *self.settings]
