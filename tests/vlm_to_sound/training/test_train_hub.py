"""Teaching a model from the hub to speak, offline: a Qwen3-VL with its own visual tower, tokenizer and image processor,
a thousandth of the size, in a folder that stands for the hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, cast

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from safetensors.torch import load_file
from torch import Tensor

from synesthesia.audio.codec import LatentCodec
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
from tests.vlm_to_sound.training.test_qwen_pixels import Eyes, Shares, Wishes, pictures
from tests.vlm_to_sound.training.tiny import BOOKS, CODES, language_path_folder, small_decoder, some_codes
from training.common import patch_features
from training.common.patch_features import Targets
from training.vlm_to_sound import train as train_language
from training.vlm_to_sound.clicked_sounds import Clicks, click
from training.vlm_to_sound.losses import decoder_loss
from training.vlm_to_sound.qwen_pixels import see_pixels
from training.vlm_to_sound.train import LanguagePathTraining, hub_thinker
from training.vlm_to_sound.trainable import TrainableAudioHead, opened, table, withheld


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = language_path_folder(tmp_path_factory.mktemp("hub"))
    write_qwen(made / "qwen")
    eyes, hearing, targets = cast(PatchEncoder, Eyes()), cast(ImageToSoundPipeline, Wishes()), cast(Targets, Shares())
    see_pixels(pictures(), eyes, hearing, targets, made / "runs" / "seen_pixels")
    return made


@pytest.fixture(autouse=True)
def small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folder for the hub, a small audio head, and an accelerate that remembers no other training."""
    hub = presets.hub()
    here = replace(hub.thinking, thinker_weights=Weights(hub_id=str(folder / "qwen"), revision="main"))
    monkeypatch.setattr(presets, "hub", lambda: replace(hub, thinking=here))
    monkeypatch.setattr(train_language, "TokenDecoderConfig", small_decoder)
    monkeypatch.chdir(folder)
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def config(folder: Path, tmp_path: Path) -> LanguagePathTraining:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "seen_pixels").symlink_to(folder / "runs" / "seen_pixels")
    return LanguagePathTraining(
        data=folder, preset="hub", out=tmp_path / "out", runs=tmp_path / "runs", cache=folder / "cache",
        tokens=folder / "tokens", head=folder / "head", steps=2, clicks=2, sounds=2, frames=(6,), untold=0.0,
        bf16=False,
    )  # fmt: skip


def untrained(config: LanguagePathTraining) -> TrainableAudioHead:
    """As `train_decoder` begins."""
    torch.manual_seed(config.seed)
    thinker, _ = hub_thinker(config)
    opened(thinker, LoraSettings(), words=True)
    tokens = MelTokens.load(config.tokens)
    return TrainableAudioHead(thinker, AudioHead(small_decoder(thought=thinker.width, tokens=tokens.config), tokens))


def some_clicks(config: LanguagePathTraining) -> Clicks:
    return click(hub_thinker(config)[1], 3, np.random.default_rng(3))


@pytest.mark.parametrize("bf16", [False, True])
def test_lora_words_and_audio_head_learn_alone(config: LanguagePathTraining, bf16: bool) -> None:
    there = untrained(config).state_dict()
    made = train_language.train_decoder(replace(config, bf16=bf16))
    here = made.state_dict()
    assert here.keys() == there.keys()
    moved = {name for name, value in here.items() if not torch.equal(value, there[name])}
    taught = {name for name in here if ".lora_" in name or name.startswith(("decoder.", "thinker.words."))}
    assert moved == taught
    assert len([name for name in moved if ".lora_" in name]) == 2 * 2 * 2
    assert {name for name, p in made.named_parameters() if p.requires_grad} == taught
    assert all(here[name].dtype == torch.float32 for name in taught)
    frozen = {here[name].dtype for name in here if name not in taught and here[name].is_floating_point()}
    assert frozen == {torch.bfloat16}
    assert made.thinker.model.language_model.layers[0].gradient_checkpointing


def test_the_words_that_were_said_are_taught(config: LanguagePathTraining) -> None:
    there = untrained(config).thinker.words.weight.detach()
    change = (train_language.train_decoder(config).thinker.words.weight.detach() - there).abs().amax(dim=1)
    assert change[:3].min() > 10 * change[3:].median(), "the box's ends and <think_sound> oftener than coordinates"


def test_the_product_loads_what_was_saved(config: LanguagePathTraining, folder: Path) -> None:
    made = train_language.train_decoder(replace(config, rate=3e-2, lora_rate=3e-2, steps=4))
    thinker = load_hub(str(folder / "qwen"), "main")
    head = load_audio_head(config.out, thinker, MelTokens.load(config.tokens), words=True)
    codes, told, clicks = some_codes(3), torch.ones(3, dtype=torch.bool), some_clicks(config)

    def of(speaker: TrainableAudioHead) -> tuple[Tensor, Tensor]:
        """Logits, and the states of <think_sound>."""
        with torch.no_grad():
            written, thought = speaker.eval()(clicks, codes, told)
        return written.codes, thought.states[:, -1].float()

    (said, mine), (again, loaded) = of(made), of(TrainableAudioHead(thinker, head))
    _, fresh = of(TrainableAudioHead(load_hub(str(folder / "qwen"), "main"), head))
    assert (again - said).std() < 0.02 * said.std(), "eight bits, and LoRA merged in bfloat16"
    assert (fresh - mine).std() > 5 * (loaded - mine).std(), "LoRA and words came with it"
    assert torch.allclose(thinker.words.weight, made.thinker.words.weight, atol=0.01)


def test_the_state_holds_what_learns_and_training_goes_on(config: LanguagePathTraining) -> None:
    first = replace(config, stage="decoder")
    train_language.main(first)
    runs = config.runs / "decoder_hub"
    state, made = load_file(runs / "state.safetensors"), load_file(config.out / "model.safetensors")
    kept = {name.removeprefix("module.model.") for name in state if name.startswith("module.model.")}
    assert kept == {name for name, p in untrained(config).named_parameters() if p.requires_grad}
    assert {name.removeprefix("ema.") for name in state if name.startswith("ema.")} == kept
    train_language.main(first)
    again = load_file(config.out / "model.safetensors")
    assert all(torch.equal(value, again[name]) for name, value in made.items()), "there was nothing left to do"
    train_language.main(replace(first, steps=4))
    assert json.loads((runs / "state.json").read_text())["step"] == 4
    last = load_file(runs / "state.safetensors")
    assert {float(value.max()) for name, value in last.items() if name.endswith(".step")} == {4.0}
    assert not (config.runs / "decoder").exists(), "the tiny model's state is another"


def test_the_table_counts_the_words(config: LanguagePathTraining) -> None:
    speaker = untrained(config)
    speaker.decoder.requires_grad_(True)
    rows = {line[:16].strip(): [int(n.replace(",", "")) for n in line[16:].split()]
            for line in table(speaker).splitlines()[1:]}  # fmt: skip
    assert sum(every for every, _ in rows.values()) == sum(p.numel() for p in speaker.parameters())
    assert rows["new words"] == [67 * 32, 67 * 32] and rows["visual tower"][1] == rows["language model"][1] == 0
    assert rows["visual tower"][0] == sum(p.numel() for p in speaker.thinker.model.visual.parameters())


def test_the_stage_see_keeps_pixels(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LatentCodec, "load", staticmethod(lambda _: None))
    monkeypatch.setattr(ImageToSoundPipeline, "load", staticmethod(lambda *_: Heard()))
    monkeypatch.setattr(PatchEncoder, "load", staticmethod(lambda _: Eyes()))
    monkeypatch.setattr(patch_features, "Targets", lambda *_: Shares())
    monkeypatch.setattr(patch_features, "choose", lambda data, tiny, *_: pictures()[2:] if tiny else pictures()[:2])
    train_language.main(LanguagePathTraining(data=folder, preset="hub", stage="see", runs=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["seen_pixels"]
    for name in ("pixels.npy", "wishes.npy"):
        there, here = (np.load(runs / "seen_pixels" / name) for runs in (folder / "runs", tmp_path))
        assert np.array_equal(there, here), name


class Heard(Wishes):
    """Wishes of a hearing whose ear has labels."""

    voice = type("Voice", (), {"ear": type("Ear", (), {"labels": ("hiss", "tone")})})


def test_no_pictures_is_one_sentence_and_nothing_is_fetched(
    config: LanguagePathTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetched(where: Weights) -> NoReturn:
        raise AssertionError("the network was opened")

    monkeypatch.setattr(train_language, "thinker_of", fetched)
    with pytest.raises(UserError, match="--preset hub --stage see") as caught:
        train_language.main(replace(config, runs=tmp_path / "none"))
    assert str(caught.value).count(". ") == 0
    with pytest.raises(UserError, match="for the tiny model alone"):
        train_language.main(replace(config, stage="thinker"))


def test_a_step_of_the_audio_head_stays_on_one_device(config: LanguagePathTraining) -> None:
    """On a device without numbers: whatever lies elsewhere is refused, as a GPU would."""
    where = torch.device("meta")
    tokens = MelTokens.load(config.tokens).to(where)
    shape = small_decoder(thought=8, tokens=tokens.config)
    decoder = AudioHead(shape, tokens).to(where)

    def ones(*size: int) -> Tensor:
        return torch.ones(size, dtype=torch.bool, device=where)

    thought = HiddenStates(
        torch.zeros(4, 6, 8, device=where), ones(4, 6), ones(4, 6), torch.zeros(4, 6, 2, device=where)
    )
    codes = torch.zeros(4, 2, BOOKS, 5, dtype=torch.long, device=where)
    written = decoder(withheld(decoder.memory(thought), decoder, ones(4)), codes)
    clicks = Clicks((), torch.zeros(4, 4), torch.zeros(4, 2)).to(where)
    total, speech = decoder_loss(written, thought, clicks.boxes, codes, torch.zeros(4, device=where), ones(4), shape)
    total.backward()
    assert written.codes.shape == (4, 10, BOOKS, CODES) and total.device == speech.device == where
