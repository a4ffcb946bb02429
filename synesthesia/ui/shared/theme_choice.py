"""Styles of choosing a picture and a place on it. The tab "Tap" has the same parts, named the same after "tap-"."""

from __future__ import annotations

CHOOSING = """
/* ---- choosing a picture ---- */
#choose { align-items: stretch; gap: 10px; flex-wrap: nowrap; }
#upload { flex: 0 0 124px; min-width: 124px; height: 60px; font-size: .88rem; line-height: 1.25; }
#examples { min-height: 0; min-width: 0 !important; flex: 1 1 0; contain: inline-size; padding: 0;
  background: none; box-shadow: none; }
#examples .grid-wrap { padding: 0; overflow-x: auto; max-height: none; min-height: 0; }
#examples .grid-container { display: flex; gap: 6px; padding: 0; height: auto; min-height: 0; }
#examples .gallery-item { flex: 1 1 0; min-width: 56px; max-width: 92px; }
#examples .thumbnail-lg { width: 100%; height: 60px; aspect-ratio: auto; border-radius: 10px; overflow: hidden;
  border: 0; }
#examples .thumbnail-lg img { object-fit: cover; width: 100%; height: 100%; }
#examples .thumbnail-lg:focus-visible { outline: 2px solid var(--primary-600); outline-offset: -2px; }
#examples .caption-label { display: none; }
#photo.dragging { outline: 3px dashed var(--primary-500); outline-offset: -6px; }
#overlay { padding: 0; background: none; box-shadow: none; }
#overlay.pills label:has(input) { padding: 5px 11px; }
#byhand { align-items: end; gap: 10px; flex-wrap: nowrap; }
#byhand .block { padding: 0; background: none; box-shadow: none; }
#byhand .form { flex: 1 1 50%; background: none; border: 0; box-shadow: none; gap: 10px; flex-wrap: nowrap; }
#byhand input { text-align: center; height: 40px; }
#byhand button { flex: 1 1 50%; height: 40px; font-size: .95rem; padding: 0 10px; }
#how .form { display: flex; flex-flow: row wrap; background: none; box-shadow: none; border: 0; gap: 10px 26px;
  align-items: end; justify-content: space-between; }
#how .block { background: none; box-shadow: none; border: 0; padding: 0; margin: 0 !important; flex: 0 1 auto;
  width: auto; min-width: 0 !important; }
#autoplay { padding-bottom: 5px !important; }
"""
TAP_CHOOSING = CHOOSING.replace("#", "#tap-")  # every "#" is an element's id: colours here are the theme's own
