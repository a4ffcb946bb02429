"""What is read from the localiser's answers: a way that is gone, and the sentence."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia.localization.pipeline import moves, other_half, sentence, side


def test_a_way_is_gone_step_by_step() -> None:
    assert moves(np.linspace(-20, 60, 9))
    assert moves(np.array([150.0, 160, 170, 180, -170, -160, -150]))  # round the back
    assert moves(
        np.array([10.0, 20, 30, 140, 130, 50, 60])
    )  # taken for behind in between: 140 and 130 mirror 40 and 50
    assert not moves(np.full(9, 40.0)) and not moves(40 + np.tile([-4.0, 4.0], 5))  # it stands
    assert not moves(np.array([30.0, 32, 150, 148, 30, 31]))  # leaps between two places
    assert not moves(np.array([0.0, 60.0]))  # too short to tell


@pytest.mark.parametrize(
    ("arc", "words"),
    [
        ((50.0, 74.0), "From the right, 60 degrees to the right; 90 % sure within 14 degrees of it."),
        ((-100.0, 90.0), "From the right, 60 degrees to the right; little more than a guess."),
    ],
)
def test_the_sentence_says_how_sure(arc: tuple[float, float], words: str) -> None:
    assert sentence(60.0, arc, None).replace("front right", "right") == words


def test_the_sentence_names_a_second_source_or_a_way() -> None:
    assert sentence(5.0, (0.0, 10.0), -90.0).endswith("A second source from the left, 90 degrees to the left.")
    way = np.linspace(-90, 20, 12)
    assert sentence(-30.0, (-90.0, 20.0), None, way) == f"It moves from {side(-80)} to {side(10)}."
    assert "moves" not in sentence(-30.0, (-90.0, 20.0), 40.0, way)  # two sources at one time


def test_a_second_lobe_in_the_other_half_is_named() -> None:
    azimuths = np.arange(180) * 2.0 - 180
    lobes = [np.exp(-0.5 * (((azimuths - at + 180) % 360 - 180) / 4) ** 2) for at in (150, 30, 84)]
    share = (0.7 * lobes[0] + 0.3 * lobes[1]) / lobes[0].sum()
    assert other_half(share, azimuths, 150.0) == pytest.approx(30, abs=0.5)
    words = sentence(150.0, (20.0, 160.0), None, None, 30.0)
    assert words.startswith(f"From {side(150)}; or, less likely, from {side(30)}")
    assert other_half(lobes[0] / lobes[0].sum(), azimuths, 150.0) is None
    assert other_half((lobes[2] + lobes[2][::-1]) / 2, azimuths, 84.0) is None  # beside the head the halves meet


def test_a_side_needs_no_range() -> None:
    assert side(270.0) == side(-90.0) and side(360.0) == "the front"
