"""The studio's contract: what goes in is checked, what comes out belongs to its caller. Stand-in eyes and ears."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from PIL import Image

from synesthesia import Studio
from synesthesia.capability import VisionEncoder
from synesthesia.core.errors import UserError
from synesthesia.core.presets import embedded
from synesthesia.core.results import Heard, Progress
from synesthesia.studio import KEPT_PICTURES
from synesthesia.vision.grid import PatchGrid
from tests.ui.fake_studio import FakeStudio

BRIGHT = (262, 115)  # a place of the cat's picture where the stand-in ears hear something


@pytest.fixture
def studio() -> FakeStudio:
    return FakeStudio()


def test_heard_keeps_the_contract(studio: FakeStudio, cat: Image.Image) -> None:
    heard = studio.hear(cat, *BRIGHT, seconds=1.5, seed=3)
    assert heard.waveform.dtype == np.float32
    assert heard.waveform.shape == (1, 24_000)
    assert np.abs(heard.waveform).max() <= 1
    assert heard.sample_rate == 16_000
    assert 0 <= heard.presence <= 1
    assert heard.evidence.labels[0].score >= heard.evidence.labels[-1].score
    x1, y1, x2, y2 = heard.box_px
    assert x1 <= BRIGHT[0] < x2
    assert y1 <= BRIGHT[1] < y2
    assert (heard.recipe.x, heard.recipe.y, heard.recipe.seed, heard.recipe.path) == (*BRIGHT, 3, "flow")


def test_the_same_seed_gives_the_same_samples(studio: FakeStudio, cat: Image.Image) -> None:
    first, again, other = (studio.hear(cat, *BRIGHT, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.waveform, again.waveform)
    assert not np.array_equal(first.waveform, other.waveform)


def test_direct_is_the_flow(studio: FakeStudio, cat: Image.Image) -> None:
    direct, flow, mlp = (studio.hear(cat, *BRIGHT, path=path) for path in ("direct", "flow", "mlp"))
    assert np.array_equal(direct.waveform, flow.waveform)
    assert not np.array_equal(flow.waveform, mlp.waveform)


def test_below_the_threshold_it_is_silent_unless_told(studio: FakeStudio) -> None:
    dark = Image.new("RGB", (64, 64), (5, 5, 5))
    quiet = studio.hear(dark, 10, 10, seconds=2)
    assert quiet.silent
    assert quiet.waveform.shape == (1, 32_000)
    assert not quiet.waveform.any()
    told = studio.hear(dark, 10, 10, seconds=2, anyway=True)
    assert not told.silent
    assert told.waveform.any()
    assert told.presence == quiet.presence


BAD_SETTINGS = {
    "seconds": [0, -1, 0.5, 11, 1e9, float("nan"), float("inf"), "long", None],
    "seed": [-1, 2**32, 1.5, float("nan"), "x"],
    "steps": [0, 13, 2.5],
    "guidance": [-0.1, 11, float("nan")],
    "path": ["", "Tap", "FLOW", "../flow", "Language"],
    "temperature": [-0.1, 2.1, float("nan"), "hot"],
    "top_k": [0, 1025, 1.5, None],
    "force": [0, 0.4, 51, float("nan"), "hard", None],
    "mallet": ["", "Wood", "hammer", None, 3],
    "material": ["Wood", "gold", None, 3, "wood "],
    "size_factor": [0, 0.2, 4.1, float("inf"), "2", None],
}


NOT_OF_A_STREAM = ("steps", "path", "force", "mallet", "material", "size_factor")


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, few in BAD_SETTINGS.items() for value in few])
def test_bad_settings_are_one_sentence(studio: FakeStudio, cat: Image.Image, name: str, value: object) -> None:
    for call in (
        lambda: studio.hear(cat, 10, 10, **{name: value}),
        lambda: studio.sweep(cat, 0, **{name: value}),
        lambda: studio.scene(cat, **{name: value}),
        lambda: studio.hear_steps(cat, 10, 10, **{name: value}),
        *([] if name in NOT_OF_A_STREAM else [lambda: studio.stream(cat, 10, 10, **{name: value})]),
    ):
        with pytest.raises(UserError) as caught:
            call()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["flow", "mlp", "language"])
def test_the_sound_comes_last_and_once(studio: FakeStudio, cat: Image.Image, path: str) -> None:
    came = list(studio.hear_steps(cat, *BRIGHT, path=path, seconds=1, seed=2))
    heard = came[-1]
    assert isinstance(heard, Heard) and not any(isinstance(one, Heard) for one in came[:-1])
    assert came[:-1] == ([Progress(done, 25) for done in range(1, 26)] if path == "language" else [])
    again = studio.hear(cat, *BRIGHT, path=path, seconds=1, seed=2)
    assert np.array_equal(heard.waveform, again.waveform) and heard.recipe == again.recipe
    assert (heard.tokens is None) == (path != "language")
    assert heard.waveform.shape == (2 if path == "language" else 1, 16_000)


def test_settings_of_the_tokens_are_in_the_recipe(studio: FakeStudio, cat: Image.Image) -> None:
    heard = studio.hear(cat, *BRIGHT, path="language", seconds=1, temperature=0.5, top_k=9)
    assert (heard.recipe.path, heard.recipe.temperature, heard.recipe.top_k) == ("language", 0.5, 9)
    flow = studio.hear(cat, *BRIGHT, seconds=1)
    assert not {"temperature", "top_k"} & flow.recipe.model_dump().keys()


def test_nobody_waits_while_a_step_is_looked_at(studio: FakeStudio, cat: Image.Image) -> None:
    steps = studio.hear_steps(cat, *BRIGHT, path="language", seconds=1)
    next(steps)
    with ThreadPoolExecutor(1) as pool:  # a lock held by this thread would stop that one
        other = pool.submit(studio.hear, cat, *BRIGHT, path="language", seconds=1)
        assert other.result(timeout=20).waveform.any()
    *_, heard = steps
    assert isinstance(heard, Heard) and np.array_equal(heard.waveform, other.result().waveform)
    left = studio.hear_steps(cat, *BRIGHT, path="language", seconds=1)
    next(left)
    left.close()  # type: ignore[attr-defined]
    assert studio.hear(cat, *BRIGHT, seconds=1).waveform.any(), "stopped half-way, nothing is held"


def test_a_silent_place_has_two_channels_and_no_tokens(studio: FakeStudio) -> None:
    dark = Image.new("RGB", (64, 64), (5, 5, 5))
    came = list(studio.hear_steps(dark, 10, 10, path="language", seconds=2))
    assert len(came) == 1 and isinstance(came[0], Heard)
    assert came[0].silent and came[0].tokens is None and came[0].waveform.shape == (2, 32_000)
    pieces = list(studio.stream(dark, 10, 10, seconds=2))
    assert [piece.shape for piece in pieces] == [(2, 32_000)] and not pieces[0].any()
    scene = studio.scene(dark, path="language", seconds=2)
    assert scene.silent and scene.waveform.shape == (2, 32_000)
    assert studio.scene(dark, seconds=2).waveform.shape == (1, 32_000)


@pytest.mark.parametrize("place", [(-1, 5), (451, 5), (5, 300), (5, -0.1), (float("nan"), 5), (1e9, 1e9)])
def test_clicks_outside_are_refused(studio: FakeStudio, cat: Image.Image, place: tuple[float, float]) -> None:
    with pytest.raises(UserError, match="outside the photograph"):
        studio.hear(cat, *place)
    with pytest.raises(UserError, match="outside the photograph"):
        studio.hear_steps(cat, *place)
    with pytest.raises(UserError, match="outside the photograph"):
        studio.stream(cat, *place)
    with pytest.raises(UserError, match="outside the photograph"):
        studio.similarity(cat, *place)


def test_what_is_no_photograph_row_or_clip_is_one_sentence(studio: FakeStudio, cat: Image.Image) -> None:
    clip = np.zeros((2, 16_000), np.float32)
    for call in (
        *(partial(studio.hear, image, 1, 1) for image in (None, 3, np.zeros((30, 30, 3), np.uint8))),
        *(partial(studio.sweep, cat, row) for row in ("a", 1.5, None, 99, -1)),
        *(partial(studio.scene, cat, stems=stems) for stems in ("2", None, 2.5, True, 0)),
        *(partial(studio.similarity, cat, x, 3) for x in ("a", None, 10**400)),
        *(partial(studio.locate, clip, rate) for rate in ("16000", None, 16000.5, True, float("nan"))),
        partial(studio.locate, [[1.0], [1.0, 2.0]], 16_000),
        partial(studio.stream, cat, 1, 1, path="flow"),
    ):
        with pytest.raises(UserError) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_after_bad_input_the_next_click_works(studio: FakeStudio, cat: Image.Image) -> None:
    with pytest.raises(UserError):
        studio.hear(b"not a picture", 1, 1)
    with pytest.raises(UserError):
        studio.hear(cat, -1, -1)
    assert studio.hear(cat, 1, 1, anyway=True).waveform.any()


class CountingEncoder:
    """Another encoder, with the number of photographs that it encoded."""

    def __init__(self, encoder: VisionEncoder) -> None:
        self.encoder, self.count = encoder, 0

    def encode(self, picture: Image.Image) -> PatchGrid:
        self.count += 1
        return self.encoder.encode(picture)

    def encode_stage_maps(self, picture: Image.Image) -> PatchGrid:
        return self.encoder.encode_stage_maps(picture)


def test_a_photograph_is_looked_at_once_by_its_content(cat: Image.Image, tmp_path) -> None:
    services = FakeStudio().services
    services.vision = encoder = CountingEncoder(services.vision)
    studio = Studio(embedded(), services)
    path = tmp_path / "cat.png"
    cat.save(path)
    for source in (cat, path, cat.copy()):
        studio.hear(source, *BRIGHT, seconds=1)
        studio.similarity(source, 3, 3)
    assert encoder.count == 1


def test_the_memory_for_photographs_is_bounded(studio: FakeStudio) -> None:
    for shade in range(KEPT_PICTURES + 9):
        studio.presence(Image.new("RGB", (32, 32), (shade, 0, 0)))
    assert len(studio._grids) == KEPT_PICTURES


def test_a_sweep_goes_from_left_to_right_and_stops_when_told(studio: FakeStudio, cat: Image.Image) -> None:
    cols = studio.look(cat).cols
    sounds = list(studio.sweep(cat, 4, seconds=1, anyway=True))
    assert [heard.col for heard in sounds] == list(range(cols))
    assert {heard.row for heard in sounds} == {4}
    some = studio.sweep(cat, 4, seconds=1)
    next(some)
    some.close()  # type: ignore[attr-defined]
    with pytest.raises(UserError):
        studio.sweep(cat, 99)


def test_two_people_at_once_hear_their_own(cat: Image.Image) -> None:
    studio = FakeStudio(delay_s=0.005)
    pictures = [cat, cat.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    alone = [FakeStudio().hear(picture, 100, 90, seed=i, anyway=True) for i, picture in enumerate(pictures)]

    def person(i: int) -> Heard:
        return studio.hear(pictures[i % 2], 100, 90, seed=i % 2, anyway=True)

    with ThreadPoolExecutor(8) as pool:
        for i, heard in enumerate(pool.map(person, range(40))):
            assert np.array_equal(heard.waveform, alone[i % 2].waveform)
            assert heard.recipe.picture_sha256 == alone[i % 2].recipe.picture_sha256


def test_a_result_is_not_shared_between_callers(studio: FakeStudio, cat: Image.Image) -> None:
    first = studio.hear(cat, *BRIGHT)
    first.waveform[:] = 0
    assert studio.hear(cat, *BRIGHT).waveform.any()
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.presence = 1.0  # type: ignore[misc]


def test_recipes_belong_to_their_photograph_and_weights(studio: FakeStudio, cat: Image.Image) -> None:
    wanted = studio.hear(cat, *BRIGHT).recipe
    studio.check_recipe(cat, wanted)
    for change, words in (
        ({"picture_sha256": "0" * 64}, "another photograph"),
        ({"weights_sha256": "0" * 64}, "other weights"),
        ({"preset": "hub"}, "preset"),
    ):
        with pytest.raises(UserError, match=words):
            studio.check_recipe(cat, wanted.model_copy(update=change))


def test_without_weights_one_sentence_says_so(cat: Image.Image, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNESTHESIA_CHECKPOINTS", str(tmp_path))
    studio = Studio.load("embedded")
    for _ in range(2):
        with pytest.raises(UserError, match="missing"):
            studio.hear(cat, 5, 5)
    assert not any(one.present for one in studio.info().checkpoints if one.where.startswith("checkpoints"))


def test_hub_without_its_mapper_names_the_command(cat: Image.Image, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNESTHESIA_CHECKPOINTS", str(tmp_path))
    with pytest.raises(UserError, match=r"python -m training\.image_to_sound\.train --preset hub"):
        Studio.load("hub").warm()


@pytest.mark.parametrize("name", ["embedded", "hub"])
def test_an_untrained_language_path_names_its_command(
    name: str, cat: Image.Image, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNESTHESIA_CHECKPOINTS", str(tmp_path))
    studio = Studio.load(name)
    for call in (studio.hear_steps, studio.hear):
        with pytest.raises(UserError) as caught:
            call(cat, 5, 5, path="language")
        assert studio.preset.vlm_to_sound.train_command in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"training\.vlm_to_sound\.train"):
        studio.stream(cat, 5, 5)
