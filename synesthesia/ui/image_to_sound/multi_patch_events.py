"""Handlers of "Sweep a row" and "Whole scene": several patches, as a list that grows and as one mix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import gradio as gr
import numpy as np

from synesthesia.ui.image_to_sound import cards, words
from synesthesia.ui.shared import overlays
from synesthesia.ui.shared.cards import progress, verdict
from synesthesia.ui.shared.files import file_name, file_url, served_wav
from synesthesia.ui.shared.handlers import Update
from synesthesia.ui.shared.sound_figure import sound_figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synesthesia.core.results import Heard
    from synesthesia.ui.image_to_sound.controls import ControlValues
    from synesthesia.ui.image_to_sound.events import HearEvents
    from synesthesia.ui.image_to_sound.session import HearSession, StopFlag


class MultiPatchEvents:
    """Handlers of both panels. events: of the tab, which draws the photograph."""

    def __init__(self, events: HearEvents) -> None:
        self.studio, self.tab, self.events = events.studio, events.tab, events

    def sweep(
        self, session: HearSession, stop_flag: StopFlag, row: int | None, seconds: float, values: ControlValues
    ) -> Iterator[Update]:
        """One row from left to right. Each sound is generated on demand, so stopping stops the work as well."""
        photo, _ = session.pictures()
        panel, grid = self.tab.sweep, self.studio.look(photo)
        row, how = int(row or 0), {**values.plan()[0], "seconds": seconds}
        grid.box(row, 0)  # raises for a row outside the grid
        stop_flag.requested = False
        yield {
            self.tab.verdict: verdict(*words.sweeping(row)),
            self.tab.anyway_button: gr.Button(visible=False),
            panel.start: gr.Button(interactive=False),
            panel.stop: gr.Button(interactive=True),
            panel.progress: progress(0, grid.cols, words.sweep_note(row, 0, grid.cols)),
            panel.strip: "",
            panel.audio: gr.Audio(value=None, visible=False),
        }
        run, done, strip = uuid4().hex[:8], [], ""
        try:
            for heard in self.studio.sweep(photo, row, **how):
                done.append(heard)
                shown = session.at((row, heard.col)).with_sound(heard)
                playing = values.autoplay and not stop_flag.requested
                strip += cards.strip_cell(heard, self.url(panel.strip, heard), run, playing)
                yield {
                    panel.progress: progress(len(done), grid.cols, words.sweep_note(row, len(done), grid.cols)),
                    panel.strip: f"<div class='strip'>{strip}</div>",
                } | ({} if stop_flag.requested else {self.tab.side.photo: self.events.draw(shown)})
                if stop_flag.requested:
                    break
        except Exception:
            yield self.buttons_at_rest()
            raise
        voiced = [each for each in done if not each.silent]
        whole = served_wav(*concatenated(voiced), f"synesthesia-sweep-row{row}") if voiced else None
        playing = values.autoplay and not stop_flag.requested and whole is not None
        yield self.buttons_at_rest(playing=playing) | {
            panel.progress: progress(len(done), grid.cols, words.sweep_done(row, done, grid.cols)),
            panel.audio: gr.Audio(value=whole, visible=whole is not None),
        }  # the outline of the last patch stays: after a stop the photograph may be another one

    def buttons_at_rest(self, *, playing: bool = False) -> Update:
        """No sweep runs. playing: its sounds may still be playing in the browser."""
        return {self.tab.sweep.start: gr.Button(interactive=True), self.tab.sweep.stop: gr.Button(interactive=playing)}

    def url(self, shown_in: gr.HTML, heard: Heard) -> str:
        """Where the browser finds this sound; empty for silence. The file is deleted with those of the component."""
        if heard.silent:
            return ""
        path = served_wav(heard.waveform, heard.sample_rate, file_name(heard))
        shown_in.temp_files.add(path)
        return file_url(path)

    def scene(self, session: HearSession, values: ControlValues) -> Iterator[Update]:
        photo, view = session.pictures()
        panel, grid, how = self.tab.scene, self.studio.look(photo), values.plan()[0]
        yield {
            self.tab.verdict: verdict(words.SCENE_GENERATING, kind="busy"),
            self.tab.anyway_button: gr.Button(visible=False),
        }
        mix = self.studio.scene(photo, **how)
        if mix.silent:
            yield {
                self.tab.verdict: verdict(*words.SCENE_SILENT, kind="quiet"),
                panel.audio: gr.Audio(value=None, visible=False),
                panel.figure: gr.Plot(visible=False),
                panel.stems: "",
            }
            return
        cells = [(stem.heard.row, stem.heard.col) for stem in mix.stems]
        wav = served_wav(mix.waveform, mix.sample_rate, f"synesthesia-scene-seed{how['seed']}")
        yield {
            self.tab.verdict: verdict(*words.scene(mix)),
            self.tab.side.photo: overlays.with_outline(view, grid.rows, grid.cols, cells),
            panel.audio: gr.Audio(value=wav, visible=True),
            panel.figure: gr.Plot(value=sound_figure(mix.waveform, mix.sample_rate), visible=True),
            panel.stems: cards.stems(mix, [self.url(panel.stems, stem.heard) for stem in mix.stems]),
        }


def concatenated(sounds: list[Heard], gap_s: float = 0.1) -> tuple[NDArray[np.float32], int]:
    """(waveform (channels, samples), sample rate in Hz): the sounds in order, each followed by a short silence."""
    rate = sounds[0].sample_rate
    gap = np.zeros((sounds[0].waveform.shape[0], round(gap_s * rate)), dtype=np.float32)
    return np.concatenate([part for each in sounds for part in (each.waveform, gap)], axis=1), rate
