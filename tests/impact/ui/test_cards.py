"""What the page says of a physics state: numbers with units, bars that lie where the numbers are, nothing unescaped."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synesthesia.core.results import Estimate, Heard, LabelScore, PhysicsState
from synesthesia.ui.impact import cards, quantities, words
from synesthesia.ui.impact.cards import SCALES, quantity
from synesthesia.ui.impact.case_study import read_cases, table
from synesthesia.ui.impact.figures import as_html
from synesthesia.ui.impact.strike_path import Strike, one_clip
from tests.impact.ui.fake_studio import FakeTapStudio

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def heard() -> Heard:
    return FakeTapStudio().hear(Image.new("RGB", (480, 320), "white"), 10, 10, path="tap")


@pytest.mark.parametrize(
    ("value", "units", "said"),
    [
        (0.21, quantities.LENGTHS, "21 cm"),
        (0.034, quantities.LENGTHS, "3.4 cm"),
        (0.0008, quantities.LENGTHS, "0.8 mm"),
        (1.24, quantities.LENGTHS, "1.2 m"),
        (0.999, quantities.LENGTHS, "1 m"),
        (1.1e10, quantities.PRESSURES, "11 GPa"),
        (2e11, quantities.PRESSURES, "200 GPa"),
        (8e6, quantities.PRESSURES, "8 MPa"),
        (2e4, quantities.PRESSURES, "20 kPa"),
        (0.31, quantities.TIMES, "310 ms"),
        (2.449, quantities.TIMES, "2.4 s"),
        (652.0, quantities.DENSITIES, "650 kg/m³"),
        (842.0, quantities.FREQUENCIES, "840 Hz"),
        (1234.0, quantities.FREQUENCIES, "1.2 kHz"),
    ],
)
def test_quantities_have_two_figures_and_a_unit(value: float, units: tuple[quantities.Unit, ...], said: str) -> None:
    assert quantities.amount(value, units) == said


def test_an_interval_names_its_unit_once_where_it_is_one() -> None:
    assert quantities.span(Estimate(0.21, 0.13, 0.34), quantities.LENGTHS) == "13 to 34 cm"
    assert quantities.span(Estimate(0.01, 0.008, 0.012), quantities.LENGTHS) == "8 mm to 1.2 cm"


def test_every_estimate_of_the_state_but_the_place_is_drawn() -> None:
    told = {field.name for field in fields(PhysicsState) if field.type == "Estimate"} - {"along", "across"}
    assert {scale.field for scale in SCALES} == told


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale.field)
def test_the_band_and_the_tick_lie_where_the_numbers_are(scale: cards.Scale) -> None:
    middle = (scale.low * scale.high) ** 0.5 if scale.log else (scale.low + scale.high) / 2
    html = quantity(scale, Estimate(middle, scale.low, scale.high))
    left, width, tick = (float(each) for each in re.findall(r"(?:left|width):([\d.]+)%", html))
    assert (left, width, tick) == pytest.approx((0.0, 100.0, 50.0), abs=0.1)
    beyond = quantity(scale, Estimate(scale.high * 2, scale.high * 1.5, scale.high * 3))
    left, width, tick = (float(each) for each in re.findall(r"(?:left|width):([\d.]+)%", beyond))
    assert left == tick == 100.0 and width == 0.0, "never outside its bar"
    assert scale.value(middle) in html and f"aria-label='{scale.name}: {scale.value(middle)}" in html


def test_the_state_names_its_doubts(heard: Heard) -> None:
    assert heard.blow
    two = (LabelScore("wood", 0.41), LabelScore("plastic", 0.38))
    state = replace(heard.blow.state, materials=two)
    unsure = replace(heard, blow=replace(heard.blow, state=state))
    assert "uncertain: wood 0.41, plastic 0.38" in words.struck(unsure, "wood", 0.05)[1]
    assert "Uncertain: wood 0.41, plastic 0.38." in cards.state(unsure, "wood")
    sure = replace(state, materials=(LabelScore("wood", 0.9), LabelScore("plastic", 0.1)))
    assert words.doubt(sure) == ""


def test_what_is_struck_is_shown_also_where_it_is_not_the_likeliest(heard: Heard) -> None:
    assert heard.blow
    six = tuple(LabelScore(name, 0.3 - 0.03 * k) for k, name in enumerate(
        ("wood", "plastic", "glass", "metal", "leather", "stone")))  # fmt: skip
    other = replace(heard, blow=replace(heard.blow, state=replace(heard.blow.state, materials=six)))
    html = cards.state(other, "stone")
    assert "played as stone, the closest compromise" in html
    assert "<div class='bar struck'><span>stone</span>" in html and "<span>leather</span>" not in html
    assert "<div class='bar struck'><span>wood</span>" in cards.state(other, "wood")
    assert "played as" not in words.doubt(other.blow.state, "wood")  # type: ignore[union-attr]


def test_a_thing_that_does_not_ring_is_said_to(heard: Heard) -> None:
    assert heard.blow and words.NO_MODES not in words.struck(heard, "wood", 0.05)[1]
    dull = replace(heard, blow=replace(heard.blow, gains=np.zeros_like(heard.blow.gains)))
    assert words.NO_MODES in words.struck(dull, "wood", 0.05)[1]
    assert words.NO_MODES in as_html(one_clip([Strike(0.0, dull)]), "a thing")


def test_a_liquid_has_no_shape(heard: Heard) -> None:
    assert heard.blow
    wet = replace(heard.blow, material="liquid", shape="solid", size_m=0.3)
    assert words.thing(wet) == "liquid, 30 cm"
    assert words.thing(replace(wet, material="wood")) == "wood, solid, 30 cm"


def test_two_blows_beside_each_other_show_what_differs(heard: Heard) -> None:
    studio, photo = FakeTapStudio(), Image.new("RGB", (480, 320), "white")
    twice = studio.hear(photo, 10, 10, path="tap", size_factor=2.0)
    assert heard.blow and twice.blow
    html = cards.compared(heard.blow, twice.blow, "×2")
    differing = re.findall(r"<tr class=differs><th scope='row'>(.*?)</th>", html)
    assert differing[:2] == ["Size", "Wall"] and "Strongest mode" in differing and "Material" not in differing
    assert "differs" not in cards.compared(heard.blow, heard.blow, "")


def test_data_is_escaped(heard: Heard) -> None:
    assert heard.blow
    state = replace(heard.blow.state, materials=(LabelScore(EVIL, 0.5),), shapes=(LabelScore(EVIL, 0.5),))
    blow = replace(heard.blow, state=state, material=EVIL, shape=EVIL)
    evil = replace(heard, blow=blow)
    text = cards.state(evil, EVIL) + cards.as_seen(one_clip([Strike(0.0, evil)]))
    text += cards.compared(blow, blow, EVIL)
    assert "<img" not in text and "&lt;img" in text


def test_the_case_study_is_read_or_left_out(tmp_path: Path) -> None:
    path = tmp_path / "case_study.json"
    row = {"title": "furry metal ball", "right": "metal", "named": "fabric", "state": "metal", "lsd_tap_db": 5.1,
           "lsd_text_db": 9.3}  # fmt: skip
    path.write_text(json.dumps({"rows": [row, row | {"title": EVIL, "lsd_tap_db": 12}], "n": 6, "note": "Six views."}))
    study = read_cases(path)
    assert study and study.n == 6 and [case.lsd_tap_db for case in study.rows] == [5.1, 12.0]
    html = table(study)
    assert re.findall(r"<td class='better'>(.*?)</td>", html) == ["metal", "5.1 dB", "metal", "9.3 dB"]
    assert EVIL not in html and "Six views." in html
    for bad in ({}, {"rows": []}, {"rows": 3}, {"rows": [{"title": "x"}]}, {"rows": [row | {"lsd_tap_db": "much"}]},
                {"rows": [row | {"lsd_tap_db": float("nan")}]}, []):  # fmt: skip
        path.write_text(json.dumps(bad))
        assert read_cases(path) is None, bad
    path.write_text("")
    assert read_cases(path) is None
    assert read_cases(tmp_path / "none.json") is None
