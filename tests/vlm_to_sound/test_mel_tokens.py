"""Log-mel tokens on a tiny configuration: codes, codebooks that refine each other, save and load."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from synesthesia.core.errors import UserError
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens

TINY = MelTokenConfig(codebooks=4, codes=8, frames=2, bands=6)


def mels(count: int = 3, frames: int = 40, seed: int = 0) -> Tensor:
    """(B, T, 6) around -5 nepers, neighbouring bands alike."""
    noise = torch.randn(count, frames, 6, generator=torch.Generator().manual_seed(seed))
    return 1.5 * noise.cumsum(dim=2) - 5.0


@pytest.fixture
def tokens() -> MelTokens:
    made = MelTokens(TINY).eval()
    made.fit(made.to_patches(mels()).flatten(0, 1), torch.Generator().manual_seed(0))
    return made


def test_the_shipped_configuration_has_25_tokens_a_second_and_256_numbers_in_each() -> None:
    assert (MelTokenConfig().tokens_per_second, MelTokenConfig().patch_dim) == (25.0, 256)


def test_codes_are_integers_of_the_promised_shape(tokens: MelTokens) -> None:
    codes = tokens.encode(mels())
    assert codes.shape == (3, 4, 20) and codes.dtype == torch.int64
    assert int(codes.min()) >= 0 and int(codes.max()) < 8 and len(codes.unique()) > 4
    assert tokens.decode(codes).shape == (3, 40, 6)
    assert torch.equal(tokens.encode(torch.cat([mels(), mels()[:, :1]], dim=1)), codes), "half a token is left out"


def test_every_row_and_token_has_its_own_codes(tokens: MelTokens) -> None:
    codes = tokens.encode(mels())
    assert torch.equal(tokens.encode(mels()[1:2]), codes[1:2])
    assert torch.equal(tokens.encode(mels()[:, 6:10]), codes[:, :, 3:5])
    assert torch.equal(tokens.decode(codes[:, :, 3:5]), tokens.decode(codes)[:, 6:10])


def test_a_patch_is_its_frames_in_order(tokens: MelTokens) -> None:
    cells = tokens.to_patches(mels())
    assert cells.shape == (3, 20, 12)
    assert torch.equal(cells[1, 7], torch.cat([mels()[1, 14], mels()[1, 15]]))


def test_the_first_codebooks_are_a_prefix(tokens: MelTokens) -> None:
    codes = tokens.encode(mels())
    fewer = MelTokens(MelTokenConfig(codebooks=2, codes=8, frames=2, bands=6))
    fewer.load_state_dict({"books": tokens.books[:2], "mean": tokens.mean})
    assert torch.equal(fewer.encode(mels()), codes[:, :2])
    assert torch.equal(fewer.decode(codes[:, :2]), tokens.decode(codes[:, :2]))
    assert not torch.allclose(tokens.decode(codes[:, :2]), tokens.decode(codes), atol=0.1)


def test_more_codebooks_come_closer(tokens: MelTokens) -> None:
    codes = tokens.encode(mels())
    errors = [float((tokens.decode(codes[:, :k]) - mels()).square().mean()) for k in (1, 2, 3, 4)]
    assert errors == sorted(errors, reverse=True) and errors[3] < 0.5 * errors[0]
    unheard = mels(seed=5)
    codes = tokens.encode(unheard)
    errors = [float((tokens.decode(codes[:, :k]) - unheard).square().mean()) for k in (1, 4)]
    assert errors[1] < errors[0] < float((unheard - unheard.mean()).square().mean())


def test_fit_returns_the_error_after_each_codebook() -> None:
    made = MelTokens(TINY)
    cells = made.to_patches(mels()).flatten(0, 1)
    told = made.fit(cells, torch.Generator().manual_seed(0))
    codes = made.encode(mels())
    by_hand = [float((made.decode(codes[:, :k]) - mels()).abs().mean()) for k in (1, 2, 3, 4)]
    assert told == pytest.approx(by_hand, rel=1e-3)
    assert torch.allclose(made.mean, cells.mean(dim=0))
    again = MelTokens(TINY)
    again.fit(cells, torch.Generator().manual_seed(0))
    assert torch.equal(again.books, made.books), "the same generator fits the same codebooks"


def test_centres_of_a_codebook_are_decoded_exactly() -> None:
    tokens = MelTokens(MelTokenConfig(codebooks=1, codes=8, frames=2, bands=6))
    generator = torch.Generator().manual_seed(0)
    tokens.books.copy_(torch.randint(-64, 64, tokens.books.shape, generator=generator) / 8)  # sums without rounding
    tokens.mean.copy_(torch.randint(-64, 64, tokens.mean.shape, generator=generator) / 8)
    codes = torch.randperm(8, generator=generator)[None, None]
    mel = tokens.decode(codes)
    assert mel.shape == (1, 16, 6)
    assert torch.equal(tokens.encode(mel), codes)
    assert torch.equal(tokens.decode(tokens.encode(mel)), mel)
    assert torch.equal(mel[0, :2].flatten(), tokens.mean + tokens.books[0, codes[0, 0, 0]])


def test_save_and_load_keep_codes_and_half_precision_codebooks(tokens: MelTokens, tmp_path: Path) -> None:
    tokens.save(tmp_path / "tokens")
    loaded = MelTokens.load(tmp_path / "tokens")
    assert loaded.config == TINY and not loaded.training
    assert torch.equal(loaded.books, tokens.books.half().float()) and loaded.books.dtype == torch.float32
    assert torch.equal(loaded.mean, tokens.mean.half().float())
    codes = tokens.encode(mels())
    assert torch.allclose(loaded.decode(codes), tokens.decode(codes), atol=0.05)
    assert float((loaded.encode(mels()) == codes).float().mean()) > 0.9


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_missing_file_is_a_plain_error(tokens: MelTokens, missing: str, tmp_path: Path) -> None:
    tokens.save(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(UserError, match="incomplete"):
        MelTokens.load(tmp_path)


def test_other_shapes_are_refused(tokens: MelTokens) -> None:
    with pytest.raises(AssertionError, match="log-mel must be"):
        tokens.encode(torch.zeros(1, 8, 7))
    with pytest.raises(AssertionError, match="codes must be"):
        tokens.decode(torch.zeros(1, 5, 8, dtype=torch.int64))
