"""Training with a model from the hub, offline: a Qwen3-VL with its own visual tower, tokenizer and image processor,
a thousandth of the size, in a folder that stands for the hub."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, cast

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from synesthesia.core import presets
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Weights
from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.nn.lora import LoraSettings
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vlm_to_sound.audio_head import AudioHead
from synesthesia.vlm_to_sound.checkpoint import load_audio_head
from synesthesia.vlm_to_sound.mel_tokens import MelTokens
from synesthesia.vlm_to_sound.qwen3_vl import load_hub
from synesthesia.vlm_to_sound.thinker import HiddenStates
from tests.vlm_to_sound.test_hub import write_qwen
from tests.vlm_to_sound.training.test_qwen_pixel_dataset import FakeEncoder, FakePrior, FakeTargets, pictures
from tests.vlm_to_sound.training.tiny import BOOKS, CODES, small_decoder, some_codes
from training.common.patch_features import Targets
from training.common.pictures import Picture
from training.vlm_to_sound import train
from training.vlm_to_sound.clicked_sounds import Clicks, sample_clicks
from training.vlm_to_sound.losses import audio_head_loss
from training.vlm_to_sound.qwen_pixel_dataset import write_pixels
from training.vlm_to_sound.train import VlmToSoundTraining, hub_thinker
from training.vlm_to_sound.trainable import TrainableAudioHead, add_trainable_lora, drop_condition, parameter_table


@pytest.fixture(scope="module")
def hub_folder(folder: Path) -> Path:
    write_qwen(folder / "qwen")
    write_pixels(*material(), folder / "runs" / "seen_pixels")
    return folder


def material() -> tuple[list[Picture], PatchEncoder, ImageToSoundPipeline, Targets]:
    return (
        pictures(),
        cast(PatchEncoder, FakeEncoder()),
        cast(ImageToSoundPipeline, FakePrior()),
        cast(Targets, FakeTargets()),
    )


@pytest.fixture(autouse=True)
def hub(hub_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder stands for the hub."""
    preset = presets.hub()
    here = replace(preset.vlm_to_sound, thinker_weights=Weights(hub_id=str(hub_folder / "qwen"), revision="main"))
    monkeypatch.setattr(presets, "hub", lambda: replace(preset, vlm_to_sound=here))


@pytest.fixture
def config(hub_folder: Path, tmp_path: Path) -> VlmToSoundTraining:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "seen_pixels").symlink_to(hub_folder / "runs" / "seen_pixels")
    return VlmToSoundTraining(
        data=hub_folder, stage="decoder", preset="hub", out=tmp_path / "out", runs=tmp_path / "runs",
        cache=hub_folder / "cache", tokens=hub_folder / "tokens", hrtf=hub_folder / "head",
        mapper=hub_folder / "mapper", steps=2, clicks=2, sounds=2, frames=(6,), condition_dropout=0.0, bf16=False,
        width=32, layers=2, heads=2,
    )  # fmt: skip


def untrained(config: VlmToSoundTraining) -> TrainableAudioHead:
    """As `train_audio_head` begins."""
    torch.manual_seed(config.seed)
    thinker, _ = hub_thinker(config)
    add_trainable_lora(thinker, LoraSettings(), new_embeddings=True)
    tokens = MelTokens.load(config.tokens)
    return TrainableAudioHead(
        thinker, AudioHead(small_decoder(hidden_size=thinker.hidden_size, tokens=tokens.config), tokens)
    )


def some_clicks(config: VlmToSoundTraining) -> Clicks:
    return sample_clicks(hub_thinker(config)[1], 3, np.random.default_rng(3))


@pytest.mark.parametrize("bf16", [False, True])
def test_lora_new_embeddings_and_audio_head_train_alone(config: VlmToSoundTraining, bf16: bool) -> None:
    there = untrained(config).state_dict()
    made = train.train_audio_head(replace(config, bf16=bf16))
    here = made.state_dict()
    assert here.keys() == there.keys()
    moved = {name for name, value in here.items() if not torch.equal(value, there[name])}
    trained = {name for name in here if ".lora_" in name or name.startswith(("head.", "thinker.new_embeddings."))}
    assert moved == trained
    assert len([name for name in moved if ".lora_" in name]) == 2 * 2 * 2
    assert {name for name, p in made.named_parameters() if p.requires_grad} == trained
    assert all(here[name].dtype == torch.float32 for name in trained)
    frozen = {here[name].dtype for name in here if name not in trained and here[name].is_floating_point()}
    assert frozen == {torch.bfloat16}
    assert made.thinker.model.language_model.layers[0].gradient_checkpointing


def test_the_embeddings_that_occur_are_trained(config: VlmToSoundTraining) -> None:
    there = untrained(config).thinker.new_embeddings.weight.detach()
    change = (train.train_audio_head(config).thinker.new_embeddings.weight.detach() - there).abs().amax(dim=1)
    assert change[:3].min() > 10 * change[3:].median(), "the box's ends and <think_sound> more often than coordinates"


def test_the_product_loads_what_was_saved(config: VlmToSoundTraining, folder: Path) -> None:
    made = train.train_audio_head(replace(config, rate=3e-2, lora_rate=3e-2, steps=4))
    thinker = load_hub(str(folder / "qwen"), "main")
    head = load_audio_head(config.out, thinker, MelTokens.load(config.tokens), new_embeddings=True)
    codes, conditioned, clicks = some_codes(3), torch.ones(3, dtype=torch.bool), some_clicks(config)

    def of(model: TrainableAudioHead) -> tuple[Tensor, Tensor]:
        """Logits, and the states of <think_sound>."""
        with torch.no_grad():
            output, hidden = model.eval()(clicks, codes, conditioned)
        return output.codes, hidden.states[:, -1].float()

    (logits, mine), (again, loaded) = of(made), of(TrainableAudioHead(thinker, head))
    _, fresh = of(TrainableAudioHead(load_hub(str(folder / "qwen"), "main"), head))
    assert (again - logits).std() < 0.02 * logits.std(), "eight bits, and LoRA merged in bfloat16"
    assert (fresh - mine).std() > 5 * (loaded - mine).std(), "LoRA and embeddings were stored with it"
    assert torch.allclose(thinker.new_embeddings.weight, made.thinker.new_embeddings.weight, atol=0.01)


def test_the_state_holds_what_learns_and_training_goes_on(config: VlmToSoundTraining) -> None:
    first = replace(config, stage="decoder")
    train.main(first)
    runs = config.runs / "decoder_hub"
    state, made = load_file(runs / "state.safetensors"), load_file(config.out / "model.safetensors")
    kept = {name.removeprefix("module.model.") for name in state if name.startswith("module.model.")}
    assert kept == {name for name, p in untrained(config).named_parameters() if p.requires_grad}
    assert {name.removeprefix("ema.") for name in state if name.startswith("ema.")} == kept
    train.main(first)
    again = load_file(config.out / "model.safetensors")
    assert all(torch.equal(value, again[name]) for name, value in made.items()), "there was nothing left to do"
    train.main(replace(first, steps=4))
    assert json.loads((runs / "state.json").read_text())["step"] == 4
    last = load_file(runs / "state.safetensors")
    assert {float(value.max()) for name, value in last.items() if name.endswith(".step")} == {4.0}
    assert not (config.runs / "decoder").exists(), "the tiny model's state is another"


def test_the_table_counts_the_new_tokens(config: VlmToSoundTraining) -> None:
    model = untrained(config)
    model.head.requires_grad_(True)
    rows = {line[:16].strip(): [int(n.replace(",", "")) for n in line[16:].split()]
            for line in parameter_table(model).splitlines()[1:]}  # fmt: skip
    assert sum(every for every, _ in rows.values()) == sum(p.numel() for p in model.parameters())
    assert rows["new tokens"] == [67 * 32, 67 * 32] and rows["visual tower"][1] == rows["language model"][1] == 0
    assert rows["visual tower"][0] == sum(p.numel() for p in model.thinker.model.visual.parameters())


def test_the_stage_see_keeps_pixels(hub_folder: Path, config: VlmToSoundTraining, tmp_path: Path) -> None:
    config = replace(config, runs=tmp_path / "again")
    train.write_images(config, lambda _: material())
    assert [path.name for path in config.runs.iterdir()] == ["seen_pixels"]
    for name in ("content.npy", "class_probs.npy"):
        there, here = (np.load(runs / "seen_pixels" / name) for runs in (hub_folder / "runs", config.runs))
        assert np.array_equal(there, here), name


def test_no_pictures_is_one_sentence_and_nothing_is_fetched(
    config: VlmToSoundTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetched(where: Weights) -> NoReturn:
        raise AssertionError("the network was add_trainable_lora")

    monkeypatch.setattr(train, "load_thinker", fetched)
    with pytest.raises(UserError, match="--preset hub --stage see") as caught:
        train.main(replace(config, runs=tmp_path / "none"))
    assert str(caught.value).count(". ") == 0
    with pytest.raises(UserError, match="for the tiny model alone"):
        train.main(replace(config, stage="thinker"))


def test_a_step_of_the_audio_head_stays_on_one_device(config: VlmToSoundTraining) -> None:
    """On a device without numbers: whatever lies elsewhere is refused, as a GPU would."""
    where = torch.device("meta")
    tokens = MelTokens.load(config.tokens).to(where)
    shape = small_decoder(hidden_size=8, tokens=tokens.config)
    decoder = AudioHead(shape, tokens).to(where)

    def ones(*size: int) -> Tensor:
        return torch.ones(size, dtype=torch.bool, device=where)

    hidden = HiddenStates(
        torch.zeros(4, 6, 8, device=where), ones(4, 6), ones(4, 6), torch.zeros(4, 6, 2, device=where)
    )
    codes = torch.zeros(4, 2, BOOKS, 5, dtype=torch.long, device=where)
    output = decoder(drop_condition(decoder.memory(hidden), decoder, ones(4)), codes)
    clicks = Clicks((), torch.zeros(4, 4), torch.zeros(4, 2)).to(where)
    total, token_loss = audio_head_loss(
        output, hidden, clicks.boxes, codes, torch.zeros(4, device=where), ones(4), shape
    )
    total.backward()
    assert output.codes.shape == (4, 10, BOOKS, CODES) and total.device == token_loss.device == where
