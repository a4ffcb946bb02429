"""The path "language" of the preset hub, tested offline: a Qwen3-VL with its own visual tower, tokenizer and image
processor, a thousandth of the size, saved by transformers into a folder that stands for the hub."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor

from synesthesia import Studio
from synesthesia.core import checkpoints, presets
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Preset, Weights
from synesthesia.core.results import Heard
from synesthesia.vision.grid import EncodedImage
from synesthesia.vlm_to_sound.qwen3_vl import load_hub
from tests.tiny import write_checkpoints
from tests.vlm_to_sound.tiny import randomise, write_audio_head

WORDS = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "user", "assistant", "?")


def write_qwen(folder: Path) -> None:
    """A model as `from_pretrained` finds it."""
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, additional_special_tokens=list(WORDS[:5])).save_pretrained(
        folder
    )
    vision = {
        "depth": 2, "hidden_size": 16, "intermediate_size": 32, "num_heads": 2, "in_channels": 3, "patch_size": 16,
        "temporal_patch_size": 2, "out_hidden_size": 32, "num_position_embeddings": 64, "deepstack_visual_indexes": [0],
    }  # fmt: skip
    text = {
        "vocab_size": len(WORDS), "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "bos_token_id": None, "eos_token_id": None,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 1, 1],
                            "mrope_interleaved": True},
    }  # fmt: skip
    config = Qwen3VLConfig(
        text_config=text, vision_config=vision, image_token_id=4, video_token_id=7, vision_start_token_id=2,
        vision_end_token_id=3,
    )  # fmt: skip
    torch.manual_seed(0)
    whole = Qwen3VLForConditionalGeneration(config)
    randomise(whole)
    whole.save_pretrained(folder)
    Qwen2VLImageProcessor(patch_size=16, merge_size=2, image_mean=[0.5] * 3, image_std=[0.5] * 3).save_pretrained(
        folder
    )


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> Preset:
    """The preset hub's thinker, audio head and tokens, behind the embedded vision network and vocoder."""
    where = tmp_path_factory.mktemp("hub")
    write_qwen(where / "qwen")
    write_checkpoints(where / "checkpoints")
    thinker = load_hub(str(where / "qwen"), "main")
    randomise(thinker.new_embeddings)
    write_audio_head(where / "checkpoints", thinker, "token_decoder_hub", new_embeddings=True)
    thinking = replace(presets.hub().vlm_to_sound, thinker_weights=Weights(hub_id=str(where / "qwen"), revision="main"))
    return replace(presets.embedded(), vlm_to_sound=thinking)


@pytest.fixture(autouse=True)
def here(preset: Preset, monkeypatch: pytest.MonkeyPatch) -> None:
    where = Path(preset.vlm_to_sound.thinker_weights.hub_id).parent
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(where / "checkpoints"))


@pytest.fixture(scope="module")
def studio(preset: Preset) -> Studio:
    return Studio(preset)


def click(studio: Studio, picture: Image.Image, x: float, y: float, seed: int = 0) -> Heard:
    return studio.hear(picture, x, y, path="language", seconds=1, seed=seed, anyway=True)


def test_a_model_that_reads_pixels_generates_sound(studio: Studio, cat: Image.Image) -> None:
    heard, again, there = click(studio, cat, 200, 100), click(studio, cat, 200, 100), click(studio, cat, 20, 280)
    assert heard.waveform.shape == (2, 16_000) and np.abs(heard.waveform).max() > 0.05
    assert np.array_equal(heard.waveform, again.waveform) and not np.array_equal(heard.waveform, there.waveform)
    grid = studio.look(cat)
    assert heard.tokens is not None and heard.tokens.cross_attention.shape == (grid.rows, grid.cols)
    assert heard.tokens.cross_attention.sum() == pytest.approx(1.0, abs=1e-4)
    assert sum(piece.shape[1] for piece in studio.stream(cat, 200, 100, seconds=2, anyway=True)) == 32_000


def test_hidden_states_depend_on_the_pixels_and_the_box(studio: Studio, cat: Image.Image) -> None:
    generator, grid = studio.services.vlm_to_sound.generator, studio.look(cat)
    image = EncodedImage(cat, grid.key, grid)
    noise = replace(image, picture=Image.effect_noise(cat.size, 90).convert("RGB"))
    memory, other, moved = (generator.encode(*place) for place in ((image, 4, 12), (noise, 4, 12), (image, 5, 12)))
    for apart in (other, moved):
        assert (apart.keys[0] - memory.keys[0]).abs().max() > 1e-2
    seen, _ = generator.region_inputs.prepare(image, 4, 12)
    assert int(memory.image_mask.sum()) == seen.rows * seen.cols // 4


def test_the_new_embeddings_come_from_the_heads_folder(studio: Studio, preset: Preset) -> None:
    loaded = studio.services.vlm_to_sound.generator.thinker
    fresh = load_hub(preset.vlm_to_sound.thinker_weights.hub_id, "main")
    assert loaded.new_embeddings.weight.std() > 0.1 > fresh.new_embeddings.weight.std()
    changed = [name for name, value in loaded.model.state_dict().items()
               if not torch.equal(value, fresh.model.state_dict()[name])]  # fmt: skip
    assert len(changed) == 4 and all(name.endswith(("q_proj.weight", "v_proj.weight")) for name in changed)


def test_an_embedded_head_does_not_fit(preset: Preset, cat: Image.Image, tmp_path: Path) -> None:
    """Files of a head that was trained without new embeddings."""
    where = Path(preset.vlm_to_sound.thinker_weights.hub_id)
    write_checkpoints(tmp_path)
    write_audio_head(tmp_path, load_hub(str(where), "main"), "token_decoder_hub")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
        with pytest.raises(UserError, match="trained for another thinker"):
            click(Studio(preset), cat, 5, 5)


def test_a_model_that_cannot_be_fetched_is_one_sentence(preset: Preset, cat: Image.Image) -> None:
    gone = replace(preset.vlm_to_sound, thinker_weights=presets.hub().vlm_to_sound.thinker_weights)
    with pytest.raises(UserError, match="can't be fetched") as caught:
        click(Studio(replace(preset, vlm_to_sound=gone)), cat, 5, 5)
    assert "\n" not in str(caught.value)
