"""What is shown of sound tokens: the timeline, the share of the look that fell on the click, and the two ears."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from synesthesia.core.results import Heard, Tokens
from synesthesia.ui.shared import overlays
from synesthesia.ui.shared.sound_figure import sound_figure
from synesthesia.ui.vlm_to_sound import attention_overlay, cards, words
from synesthesia.ui.vlm_to_sound.figures import colours, token_figure
from tests.ui.fake_studio import FakeStudio, fake_attention, fake_codes


def tokens(frames: int = 50, take: int = 2) -> Tokens:
    return Tokens(fake_codes(0, frames), 25.0, 1024, fake_attention(16, 24, 4, 6), -2e-4, 4, take)


@pytest.mark.parametrize("narrow", [False, True])
def test_the_timeline_stands_under_the_waveform(narrow: bool) -> None:
    sound = sound_figure(np.zeros((2, 32_000), np.float32), 16_000, narrow=narrow)
    figure = token_figure(tokens(), 2.0, narrow=narrow)
    figure.savefig(io.BytesIO(), format="png")
    right, left, _ = figure.axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("left", "right") and right.get_xlabel() == "time (s)"
    assert left.get_position().y0 > right.get_position().y1
    for axes in (left, right):
        for above in sound.axes[:3]:
            assert (axes.get_position().x0, axes.get_position().x1) == (
                above.get_position().x0,
                above.get_position().x1,
            )
            assert axes.get_xlim() == above.get_xlim()
    assert figure.get_figwidth() == sound.get_figwidth()


def test_every_code_stands_where_it_sounds() -> None:
    """Frames of 40 ms from left to right, coarse codebook on top; the last frame may reach beyond the sound."""
    written = tokens(frames=26)
    right, left, _ = token_figure(written, 1.01).axes
    for axes, ear in ((left, 0), (right, 1)):
        image = axes.get_images()[0]
        assert np.allclose(image.get_array(), colours(written.codes[ear] / 1024))
        assert image.get_extent() == pytest.approx([0.0, 1.04, 4.5, 0.5]) and axes.get_ylim() == (4.5, 0.5)
        assert axes.get_xlim() == pytest.approx((0.0, 1.01))


def test_colours_turn_once_and_none_is_lighter() -> None:
    wheel = colours(np.arange(1024) / 1024)
    assert wheel.shape == (1024, 3) and wheel.min() >= 0 and wheel.max() <= 1
    grey = np.asarray(Image.fromarray((wheel[None] * 255).astype(np.uint8)).convert("L"), dtype=float)
    assert grey.max() - grey.min() < 60
    steps = np.abs(np.diff(np.concatenate([wheel, wheel[:1]]), axis=0)).sum(axis=1)
    assert steps.max() < 0.05, "no seam, the last code's neighbour is the first"
    assert np.abs(wheel[0] - wheel[512]).sum() > 0.8


def test_the_heat_is_where_it_looked_and_the_click_is_framed() -> None:
    view = Image.new("RGB", (720, 480), (100, 100, 100))
    looks = np.full((16, 24), 1e-4, np.float32)
    looks[12, 20] = 1 - looks.sum() + 1e-4
    drawn = np.asarray(attention_overlay.draw(view, looks, (3, 5)).convert("L")).astype(float)
    assert drawn[375, 615] > drawn[100, 400] + 60, "the middle of the patch that was looked at"
    framed = np.asarray(attention_overlay.draw(view, looks, (3, 5))) != np.asarray(
        overlays.with_heat(view, looks / looks.max())
    )
    assert np.abs(np.argwhere(framed.any(axis=2)) - (105, 165)).max() < 25


def test_a_look_at_everything_alike_stays_dark() -> None:
    view = Image.new("RGB", (720, 480), (100, 100, 100))
    even = np.full((16, 24), 1 / 384, np.float32)
    drawn = np.asarray(attention_overlay.draw(view, even, (3, 5)).convert("L")).astype(float)
    sharp = even.copy()
    sharp[12, 20] = 6 / 384
    pale = np.asarray(attention_overlay.draw(view, sharp, (3, 5)).convert("L")).astype(float)
    assert drawn[375, 615] < 100 and pale[375, 615] > drawn[375, 615] + 60


@pytest.fixture(scope="module")
def heard(cat: Image.Image) -> Heard:
    *_, last = FakeStudio().hear_steps(cat, 400, 100, path="language", seconds=1.0, seed=1, anyway=True)
    assert isinstance(last, Heard)
    return last


def test_pictures_say_in_words_what_they_show(heard: Heard, cat: Image.Image) -> None:
    assert 'alt="Sound tokens over 1.0 s: 4 codebooks of the left ear above 4 of the right"' in cards.timeline(heard)
    text = cards.evidence(heard, overlays.display_copy(cat))
    assert 'alt="Attention of the sound tokens: The clicked patch got ' in text and len(text) < 60_000
    assert "Right ear" in text and "match" in text


def test_the_caption_tells_the_kept_take_from_one() -> None:
    said = words.timeline(tokens(take=2))
    assert "40 ms" in said and "Of 4 candidates the classifier kept number 3." in said


@pytest.mark.parametrize(
    ("level", "lead", "aside", "apart", "follows"),
    [
        (
            -3.14,
            -210e-6,
            -0.3,
            "left ear 3.1 dB louder and 210 µs earlier",
            "left of the middle: level and time match",
        ),
        (3.0, 100e-6, 0.3, "right ear 3.0 dB louder and 100 µs earlier", "right of the middle: level and time match"),
        (3.0, -1e-4, 0.3, "right ear 3.0 dB louder, left ear 100 µs earlier", "the level matches, the time doesn't"),
        (0.01, -90e-6, -0.3, "equally loud, left ear 90 µs earlier", "the time matches, the level doesn't"),
        (-1.0, 0.0, 0.3, "left ear 1.0 dB louder, at the same time", "neither level nor time"),
        (0.2, 10e-6, 0.01, "right ear 0.2 dB louder and 10 µs earlier", "in the middle"),
    ],
)
def test_the_ears_are_compared_with_the_click(
    level: float, lead: float, aside: float, apart: str, follows: str
) -> None:
    said = words.ears(level, lead, aside)
    assert said[0] == apart and follows in said[1]


def test_level_is_of_the_right_ear_over_the_left() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 8000)
    assert cards.level_db(np.stack([noise, 2 * noise])) == pytest.approx(6.02, abs=0.01)
    assert np.isfinite(cards.level_db(np.zeros((2, 10))))
