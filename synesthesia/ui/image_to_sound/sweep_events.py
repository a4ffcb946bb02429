"""Many patches at once: a sweep over a row, whose sounds appear as they come, and the mix of the whole scene."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import gradio as gr
import numpy as np

from synesthesia.ui.image_to_sound import cards
from synesthesia.ui.shared import overlays, words
from synesthesia.ui.shared import sound_figure as figures
from synesthesia.ui.shared.files import address, file_name, served_wav

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synesthesia.core.results import Heard
    from synesthesia.studio import Studio
    from synesthesia.ui.image_to_sound.events import HearEvents, Settings, Update
    from synesthesia.ui.image_to_sound.session import Halt, Session
    from synesthesia.ui.image_to_sound.tab import HearTab


class ManyEvents:
    """Handlers of the panels "Sweep a row" and "Whole scene"."""

    def __init__(self, studio: Studio, tab: HearTab, one: HearEvents) -> None:
        self.studio = studio
        self.tab = tab
        self.one = one

    def sweep(
        self, session: Session, halt: Halt, row: int | None, seconds: float, settings: Settings
    ) -> Iterator[Update]:
        """One row from left to right; each sound is made on demand, so stopping stops the work as well."""
        photo, _ = session.pictures()
        panel, grid = self.tab.sweep, self.studio.look(photo)
        row, path = int(row or 0), settings.plan()[0][0]
        grid.box(row, 0)  # refuses a row that is not there
        halt.asked = False
        yield {
            self.tab.verdict: words.verdict(*words.sweeping(row)),
            self.tab.anyway_button: gr.Button(visible=False),
            panel.start: gr.Button(interactive=False),
            panel.stop: gr.Button(interactive=True),
            panel.progress: cards.progress(0, grid.cols, words.sweep_note(row, 0, grid.cols)),
            panel.strip: "",
            panel.audio: gr.Audio(value=None, visible=False),
        }
        run, done, strip = uuid4().hex[:8], [], ""
        try:
            for heard in self.studio.sweep(
                photo, row, path=path, seconds=seconds, seed=settings.seed, steps=settings.steps,
                guidance=settings.guidance, temperature=settings.temperature, top_k=settings.top_k,
                anyway=settings.anyway,
            ):  # fmt: skip
                done.append(heard)
                shown = session.at((row, heard.col)).having_heard(heard)
                playing = settings.autoplay and not halt.asked
                strip += cards.strip_cell(heard, self.address(panel.strip, heard), run, playing)
                yield {
                    panel.progress: cards.progress(len(done), grid.cols, words.sweep_note(row, len(done), grid.cols)),
                    panel.strip: f"<div class='strip'>{strip}</div>",
                } | ({} if halt.asked else {self.tab.side.photo: self.one.draw(shown)})
                if halt.asked:
                    break
        except Exception:
            yield self.rest()
            raise
        whole = self.in_one_piece(done, f"synesthesia-sweep-row{row}")
        yield self.rest(playing=settings.autoplay and not halt.asked and whole is not None) | {
            panel.progress: cards.progress(len(done), grid.cols, words.sweep_done(row, done, grid.cols)),
            panel.audio: gr.Audio(value=whole, visible=whole is not None),
        }  # the outline of the last patch stays: after a halt the photograph may be another one already

    def in_one_piece(self, sounds: list[Heard], name: str) -> str | None:
        """Path of a WAV file with the sounding ones in order; none when all are silent."""
        voiced = [each for each in sounds if not each.silent]
        return served_wav(*in_order(voiced), name) if voiced else None

    def rest(self, *, playing: bool = False) -> Update:
        """The buttons as they are when no sweep runs. playing: its sounds may still wait their turn in the browser."""
        return {self.tab.sweep.start: gr.Button(interactive=True), self.tab.sweep.stop: gr.Button(interactive=playing)}

    def address(self, shown_in: gr.HTML, heard: Heard) -> str:
        """Where the browser finds this sound; empty for silence. The file ages with those of the component."""
        if heard.silent:
            return ""
        path = served_wav(heard.waveform, heard.sample_rate, file_name(heard))
        shown_in.temp_files.add(path)
        return address(path)

    def scene(self, session: Session, settings: Settings) -> Iterator[Update]:
        photo, view = session.pictures()
        panel, grid, path = self.tab.scene, self.studio.look(photo), settings.plan()[0][0]
        yield {
            self.tab.verdict: words.verdict(words.SCENE_LISTENING, kind="busy"),
            self.tab.anyway_button: gr.Button(visible=False),
        }
        mix = self.studio.scene(
            photo, path=path, seconds=settings.seconds, seed=settings.seed, steps=settings.steps,
            guidance=settings.guidance, temperature=settings.temperature, top_k=settings.top_k,
        )  # fmt: skip
        if mix.silent:
            yield {
                self.tab.verdict: words.verdict(*words.SCENE_SILENT, kind="quiet"),
                panel.audio: gr.Audio(value=None, visible=False),
                panel.figure: gr.Plot(visible=False),
                panel.stems: "",
            }
            return
        places = [(stem.heard.row, stem.heard.col) for stem in mix.stems]
        wav = served_wav(mix.waveform, mix.sample_rate, f"synesthesia-scene-seed{settings.seed}")
        yield {
            self.tab.verdict: words.verdict(*words.scene(mix)),
            self.tab.side.photo: overlays.with_outline(view, grid.rows, grid.cols, places),
            panel.audio: gr.Audio(value=wav, visible=True),
            panel.figure: gr.Plot(value=figures.sound_figure(mix.waveform, mix.sample_rate), visible=True),
            panel.stems: cards.stems(mix, [self.address(panel.stems, stem.heard) for stem in mix.stems]),
        }


def in_order(sounds: list[Heard], gap_s: float = 0.1) -> tuple[NDArray[np.float32], int]:
    """(waveform (channels, samples), rate in Hz): at least one sound, then the others, a short silence after each."""
    rate = sounds[0].sample_rate
    gap = np.zeros((sounds[0].waveform.shape[0], round(gap_s * rate)), dtype=np.float32)
    return np.concatenate([part for each in sounds for part in (each.waveform, gap)], axis=1), rate
