"""Request models (pydantic): every setting of a capability with its default, bounds, unit and sentence, defined once.

`Studio`, recipes, the command line, the endpoints and the page all read them from here: `settings_of` gives what a
control or an option needs, `checked` turns what pydantic refuses into one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from annotated_types import Ge, Le
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StrictBool,
    StringConstraints,
    ValidationError,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

from synesthesia.core.errors import UserError
from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.core.vocabulary import DEMO_SOUNDS, MALLETS, MATERIALS, ROOMS

MAX_SEED = 2**32 - 1
DIRECT = "direct"  # what people may type for "flow"
Request = TypeVar("Request", bound=BaseModel)


def _number(value: Any) -> float:
    """Neither text nor a truth value passes for a number."""
    if isinstance(value, (bool, str)):
        raise PydanticCustomError("number", "no number")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise PydanticCustomError("number", "no number") from None


def _whole(value: Any) -> float:
    """3.0 is a whole number, 3.5 is not; what is not finite fails its bounds."""
    given = _number(value)
    if math.isfinite(given) and given != int(given):
        raise PydanticCustomError("whole", "no whole number")
    return int(given) if math.isfinite(given) else given


@dataclass(frozen=True)
class Choices:
    """The values of a text setting, as metadata for pydantic. hint: what to do instead of another value."""

    values: tuple[str, ...]
    hint: str = "choose"

    def check(self, value: str) -> str:
        if value not in self.values:
            named = _listed([each for each in self.values if each])
            raise PydanticCustomError("choice", "unknown", {"hint": f"{self.hint} {named}"})
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self.check, handler(source))


def _number_setting(title: str, low: float, high: float, description: str = "") -> Any:
    """The metadata of a number between `low` and `high`."""
    return Field(ge=low, le=high, title=title, description=description)


Number = Annotated[float, BeforeValidator(_number)]
Whole = Annotated[int, BeforeValidator(_whole)]
Seconds = Annotated[Number, _number_setting("The duration in seconds", 1.0, 10.0, "duration in seconds")]
Seed = Annotated[Whole, _number_setting("The seed", 0, MAX_SEED, "another seed, another take")]
Guidance = Annotated[
    Number, _number_setting("The guidance", 0.0, 10.0, "scale of classifier-free guidance; 1 is without")
]


class _Request(BaseModel):
    """A field's `title` begins its error sentence, `description` is its help."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SoundRequest(_Request):
    """What every path from a place of a photograph to a sound has in common."""

    path: str
    seconds: Seconds = 4.0
    seed: Seed = 0
    anyway: StrictBool = Field(False, description="generate even where presence is below the threshold")

    @property
    def samples(self) -> int:
        return round(self.seconds * SAMPLE_RATE_HZ)

    @property
    def channels(self) -> int:
        return 1


class FlowRequest(SoundRequest):
    """image_to_sound: flow matching ("flow") or latent regression ("mlp")."""

    path: Literal["flow", "mlp"] = "flow"
    steps: Annotated[Whole, _number_setting("The number of steps", 1, 12, "steps of the flow's ODE solver")] = 12
    guidance: Guidance = 3.0


class LanguageRequest(SoundRequest):
    """vlm_to_sound: stereo codec tokens from the hidden states of a vision-language model."""

    path: Literal["language"] = "language"
    guidance: Guidance = 3.0
    temperature: Annotated[
        Number, _number_setting("The temperature", 0.0, 2.0, "of token sampling; 0 takes the likeliest")
    ] = 1.0
    top_k: Annotated[
        Whole, _number_setting("The number of codes to draw from (top-k)", 1, 1024, "codes to sample from")
    ] = 100

    @property
    def channels(self) -> int:
        return 2


class ImpactRequest(SoundRequest):
    """impact: the object at the place is struck."""

    path: Literal["tap"] = "tap"
    seconds: Seconds = 1.5
    force: Annotated[Number, _number_setting("The force in newtons", 0.5, 50.0, "force in newtons")] = 8.0
    mallet: Annotated[str, Choices(MALLETS)] = Field("wood", title="mallet", description="what strikes")
    material: Annotated[str, Choices(("", *MATERIALS), "leave it empty, or choose")] = Field(
        "", title="material", description="strike as if it were made of this"
    )
    size_factor: Annotated[
        Number, _number_setting("The size factor", 0.25, 4.0, "strike as if it were this many times as large")
    ] = 1.0


class QuestionRequest(_Request):
    """audio_qa: a question about a clip, without the space around it."""

    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class DemoClipRequest(_Request):
    """binaural: a test sound rendered at a known direction."""

    sound: Annotated[str, Choices(DEMO_SOUNDS)] = Field(title="test sound")
    azimuth_deg: Annotated[Number, _number_setting("The azimuth in degrees", -180.0, 180.0)]
    elevation_deg: Annotated[Number, _number_setting("The elevation in degrees", -40.0, 60.0)] = 0.0  # 1.5 m away
    room: Annotated[str, Choices(ROOMS)] = Field("none", title="room")
    snr_db: Annotated[Number, _number_setting("The signal-to-noise ratio in dB", -10.0, 60.0)] = 40.0
    seed: Seed = 0


AnySound = FlowRequest | LanguageRequest | ImpactRequest
SOUND_REQUESTS: tuple[type[AnySound], ...] = (FlowRequest, LanguageRequest, ImpactRequest)
PATHS: tuple[str, ...] = ("flow", "mlp", "language", "tap")


def request_type(path: str) -> type[AnySound]:
    """The request model of a path. UserError for an unknown one."""
    name = "flow" if path == DIRECT else path
    if name in ("flow", "mlp"):
        return FlowRequest
    if name == "language":
        return LanguageRequest
    if name == "tap":
        return ImpactRequest
    raise UserError(f"There is no path '{path}'; choose 'direct' (= 'flow'), 'mlp', 'language' or 'tap'.")


def sound_request(path: str, settings: Mapping[str, Any]) -> AnySound:
    """The request for a sound by `path`. Settings that belong to another path are checked and left out.

    UserError for an unknown path or setting, or a value out of its bounds, with one sentence.
    """
    model = request_type(path)
    own = {name: value for name, value in settings.items() if name in model.model_fields and name != "path"}
    for name in settings.keys() - own.keys():
        others = [other for other in SOUND_REQUESTS if name in settings_of(other)]
        if not others:
            raise UserError(f"There is no setting '{name}'.")
        checked(others[0], {name: settings[name]})
    return checked(model, {"path": "flow" if path == DIRECT else path, **own})


def whole_number(what: str, value: Any, low: int, high: int) -> int:
    """UserError unless `value` is a whole number from `low` to `high`; `what` begins its sentence."""
    try:
        given = _whole(value)
    except PydanticCustomError:
        given = math.nan
    if not low <= given <= high:
        raise UserError(f"{what} must be a whole number from {low} to {high}, but {value!r} was given.")
    return int(given)


def checked(model: type[Request], values: Mapping[str, Any]) -> Request:
    """The model made of `values`. UserError with one sentence that names the setting, its bounds and what was given."""
    try:
        return model(**values)
    except ValidationError as refused:
        error = refused.errors(include_url=False)[0]
    raise UserError(_sentence(model, str(error["loc"][0]), error["type"], error["input"], error.get("ctx", {})))


@dataclass(frozen=True)
class Setting:
    """One field of a request. kind: float, int, bool or str; low, high: None where it has no bounds; choices: of a text
    setting, empty where any text will do."""

    name: str
    kind: type
    default: Any
    low: float | None
    high: float | None
    description: str
    choices: tuple[str, ...] = ()


@cache
def settings_of(model: type[BaseModel]) -> dict[str, Setting]:
    """By name, in their order; without `path`."""
    found = {}
    for name, field in model.model_fields.items():
        low = next((mark.ge for mark in field.metadata if isinstance(mark, Ge)), None)
        high = next((mark.le for mark in field.metadata if isinstance(mark, Le)), None)
        choices = next((mark.values for mark in field.metadata if isinstance(mark, Choices)), ())
        kind = field.annotation if isinstance(field.annotation, type) else str
        if name != "path":
            found[name] = Setting(name, kind, field.default, low, high, field.description or "", choices)  # type: ignore[arg-type]
    return found


def click_position(x: float, y: float) -> tuple[float, float]:
    """UserError when either is no number; whether they lie on the photograph only the photograph knows."""
    try:
        return _number(x), _number(y)
    except PydanticCustomError:
        raise UserError("The place must be two numbers, x and y, in pixels of the photograph.") from None


def check_inside(x: float, y: float, width_px: int, height_px: int) -> None:
    """UserError unless the place lies on the photograph, in the words of `PatchGrid.cell`."""
    if not (0 <= x < width_px and 0 <= y < height_px):  # also refuses NaN
        raise UserError(
            f"The click ({x:g}, {y:g}) lies outside the photograph, which is {width_px} x {height_px} pixels."
        )


def _sentence(model: type[BaseModel], name: str, kind: str, given: Any, context: Mapping[str, Any]) -> str:
    if kind == "extra_forbidden":
        return f"There is no setting '{name}'."
    title = model.model_fields[name].title or f"The setting '{name}'"
    if kind == "string_too_short":
        return f"Type a {name} first."
    if kind == "string_too_long":
        return f"A {name} may have up to {context['max_length']} characters, but this one has {len(given.strip())}."
    if kind == "choice":
        return f"There is no {title} '{given}'; {context['hint']}."
    if kind == "string_type":
        return f"The {title} must be text."
    if kind == "bool_type":
        return f"{title} must be True or False."
    if kind == "literal_error":
        return f"There is no {name} '{given}'; choose {context['expected']}."
    setting = settings_of(model).get(name)
    if setting is None or setting.low is None or setting.high is None:
        return f"{title} is missing or has the wrong type."
    low, high = plain(setting.low), plain(setting.high)
    if kind == "whole":
        return f"{title} must be a whole number, but {given:g} was given."
    if kind in ("number", "missing"):
        return f"{title} must be a number from {low} to {high}."
    return f"{title} must lie between {low} and {high}, but {plain(float(given))} was given."


def _listed(names: Sequence[str]) -> str:
    """'finger', 'wood' or 'metal'."""
    quoted = [f"'{name}'" for name in names]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def plain(value: float) -> str:
    """A number without exponent: 4294967295, not 4.29497e+09."""
    return f"{value:.0f}" if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else f"{value:g}"
