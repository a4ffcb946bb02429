"""The path "language" through the whole studio, with tiny random models: files, seeds, recipes, evidence, memory."""

from __future__ import annotations

import gc
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from synesthesia import Studio, cli
from synesthesia.core import checkpoints, recipe
from synesthesia.core.errors import UserError
from synesthesia.core.results import Heard, Tokens
from synesthesia.vision.grid import EncodedImage, patch_seed
from synesthesia.vlm_to_sound.sampling import TokenSampler
from tests.tiny import damaged_copy, write_checkpoints
from tests.vlm_to_sound.tiny import TOKENS, write_vlm_to_sound


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    write_checkpoints(folder)
    write_vlm_to_sound(folder)
    return folder


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(folder))


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio.load("embedded")


def click(studio: Studio, cat: Image.Image, x: float = 200, y: float = 100, **settings: object) -> Heard:
    return studio.hear(cat, x, y, path="language", anyway=True, **({"seconds": 1.0} | settings))  # type: ignore[arg-type]


def tokens_of(heard: Heard) -> Tokens:
    assert heard.tokens is not None
    return heard.tokens


@pytest.mark.parametrize("seconds", [1.0, 2.345])
def test_durations_and_seeds(studio: Studio, cat: Image.Image, seconds: float) -> None:
    first, again, other = (click(studio, cat, seconds=seconds, seed=seed) for seed in (5, 5, 6))
    assert first.waveform.shape == (2, round(seconds * 16_000)) and first.waveform.dtype == np.float32
    assert 0.05 < np.abs(first.waveform).max() <= 1 and not np.array_equal(*first.waveform)
    assert np.array_equal(first.waveform, again.waveform) and np.array_equal(
        tokens_of(first).codes, tokens_of(again).codes
    )
    assert not np.array_equal(tokens_of(first).codes, tokens_of(other).codes)


def test_another_studio_gives_the_same_samples(studio: Studio, cat: Image.Image) -> None:
    first, theirs = (click(each, cat, seed=5) for each in (studio, Studio.load("embedded")))
    assert np.array_equal(first.waveform, theirs.waveform) and first.recipe == theirs.recipe


def test_tokens_of_a_result(studio: Studio, cat: Image.Image) -> None:
    heard = click(studio, cat, seconds=1.3)
    tokens, grid = tokens_of(heard), studio.look(cat)
    assert tokens.codes.shape == (2, TOKENS.codebooks, 33) and tokens.codes.dtype == np.int64
    assert tokens.codes.min() >= 0 and tokens.codes.max() < TOKENS.codes == tokens.sizes
    assert tokens.per_second == 25 and tokens.takes == 12 and 0 <= tokens.take < 12
    assert tokens.cross_attention.shape == (grid.rows, grid.cols) and tokens.cross_attention.dtype == np.float32
    assert tokens.cross_attention.sum() == pytest.approx(1.0, abs=1e-4) and tokens.cross_attention.min() >= 0
    assert abs(tokens.itd_s) < 800e-6
    assert heard.evidence.labels and heard.evidence.neighbours[0].licence == "CC0"


def test_the_take_is_chosen_by_the_priors_class_probabilities(studio: Studio, cat: Image.Image) -> None:
    heard, grid, image_to_sound = click(studio, cat, seed=8), studio.look(cat), studio.services.image_to_sound.pipeline
    generator, (row, col) = studio.services.vlm_to_sound.generator, grid.cell(200, 100)
    condition = image_to_sound.predict(grid)
    by_hand = generator.generate(
        generator.encode(studio.services.seen_earlier(EncodedImage(cat, grid.key, grid)), row, col), grid, seconds=1.0,
        seed=patch_seed(8, grid.key, row, col), sampler=TokenSampler(1.0, 100, 3.0),
        class_probs=condition.class_probs[row * grid.cols + col],
    )  # fmt: skip
    assert np.array_equal(heard.waveform, by_hand.waveform) and tokens_of(heard).take == by_hand.take
    assert (
        generator.tagger is image_to_sound.generator.tagger
        and generator.vocoder is image_to_sound.generator.codec.vocoder
    )
    mono = torch.from_numpy(heard.waveform).mean(dim=0)
    assert heard.evidence == image_to_sound.evidence(mono, condition.query[row * grid.cols + col])


def test_places_and_settings_matter(studio: Studio, cat: Image.Image) -> None:
    codes = [tokens_of(click(studio, cat, **given)).codes for given in (
        {}, {"x": 30.0}, {"temperature": 0.3}, {"top_k": 2}, {"guidance": 1.0},
    )]  # type: ignore[arg-type]  # fmt: skip
    assert len({code.tobytes() for code in codes}) == len(codes)
    greedy = [tokens_of(click(studio, cat, temperature=0, seed=seed)) for seed in (1, 2)]
    assert np.array_equal(greedy[0].codes, greedy[1].codes)


def test_a_sound_of_ten_seconds(studio: Studio, cat: Image.Image) -> None:
    heard = click(studio, cat, seconds=10.0)
    assert (
        heard.waveform.shape == (2, 160_000) and tokens_of(heard).codes.shape[2] == 250 and tokens_of(heard).takes == 4
    )
    assert np.abs(heard.waveform[:, -16_000:]).max() > 1e-3


@pytest.mark.parametrize("seconds", [1.0, 5.117])
def test_a_stream_has_the_requested_duration(studio: Studio, cat: Image.Image, seconds: float) -> None:
    pieces = list(studio.stream(cat, 200, 100, seconds=seconds, seed=3, anyway=True))
    assert sum(piece.shape[1] for piece in pieces) == round(16_000 * seconds) and len(pieces) > 1
    assert all(piece.dtype == np.float32 and np.abs(piece).max() <= 0.9 for piece in pieces)
    again = list(studio.stream(cat, 200, 100, seconds=seconds, seed=3, anyway=True))
    assert all(np.array_equal(*pair) for pair in zip(pieces, again, strict=True))


def test_scene_sweep_and_people_at_once(studio: Studio, cat: Image.Image) -> None:
    scene = studio.scene(cat, path="language", seconds=1, stems=2)
    assert scene.waveform.shape == (2, 16_000) and np.abs(scene.waveform).max() <= 1
    row = studio.sweep(cat, 2, path="language", seconds=1, anyway=True)
    assert [(heard.row, heard.col) for heard in (next(row), next(row))] == [(2, 0), (2, 1)]
    alone = [click(studio, cat, x=100.0 + 50 * k, seed=k).waveform for k in range(3)]
    with ThreadPoolExecutor(3) as pool:
        for k, heard in enumerate(pool.map(lambda k: click(studio, cat, x=100.0 + 50 * (k % 3), seed=k % 3), range(6))):
            assert np.array_equal(heard.waveform, alone[k % 3])


def test_a_recipe_on_the_command_line_gives_the_same_samples(
    studio: Studio, cat: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import soundfile

    heard = click(studio, cat, seed=4, temperature=0.8, top_k=5)
    cat.save(tmp_path / "cat.png")
    (tmp_path / "r.json").write_text(recipe.to_json(heard.recipe))
    given = ["hear", tmp_path / "cat.png", "--recipe", tmp_path / "r.json", "--out", tmp_path / "a.wav", "--json"]
    assert cli.main([str(one) for one in given]) == 0
    assert json.loads(capsys.readouterr().out)["recipe"] == json.loads((tmp_path / "r.json").read_text())
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert samples.shape == (16_000, 2)
    assert np.abs(samples.T - np.round(np.clip(heard.waveform, -1, 1) * 32767)).max() <= 1


@pytest.mark.slow
def test_memory_stays_flat(studio: Studio, cat: Image.Image) -> None:
    """Nothing of a click is kept: the same tensors are alive after many as after a few."""

    def alive(clicks: int) -> Counter[tuple[int, ...]]:
        for number in range(clicks):
            click(studio, cat, x=20.0 + 3 * number, seed=number)
            next(iter(studio.stream(cat, 20.0 + 3 * number, 50, seconds=2, anyway=True)))  # left half-way
        gc.collect()
        return Counter(tuple(one.shape) for one in gc.get_objects() if type(one) is torch.Tensor)

    few = alive(2)
    assert alive(8) == few


def test_a_damaged_head_is_refused_and_the_other_paths_sound(
    folder: Path, cat: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = damaged_copy(folder, tmp_path / "checkpoints", "token_decoder/model.safetensors")
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(damaged))
    studio = Studio.load("embedded")
    for _ in range(2):
        with pytest.raises(UserError, match=r"token_decoder/model\.safetensors is damaged"):
            click(studio, cat)
    assert studio.hear(cat, 200, 100, seconds=1, steps=2, anyway=True).waveform.any()


def test_info_lists_the_new_roles(studio: Studio) -> None:
    listed = {one.role: one for one in studio.info().checkpoints}
    for role, folder in (("thinker", "thinker"), ("audio head", "token_decoder"), ("sound tokens", "mel_tokens")):
        assert listed[role].present and listed[role].where == f"checkpoints/{folder}"
    assert "language" in studio.info().paths
    hub = {one.role: one for one in Studio.load("hub").info().checkpoints}
    assert hub["thinker"].where == "Qwen/Qwen3-VL-2B-Instruct" and hub["thinker"].revision.startswith("89644892e4d8")
    assert not hub["audio head"].present
