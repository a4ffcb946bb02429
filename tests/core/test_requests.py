"""Request models: defaults, bounds and one sentence for whatever is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from synesthesia.core.errors import UserError
from synesthesia.core.requests import (
    DemoClipRequest,
    FlowRequest,
    ImpactRequest,
    LanguageRequest,
    QuestionRequest,
    checked,
    request_type,
    settings_of,
    sound_request,
    whole_number,
)


def test_each_path_has_its_request() -> None:
    assert [request_type(path) for path in ("direct", "flow", "mlp", "language", "tap")] == [
        FlowRequest, FlowRequest, FlowRequest, LanguageRequest, ImpactRequest,
    ]  # fmt: skip
    assert sound_request("direct", {}) == FlowRequest(path="flow")
    assert sound_request("mlp", {"seconds": 2}).path == "mlp"
    assert (FlowRequest().channels, LanguageRequest().channels, ImpactRequest().samples) == (1, 2, 24_000)


def test_requests_are_frozen() -> None:
    with pytest.raises(ValidationError):
        FlowRequest().seconds = 3.0  # type: ignore[misc]


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3.0)])
def test_whole_numbers_may_come_as_floats(value: Any) -> None:
    seed = sound_request("flow", {"seed": value}).seed
    assert seed == 3 and type(seed) is int


def test_settings_of_another_path_are_checked_and_left_out() -> None:
    assert sound_request("flow", {"temperature": 0.5, "force": 3}) == FlowRequest()
    with pytest.raises(UserError, match="The temperature must lie between 0 and 2, but 3 was given"):
        sound_request("flow", {"temperature": 3})
    with pytest.raises(UserError, match="There is no setting 'volume'"):
        sound_request("flow", {"volume": 3})


@pytest.mark.parametrize(
    ("model", "values", "sentence"),
    [
        (FlowRequest, {"seconds": 11}, "The duration in seconds must lie between 1 and 10, but 11 was given."),
        (FlowRequest, {"seconds": float("nan")},
         "The duration in seconds must lie between 1 and 10, but nan was given."),
        (FlowRequest, {"seconds": "2"}, "The duration in seconds must be a number from 1 to 10."),
        (FlowRequest, {"seed": True}, "The seed must be a number from 0 to 4294967295."),
        (FlowRequest, {"steps": 2.5}, "The number of steps must be a whole number, but 2.5 was given."),
        (LanguageRequest, {"top_k": 0},
         "The number of codes to draw from (top-k) must lie between 1 and 1024, but 0 was given."),
        (ImpactRequest, {"mallet": "hammer"}, "There is no mallet 'hammer'; choose 'finger', 'wood' or 'metal'."),
        (ImpactRequest, {"mallet": 3}, "The mallet must be text."),
        (FlowRequest, {"seed": 10**400}, "The seed must be a number from 0 to 4294967295."),
        (FlowRequest, {"seed": 2**40}, "The seed must lie between 0 and 4294967295, but 1099511627776 was given."),
        (FlowRequest, {"anyway": "no"}, "The setting 'anyway' must be True or False."),
        (FlowRequest, {"force": 3}, "There is no setting 'force'."),
        (QuestionRequest, {"question": "  "}, "Type a question first."),
        (QuestionRequest, {"question": "a" * 201}, "A question may have up to 200 characters, but this one has 201."),
        (DemoClipRequest, {"sound": "dog", "azimuth_deg": 0, "room": "hall"},
         "There is no room 'hall'; choose 'none', 'small' or 'large'."),
        (DemoClipRequest, {"sound": "dog"}, "The azimuth in degrees must be a number from -180 to 180."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(model: Any, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        checked(model, values)
    assert str(caught.value) == sentence


def test_settings_describe_a_control() -> None:
    settings = settings_of(ImpactRequest)
    assert list(settings) == ["seconds", "seed", "anyway", "force", "mallet", "material", "size_factor"]
    force = settings["force"]
    assert (force.kind, force.default, force.low, force.high) == (float, 8.0, 0.5, 50.0) and force.description
    assert settings["mallet"].choices == ("finger", "wood", "metal") and not force.choices
    assert (settings["mallet"].kind, settings["mallet"].low, settings["anyway"].kind) == (str, None, bool)
    assert settings_of(FlowRequest)["steps"].kind is int


@pytest.mark.parametrize("stems", [0, 9, 2.5, "2", None, True, float("nan"), 10**400])
def test_a_whole_number_has_bounds(stems: Any) -> None:
    assert whole_number("The number of stems", 8.0, 1, 8) == 8
    with pytest.raises(UserError, match="The number of stems must be a whole number from 1 to 8, but"):
        whole_number("The number of stems", stems, 1, 8)
