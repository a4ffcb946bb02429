"""How the page looks: one quiet theme from system fonts (so that no request leaves the machine) and a little CSS.

gradio's own themes name web fonts; every name here is one the reader's system already has.
"""

from __future__ import annotations

import gradio as gr
from gradio.themes import colors, sizes

from synesthesia.ui.shared.theme_choice import CHOOSING

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def theme() -> gr.themes.Base:
    """Slate ink, teal accent, white cards on a faintly tinted page; the dark scheme follows the reader's system."""
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


CSS = (
    """
.gradio-container { max-width: min(1320px, 100vw) !important; margin: 0 auto; }
footer { opacity: .6; }
footer > .divider:last-child { display: none; }

/* ---- head ---- */
#masthead { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 18px; padding: 6px 2px 0; }
#masthead h1 { font-size: 1.5rem; font-weight: 650; letter-spacing: -.015em; margin: 0; }
#masthead p { margin: 0; color: var(--body-text-color-subdued); font-size: 1.02rem; }
#masthead .pill { margin-left: auto; font-size: .8rem; padding: 3px 11px; border-radius: 99px;
  background: color-mix(in srgb, var(--primary-500) 14%, transparent); color: var(--body-text-color);
  white-space: nowrap; }

/* ---- the photograph ---- */
#photo { padding: 0; overflow: hidden; }
#photo .image-container, #photo .image-frame { width: 100%; }
#photo img { width: 100%; height: auto; max-height: min(66vh, 900px); object-fit: contain; display: block; }
#photo .selectable { cursor: crosshair; }
#photo button { cursor: crosshair; }
/* A white thumb is seen on a white card only by its rim. */
input[type=range]::-webkit-slider-thumb { border: 2px solid var(--primary-600); }
input[type=range]::-moz-range-thumb { border: 2px solid var(--primary-600); box-sizing: border-box; }
.pills .wrap { gap: 6px; }
.pills label:has(input) { padding: 5px 13px; font-size: .88rem; border-radius: 99px; border: 0; box-shadow: none; }
.pills label:has(input) span { margin: 0; }
.pills input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.pills label:has(input:disabled) { opacity: .5; cursor: not-allowed; color: var(--checkbox-label-text-color);
  background: var(--checkbox-label-background-fill); }
.pills label:has(input:focus-visible) { outline: 2px solid var(--primary-500); outline-offset: 2px; }
"""
    + CHOOSING
    + """
/* ---- what is heard ---- */
.html-container { padding: 0 !important; }
.verdict { --edge: var(--primary-600); padding: 12px 16px 12px 20px; border-radius: 14px;
  background: var(--block-background-fill);
  box-shadow: inset 5px 0 0 var(--edge), var(--block-shadow); min-height: 64px; }
.verdict .big { font-size: 1.22rem; font-weight: 620; letter-spacing: -.01em; }
.verdict .small { color: var(--body-text-color-subdued); font-size: .88rem; margin-top: 2px; }
.verdict.quiet { --edge: var(--neutral-400); }
.verdict.wrong { --edge: #c2410c; }
.verdict.busy { --edge: color-mix(in srgb, var(--primary-500) 40%, transparent); }
.take { background: var(--block-background-fill); border-radius: 14px; box-shadow: var(--block-shadow);
  padding: 12px 14px; gap: 8px; }
.take .block { box-shadow: none; padding: 0; background: none; }
.take audio, .strip audio { width: 100%; height: 40px; }
.take .figure { width: 100%; aspect-ratio: 6.8 / 3.7; overflow: hidden; }
.take .figure .empty { visibility: hidden; }
.take .plot-head { font-size: .86rem; color: var(--body-text-color-subdued); }
.take .plot-head b { color: var(--body-text-color); font-weight: 600; }
.take .matplotlib img, .take .layout img { width: 100%; height: auto; }
/* Several takes: one under the other, each with its picture beside its evidence. */
#takes { gap: 12px; }
.take:has(.several) .figure { aspect-ratio: 3.6 / 3.2; }
@media (min-width: 761px) {
  .take:has(.several) { display: grid; grid-template: auto auto auto auto 1fr / minmax(0, 11fr) minmax(0, 10fr);
    gap: 8px 16px; }
  .take:has(.several) > * { grid-column: 1 / -1; }
  .take:has(.several) > .figure { grid-area: 3 / 1; }
  .take:has(.several) > .timeline { grid-area: 4 / 1; }
  .take:has(.several) > .downloads { grid-area: 5 / 1; align-self: start; }
  .take:has(.several) > :last-child { grid-area: 3 / 2 / span 3; }
  .take:has(.several) .evidence .bar { grid-template-columns: minmax(70px, 38%) 1fr 36px; }
}
.tokens { margin: 0; } .looked img { border-radius: 8px; }
.tokens img, .looked img { width: 100%; height: auto; display: block; }
.tokens figcaption { font-size: .82rem; color: var(--body-text-color-subdued); }
.looked { display: grid; grid-template-columns: minmax(0, 11fr) minmax(0, 14fr); gap: 6px 14px; font-size: .86rem; }
.looked p { margin: 0; } .looked h4:first-child { margin-top: 0; }
.take:has(.several) .looked { grid-template-columns: 1fr; }
.verdict .progress-note { margin: 7px 0 4px; }
.verdict .progress { height: 5px; }
.downloads { gap: 8px; flex-wrap: nowrap; }
.downloads button { font-size: .85rem; min-width: 0; }

.evidence h4 { margin: 6px 0 6px; font-size: .8rem; font-weight: 600; color: var(--body-text-color-subdued); }
.evidence .bar { display: grid; grid-template-columns: minmax(84px, 32%) 1fr 42px; gap: 8px; align-items: center;
  font-size: .88rem; margin: 3px 0; }
.bar.struck span:first-child { font-weight: 650; }
.evidence .bar i { display: block; height: 8px; border-radius: 4px; background: var(--primary-600); min-width: 2px; }
.evidence .bar span:last-child { text-align: right; font-variant-numeric: tabular-nums;
  color: var(--body-text-color-subdued); }
.evidence ul { list-style: none; margin: 0; padding: 0; font-size: .86rem; }
.evidence li { margin: 3px 0; overflow-wrap: anywhere; }
.evidence .faint { color: var(--body-text-color-subdued); font-size: .82rem; overflow-wrap: anywhere; }
.evidence details summary { cursor: pointer; font-size: .86rem; margin-top: 8px;
  color: var(--body-text-color-subdued); }

/* ---- sweep and scene ---- */
.progress { height: 8px; border-radius: 4px; background: color-mix(in srgb, var(--neutral-500) 22%, transparent);
  overflow: hidden; }
.progress i { display: block; height: 100%; background: var(--primary-600); transition: width .25s; }
.progress-note { font-size: .86rem; color: var(--body-text-color-subdued); margin: 0 0 5px; }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 8px; }
.strip .cell audio { height: 32px; margin-top: 4px; }
.strip .cell { background: var(--block-background-fill); border-radius: 12px; padding: 8px 10px;
  box-shadow: var(--block-shadow); font-size: .86rem; }
.strip .cell.silent { opacity: .55; }
.strip .cell .faint { color: var(--body-text-color-subdued); }

.guide { color: var(--body-text-color-subdued); padding: 4px 4px 0; }
.guide ol { list-style: none; margin: 0; padding: 0; }
.guide li { display: grid; grid-template-columns: 30px 1fr; gap: 10px; align-items: start; margin: 0 0 14px; }
.guide li > span { width: 28px; height: 28px; border-radius: 50%; display: grid; place-items: center;
  font-weight: 600; font-size: .88rem;
  background: color-mix(in srgb, var(--primary-500) 16%, transparent); color: var(--body-text-color); }
.guide b { color: var(--body-text-color); font-weight: 600; }

/* ---- locate ---- */
.hint { display: flex; gap: 9px; align-items: center; font-size: .86rem; margin: 0;
  color: var(--body-text-color-subdued); }
.hint svg { width: 22px; height: 22px; flex: none; fill: currentColor; color: var(--primary-600); }
#clip audio { width: 100%; }
#clip .audio-container:has(input[type=file]) { height: 150px; min-height: 0; padding-top: 26px; }
#clip [data-testid=upload-icon] { display: none; }
#clip [data-testid=upload-text] { padding: 0; min-height: 0; line-height: 1.4; }
.sheet { background: var(--block-background-fill); border-radius: 14px; box-shadow: var(--block-shadow);
  padding: 12px 14px; gap: 8px; }
.sheet .block { box-shadow: none; padding: 0; background: none; }
#dial, #maps { overflow: hidden; }
#dial { aspect-ratio: 1; }
#maps { aspect-ratio: 4.4 / 5.9; width: 100%; max-width: 590px; margin: 0 auto; }
#dial img, #maps img { width: 100%; height: auto; display: block; }
@media (min-width: 761px) { #bench > .column:first-child { position: sticky; top: 12px; } }
#place h3 { margin: 0; font-size: 1rem; font-weight: 620; color: var(--body-text-color); }
#place .form { background: none; border: 0; box-shadow: none; gap: 12px; }
#place .block { border: 0; }
/* A thumb is taller than its track, and what reaches over the block's edge is cut off. */
#place .slider_input_container { padding: 5px 2px; }
#place .head { flex-wrap: nowrap; align-items: center; gap: 8px; margin-bottom: 2px; }
#place .head .tab-like-container { flex: none; margin-bottom: 0; }
#place-where { gap: 18px; flex-wrap: nowrap; align-items: center; }
#place-compass { flex: 0 0 168px; min-width: 0; }
#place-how { flex: 1 1 0; min-width: 0; gap: 14px; }
#place-dial { width: 168px; height: 168px; display: block; touch-action: none; cursor: grab; overflow: visible;
  font-size: 11px; user-select: none; -webkit-user-select: none; }
#place-dial:active { cursor: grabbing; }
#place-dial text { text-anchor: middle; fill: var(--body-text-color-subdued); }
#place-dial .ring { fill: color-mix(in srgb, var(--neutral-500) 8%, transparent); stroke: var(--neutral-400);
  stroke-width: 1.5; }
#place-dial .ticks { stroke: var(--neutral-400); stroke-width: 1.5; }
#place-dial .head { fill: var(--neutral-400); }
#place-dial .source path { stroke: var(--primary-600); stroke-width: 2.5; stroke-linecap: round; }
#place-dial .source circle { fill: var(--primary-600); stroke: white; stroke-width: 2.5; }
#dial-row { align-items: center; gap: 16px; flex-wrap: nowrap; }
#dial { flex: 1 1 54%; min-width: 0; }
#bearings { flex: 1 1 46%; min-width: 0; }
.fact { display: grid; grid-template-columns: 18px 1fr auto; gap: 0 8px; align-items: center; padding: 5px 0;
  font-size: .9rem; border-top: 1px solid color-mix(in srgb, var(--neutral-500) 18%, transparent); }
.fact > span { white-space: nowrap; }
.fact b { font-weight: 600; text-align: right; text-wrap: balance; font-variant-numeric: tabular-nums; }
.fact small { grid-column: 2 / -1; font-size: .8rem; color: var(--body-text-color-subdued); text-align: right; }
.fact small:empty { display: none; }
.fact .mark { --mark: #0d9488; width: 14px; height: 14px; justify-self: center; box-sizing: border-box; }
.fact .mark.model { border-radius: 50%; background: var(--mark); }
.fact .mark.interval { height: 6px; background: var(--mark); }
.fact .mark.truth { width: 10px; height: 10px; background: #db2777; transform: rotate(45deg); }
.fact .mark.baseline { height: 0; border-top: 3px dashed #6366f1; width: 16px; }
.fact .mark.second { border-radius: 50%; border: 3px solid #d97706; }
.halves { display: flex; flex-wrap: wrap; justify-content: space-between; font-size: .86rem; margin-bottom: 8px;
  color: var(--body-text-color-subdued); }
.halves b { color: var(--body-text-color); font-weight: 620; font-variant-numeric: tabular-nums; }
.halves > i { flex: 1 0 100%; height: 8px; margin-top: 4px; border-radius: 4px; overflow: hidden;
  background: color-mix(in srgb, var(--neutral-500) 30%, transparent); }
.halves > i > i { display: block; height: 100%; background: var(--primary-600); }
#ask { gap: 8px; padding-top: 10px; border-top: 1px solid color-mix(in srgb, var(--neutral-500) 18%, transparent); }
#ask h3 { margin: 0; font-size: 1rem; font-weight: 620; color: var(--body-text-color); }
#ask-verdict:empty { display: none; }
.talk { margin: 0 0 4px; }
#ask-box .input-container { align-items: stretch; gap: 8px; }
#ask-box textarea, #ask-box input { border-radius: 10px; height: 40px; padding: 9px 12px; }
#ask-box .submit-button { align-self: stretch; height: 40px; border-radius: 10px; padding: 0 18px; margin: 0;
  color: white; background: var(--button-primary-background-fill); font-size: .95rem; font-weight: 600; }
.talk dt { margin: 8px 0 2px; font-size: .86rem; color: var(--body-text-color-subdued); overflow-wrap: anywhere; }
.talk dd { margin: 0; padding-left: 10px; border-left: 3px solid var(--primary-600); overflow-wrap: anywhere; }
#ask-answers .own { margin: 2px 0 4px; font-size: .8rem; color: var(--body-text-color-subdued); }
.talk dd.busy { border-color: var(--neutral-400); color: var(--body-text-color-subdued); }
#ask-chips { gap: 6px; }
#ask-chips button { flex: 0 1 auto; border-radius: 99px; font-size: .84rem; font-weight: 400; padding: 5px 12px; }
.bearings .faint { font-size: .86rem; color: var(--body-text-color-subdued); }

.foot { font-size: .86rem; color: var(--body-text-color-subdued); overflow-wrap: break-word; }
.foot table { width: 100%; font-size: .84rem; border-collapse: collapse; }
.foot table, .foot thead, .foot tr { border: 0; }
.foot th, .foot td { text-align: left; padding: 7px 12px 7px 0; vertical-align: top; border: 0;
  border-bottom: 1px solid color-mix(in srgb, var(--neutral-500) 22%, transparent); }
.foot th { font-weight: 600; color: var(--body-text-color); }
.foot td:nth-child(3) { white-space: nowrap; }

@media (max-width: 760px) {
  #masthead h1 { font-size: 1.3rem; }
  #masthead p { font-size: .95rem; }
  #masthead .pill { margin-left: 0; font-size: .75rem; white-space: normal; }
  #ways .tab-container button { padding-left: 9px; padding-right: 9px; font-size: .88rem; }
  #upload { flex-basis: 96px; min-width: 96px; font-size: .8rem; padding: 4px; }
  #photo img { max-height: 52vh; }
  #overlay.pills label:has(input) { padding: 4px 9px; font-size: .8rem; }
  /* One column, and what is heard comes right under the photograph. */
  #board > .column { display: contents; }
  #choose { order: 1; } #photo { order: 2; } #overlay { order: 3; } #verdict { order: 4; } #anyway { order: 5;
  } #ways { order: 6; }
  /* Each model a small paragraph: its name and size, where it is, its licence. */
  .foot thead { display: none; }
  .foot tr { display: grid; grid-template-columns: 1fr auto; padding: 8px 0;
    border-bottom: 1px solid color-mix(in srgb, var(--neutral-500) 22%, transparent); }
  .foot td { padding: 1px 0; border: 0; }
  .foot td:first-child { font-weight: 600; color: var(--body-text-color); }
  .foot td:nth-child(2) { grid-area: 2 / 1 / auto / -1; }
  .foot td:nth-child(4) { grid-column: 1 / -1; }
  #dial-row { flex-direction: column; align-items: stretch; }
  #place-where { gap: 12px; }
  #place .pills label:has(input) { padding: 5px 10px; font-size: .84rem; }
  #place-compass { flex-basis: 140px; }
  #place-dial { width: 140px; height: 140px; }
  #byhand { order: 7; } #how { order: 8; } #voice-note { order: 9; } #settings { order: 10; }
}
"""
)

# gradio prefixes every rule of CSS with its own container, so the container's padding is set from the page's head.
SHELL = """<style>
body.dark audio { color-scheme: dark; }
body.dark input[type=range] { --neutral-200: var(--neutral-700); } /* the rest of the track */
@media (max-width: 760px) { .gradio-container > .main.fillable { padding: 8px 12px !important; } }
</style>"""
