"""Styles of the tab "Tap", beside those it shares with the tab "Hear"."""

from __future__ import annotations

from synesthesia.ui.shared.theme_choice import TAP_CHOOSING

TAP_CSS = (
    TAP_CHOOSING
    + """
/* ---- the photograph in layers ---- */
#tap-photo { display: grid; gap: 0; border-radius: 10px; overflow: hidden; }
#tap-photo > * { grid-area: 1 / 1; min-width: 0; padding: 0; background: none; box-shadow: none; }
#tap-layer, #tap-outline { pointer-events: none; }
.stage { position: relative; overflow: hidden; margin: 0 auto; aspect-ratio: var(--w) / var(--h);
  width: min(100%, calc(66vh * var(--w) / var(--h))); }
.stage img { position: absolute; inset: 0; width: 100%; height: 100%; display: block; margin: 0; border-radius: 0; }
.stage.photo { cursor: crosshair; touch-action: pinch-zoom; user-select: none; -webkit-user-select: none;
  -webkit-touch-callout: none; }
.stage .cell { position: absolute; box-sizing: border-box; border: 2px solid var(--primary-600);
  outline: 1.5px solid white; box-shadow: inset 0 0 0 1.5px white; }
.stage .ripple { position: absolute; width: 44px; height: 44px; margin: -22px 0 0 -22px; border-radius: 50%;
  border: 3px solid white; box-shadow: 0 0 0 2px var(--primary-600), inset 0 0 0 2px var(--primary-600);
  pointer-events: none; animation: tap-ripple .5s ease-out forwards; }
.stage .trail { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; fill: none;
  stroke-width: 4; stroke-linecap: round; stroke-linejoin: round; transition: opacity .7s; }
.stage .trail.done { opacity: 0; }
.stage .trail .rim { stroke: white; stroke-width: 8; }
.stage .trail .ink { stroke: var(--primary-600); }
@keyframes tap-ripple { from { transform: scale(.2); opacity: 1; } to { transform: scale(1.5); opacity: 0; } }
#tap-legend:not(:has(p)) { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; margin: 0; font-size: .84rem; align-items: center;
  color: var(--body-text-color-subdued); font-variant-numeric: tabular-nums; }
.legend > span { display: inline-flex; align-items: center; }
.chip { width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; display: inline-block; flex: none;
  box-shadow: 0 0 0 1px color-mix(in srgb, var(--neutral-500) 45%, transparent); }
.legend .ramp { width: 110px; height: 9px; border-radius: 5px; }

/* ---- how it is struck ---- */
#tap-blow { gap: 12px; }
#tap-blow .form { background: none; border: 0; box-shadow: none; gap: 16px; }
#tap-blow .block { border: 0; padding: 0; background: none; box-shadow: none; }
#tap-blow .slider_input_container { padding: 5px 2px; }
#tap-mallet-row .form { display: flex; flex-flow: row wrap; align-items: end; justify-content: space-between; }
#tap-mallet-row .block { flex: 0 1 auto; width: auto; min-width: 0 !important; margin: 0 !important; }

/* ---- what was struck ---- */
/* A card shows with its heading; the guide until there is one; the way past a refusal with the refusal. */
#tap-seen:not(:has(.plot-head)), #tap-other:not(:has(.plot-head)) { display: none; }
#tap-board:has(#tap-seen .plot-head) #tap-guide { display: none; }
#tap-board:not(:has(#tap-seen .plot-head)) ~ #tap-what-if { display: none; }
#tap-board:not(:has(#tap-verdict .quiet)) #tap-anyway { display: none; }
.letter { display: inline-grid; place-items: center; min-width: 20px; height: 20px; padding: 0 5px; margin-right: 8px;
  box-sizing: border-box; border-radius: 6px; font-weight: 650; font-size: .8rem; color: white;
  background: var(--primary-700); }
#tap-seen .plot-head, #tap-other .plot-head { font-size: .92rem; }
#tap-seen .plot-head b, #tap-other .plot-head b { font-size: 1rem; margin-right: 6px; }
#tap-figure-a img, #tap-figure-b img { width: 100%; height: auto; display: block; }
.state h3, #tap-what-if h3 { margin: 0 0 2px; font-size: 1rem; font-weight: 620; color: var(--body-text-color); }
.state { padding-top: 10px; border-top: 1px solid color-mix(in srgb, var(--neutral-500) 18%, transparent); }
.state .columns { display: grid; grid-template-columns: minmax(0, 8fr) minmax(0, 12fr); gap: 4px 22px; }
.state h4 { margin: 6px 0 4px; font-size: .8rem; font-weight: 600; color: var(--body-text-color-subdued); }
.state .code { margin: 0; font-size: .9rem; }
.state .bar { display: grid; grid-template-columns: minmax(62px, 36%) 1fr 34px; gap: 8px; align-items: center;
  font-size: .88rem; margin: 3px 0; }
.state .bar i { display: block; height: 8px; border-radius: 4px; background: var(--primary-600); min-width: 2px;
  box-shadow: 0 0 0 1px color-mix(in srgb, var(--neutral-500) 35%, transparent); }
.state .bar span:last-child { text-align: right; font-variant-numeric: tabular-nums;
  color: var(--body-text-color-subdued); }
.state .faint { margin: 6px 0 4px; font-size: .82rem; color: var(--body-text-color-subdued); }
.state ul { list-style: none; padding: 0; }
.state li { font-size: .82rem; color: var(--body-text-color-subdued); }
.state details summary { cursor: pointer; font-size: .86rem; color: var(--body-text-color-subdued); }
.quantity { display: flex; flex-wrap: wrap; gap: 2px 8px; margin: 7px 0 0; font-size: .88rem; align-items: baseline; }
.quantity > span:first-child { flex: 1; }
.quantity b { font-weight: 600; }
.quantity b, .quantity small { font-variant-numeric: tabular-nums; white-space: nowrap; }
.quantity small { font-size: .78rem; color: var(--body-text-color-subdued); }
.quantity .scale { flex: 1 0 100%; position: relative; height: 8px; border-radius: 4px; overflow: hidden;
  background: color-mix(in srgb, var(--neutral-500) 20%, transparent); }
.quantity .band { position: absolute; top: 0; bottom: 0; border-radius: 4px; min-width: 3px;
  background: color-mix(in srgb, var(--primary-500) 55%, transparent); }
.quantity .tick { position: absolute; top: 0; bottom: 0; width: 4px; margin-left: -2px; border-radius: 1px;
  background: var(--body-text-color); }

/* ---- what if, and what nobody can name ---- */
#tap-wish .form { display: flex; flex-flow: row wrap; background: none; border: 0; box-shadow: none; gap: 12px 20px;
  align-items: end; }
#tap-wish .block { border: 0; padding: 0; background: none; box-shadow: none; }
.compared, .cases table { width: 100%; border-collapse: collapse; font-size: .88rem; margin: 4px 0 0; }
.compared, .compared tr, .compared thead, .cases tr, .cases thead, .cases table { border: 0; }
.compared td, .compared th, .cases td, .cases th { text-align: left; padding: 6px 10px 6px 0; border: 0;
  border-bottom: 1px solid color-mix(in srgb, var(--neutral-500) 18%, transparent);
  font-weight: 400; font-variant-numeric: tabular-nums; }
.compared tbody th { color: var(--body-text-color-subdued); }
.compared .differs td { font-weight: 620; }
.compared button { border: 0; padding: 5px 10px 5px 8px; border-radius: 99px; cursor: pointer; font-size: .86rem;
  white-space: nowrap; color: var(--body-text-color);
  background: color-mix(in srgb, var(--neutral-500) 14%, transparent); }
.compared button:focus-visible { outline: 2px solid var(--primary-500); outline-offset: 2px; }
.compared button .letter { margin: 0 6px 0 4px; }
.cases .scroll { overflow-x: auto; }
.cases thead th { font-weight: 600; }
.cases .better { font-weight: 620; color: var(--primary-700); }
.dark .cases .better { color: var(--primary-400); }
.cases .faint { font-size: .84rem; color: var(--body-text-color-subdued); margin: 4px 0; }

@media (prefers-reduced-motion: reduce) {
  .stage .ripple { animation-duration: .01s; }
}
@media (max-width: 760px) {
  #tap-upload { flex-basis: 96px; min-width: 96px; font-size: .8rem; padding: 4px; }
  .stage { width: min(100%, calc(52vh * var(--w) / var(--h))); }
  #tap-overlay.pills label:has(input) { padding: 4px 9px; font-size: .8rem; }
  /* One column; how it is struck comes right under the photograph, what was struck under that. */
  #tap-board > .column { display: contents; }
  #tap-choose { order: 1; } #tap-photo { order: 2; } #tap-overlay { order: 3; } #tap-legend { order: 4; }
  #tap-verdict { order: 5; } #tap-anyway { order: 6; } #tap-blow { order: 7; } #tap-seen { order: 8; }
  #tap-guide { order: 8; } #tap-byhand { order: 9; }
  .state .columns { grid-template-columns: minmax(0, 1fr); }
  .compared .what { display: none; }
  .compared button .letter { margin-right: 0; }
}
"""
)
