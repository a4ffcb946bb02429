"""Generation with tiny random models and a noise vocoder: seeds, streaming, odd grids, takes, attention."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from transformers import SpeechT5HifiGan

from synesthesia.audio.hifigan_vocoder import HifiGanVocoder
from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio.vocoder import PEAK
from synesthesia.core.results import Progress
from synesthesia.vision.grid import EncodedImage, PatchGrid
from synesthesia.vlm_to_sound import generate
from synesthesia.vlm_to_sound.audio_head import AudioHead, AudioHeadConfig, CrossAttentionMemory
from synesthesia.vlm_to_sound.generate import (
    CHUNK_FRAMES,
    FIRST_FRAMES,
    GeneratedStereo,
    TokenGenerator,
    number_of_takes,
    stack_steps,
)
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from synesthesia.vlm_to_sound.qwen3_vl import build_tiny, tiny_config
from synesthesia.vlm_to_sound.region_inputs import FeatureRegionInputs
from synesthesia.vlm_to_sound.sampling import DecodingStep, KeyValueCache, TokenSampler
from synesthesia.vlm_to_sound.stereo import mid_mel, render_stereo
from synesthesia.vlm_to_sound.streaming import soft_limit
from synesthesia.vlm_to_sound.thinker import HiddenStates, ImageInput
from tests.audio.test_hifigan_vocoder import TINY_HIFIGAN

BOOKS, CODES, RATE_HZ, TOKEN = 2, 8, 16_000, 640
GREEDY = TokenSampler(temperature=0.0)


class Noise:
    """White noise as loud as the mel: a vocoder that remembers its inputs."""

    def __init__(self) -> None:
        self.spoken: list[Tensor] = []

    def __call__(self, mel: Tensor) -> Tensor:
        self.spoken.append(mel)
        noise = torch.randn(mel.shape[1] * 160, generator=torch.Generator().manual_seed(0))
        return 0.05 * noise * mel.mean(dim=2).exp().repeat_interleave(160, dim=1)

    generated = __call__


@cache
def random_generator() -> TokenGenerator:
    """Random weights, large enough that every input matters."""
    torch.manual_seed(0)
    tokens = MelTokens(MelTokenConfig(codebooks=BOOKS, codes=CODES))
    tokens.books.normal_(std=0.5)
    config = AudioHeadConfig(hidden_size=16, width=16, layers=2, heads=2, tokens=tokens.config)
    thinker, decoder = build_tiny(tiny_config(4, width=16, layers=1)), AudioHead(config, tokens).eval()
    with torch.no_grad():
        for name, parameter in [*thinker.named_parameters(), *decoder.named_parameters()]:
            if parameter.ndim == 2:
                parameter.normal_(std=1.0 if name.startswith("new_embeddings") else 1.5 * parameter.shape[1] ** -0.5)
    return TokenGenerator(
        thinker.requires_grad_(False), decoder.requires_grad_(False), Noise(), None, FeatureRegionInputs()
    )


@pytest.fixture
def generator() -> TokenGenerator:
    return TokenGenerator(random_generator().thinker, random_generator().head, Noise(), None, FeatureRegionInputs())


def encoded(rows: int, cols: int) -> EncodedImage:
    generator = torch.Generator().manual_seed(rows * 100 + cols)
    features = torch.randn(rows, cols, 4, generator=generator)
    crops = torch.randn(rows, cols, 2, 4, generator=generator).half()
    grid = PatchGrid(features, features.mean(dim=(0, 1)), crops, cols * 10, rows * 10, "made up")
    return EncodedImage(Image.new("RGB", (cols * 10, rows * 10)), grid.key, grid)


IMAGE = encoded(5, 7)
PHOTO = IMAGE.grid


@pytest.fixture
def memory(generator: TokenGenerator) -> CrossAttentionMemory:
    return generator.encode(IMAGE, 2, 3)


def test_the_same_seed_gives_the_same_samples(generator: TokenGenerator, memory: CrossAttentionMemory) -> None:
    first, again, other = (generator.generate(memory, PHOTO, seconds=0.4, seed=seed, takes=2) for seed in (3, 3, 4))
    assert np.array_equal(first.waveform, again.waveform) and np.array_equal(first.codes, again.codes)
    assert np.array_equal(first.cross_attention, again.cross_attention) and first.itd_s == again.itd_s
    assert not np.array_equal(first.codes, other.codes) and not np.array_equal(first.waveform, other.waveform)
    elsewhere = generator.generate(generator.encode(IMAGE, 4, 0), PHOTO, seconds=0.4, seed=3, takes=2)
    assert not np.array_equal(first.codes, elsewhere.codes)


@pytest.mark.parametrize("seconds", [0.04, 0.3, 1.0, 1.01])
def test_a_sound_has_the_requested_duration(
    generator: TokenGenerator, memory: CrossAttentionMemory, seconds: float
) -> None:
    generated = generator.generate(memory, PHOTO, seconds=seconds, seed=0, takes=1)
    assert generated.waveform.shape == (2, round(RATE_HZ * seconds)) and generated.waveform.dtype == np.float32
    assert 0.8 * PEAK < float(np.abs(generated.waveform).max()) <= PEAK + 1e-5
    assert not generated.waveform[:, 0].any() and not generated.waveform[:, -1].any(), "faded"
    tokens = generated.codes.shape[2]
    assert generated.codes.shape == (2, BOOKS, tokens) and generated.codes.dtype == np.int64
    assert 0 <= tokens - seconds * 25 < 1 + 1e-9


@pytest.mark.parametrize("seconds", [0.04, 0.5, 0.52, 0.53, 1.0, 1.3, 1.517, 2.6])
def test_chunks_together_have_the_requested_duration(
    generator: TokenGenerator, memory: CrossAttentionMemory, seconds: float
) -> None:
    pieces = list(generator.stream(memory, seconds=seconds, seed=0, sampler=GREEDY))
    assert sum(piece.shape[1] for piece in pieces) == round(RATE_HZ * seconds)
    assert all(p.shape[0] == 2 and p.dtype == np.float32 and np.abs(p).max() <= 1.0 for p in pieces)
    lengths = [piece.shape[1] for piece in pieces]
    assert lengths[:-1] == [(FIRST_FRAMES - 1) * TOKEN, CHUNK_FRAMES * TOKEN, CHUNK_FRAMES * TOKEN][: len(lengths) - 1]
    assert 0 < lengths[-1] <= (CHUNK_FRAMES + 1) * TOKEN, "40 ms of each are held back for the next one"
    assert not pieces[0][:, 0].any() and not pieces[-1][:, -1].any()


def test_chunks_together_are_the_sound_in_one_go(generator: TokenGenerator, memory: CrossAttentionMemory) -> None:
    """The same tokens through a real vocoder, but for one gain, the vocoder's own ends, and the ITD, which the first
    chunk decides."""
    torch.manual_seed(3)
    generator.vocoder = HifiGanVocoder(SpeechT5HifiGan(TINY_HIFIGAN).eval().requires_grad_(False))
    pieces = list(generator.stream(memory, seconds=1.8, seed=5))
    steps = list(generator.sample(memory, 45, 5, 1))
    codes, lead_s = (
        stack_steps(steps, generator.head).codes,
        stack_steps(steps[: 2 * FIRST_FRAMES], generator.head).itd_s,
    )
    whole = render_stereo(generator.head.tokens.decode(codes[0])[None], lead_s, generator.vocoder.generated)[0].numpy()
    joined = np.concatenate(pieces, axis=1)
    assert len(pieces) == 3 and joined.shape == whole.shape
    gain = float((joined * whole).sum() / (whole**2).sum())
    for end in (FIRST_FRAMES, FIRST_FRAMES + CHUNK_FRAMES):
        inside = slice((end + 1) * TOKEN, min((end + CHUNK_FRAMES - 3) * TOKEN, 42 * TOKEN))
        error = np.abs(joined - soft_limit(torch.from_numpy(gain * whole), PEAK).numpy())[:, inside]
        assert error.max() < 0.02 * np.abs(joined).max()
    steps_at = np.abs(np.diff(joined, axis=1)).max(axis=0)
    seams = [(FIRST_FRAMES - 1) * TOKEN - 1, (FIRST_FRAMES + CHUNK_FRAMES - 1) * TOKEN - 1]
    assert steps_at[seams].max() <= np.quantile(steps_at, 0.999), "no click where pieces meet"


def test_the_itd_does_not_change_between_chunks(
    generator: TokenGenerator, memory: CrossAttentionMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    itds_s: list[float] = []

    def recording(mels: Tensor, lead_s: Tensor, vocoder: Callable[[Tensor], Tensor]) -> Tensor:
        itds_s.append(float(lead_s))
        return render_stereo(mels, lead_s, vocoder)

    monkeypatch.setattr(generate, "render_stereo", recording)
    list(generator.stream(memory, seconds=2.6, seed=5))
    steps = list(generator.sample(memory, FIRST_FRAMES, 5, 1))
    assert len(itds_s) == 4 and len(set(itds_s)) == 1
    assert itds_s[0] == pytest.approx(float(stack_steps(steps, generator.head).itd_s), abs=1e-7)


def test_the_first_chunk_does_not_wait_for_the_last(
    generator: TokenGenerator, memory: CrossAttentionMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    positions, run = [0], KeyValueCache.run

    def counted(*args: object) -> tuple[Tensor, Tensor]:
        positions[0] += 1
        return run(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(KeyValueCache, "run", counted)
    pieces = generator.stream(memory, seconds=4.0, seed=0)
    assert positions == [0]
    next(pieces)
    assert positions == [2 * FIRST_FRAMES]


@pytest.mark.parametrize(("rows", "cols"), [(4, 6), (5, 6), (4, 7), (5, 7), (3, 1)])
def test_attention_is_a_map_of_the_patches(generator: TokenGenerator, rows: int, cols: int) -> None:
    image, down, across = encoded(rows, cols), (rows + 1) // 2, (cols + 1) // 2
    memory = generator.encode(image, rows - 1, cols - 1)
    assert int(memory.image_mask.sum()) == down * across
    generated = generator.generate(memory, image.grid, seconds=0.2, seed=0, takes=2)
    assert generated.cross_attention.shape == (rows, cols) and generated.cross_attention.sum() == pytest.approx(
        1.0, abs=1e-5
    )
    steps = list(generator.sample(memory, 5, 0, 2))
    by_hand = torch.stack([step.cross_attention[generated.take] for step in steps]).mean(dim=0)[memory.image_mask[0]]
    by_hand = (by_hand / by_hand.sum()).view(down, across).numpy()
    for y in range(down):
        for x in range(across):
            assert generated.cross_attention[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].sum() == pytest.approx(
                by_hand[y, x], abs=1e-5
            )


def test_progress_comes_before_the_sound(generator: TokenGenerator, memory: CrossAttentionMemory) -> None:
    items = list(generator.generate_steps(memory, PHOTO, seconds=0.41, seed=0, takes=2))
    assert items[:-1] == [Progress(done, 11) for done in range(1, 12)]
    generated = generator.generate(memory, PHOTO, seconds=0.41, seed=0, takes=2)
    assert isinstance(items[-1], GeneratedStereo) and np.array_equal(items[-1].waveform, generated.waveform)


def test_longer_sounds_get_fewer_takes() -> None:
    assert [number_of_takes(seconds, TokenSampler()) for seconds in (1.0, 4.0, 5.0, 7.0, 10.0)] == [12, 12, 9, 6, 4]


def test_greedy_decoding_needs_one_take() -> None:
    assert number_of_takes(4.0, TokenSampler(temperature=0.0)) == number_of_takes(4.0, TokenSampler(top_k=1)) == 1


@pytest.mark.parametrize(("rows", "cols"), [(4, 6), (5, 7), (15, 15)])
def test_the_box_lies_in_the_cell_that_the_patch_belongs_to(generator: TokenGenerator, rows: int, cols: int) -> None:
    """Also where an odd last row or column is repeated, and boxes are fractions of the tower's grid."""
    boxes_seen: list[Tensor] = []

    def record(images: list[ImageInput], boxes: Tensor) -> HiddenStates:
        boxes_seen.append(boxes[0])
        found: HiddenStates = random_generator().thinker(images, boxes)
        return found

    generator.thinker = record  # type: ignore[assignment]
    down, across = (rows + 1) // 2, (cols + 1) // 2
    for row, col in ((row, col) for row in {0, 1, rows // 2, rows - 2, rows - 1} for col in (0, cols // 2, cols - 2)):
        generator.encode(encoded(rows, cols), row, col)
        left, top, right, bottom = boxes_seen[-1].tolist()
        assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1
        assert (int((top + bottom) / 2 * down), int((left + right) / 2 * across)) == (row // 2, col // 2)


def test_the_tagger_chooses_the_best_take(generator: TokenGenerator, memory: CrossAttentionMemory) -> None:
    mels_seen: list[Tensor] = []

    class FakeTagger:
        def __init__(self, best: int) -> None:
            self.best = best

        def __call__(self, mel: Tensor) -> tuple[Tensor, Tensor]:
            mels_seen.append(mel)
            logits = torch.zeros(len(mel), 3)
            logits[:, 0], logits[self.best, 2] = 9.0, 5.0  # all sound like the first label, which nobody wants
            return logits, logits

    class_probs = torch.tensor([0.0, 0.5, 0.5])
    for best in (2, 0):
        generator.tagger = cast(AudioTagger, FakeTagger(best))
        generated = generator.generate(memory, PHOTO, seconds=0.2, seed=7, takes=3, class_probs=class_probs)
        assert generated.take == best
        sampled = stack_steps(list(generator.sample(memory, 5, 7, 3)), generator.head)
        assert np.array_equal(generated.codes, sampled.codes[best].numpy())
        assert generated.itd_s == pytest.approx(float(sampled.itd_s[best]))
        mels = generator.head.tokens.decode(sampled.codes[best])
        assert torch.allclose(mels_seen[-1][best], mid_mel(mels[None])[0], atol=1e-5)
        assert torch.allclose(cast(Noise, generator.vocoder).spoken[-1], mid_mel(mels[None]), atol=1e-5)
    assert generator.generate(memory, PHOTO, seconds=0.2, seed=7, takes=3).take == 0, (
        "without class probabilities: the first"
    )


def test_takes_do_not_depend_on_each_other(generator: TokenGenerator, memory: CrossAttentionMemory) -> None:
    one, four = (stack_steps(list(generator.sample(memory, 6, 11, takes)), generator.head) for takes in (1, 4))
    assert torch.equal(one.codes[0], four.codes[0])
    assert len({tuple(take.flatten().tolist()) for take in four.codes}) == 4


def test_positions_are_gathered_by_ear_and_book() -> None:
    decoder = random_generator().head
    itds_s = torch.full((2, 33), -30.0)
    itds_s[0, 16 + 4] = itds_s[1, 16 - 2] = 30.0
    steps = [
        DecodingStep(torch.tensor([[10 * p, 10 * p + 1], [10 * p + 5, 10 * p + 6]]), itds_s if p % 2 else None,
             torch.full((2, 3), float(p)))
        for p in range(6)
    ]  # fmt: skip
    sampled = stack_steps(steps, decoder)
    assert sampled.codes.shape == (2, 2, 2, 3)
    assert sampled.codes[0].tolist() == [[[0, 20, 40], [1, 21, 41]], [[10, 30, 50], [11, 31, 51]]]
    assert sampled.codes[1, 0, 0].tolist() == [5, 25, 45]
    assert torch.allclose(sampled.itd_s, torch.tensor([200e-6, -100e-6]))
    assert torch.allclose(sampled.cross_attention, torch.tensor(2.5))
