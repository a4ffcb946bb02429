"""The token codec on a tiny random configuration: codes, lengths, codebooks from k-means, save and load."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from synesthesia.audio.tokens import TokenCodec, TokenCodecConfig, init_codebooks

TINY = TokenCodecConfig(filters=2, hidden=8, codebooks=4, codes=16)


def noise(samples: int = 3200) -> torch.Tensor:
    return 0.2 * torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def codec() -> TokenCodec:
    torch.manual_seed(0)
    model = TINY.build().eval()
    init_codebooks(model, noise(6400), torch.Generator().manual_seed(0))
    return TokenCodec(model.requires_grad_(False))


def test_codebooks_of_a_random_model_are_zero_and_kmeans_fills_them(codec: TokenCodec) -> None:
    assert float(TINY.build().quantizer.layers[0].codebook.embed.abs().max()) == 0.0
    for layer in codec.model.quantizer.layers:
        assert len(torch.unique(layer.codebook.embed, dim=0)) == 16


def test_codes_are_whole_numbers_of_the_promised_shape(codec: TokenCodec) -> None:
    codes = codec.encode(noise())
    assert codes.shape == (2, 4, 10) and codes.dtype == torch.int64
    assert int(codes.min()) >= 0 and int(codes.max()) < 16 and len(codes.unique()) > 4
    assert codec.encode(noise(3201)).shape == (2, 4, 11)
    assert codec.decode(codes).shape == (2, 1, 3200)


def test_codes_agree_with_transformers_own_encode(codec: TokenCodec) -> None:
    theirs = codec.model.encode(noise(), bandwidth=codec.model.config.target_bandwidths[-1]).audio_codes
    assert torch.equal(theirs[0], codec.encode(noise()))


def test_the_first_codebooks_are_a_prefix(codec: TokenCodec) -> None:
    assert torch.equal(codec.encode(noise(), 2), codec.encode(noise())[:, :2])
    assert codec.decode(codec.encode(noise(), 2)).shape == (2, 1, 3200)


def test_more_codebooks_come_closer_to_the_encoders_output(codec: TokenCodec) -> None:
    hidden = codec.model.encoder(noise())
    errors = [
        float((codec.model.quantizer.decode(codec.encode(noise(), k).transpose(0, 1)) - hidden).square().mean())
        for k in (1, 2, 4)
    ]
    assert errors[0] > errors[1] > errors[2]


def test_save_and_load_keep_the_codes(codec: TokenCodec, tmp_path: Path) -> None:
    codec.save(tmp_path, exact=True)
    loaded = TokenCodec.load(tmp_path)
    assert torch.equal(loaded.encode(noise()), codec.encode(noise()))
    assert torch.allclose(loaded.decode(codec.encode(noise())), codec.decode(codec.encode(noise())), atol=1e-6)
    assert (loaded.codebooks, loaded.codes, loaded.samples_per_frame, loaded.sample_rate_hz) == (4, 16, 320, 16_000)
