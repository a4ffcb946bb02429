"""Gradio theme: slate ink, teal accent, white cards on a lightly tinted page.

All fonts are system fonts, so no request leaves the machine (gradio's own themes name web fonts). The style sheets are
the .css files beside each tab.
"""

from __future__ import annotations

import gradio as gr
from gradio.themes import colors, sizes

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def theme() -> gr.themes.Base:
    """Light or dark as the reader's system is."""
    return gr.themes.Base(
        primary_hue=colors.teal,
        secondary_hue=colors.teal,
        neutral_hue=colors.slate,
        text_size=sizes.text_md,
        spacing_size=sizes.spacing_md,
        radius_size=sizes.radius_lg,
        font=SANS,
        font_mono=MONO,
    ).set(
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
        body_background_fill="#f6f8f9",
        body_background_fill_dark="#0e1417",
        background_fill_secondary_dark="#0e1417",
        block_background_fill="white",
        block_background_fill_dark="#161e22",
        block_border_width="0px",
        block_shadow="0 1px 2px rgba(15, 35, 45, .06)",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_text_color="*neutral_500",
        block_label_text_color_dark="*neutral_400",
        block_title_text_weight="500",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_600",
        button_primary_text_color="white",
        slider_color="*primary_600",
        checkbox_label_background_fill_selected="*primary_700",
        checkbox_label_background_fill_selected_dark="*primary_700",
        checkbox_label_text_color_selected="white",
        checkbox_background_color_selected="*primary_600",
    )
