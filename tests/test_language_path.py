"""The language path on tiny random models and a vocoder of plain noise: seeds, streaming, odd grids, takes, looks."""

from __future__ import annotations

from functools import cache
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from synesthesia.audio.ear import Ear
from synesthesia.audio.mel_tokens import MelTokenConfig, MelTokens
from synesthesia.audio.stereo import common, stereo
from synesthesia.hearing.token_decoder import Memory, Step, TokenDecoder, TokenDecoderConfig
from synesthesia.language.picture_model import tiny, tiny_config
from synesthesia.language.thinker import Seen, Thought
from synesthesia.language_path import FIRST_FRAMES, PEAK, PIECE_FRAMES, LanguagePath, Sampling, gathered, loud
from synesthesia.vision.grid import PatchGrid

BOOKS, CODES, RATE_HZ, TOKEN = 2, 8, 16_000, 640
GREEDY = Sampling(temperature=0.0)


class Noise:
    """White noise as loud as the mel, a vocoder that remembers what it was given."""

    def __init__(self) -> None:
        self.spoken: list[Tensor] = []

    def __call__(self, mel: Tensor) -> Tensor:
        self.spoken.append(mel)
        noise = torch.randn(mel.shape[1] * 160, generator=torch.Generator().manual_seed(0))
        return 0.05 * noise * mel.mean(dim=2).exp().repeat_interleave(160, dim=1)


@cache
def a_path() -> LanguagePath:
    """Random weights, large enough that everything matters to what is said."""
    torch.manual_seed(0)
    tokens = MelTokens(MelTokenConfig(codebooks=BOOKS, codes=CODES))
    tokens.books.normal_(std=0.5)
    config = TokenDecoderConfig(thought=16, width=16, layers=2, heads=2, tokens=tokens.config)
    thinker, decoder = tiny(tiny_config(4, width=16, layers=1)), TokenDecoder(config, tokens).eval()
    with torch.no_grad():
        for name, parameter in [*thinker.named_parameters(), *decoder.named_parameters()]:
            if parameter.ndim == 2:
                parameter.normal_(std=1.0 if name.startswith("words") else 1.5 * parameter.shape[1] ** -0.5)
    return LanguagePath(thinker.requires_grad_(False), decoder.requires_grad_(False), Noise())


@pytest.fixture
def path() -> LanguagePath:
    return LanguagePath(a_path().thinker, a_path().decoder, Noise())


def grid(rows: int, cols: int) -> PatchGrid:
    generator = torch.Generator().manual_seed(rows * 100 + cols)
    features = torch.randn(rows, cols, 4, generator=generator)
    closer = torch.randn(rows, cols, 2, 4, generator=generator).half()
    return PatchGrid(features, features.mean(dim=(0, 1)), closer, cols * 10, rows * 10, "made up")


@pytest.fixture
def memory(path: LanguagePath) -> Memory:
    return path.think(grid(5, 7), 2, 3)


def test_the_same_seed_says_the_same_samples(path: LanguagePath, memory: Memory) -> None:
    first, again, other = (path.speak(memory, (3, 4), seconds=0.4, seed=seed, takes=2) for seed in (3, 3, 4))
    assert np.array_equal(first.waveform, again.waveform) and np.array_equal(first.codes, again.codes)
    assert np.array_equal(first.looks, again.looks) and first.lead_s == again.lead_s
    assert not np.array_equal(first.codes, other.codes) and not np.array_equal(first.waveform, other.waveform)
    elsewhere = path.speak(path.think(grid(5, 7), 4, 0), (3, 4), seconds=0.4, seed=3, takes=2)
    assert not np.array_equal(first.codes, elsewhere.codes)


@pytest.mark.parametrize("seconds", [0.04, 0.3, 1.0, 1.01])
def test_a_sound_lasts_as_long_as_was_asked(path: LanguagePath, memory: Memory, seconds: float) -> None:
    said = path.speak(memory, (3, 4), seconds=seconds, seed=0, takes=1)
    assert said.waveform.shape == (2, round(RATE_HZ * seconds)) and said.waveform.dtype == np.float32
    assert float(np.abs(said.waveform).max()) == pytest.approx(PEAK, abs=1e-5)
    tokens = said.codes.shape[2]
    assert said.codes.shape == (2, BOOKS, tokens) and said.codes.dtype == np.int64
    assert 0 <= tokens - seconds * 25 < 1 + 1e-9


@pytest.mark.parametrize("seconds", [0.04, 0.5, 0.52, 0.53, 1.0, 1.3, 1.517, 2.6])
def test_pieces_together_last_exactly_as_long(path: LanguagePath, memory: Memory, seconds: float) -> None:
    pieces = list(path.stream(memory, seconds=seconds, seed=0, sampling=GREEDY))
    assert sum(piece.shape[1] for piece in pieces) == round(RATE_HZ * seconds)
    assert all(p.shape[0] == 2 and p.dtype == np.float32 and np.abs(p).max() <= 1.0 for p in pieces)
    lengths, last = [piece.shape[1] for piece in pieces[:-1]], pieces[-1].shape[1]
    assert lengths == [FIRST_FRAMES * TOKEN, PIECE_FRAMES * TOKEN, PIECE_FRAMES * TOKEN][: len(lengths)]
    assert 0 < last <= (PIECE_FRAMES if lengths else FIRST_FRAMES) * TOKEN


def test_pieces_are_cut_from_what_is_said_in_one_go(path: LanguagePath, memory: Memory) -> None:
    """The same tokens; the vocoder is given a little of the piece before, and that is left out of what it makes."""
    said = path.speak(memory, (3, 4), seconds=1.8, seed=5, takes=1)
    decoded = path.decoder.tokens.decode(torch.from_numpy(said.codes))[None]
    whole = common(decoded)
    vocoder = cast(Noise, path.vocoder)
    vocoder.spoken.clear()
    pieces = list(path.stream(memory, seconds=1.8, seed=5))
    ends = [FIRST_FRAMES, FIRST_FRAMES + PIECE_FRAMES, 45]
    starts = [0, FIRST_FRAMES - 8, FIRST_FRAMES + PIECE_FRAMES - 8]
    assert len(pieces) == len(vocoder.spoken) == 3
    for mel, start, end in zip(vocoder.spoken, starts, ends, strict=True):
        assert torch.equal(mel, whole[:, 4 * start : 4 * end])
    steps = list(path.write(memory, 45, 5, 1))
    for piece, first, end, given in zip(pieces, starts, ends, [0, *ends], strict=False):
        written = gathered(steps[: 2 * end], path.decoder)
        assert np.array_equal(written.codes[0].numpy(), said.codes[:, :, :end])
        made = stereo(decoded[:, :, 4 * first : 4 * end], written.lead_s, Noise())[0].clamp(-1, 1)
        assert np.allclose(piece, made[:, TOKEN * (given - first) :].numpy(), atol=1e-6)


def test_the_first_piece_does_not_wait_for_the_last(
    path: LanguagePath, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    positions, run = [0], TokenDecoder._run

    def counted(*args: object) -> tuple[Tensor, Tensor]:
        positions[0] += 1
        return run(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(TokenDecoder, "_run", counted)
    pieces = path.stream(memory, seconds=4.0, seed=0)
    assert positions == [0]
    next(pieces)
    assert positions == [2 * FIRST_FRAMES]


@pytest.mark.parametrize(("rows", "cols"), [(4, 6), (5, 6), (4, 7), (5, 7), (3, 1)])
def test_looks_are_a_map_of_the_cells(path: LanguagePath, rows: int, cols: int) -> None:
    photo = grid(rows, cols)
    cells = path.cells(photo)
    assert cells == ((rows + 1) // 2, (cols + 1) // 2)
    memory = path.think(photo, rows - 1, cols - 1)
    assert int(memory.patches.sum()) == cells[0] * cells[1]
    said = path.speak(memory, cells, seconds=0.2, seed=0, takes=2)
    assert said.looks.shape == cells and said.looks.sum() == pytest.approx(1.0, abs=1e-5)
    steps = list(path.write(memory, 5, 0, 2))
    by_hand = torch.stack([step.looks[said.take] for step in steps]).mean(dim=0)[memory.patches[0]]
    assert np.allclose(said.looks.flatten(), by_hand / by_hand.sum(), atol=1e-5)


@pytest.mark.parametrize(("rows", "cols"), [(4, 6), (5, 7), (15, 15)])
def test_the_box_lies_in_the_cell_that_the_patch_belongs_to(path: LanguagePath, rows: int, cols: int) -> None:
    """Also where an odd last row or column stands twice, and a cell's place is told by the tower's grid."""
    told: list[Tensor] = []

    def listen(seen: list[Seen], boxes: Tensor) -> Thought:
        told.append(boxes[0])
        found: Thought = a_path().thinker(seen, boxes)
        return found

    path.thinker = listen  # type: ignore[assignment]
    down, across = path.cells(grid(rows, cols))
    for row, col in ((row, col) for row in {0, 1, rows // 2, rows - 2, rows - 1} for col in (0, cols // 2, cols - 2)):
        path.think(grid(rows, cols), row, col)
        left, top, right, bottom = told[-1].tolist()
        assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1
        assert (int((top + bottom) / 2 * down), int((left + right) / 2 * across)) == (row // 2, col // 2)


def test_the_ear_keeps_the_take_it_likes_best(path: LanguagePath, memory: Memory) -> None:
    heard: list[Tensor] = []

    class Likes:
        def __init__(self, best: int) -> None:
            self.best = best

        def __call__(self, mel: Tensor) -> tuple[Tensor, Tensor]:
            heard.append(mel)
            logits = torch.zeros(len(mel), 3)
            logits[:, 0], logits[self.best, 2] = 9.0, 5.0  # all sound like the first label, which nobody wants
            return logits, logits

    wanted = torch.tensor([0.0, 0.5, 0.5])
    for best in (2, 0):
        path.ear = cast(Ear, Likes(best))
        said = path.speak(memory, (3, 4), seconds=0.2, seed=7, takes=3, wanted=wanted)
        assert said.take == best
        written = gathered(list(path.write(memory, 5, 7, 3)), path.decoder)
        assert np.array_equal(said.codes, written.codes[best].numpy())
        assert said.lead_s == pytest.approx(float(written.lead_s[best]))
        mels = path.decoder.tokens.decode(written.codes[best])
        assert torch.allclose(heard[-1][best], common(mels[None])[0], atol=1e-5)
        assert torch.allclose(cast(Noise, path.vocoder).spoken[-1], common(mels[None]), atol=1e-5)
    assert path.speak(memory, (3, 4), seconds=0.2, seed=7, takes=3).take == 0, "nothing wanted: the first"


def test_takes_do_not_depend_on_each_other(path: LanguagePath, memory: Memory) -> None:
    one, four = (gathered(list(path.write(memory, 6, 11, takes)), path.decoder) for takes in (1, 4))
    assert torch.equal(one.codes[0], four.codes[0])
    assert len({tuple(take.flatten().tolist()) for take in four.codes}) == 4


def test_positions_are_gathered_by_ear_and_book() -> None:
    decoder = a_path().decoder
    leads = torch.full((2, 33), -30.0)
    leads[0, 16 + 4] = leads[1, 16 - 2] = 30.0
    steps = [
        Step(torch.tensor([[10 * p, 10 * p + 1], [10 * p + 5, 10 * p + 6]]), leads if p % 2 else None,
             torch.full((2, 3), float(p)))
        for p in range(6)
    ]  # fmt: skip
    written = gathered(steps, decoder)
    assert written.codes.shape == (2, 2, 2, 3)
    assert written.codes[0].tolist() == [[[0, 20, 40], [1, 21, 41]], [[10, 30, 50], [11, 31, 51]]]
    assert written.codes[1, 0, 0].tolist() == [5, 25, 45]
    assert torch.allclose(written.lead_s, torch.tensor([200e-6, -100e-6]))
    assert torch.allclose(written.looks, torch.tensor(2.5))


def test_loudness_is_set_for_both_ears_together() -> None:
    wave = torch.stack([0.1 * torch.sin(torch.arange(1000.0)), 0.02 * torch.sin(0.5 * torch.arange(1000.0))])
    made = loud(wave + 0.3)
    assert float(made[0].abs().max()) == pytest.approx(PEAK, abs=1e-6)
    assert float(made[0].std() / made[1].std()) == pytest.approx(float(wave[0].std() / wave[1].std()), rel=1e-4)
    assert torch.allclose(made.mean(dim=1), torch.zeros(2), atol=1e-5)
    assert not loud(torch.zeros(2, 10)).any()
